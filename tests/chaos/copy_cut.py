#!/usr/bin/env python3
"""copy_cut.py: a copy and a restore that are killed at any moment leave no database behind, and complete when they are repeated. A backup and a copy on a
full disk fail, leave nothing, and are made once there is space."""
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path += [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "sdk")]
from server_with_data import BINARY, Server  # noqa: E402

FOLDERS = 300


def openrd(*words):
    return subprocess.run([BINARY, *map(str, words)], capture_output=True, text=True, check=False)


def good(*words):
    done = openrd(*words)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def key_into(source, target):
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(mode=0o700)
    shutil.copy2(source / "openrd.key", target / "openrd.key")


def cut(words, target, source, times):
    """Kills the command after a while that grows, until it has once been quicker."""
    killed = 0
    key_into(source, target)
    for n in range(times):
        process = subprocess.Popen([BINARY, *map(str, words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(random.uniform(0, 0.02 * (n + 1)))
        process.send_signal(signal.SIGKILL)
        if process.wait(60) == 0 or (target / "openrd.db").exists():
            key_into(source, target)  # it was done: begin anew
            continue
        killed += 1
    assert killed, "no kill came in time: this shows nothing"
    good(*words)
    return killed


def run(folder):
    source, target, saved = folder / "source", folder / "target", folder / "saved"
    source.mkdir()
    with open(folder / "log", "ab") as log:
        server = Server(str(source), log)
        try:
            for n in range(FOLDERS):
                assert server.call("CreateFolder", {"FolderName": f"f{n}"}).status == 200
            good("backup", "--data", source, "--out", saved)  # beside the server
        finally:
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(60) == 0
    restores = cut(["restore", "--data", target, "--in", saved], target, source, 12)
    copies = cut(["copy", "--from", source, "--to", target], target, source, 12)
    assert "the same already" in good("copy", "--from", source, "--to", target)
    print(f"{restores} restores and {copies} copies were killed, and completed when they were repeated")
    return source


def on_a_full_disk(folder, source):
    disk = folder / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k,mode=0700", "tmpfs", disk], capture_output=True, text=True, check=False)
    if os.geteuid() != 0 or mounted.returncode != 0:
        print("a full disk was not tried: no small disk can be mounted here")
        return
    try:
        saved, target = disk / "saved", disk / "target"
        refused = openrd("backup", "--data", source, "--out", saved)
        assert refused.returncode == 2 and len(refused.stderr.splitlines()) == 1, refused
        assert not list(disk.iterdir()), list(disk.iterdir())
        key_into(source, target)
        refused = openrd("copy", "--from", source, "--to", target)
        assert refused.returncode == 2, refused
        assert not (target / "openrd.db").exists() and not (target / "openrd.db.new").exists()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        good("backup", "--data", source, "--out", saved)
        shutil.rmtree(target)
        key_into(source, target)
        good("restore", "--data", target, "--in", saved)
        print("on a full disk nothing was left, and with space it was done")
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def main():
    with tempfile.TemporaryDirectory(prefix="openrd-cut-") as folder:
        source = run(pathlib.Path(folder))
        on_a_full_disk(pathlib.Path(folder), source)
    print("1 passed, 0 failed")


main()
