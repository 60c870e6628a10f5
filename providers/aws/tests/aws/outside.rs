//! What somebody with the vendor's own client changes.

use aws_sdk_ec2::types::{
    AttributeValue, Instance, InstanceType, Reservation, RouteTable, Tag, VolumeType,
};
use aws_sdk_s3::types::{BucketVersioningStatus, Tagging, VersioningConfiguration};
use strat_conformance::{OutsideRows, Partners};
use strat_model::{Field, Kind, MachineSpec, Resource, ResourceId, Spec};

use crate::harness::Moto;

/// Every row: a VPC's range, say, is another only in another VPC.
pub(crate) const ROWS: OutsideRows = OutsideRows {
    promised: strat_aws::SETUP,
    immutable: &[
        (
            Kind::Network,
            "cidr",
            "the primary range of a VPC stays: https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html",
        ),
        (Kind::Subnet, "network", SUBNET),
        (Kind::Subnet, "cidr", SUBNET),
        (Kind::Subnet, "zone", SUBNET),
        (
            Kind::Firewall,
            "network",
            "the VPC of a group is said as it is made: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSecurityGroup.html",
        ),
        (
            Kind::Keypair,
            "public_key",
            "no call changes a key pair: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ImportKeyPair.html",
        ),
        (
            Kind::Machine,
            "capacity",
            "on demand or spot is said at launch: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMarketOptionsRequest.html",
        ),
        (
            Kind::Machine,
            "zone",
            "no parameter moves an instance to another zone: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstancePlacement.html",
        ),
        (
            Kind::Machine,
            "subnet",
            "the primary network interface cannot be detached: https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-eni.html",
        ),
        (
            Kind::Machine,
            "keypair",
            "no attribute: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html",
        ),
        (Kind::Machine, "encryption", ENCRYPTION),
        (
            Kind::Volume,
            "zone",
            "no parameter: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyVolume.html",
        ),
        (Kind::Volume, "encryption", ENCRYPTION),
    ],
    changed: 35,
};

/// Why a subnet stays as it was made, but for its tags.
const SUBNET: &str = "no parameter: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html";

/// Why a disk stays as it is encrypted.
const ENCRYPTION: &str = "it is chosen as the disk is made: https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html";

/// Changes a field of a thing, where EC2 or S3 have a call that does.
pub(crate) async fn change(
    moto: &Moto,
    thing: &Resource,
    field: Field,
    partners: &Partners,
) -> bool {
    let (ec2, id) = (moto.ec2().await, thing.id.as_str());
    match (&thing.spec, field) {
        (Spec::Bucket(_), Field::Labels) => tag_bucket(moto, id).await,
        (_, Field::Labels) => {
            let id = tagged(&ec2, thing).await;
            let tag = Tag::builder().key("cost-center").value("7").build();
            let call = ec2.create_tags().resources(id).tags(tag);
            call.send().await.expect("CreateTags");
        }
        (Spec::Firewall(_), Field::Rules) => {
            let call = ec2.authorize_security_group_ingress().group_id(id);
            let call = call.ip_protocol("tcp").from_port(22).to_port(22);
            let call = call.cidr_ip("192.0.2.0/24");
            call.send().await.expect("AuthorizeSecurityGroupIngress");
        }
        (Spec::Subnet(_), Field::Internet) => {
            // It routes by the main table, as public ones do.
            let of = aws_sdk_ec2::types::Filter::builder();
            let of = of.name("association.subnet-id").values(id).build();
            let found = ec2.describe_route_tables().filters(of).send().await;
            let found = found.expect("DescribeRouteTables");
            let bonds = found
                .route_tables()
                .iter()
                .flat_map(RouteTable::associations);
            for bond in bonds.filter(|bond| bond.subnet_id() == Some(id)) {
                let call = ec2.disassociate_route_table();
                let call = call.set_association_id(bond.route_table_association_id.clone());
                call.send().await.expect("DisassociateRouteTable");
            }
        }
        (Spec::Machine(_), Field::PublicIp) => {
            let call = ec2.describe_instances().instance_ids(id);
            let found = call.send().await.expect("DescribeInstances");
            let mut machines = found.reservations().iter().flat_map(Reservation::instances);
            let interface = machines.next().and_then(|one| {
                let first = one.network_interfaces().first()?;
                first.network_interface_id().map(str::to_owned)
            });
            let call = ec2.modify_network_interface_attribute();
            let call = call.set_network_interface_id(interface);
            let call = call.associate_public_ip_address(true);
            call.send().await.expect("ModifyNetworkInterfaceAttribute");
        }
        (Spec::Address(_), Field::Attach) => {
            let call = ec2.associate_address().allocation_id(id);
            let call = call.instance_id(partners.machine.as_str());
            call.send().await.expect("AssociateAddress");
        }
        (Spec::Machine(machine), Field::MachineType | Field::Cpu | Field::Memory) => {
            resize(&ec2, id, machine).await;
        }
        (Spec::Machine(_), Field::Firewalls) => {
            let call = ec2.modify_instance_attribute().instance_id(id);
            let call = call.groups(partners.firewall.as_str());
            call.send().await.expect("ModifyInstanceAttribute");
        }
        (Spec::Machine(_), Field::Disks) => {
            let call = ec2.describe_instances().instance_ids(id);
            let found = call.send().await.expect("DescribeInstances");
            let mut disks = found
                .reservations()
                .iter()
                .flat_map(Reservation::instances)
                .flat_map(Instance::block_device_mappings);
            let disk = disks.next().and_then(|disk| disk.ebs()?.volume_id());
            let call = ec2.modify_volume().volume_id(disk.expect("a disk"));
            call.size(20).send().await.expect("ModifyVolume");
        }
        (Spec::Volume(volume), Field::Size) => {
            let gib = i32::try_from(volume.size.ceil_gib() + 10).expect("a size");
            let call = ec2.modify_volume().volume_id(id).size(gib);
            call.send().await.expect("ModifyVolume");
        }
        (Spec::Volume(_), Field::Class) => {
            let call = ec2.modify_volume().volume_id(id);
            let call = call.volume_type(VolumeType::Standard);
            call.send().await.expect("ModifyVolume");
        }
        (Spec::Volume(_), Field::Attach) => {
            let call = ec2.attach_volume().volume_id(id).device("/dev/sdp");
            let call = call.instance_id(partners.machine.as_str());
            call.send().await.expect("AttachVolume");
        }
        (Spec::Bucket(_), Field::Versioning) => {
            let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled);
            let call = moto.s3().await.put_bucket_versioning().bucket(id);
            let call = call.versioning_configuration(on.build());
            call.send().await.expect("PutBucketVersioning");
        }
        _ => return false,
    }
    true
}

/// The id that tags go by: a key pair's is not its name.
async fn tagged(ec2: &aws_sdk_ec2::Client, thing: &Resource) -> String {
    if thing.kind() != Kind::Keypair {
        return thing.id.to_string();
    }
    let call = ec2.describe_key_pairs().key_names(&thing.name);
    let found = call.send().await.expect("DescribeKeyPairs");
    let id = found.key_pairs().first().and_then(|key| key.key_pair_id());
    id.expect("an id").to_owned()
}

/// Puts a tag beside those of a bucket.
async fn tag_bucket(moto: &Moto, bucket: &str) {
    let s3 = moto.s3().await;
    let tags = s3.get_bucket_tagging().bucket(bucket).send().await;
    let mut tags = tags.expect("GetBucketTagging").tag_set().to_vec();
    let tag = aws_sdk_s3::types::Tag::builder()
        .key("cost-center")
        .value("7");
    tags.push(tag.build().expect("a tag"));
    let tagging = Tagging::builder().set_tag_set(Some(tags)).build();
    let call = s3.put_bucket_tagging().bucket(bucket);
    let call = call.tagging(tagging.expect("tags"));
    call.send().await.expect("PutBucketTagging");
}

/// Another size, the usual way: stop, change, start.
async fn resize(ec2: &aws_sdk_ec2::Client, id: &str, machine: &MachineSpec<ResourceId>) {
    let to = match machine.machine_type.as_str() {
        "t3.xlarge" => InstanceType::T32xlarge,
        _ => InstanceType::T3Xlarge,
    };
    let stop = ec2.stop_instances().instance_ids(id);
    stop.send().await.expect("StopInstances");
    let value = AttributeValue::builder().value(to.as_str()).build();
    let call = ec2.modify_instance_attribute().instance_id(id);
    let call = call.instance_type(value);
    call.send().await.expect("ModifyInstanceAttribute");
    let start = ec2.start_instances().instance_ids(id);
    start.send().await.expect("StartInstances");
}
