"""What every directory SDK must be able to do, said once. The scripts in python/ hand in the SDK's own calls."""
import datetime
import json
import re

from server import ACCOUNT, ADMIN, MASKED_PHONE, MEMBER, PHONE, wrong

REQUEST_ID = re.compile(r"[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}")


class Refused(Exception):
    """An answer that is an error, whatever the SDK calls it."""

    def __init__(self, code, message, request_id):
        super().__init__(f"{code}: {message}")
        self.code, self.message, self.request_id = code, message, request_id


def refusal(code, message, call, *arguments):
    """The RequestId of the refusal that this call must meet."""
    try:
        answer = call(*arguments)
    except Refused as refused:
        assert refused.code == code, refused
        assert message in refused.message, refused
        assert REQUEST_ID.fullmatch(refused.request_id), refused.request_id
        return refused.request_id
    raise AssertionError(f"{code} expected, got {answer}")


def bind_a_phone(server, directory, version):
    """Send, a wrong code, the right code, and what GetAccount says before and after. `directory` has send(account, phone),
    bind(account, phone, code) and account(account), which return the answer as the wire names it or raise Refused.
    Returns the RequestIds of the three Binds, newest first."""
    before = directory.account(MEMBER)["Account"]
    assert before["AccountId"] == MEMBER and before["DisplayName"] == "team-blue" and before["Type"] == "ResourceAccount", before
    assert version == "2020-03-31" or before["HasSecureMobilePhone"] is False, before

    sent = directory.send(MEMBER, PHONE)
    assert REQUEST_ID.fullmatch(sent["RequestId"]), sent
    expires = datetime.datetime.strptime(sent["ExpirationDate"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=datetime.timezone.utc)
    left = expires - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(minutes=8) < left <= datetime.timedelta(minutes=10), sent

    code = server.code_sent_to(MEMBER)
    refused = refusal("Invalid.VerificationCode", "The verification code is invalid.", directory.bind, MEMBER, PHONE, wrong(code))
    bound = directory.bind(MEMBER, PHONE, code)
    assert set(bound) == {"RequestId"} and REQUEST_ID.fullmatch(bound["RequestId"]), bound
    again = refusal("AccountSecureMobileAlreadyExists", "The secure mobile number of the member already exists.", directory.bind, MEMBER, PHONE, code)

    after = directory.account(MEMBER)["Account"]
    if version == "2020-03-31":  # whose GetAccount knows no phone: nothing else may have changed
        assert after["AccountId"] == MEMBER and "SecureMobilePhone" not in after, after
    else:
        assert after["HasSecureMobilePhone"] is True and after["SecureMobilePhone"] == MASKED_PHONE, after
    assert len({refused, bound["RequestId"], again}) == 3
    return [again, bound["RequestId"], refused]


def the_log_tells(events, request_ids, user_name="admin", access_key_id=ADMIN[0], user_type="ram-user"):
    """The events of the three Binds, newest first, as LookupEvents answers them."""
    assert [event["requestId"] for event in events] == request_ids, (events, request_ids)
    assert [event.get("errorCode") or None for event in events] == ["AccountSecureMobileAlreadyExists", None, "Invalid.VerificationCode"], events
    for event in events:
        who = event["userIdentity"]
        assert (who["type"], who["accountId"], who["userName"], who["accessKeyId"]) == (user_type, ACCOUNT, user_name, access_key_id), who
        assert event["eventName"] == "BindSecureMobilePhone" and event["eventRW"] == "Write" and event["eventType"] == "ApiCall", event
        assert event["sourceIpAddress"] == "127.0.0.1" and event["userAgent"], event
        assert event["requestParameters"]["AccountId"] == MEMBER, event
    text = json.dumps(events)
    assert PHONE not in text and PHONE.split("-")[1] not in text, text
