"""aliyun-python-sdk-core with aliyun-python-sdk-resourcemanager: the classic generation, V1, 2020-03-31."""
import json

from aliyunsdkcore.acs_exception.exceptions import ServerException
from aliyunsdkcore.client import AcsClient
from aliyunsdkcore.request import CommonRequest
from aliyunsdkresourcemanager.request.v20200331.BindSecureMobilePhoneRequest import BindSecureMobilePhoneRequest
from aliyunsdkresourcemanager.request.v20200331.GetAccountRequest import GetAccountRequest
from aliyunsdkresourcemanager.request.v20200331.SendVerificationCodeForBindSecureMobilePhoneRequest import SendVerificationCodeForBindSecureMobilePhoneRequest

import flow
from server import ADMIN, Server


class Classic:
    def __init__(self, server, key):
        self._client, self._address = AcsClient(*key, "ap-southeast-1"), server.address

    def call(self, request):
        request.set_endpoint(self._address)
        request.set_protocol_type("http")
        request.set_accept_format("JSON")
        try:
            return json.loads(self._client.do_action_with_exception(request))
        except ServerException as error:
            raise flow.Refused(error.get_error_code(), error.get_error_msg(), error.get_request_id()) from error

    def send(self, account, phone):
        request = SendVerificationCodeForBindSecureMobilePhoneRequest()
        request.set_AccountId(account)
        request.set_SecureMobilePhone(phone)
        return self.call(request)

    def bind(self, account, phone, code):
        request = BindSecureMobilePhoneRequest()
        request.set_AccountId(account)
        request.set_SecureMobilePhone(phone)
        request.set_VerificationCode(code)
        return self.call(request)

    def account(self, account):
        request = GetAccountRequest()
        request.set_AccountId(account)
        return self.call(request)


class Common(Classic):
    """The same by CommonRequest, which needs no product package: GET with all in the query."""

    def common(self, action, **parameters):
        request = CommonRequest(domain=self._address, version="2022-04-19", action_name=action)
        request.set_method("GET")
        for name, value in parameters.items():
            request.add_query_param(name, value)
        return self.call(request)

    def send(self, account, phone):
        return self.common("SendVerificationCodeForBindSecureMobilePhone", AccountId=account, SecureMobilePhone=phone)

    def bind(self, account, phone, code):
        return self.common("BindSecureMobilePhone", AccountId=account, SecureMobilePhone=phone, VerificationCode=code)

    def account(self, account):
        return self.common("GetAccount", AccountId=account)


def main():
    with Server() as server:
        flow.bind_a_phone(server, Classic(server, ADMIN), "2020-03-31")
        server.reset()
        flow.bind_a_phone(server, Common(server, ADMIN), "2022-04-19")

        # This SDK takes the message apart to tell a wrong secret from a wrong calculation (protocol.md E.1).
        flow.refusal("InvalidAccessKeySecret", "The AccessKeySecret is incorrect.", Classic(server, (ADMIN[0], "wrong")).account, "1000000000000002")


main()
print("aliyun-python-sdk-core and aliyun-python-sdk-resourcemanager bind a phone")
