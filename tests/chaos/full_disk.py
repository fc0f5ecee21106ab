#!/usr/bin/env python3
"""full_disk.py: when the disk is full a write answers 503 with nothing done, reads go on, and writes work again once there is space."""
import json
import pathlib
import signal
import sys
import tempfile

sys.path += [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "sdk")]
from server_with_data import Server  # noqa: E402
from small_disk import fill, small_disk  # noqa: E402


def main():
    with tempfile.TemporaryDirectory(prefix="openrd-full-") as folder, small_disk(folder, "4m") as disk:
        run(disk, folder)
    print("1 passed, 0 failed")


def run(disk, folder):
    with open(pathlib.Path(folder, "log"), "ab") as log:
        server = Server(str(disk), log)
        try:
            ballast = fill(disk)
            refused = None
            for i in range(500):
                answer = server.call("CreateFolder", {"FolderName": f"f{i}"})
                if answer.status != 200:
                    refused = answer
                    break
            assert refused is not None, "the disk did not fill"
            assert refused.status == 503 and json.loads(refused.body)["Code"] == "ServiceUnavailable", refused.body
            names = server.folders()
            assert f"f{i}" not in names, "what was refused was done"
            assert len(names) == i + 1, f"{len(names)} folders, {i} answered and the seed's"
            assert server.ready()[0] == 503, "no more requests should be sent here"
            ballast.unlink()
            server.wait_until_ready()  # though nobody writes
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


main()
