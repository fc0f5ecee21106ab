#!/usr/bin/env python3
"""crash.py [ROUNDS]: kill -9 at random moments under a write load. After each: every answered success is there, nothing is half
done, no code was redeemed twice, what was promised to be sent is sent, and the audit log verifies. On both engines."""
import json
import os
import pathlib
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path += [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "sdk")]
from server_with_data import BINARY, Server, database, one  # noqa: E402

THREADS = 6


class Load:
    """What was answered with success, by several threads until the server is gone."""

    def __init__(self, server, members, round_number):
        self.folders, self.sent, self.bound, self.unexpected = {}, [], {}, []
        self._server, self._members, self._round = server, members, round_number
        self._threads = [threading.Thread(target=self._run, args=(n,)) for n in range(THREADS)]
        for thread in self._threads:
            thread.start()

    def join(self):
        for thread in self._threads:
            thread.join(120)

    def _run(self, n):
        mine = self._members[n::THREADS]
        for i in range(100_000):
            try:
                name = f"r{self._round}t{n}i{i}"
                made = self._server.call("CreateFolder", {"FolderName": name})
                if made.status == 200:
                    self.folders[json.loads(made.body)["Folder"]["FolderId"]] = name
                if i < len(mine):
                    self._bind(mine[i], n, i)
            except OSError:
                return  # killed
            except Exception as error:  # pylint: disable=broad-except
                if self._server.process.poll() is None:
                    self.unexpected.append(repr(error))
                return

    def _bind(self, member, n, i):
        phone = f"65-8{1000000 + self._round * 100000 + n * 1000 + i}"
        if self._server.call("SendVerificationCodeForBindSecureMobilePhone", {"AccountId": member, "SecureMobilePhone": phone}).status == 200:
            self.sent.append(member)
            code = self._server.code_of(member)
            if code and self._server.call("BindSecureMobilePhone", {"AccountId": member, "SecureMobilePhone": phone, "VerificationCode": code}).status == 200:
                self.bound[member] = phone


def check(there, load, server):
    for folder, name in load.folders.items():
        answer = server.call("GetFolder", {"FolderId": folder})
        assert answer.status == 200 and json.loads(answer.body)["Folder"]["FolderName"] == name, f"an answered folder is lost: {name} {answer.body}"
    for member in load.bound:
        account = json.loads(server.call("GetAccount", {"AccountId": member}).body)["Account"]
        assert account["HasSecureMobilePhone"], f"an answered bind is lost: {member}"
    deadline = time.monotonic() + 120
    while one(there, "SELECT count(*) FROM outbox WHERE state IN ('queued', 'sending')"):
        assert time.monotonic() < deadline, "a queued message is not sent after the restart"
        time.sleep(0.05)
    for member in load.sent:
        assert one(there, f"SELECT count(*) FROM outbox WHERE account_id = '{member}' AND state = 'accepted'"), f"an answered Send was not sent: {member}"
    # Nothing half done: counters and rows, effects and records agree.
    assert one(there, "SELECT folder_count FROM directories WHERE directory_id = 'rd-sandbx'") == one(
        there, "SELECT count(*) FROM folders WHERE directory_id = 'rd-sandbx' AND parent_folder_id IS NOT NULL")
    assert one(there, "SELECT member_count FROM directories WHERE directory_id = 'rd-sandbx'") == one(there, "SELECT count(*) FROM members WHERE directory_id = 'rd-sandbx'")
    events = [json.loads(body) for (body,) in there.rows("SELECT body FROM audit_events ORDER BY arrival")]
    done = [event for event in events if "errorCode" not in event]
    folders = [event["resourceName"] for event in done if event["eventName"] == "CreateFolder"]
    rows = [row for (row,) in there.rows("SELECT folder_id FROM folders WHERE directory_id = 'rd-sandbx' AND parent_folder_id IS NOT NULL AND folder_id <> 'fd-sandboxwrk'")]
    assert sorted(folders) == sorted(rows), "records and folders differ"
    binds = [event["resourceName"] for event in done if event["eventName"] == "BindSecureMobilePhone"]
    assert len(binds) == len(set(binds)), "a code was redeemed twice"
    phones = [row for (row,) in there.rows("SELECT account_id FROM members WHERE phone_index IS NOT NULL AND directory_id = 'rd-sandbx' AND account_id <> '1000000000000003'")]
    assert sorted(binds) == sorted(phones), "records and bindings differ"
    return len(folders), len(binds)


def main():
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 20
    seed = int(os.environ.get("SEED", random.SystemRandom().randrange(1 << 32)))
    print(f"crash.py: {rounds} rounds, SEED={seed}", flush=True)
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="openrd-crash-") as folder:
        data = str(pathlib.Path(folder, "data"))
        os.mkdir(data, 0o700)
        with database(data) as there, open(pathlib.Path(folder, "log"), "ab") as log:
            server = Server(data, log, *there.arguments)
            try:
                for number in range(rounds):
                    members = []
                    for i in range(THREADS * 2):
                        made = server.call("CreateResourceAccount", {"DisplayName": f"round {number} member {i}"})
                        assert made.status == 200, made.body
                        members.append(json.loads(made.body)["Account"]["AccountId"])
                    load = Load(server, members, number)
                    time.sleep(dice.uniform(0.05, 1.5))
                    server.process.send_signal(signal.SIGKILL)
                    server.process.wait()
                    load.join()
                    assert not load.unexpected, load.unexpected
                    left = there.sessions()
                    server = Server(data, log, *there.arguments)
                    there.wait_for_end_of(left)
                    folders, binds = check(there, load, server)
                    print(f"round {number}: {len(load.folders)} folders and {len(load.bound)} binds answered; {folders} and {binds} there in all", flush=True)
            finally:
                server.process.send_signal(signal.SIGTERM)
                assert server.process.wait(30) == 0, "SIGTERM did not end it well"
            out = str(pathlib.Path(folder, "audit"))
            subprocess.run([BINARY, "audit", "export", "--out", out, "--data", data, *there.arguments], check=True)
            subprocess.run([BINARY, "audit", "verify", out, "--key", f"{out}/audit.pub"], check=True)
    print("1 passed, 0 failed")


main()
