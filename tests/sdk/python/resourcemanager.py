"""alibabacloud-resourcemanager20200331: Python tea, V3, 2020-03-31."""
from alibabacloud_resourcemanager20200331 import models
from alibabacloud_resourcemanager20200331.client import Client
from generated import SdkCalls, config

import flow
from server import ADMIN, Server


def main():
    with Server() as server:
        flow.bind_a_phone(server, SdkCalls(Client(config(server, ADMIN)), models), "2020-03-31")


main()
print("alibabacloud-resourcemanager20200331 binds a phone")
