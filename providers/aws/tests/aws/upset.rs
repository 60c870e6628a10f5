//! What somebody with the vendor's own client changes of what things are made with beyond their fields.

use aws_sdk_ec2::types::{
    AttributeBooleanValue, HttpTokensState, IamInstanceProfileSpecification, RouteTable,
};
use aws_sdk_s3::types::{
    ServerSideEncryption, ServerSideEncryptionByDefault, ServerSideEncryptionConfiguration,
    ServerSideEncryptionRule,
};
use strat_model::{Kind, Resource, ResourceId, Spec};

use crate::harness::Moto;

/// Changes what is told of a kind under a word. `false` for a word that nobody knows.
pub(crate) async fn change(moto: &Moto, thing: &Resource, what: &str) -> bool {
    let (ec2, id) = (moto.ec2().await, &thing.id);
    match (thing.kind(), what) {
        (Kind::Network, "default route") => end_route(&ec2, id).await,
        (Kind::Network, "way out") => leave_way_out(&ec2, id).await,
        (Kind::Network, "default security group") => open_default_group(&ec2, id).await,
        (Kind::Network, "DNS resolution") => {
            let call = ec2.modify_vpc_attribute().vpc_id(id.as_str());
            let call = call.enable_dns_support(switch(false)).send().await;
            call.expect("ModifyVpcAttribute");
        }
        (Kind::Network, "DNS host names") => {
            let call = ec2.modify_vpc_attribute().vpc_id(id.as_str());
            let call = call.enable_dns_hostnames(switch(true)).send().await;
            call.expect("ModifyVpcAttribute");
        }
        (Kind::Subnet, "route table") => {
            let table = lead_elsewhere(&ec2, thing).await;
            moto.tables.lock().expect("one at a time").push(table);
        }
        (Kind::Machine, "metadata tokens") => {
            let call = ec2.modify_instance_metadata_options();
            let call = call.instance_id(id.as_str());
            let call = call.http_tokens(HttpTokensState::Optional).send().await;
            call.expect("ModifyInstanceMetadataOptions");
        }
        (Kind::Machine, "source/destination check") => {
            let call = ec2.modify_instance_attribute().instance_id(id.as_str());
            let call = call.source_dest_check(switch(false)).send().await;
            call.expect("ModifyInstanceAttribute");
        }
        (Kind::Machine, "instance profile") => give_profile(moto, thing).await,
        (Kind::Machine, "volumes") => {
            attach_another(&ec2, thing).await;
        }
        (Kind::Volume, "operations a second") => {
            let call = ec2.modify_volume().volume_id(id.as_str()).iops(6_000);
            call.send().await.expect("ModifyVolume");
        }
        (Kind::Volume, "MiB a second") => {
            let call = ec2.modify_volume().volume_id(id.as_str());
            call.throughput(500).send().await.expect("ModifyVolume");
        }
        (Kind::Bucket, "public access") => {
            let call = moto.s3().await.delete_public_access_block();
            let call = call.bucket(id.as_str()).send().await;
            call.expect("DeletePublicAccessBlock");
        }
        (Kind::Bucket, "encryption") => {
            let call = moto.s3().await.delete_bucket_encryption();
            let call = call.bucket(id.as_str()).send().await;
            call.expect("DeleteBucketEncryption");
        }
        _ => return false,
    }
    true
}

/// Deletes the route tables that subnets were bound to: a VPC goes only without them.
pub(crate) async fn clear(moto: &Moto) {
    let tables = std::mem::take(&mut *moto.tables.lock().expect("one at a time"));
    for table in tables {
        let call = moto.ec2().await.delete_route_table();
        let call = call.route_table_id(table).send().await;
        call.expect("DeleteRouteTable");
    }
}

fn switch(on: bool) -> AttributeBooleanValue {
    AttributeBooleanValue::builder().value(on).build()
}

/// The route tables of which a filter says this.
async fn tables(ec2: &aws_sdk_ec2::Client, name: &str, value: &str) -> Vec<RouteTable> {
    let of = aws_sdk_ec2::types::Filter::builder()
        .name(name)
        .values(value);
    let tables = ec2.describe_route_tables().filters(of.build());
    let tables = tables.send().await.expect("DescribeRouteTables");
    tables.route_tables.unwrap_or_default()
}

/// Takes the default route of a network away.
pub(crate) async fn end_route(ec2: &aws_sdk_ec2::Client, network: &ResourceId) {
    let tables = tables(ec2, "vpc-id", network.as_str()).await;
    let is_main = |table: &&RouteTable| {
        let mut bonds = table.associations().iter();
        bonds.any(|bond| bond.main() == Some(true))
    };
    let main = tables.iter().find(is_main);
    let table = main.and_then(RouteTable::route_table_id);
    let call = ec2
        .delete_route()
        .set_route_table_id(table.map(str::to_owned));
    let call = call.destination_cidr_block("0.0.0.0/0").send().await;
    call.expect("DeleteRoute");
}

/// Leaves a network's way out to no subnet: they route by the main table again.
async fn leave_way_out(ec2: &aws_sdk_ec2::Client, network: &ResourceId) {
    let tables = tables(ec2, "vpc-id", network.as_str()).await;
    let bonds = tables.iter().flat_map(RouteTable::associations);
    for bond in bonds.filter(|bond| bond.main() != Some(true)) {
        let call = ec2.disassociate_route_table();
        let call = call.set_association_id(bond.route_table_association_id.clone());
        call.send().await.expect("DisassociateRouteTable");
    }
}

/// Admits everybody to what has no group of its own.
async fn open_default_group(ec2: &aws_sdk_ec2::Client, network: &ResourceId) {
    let groups = ec2.describe_security_groups().send().await;
    let groups = groups.expect("DescribeSecurityGroups");
    let default = groups.security_groups().iter().find(|group| {
        group.vpc_id() == Some(network.as_str()) && group.group_name() == Some("default")
    });
    let open = ec2.authorize_security_group_ingress();
    let open = open.set_group_id(default.and_then(|group| group.group_id().map(str::to_owned)));
    let open = open.ip_protocol("tcp").from_port(22).to_port(22);
    let open = open.cidr_ip("0.0.0.0/0").send().await;
    open.expect("AuthorizeSecurityGroupIngress");
}

/// Binds a subnet to a route table of its own, which is given.
pub(crate) async fn lead_elsewhere(ec2: &aws_sdk_ec2::Client, subnet: &Resource) -> String {
    let Spec::Subnet(spec) = &subnet.spec else {
        panic!("a subnet")
    };
    let table = ec2.create_route_table().vpc_id(spec.network.as_str());
    let table = table.send().await.expect("CreateRouteTable");
    let table = table.route_table().and_then(|table| table.route_table_id());
    let table = table.expect("an id").to_owned();
    // A subnet has one table of its own at most.
    let before = tables(ec2, "association.subnet-id", subnet.id.as_str()).await;
    let mut bonds = before.iter().flat_map(RouteTable::associations);
    match bonds.find(|bond| bond.subnet_id() == Some(subnet.id.as_str())) {
        Some(bond) => {
            let call = ec2.replace_route_table_association().route_table_id(&table);
            let call = call.set_association_id(bond.route_table_association_id.clone());
            call.send().await.expect("ReplaceRouteTableAssociation");
        }
        None => {
            let call = ec2.associate_route_table().route_table_id(&table);
            let call = call.subnet_id(subnet.id.as_str());
            call.send().await.expect("AssociateRouteTable");
        }
    }
    table
}

/// Has programs on a machine act in a role: a profile of the machine's name.
async fn give_profile(moto: &Moto, machine: &Resource) {
    let iam = aws_sdk_iam::Client::new(&moto.config().await);
    let profile = iam.create_instance_profile();
    let profile = profile.instance_profile_name(&machine.name).send().await;
    profile.expect("CreateInstanceProfile");
    let given = IamInstanceProfileSpecification::builder().name(&machine.name);
    let call = moto.ec2().await.associate_iam_instance_profile();
    let call = call.instance_id(machine.id.as_str());
    let call = call.iam_instance_profile(given.build()).send().await;
    call.expect("AssociateIamInstanceProfile");
}

/// Attaches a volume of nobody's topology to a machine; its id is given.
pub(crate) async fn attach_another(ec2: &aws_sdk_ec2::Client, machine: &Resource) -> String {
    let zone = machine.spec.zone().expect("a zone");
    let call = ec2.create_volume().availability_zone(zone.as_str()).size(8);
    let extra = call.send().await.expect("CreateVolume");
    let extra = extra.volume_id().expect("an id").to_owned();
    let call = ec2.attach_volume().volume_id(&extra).device("/dev/sdp");
    let call = call.instance_id(machine.id.as_str()).send().await;
    call.expect("AttachVolume");
    extra
}

/// Has a bucket encrypt new objects with another key.
pub(crate) async fn encrypt_with(moto: &Moto, bucket: &ResourceId, key: &str) {
    let by_default = ServerSideEncryptionByDefault::builder()
        .sse_algorithm(ServerSideEncryption::AwsKms)
        .kms_master_key_id(key)
        .build()
        .expect("a rule");
    let rule = ServerSideEncryptionRule::builder()
        .apply_server_side_encryption_by_default(by_default)
        .build();
    let rules = ServerSideEncryptionConfiguration::builder().rules(rule);
    let call = moto.s3().await.put_bucket_encryption();
    let call = call.bucket(bucket.as_str());
    let call = call.server_side_encryption_configuration(rules.build().expect("rules"));
    call.send().await.expect("PutBucketEncryption");
}
