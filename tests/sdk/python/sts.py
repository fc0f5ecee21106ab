"""alibabacloud-sts20150401: who am I, a role, and a session of it that binds a phone."""
import datetime

from alibabacloud_actiontrail20200706 import models as trail_models
from alibabacloud_actiontrail20200706.client import Client as TrailClient
from alibabacloud_resourcedirectorymaster20220419 import models as directory_models
from alibabacloud_resourcedirectorymaster20220419.client import Client as DirectoryClient
from alibabacloud_sts20150401 import models
from alibabacloud_sts20150401.client import Client
from generated import SdkCalls, call, config

import flow
from server import ACCOUNT, ADMIN, Server


def main():
    with Server() as server:
        sts = Client(config(server, ADMIN))
        me = call(sts.get_caller_identity)
        assert (me["AccountId"], me["IdentityType"], me["Arn"]) == (ACCOUNT, "RAMUser", f"acs:ram::{ACCOUNT}:user/admin"), me
        assert me["UserId"] == me["PrincipalId"] and len(me["UserId"]) == 18, me

        role = call(sts.assume_role, models.AssumeRoleRequest(role_arn=f"acs:ram::{ACCOUNT}:role/operator", role_session_name="deploy", duration_seconds=900))
        assert role["AssumedRoleUser"]["Arn"] == f"acs:ram::{ACCOUNT}:role/operator/deploy", role
        credentials = role["Credentials"]
        assert credentials["AccessKeyId"].startswith("STS."), credentials
        expires = datetime.datetime.strptime(credentials["Expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.timezone.utc)
        assert datetime.timedelta(minutes=13) < expires - datetime.datetime.now(datetime.timezone.utc) <= datetime.timedelta(minutes=15), credentials
        session = (credentials["AccessKeyId"], credentials["AccessKeySecret"]), credentials["SecurityToken"]
        server.keep_secret(credentials["AccessKeySecret"], credentials["SecurityToken"])

        who = call(Client(config(server, *session)).get_caller_identity)
        assert (who["IdentityType"], who["Arn"]) == ("AssumedRoleUser", f"acs:ram::{ACCOUNT}:assumed-role/operator/deploy"), who
        assert who["PrincipalId"] == role["AssumedRoleUser"]["AssumedRoleId"] == f"{who['RoleId']}:deploy", who

        request_ids = flow.bind_a_phone(server, SdkCalls(DirectoryClient(config(server, *session)), directory_models), "2022-04-19")
        attribute = trail_models.LookupEventsRequestLookupAttribute(key="EventName", value="BindSecureMobilePhone")
        events = call(TrailClient(config(server, ADMIN)).lookup_events, trail_models.LookupEventsRequest(lookup_attribute=[attribute]))["Events"]
        flow.the_log_tells(events, request_ids, user_name="operator:deploy", access_key_id=session[0][0], user_type="assumed-role")


main()
print("alibabacloud-sts20150401 takes on a role whose session binds a phone")
