#!/usr/bin/env python3
"""hostile.py: what no client sends. The server answers with the documented code or closes the connection, never with a 5xx, never by
ending; nothing is changed, and the next honest call works. On both engines: what one takes for text the other one may refuse."""
import os
import pathlib
import random
import signal
import socket
import sys
import tempfile

sys.path += [str(pathlib.Path(__file__).resolve().parent), str(pathlib.Path(__file__).resolve().parents[1] / "sdk")]
import raw  # noqa: E402
from server_with_data import ADMIN, Server, database, one  # noqa: E402


def talk(server, data, half_close=True):
    """Sends the bytes, closes its own side, and gives all that comes back."""
    host, port = server.address.split(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
            while chunk := connection.recv(65536):
                answer += chunk
        except (ConnectionResetError, BrokenPipeError):
            pass
    return answer


def signed(server, action, parameters):
    target, headers, body = raw.signed_v3("POST", action, "2022-04-19", parameters, ADMIN, "JSON", server.address)
    return target, headers, body


def head(method, target, headers):
    return (f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n").encode("latin-1")


def statuses(answer):
    return [int(part[:3]) for part in answer.decode("latin-1").split("HTTP/1.1 ")[1:]]


def cases(server):
    host = {"Host": server.address}
    yield "nothing", b""
    yield "garbage", bytes(range(256)) * 64
    yield "half a request line", b"GET / HT"
    yield "a TLS hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + os.urandom(500)
    yield "NUL bytes", head("GET", "/?Action=\0&Version=2022-04-19", host)
    yield "a target over its limit", head("GET", "/?a=" + "x" * 70_000, host)
    yield "a header over its limit", head("GET", "/", {**host, "X": "y" * 40_000})
    yield "a flood of headers", head("GET", "/", {**host, **{f"X-{i}": "y" for i in range(5000)}})
    yield "a body over its limit", head("POST", "/", {**host, "Content-Length": "1048577"}) + b"x" * 1000
    yield "an endless number as length", head("POST", "/", {**host, "Content-Length": "9" * 40})
    yield "a negative length", head("POST", "/", {**host, "Content-Length": "-1"})
    yield "two lengths", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde"
    yield "length and chunks", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    yield "a cut chunk", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nabc"
    yield "a cut body", head("POST", "/", {**host, "Content-Length": "1000", "Content-Type": "application/x-www-form-urlencoded"}) + b"Action=GetAccount"
    yield "ten thousand parameters", head("GET", "/?" + "&".join(f"p{i}=1" for i in range(10_000)), host)
    yield "a huge index", head("GET", "/?Action=TagResources&Version=2022-04-19&Tag.999999999.Key=x", host)
    yield "invalid UTF-8", head("GET", "/?Action=GetAccount&Version=2022-04-19&AccountId=%FF%C0%80", host)
    yield "a repeated parameter", head("GET", "/?Action=GetAccount&Action=ListAccounts&Version=2022-04-19", host)
    form = b"FolderName=" + b"x" * 1_000_000
    yield "a value of a megabyte", head("POST", "/", {**host, "Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(form))}) + form
    deep = b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    yield "deep JSON", head("POST", "/", {**host, "Authorization": "ACS3-HMAC-SHA256 Credential=x,SignedHeaders=y,Signature=z", "Content-Type": "application/json",
                                          "Content-Length": str(len(deep))}) + deep
    for name, value in (("FolderName", "\u202e" * 24), ("ParentFolderId", "fd-" + "x" * 5000), ("Tag.1.Key", "k" * 5000), ("Tag.0.Key", "k"), ("Tag.-1.Key", "k"),
                        ("Tag.18446744073709551616.Key", "k"), ("FolderName", "'; DROP TABLE folders; --"), ("FolderName", "fine\0name"), ("FolderName", b"fine\xed\xa0\x80name"),
                        ("ParentFolderId", "fd-\0"), ("ParentFolderId", b"fd-\xff")):
        target, headers, _ = signed(server, "CreateFolder", {"FolderName": "fine name no", name: value})
        yield f"{name}={value[:20]!r}", head("POST", target, headers)
    target, headers, _ = signed(server, "GetResourceDirectory", {})
    yield "the same request a hundred times in a row", head("POST", target, headers) * 100
    dice = random.Random(7)
    good = head("POST", target, headers)
    for i in range(300):
        broken = bytearray(good)
        for _ in range(dice.randrange(1, 6)):
            broken[dice.randrange(len(broken))] = dice.randrange(256)
        yield f"mutation {i}", bytes(broken)


def main():
    with tempfile.TemporaryDirectory(prefix="openrd-hostile-") as folder, open(pathlib.Path(folder, "log"), "ab") as log:
        data = pathlib.Path(folder, "data")
        data.mkdir(mode=0o700)
        with database(data) as there:
            run(Server(str(data), log, *there.arguments), there)
        assert "AddressSanitizer" not in pathlib.Path(folder, "log").read_text(errors="replace")
    print("1 passed, 0 failed")


def run(server, there):
    try:
        tried = 0
        for name, sent in cases(server):
            for status in statuses(talk(server, sent)):
                assert status < 500, f"{name}: {status}"
            assert server.process.poll() is None, f"{name}: the server ended"
            tried += 1
        answer = server.call("ListFoldersForParent", {})
        assert answer.status == 200, answer.body
        assert one(there, "SELECT count(*) FROM folders WHERE directory_id = 'rd-sandbx'") == 2, "something was made"
        print(f"{tried} hostile requests, none answered with a 5xx, nothing changed")
    finally:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(60) == 0


main()
