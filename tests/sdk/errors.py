"""Every documented answer of BindSecureMobilePhone, over the wire: byte-exact in code, status and message, signed V1 and V3,
in JSON and XML, in both versions. The texts stand here as the source (the vendor's page of the operation) has them."""
import itertools
import json
import re

import raw
from server import ACCOUNT, ADMIN, MEMBER, PHONE, Server, wrong

REQUEST_ID = "[0-9A-F]{8}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{4}-[0-9A-F]{12}"
CONTENT_TYPES = {"JSON": "application/json;charset=utf-8", "XML": "text/xml;charset=utf-8"}
DECLARATION = "<?xml version='1.0' encoding='UTF-8'?>"

ROOT = ("LTAIsandboxRoot0001", "sandbox-root-secret")
MEMBER_USER = ("LTAIsandboxMember01", "sandbox-member-secret")
INVITED_ROOT = ("LTAIsandboxJoined01", "sandbox-joined-secret")
OUTSIDE_ROOT = ("LTAIsandboxOutside1", "sandbox-outside-secret")
UNVERIFIED = ("LTAIsandboxUnverif1", "sandbox-unverified-secret")
NAMELESS = ("LTAIsandboxNameles1", "sandbox-nameless-secret")

CODE, CALLER, TYPE, BOUND, NAME, VERIFICATION, DIRECTORY, ELSEWHERE, SITE = (
    (409, "Invalid.VerificationCode", "The verification code is invalid."),
    (409, "CallerIdentityError", "Please use the RAM user or role of the Management Account."),
    (409, "AccountTypeMismatch", "The type or status of the member account cannot satisfy the current operation."),
    (409, "AccountSecureMobileAlreadyExists", "The secure mobile number of the member already exists."),
    (409, "Invalid.EnterpriseName", "You must specify the enterprise name."),
    (409, "EnterpriseRealNameVerificationError",
     "The specified account does not pass enterprise real-name verification. We recommend you first complete enterprise real-name verification for the account."),
    (409, "EntityAlreadyExists.ResourceDirectory",
     "The resource directory for the account is already enabled. We recommend that you do not enable the resource directory again."),
    (409, "NotSupport.AccountInAnotherResourceDirectory",
     "Your account is a management account for another resource directory or a member of another resource directory."),
    (400, "NotSupport.Site.Action", "Site does not allow current action."),
)

# The state that each row describes, by the sandbox's seed: (row, caller, target).
STATES = [
    (NAME, NAMELESS, "1000000000000032"),
    (VERIFICATION, UNVERIFIED, "1000000000000022"),
    (DIRECTORY, ADMIN, ACCOUNT),
    (CODE, ADMIN, MEMBER),  # no code was sent
    (TYPE, ADMIN, "1000000000000004"),
    (BOUND, ADMIN, "1000000000000003"),
    (CALLER, ROOT, MEMBER),
    (CALLER, MEMBER_USER, MEMBER),
    (CALLER, INVITED_ROOT, MEMBER),
    (CALLER, OUTSIDE_ROOT, MEMBER),
    (ELSEWHERE, ADMIN, "1000000000000011"),
    (ELSEWHERE, ADMIN, "1000000000000012"),
]

# How it is asked. V1 comes by GET (all in the query) and by POST (all in the form).
WAYS = [dict(zip(("scheme", "method", "form", "version"), (*way, *rest)))
        for way, *rest in itertools.product([("V1", "GET"), ("V1", "POST"), ("V3", "POST")], ["JSON", "XML"], ["2020-03-31", "2022-04-19"])]

checked = 0


def bind(server, way, key, account, code="123456", phone=PHONE):
    return raw.call(server, key, "BindSecureMobilePhone", {"AccountId": account, "SecureMobilePhone": phone, "VerificationCode": code}, **way)


def request_id_of(answer, form):
    """What holds for every answer, good or bad."""
    global checked
    checked += 1
    assert answer.headers["content-type"] == CONTENT_TYPES[form], answer
    (found,) = re.findall(f'"RequestId":"({REQUEST_ID})"' if form == "JSON" else f"<RequestId>({REQUEST_ID})</RequestId>", answer.body)
    assert answer.headers["x-acs-request-id"] == found, answer
    return found


def expect_error(answer, row, form):
    status, code, message = row
    assert answer.status == status, answer
    request_id = request_id_of(answer, form)
    if form == "JSON":
        assert f'"Code":"{code}"' in answer.body and f'"Message":"{message}"' in answer.body, answer.body
        tree = json.loads(answer.body)
        assert list(tree) == ["RequestId", "HostId", "Code", "Message", "Recommend"], answer.body
        assert (tree["RequestId"], tree["HostId"], tree["Code"], tree["Message"]) == (request_id, "127.0.0.1", code, message), answer.body
        assert isinstance(tree["Recommend"], str), answer.body
    else:
        begin = f"{DECLARATION}<Error><RequestId>{request_id}</RequestId><HostId>127.0.0.1</HostId><Code>{code}</Code><Message>{message}</Message><Recommend>"
        assert answer.body.startswith(begin) and answer.body.endswith("</Recommend></Error>"), answer.body


def expect_bound(answer, form):
    assert answer.status == 200, answer
    request_id = request_id_of(answer, form)
    if form == "JSON":
        assert answer.body == f'{{"RequestId":"{request_id}"}}', answer.body
    else:
        assert answer.body == f"{DECLARATION}<BindSecureMobilePhoneResponse><RequestId>{request_id}</RequestId></BindSecureMobilePhoneResponse>", answer.body


def send(server, way):
    answer = raw.call(server, ADMIN, "SendVerificationCodeForBindSecureMobilePhone", {"AccountId": MEMBER, "SecureMobilePhone": PHONE}, **way)
    assert answer.status == 200, answer
    return server.code_sent_to(MEMBER)


def main():
    with Server() as server:
        for way in WAYS:
            server.reset()
            for row, key, account in STATES:
                expect_error(bind(server, way, key, account), row, way["form"])
            code = send(server, way)
            for bad in [wrong(code), "12345", "1234567", "abcdef", f" {code}"]:  # what is malformed looks like what is wrong
                expect_error(bind(server, way, ADMIN, MEMBER, bad), CODE, way["form"])
            expect_error(bind(server, way, ADMIN, MEMBER, code, phone="65-81234568"), CODE, way["form"])
            expect_bound(bind(server, way, ADMIN, MEMBER, code), way["form"])
            expect_error(bind(server, way, ADMIN, MEMBER, code), BOUND, way["form"])
    with Server("--disable-action", "BindSecureMobilePhone") as server:
        for way in WAYS:
            expect_error(bind(server, way, ADMIN, MEMBER), SITE, way["form"])
            expect_error(bind(server, way, ROOT, MEMBER), CALLER, way["form"])  # decisions.md D: the caller comes before the site


main()
print(f"{checked} answers of BindSecureMobilePhone, each byte-exact")
