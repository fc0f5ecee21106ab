#!/usr/bin/env python3
"""unit_file.py: systemd takes the unit file, and the example configuration is one that openrd takes."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("OPENRD_BIN") or str(ROOT / "build/dev/openrd")


def verify_unit(folder):
    unit = pathlib.Path(folder, "openrd.service")
    # The binary need not be installed for the test.
    unit.write_text((ROOT / "packaging/openrd.service").read_text().replace("/usr/bin/openrd", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True, timeout=120)
    complaints = [line for line in (done.stdout + done.stderr).splitlines() if "openrd" in line]
    assert not complaints and done.returncode == 0, (done.returncode, done.stdout, done.stderr)


def example_is_taken(folder):
    """Only what it names is missing here: the data and the key."""
    text = (ROOT / "packaging/openrd.toml").read_text()
    config = pathlib.Path(folder, "openrd.toml")
    config.write_text(text.replace("/var/lib/openrd", folder + "/data").replace("127.0.0.1:8080", "127.0.0.1:0").replace("127.0.0.1:9102", "127.0.0.1:0"))
    config.chmod(0o640)
    environment = {**os.environ, "CREDENTIALS_DIRECTORY": folder}
    made = subprocess.run([BINARY, "init", "--config", config, "--account-name", "A", "--enterprise-name", "E"], capture_output=True, text=True, env=environment, timeout=60)
    assert made.returncode == 0, made.stderr


def main():
    with tempfile.TemporaryDirectory(prefix="openrd-unit-") as folder:
        example_is_taken(folder)
        if not shutil.which("systemd-analyze"):
            print("SKIPPED: systemd-analyze is not installed, so that the unit file was not verified")
            sys.exit(77)
        verify_unit(folder)
    print("ok")


main()
