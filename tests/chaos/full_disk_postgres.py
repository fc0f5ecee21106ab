#!/usr/bin/env python3
"""full_disk_postgres.py: a disk of the PostgreSQL that really is full. That of the data: a write answers 503 with nothing done, and reads go on. That of its log:
PostgreSQL itself ends, everything answers 503, and /health/ready says so. Both times writes work again once there is space, by the same openrd."""
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

sys.path += [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "sdk")]
from server_with_data import BINARY, Server, postgres  # noqa: E402
from small_disk import fill, small_disk  # noqa: E402

AFTERWARDS = 20  # more writes, each of which is refused or done


class Load:
    """Folders that are made one after the other, under names of their own."""

    def __init__(self, server):
        self.done, self.refused, self._server = [], [], server

    def make(self):
        name = f"f{len(self.done) + len(self.refused)}"
        answer = self._server.call("CreateFolder", {"FolderName": name})
        if answer.status == 200:
            self.done.append(name)
        else:
            assert answer.status == 503 and json.loads(answer.body)["Code"] == "ServiceUnavailable", answer
            self.refused.append(name)
        return answer.status == 200

    def fill_up(self, disk):
        """Some that are done, then the disk is full. Returns what fills it."""
        for _ in range(10):
            assert self.make()
        ballast = fill(disk)
        self.until_refused()
        return ballast

    def until_refused(self):
        assert any(not self.make() for _ in range(20_000)), "the disk did not fill"
        for _ in range(AFTERWARDS):
            self.make()

    def until_done(self):
        for _ in range(600):
            if self.make():
                return
            time.sleep(0.1)
        raise AssertionError("there is space, and writes are still refused")


def serving(folder, url, use):
    """`use(server)`; then the log verifies, and the server has ended well."""
    data = pathlib.Path(folder, "data")
    data.mkdir(mode=0o700)
    with open(pathlib.Path(folder, "log"), "ab") as log:
        server = Server(str(data), log, "--database", url)
        try:
            use(server)
        finally:
            server.process.send_signal(signal.SIGTERM)
            assert server.process.wait(60) == 0
    out = pathlib.Path(folder, "audit")
    subprocess.run([BINARY, "audit", "export", "--out", out, "--data", data, "--database", url], check=True)
    subprocess.run([BINARY, "audit", "verify", out, "--key", out / "audit.pub"], check=True)


def of_the_data():
    def use(server):
        load = Load(server)
        ballast = load.fill_up(disk)
        assert sorted(server.folders()) == sorted(["workloads", *load.done]), "what was refused was done, or what was answered is not there"
        # Whatever can be read is served to those who ask, but nobody should be sent here.
        # Whatever is small enough may still find room: until one more was refused.
        for _ in range(600):
            status, page = server.ready()
            if status == 503:
                break
            load.make()
        assert status == 503 and page["reasons"] == ["The database takes no writes."], page
        ballast.unlink()
        server.wait_until_ready()  # though nobody writes
        load.until_done()
        assert sorted(server.folders()) == sorted(["workloads", *load.done])
        print(f"the data: {len(load.done)} folders, {len(load.refused)} refused on the full disk, where reads went on")

    with tempfile.TemporaryDirectory(prefix="openrd-full-") as folder, postgres.Postgres() as cluster, small_disk(folder, "48m", cluster.owner) as disk:
        pathlib.Path(folder).chmod(0o755)  # the way to its tablespace
        cluster.sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
        cluster.create_database("narrow", "TABLESPACE small")
        serving(folder, cluster.url("narrow"), use)
        cluster.sql("DROP DATABASE narrow WITH (FORCE)", "DROP TABLESPACE small")


def of_the_log():
    def use(server):
        load = Load(server)
        ballast = load.fill_up(disk)
        assert cluster.wait_for_end() and "PANIC" in cluster.log() and "No space left on device" in cluster.log(), cluster.log()[-4000:]
        status, page = server.ready()
        assert status == 503 and page["reasons"] == ["The database takes no writes.", "The database cannot be read."], page
        answer = server.call("ListFoldersForParent", {})
        assert answer.status == 503 and json.loads(answer.body)["Code"] == "ServiceUnavailable", answer
        ballast.unlink()
        cluster.start()
        load.until_done()
        server.wait_until_ready()
        # The first one refused is the one whose commit met the full disk; PostgreSQL may have written enough of it. Whoever was refused asks again.
        there, done = server.folders(), {"workloads", *load.done}
        assert len(there) == len(set(there)) and done <= set(there) <= done | {load.refused[0]}, (done ^ set(there), load.refused)
        print(f"its log: {len(load.done)} folders, {len(load.refused)} refused while PostgreSQL was down, none lost")

    # PostgreSQL ends with a PANIC when it cannot write its log. It is told not to try again by itself, and the test starts it once there is space, as a service
    # manager or an operator would. Its log never begins anew in an old file here, so that it needs the disk soon.
    settings = ["restart_after_crash = off", "max_wal_size = 1GB", "min_wal_size = 2MB", "checkpoint_timeout = 1h"]
    with tempfile.TemporaryDirectory(prefix="openrd-full-") as folder, small_disk(folder, "24m", postgres.unprivileged()) as disk:
        pathlib.Path(folder).chmod(0o755)
        with postgres.Postgres(*settings, initdb=[f"--waldir={disk}/wal", "--wal-segsize=1"]) as cluster:
            serving(folder, cluster.url(), use)


def main():
    for test in (of_the_data, of_the_log):
        test()
    print("2 passed, 0 failed")


main()
