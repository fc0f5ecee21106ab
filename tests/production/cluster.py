#!/usr/bin/env python3
"""cluster.py: two servers with one configuration on one PostgreSQL, behind HAProxy with packaging/haproxy.cfg, one of them killed under way."""
import json
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("OPENRD_BIN") or str(ROOT / "build/dev/openrd")
POSTGRES = pathlib.Path("/usr/lib/postgresql/15/bin")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run(*words, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, **more)
    assert done.returncode == 0, f"{words}: {done.stdout} {done.stderr}"
    return done.stdout


class Cluster:
    """A PostgreSQL in the folder, run by somebody who is not root."""

    def __init__(self, folder):
        self.data, self.port = folder / "postgres", free_port()
        self.data.mkdir()
        self.as_owner = []
        if os.getuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self.data, owner.pw_uid, owner.pw_gid)
            self.as_owner = ["runuser", "-u", "postgres", "--"]
        run(*self.as_owner, POSTGRES / "initdb", "-D", self.data / "data", "-E", "UTF8", "--locale=C", "-A", "trust", "-U", "openrd", cwd="/")
        with open(self.data / "data/postgresql.conf", "a", encoding="utf-8") as config:
            config.write(f"port={self.port}\nlisten_addresses='127.0.0.1'\nunix_socket_directories='{self.data}'\nmax_connections=150\nfsync=off\n")
        self.ctl("start", "-l", self.data / "log")
        run(*self.as_owner, POSTGRES / "createdb", "-h", "127.0.0.1", "-p", self.port, "-U", "openrd", "openrd", cwd="/")
        self.url = f"postgresql://openrd@127.0.0.1:{self.port}/openrd"

    def ctl(self, what, *more):
        subprocess.run([*self.as_owner, POSTGRES / "pg_ctl", "-D", self.data / "data", "-w", "-m" if what == "stop" else "-t", "immediate" if what == "stop" else "60", what, *map(str, more)],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", timeout=120)


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
    for program in (str(POSTGRES / "initdb"), shutil.which("haproxy") or "/usr/sbin/haproxy", shutil.which("openssl") or "openssl"):
        if not pathlib.Path(program).exists():
            print(f"skipped: {program} is missing")
            return 77
    folder = pathlib.Path(tempfile.mkdtemp(prefix="openrd-cluster-", dir="/tmp"))
    folder.chmod(0o755)
    cluster, processes = None, []
    try:
        cluster = Cluster(folder)
        one, two = Server(folder, "one", cluster.url), Server(folder, "two", cluster.url)
        made = json.loads(run(BINARY, "init", "--config", one.config, "--account-name", "Example", "--enterprise-name", "Example Ltd"))
        with open(folder / "log", "w", encoding="utf-8") as log:
            for server in (one, two):
                server.start(log)
                processes.append(server.process)
            port = free_port()
            proxy_configuration(folder, port, one, two)
            processes.append(subprocess.Popen([shutil.which("haproxy") or "/usr/sbin/haproxy", "-db", "-f", folder / "haproxy.cfg"], stdout=log, stderr=log))
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
        return 0
    finally:
        for process in processes:
            if process.poll() is None:
                process.terminate()
                process.wait(30)
        if cluster:
            cluster.ctl("stop")
        shutil.rmtree(folder, ignore_errors=True)


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
