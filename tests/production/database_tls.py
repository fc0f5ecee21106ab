#!/usr/bin/env python3
"""database_tls.py: sslmode=verify-full. A server starts when its PostgreSQL has the right name from the right authority, and otherwise not: one line, and nothing
secret in it."""
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("OPENRD_BIN") or str(ROOT / "build/dev/openrd")
sys.path += [str(ROOT / "tests"), str(ROOT / "tests/sdk")]
import raw  # noqa: E402
from support.postgres import Postgres  # noqa: E402

NAME = "database.example"  # nobody resolves it: the URL says where it is


def openssl(*words):
    subprocess.run(["openssl", *map(str, words)], check=True, capture_output=True)


def authority(folder, name):
    """Its certificate; the key is beside it."""
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", folder / f"{name}.key", "-out",
            folder / f"{name}.pem")
    return folder / f"{name}.pem"


def serve_by_tls_alone(postgres, folder, ca):
    """With a certificate for NAME from this authority."""
    openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={NAME}", "-keyout", folder / "server.key", "-out", folder / "server.csr")
    (folder / "server.ext").write_text(f"subjectAltName=DNS:{NAME}\n")
    openssl("x509", "-req", "-in", folder / "server.csr", "-CA", ca, "-CAkey", ca.with_suffix(".key"), "-CAcreateserial", "-days", "2", "-extfile", folder / "server.ext", "-out",
            folder / "server.pem")
    for setting, name in (("ssl_cert_file", "server.pem"), ("ssl_key_file", "server.key")):
        postgres.sql(f"ALTER SYSTEM SET {setting} = '{postgres.put(name, (folder / name).read_text())}'")
    postgres.sql("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")
    access = postgres.folder / "data/pg_hba.conf"
    access.write_text("hostssl all openrd 127.0.0.1/32 scram-sha-256\nhost all postgres 127.0.0.1/32 scram-sha-256\n")
    postgres.stop()
    postgres.start()


class Openrd:
    """With a configuration of its own, whose URL names the database so."""

    def __init__(self, folder, postgres, host, parameters):
        self.config, self.ready, self.log = folder / "openrd.toml", folder / "ready", folder / "log"
        self.secrets = [postgres.password]
        self.config.write_text(f"""[server]
listen = "127.0.0.1:0"
ready_file = "{self.ready}"
[database]
url = "postgresql://openrd:{postgres.password}@{host}:{postgres.port}/openrd?hostaddr=127.0.0.1&{parameters}"
[keys]
file = "{folder}/openrd.key"
""")
        self.config.chmod(0o600)

    def run(self, *words):
        return subprocess.run([BINARY, *words, "--config", self.config], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120, check=False)

    def init(self):
        done = self.run("init", "--account-name", "Example", "--enterprise-name", "Example Ltd")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def answers(self, made):
        """Starts, answers one request of the account's owner, and ends."""
        with open(self.log, "wb") as log:
            process = subprocess.Popen([BINARY, "serve", "--config", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            for _ in range(6000):
                if self.ready.exists() or process.poll() is not None:
                    break
                time.sleep(0.01)
            said = self.log.read_text()
            assert self.ready.exists(), said
            address = self.ready.read_text().split("\n")[0]
            target, headers, body = raw.signed_v3("POST", "GetResourceDirectory", "2022-04-19", {}, (made["AccessKeyId"], made["AccessKeySecret"]), "JSON", address)
            connection = http.client.HTTPConnection(address, timeout=60)
            connection.request("POST", target, body, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            connection.close()
            assert answer.status == 200 and made["ResourceDirectoryId"] in text, text
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(60)
        assert status == 0, self.log.read_text()
        assert not any(secret in self.log.read_text() for secret in [*self.secrets, made["AccessKeySecret"]])

    def is_refused(self, *words):
        """serve and migrate end with 2 and one line, which says why."""
        for command in ("serve", "migrate"):
            done = self.run(command)
            assert done.returncode == 2 and not done.stdout, (command, done)
            assert done.stderr.startswith("openrd: ") and done.stderr.count("\n") == 1, (command, done.stderr)
            assert all(word in done.stderr for word in words), (command, done.stderr)
            assert not any(secret in done.stderr for secret in self.secrets), "a secret is in the refusal"
        assert not self.ready.exists()
        print("refused:", done.stderr.strip())


def main():
    if not shutil.which("openssl"):
        print("SKIPPED: openssl is not installed")
        return 77
    with tempfile.TemporaryDirectory(prefix="openrd-database-tls-") as name, Postgres() as postgres:
        folder = pathlib.Path(name)
        good, other = authority(folder, "authority"), authority(folder, "other")
        serve_by_tls_alone(postgres, folder, good)
        verified = f"sslmode=verify-full&sslrootcert={good}"
        right = Openrd(folder, postgres, NAME, verified)
        made = right.init()
        right.answers(made)
        Openrd(folder, postgres, NAME, f"sslmode=verify-full&sslrootcert={other}").is_refused(NAME, "certificate verify failed")
        Openrd(folder, postgres, "elsewhere.example", verified).is_refused("elsewhere.example", f'server certificate for "{NAME}" does not match host name')
        Openrd(folder, postgres, NAME, f"sslmode=verify-full&sslrootcert={folder}/nowhere.pem").is_refused("nowhere.pem")
        Openrd(folder, postgres, NAME, "sslmode=disable").is_refused("no pg_hba.conf entry", "no encryption")
        Openrd(folder, postgres, NAME, verified).answers(made)
    print("a database is used by its right name with the right authority only")
    return 0


sys.exit(main())
