#!/usr/bin/env python3
"""A PostgreSQL of a test's own (postgres.hpp is the same in C++): made from Debian's binaries in a temporary directory, on a free port of 127.0.0.1, run by an
unprivileged user since it refuses root, gone with the process that started it. The system's own cluster is never looked at.

    with Postgres() as postgres:
        postgres.url()           # the database `openrd`, as the role `openrd`, which owns it and may nothing else

For what is not Python it is a program: it prints that URL, and lives until its standard input ends."""
import json
import os
import pathlib
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

BINARIES = pathlib.Path("/usr/lib/postgresql/15/bin")
ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", "TZ": "UTC"}  # nobody's PGHOST or PGPASSWORD


def wanted():
    """Whether the tests are to use this engine; the C++ ones look at the same variable."""
    return os.environ.get("OPENRD_TEST_ENGINE") == "postgres"


def skip_where_there_is_none():
    for name in ("initdb", "postgres", "psql"):
        if not os.access(BINARIES / name, os.X_OK):
            print(f"SKIPPED: no PostgreSQL here: {BINARIES / name} is missing (Debian: postgresql-15)", flush=True)
            sys.exit(77)


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def unprivileged():
    if os.geteuid() != 0:
        return pwd.getpwuid(os.geteuid())
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


class Postgres:
    """with Postgres("max_connections = 300", initdb=["--wal-segsize=1"]) as postgres: lines of postgresql.conf, and words for initdb. `durable`: a commit is on
    disk; without it a commit survives the death of every process, but not that of the machine."""

    def __init__(self, *settings, initdb=(), durable=False, under="/tmp"):
        self._settings, self._initdb, self._durable, self._under = settings, initdb, durable, under
        self.owner, self.password, self.port, self.process = unprivileged(), secrets.token_hex(16), None, None

    def __enter__(self):
        skip_where_there_is_none()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="openrd-pg-", dir=self._under))  # short: the path of a socket has at most 107 bytes
        try:
            self._make()
            self.start()
            self.sql(f"CREATE ROLE openrd LOGIN PASSWORD '{self.password}'")
            self.create_database("openrd")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _make(self):
        os.chown(self.folder, self.owner.pw_uid, self.owner.pw_gid)
        self.put("password", self.password)
        self._run("initdb", f"--pgdata={self.folder}/data", "--username=postgres", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", f"--pwfile={self.folder}/password", "--no-sync",
                  *self._initdb)
        lines = ["listen_addresses = '127.0.0.1'", f"unix_socket_directories = '{self.folder}'", "max_connections = 200", "shared_buffers = 64MB", "timezone = UTC", "log_timezone = UTC"]
        if not self._durable:
            lines += ["fsync = off", "full_page_writes = off"]
        with open(self.folder / "data/postgresql.conf", "a", encoding="utf-8") as file:
            file.write("\n".join([*lines, *self._settings]) + "\n")

    def put(self, name, text):
        """A file in the folder that the server alone may read."""
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o600)
        os.chown(path, self.owner.pw_uid, self.owner.pw_gid)
        return path

    def _as_owner(self, program, *words):
        # The signal comes when this process dies, whatever it dies of: then the server goes as well.
        become = ["--reuid", str(self.owner.pw_uid), "--regid", str(self.owner.pw_gid), "--clear-groups"] if os.geteuid() == 0 else []
        return ["setpriv", *become, "--pdeathsig", "QUIT", "--", str(BINARIES / program), *map(str, words)]

    def _run(self, program, *words):
        done = subprocess.run(self._as_owner(program, *words), stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=self.folder, env=ENVIRONMENT, timeout=600, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def start(self):
        """Again on the same port, once it had one."""
        first = self.port is None
        for _ in range(20):  # somebody takes the port just now, or what a killed server shared is not given back yet
            if first:
                self.port = free_port()
            with open(self.folder / "log", "ab") as log:
                self.process = subprocess.Popen(self._as_owner("postgres", "-D", self.folder / "data", "-p", self.port), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder,
                                                env=ENVIRONMENT)
            if self._is_ready():
                return
            self.stop(signal.SIGQUIT)
            time.sleep(0.2)
        raise RuntimeError(f"PostgreSQL does not start:\n{self.log()[-4000:]}")

    def _is_ready(self):
        for _ in range(6000):
            try:
                lines = (self.folder / "data/postmaster.pid").read_text().splitlines()
            except OSError:
                lines = []
            if len(lines) > 7 and lines[0] == str(self.process.pid) and lines[7].strip() == "ready":  # what pg_ctl waits for
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.01)
        return False

    def stop(self, how=signal.SIGINT):
        """Sessions are broken off. SIGINT: what is there is written down; SIGQUIT: at once, as in a crash."""
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def wait_for_end(self):
        """Of a server that ends by itself; whether it has."""
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            return False
        return True

    def log(self):
        path = self.folder / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def url(self, database="openrd", role="openrd"):
        return f"postgresql://{role}:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, name, more=""):
        self.sql(f"CREATE DATABASE {name} OWNER openrd TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C' {more}")

    def sql(self, *statements, database="postgres"):
        """As the superuser, each in a transaction of its own; what they say, in psql's plain form."""
        words = [word for statement in statements for word in ("-c", statement)]
        done = subprocess.run([str(BINARIES / "psql"), "-qXAt", "-v", "ON_ERROR_STOP=1", *words, self.url(database, "postgres")], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              env=ENVIRONMENT, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{statements}: {done.stderr}")
        return done.stdout

    def rows(self, select, database="openrd"):
        """What it finds, a tuple a row."""
        return [tuple(row.values()) for row in json.loads(self.sql(f"SELECT coalesce(json_agg(found), '[]') FROM ({select}) found", database=database))]


def main():
    with Postgres() as postgres:
        print(postgres.url(), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
