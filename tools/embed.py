#!/usr/bin/env python3
"""embed.py NAME OUT FILE...: writes the files' bytes as a table that openrd::embedded::NAME() returns (base/embedded.hpp)."""
import os
import sys


def main():
    name, out, *paths = sys.argv[1:]
    with open(out, "w", encoding="ascii") as f:
        f.write('#include "base/embedded.hpp"\nnamespace openrd::embedded {\nnamespace {\n')
        for i, path in enumerate(paths):
            with open(path, "rb") as source:
                data = source.read()
            f.write(f"constexpr unsigned char bytes_{i}[] = {{")
            f.write(",".join(str(b) for b in data + b"\0"))
            f.write("};\n")
        f.write("const File files[] = {\n")
        for i, path in enumerate(paths):
            f.write(f'    {{"{os.path.basename(path)}", {{reinterpret_cast<const char*>(bytes_{i}), sizeof bytes_{i} - 1}}}},\n')
        f.write(f"}};\n}}\nstd::span<const File> {name}() {{ return files; }}\n}}\n")


main()
