#!/usr/bin/env python3
"""full_disk.py: when the disk is full a write answers 503 with nothing done, reads go on, and writes work again once there is space."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile

sys.path += [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "sdk")]
from server_with_data import Server  # noqa: E402


def main():
    if os.geteuid() != 0:
        print("SKIPPED: mounting a small disk needs root")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="openrd-full-") as folder:
        disk = pathlib.Path(folder, "disk")
        disk.mkdir()
        mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m,mode=0700", "tmpfs", disk], capture_output=True, text=True, check=False)
        if mounted.returncode != 0:
            print(f"SKIPPED: no small disk can be mounted here: {mounted.stderr.strip()}")
            sys.exit(77)
        try:
            run(disk, folder)
        finally:
            subprocess.run(["umount", "-l", disk], check=True)
    print("1 passed, 0 failed")


def run(disk, folder):
    with open(pathlib.Path(folder, "log"), "ab") as log:
        server = Server(str(disk), log)
        try:
            ballast = disk / "ballast"
            with open(ballast, "wb", buffering=0) as file:  # fills the disk to the last byte
                try:
                    while True:
                        file.write(b"x" * 4096)
                except OSError:
                    pass
            refused = None
            for i in range(500):
                answer = server.call("CreateFolder", {"FolderName": f"f{i}"})
                if answer.status != 200:
                    refused = answer
                    break
            assert refused is not None, "the disk did not fill"
            assert refused.status == 503 and json.loads(refused.body)["Code"] == "ServiceUnavailable", refused.body
            names = [f["FolderName"] for f in all_folders(server)]
            assert f"f{i}" not in names, "what was refused was done"
            assert len(names) == i + 1, f"{len(names)} folders, {i} answered and the seed's"
            ballast.unlink()
            again = server.call("CreateFolder", {"FolderName": "again"})
            for _ in range(50):
                if again.status == 200:
                    break
                again = server.call("CreateFolder", {"FolderName": "again"})
            assert again.status == 200, again.body
            print(f"full after {i} folders: 503, reads went on, and with space writes did too")
        finally:
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(60) == 0


def all_folders(server):
    folders, page = [], 1
    while True:
        answer = server.call("ListFoldersForParent", {"PageSize": "100", "PageNumber": str(page)})
        assert answer.status == 200, answer.body
        batch = json.loads(answer.body)["Folders"]["Folder"]
        folders += batch
        if len(batch) < 100:
            return folders
        page += 1


main()
