"""A sandbox with a data directory of its own, which can be killed and started again. With OPENRD_TEST_ENGINE=postgres its database is in a PostgreSQL of the
test's own."""
import contextlib
import json
import os
import pathlib
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request

import raw

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("OPENRD_BIN") or str(ROOT / "build/dev/openrd")
ADMIN = ("LTAIsandboxAdmin001", "sandbox-admin-secret")
sys.path.append(str(ROOT / "tests"))
from support import postgres  # noqa: E402


class Server:
    def __init__(self, data, log, *more):
        ready = pathlib.Path(data, "ready")
        ready.unlink(missing_ok=True)
        self.process = subprocess.Popen([BINARY, "serve", "--sandbox", "--data", data, "--listen", "127.0.0.1:0", "--ready-file", ready, *more],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        for _ in range(6000):
            if ready.exists():
                break
            assert self.process.poll() is None, f"the server ended with {self.process.returncode} instead of starting"
            time.sleep(0.01)
        self.address = ready.read_text().strip()

    def call(self, action, parameters):
        return raw.call(self, ADMIN, action, parameters)

    def folders(self):
        """The names of those under the root."""
        names = []
        for page in range(1, 1000):
            answer = self.call("ListFoldersForParent", {"PageSize": "100", "PageNumber": str(page)})
            assert answer.status == 200, answer.body
            batch = json.loads(answer.body)["Folders"]["Folder"]
            names += [folder["FolderName"] for folder in batch]
            if len(batch) < 100:
                break
        return names

    def ready(self):
        """(status, page) of the page that says whether requests should be sent here."""
        try:
            with urllib.request.urlopen(f"http://{self.address}/_openrd/health/ready", timeout=60) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refusal:
            return refusal.code, json.load(refusal)

    def wait_until_ready(self):
        """It finds out by itself, once a second, that the database takes writes again."""
        for _ in range(600):
            if self.ready()[0] == 200:
                return
            time.sleep(0.1)
        raise AssertionError(self.ready())

    def code_of(self, account):
        with urllib.request.urlopen(f"http://{self.address}/_openrd/inbox?account={account}&wait=5s", timeout=30) as answer:
            messages = json.load(answer)["messages"]
        return messages[0]["code"] if messages else None


class OnSqlite:
    """The database as a file in the data directory."""

    def __init__(self, data):
        self._path = f"file:{data}/openrd.db?mode=ro"
        self.arguments = []

    def rows(self, select):
        with contextlib.closing(sqlite3.connect(self._path, uri=True)) as database:
            return database.execute(select).fetchall()

    def sessions(self):
        """Of the servers that there are, and of one that was killed a moment ago."""
        return []

    def wait_for_end_of(self, sessions):
        """A server that was killed takes those of a file with it."""


class OnPostgres:
    def __init__(self, cluster):
        self._cluster = cluster
        self.arguments = ["--database", cluster.url()]
        self.rows = cluster.rows

    def sessions(self):
        return [pid for (pid,) in self.rows("SELECT pid FROM pg_stat_activity WHERE datname = 'openrd' AND usename = 'openrd'")]

    def wait_for_end_of(self, sessions):
        # One whose client is gone still does what it was told, a commit for instance.
        for _ in range(6000):
            if not set(sessions) & set(self.sessions()):
                return
            time.sleep(0.01)
        raise AssertionError("the sessions of a server that was killed do not end")


@contextlib.contextmanager
def database(data):
    """What servers in `data` work on, in order to look at it beside them: `rows(select)`; `arguments` are for the server."""
    if not postgres.wanted():
        yield OnSqlite(data)
        return
    with postgres.Postgres() as cluster:
        yield OnPostgres(cluster)


def one(there, select):
    return there.rows(select)[0][0]
