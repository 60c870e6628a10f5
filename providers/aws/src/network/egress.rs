//! The way out of subnets that are not public: a NAT gateway for a network.
//!
//! A NAT gateway stands in a public subnet, and a topology need not have one. So it gets a subnet of its own,
//! of 16 addresses, in a range that no topology's network has: a second range of the VPC out of 100.64.0.0/10
//! (RFC 6598), picked by the VPC's id so that two networks can be peered. One gateway serves all zones of a
//! network, which costs less than one in each; traffic from other zones is charged as traffic between zones,
//! and the loss of its zone cuts off all of them.
//!
//! # Exactly once
//!
//! Each part carries the network's id in a tag, and is looked for before it is made. The call for the gateway
//! has a token made of its network and its address. So whatever was cut off is finished by a repetition, and
//! nothing is made twice. One turn at a time: the subnets of a network are made at once.

use std::net::Ipv4Addr;
use std::time::Duration;

use aws_sdk_ec2::types::{
    DomainType, NatGateway, NatGatewayState, ResourceType, RouteTable, Subnet, Vpc,
};
use ipnet::Ipv4Net;
use strat_model::{Digest, Error, ErrorKind, Internet, Name, ResourceId, Result};

use super::tables::{Bond, CLOSED, OUTBOUND, Routes, is_alive, is_part};
use super::vpc::ANYWHERE;
use super::way::Way;
use crate::error::{failed, is_gone, lacking, refuse, unless_gone};
use crate::provider::{AwsProvider, filter};
use crate::tags::{self, PART, PART_OF, Tags};

/// After how long a NAT gateway that is being made or ended is looked at again. Either takes a minute or so.
const AGAIN: Duration = Duration::from_secs(20);

/// The shared address space, of which a network takes a piece of this length.
const SHARED: Ipv4Net = Ipv4Net::new_assert(Ipv4Addr::new(100, 64, 0, 0), 10);
const PREFIX: u8 = 28;

/// What is not done yet: the same call passes later.
fn not_yet(message: String) -> Error {
    refuse(ErrorKind::Transient, message).with_retry_after(AGAIN)
}

fn part_tags(network: &ResourceId, part: &str) -> Tags {
    Tags::from([
        (tags::NAME.to_owned(), format!("{network}-{part}")),
        (PART_OF.to_owned(), network.to_string()),
        (PART.to_owned(), part.to_owned()),
    ])
}

/// The range for a network's NAT gateway: the piece that its id picks, or the next that is free.
fn range(network: &ResourceId, taken: &[Ipv4Net]) -> Ipv4Net {
    let count = 1_u32 << (PREFIX - SHARED.prefix_len());
    let digest = Digest::of_parts(["nat", network.as_str()]);
    let first = u32::from_str_radix(&digest.as_str()[..8], 16).unwrap_or_default() % count;
    let piece = |number: u32| {
        let offset = ((first + number) % count) << (32 - PREFIX);
        Ipv4Net::new_assert(Ipv4Addr::from(u32::from(SHARED.network()) + offset), PREFIX)
    };
    let is_free = |range: &Ipv4Net| !taken.iter().any(|other| other.contains(range));
    let mut pieces = (0..count).map(piece);
    pieces.find(is_free).unwrap_or(SHARED)
}

impl AwsProvider {
    /// Has a subnet route by the table for a way, which is made with all that it leads to where it is not
    /// there. `zone` is where a NAT gateway would be made.
    pub(super) async fn lead_subnet(
        &self,
        subnet: &ResourceId,
        network: &ResourceId,
        (way, zone): (Internet, &Name),
    ) -> Result<()> {
        let _turn = self.ways.lock().await;
        let routes = self.routes_in(&[network.as_str()]).await?;
        let table = match way {
            Internet::Public => None,
            Internet::None => Some(self.need_table(&routes, network, CLOSED).await?),
            Internet::Outbound => {
                let table = self.need_table(&routes, network, OUTBOUND).await?;
                self.lead_out(&routes, network, (&table, zone)).await?;
                Some(table)
            }
        };
        let bond = routes.bond(subnet.as_str());
        match (table, bond) {
            (None, None) => {}
            (None, Some(bond)) => self.unbind(bond).await?,
            (Some(table), None) => {
                let call = self.ec2().associate_route_table().route_table_id(table);
                let bound = call.subnet_id(subnet.as_str()).send().await;
                bound.map_err(self.failed("ec2:AssociateRouteTable"))?;
            }
            (Some(table), Some(bond)) if bond.table == table => {}
            (Some(table), Some(bond)) => {
                let call = self.ec2().replace_route_table_association();
                let call = call.association_id(bond.id).route_table_id(table);
                let led = call.send().await;
                led.map_err(self.failed("ec2:ReplaceRouteTableAssociation"))?;
            }
        }
        if way != Internet::Outbound {
            self.end_unused(network, None).await?;
        }
        Ok(())
    }

    /// Has a subnet route by the main table of its network.
    async fn unbind(&self, bond: Bond) -> Result<()> {
        let call = self.ec2().disassociate_route_table();
        let ended = call.association_id(bond.id).send().await.map(drop);
        unless_gone(ended.map_err(failed("ec2:DisassociateRouteTable")))
    }

    async fn need_table(
        &self,
        routes: &Routes,
        network: &ResourceId,
        part: &str,
    ) -> Result<String> {
        let there = routes.ours(network.as_str(), part);
        if let Some(id) = there.and_then(RouteTable::route_table_id) {
            return Ok(id.to_owned());
        }
        let tags = part_tags(network, part);
        let call = self
            .ec2()
            .create_route_table()
            .vpc_id(network.as_str())
            .tag_specifications(tags::specification(ResourceType::RouteTable, &tags));
        let answer = call.send().await;
        let answer = answer.map_err(self.failed("ec2:CreateRouteTable"))?;
        let id = answer.route_table().and_then(RouteTable::route_table_id);
        let id = id.ok_or_else(|| lacking("ec2:CreateRouteTable", "id"))?;
        Ok(id.to_owned())
    }

    /// Leads the outbound table of a network to a NAT gateway of ours that works.
    async fn lead_out(
        &self,
        routes: &Routes,
        network: &ResourceId,
        (table, zone): (&str, &Name),
    ) -> Result<()> {
        let way = routes.ours(network.as_str(), OUTBOUND).map(Way::of);
        if let Some(Way::Elsewhere(id)) = &way
            && routes.live_gateway(id).is_some()
        {
            return Ok(());
        }
        let gateways = self.nat_gateways_in(&[network.as_str()]).await?;
        let mut live = gateways.iter().filter(|one| {
            let tags = tags::read(one.tags());
            is_alive(one) && is_part(&tags, network.as_str(), None)
        });
        let gateway = match live.next().and_then(NatGateway::nat_gateway_id) {
            Some(id) => id.to_owned(),
            None => self.make_nat(network, zone).await?,
        };
        let led = if matches!(way, None | Some(Way::None)) {
            let call = self.ec2().create_route().route_table_id(table);
            let call = call.destination_cidr_block(ANYWHERE);
            let led = call.nat_gateway_id(&gateway).send().await;
            led.map(drop).map_err(failed("ec2:CreateRoute"))
        } else {
            let call = self.ec2().replace_route().route_table_id(table);
            let call = call.destination_cidr_block(ANYWHERE);
            let led = call.nat_gateway_id(&gateway).send().await;
            led.map(drop).map_err(failed("ec2:ReplaceRoute"))
        };
        match led {
            // EC2 takes no route to a gateway at first, though it was made.
            Err(error) if error.kind() == ErrorKind::NotFound => {
                Err(not_yet(format!("the NAT gateway {gateway} is being made")))
            }
            led => led,
        }
    }

    /// A NAT gateway for a network, and what it stands on.
    async fn make_nat(&self, network: &ResourceId, zone: &Name) -> Result<String> {
        let subnet = match self.nat_subnet(network).await? {
            Some(subnet) => subnet.subnet_id.unwrap_or_default(),
            None => self.make_nat_subnet(network, zone).await?,
        };
        let address = self.nat_addresses(network).await?.into_iter();
        let mut free = address.filter(|(_, is_used)| !is_used);
        let address = match free.next() {
            Some((address, _)) => address,
            None => self.make_nat_address(network).await?,
        };
        let token = Digest::of_parts(["nat", network.as_str(), &address]);
        let tags = part_tags(network, OUTBOUND);
        let call = self
            .ec2()
            .create_nat_gateway()
            .client_token(token.short())
            .subnet_id(subnet)
            .allocation_id(address)
            .tag_specifications(tags::specification(ResourceType::Natgateway, &tags));
        let answer = call.send().await;
        let answer = answer.map_err(self.failed("ec2:CreateNatGateway"))?;
        let id = answer.nat_gateway().and_then(NatGateway::nat_gateway_id);
        let id = id.ok_or_else(|| lacking("ec2:CreateNatGateway", "id"))?;
        Ok(id.to_owned())
    }

    /// The subnet of a network's NAT gateway.
    async fn nat_subnet(&self, network: &ResourceId) -> Result<Option<Subnet>> {
        let subnets = self.subnets_in(network).await?.into_iter();
        let mut own = subnets.filter(|one| is_nat_subnet(one, network));
        Ok(own.next())
    }

    async fn make_nat_subnet(&self, network: &ResourceId, zone: &Name) -> Result<String> {
        let call = self.ec2().describe_vpcs();
        let call = call.filters(filter("vpc-id", [network.as_str()]));
        let answer = call.send().await.map_err(failed("ec2:DescribeVpcs"))?;
        let ranges = answer.vpcs().iter();
        let ranges = ranges.flat_map(Vpc::cidr_block_association_set);
        let ranges: Vec<Ipv4Net> = ranges
            .filter_map(|one| one.cidr_block()?.parse().ok())
            .collect();
        let own = |range: &&Ipv4Net| range.prefix_len() == PREFIX && SHARED.contains(*range);
        let cidr = match ranges.iter().find(own) {
            Some(own) => *own,
            None => {
                let cidr = range(network, &ranges);
                let call = self.ec2().associate_vpc_cidr_block();
                let call = call.vpc_id(network.as_str()).cidr_block(cidr.to_string());
                let added = call.send().await;
                added.map_err(self.failed("ec2:AssociateVpcCidrBlock"))?;
                cidr
            }
        };
        let tags = part_tags(network, OUTBOUND);
        let call = self
            .ec2()
            .create_subnet()
            .vpc_id(network.as_str())
            .cidr_block(cidr.to_string())
            .availability_zone(zone.as_str())
            .tag_specifications(tags::specification(ResourceType::Subnet, &tags));
        let answer = call.send().await.map_err(self.failed("ec2:CreateSubnet"));
        let answer = answer.map_err(|error| match error.code() {
            Some("InvalidSubnet.Range") => not_yet(format!("{cidr} is being added to {network}")),
            _ => error,
        })?;
        let id = answer.subnet().and_then(Subnet::subnet_id);
        let id = id.ok_or_else(|| lacking("ec2:CreateSubnet", "id"))?;
        Ok(id.to_owned())
    }

    /// The addresses that were set aside for a network's NAT gateway, and whether each is used.
    async fn nat_addresses(&self, network: &ResourceId) -> Result<Vec<(String, bool)>> {
        let call = self.ec2().describe_addresses();
        let call = call.filters(filter(format!("tag:{PART_OF}"), [network.as_str()]));
        let answer = call.send().await.map_err(failed("ec2:DescribeAddresses"))?;
        let of = answer.addresses().iter().filter_map(|address| {
            let is_used = address.association_id().is_some_and(|id| !id.is_empty());
            Some((address.allocation_id()?.to_owned(), is_used))
        });
        Ok(of.collect())
    }

    async fn make_nat_address(&self, network: &ResourceId) -> Result<String> {
        let tags = part_tags(network, OUTBOUND);
        let call = self
            .ec2()
            .allocate_address()
            .domain(DomainType::Vpc)
            .tag_specifications(tags::specification(ResourceType::ElasticIp, &tags));
        let answer = call.send().await.map_err(failed("ec2:AllocateAddress"))?;
        let id = answer.allocation_id();
        let id = id.ok_or_else(|| lacking("ec2:AllocateAddress", "allocation id"))?;
        Ok(id.to_owned())
    }

    /// Takes away a way out of a network that a change was cut off from taking away.
    pub(super) async fn end_left_over(&self, network: &ResourceId) -> Result<()> {
        let _turn = self.ways.lock().await;
        self.end_unused(network, None).await
    }

    /// Takes the way out of a network away where no subnet uses it, but `leaving`. Its table goes last: as
    /// long as that is there, what is left of the way is known.
    ///
    /// # Errors
    /// `Transient` while the NAT gateway is going: its address and subnet are only then free.
    pub(super) async fn end_unused(
        &self,
        network: &ResourceId,
        leaving: Option<&ResourceId>,
    ) -> Result<()> {
        let routes = self.routes_in(&[network.as_str()]).await?;
        let Some(table) = routes.ours(network.as_str(), OUTBOUND) else {
            return Ok(());
        };
        let leaving = leaving.map(ResourceId::as_str);
        if Routes::users(table).any(|user| Some(user) != leaving) {
            return Ok(());
        }
        self.end_nat(network).await?;
        if let Some(bond) = leaving.and_then(|subnet| routes.bond(subnet)) {
            self.unbind(bond).await?;
        }
        self.end_table(table).await
    }

    /// Takes all parts of a network away, whatever is left of them.
    pub(super) async fn end_parts(&self, network: &ResourceId) -> Result<()> {
        let _turn = self.ways.lock().await;
        let routes = self.routes_in(&[network.as_str()]).await?;
        let out = routes.ours(network.as_str(), OUTBOUND);
        let closed = routes.ours(network.as_str(), CLOSED);
        if let Some(table) = out {
            self.end_nat(network).await?;
            self.end_table(table).await?;
        }
        match closed {
            Some(table) => self.end_table(table).await,
            None => Ok(()),
        }
    }

    async fn end_table(&self, table: &RouteTable) -> Result<()> {
        let call = self.ec2().delete_route_table();
        let ended = call.set_route_table_id(table.route_table_id.clone());
        let ended = ended.send().await.map(drop);
        unless_gone(ended.map_err(failed("ec2:DeleteRouteTable")))
    }

    async fn end_nat(&self, network: &ResourceId) -> Result<()> {
        let mut going = None;
        for gateway in self.nat_gateways_in(&[network.as_str()]).await? {
            let tags = tags::read(gateway.tags());
            let id = gateway.nat_gateway_id().unwrap_or_default();
            let is_over = matches!(
                gateway.state(),
                Some(NatGatewayState::Deleted | NatGatewayState::Failed)
            );
            if is_over || !is_part(&tags, network.as_str(), Some(OUTBOUND)) {
                continue;
            }
            if is_alive(&gateway) {
                let call = self.ec2().delete_nat_gateway().nat_gateway_id(id);
                let ended = call.send().await.map(drop);
                unless_gone(ended.map_err(failed("ec2:DeleteNatGateway")))?;
            }
            going = Some(id.to_owned());
        }
        for (address, _) in self.nat_addresses(network).await? {
            let call = self.ec2().release_address().allocation_id(&address);
            let ended = call.send().await.map(drop);
            match unless_gone(ended.map_err(failed("ec2:ReleaseAddress"))) {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    let what = going.as_deref().unwrap_or("of its address");
                    return Err(not_yet(format!("the NAT gateway {what} is being deleted")));
                }
                released => released?,
            }
        }
        if let Some(subnet) = self.nat_subnet(network).await? {
            let call = self.ec2().delete_subnet().set_subnet_id(subnet.subnet_id);
            match call.send().await.map_err(failed("ec2:DeleteSubnet")) {
                Err(error) if error.kind() == ErrorKind::Conflict => {
                    let what = going.as_deref().unwrap_or("in its subnet");
                    return Err(not_yet(format!("the NAT gateway {what} is being deleted")));
                }
                Err(error) if !is_gone(&error) => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

/// Whether a subnet is the one of its network's NAT gateway, and nothing of the topology's own.
pub(super) fn is_nat_subnet(subnet: &Subnet, network: &ResourceId) -> bool {
    is_part(&tags::read(subnet.tags()), network.as_str(), None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_a_range_of_its_own_that_stays() {
        let of = |id: &str, taken: &[Ipv4Net]| range(&ResourceId::from(id), taken);
        let one = of("vpc-1", &[]);
        assert!(SHARED.contains(&one) && one.prefix_len() == PREFIX, "{one}");
        assert_eq!(one, of("vpc-1", &[]));
        assert_ne!(one, of("vpc-2", &[]));
        let other = of("vpc-1", &[one]);
        assert!(SHARED.contains(&other) && other != one, "{other}");
    }
}
