#!/usr/bin/env python3
"""check_new_operation.py [--all | --self-test]: what `./dev new` writes compiles. It is written for every operation of contract/ that
has no room yet; six are compiled here, every one with --all."""
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile

import new_operation

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Paging by token and by number, nested lists, free JSON, a JSON list, secrets, versions that differ.
SOME = ["ListControlPolicies", "DeleteAccount", "CreateVirtualMFADevice", "ListHandshakesForAccount", "CreateLoginProfile", "GetTrailStatus"]


def write_all(root):
    """{action: path} of the rooms written."""
    written = {}
    for product, operations in new_operation.contracts(root):
        for action in operations:
            try:
                _, folder = new_operation.choose(root, action, None, None)
                only = None
            except SystemExit:  # an operation of two products
                _, folder = new_operation.choose(root, action, product, None)
                only = product
            if not os.path.exists(f"{root}/src/operations/{folder}/{new_operation.snake(action)}.cpp"):
                paths, _ = new_operation.new(root, action, only)
                written[f"{product} {action}"] = paths[0]
    return written


def compiles(path):
    done = subprocess.run(["g++", "-std=c++20", f"-I{path[:path.index('/src/')]}/src", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror", "-Wno-restrict", "-fsyntax-only", path],
                          capture_output=True, text=True, check=False)
    return done.stderr if done.returncode else ""


def main():
    if "--self-test" in sys.argv[1:]:
        assert [new_operation.snake(name) for name in ("GetMFADevice", "SendVerificationCodeForEnableRD", "ListTagKeys")] == ["get_mfa_device", "send_verification_code_for_enable_rd", "list_tag_keys"]
        assert new_operation.with_line("openrd_operations(a\n  B\n  D\n)\n", "a", "C") == "openrd_operations(a\n  B\n  C\n  D\n)\n"
        return
    with tempfile.TemporaryDirectory() as root:
        for folder in ("contract", "src"):
            shutil.copytree(f"{ROOT}/{folder}", f"{root}/{folder}")
        written = write_all(root)
        chosen = [path for action, path in written.items() if "--all" in sys.argv[1:] or action.split()[1] in SOME]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            failed = [said for said in pool.map(compiles, chosen) if said]
        print(f"{len(written)} rooms written, {len(chosen)} compiled, {len(failed)} failed")
        print("\n".join(failed[:5]), file=sys.stderr)
        sys.exit(bool(failed))


main()
