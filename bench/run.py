#!/usr/bin/env python3
"""run.py BUILD: measures the release build in BUILD and writes docs/performance.md. Ratios within one run are what counts: the
machines are shared."""
import json
import os
import pathlib
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import kannel

BUILD = pathlib.Path(sys.argv[1]).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[1]
LOAD, OPENRD = str(BUILD / "load"), str(BUILD / "openrd")
MEMBERS, CONNECTIONS, ROUNDS, SECONDS = 100_000, 32, 5, 3
BINDS, BIND_CONNECTIONS = 20_000, 64


def load(*arguments):
    done = subprocess.run([LOAD, *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert not result.get("bad"), result
    return result


class Process:
    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)

    def memory_mb(self):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0


class Openrd(Process):
    def __init__(self, data, threads=1, prefix=(), database=()):
        ready = pathlib.Path(data) / "ready"
        ready.unlink(missing_ok=True)
        begun = time.monotonic()
        self.process = subprocess.Popen([*prefix, OPENRD, "serve", "--sandbox", "--data", data, "--listen", "127.0.0.1:0", "--ready-file", ready, "--threads", str(threads), "--log-level", "warning", *database],
                                        stdout=subprocess.DEVNULL)
        while not ready.exists():
            assert self.process.poll() is None, "the server did not start"
            time.sleep(0.0005)
        self.ready_ms = (time.monotonic() - begun) * 1000
        self.address = ready.read_text().strip()


class Nginx(Process):
    def __init__(self, folder, body, workers):
        self.folder = pathlib.Path(folder) / f"nginx{workers}"
        (self.folder / "www").mkdir(parents=True)
        (self.folder / "www" / "account.json").write_bytes(body)
        port = 20000 + os.getpid() % 20000 + workers
        self.address = f"127.0.0.1:{port}"
        config = self.folder / "nginx.conf"
        config.write_text(f"""daemon off; worker_processes {workers}; pid {self.folder}/pid; error_log {self.folder}/error.log; user root;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nodelay on; keepalive_requests 100000000; open_file_cache max=1000; open_file_cache_valid 1h;
  client_body_temp_path {self.folder}/b; proxy_temp_path {self.folder}/p; fastcgi_temp_path {self.folder}/f; uwsgi_temp_path {self.folder}/u; scgi_temp_path {self.folder}/s;
  types {{ application/json json; }}
  server {{ listen {self.address}; root {self.folder}/www; location / {{ try_files $uri =404; }} }}
}}
""")
        self.process = subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", config, "-p", self.folder], stderr=subprocess.DEVNULL)
        time.sleep(0.5)


def reads(folder, data, threads):
    server = Openrd(data, threads)
    body = sample_body(server)
    rival = Nginx(folder, body, threads)
    ours, theirs, p50, p99 = [], [], [], []
    try:
        for _ in range(ROUNDS):
            result = load("read", server.address, MEMBERS, CONNECTIONS, SECONDS)
            ours.append(result["per_second"])
            p50.append(result["p50_ms"]), p99.append(result["p99_ms"])
            theirs.append(load("plain", rival.address, "/account.json", CONNECTIONS, SECONDS)["per_second"])
        memory = server.memory_mb()
    finally:
        server.stop()
        rival.stop()
    return {"threads": threads, "ours": statistics.median(ours), "nginx": statistics.median(theirs), "ratio": statistics.median(a / b for a, b in zip(ours, theirs)),
            "p50": statistics.median(p50), "p99": statistics.median(p99), "memory": memory, "bytes": len(body)}


def sample_body(server):
    done = subprocess.run([OPENRD, "call", "GetAccount", "--AccountId", "1700000000000000", "--endpoint", f"http://{server.address}"], capture_output=True, check=True)
    return done.stdout.strip()


def binds(data, folder):
    before = load("disk", folder, 2)["per_second"]
    server = Openrd(data)
    try:
        results = [load("bind", server.address, data, BIND_CONNECTIONS, n * BINDS, BINDS) for n in range(3)]
    finally:
        server.stop()
    after = load("disk", folder, 2)["per_second"]
    middle = sorted(results, key=lambda r: r["per_second"])[1]
    return {"before": before, "after": after, "ratio": middle["per_second"] / ((before + after) / 2), **middle}


def sends(folder):
    """Sends in one process, with every limit of strict counted and with none."""
    data = pathlib.Path(folder) / "sends"
    data.mkdir(mode=0o700)
    done = subprocess.run([str(BUILD / "sends"), str(data), "4000", "3"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def starts(folder):
    times = []
    for n in range(20):
        data = pathlib.Path(folder) / f"start{n}"
        data.mkdir(mode=0o700)
        server = Openrd(str(data))
        times.append(server.ready_ms)
        server.stop()
    fsyncs = None
    if shutil.which("strace"):
        data = pathlib.Path(folder) / "traced"
        data.mkdir(mode=0o700)
        trace = pathlib.Path(folder) / "trace"
        server = Openrd(str(data), prefix=["strace", "-f", "-e", "trace=fsync,fdatasync", "-o", str(trace)])
        fsyncs = sum("sync(" in line for line in trace.read_text().splitlines())
        subprocess.run(["pkill", "-TERM", "-P", str(server.process.pid)], check=False)
        server.process.wait(60)
    again = Openrd(str(pathlib.Path(folder) / "start0"))
    time.sleep(1)
    idle = again.memory_mb()
    again.stop()
    return {"first": statistics.median(times), "again": again.ready_ms, "fsyncs": fsyncs, "idle": idle}


def machine():
    model = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} cores of {model}, load {os.getloadavg()[0]:.1f} at the start"


def main():
    where = machine()
    with tempfile.TemporaryDirectory(prefix="openrd-bench-", dir=os.environ.get("BENCH_DIR", "/var/tmp")) as folder:
        start = starts(folder)
        data = str(pathlib.Path(folder) / "data")
        os.mkdir(data, 0o700)
        Openrd(data).stop()
        load("fill", data, MEMBERS)
        one, two = reads(folder, data, 1), reads(folder, data, 2)
        bind = binds(data, folder)
        send = sends(folder)
        through_kannel = kannel.section(BUILD)
    page = f"""# What was measured

By `./dev bench` on {time.strftime("%Y-%m-%d")}: release build, loopback, server and generator on one machine ({where}). The machines are shared: ratios within the run hold,
absolute figures do not. The generator (bench/load.cpp) signs before the clock starts, keeps one request in flight on each connection, and drives nginx with requests of the same
length. Medians of {ROUNDS} alternating rounds of {SECONDS} s.

## Reads: signed V3 GetAccount of random ones of {MEMBERS:,} members, {CONNECTIONS} connections
nginx serves a static JSON of the same {one["bytes"]} bytes (open_file_cache, sendfile, no access log).

| | openrd/s | nginx/s | ratio | p50 | p99 |
|---|---|---|---|---|---|
| 1 thread, 1 worker | {one["ours"]:,.0f} | {one["nginx"]:,.0f} | **{one["ratio"]:.2f}** | {one["p50"]:.2f} ms | {one["p99"]:.2f} ms |
| 2 threads, 2 workers | {two["ours"]:,.0f} | {two["nginx"]:,.0f} | {two["ratio"]:.2f} | {two["p50"]:.2f} ms | {two["p99"]:.2f} ms |

Aim: 0.7. The prototype of the design made 0.81 with a third of the work: no second format, no declaration to decode and encode by, one policy, no throttle.

## Durable BindSecureMobilePhone, {BIND_CONNECTIONS} connections, {BINDS:,} members each
| openrd/s | p50 | p99 | fdatasync/s of the disk before / after | ratio |
|---|---|---|---|---|
| {bind["per_second"]:,.0f} | {bind["p50_ms"]:.1f} ms | {bind["p99_ms"]:.1f} ms | {bind["before"]:,.0f} / {bind["after"]:,.0f} | **{bind["ratio"]:.1f}** |

Aim: ten times the fdatasync rate, or 12,000/s. Every Bind is answered after the fsync of its transaction; group commit makes the ratio.

## What the checks against abuse cost a Send
| documented profile, Sends/s | strict, Sends/s | strict / documented |
|---|---|---|
| {send["documented_per_second"]:,.0f} | {send["strict_per_second"]:,.0f} | **{send["ratio"]:.2f}** |

Durable, 64 at once in one process, without sockets (bench/sends.cpp): every window, the budget, the brake and the list of suppressed phones are looked at and counted, none is
reached.

{through_kannel}
## Start and memory
| | |
|---|---|
| ready on an empty data directory (process start to ready file, median of 20) | {start["first"]:.0f} ms |
| fsync and fdatasync calls until ready | {start["fsyncs"] if start["fsyncs"] is not None else "not counted: strace is not installed"} |
| ready on an existing directory | {start["again"]:.0f} ms |
| resident memory, idle | {start["idle"]:.0f} MB |
| resident memory after the reads of {MEMBERS:,} members, 1 thread / 2 threads | {one["memory"]:.0f} / {two["memory"]:.0f} MB |

Aims: 25 ms, 16 MB idle.
"""
    write_part(page, 0)


# docs/performance.md has two parts: this file writes the first, postgres.py the second.
MARK = "\n<!-- what `./dev bench postgres` measured -->\n"


def write_part(page, part):
    path = ROOT / "docs/performance.md"
    parts = (path.read_text() if path.exists() else "").split(MARK)
    parts = [parts[0], parts[1] if len(parts) > 1 else ""]
    parts[part] = page
    path.write_text(MARK.join(parts) if parts[1] else parts[0])
    print(page)


if __name__ == "__main__":
    main()
