"""Users with the documented policy, and with all of it but one action: iam.py ENDPOINT POLICY.

Prints {"all": [key, secret], "without": {action: [key, secret]}, "half": [{"lacks": [action],
"key": [key, secret]}]} and switches moto's checks on:
from then on signatures and policies count.
"""

import copy
import json
import sys
import urllib.request

import boto3

endpoint, policy_file = sys.argv[1:]
with open(policy_file, encoding="utf-8") as file:
    whole = json.load(file)
iam = boto3.client(
    "iam", region_name="us-east-1", endpoint_url=endpoint,
    aws_access_key_id="test", aws_secret_access_key="test",
)

# Where moto's name of an action is another than IAM's own.
ALSO = {"tag:GetResources": ["tagging:GetResources"]}


def user(name, policy):
    for statement in policy["Statement"]:
        own = statement["Action"]
        statement["Action"] = own + [also for action in own for also in ALSO.get(action, [])]
    iam.create_user(UserName=name)
    iam.put_user_policy(UserName=name, PolicyName="strat", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return [key["AccessKeyId"], key["SecretAccessKey"]]


actions = sorted(action for statement in whole["Statement"] for action in statement["Action"])
without = {}


def lacking(name, lacks):
    policy = copy.deepcopy(whole)
    for statement in policy["Statement"]:
        statement["Action"] = [action for action in statement["Action"] if action not in lacks]
    return user(name, policy)


for number, action in enumerate(actions):
    without[action] = lacking(f"without{number}", [action])
half = [
    {"lacks": actions[start::2], "key": lacking(f"half{start}", actions[start::2])}
    for start in range(2)
]
print(json.dumps({"all": lacking("all", []), "without": without, "half": half}))
urllib.request.urlopen(
    urllib.request.Request(
        f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"},
        method="POST",
    )
).read()
