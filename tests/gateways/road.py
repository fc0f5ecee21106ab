"""The road of a code as an operator builds it: openrd in production mode, Debian's bearerbox and smsbox by packaging/kannel.conf, and behind them smsc.mjs.
carrier.py tests it, bench/kannel.py measures it; kannel.hpp is the same Kannel for the tests in C++."""
import collections
import concurrent.futures
import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path += [str(ROOT / "tests"), str(ROOT / "tests/sdk")]
import raw  # noqa: E402
from support import postgres  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
BEARERBOX, SMSBOX = "/usr/sbin/bearerbox", "/usr/sbin/smsbox"
USER, PASSWORD, SMSC_PASSWORD = "otp", "test-sendsms-password", "smpppw"
WORKERS = 8
UNREACHABLE = "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ENETUNREACH|ETIMEDOUT|network|timed out"


class Missing(Exception):
    """What is not on this machine, so that there is no road."""


def until(what, why, seconds=600, every=0.05):
    """The bound is for what hangs, not for what is slow."""
    end = time.monotonic() + seconds
    while not (found := what()):
        if time.monotonic() > end:
            raise AssertionError(why() if callable(why) else why)
        time.sleep(every)
    return found


def installed_smpp():
    """The folder that has npm's smpp, in the pinned version; kept and used again as tests/sdk/run does it."""
    for program in ("node", "npm"):
        if not shutil.which(program):
            raise Missing(f"{program} is not installed (Debian: nodejs, npm)")
    under = pathlib.Path(os.environ.get("OPENRD_SDK_DIR") or ROOT / "build/sdk").resolve()
    folder, pins = under / "smpp", HERE / "node"
    folder.mkdir(parents=True, exist_ok=True)
    with open(under / "smpp.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one at a time installs; the others wait here and find it done
        names = ("package.json", "package-lock.json")
        wanted, done = hashlib.sha256(b"".join((pins / name).read_bytes() for name in names)).hexdigest(), folder / "installed-pins"
        if not done.exists() or done.read_text() != wanted:
            for name in names:
                shutil.copy(pins / name, folder)
            npm = subprocess.run(["npm", "ci", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
            if npm.returncode != 0:
                said = npm.stdout + npm.stderr
                if re.search(UNREACHABLE, said, re.IGNORECASE):
                    raise Missing("the package registry cannot be reached, so npm's smpp cannot be installed")
                raise RuntimeError(f"npm's smpp is not installed:\n{said}")
            done.write_text(wanted)
    return folder


def check():
    for program in (BEARERBOX, SMSBOX, "/usr/bin/setpriv"):
        if not os.access(program, os.X_OK):
            raise Missing(f"{program} is not there (Debian: kannel, kannel-extras)")
    installed_smpp()


class Smsc:
    """with Smsc(folder) as smsc"""

    def __init__(self, folder):
        self._path = folder / "smsc"

    def __enter__(self):
        with open(self._path, "wb") as out, open(f"{self._path}.errors", "wb") as errors:
            self._process = subprocess.Popen(["node", HERE / "smsc.mjs", USER, SMSC_PASSWORD], stdin=subprocess.PIPE, stdout=out, stderr=errors, env={**os.environ, "OPENRD_SMPP": str(installed_smpp())})
        try:
            until(lambda: self.said() or self._process.poll() is not None, "the SMSC does not listen")
            self.port = self.said()[0]["port"] if self.said() else self.end_with("the SMSC does not start")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(60)

    def end_with(self, why):
        raise AssertionError(f"{why}: {pathlib.Path(f'{self._path}.errors').read_text()}")

    def said(self):
        return [json.loads(line) for line in self._path.read_text().splitlines(keepends=True) if line.endswith("\n")]  # a last line may be half written

    def binds(self):
        return sum("bound" in line for line in self.said())

    def submitted(self):
        return [line for line in self.said() if "to" in line]


class Kannel:
    """with Kannel(smsc) as kannel: smsbox takes messages, and the link to the SMSC is up."""

    def __init__(self, smsc):
        self._smsc, self._owner, self._bearerbox, self._smsbox = smsc, postgres.unprivileged(), None, None

    def __enter__(self):
        # Where docs/operations/messages.md wants the receipts; on a disk Kannel waits for it twice a message. Not TMPDIR: another user must be able to come here.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="openrd-road-", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else "/tmp"))
        try:
            self._configure()
            self._bearerbox = self._start(BEARERBOX, self._smsbox_port)
            self.start_smsbox()
            until(self._smsc.binds, "Kannel has not bound to the SMSC")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.stop_smsbox()
        self._end(self._bearerbox)  # it keeps no message
        shutil.rmtree(self.folder, ignore_errors=True)

    def _configure(self):
        self.port, self._smsbox_port = postgres.free_port(), postgres.free_port()
        self.url = f"http://127.0.0.1:{self.port}/cgi-bin/sendsms"
        text = (ROOT / "packaging/kannel.conf").read_text()
        for what, by in {  # what kannel.cpp changes
                "admin-port = 13000": f"admin-port = {postgres.free_port()}", "smsbox-port = 13001": f"smsbox-port = {self._smsbox_port}", "sendsms-port = 13013": f"sendsms-port = {self.port}",
                "port = 2775": f"port = {self._smsc.port}", "/var/log/kannel": str(self.folder), "/var/lib/kannel": str(self.folder), "CHANGE-ME-3": PASSWORD, "CHANGE-ME-4": SMSC_PASSWORD,
                "reconnect-delay = 10": "reconnect-delay = 1", "wait-ack = 30": "wait-ack = 2", "throughput = 20\n": "throughput = 2000\n", "http-queue-delay = 5": "http-queue-delay = 1"}.items():
            assert what in text, f"packaging/kannel.conf has no {what} any more"
            text = text.replace(what, by)
        (self.folder / "kannel.conf").write_text(text)
        with contextlib.closing(sqlite3.connect(self.folder / "dlr.db")) as database:
            database.execute("create table dlr(smsc text, ts text, source text, destination text, service text, url text, mask int, status int, boxc text)")
        for path in (self.folder, *self.folder.iterdir()):
            os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _start(self, program, port):
        # Both refuse root. They end when this process does, whatever it ends by.
        become = ["--reuid", str(self._owner.pw_uid), "--regid", str(self._owner.pw_gid), "--clear-groups"] if os.geteuid() == 0 else []
        with open(self.folder / "log", "ab") as log:
            process = subprocess.Popen(["/usr/bin/setpriv", *become, "--pdeathsig", "KILL", "--", program, "-v", "4", self.folder / "kannel.conf"], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                       cwd=self.folder, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC", "HOME": str(self.folder)})
        try:
            until(lambda: listens(port) or process.poll() is not None, f"{program} does not listen")
            assert process.poll() is None, f"{program} has ended: {self.written()[-4000:]}"
        except BaseException:
            self._end(process)
            raise
        return process

    @staticmethod
    def _end(process):
        if process:
            process.kill()
            process.wait()

    def start_smsbox(self):
        self._smsbox = self._start(SMSBOX, self.port)

    def stop_smsbox(self):
        self._end(self._smsbox)
        self._smsbox = None

    def written(self):
        """What both boxes have written to disk, the receipts that are waited for left out."""
        return "".join(path.read_text(errors="replace") for path in sorted(self.folder.rglob("*")) if path.is_file() and not path.name.startswith("dlr.db"))


def listens(port):
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) == 0


class Openrd:
    """A production server made by `openrd init`: with server.running(): ..."""

    def __init__(self, binary, folder, sendsms_url):
        self._binary, self._folder, self._config, self._log = str(binary), folder, folder / "openrd.toml", folder / "log"
        self.database = folder / "data/openrd.db"
        admin = f"127.0.0.1:{postgres.free_port()}"  # the receipts' address is configured before the server has one
        self._config.write_text(f"""[server]
listen = "127.0.0.1:0"
ready_file = "{folder}/ready"
[admin]
listen = "{admin}"
[database]
data = "{folder}/data"
[keys]
file = "{folder}/openrd.key"
[limits]
profile = "documented"
[quotas]
members = "none"
[rates]
enforced = false
[delivery]
origin = "rd.example.com"
workers = {WORKERS}
[[delivery.channel]]
kind = "kannel"
name = "carrier"
url = "{sendsms_url}"
user = "{USER}"
secret = "{PASSWORD}"
receipts_url = "http://{admin}"
""")
        self._config.chmod(0o600)
        self._key, self._members = None, 0
        made = json.loads(self.command("init", "--account-name", "Example", "--enterprise-name", "Example Ltd"))
        self._key = (made["AccessKeyId"], made["AccessKeySecret"])

    def command(self, *words):
        done = subprocess.run([self._binary, *words, "--config", self._config], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def log(self):
        return self._log.read_text(errors="replace")

    @contextlib.contextmanager
    def running(self):
        ready = self._folder / "ready"
        ready.unlink(missing_ok=True)
        with open(self._log, "ab") as log:
            process = subprocess.Popen(["/usr/bin/setpriv", "--pdeathsig", "KILL", "--", self._binary, "serve", "--config", self._config], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
        try:
            until(lambda: ready.exists() or process.poll() is not None, "openrd is not ready")
            assert process.poll() is None, self.log()
            self._address = ready.read_text().split("\n")[0].removeprefix("http://")
            yield
        except BaseException:
            print(f"--- openrd's log\n{self.log()[-4000:]}---", file=sys.stderr)
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert process.returncode == 0, self.log()[-4000:]

    # What raw.call asks for.
    @property
    def address(self):
        return self._address

    def call(self, action, parameters):
        answer = raw.call(self, self._key, action, parameters)
        assert answer.status == 200, (action, answer)
        return json.loads(answer.body)

    def members(self, count):
        names = [f"member-{self._members + n}" for n in range(count)]
        self._members += count
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            return list(pool.map(lambda name: self.call("CreateResourceAccount", {"DisplayName": name})["Account"]["AccountId"], names))

    def send(self, members, phones):
        """A code to each of the phones, by as many members."""
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda member, phone: self.call("SendVerificationCodeForBindSecureMobilePhone", {"AccountId": member, "SecureMobilePhone": phone}), members, phones))

    def outbox(self, *words):
        return [json.loads(line) for line in self.command("outbox", "list", "--limit", "100000", *words).splitlines()]

    def states(self):
        return collections.Counter(message["State"] for message in self.outbox())
