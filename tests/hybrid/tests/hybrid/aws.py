"""Looks at the shop's part at AWS from outside, with the vendor's own client: aws.py ENDPOINT COMMAND.

disturb  changes things behind the shop's back
gone     fails if anything of the shop is left
"""

import sys

import boto3

OURS = [{"Name": "tag-key", "Values": ["stratiform:owner"]}]
LIVE = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
endpoint, command = sys.argv[1:]
keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
ec2 = boto3.client("ec2", "us-east-1", endpoint_url=endpoint, **keys)
s3 = boto3.client("s3", "us-east-1", endpoint_url=endpoint, **keys)


def machines():
    found = ec2.describe_instances(Filters=[LIVE, *OURS])["Reservations"]
    return [one["InstanceId"] for some in found for one in some["Instances"]]


def disturb():
    ec2.create_tags(Resources=machines()[:1], Tags=[{"Key": "team", "Value": "others"}])
    groups = ec2.describe_security_groups(Filters=OURS)["SecurityGroups"]
    group = next(one for one in groups if "-web-" in one["GroupName"])
    everybody = [{"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389,
                  "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=everybody)


def gone():
    assert not machines(), machines()
    for describe, key in [
        (ec2.describe_vpcs, "Vpcs"), (ec2.describe_subnets, "Subnets"),
        (ec2.describe_security_groups, "SecurityGroups"), (ec2.describe_addresses, "Addresses"),
        (ec2.describe_key_pairs, "KeyPairs"), (ec2.describe_volumes, "Volumes"),
        (ec2.describe_internet_gateways, "InternetGateways"),
    ]:
        left = describe(Filters=OURS)[key]
        assert not left, left
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert not [name for name in buckets if name.startswith("shop-assets-")], buckets


globals()[command]()
