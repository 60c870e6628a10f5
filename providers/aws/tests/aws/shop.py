"""Looks at the shop from outside, with the vendor's own client: shop.py ENDPOINT COMMAND.

foreign  makes things of every kind that are nobody's of ours, and prints their ids as JSON
check    fails unless the shop is as its topology says; --web N machines in the cloud
drift    changes things behind the shop's back
gone     fails if anything of the shop is left
kept     fails unless the foreign things (JSON on standard input) are as they were
"""

import json
import sys

import boto3

REGIONS = ["us-east-1", "eu-west-1"]
OURS = [{"Name": "tag-key", "Values": ["stratiform:owner"]}]
LIVE = {"Name": "instance-state-name", "Values": ["pending", "running", "stopping", "stopped"]}
endpoint, command, *rest = sys.argv[1:]


def client(service, region):
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, region_name=region, endpoint_url=endpoint, **keys)


def tags_of(thing):
    return {tag["Key"]: tag["Value"] for tag in thing.get("Tags", [])}


def machines(ec2, *filters):
    pages = ec2.get_paginator("describe_instances").paginate(Filters=[LIVE, *filters])
    return [i for page in pages for r in page["Reservations"] for i in r["Instances"]]


def ours(ec2):
    return machines(ec2, *OURS)


def foreign():
    ec2, s3 = client("ec2", "us-east-1"), client("s3", "us-east-1")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/24")["Subnet"]["SubnetId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    ec2.create_key_pair(KeyName="ops")
    s3.create_bucket(Bucket="assets")
    image = ec2.describe_images(Filters=[{"Name": "name", "Values": ["debian-12-*"]}])
    machine = ec2.run_instances(
        ImageId=image["Images"][0]["ImageId"], InstanceType="t3.micro", MinCount=1, MaxCount=1,
        SubnetId=subnet, SecurityGroupIds=[group], KeyName="ops",
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "web"}]}],
    )["Instances"][0]["InstanceId"]
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=8)["VolumeId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    print(json.dumps({"vpc": vpc, "subnet": subnet, "group": group, "machine": machine,
                      "volume": volume, "address": address, "state": foreign_state(vpc)}))


def foreign_state(vpc):
    ec2 = client("ec2", "us-east-1")
    here = [{"Name": "vpc-id", "Values": [vpc]}]
    return {
        "machines": sorted(i["InstanceId"] for i in machines(ec2, *here)),
        "subnets": sorted(s["SubnetId"] for s in ec2.describe_subnets(Filters=here)["Subnets"]),
        "groups": sorted(
            (g["GroupId"], len(g["IpPermissions"]), len(g["IpPermissionsEgress"]))
            for g in ec2.describe_security_groups(Filters=here)["SecurityGroups"]
        ),
        "defaults": sorted(
            (v["VpcId"], len(ec2.describe_subnets(
                Filters=[{"Name": "vpc-id", "Values": [v["VpcId"]]}])["Subnets"]))
            for v in ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]
        ),
    }


def kept():
    before = json.load(sys.stdin)
    ec2, s3 = client("ec2", "us-east-1"), client("s3", "us-east-1")
    after = json.loads(json.dumps(foreign_state(before["vpc"])))
    assert after == before["state"], (before["state"], after)
    ec2.describe_volumes(VolumeIds=[before["volume"]])
    ec2.describe_addresses(AllocationIds=[before["address"]])
    ec2.describe_key_pairs(KeyNames=["ops"])
    assert "assets" in [b["Name"] for b in s3.list_buckets()["Buckets"]]
    for thing in ["vpc", "subnet", "group", "volume"]:
        found = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [before[thing]]}])
        assert not found["Tags"], (thing, found["Tags"])


def check():
    web = int(rest[rest.index("--web") + 1])
    fleet = []
    for region in REGIONS:
        ec2 = client("ec2", region)
        vpcs = ec2.describe_vpcs(Filters=OURS)["Vpcs"]
        assert len(vpcs) == 1, vpcs
        vpc = vpcs[0]["VpcId"]
        assert vpcs[0]["CidrBlock"].endswith("/20")
        here = [{"Name": "vpc-id", "Values": [vpc]}]
        subnets = ec2.describe_subnets(Filters=here)["Subnets"]
        assert len(subnets) == 6, subnets
        assert len({s["AvailabilityZone"] for s in subnets}) == 3
        gateways = ec2.describe_internet_gateways(
            Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]
        assert len(gateways) == 1
        tables = ec2.describe_route_tables(
            Filters=[*here, {"Name": "association.main", "Values": ["true"]}])["RouteTables"]
        routes = {r.get("GatewayId") for r in tables[0]["Routes"]}
        assert gateways[0]["InternetGatewayId"] in routes, routes
        groups = {g["GroupName"]: g for g in ec2.describe_security_groups(Filters=here)["SecurityGroups"]}
        default = groups.pop("default")
        assert not default["IpPermissions"], "the default group admits nobody"
        assert len(groups) == 2, groups
        web_group = next(g for name, g in groups.items() if "-web-" in name)
        db_group = next(g for name, g in groups.items() if "-db-" in name)
        ports = sorted(p["FromPort"] for p in web_group["IpPermissions"])
        assert ports == [22, 80, 443], ports
        http = next(p for p in web_group["IpPermissions"] if p["FromPort"] == 80)
        assert [r["CidrIp"] for r in http["IpRanges"]] == ["0.0.0.0/0"]
        assert [r["CidrIpv6"] for r in http["Ipv6Ranges"]] == ["::/0"]
        postgres = db_group["IpPermissions"][0]
        assert (postgres["FromPort"], postgres["ToPort"]) == (5432, 5433)
        peers = [pair["GroupId"] for pair in postgres["UserIdGroupPairs"]]
        assert peers == [web_group["GroupId"]], peers
        for machine in ours(ec2):
            tags = tags_of(machine)
            assert machine["VpcId"] == vpc and tags["stratiform:owner"] == "shop", tags
            assert machine["MetadataOptions"]["HttpTokens"] == "required", machine
            assert machine["KeyName"].startswith("shop-ops-")
            assert machine.get("PublicIpAddress")
            if tags["stratiform:addr"].startswith("machines.web@"):
                assert tags["role"] == "web" and tags["env"] == "staging", tags
                fleet.append(machine)
    assert len(fleet) == web, (len(fleet), web)
    volumes = {v["VolumeId"]: v for v in client("ec2", "us-east-1").describe_volumes()["Volumes"]}
    for machine in fleet:
        if machine["Placement"]["AvailabilityZone"].startswith("us-east-1"):
            disks = [m["Ebs"]["VolumeId"] for m in machine["BlockDeviceMappings"]]
            assert [volumes[d]["Size"] for d in disks] == [40], disks
    gate()
    bucket()


def gate():
    ec2 = client("ec2", "us-east-1")
    machine = next(i for i in ours(ec2) if tags_of(i)["stratiform:addr"].startswith("machine.gate"))
    address = ec2.describe_addresses(Filters=OURS)["Addresses"]
    assert [a["InstanceId"] for a in address] == [machine["InstanceId"]], address
    volumes = ec2.describe_volumes(Filters=OURS)["Volumes"]
    assert [v["Size"] for v in volumes] == [20], volumes
    assert volumes[0]["VolumeType"] == "gp3"
    assert volumes[0]["Attachments"][0]["InstanceId"] == machine["InstanceId"]


def our_bucket(s3):
    return [b["Name"] for b in s3.list_buckets()["Buckets"] if b["Name"].startswith("shop-assets-")]


def bucket():
    s3 = client("s3", "us-east-1")
    [name] = our_bucket(s3)
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert all(block.values()) and len(block) == 4, block
    rules = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    tags = {t["Key"]: t["Value"] for t in s3.get_bucket_tagging(Bucket=name)["TagSet"]}
    assert tags["stratiform:owner"] == "shop", tags


def drift():
    ec2, s3 = client("ec2", "us-east-1"), client("s3", "us-east-1")
    web = [i for i in ours(ec2) if tags_of(i)["stratiform:addr"].startswith("machines.web@")]
    ec2.terminate_instances(InstanceIds=[web[0]["InstanceId"]])
    ec2.stop_instances(InstanceIds=[web[1]["InstanceId"]])
    ec2.create_tags(Resources=[web[2]["InstanceId"]], Tags=[{"Key": "role", "Value": "spy"}])
    groups = ec2.describe_security_groups(Filters=OURS)["SecurityGroups"]
    group = next(g for g in groups if "-web-" in g["GroupName"])
    everybody = [{"IpProtocol": "tcp", "FromPort": 3389, "ToPort": 3389,
                  "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    ec2.authorize_security_group_ingress(GroupId=group["GroupId"], IpPermissions=everybody)
    ssh = [p for p in group["IpPermissions"] if p["FromPort"] == 22]
    for permission in ssh:
        permission.pop("PrefixListIds", None)
    ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=ssh)
    address = ec2.describe_addresses(Filters=OURS)["Addresses"][0]
    ec2.disassociate_address(AssociationId=address["AssociationId"])
    [name] = our_bucket(s3)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"})


def gone():
    for region in REGIONS:
        ec2 = client("ec2", region)
        assert not ours(ec2), ours(ec2)
        for describe, key in [
            (ec2.describe_vpcs, "Vpcs"), (ec2.describe_subnets, "Subnets"),
            (ec2.describe_security_groups, "SecurityGroups"), (ec2.describe_addresses, "Addresses"),
            (ec2.describe_key_pairs, "KeyPairs"), (ec2.describe_volumes, "Volumes"),
            (ec2.describe_internet_gateways, "InternetGateways"),
        ]:
            left = describe(Filters=OURS)[key]
            assert not left, left
    assert not our_bucket(client("s3", "us-east-1"))


globals()[command]()
