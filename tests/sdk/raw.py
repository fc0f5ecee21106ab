"""A client of our own, from the standard library alone, for what the SDKs hide: the exact bytes, XML, both signatures."""
import base64
import dataclasses
import hashlib
import hmac
import http.client
import time
import urllib.parse
import uuid


@dataclasses.dataclass
class Answer:
    status: int
    headers: dict  # by their names in lower case
    body: str


def encoded(text):
    return urllib.parse.quote(text, safe="-_.~")


def query(parameters):
    return "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(parameters.items()))


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def signed_v1(method, action, version, parameters, key, form):
    """protocol.md A: (target, headers, body). GET has everything in the query, POST in the form."""
    everything = {
        **parameters, "Action": action, "Version": version, "Format": form, "AccessKeyId": key[0], "Timestamp": now(),
        "SignatureMethod": "HMAC-SHA1", "SignatureVersion": "1.0", "SignatureNonce": uuid.uuid4().hex}
    text = f"{method}&%2F&{encoded(query(everything))}"
    everything["Signature"] = base64.b64encode(hmac.digest(f"{key[1]}&".encode(), text.encode(), "sha1")).decode()
    if method == "GET":
        return f"/?{query(everything)}", {}, ""
    return "/", {"content-type": "application/x-www-form-urlencoded"}, query(everything)


def signed_v3(method, action, version, parameters, key, form, host):
    """protocol.md B: (target, headers, body), the parameters in the query."""
    parameters = query({**parameters, "Format": form})
    empty = hashlib.sha256(b"").hexdigest()
    headers = {
        "host": host, "x-acs-action": action, "x-acs-content-sha256": empty, "x-acs-date": now(),
        "x-acs-signature-nonce": uuid.uuid4().hex, "x-acs-version": version}
    names = ";".join(headers)
    canonical = "\n".join([method, "/", parameters, *(f"{name}:{value}" for name, value in headers.items()), "", names, empty])
    text = f"ACS3-HMAC-SHA256\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(key[1].encode(), text.encode(), "sha256").hex()
    return f"/?{parameters}", {**headers, "authorization": f"ACS3-HMAC-SHA256 Credential={key[0]},SignedHeaders={names},Signature={signature}"}, ""


def call(server, key, action, parameters, version="2022-04-19", scheme="V3", method="POST", form="JSON"):
    if scheme == "V1":
        target, headers, body = signed_v1(method, action, version, parameters, key, form)
    else:
        target, headers, body = signed_v3(method, action, version, parameters, key, form, server.address)
    connection = http.client.HTTPConnection(server.address, timeout=60)
    try:
        connection.request(method, target, body or None, headers)
        response = connection.getresponse()
        return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, response.read().decode())
    finally:
        connection.close()
