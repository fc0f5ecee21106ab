"""What the generated Python SDKs have in common."""
from alibabacloud_tea_openapi import utils_models
from darabonba.exceptions import DaraException

from flow import Refused


def config(server, key, token=None):
    return utils_models.Config(
        access_key_id=key[0], access_key_secret=key[1], security_token=token, endpoint=server.address, protocol="HTTP", region_id="ap-southeast-1")


def call(method, request=None):
    """The answer's body as the wire names it."""
    try:
        return (method(request) if request else method()).body.to_map()
    except DaraException as error:
        raise Refused(error.code, error.message, error.data["RequestId"]) from error


class SdkCalls:
    """The calls of flow.bind_a_phone, by a directory client and the models of its package."""

    def __init__(self, client, models):
        self._client, self._models = client, models

    def send(self, account, phone):
        request = self._models.SendVerificationCodeForBindSecureMobilePhoneRequest(account_id=account, secure_mobile_phone=phone)
        return call(self._client.send_verification_code_for_bind_secure_mobile_phone, request)

    def bind(self, account, phone, code):
        request = self._models.BindSecureMobilePhoneRequest(account_id=account, secure_mobile_phone=phone, verification_code=code)
        return call(self._client.bind_secure_mobile_phone, request)

    def account(self, account):
        return call(self._client.get_account, self._models.GetAccountRequest(account_id=account))
