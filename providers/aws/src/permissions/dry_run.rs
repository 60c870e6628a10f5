//! EC2's dry runs: "Checks whether you have the required permissions for the action, without
//! actually making the request, and provides an error response. If you have the required
//! permissions, the error response is `DryRunOperation`. Otherwise, it is `UnauthorizedOperation`."
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/CommonParameters.html>
//!
//! The things that the calls name are not there, so that a server that does not know of dry runs
//! finds nothing to change either. Only the image is a real one. EC2 does not say whether it looks
//! for a thing first; where it does, the dry run leaves the permission open.

use std::pin::Pin;

use aws_sdk_ec2::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_ec2::types::{
    DomainType, HttpTokensState, InstanceType, IpPermission, IpRange, SecurityGroupRuleDescription,
    Tag, VpcAttributeName,
};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use futures::stream::{StreamExt as _, TryStreamExt as _};
use strat_model::Result;
use strat_provider::{Images as _, PermissionState};

use super::{Answers, verdict};

use crate::provider::AwsProvider;

/// How many are under way at once.
const AT_ONCE: usize = 8;

/// Ids of the right shape that nothing has.
const ADDRESS: &str = "eipalloc-00000000000000000";
const ASSOCIATION: &str = "eipassoc-00000000000000000";
const GATEWAY: &str = "igw-00000000000000000";
const GROUP: &str = "sg-00000000000000000";
const GROUP_RULE: &str = "sgr-00000000000000000";
const IMAGE: &str = "ami-00000000000000000";
const INSTANCE: &str = "i-00000000000000000";
const INTERFACE: &str = "eni-00000000000000000";
const NAT: &str = "nat-00000000000000000";
const ROUTES: &str = "rtb-00000000000000000";
const ROUTING: &str = "rtbassoc-00000000000000000";
const SUBNET: &str = "subnet-00000000000000000";
const VOLUME: &str = "vol-00000000000000000";
const VPC: &str = "vpc-00000000000000000";
const KEY: &str = "stratiform-dry-run";
const EVERYWHERE: &str = "0.0.0.0/0";

/// A public key that nobody has the other half of.
const PUBLIC_KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9fKq1D1dR5N8T0nF2eJ4F1yZ5Xv0aQ7b8d3h6k2m9P";

type Asked<'a> = Pin<Box<dyn Future<Output = Result<(&'static str, PermissionState)>> + Send + 'a>>;

/// One dry run: the action, the client's method, and the setters of what it asks for.
macro_rules! dry {
    ($ec2:ident, $action:literal, $method:ident $(, $set:ident($($value:expr),*))*) => {{
        let call = $ec2.$method().dry_run(true)$(.$set($($value),*))*;
        let asked: Asked<'_> = Box::pin(async move {
            let state = of(concat!("ec2:", $action), call.send().await)?;
            Ok((concat!("ec2:", $action), state))
        });
        asked
    }};
}

/// What a dry run came to.
fn of<T, E>(
    action: &'static str,
    outcome: Result<T, SdkError<E, HttpResponse>>,
) -> Result<PermissionState>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match outcome {
        Err(error) if error.code() == Some("DryRunOperation") => Ok(PermissionState::Granted),
        Err(error) => verdict(action, error),
        // A read that was done after all was allowed.
        Ok(_) if action.starts_with("ec2:Describe") => Ok(PermissionState::Granted),
        Ok(_) => Ok(PermissionState::Unknown {
            why: format!("the endpoint did {action}, though it was asked for a dry run"),
        }),
    }
}

impl AwsProvider {
    /// A dry run of each action of EC2's that is ever used.
    pub(super) async fn dry_runs(&self) -> Result<Answers> {
        let image = self.any_image().await;
        let zone = format!("{}a", self.settings.region);
        let mut asked = self.seeing();
        asked.extend(self.making(&image, &zone));
        asked.extend(self.changing());
        asked.extend(self.deleting());
        futures::stream::iter(asked)
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// An image that is there, so that a launch is judged as one; or one that is not.
    async fn any_image(&self) -> String {
        let images = self.public_images().await.unwrap_or_default();
        let named = images.names().find_map(|name| images.get(name, None));
        named.map_or_else(|| IMAGE.to_owned(), ToString::to_string)
    }

    #[rustfmt::skip]
    fn seeing(&self) -> Vec<Asked<'_>> {
        let ec2 = self.ec2();
        vec![
            dry!(ec2, "DescribeAddresses", describe_addresses),
            dry!(ec2, "DescribeAvailabilityZones", describe_availability_zones),
            dry!(ec2, "DescribeImages", describe_images, owners("self")),
            dry!(ec2, "DescribeInstanceTypeOfferings", describe_instance_type_offerings, max_results(5)),
            dry!(ec2, "DescribeInstanceTypes", describe_instance_types, max_results(5)),
            dry!(ec2, "DescribeInstances", describe_instances, max_results(5)),
            dry!(ec2, "DescribeInternetGateways", describe_internet_gateways, max_results(5)),
            dry!(ec2, "DescribeKeyPairs", describe_key_pairs),
            dry!(ec2, "DescribeNatGateways", describe_nat_gateways, max_results(5)),
            dry!(ec2, "DescribeRouteTables", describe_route_tables, max_results(5)),
            dry!(ec2, "DescribeSecurityGroups", describe_security_groups, max_results(5)),
            dry!(ec2, "DescribeSpotPriceHistory", describe_spot_price_history, max_results(5)),
            dry!(ec2, "DescribeSubnets", describe_subnets, max_results(5)),
            dry!(ec2, "DescribeTags", describe_tags, max_results(5)),
            dry!(ec2, "DescribeVolumes", describe_volumes, max_results(5)),
            dry!(ec2, "DescribeVpcAttribute", describe_vpc_attribute, vpc_id(VPC), attribute(VpcAttributeName::EnableDnsSupport)),
            dry!(ec2, "DescribeVpcs", describe_vpcs, max_results(5)),
        ]
    }

    #[rustfmt::skip]
    fn making(&self, image: &str, zone: &str) -> Vec<Asked<'_>> {
        let ec2 = self.ec2();
        let tag = Tag::builder().key("stratiform:dry-run").value("").build();
        vec![
            dry!(ec2, "AllocateAddress", allocate_address, domain(DomainType::Vpc)),
            dry!(ec2, "CreateInternetGateway", create_internet_gateway),
            dry!(ec2, "CreateNatGateway", create_nat_gateway, subnet_id(SUBNET), allocation_id(ADDRESS)),
            dry!(ec2, "CreateRouteTable", create_route_table, vpc_id(VPC)),
            dry!(ec2, "CreateSecurityGroup", create_security_group, group_name(KEY), description(KEY), vpc_id(VPC)),
            dry!(ec2, "CreateSubnet", create_subnet, vpc_id(VPC), cidr_block("10.0.0.0/24")),
            dry!(ec2, "CreateTags", create_tags, resources(VPC), tags(tag)),
            dry!(ec2, "CreateVolume", create_volume, availability_zone(zone), size(1)),
            dry!(ec2, "CreateVpc", create_vpc, cidr_block("10.0.0.0/16")),
            dry!(ec2, "ImportKeyPair", import_key_pair, key_name(KEY), public_key_material(Blob::new(PUBLIC_KEY))),
            dry!(ec2, "RunInstances", run_instances, image_id(image), instance_type(InstanceType::T3Micro), min_count(1), max_count(1)),
        ]
    }

    #[rustfmt::skip]
    fn changing(&self) -> Vec<Asked<'_>> {
        let ec2 = self.ec2();
        let row = || {
            let range = IpRange::builder().cidr_ip(EVERYWHERE).build();
            let row = IpPermission::builder().ip_protocol("tcp").ip_ranges(range);
            row.from_port(1).to_port(1).build()
        };
        let words = || {
            let words = SecurityGroupRuleDescription::builder();
            words.security_group_rule_id(GROUP_RULE).description(KEY).build()
        };
        let tag = Tag::builder().key("stratiform:dry-run").build();
        vec![
            dry!(ec2, "AssociateAddress", associate_address, allocation_id(ADDRESS), instance_id(INSTANCE)),
            dry!(ec2, "AssociateRouteTable", associate_route_table, route_table_id(ROUTES), subnet_id(SUBNET)),
            dry!(ec2, "AttachInternetGateway", attach_internet_gateway, internet_gateway_id(GATEWAY), vpc_id(VPC)),
            dry!(ec2, "AttachVolume", attach_volume, device("/dev/sdf"), instance_id(INSTANCE), volume_id(VOLUME)),
            dry!(ec2, "AuthorizeSecurityGroupEgress", authorize_security_group_egress, group_id(GROUP), ip_permissions(row())),
            dry!(ec2, "AuthorizeSecurityGroupIngress", authorize_security_group_ingress, group_id(GROUP), ip_permissions(row())),
            dry!(ec2, "CreateRoute", create_route, route_table_id(ROUTES), destination_cidr_block(EVERYWHERE), gateway_id(GATEWAY)),
            dry!(ec2, "DeleteTags", delete_tags, resources(VPC), tags(tag)),
            dry!(ec2, "DetachInternetGateway", detach_internet_gateway, internet_gateway_id(GATEWAY), vpc_id(VPC)),
            dry!(ec2, "DetachVolume", detach_volume, volume_id(VOLUME)),
            dry!(ec2, "DisassociateAddress", disassociate_address, association_id(ASSOCIATION)),
            dry!(ec2, "DisassociateRouteTable", disassociate_route_table, association_id(ROUTING)),
            dry!(ec2, "ModifyInstanceAttribute", modify_instance_attribute, instance_id(INSTANCE), groups(GROUP)),
            dry!(ec2, "ModifyInstanceMetadataOptions", modify_instance_metadata_options, instance_id(INSTANCE), http_tokens(HttpTokensState::Required)),
            dry!(ec2, "ModifyNetworkInterfaceAttribute", modify_network_interface_attribute, network_interface_id(INTERFACE), associate_public_ip_address(false)),
            dry!(ec2, "ModifyVolume", modify_volume, volume_id(VOLUME), size(2)),
            dry!(ec2, "ReplaceRoute", replace_route, route_table_id(ROUTES), destination_cidr_block(EVERYWHERE), gateway_id(GATEWAY)),
            dry!(ec2, "ReplaceRouteTableAssociation", replace_route_table_association, association_id(ROUTING), route_table_id(ROUTES)),
            dry!(ec2, "RevokeSecurityGroupEgress", revoke_security_group_egress, group_id(GROUP), security_group_rule_ids(GROUP_RULE)),
            dry!(ec2, "RevokeSecurityGroupIngress", revoke_security_group_ingress, group_id(GROUP), security_group_rule_ids(GROUP_RULE)),
            dry!(ec2, "StartInstances", start_instances, instance_ids(INSTANCE)),
            dry!(ec2, "StopInstances", stop_instances, instance_ids(INSTANCE)),
            dry!(ec2, "UpdateSecurityGroupRuleDescriptionsEgress", update_security_group_rule_descriptions_egress, group_id(GROUP), security_group_rule_descriptions(words())),
            dry!(ec2, "UpdateSecurityGroupRuleDescriptionsIngress", update_security_group_rule_descriptions_ingress, group_id(GROUP), security_group_rule_descriptions(words())),
        ]
    }

    #[rustfmt::skip]
    fn deleting(&self) -> Vec<Asked<'_>> {
        let ec2 = self.ec2();
        vec![
            dry!(ec2, "DeleteInternetGateway", delete_internet_gateway, internet_gateway_id(GATEWAY)),
            dry!(ec2, "DeleteKeyPair", delete_key_pair, key_name(KEY)),
            dry!(ec2, "DeleteNatGateway", delete_nat_gateway, nat_gateway_id(NAT)),
            dry!(ec2, "DeleteRouteTable", delete_route_table, route_table_id(ROUTES)),
            dry!(ec2, "DeleteSecurityGroup", delete_security_group, group_id(GROUP)),
            dry!(ec2, "DeleteSubnet", delete_subnet, subnet_id(SUBNET)),
            dry!(ec2, "DeleteVolume", delete_volume, volume_id(VOLUME)),
            dry!(ec2, "DeleteVpc", delete_vpc, vpc_id(VPC)),
            dry!(ec2, "ReleaseAddress", release_address, allocation_id(ADDRESS)),
            dry!(ec2, "TerminateInstances", terminate_instances, instance_ids(INSTANCE)),
        ]
    }
}
