#!/usr/bin/env python3
"""kannel.py BUILD: how many messages a second openrd gets through Kannel to the SMSC of tests/gateways, beside the same requests sent straight to smsbox; a section of
the page that run.py writes. Alone it prints that section."""
import contextlib
import os
import pathlib
import queue
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(ROOT / "tests/gateways"))
import road  # noqa: E402

MESSAGES, ROUNDS = int(os.environ.get("BENCH_MESSAGES", "2000")), 3
PAUSE = 0.01  # after a 503
TEXT = "000000 is your code to bind this phone to account 1000000000000002. Valid for 9 minutes. Do not share it.\n\n@rd.example.com #000000"  # as long as openrd's
ENDED = ("delivered", "undelivered", "failed", "expired", "unknown_final")
# Takes the receipts of the plain requests, as openrd's admin listener takes those of its own.
LISTENER = "require('http').createServer((q, s) => s.end('ok')).listen(0, '127.0.0.1', function () { console.log(this.address().port); }); process.stdin.on('end', () => process.exit()).resume();"


def phone(first, round_, n):
    return f"65-{first}{round_ + 1}{n // 1000:02}{1000 + n % 1000}"


def rate(moments):
    """Of those that were accepted, from the first to the last."""
    assert len(moments) > 1, "nothing was accepted"
    return (len(moments) - 1) / max(max(moments) - min(moments), 1e-9)


def through_openrd(openrd, kannel, members, round_):
    """They are queued while smsbox is down, so that neither those who ask for codes nor their signatures take anything from the measured time."""
    kannel.stop_smsbox()
    with contextlib.closing(sqlite3.connect(f"file:{openrd.database}?mode=ro", uri=True)) as database:
        before = database.execute("SELECT COALESCE(MAX(at_ms), 0) FROM outbox_events").fetchone()[0]
        with openrd.running():
            openrd.send(members, [phone(8, round_, n) for n in range(MESSAGES)])
        kannel.start_smsbox()
        with openrd.running():  # a new server: its breaker knows nothing of smsbox
            road.until(lambda: not database.execute(f"SELECT 1 FROM outbox WHERE state NOT IN {ENDED} LIMIT 1").fetchone(), "messages without an end", 1200, 0.5)
        events = lambda kind, code: [at / 1000 for (at,) in database.execute("SELECT at_ms FROM outbox_events WHERE at_ms > ? AND kind = ? AND code = ?", (before, kind, code))]
        accepted = events("accepted", "0")
        return {"rate": rate(accepted), "lost": MESSAGES - len(accepted), "full": len(events("queued", "http_503"))}


def plainly(kannel, receipts_port, round_):
    """As many kept connections as openrd has workers, each with one request at a time; a 503 is asked again."""
    waiting, accepted, full = queue.SimpleQueue(), [], []
    for n in range(MESSAGES):
        waiting.put(n)

    def request(n):
        fields = {"X-Kannel-Username": road.USER, "X-Kannel-Password": road.PASSWORD, "X-Kannel-To": "+" + phone(9, round_, n).replace("-", ""), "X-Kannel-Validity": "9",
                  "X-Kannel-DLR-Url": f"http://127.0.0.1:{receipts_port}/internal/dlr/carrier/{n}?d=%d&id=%F", "X-Kannel-DLR-Mask": "31", "Content-Type": "text/plain; charset=UTF-8"}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return f"POST /cgi-bin/sendsms HTTP/1.1\r\nHost: 127.0.0.1:{kannel.port}\r\n{head}Content-Length: {len(TEXT)}\r\n\r\n{TEXT}".encode()

    def answer(connection):
        text = b""
        while b"\r\n\r\n" not in text:
            text += connection.recv(4096) or end()
        head, _, body = text.partition(b"\r\n\r\n")
        length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")).split(b":")[1])
        while len(body) < length:
            body += connection.recv(4096) or end()
        return int(head.split(b" ")[1])

    def end():
        raise AssertionError("smsbox has closed a connection")

    def work():
        with socket.create_connection(("127.0.0.1", kannel.port), 60) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                try:
                    n = waiting.get_nowait()
                except queue.Empty:
                    return
                while True:
                    connection.sendall(request(n))
                    status = answer(connection)
                    if status == 202:
                        accepted.append(time.time())
                        break
                    assert status == 503, status
                    full.append(n)
                    time.sleep(PAUSE)

    workers = [threading.Thread(target=work) for _ in range(road.WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(accepted) == MESSAGES, f"{MESSAGES - len(accepted)} plain requests were not accepted"
    return {"rate": rate(accepted), "full": len(full)}


def measure(binary):
    road.check()
    ours, theirs = [], []
    with contextlib.ExitStack() as around:
        folder = pathlib.Path(around.enter_context(tempfile.TemporaryDirectory(prefix="openrd-bench-", dir=os.environ.get("BENCH_DIR", "/var/tmp"))))
        smsc = around.enter_context(road.Smsc(folder))
        kannel = around.enter_context(road.Kannel(smsc))
        listener = around.enter_context(subprocess.Popen(["node", "-e", LISTENER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
        around.callback(listener.stdin.close)
        receipts_port = int(listener.stdout.readline())
        openrd = road.Openrd(binary, folder, kannel.url)
        with openrd.running():
            members = openrd.members(MESSAGES)
        for round_ in range(ROUNDS):
            ours.append(through_openrd(openrd, kannel, members, round_))
            theirs.append(plainly(kannel, receipts_port, round_))
            sent = sum(MESSAGES - one["lost"] for one in ours) + len(theirs) * MESSAGES
            road.until(lambda: len(smsc.submitted()) >= sent, "the SMSC does not see every message", every=0.5)
        assert len(smsc.submitted()) == sent, "a message was doubled"
    median = lambda of, name: statistics.median(one[name] for one in of)
    return {"ours": median(ours, "rate"), "theirs": median(theirs, "rate"), "ratio": statistics.median(a["rate"] / b["rate"] for a, b in zip(ours, theirs)), "full": median(ours, "full"),
            "their_full": median(theirs, "full"), "lost": sum(one["lost"] for one in ours)}


def section(build):
    title = f"## Messages per second through Kannel to the simulator, {road.WORKERS} workers, {MESSAGES:,} messages\n"
    try:
        r = measure(build / "openrd")
    except road.Missing as missing:
        return f"{title}Not measured: {missing}.\n"
    lost = f"**{r['lost']:,} of {ROUNDS * MESSAGES:,} were not accepted while their code could be used.** " if r["lost"] else ""
    return f"""{title}Debian's bearerbox and smsbox by packaging/kannel.conf (`throughput` of 2,000, receipts on a tmpfs), an SMSC of npm's `smpp` behind them (tests/gateways), receipts for every
message. Beside it the same requests straight to smsbox, without openrd: {road.WORKERS} kept connections, and {PAUSE * 1000:.0f} ms after a 503 the same request again; something else takes
their receipts. From the first to the last acceptance; medians of {ROUNDS} alternating rounds.

| openrd/s | plain requests/s | ratio | 503 "full": openrd / plain |
|---|---|---|---|
| {r["ours"]:,.1f} | {r["theirs"]:,.1f} | **{r["ratio"]:.2f}** | {r["full"]:,.0f} / {r["their_full"]:,.0f} |

{lost}A message of openrd's is read from a durable queue, claimed, sent on a connection of its own and settled, and its two receipts are written down in the same time.
"""


if __name__ == "__main__":
    print(section(pathlib.Path(sys.argv[1]).resolve()))
