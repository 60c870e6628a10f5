//! Route tables: by which a subnet sends what is for the internet, and where that goes.
//!
//! Public subnets have the main table of their network, whose default route leads to its internet gateway.
//! Of the others, those that go out have one table of ours, which leads to the network's NAT gateway, and
//! those that are closed another, which leads nowhere. Both tables carry the id of their network in a tag.

use aws_sdk_ec2::types::{NatGateway, NatGatewayState, RouteTable};
use strat_model::{Departure, ErrorKind, Internet, Resource, ResourceState, Result, Spec};

use super::way::Way;
use crate::error::failed;
use crate::provider::{AwsProvider, filter};
use crate::setup::TABLE;
use crate::tags::{self, PART, PART_OF, Tags};

/// What a table of ours is for: the word in its tag.
pub(super) const OUTBOUND: &str = "outbound";
/// The same of closed subnets.
pub(super) const CLOSED: &str = "closed";

/// The route tables and NAT gateways of some networks.
#[derive(Debug, Default)]
pub(super) struct Routes {
    tables: Vec<RouteTable>,
    gateways: Vec<NatGateway>,
    /// Whether NAT gateways may not be looked at: then routes count as what they say.
    is_blind: bool,
}

/// What binds a subnet to a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bond {
    /// The association.
    pub(super) id: String,
    /// The table.
    pub(super) table: String,
}

impl AwsProvider {
    /// The route tables of these networks; with their NAT gateways, where any route leads to one.
    pub(super) async fn routes_in(&self, networks: &[&str]) -> Result<Routes> {
        let mut routes = self.tables_in(networks).await?;
        let leads_to_nat = |table: &RouteTable| Way::of(table).gateway().is_some();
        if routes.tables.iter().any(leads_to_nat) {
            match self.nat_gateways_in(networks).await {
                Ok(gateways) => routes.gateways = gateways,
                Err(error) if error.kind() == ErrorKind::Forbidden => routes.is_blind = true,
                Err(error) => return Err(error),
            }
        }
        Ok(routes)
    }

    /// The route tables of these networks, without a look at where they lead.
    pub(super) async fn tables_in(&self, networks: &[&str]) -> Result<Routes> {
        let mut routes = Routes::default();
        for networks in networks.chunks(crate::capabilities::IDS_PER_CALL as usize) {
            let mut pages = self
                .ec2()
                .describe_route_tables()
                .filters(filter("vpc-id", networks.iter().copied()))
                .into_paginator()
                .items()
                .send();
            while let Some(table) = pages.next().await {
                routes
                    .tables
                    .push(table.map_err(failed("ec2:DescribeRouteTables"))?);
            }
        }
        Ok(routes)
    }

    /// The NAT gateways in these networks, those too that are gone but still shown.
    pub(super) async fn nat_gateways_in(&self, networks: &[&str]) -> Result<Vec<NatGateway>> {
        let mut gateways = Vec::new();
        for networks in networks.chunks(crate::capabilities::IDS_PER_CALL as usize) {
            let mut pages = self
                .ec2()
                .describe_nat_gateways()
                .filter(filter("vpc-id", networks.iter().copied()))
                .into_paginator()
                .items()
                .send();
            while let Some(gateway) = pages.next().await {
                gateways.push(gateway.map_err(failed("ec2:DescribeNatGateways"))?);
            }
        }
        Ok(gateways)
    }
}

impl Routes {
    /// What binds a subnet to a table of its own, where something does.
    pub(super) fn bond(&self, subnet: &str) -> Option<Bond> {
        let bonds = self.tables.iter().flat_map(RouteTable::associations);
        let mut own = bonds.filter(|bond| bond.subnet_id() == Some(subnet));
        own.find_map(|bond| {
            Some(Bond {
                id: bond.route_table_association_id()?.to_owned(),
                table: bond.route_table_id()?.to_owned(),
            })
        })
    }

    /// The table of ours in a network that is for this.
    pub(super) fn ours(&self, network: &str, part: &str) -> Option<&RouteTable> {
        let mut tables = self.tables.iter();
        tables.find(|table| {
            let tags = tags::read(table.tags());
            table.vpc_id() == Some(network) && is_part(&tags, network, Some(part))
        })
    }

    /// The subnets that a table of ours is bound to.
    pub(super) fn users(table: &RouteTable) -> impl Iterator<Item = &str> {
        let bonds = table.associations().iter();
        bonds.filter_map(|bond| bond.subnet_id())
    }

    /// The NAT gateway of a network that is ours and works, or is about to.
    pub(super) fn live_gateway(&self, id: &str) -> Option<&NatGateway> {
        let mut gateways = self.gateways.iter();
        gateways.find(|one| one.nat_gateway_id() == Some(id) && is_alive(one))
    }

    /// Says of a subnet by which way its machines reach the internet, and what of its table is not of
    /// our making.
    pub(super) fn tell(&self, subnet: &mut Resource) {
        let Spec::Subnet(spec) = &subnet.spec else {
            return;
        };
        let network = spec.network.to_string();
        let bond = self.bond(subnet.id.as_str());
        let table = match &bond {
            Some(bond) => self.table(&bond.table),
            None => self.main(&network),
        };
        let (way, pends) = match table.map(|table| (Way::of(table), table)) {
            // That the main table has lost its way is told of the network.
            Some((Way::None, _)) if bond.is_none() => (Internet::Public, false),
            Some((_, table)) => self.way(table),
            None => (Internet::Public, false),
        };
        let foreign = table.filter(|table| {
            let tags = tags::read(table.tags());
            subnet.mark.is_some() && bond.is_some() && !is_part(&tags, &network, None)
        });
        if let Some(table) = foreign {
            let id = table.route_table_id().unwrap_or_default();
            let departure = Departure::new(id, "the one for its way to the internet");
            subnet.depart(TABLE, &departure);
        }
        if pends && subnet.mark.is_some() {
            subnet.state = ResourceState::Pending;
        }
        if let Spec::Subnet(spec) = &mut subnet.spec {
            spec.internet = Some(way);
        }
    }

    /// Where the main table of a network leads.
    pub(super) fn main_way(&self, network: &str) -> Option<Way> {
        self.main(network).map(Way::of)
    }

    /// Whether a network has a way out that no subnet uses.
    pub(super) fn is_unused(&self, network: &str) -> bool {
        let table = self.ours(network, OUTBOUND);
        table.is_some_and(|table| Self::users(table).next().is_none())
    }

    fn table(&self, id: &str) -> Option<&RouteTable> {
        let mut tables = self.tables.iter();
        tables.find(|table| table.route_table_id() == Some(id))
    }

    /// The main table of a network.
    fn main(&self, network: &str) -> Option<&RouteTable> {
        let mut tables = self.tables.iter();
        tables.find(|table| {
            let mut bonds = table.associations().iter();
            table.vpc_id() == Some(network) && bonds.any(|bond| bond.main() == Some(true))
        })
    }

    /// Where a table leads, and whether the gateway there is still being made. An internet gateway that
    /// is gone is told of the network; a NAT gateway that is gone leaves no way.
    fn way(&self, table: &RouteTable) -> (Internet, bool) {
        match Way::of(table) {
            Way::None => (Internet::None, false),
            Way::Works | Way::Broken => (Internet::Public, false),
            Way::Gone(_) => (Internet::None, false),
            Way::Elsewhere(id) if !id.starts_with("nat-") || self.is_blind => {
                (Internet::Outbound, false)
            }
            Way::Elsewhere(id) => match self.live_gateway(&id) {
                Some(gateway) => (
                    Internet::Outbound,
                    gateway.state() == Some(&NatGatewayState::Pending),
                ),
                None => (Internet::None, false),
            },
        }
    }
}

/// Whether something is a part of a network, and for this where that is asked.
pub(super) fn is_part(tags: &Tags, network: &str, part: Option<&str>) -> bool {
    let of = tags.get(PART_OF).map(String::as_str) == Some(network);
    of && part.is_none_or(|part| tags.get(PART).map(String::as_str) == Some(part))
}

/// Whether a NAT gateway works, or is about to.
pub(super) fn is_alive(gateway: &NatGateway) -> bool {
    let state = gateway.state();
    state == Some(&NatGatewayState::Available) || state == Some(&NatGatewayState::Pending)
}
