"""A sandbox with a data directory of its own, which can be killed and started again."""
import json
import os
import pathlib
import subprocess
import time
import urllib.request

import raw

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("OPENRD_BIN") or str(ROOT / "build/dev/openrd")
ADMIN = ("LTAIsandboxAdmin001", "sandbox-admin-secret")


class Server:
    def __init__(self, data, log):
        ready = pathlib.Path(data, "ready")
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen([BINARY, "serve", "--sandbox", "--data", data, "--listen", "127.0.0.1:0", "--ready-file", ready],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        for _ in range(6000):
            if ready.exists():
                break
            assert self.process.poll() is None, f"the server ended with {self.process.returncode} instead of starting"
            time.sleep(0.01)
        self.address = ready.read_text().strip()

    def call(self, action, parameters):
        return raw.call(self, ADMIN, action, parameters)

    def code_of(self, account):
        with urllib.request.urlopen(f"http://{self.address}/_openrd/inbox?account={account}&wait=5s", timeout=30) as answer:
            messages = json.load(answer)["messages"]
        return messages[0]["code"] if messages else None
