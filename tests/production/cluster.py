#!/usr/bin/env python3
"""cluster.py: two servers with one configuration on one PostgreSQL, behind HAProxy with packaging/haproxy.cfg, one of them killed under way."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
PATH = os.environ["PATH"] + ":/usr/sbin"  # where haproxy is
BINARY = os.environ.get("OPENRD_BIN") or str(ROOT / "build/dev/openrd")
sys.path.append(str(ROOT / "tests"))
from support.postgres import Postgres, free_port  # noqa: E402


def run(*words, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, **more)
    assert done.returncode == 0, f"{words}: {done.stdout} {done.stderr}"
    return done.stdout


class Server:
    def __init__(self, folder, name, url):
        self.api, self.admin = free_port(), free_port()
        config = folder / f"{name}.toml"
        config.write_text(f"""[server]
listen = "127.0.0.1:{self.api}"
trusted_proxies = ["127.0.0.0/8"]
require_tls = true
[admin]
listen = "127.0.0.1:{self.admin}"
[database]
url = "{url}"
[keys]
file = "{folder}/openrd.key"
""")
        config.chmod(0o640)
        self.config = config

    def start(self, log):
        self.process = subprocess.Popen([BINARY, "serve", "--config", self.config], stdout=log, stderr=log)
        for _ in range(600):
            assert self.process.poll() is None, "a server did not start"
            try:
                socket.create_connection(("127.0.0.1", self.api), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("a server did not accept")


def proxy_configuration(folder, port, one, two):
    """The one of packaging/, with this test's addresses and certificate."""
    text = (ROOT / "packaging/haproxy.cfg").read_text()
    for old, new in {"bind :443": f"bind 127.0.0.1:{port}", "/etc/haproxy/openrd.pem": f"{folder}/proxy.pem", "10.0.0.11:8080 port 9102": f"127.0.0.1:{one.api} port {one.admin}",
                     "10.0.0.12:8080 port 9102": f"127.0.0.1:{two.api} port {two.admin}"}.items():
        assert old in text, old
        text = text.replace(old, new)
    (folder / "haproxy.cfg").write_text(text)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder / "key.pem", "-out", folder / "cert.pem", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost,IP:127.0.0.1")
    (folder / "proxy.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())


def main():
    for program in ("haproxy", "openssl"):
        if not shutil.which(program, path=PATH):
            print(f"SKIPPED: {program} is not installed")
            return 77
    with tempfile.TemporaryDirectory(prefix="openrd-cluster-") as folder, Postgres("max_connections = 150") as postgres:
        tried(pathlib.Path(folder), postgres)
    return 0


def tried(folder, postgres):
    processes = []
    try:
        one, two = Server(folder, "one", postgres.url()), Server(folder, "two", postgres.url())
        made = json.loads(run(BINARY, "init", "--config", one.config, "--account-name", "Example", "--enterprise-name", "Example Ltd"))
        with open(folder / "log", "w", encoding="utf-8") as log:
            for server in (one, two):
                server.start(log)
                processes.append(server.process)
            port = free_port()
            proxy_configuration(folder, port, one, two)
            processes.append(subprocess.Popen([shutil.which("haproxy", path=PATH), "-db", "-f", folder / "haproxy.cfg"], stdout=log, stderr=log))
            caller = os.environ | {"OPENRD_ENDPOINT": f"https://127.0.0.1:{port}", "ALIBABA_CLOUD_ACCESS_KEY_ID": made["AccessKeyId"], "ALIBABA_CLOUD_ACCESS_KEY_SECRET": made["AccessKeySecret"],
                                   "SSL_CERT_FILE": str(folder / "cert.pem"), "CURL_CA_BUNDLE": str(folder / "cert.pem")}
            root = json.loads(call_until_it_works(caller, "GetResourceDirectory"))["ResourceDirectory"]["RootFolderId"]
            created = []
            for n in range(20):
                if n == 10:
                    one.process.send_signal(signal.SIGKILL)
                    one.process.wait(30)
                name = f"folder-{n}"
                answer = call_until_it_works(caller, "CreateFolder", "--FolderName", name, "--ParentFolderId", root)
                created.append(json.loads(answer)["Folder"]["FolderName"])
            listed = json.loads(call_until_it_works(caller, "ListFoldersForParent", "--ParentFolderId", root, "--PageSize", "50"))
            names = sorted(f["FolderName"] for f in listed["Folders"]["Folder"])
            assert names == sorted(created), (names, created)
            print(f"{len(created)} folders through two servers, one of them killed: none lost, none doubled")
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


def call_until_it_works(caller, *words):
    """A call that reached nobody is made anew, as a client would; one that was answered is not."""
    for _ in range(100):
        done = subprocess.run([BINARY, "call", *words], capture_output=True, text=True, env=caller, stdin=subprocess.DEVNULL, timeout=60)
        if done.returncode == 0:
            return done.stdout
        said = done.stdout + done.stderr
        assert "EntityAlreadyExists" not in said, said
        time.sleep(0.1)
    raise AssertionError(said)


sys.exit(main())
