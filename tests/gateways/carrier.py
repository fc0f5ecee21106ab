#!/usr/bin/env python3
"""carrier.py: codes on their whole road, from a signed call by openrd and Debian's Kannel to an SMSC of npm's `smpp`, and the receipts' way back."""
import collections
import json
import os
import pathlib
import re
import sys
import tempfile
import time

import road

BINARY = os.environ.get("OPENRD_BIN") or road.ROOT / "build/dev/openrd"
MESSAGES = 1000
# By the last four digits (smsc.hpp): what docs/operations/messages.md says of the message in the end, the gateway's word for that step, and how often the SMSC sees it.
ENDS = {
    "1111": ("delivered", "dlr_1", 1),
    "0001": ("undelivered", "dlr_16", 2),  # Kannel tries once more what is throttled or has failed: it was certainly not sent
    "0002": ("undelivered", "dlr_16", 1),
    "0003": ("undelivered", "dlr_2", 1),
    "0004": ("accepted", "0", 1),          # no receipt comes
    "0005": ("accepted", "0", 1),          # nobody knows; not submitted again
    "0006": ("undelivered", "dlr_16", 2),
    "0007": ("undelivered", "dlr_34", 1),  # Kannel's 32 and 2: failed, since it expired
    "0009": ("undelivered", "dlr_2", 1),
    "0008": ("delivered", "dlr_1", 2),     # the link drops before the answer: Kannel submits again, the same code
}


def code_of(text):
    return re.match(r"([0-9]{6}) is your code .*#\1$", text, re.DOTALL).group(1)


def international(phone):
    return phone.replace("-", "")


def every_end_is_told(openrd, smsc):
    members = dict(zip(ENDS, openrd.members(len(ENDS))))
    phones = {kind: f"65-8700{kind}" for kind in ENDS}
    kind_of = {account: kind for kind, account in members.items()}

    def ends():
        return {kind_of[message["AccountId"]]: message["State"] for message in openrd.outbox()}

    # What waits for its answer when the link drops is submitted again: that one goes alone, and what is never answered goes after it.
    for kinds in ([kind for kind in ENDS if kind not in ("0008", "0005")], ["0008"], ["0005"]):
        openrd.send([members[kind] for kind in kinds], [phones[kind] for kind in kinds])
        road.until(lambda: {phones[kind] for kind in kinds} <= {f"65-{message['to'][2:]}" for message in smsc.submitted()}, "the SMSC does not see every message")
        wanted = {kind: ENDS[kind][0] for kind in ends()}
        road.until(lambda: ends() == wanted, lambda: f"{ends()} and not {wanted}", every=0.5)
    for message in openrd.outbox():
        state, word, _ = ENDS[kind_of[message["AccountId"]]]
        shown = json.loads(openrd.command("outbox", "show", message["Id"]))
        steps = [(event["Kind"], event["Code"]) for event in shown["Events"]]
        assert message["To"] == shown["To"] == "65-8700****" and message["Channel"] == "carrier" and message["Segments"] == 1, shown
        # In this order or, when the receipt is faster than what was answered to the message, in the other.
        assert steps[0] == ("sending", "") and ("accepted", "0") in steps and (state == "accepted" or (f"receipt_{state}", word) in steps), shown
    assert openrd.outbox("--dead") == [], "what the carrier could not deliver is no dead letter"
    return phones


def of_a_thousand_none_is_lost_and_none_doubled(openrd, smsc):
    before, members = openrd.states(), openrd.members(MESSAGES)
    phones = [f"65-{81 + n // 100 if n < MESSAGES // 2 else 86 + n // 100}{n % 100:02}1111" for n in range(MESSAGES)]  # 81..85 and 91..95
    begun = time.monotonic()
    openrd.send(members, phones)
    wanted = before + collections.Counter(delivered=MESSAGES)
    road.until(lambda: openrd.states() == wanted, lambda: f"{openrd.states()} and not {wanted}", every=2)
    seconds = time.monotonic() - begun
    seen = collections.Counter(message["to"] for message in smsc.submitted())
    times = collections.Counter(seen[international(phone)] for phone in phones)
    assert times == {1: MESSAGES}, f"how many were seen how often: {times}"
    assert len(seen) == MESSAGES + len(ENDS), "numbers that were sent nothing"
    return dict(zip(phones, members)), seconds


def a_code_off_the_phone_binds_it(openrd, smsc, phones, phone):
    code = next(code_of(message["text"]) for message in smsc.submitted() if message["to"] == international(phone))
    openrd.call("BindSecureMobilePhone", {"AccountId": phones[phone], "SecureMobilePhone": phone, "VerificationCode": code})
    bound = openrd.call("GetAccount", {"AccountId": phones[phone]})["Account"]
    assert bound["SecureMobilePhone"], bound


def the_smsc_saw(smsc, phones):
    texts = collections.defaultdict(list)
    for message in smsc.submitted():
        assert message["from"] == "BIND" and message["coding"] == 0 and message["expires"], message
        texts[message["to"]].append(message["text"])
    for kind, phone in phones.items():
        assert len(texts[international(phone)]) == ENDS[kind][2], (kind, texts[international(phone)])
        assert len(set(texts[international(phone)])) == 1, kind


def nothing_is_written_down(openrd, kannel, smsc):
    written = {"openrd's log": openrd.log(), "Kannel's files": kannel.written()}
    for message in smsc.submitted():
        number, code = message["to"][2:], code_of(message["text"])
        for where, text in written.items():
            assert number not in text, f"a number is in {where}"
            # Six digits may be a part of something else.
            assert not re.search(rf"(?<![0-9A-Za-z.:-]){code}(?![0-9A-Za-z.:-])", text), f"a code is in {where}"
    for where, text in written.items():
        assert "is your code" not in text and (where != "openrd's log" or road.PASSWORD not in text), where


def main():
    try:
        road.check()
    except road.Missing as missing:
        print(f"SKIPPED: {missing}")
        sys.exit(77)
    with tempfile.TemporaryDirectory(prefix="openrd-carrier-") as name:
        folder = pathlib.Path(name)
        with road.Smsc(folder) as smsc, road.Kannel(smsc) as kannel:
            openrd = road.Openrd(BINARY, folder, kannel.url)
            with openrd.running():
                ends = every_end_is_told(openrd, smsc)
                print(f"ok: each of {len(ENDS)} ends is told")
                phones, seconds = of_a_thousand_none_is_lost_and_none_doubled(openrd, smsc)
                print(f"ok: {MESSAGES} messages, each seen once and delivered, in {seconds:.1f} s")
                a_code_off_the_phone_binds_it(openrd, smsc, phones, next(reversed(phones)))
                print("ok: a code from the phone binds it")
                the_smsc_saw(smsc, ends)
                assert smsc.binds() == 2, "only the link that was dropped was bound again"
            nothing_is_written_down(openrd, kannel, smsc)
            print("ok: no number and no code is in a log")


main()
