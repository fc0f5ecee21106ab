"""alibabacloud-actiontrail20200706: what the log says of a binding, its filters, and its pages."""
from alibabacloud_actiontrail20200706 import models
from alibabacloud_actiontrail20200706.client import Client
from alibabacloud_resourcedirectorymaster20220419 import models as directory_models
from alibabacloud_resourcedirectorymaster20220419.client import Client as DirectoryClient
from generated import SdkCalls, call, config

import flow
from server import ADMIN, Server


def main():
    with Server() as server:
        request_ids = flow.bind_a_phone(server, SdkCalls(DirectoryClient(config(server, ADMIN)), directory_models), "2022-04-19")
        client = Client(config(server, ADMIN))

        def look_up(direction=None, max_results=None, next_token=None, **filters):
            attributes = [models.LookupEventsRequestLookupAttribute(key=key, value=value) for key, value in filters.items()]
            request = models.LookupEventsRequest(lookup_attribute=attributes, direction=direction, max_results=max_results, next_token=next_token)
            return call(client.lookup_events, request)

        binds = look_up(EventName="BindSecureMobilePhone")["Events"]
        flow.the_log_tells(binds, request_ids)

        everything = look_up()["Events"]
        assert [event["eventName"] for event in everything][-4:] == ["BindSecureMobilePhone"] * 3 + ["SendVerificationCodeForBindSecureMobilePhone"], everything
        assert look_up(EventId=binds[0]["eventId"])["Events"] == binds[:1]
        assert look_up(User="admin", EventName="BindSecureMobilePhone")["Events"] == binds
        assert look_up(EventAccessKeyId=ADMIN[0], EventRW="Write")["Events"] == [event for event in everything if event["eventRW"] == "Write"]
        assert look_up(User="nobody").get("Events") == []

        # Pages of one, from the oldest on.
        found, token = [], None
        while True:
            page = look_up(direction="FORWARD", max_results="1", next_token=token, EventName="BindSecureMobilePhone")
            assert len(page["Events"]) <= 1, page
            found += page["Events"]
            token = page.get("NextToken")
            if not token:
                break
        assert found == binds[::-1], found


main()
print("alibabacloud-actiontrail20200706 reads the log")
