#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes an IAM user that may do everything and prints its keys as JSON: the emulator verifies users' signatures, but not its root user's."""

import json

from emulator import client

USER = "bergfs-tests"
POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def main() -> None:
    iam = client("iam")
    iam.create_user(UserName=USER)
    iam.put_user_policy(UserName=USER, PolicyName="everything", PolicyDocument=json.dumps(POLICY))
    key = iam.create_access_key(UserName=USER)["AccessKey"]
    print(json.dumps({"accessKeyID": key["AccessKeyId"], "secretAccessKey": key["SecretAccessKey"]}))


main()
