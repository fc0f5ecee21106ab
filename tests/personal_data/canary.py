"""Threat 13: a number, a code, a secret and a token that can be told from everything else go every way that there is; then every file that
the server has written, everything that it has said and every answer is searched for them."""
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "sdk"))
import raw  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("OPENRD_BIN") or str(ROOT / "build/dev/openrd")
ADMIN = ("LTAIsandboxAdmin001", "sandbox-admin-secret")
BLUE = "1000000000000002"
PHONE, OTHER_PHONE = "65-81987654", "65-81987321"
ROLE = "acs:ram::1000000000000001:role/operator"
STS = {"version": "2015-04-01"}


class Server:
    def __init__(self, folder, *more):
        self.data, self.log = folder / "data", folder / "log"
        ready = folder / "ready"
        ready.unlink(missing_ok=True)
        nobody = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
        if nobody:
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [BINARY, "serve", "--sandbox", "--data", self.data, "--listen", "127.0.0.1:0", "--ready-file", ready, "--log-level", "debug", "--audit-reads", *more],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=folder, **({"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []} if nobody else {}))
        for _ in range(6000):
            if ready.exists():
                break
            assert self.process.poll() is None, self.log.read_text()[-4000:]
            time.sleep(0.01)
        self.address = ready.read_text().strip()

    def inbox(self, account):
        with urllib.request.urlopen(f"http://{self.address}/_openrd/inbox?account={account}&wait=20s", timeout=60) as answer:
            return json.load(answer)["messages"][0]["code"]


def number_forms(phone):
    code, national = phone.split("-")
    return [phone, f"+{code}{national}", code + national, national]


def alone(text):
    """A code is six digits, which may be part of any longer number."""
    return re.compile(rb"(?<![0-9A-Za-z])" + re.escape(text.encode()) + rb"(?![0-9A-Za-z])")


def containing(text):
    return re.compile(re.escape(text.encode()))


def wrong(code):
    return str((int(code[0]) + 1) % 10) + code[1:]


def check_no_core(pid):
    limits = pathlib.Path(f"/proc/{pid}/limits").read_text()
    assert re.search(r"^Max core file size\s+0\s+0\s", limits, re.MULTILINE), limits
    # What cannot be dumped belongs to root, whoever runs it.
    owner = os.stat(f"/proc/{pid}/mem").st_uid
    running_as = int(re.search(r"^Uid:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1])
    assert running_as == 0 or owner == 0, f"process {pid} of {running_as} can be dumped"


def every_way(server):
    """Returns what must be found nowhere, and the answers that may be searched."""
    answers, secrets = [], []

    def call(*arguments, keep=True, **how):
        answer = raw.call(server, *arguments, **how)
        if keep:
            answers.append(json.dumps(answer.headers) + answer.body)
        return answer

    ways = [{"scheme": scheme, "method": method, "form": form} for scheme, method in (("V1", "GET"), ("V1", "POST"), ("V3", "POST")) for form in ("JSON", "XML")]
    send = "SendVerificationCodeForBindSecureMobilePhone"
    for version in ("2022-04-19", "2020-03-31"):
        for how in ways:
            assert call(ADMIN, send, {"AccountId": BLUE, "SecureMobilePhone": PHONE}, version=version, **how).status == 200
    code = server.inbox(BLUE)
    for how in ways[:2]:
        call(ADMIN, "BindSecureMobilePhone", {"AccountId": BLUE, "SecureMobilePhone": PHONE, "VerificationCode": wrong(code)}, **how)
    # Refused, unsigned, malformed, in the wrong place, by somebody who may not.
    nobody = ("LTAIsandboxNobody01", "sandbox-nobody-secret")
    for how in ways:
        for key, parameters in (
                (nobody, {"AccountId": BLUE, "SecureMobilePhone": PHONE, "VerificationCode": code}),
                (("LTAIunknown", "x"), {"AccountId": BLUE, "SecureMobilePhone": PHONE, "VerificationCode": code}),
                ((ADMIN[0], "wrong"), {"AccountId": BLUE, "SecureMobilePhone": PHONE, "VerificationCode": code}),
                (ADMIN, {"AccountId": PHONE, "SecureMobilePhone": code, "VerificationCode": PHONE}),
                (ADMIN, {"AccountId": BLUE, "SecureMobilePhone": PHONE + "x", "VerificationCode": code}),
                (ADMIN, {"SecureMobilePhone": PHONE, "VerificationCode": code})):
            call(key, "BindSecureMobilePhone", parameters, keep=key[0] != ADMIN[0], **how)
            call(key, "NoSuchAction", parameters, keep=False, **how)
    assert call(ADMIN, "BindSecureMobilePhone", {"AccountId": BLUE, "SecureMobilePhone": PHONE, "VerificationCode": code}, scheme="V1", method="GET").status == 200
    for action in ("GetAccount", "ListAccounts"):
        call(ADMIN, action, {"AccountId": BLUE} if action == "GetAccount" else {})
    session = json.loads(call(ADMIN, "AssumeRole", {"RoleArn": ROLE, "RoleSessionName": "canary"}, keep=False, **STS).body)["Credentials"]
    secrets += [session["AccessKeySecret"], session["SecurityToken"]]
    as_role = (session["AccessKeyId"], session["AccessKeySecret"])
    for method in ("GET", "POST"):
        call(as_role, "GetCallerIdentity", {"SecurityToken": session["SecurityToken"]}, scheme="V1", method=method, **STS)
        call(as_role, "GetCallerIdentity", {"SecurityToken": session["SecurityToken"][:-4]}, scheme="V1", method=method, **STS)
    green = json.loads(call(ADMIN, "CreateResourceAccount", {"DisplayName": "team-green"}).body)["Account"]["AccountId"]
    assert call(ADMIN, send, {"AccountId": green, "SecureMobilePhone": OTHER_PHONE}).status == 200
    other_code = server.inbox(green)
    call(ADMIN, "LookupEvents", {}, version="2020-07-06")
    patterns = {f"a number ({form})": containing(form) for phone in (PHONE, OTHER_PHONE) for form in number_forms(phone)}
    patterns |= {f"a code ({n})": alone(text) for n, text in enumerate((code, other_code))}
    patterns |= {f"a secret ({n})": containing(text) for n, text in enumerate([*secrets, ADMIN[1], "sandbox-root-secret"])}
    return patterns, answers


def search(patterns, where, content):
    return [f"{name} is in {where}" for name, pattern in patterns.items() if pattern.search(content)]


def run():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="openrd-canary-"))
    try:
        server = Server(folder)
        check_no_core(server.process.pid)
        patterns, answers = every_way(server)
        # The search itself finds what is there.
        assert search(patterns, "a test", f"x {PHONE} y".encode())
        found = [fault for answer in answers for fault in search(patterns, "an answer", answer.encode())]
        for words in (["audit", "export", "--out", folder / "export"], ["account", "show", BLUE], ["keys", "list"], ["account", "list"]):
            done = subprocess.run([BINARY, *words, "--data", server.data], capture_output=True, check=False)
            assert done.returncode == 0, done.stderr
            found += search(patterns, " ".join(map(str, words)), done.stdout + done.stderr)
        # As a crash leaves them: the log of what is to be written in the database is still beside it.
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()
        files = [path for path in folder.rglob("*") if path.is_file()]
        assert any(path.name.endswith("-wal") for path in files), files
        assert len(server.log.read_bytes()) > 1000, "the server said nothing: nothing was searched"
        for path in files:
            found += search(patterns, path.relative_to(folder), path.read_bytes())
        assert not found, "\n".join(sorted(set(found)))
        print(f"nothing in {len(files)} files and {len(answers)} answers")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    run()
