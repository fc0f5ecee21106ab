"""alibabacloud-resourcedirectorymaster20220419: Python tea, V3, 2022-04-19."""
from alibabacloud_resourcedirectorymaster20220419 import models
from alibabacloud_resourcedirectorymaster20220419.client import Client
from generated import SdkCalls, config

import flow
from server import ADMIN, Server


def main():
    with Server() as server:
        flow.bind_a_phone(server, SdkCalls(Client(config(server, ADMIN)), models), "2022-04-19")


main()
print("alibabacloud-resourcedirectorymaster20220419 binds a phone")
