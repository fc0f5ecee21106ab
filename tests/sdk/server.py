"""A sandbox of its own for a test: started and stopped the way a user would. With OPENRD_TEST_ENGINE=postgres it is on a PostgreSQL of its own."""
import contextlib
import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.append(str(ROOT / "tests"))
from support import postgres  # noqa: E402

ACCOUNT = "1000000000000001"   # the seed's management account
MEMBER = "1000000000000002"    # its member "team-blue", without a phone
PHONE = "65-81234567"
MASKED_PHONE = "65-8123****"
ADMIN = ("LTAIsandboxAdmin001", "sandbox-admin-secret")


class Server:
    """with Server("--limits", "documented") as server: ..."""

    def __init__(self, *arguments):
        self._arguments = arguments
        self._secret = {PHONE, PHONE.split("-")[1], ADMIN[1]}  # what must not be in the log

    def __enter__(self):
        self._around = contextlib.ExitStack()  # what is there before the server, and goes after it
        folder = pathlib.Path(self._around.enter_context(tempfile.TemporaryDirectory(prefix="openrd-sdk-")))
        ready = folder / "ready"
        self._log_path = folder / "log"
        data = ["--memory"]
        if postgres.wanted():
            cluster = self._around.enter_context(postgres.Postgres())
            self.keep_secret(cluster.password)
            data = ["--database", cluster.url(), "--data", folder / "data"]
        binary = os.environ.get("OPENRD_BIN") or ROOT / "build/dev/openrd"
        with open(self._log_path, "wb") as log:
            self._process = subprocess.Popen(
                [binary, "serve", "--sandbox", *data, "--listen", "127.0.0.1:0", "--ready-file", ready, *self._arguments],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd=folder, text=True)
        for _ in range(6000):
            if ready.exists():
                break
            if self._process.poll() is not None:
                log = self.log()
                self._around.close()
                raise RuntimeError(f"the server ended with {self._process.returncode} before it was ready:\n{log}")
            time.sleep(0.01)
        self.address = ready.read_text().strip()  # 127.0.0.1:port
        self.url = f"http://{self.address}"
        first_line = self._process.stdout.readline()
        assert first_line == f"openrd is ready on {self.url}\n", first_line
        return self

    def __exit__(self, kind, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            status = self._process.wait(30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            status = "no answer to SIGTERM"
        self._process.stdout.close()
        log = self.log()
        self._around.close()
        if kind:
            print(f"--- the server's log\n{log[-8000:]}---")
        else:
            assert status == 0, f"the server ended with {status}:\n{log[-8000:]}"
            for secret in self._secret:
                assert not re.search(rf"(?<![0-9A-Za-z-]){re.escape(secret)}(?![0-9A-Za-z-])", log), f"{secret} is in the log:\n{log}"

    def log(self):
        return self._log_path.read_text(errors="replace")

    def keep_secret(self, *values):
        self._secret.update(values)

    def control(self, method, path, **query):
        url = f"{self.url}/_openrd/{path}" + (f"?{urllib.parse.urlencode(query)}" if query else "")
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=60) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def reset(self):
        """Back to the seed."""
        self.control("POST", "reset")

    def code_sent_to(self, account, phone=PHONE):
        """The newest code that the inbox has for this account; waits for it."""
        messages = self.control("GET", "inbox", account=account, wait="5s")["messages"]
        assert messages, f"no message for {account} within 5 s"
        message = messages[0]
        assert message["to"] == phone and message["account_id"] == account and message["purpose"] == "bind" and message["channel"] == "inbox", message
        assert re.fullmatch(r"[0-9]{6}", message["code"]) and message["code"] in message["text"], message
        self.keep_secret(message["code"])
        return message["code"]


def wrong(code):
    """Another code of six digits."""
    return code[:-1] + str((int(code[-1]) + 1) % 10)
