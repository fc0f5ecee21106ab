#!/usr/bin/env python3
"""serve.py: production mode from `openrd init` to SIGTERM, with the binary as an operator runs it."""
import contextlib
import http.client
import http.server
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "sdk"))
import raw  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("OPENRD_BIN") or str(ROOT / "build/dev/openrd")


def run(*arguments, **more):
    return subprocess.run([BINARY, *map(str, arguments)], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, **more)


class Place:
    """A configuration, and what it names, in a folder of its own."""

    def __init__(self, folder, server='listen = "127.0.0.1:0"', more=""):
        self.folder = folder
        self.config = folder / "openrd.toml"
        self.configure(server, more)

    def configure(self, server, more=""):
        self.config.write_text(f"""[server]
{server}
ready_file = "{self.folder}/ready"
[admin]
listen = "127.0.0.1:0"
[database]
data = "{self.folder}/data"
[keys]
file = "{self.folder}/openrd.key"
{more}
""")
        self.config.chmod(0o640)

    def init(self):
        made = run("init", "--config", self.config, "--account-name", "Example", "--enterprise-name", "Example Ltd")
        assert made.returncode == 0, made.stderr
        self.made = json.loads(made.stdout)
        self.key = (self.made["AccessKeyId"], self.made["AccessKeySecret"])

    def files(self):
        # SQLite has its two beside the database while somebody reads it.
        return {str(path.relative_to(self.folder)): (path.read_bytes() if path.is_file() else None) for path in sorted(self.folder.rglob("*")) if path.suffix not in (".db-shm", ".db-wal")}


class Production:
    """with Production(place) as server: the server is ready."""

    def __init__(self, place, **environment):
        self.place, self.environment = place, environment

    def __enter__(self):
        ready = self.place.folder / "ready"
        self.log_path = self.place.folder / "log"
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen([BINARY, "serve", "--config", self.place.config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True,
                                            env={**os.environ, **self.environment})
        for _ in range(6000):
            if ready.exists() or self.process.poll() is not None:
                break
            time.sleep(0.01)
        assert ready.exists(), f"not ready: {self.log()}"
        lines = ready.read_text().split("\n")
        self.address = next((line for line in lines if line[:1].isdigit()), None)
        self.tls_address = next((line.removeprefix("https://") for line in lines if line.startswith("https://")), None)
        self.admin = next((line.removeprefix("admin ") for line in lines if line.startswith("admin ")), None)
        return self

    def __exit__(self, kind, *_):
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        self.process.stdout.close()
        if kind:
            print(self.log())
        assert status == 0 or kind, self.log()
        assert self.place.key[1] not in self.log()

    def log(self):
        return self.log_path.read_text(errors="replace")

    def call(self, action, parameters=None, headers=None):
        target, signed, body = raw.signed_v3("POST", action, "2022-04-19", parameters or {}, self.place.key, "JSON", self.address)
        return get(self.address, target, "POST", {**signed, **(headers or {})}, body)


def get(address, target, method="GET", headers=None, body=None, context=None):
    host, port = address.rsplit(":", 1)
    connection = http.client.HTTPSConnection(host, int(port), timeout=60, context=context) if context else http.client.HTTPConnection(host, int(port), timeout=60)
    with contextlib.closing(connection):
        connection.request(method, target, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def refused(place, *words):
    """serve exits 2 with one line, and touches nothing."""
    before = place.files()
    done = run("serve", "--config", place.config)
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert done.stderr.count("\n") == 1 and done.stderr.startswith("openrd: ") and not done.stdout, (done.stdout, done.stderr)
    assert all(word in done.stderr for word in words), done.stderr
    assert place.files() == before, sorted(place.files().keys() ^ before.keys())


def certificate(folder, name):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-addext",
                    "subjectAltName=IP:127.0.0.1", "-keyout", folder / "tls.key", "-out", folder / "tls.pem"], check=True, capture_output=True)
    (folder / "tls.key").chmod(0o600)


def serves_who_was_made_by_init(folder):
    place = Place(folder)
    refused(place, "there is no directory")
    place.init()
    again = run("init", "--config", place.config, "--account-name", "Other", "--enterprise-name", "Other")
    assert again.returncode == 2 and "already" in again.stderr, again
    with Production(place) as server:
        status, body = server.call("GetResourceDirectory")
        assert status == 200 and place.made["ResourceDirectoryId"] in body, (status, body)
        # No key that is in any document opens anything.
        target, headers, _ = raw.signed_v3("POST", "GetResourceDirectory", "2022-04-19", {}, ("LTAIsandboxAdmin001", "sandbox-admin-secret"), "JSON", server.address)
        status, body = get(server.address, target, "POST", headers)
        assert status == 404 and "InvalidAccessKeyId.NotFound" in body, body
        for path in ("", "/", "/health/live", "/health/ready", "/metrics", "/inbox", "/reset", "/state", "/clock", "/faults", "/operations"):
            for method in ("GET", "POST", "PUT", "DELETE"):
                status, _ = get(server.address, f"/_openrd{path}", method)
                assert status == 404, (method, path, status)
        codes_are_refused_without_a_channel(server)
        the_admin_listener_tells(server)
        operators_work_beside_it(place, server)
        other = run("serve", "--config", place.config)
        assert other.returncode == 2 and "another server" in other.stderr, other.stderr
    sandbox = run("serve", "--sandbox", "--data", place.folder / "data", "--key-file", place.folder / "openrd.key", "--listen", "127.0.0.1:0")
    assert sandbox.returncode == 2 and "was not made by the sandbox" in sandbox.stderr, sandbox.stderr


def codes_are_refused_without_a_channel(server):
    status, body = server.call("CreateResourceAccount", {"DisplayName": "team"})
    assert status == 200, body
    account = json.loads(body)["Account"]["AccountId"]
    status, body = server.call("SendVerificationCodeForBindSecureMobilePhone", {"AccountId": account, "SecureMobilePhone": "65-81234567"})
    assert status == 503 and "ServiceUnavailable" in body, (status, body)
    assert "No channel for messages is configured" in server.log()


def the_admin_listener_tells(server):
    assert get(server.admin, "/_openrd/health/live") == (200, '{"status":"live"}')
    status, body = get(server.admin, "/_openrd/health/ready")
    assert status == 200 and json.loads(body)["status"] == "ready" and json.loads(body)["warnings"], body
    status, body = get(server.admin, "/_openrd/metrics")
    assert status == 200
    assert 'openrd_requests_total{action="GetResourceDirectory",code="2xx"} 1' in body.splitlines(), body
    assert 'openrd_requests_total{action="SendVerificationCodeForBindSecureMobilePhone",code="5xx"} 1' in body.splitlines(), body
    assert any(line.startswith("openrd_request_seconds_bucket{") for line in body.splitlines())
    for secret in (server.place.key[0], server.place.made["AccountId"], "81234567"):
        assert secret not in body
    for path in ("/_openrd/inbox", "/_openrd/reset", "/_openrd/clock", "/", "/?Action=GetAccount"):
        assert get(server.admin, path)[0] == 404, path


def operators_work_beside_it(place, server):
    shown = run("account", "list", "--config", place.config)
    assert shown.returncode == 0 and place.made["AccountId"] in shown.stdout, shown.stderr
    exported = run("audit", "export", "--config", place.config, "--out", place.folder / "audit")
    assert exported.returncode == 0, exported.stderr
    verified = run("audit", "verify", place.folder / "audit", "--key", place.folder / "audit/audit.pub")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert run("migrate", "--config", place.config).returncode == 0


def refuses_bad_settings(folder):
    place = Place(folder)
    place.init()
    place.configure('listen = "0.0.0.0:0"')
    refused(place, "openrd.toml:2:", "server.listen")
    place.configure('listen = "127.0.0.1:0"', "[strict]\nper_fone_day = 3")
    refused(place, "openrd.toml:11:", "strict.per_fone_day")
    place.configure('listen = "127.0.0.1:0"', '[[delivery.channel]]\nkind = "inbox"')
    refused(place, "inbox")
    place.configure('tls_listen = "127.0.0.1:0"\ntls_cert = "/nowhere/tls.pem"\ntls_key = "/nowhere/tls.key"')
    refused(place, "TLS key /nowhere/tls.key")
    place.configure('listen = "127.0.0.1:0"')
    place.config.chmod(0o666)
    refused(place, "others may write it")
    place.config.chmod(0o640)
    (folder / "openrd.key").rename(folder / "elsewhere.key")
    refused(place, "openrd.key", "missing")
    both = run("serve", "--config", place.config, "--sandbox")
    assert both.returncode == 2, both.stderr
    both = run("serve", "--config", place.config, "--listen", "127.0.0.1:0")
    assert both.returncode == 2 and "--config" in both.stderr, both.stderr


def refuses_a_sandbox(folder):
    place = Place(folder)
    process = subprocess.Popen([BINARY, "serve", "--sandbox", "--data", folder / "data", "--listen", "127.0.0.1:0", "--ready-file", folder / "ready"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    for _ in range(6000):
        if (folder / "ready").exists():
            break
        time.sleep(0.01)
    process.terminate()
    assert process.wait(30) == 0
    shutil.copy(folder / "data/openrd.key", folder / "openrd.key")
    refused(place, "was not made by openrd init")


def speaks_tls(folder):
    certificate(folder, "first")
    place = Place(folder, f'listen = "127.0.0.1:0"\ntls_listen = "127.0.0.1:0"\ntls_cert = "{folder}/tls.pem"\ntls_key = "{folder}/tls.key"\nrequire_tls = true')
    place.init()
    with Production(place) as server:
        status, body = server.call("GetResourceDirectory")
        assert status == 400 and "InvalidProtocol.NeedSsl" in body, body
        status, body = server.call("GetResourceDirectory", headers={"X-Forwarded-Proto": "https"})
        assert status == 400 and "InvalidProtocol.NeedSsl" in body, "nobody is a declared proxy"
        context = ssl.create_default_context(cafile=folder / "tls.pem")
        target, headers, body = raw.signed_v3("POST", "GetResourceDirectory", "2022-04-19", {}, place.key, "JSON", server.tls_address)
        status, body = get(server.tls_address, target, "POST", headers, body, context)
        assert status == 200 and place.made["ResourceDirectoryId"] in body, body
        assert "openrd_tls_certificate_expires_seconds" in get(server.admin, "/_openrd/metrics")[1]
        certificate(folder, "second")
        server.process.send_signal(signal.SIGHUP)
        new = ssl.create_default_context(cafile=folder / "tls.pem")
        for _ in range(300):
            with contextlib.suppress(ssl.SSLError):
                get(server.tls_address, "/", context=new)
                break
            time.sleep(0.1)
        else:
            raise AssertionError("the new certificate is not served")
        (folder / "tls.pem").write_text("broken")
        server.process.send_signal(signal.SIGHUP)
        for _ in range(300):
            if "not reloaded" in server.log():
                break
            time.sleep(0.1)
        assert get(server.tls_address, "/", context=new)[0] != 0, "the old one stays"
        assert "not reloaded" in server.log()
    sandbox_speaks_tls(folder)


def sandbox_speaks_tls(folder):
    certificate(folder, "sandbox")
    ready = folder / "sandbox-ready"
    process = subprocess.Popen([BINARY, "serve", "--sandbox", "--memory", "--listen", "127.0.0.1:0", "--ready-file", ready, "--tls-listen", "127.0.0.1:0", "--tls-cert",
                                folder / "tls.pem", "--tls-key", folder / "tls.key"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(6000):
        if ready.exists():
            break
        time.sleep(0.01)
    address = ready.read_text().split("https://")[1].strip()
    assert get(address, "/_openrd/health/ready", context=ssl.create_default_context(cafile=folder / "tls.pem"))[0] == 200
    process.terminate()
    assert process.wait(30) == 0


def believes_declared_proxies(folder):
    place = Place(folder, 'listen = "127.0.0.1:0"\ntrusted_proxies = ["127.0.0.0/8"]\nrequire_tls = true\nlog_level = "debug"')
    place.init()
    with Production(place) as server:
        status, body = server.call("GetResourceDirectory")
        assert status == 400 and "InvalidProtocol.NeedSsl" in body, body
        status, body = server.call("GetResourceDirectory", headers={"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9, 192.0.2.7"})
        assert status == 200, body
        assert '"source":"192.0.2.7"' in server.log() and "203.0.113.9" not in server.log()


def tells_its_service_manager(folder):
    place = Place(folder)
    place.init()
    name = f"\0openrd-production-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        manager.settimeout(60)
        with Production(place, NOTIFY_SOCKET="@" + name[1:], WATCHDOG_USEC="1000000") as server:
            assert manager.recv(4096).decode().startswith("READY=1\nSTATUS=serving on http://"), "ready"
            assert manager.recv(4096) == b"WATCHDOG=1"
            server.process.send_signal(signal.SIGHUP)
            heard = [manager.recv(4096).decode().split("\n")[0] for _ in range(2)]
            while "READY=1" not in heard:
                heard.append(manager.recv(4096).decode().split("\n")[0])
            assert "RELOADING=1" in heard and heard.index("RELOADING=1") < heard.index("READY=1"), heard
        heard = []
        while "STOPPING=1" not in heard:
            heard.append(manager.recv(4096).decode())


def reads_credentials(folder):
    place = Place(folder)
    place.init()
    place.config.write_text(place.config.read_text().replace(f"{folder}/openrd.key", "${CREDENTIALS_DIRECTORY}/openrd.key"))
    refused(place, "CREDENTIALS_DIRECTORY is not set")
    with Production(place, CREDENTIALS_DIRECTORY=str(folder)) as server:
        assert server.call("GetResourceDirectory")[0] == 200


def a_cut_init_leaves_nothing_or_all(folder):
    for cut in range(12):
        place = Place(folder / str(cut)) if (folder / str(cut)).mkdir() is None else None
        process = subprocess.Popen([BINARY, "init", "--config", place.config, "--account-name", "A", "--enterprise-name", "E"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(0.01 * cut)
        process.kill()
        process.wait()
        if (place.folder / "data/openrd.db").exists():
            listed = run("account", "list", "--config", place.config)
            assert listed.returncode == 0 and listed.stdout.count("\n") == 1, listed
        else:
            place.init()


class Gateway:
    """A smsbox of the test's own: takes every message over, and keeps what it was told."""

    def __init__(self):
        taken = self.taken = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
                taken.append((dict(self.headers), body))
                answer = b"0: Accepted for delivery"
                self.send_response(202)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/cgi-bin/sendsms"


def until(what, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.05)
    raise AssertionError("it does not come")


def sends_by_a_gateway_and_takes_its_receipt(folder):
    gateway = Gateway()
    with socket.socket() as free:  # the receipts' address is configured before the server has one
        free.bind(("127.0.0.1", 0))
        admin = f"127.0.0.1:{free.getsockname()[1]}"
    place = Place(folder, more=f"""[strict]
countries = ["65"]
[[delivery.channel]]
kind = "kannel"
name = "carrier"
url = "{gateway.url}"
user = "otp"
secret = "gateway-secret-canary"
from = "openrd"
receipts_url = "http://{admin}"
""")
    whole = place.config.read_text()
    assert '[admin]\nlisten = "127.0.0.1:0"' in whole
    place.init()
    place.config.write_text(whole.replace('[admin]\nlisten = "127.0.0.1:0"', ""))
    with Production(place) as server:
        assert server.admin is None and "no admin.listen that takes receipts" in server.log(), server.log()
    place.config.write_text(whole.replace('[admin]\nlisten = "127.0.0.1:0"', f'[admin]\nlisten = "{admin}"'))
    with Production(place) as server:
        assert json.loads(get(server.admin, "/_openrd/health/ready")[1]).get("warnings", []) == []
        status, body = server.call("CreateResourceAccount", {"DisplayName": "team-blue"})
        assert status == 200, body
        account = json.loads(body)["Account"]["AccountId"]
        phone = {"AccountId": account, "SecureMobilePhone": "65-81234567"}
        status, body = server.call("SendVerificationCodeForBindSecureMobilePhone", phone)
        assert status == 200, body
        headers, text = until(lambda: gateway.taken and gateway.taken[0])
        assert headers["X-Kannel-To"] == "+6581234567" and headers["X-Kannel-Password"] == "gateway-secret-canary", headers
        code = re.search(r"[0-9]{6}", text).group()
        receipt = headers["X-Kannel-DLR-Url"].replace("%d", "1").replace("%F", "carrier-id")
        address, target = receipt.removeprefix("http://").split("/", 1)
        assert address == server.admin, receipt
        assert get(server.address, "/" + target)[0] >= 400, "the API takes no receipts"
        assert get(server.admin, "/" + target.replace("/carrier/", "/other/"))[0] == 404

        def states():
            listed = run("outbox", "list", "--config", place.config, "--format", "json")
            assert listed.returncode == 0, listed.stderr
            assert "81234567" not in listed.stdout and code not in listed.stdout
            return listed.stdout

        until(lambda: "accepted" in states())
        assert get(server.admin, "/" + target)[0] // 100 == 2
        until(lambda: "delivered" in states())
        status, body = server.call("BindSecureMobilePhone", {**phone, "VerificationCode": code})
        assert status == 200, body
        metrics = get(server.admin, "/_openrd/metrics")[1]
        assert 'channel="carrier"' in metrics and "81234567" not in metrics
        assert len(gateway.taken) == 1, "one message, sent once"
        for secret in ("81234567", code, "gateway-secret-canary"):
            assert secret not in server.log()
    gateway.server.shutdown()


def main():
    tests = [sends_by_a_gateway_and_takes_its_receipt, serves_who_was_made_by_init, refuses_bad_settings, refuses_a_sandbox, believes_declared_proxies, tells_its_service_manager, reads_credentials,
             a_cut_init_leaves_nothing_or_all]
    if shutil.which("openssl"):
        tests.append(speaks_tls)
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        with tempfile.TemporaryDirectory(prefix="openrd-production-") as folder:
            test(pathlib.Path(folder))
        print(f"ok: {test.__name__}")
    if speaks_tls not in tests:
        print("SKIPPED: openssl is not installed, so that TLS was not tried with the binary")
        sys.exit(77)


main()
