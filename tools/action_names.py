#!/usr/bin/env python3
"""action_names.py OUT CONTRACT...: "version action" of every operation of the contract files, a line each, sorted."""
import json
import sys


def main():
    out, *paths = sys.argv[1:]
    lines = set()
    for path in paths:
        with open(path, encoding="utf-8") as f:
            contract = json.load(f)
        lines.update(f"{contract['version']} {operation['name']}\n" for operation in contract["operations"])
    with open(out, "w", encoding="ascii") as f:
        f.writelines(sorted(lines))


main()
