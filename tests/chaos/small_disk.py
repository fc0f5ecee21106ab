"""A disk that is soon full."""
import contextlib
import os
import pathlib
import subprocess
import sys


@contextlib.contextmanager
def small_disk(folder, size, owner=None):
    """A directory that takes so much and no more, for the test, or for `owner` of the user database. Skips the test where none can be mounted."""
    if os.geteuid() != 0:
        print("SKIPPED: mounting a small disk needs root")
        sys.exit(77)
    disk = pathlib.Path(folder, "disk")
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", disk], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        print(f"SKIPPED: no small disk can be mounted here: {mounted.stderr.strip()}")
        sys.exit(77)
    try:
        if owner:
            os.chown(disk, owner.pw_uid, owner.pw_gid)
        yield disk
    finally:
        subprocess.run(["umount", "-l", disk], check=True)


def fill(disk):
    """To the last byte; the file to remove."""
    ballast = disk / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    return ballast
