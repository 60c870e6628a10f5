//! What a network has beyond its fields, where somebody changed it: told, and made good.

use std::collections::BTreeMap;

use aws_sdk_ec2::types::{AttributeBooleanValue, IpPermission, VpcAttributeName};
use futures::future::try_join_all;
use strat_model::{Departure, ErrorKind, Mark, Resource, ResourceId, Result};

use super::way::Way;
use crate::error::{failed, is_gone};
use crate::provider::{AwsProvider, filter};
use crate::setup::{GROUP, NAMES, RESOLUTION, ROUTE, WAY_OUT};
use crate::tags::{self, Tags};

/// Whether a network lacks its way to the internet, and somebody else leads it nowhere.
pub(super) fn is_half(network: &Resource) -> bool {
    let departures = network.departures();
    departures.get(ROUTE).is_some_and(|one| one.stays.is_none())
}

impl AwsProvider {
    /// Says what networks with a mark have that their making did not give them.
    pub(super) async fn tell_networks(&self, found: &mut [(Resource, Tags)]) -> Result<()> {
        let marked = found.iter().filter(|(network, _)| network.mark.is_some());
        let ids: Vec<String> = marked.map(|(network, _)| network.id.to_string()).collect();
        if ids.is_empty() {
            return Ok(());
        }
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let (routes, opened) = (self.tables_in(&ids).await?, self.opened(&ids).await?);
        for (network, tags) in found.iter_mut().filter(|(one, _)| one.mark.is_some()) {
            if routes.is_unused(network.id.as_str()) {
                network.depart(WAY_OUT, &Departure::new("used by no subnet", "none"));
            }
            match routes.main_way(network.id.as_str()) {
                Some(Way::Works) => {}
                Some(Way::Broken) => {
                    network.depart(ROUTE, &route("leading to a gateway that is gone"));
                }
                // Who adopts a network takes it with the way that it has.
                Some(Way::Elsewhere(_) | Way::Gone(_)) if !is_made(network, tags) => {}
                Some(Way::Elsewhere(id) | Way::Gone(id)) => {
                    let why = "somebody leads it there, and what runs may rely on it; lead it back with `aws \
                               ec2 replace-route`, or ignore changes of `setup`";
                    network.depart(ROUTE, &route(&format!("leading to {id}")).staying(why));
                }
                Some(Way::None) | None => {
                    // Who ends a gateway leaves the route to it; without either, the network was never
                    // whole: its making was cut off.
                    let is_new = self.gateways_of(&network.id).await?.is_empty();
                    let none = route("none");
                    let none = if is_new { none.unfinished() } else { none };
                    network.depart(ROUTE, &none);
                }
            }
            let rows = opened.get(network.id.as_str());
            if let Some(rows) = rows.filter(|_| is_made(network, tags)) {
                let departure = Departure::new(format!("admitting {rows}"), "admitting nobody");
                network.depart(GROUP, &departure);
            }
        }
        let made = found
            .iter_mut()
            .filter(|(network, tags)| is_made(network, tags));
        try_join_all(made.map(|(network, _)| self.tell_names(network))).await?;
        Ok(())
    }

    /// Says how names are resolved in a network of ours, where that was changed and may be looked at.
    async fn tell_names(&self, network: &mut Resource) -> Result<()> {
        let resolution = VpcAttributeName::EnableDnsSupport;
        if self.vpc_has(&network.id, resolution).await? == Some(false) {
            network.depart(RESOLUTION, &Departure::new("off", "on"));
        }
        let names = VpcAttributeName::EnableDnsHostnames;
        if self.vpc_has(&network.id, names).await? == Some(true) {
            let why = "private zones and endpoints there may rely on it; turn it off with `aws ec2 \
                       modify-vpc-attribute --no-enable-dns-hostnames`, or ignore changes of `setup`";
            network.depart(NAMES, &Departure::new("on", "off").staying(why));
        }
        Ok(())
    }

    /// An attribute of a VPC. `None` where it may not be looked at, or the VPC is gone.
    async fn vpc_has(&self, id: &ResourceId, attribute: VpcAttributeName) -> Result<Option<bool>> {
        let call = self.ec2().describe_vpc_attribute();
        let call = call.vpc_id(id.as_str()).attribute(attribute.clone());
        match call
            .send()
            .await
            .map_err(failed("ec2:DescribeVpcAttribute"))
        {
            Ok(answer) => {
                let value = match attribute {
                    VpcAttributeName::EnableDnsSupport => answer.enable_dns_support(),
                    _ => answer.enable_dns_hostnames(),
                };
                Ok(value.and_then(AttributeBooleanValue::value))
            }
            Err(error) if error.kind() == ErrorKind::Forbidden || is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has the network's own resolver answer again, where it does not.
    pub(super) async fn resolve(&self, network: &Resource) -> Result<()> {
        if !network.departures().contains_key(RESOLUTION) {
            return Ok(());
        }
        let on = AttributeBooleanValue::builder().value(true).build();
        let call = self.ec2().modify_vpc_attribute();
        let call = call.vpc_id(network.id.as_str()).enable_dns_support(on);
        let done = call.send().await;
        done.map(drop).map_err(failed("ec2:ModifyVpcAttribute"))
    }

    /// Whom the default groups of those VPCs admit, where that is anybody.
    async fn opened(&self, ids: &[&str]) -> Result<BTreeMap<String, String>> {
        let mut opened = BTreeMap::new();
        for ids in ids.chunks(crate::capabilities::IDS_PER_CALL as usize) {
            let mut pages = self
                .ec2()
                .describe_security_groups()
                .filters(filter("vpc-id", ids.iter().copied()))
                .filters(filter("group-name", ["default"]))
                .into_paginator()
                .items()
                .send();
            while let Some(group) = pages.next().await {
                let group = group.map_err(failed("ec2:DescribeSecurityGroups"))?;
                let rows: Vec<String> = group.ip_permissions().iter().map(admits).collect();
                let vpc = group.vpc_id().filter(|_| !rows.is_empty());
                opened.extend(vpc.map(|vpc| (vpc.to_owned(), rows.join(", "))));
            }
        }
        Ok(opened)
    }

    /// Makes the default security group of a network of ours admit nobody.
    pub(super) async fn close_default_group(&self, network: &ResourceId) -> Result<()> {
        let groups = self.groups_in(network).await?;
        let default = groups.iter().find(|g| g.group_name() == Some("default"));
        let Some(group) = default.filter(|group| !group.ip_permissions().is_empty()) else {
            return Ok(());
        };
        let call = self
            .ec2()
            .revoke_security_group_ingress()
            .set_group_id(group.group_id().map(str::to_owned))
            .set_ip_permissions(Some(group.ip_permissions().to_vec()));
        let revoked = call.send().await;
        match revoked.map_err(failed("ec2:RevokeSecurityGroupIngress")) {
            Err(error) if !is_gone(&error) => Err(error),
            _ => Ok(()),
        }
    }
}

/// Whether a network is one that we made: what was found and adopted keeps all but its route as it was.
pub(super) fn is_made(network: &Resource, tags: &Tags) -> bool {
    let is_ours = |mark: &Mark| !mark.is_adopted();
    tags.contains_key(tags::TOKEN) && network.mark.as_ref().is_some_and(is_ours)
}

/// A row of a security group, in words.
fn admits(row: &IpPermission) -> String {
    let protocol = match row.ip_protocol() {
        None | Some("-1") => "all",
        Some(protocol) => protocol,
    };
    let ports = match (row.from_port(), row.to_port()) {
        (Some(from), Some(to)) if from == to => format!(" {from}"),
        (Some(from), Some(to)) => format!(" {from}-{to}"),
        _ => String::new(),
    };
    let v4 = row.ip_ranges().iter().filter_map(|range| range.cidr_ip());
    let v6 = row
        .ipv6_ranges()
        .iter()
        .filter_map(|range| range.cidr_ipv6());
    let groups = row
        .user_id_group_pairs()
        .iter()
        .filter_map(|pair| pair.group_id());
    let peers: Vec<&str> = v4.chain(v6).chain(groups).collect();
    format!("{protocol}{ports} from {}", peers.join(" and "))
}

fn route(is: &str) -> Departure {
    Departure::new(is, "leading to its internet gateway")
}
