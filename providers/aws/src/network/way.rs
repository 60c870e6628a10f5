//! Where the default route of a network leads.

use aws_sdk_ec2::types::{Route, RouteState, RouteTable};

use super::vpc::ANYWHERE;

/// Where a table sends what is for the internet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Way {
    /// It has no default route.
    None,
    /// To an internet gateway, as we make it.
    Works,
    /// To an internet gateway that is gone.
    Broken,
    /// To a NAT gateway, or something else, that is gone.
    Gone(String),
    /// To something else, such as a NAT gateway, a transit gateway or a firewall: somebody else's work.
    Elsewhere(String),
}

impl Way {
    /// The NAT gateway that it leads to, if it leads to one.
    pub(super) fn gateway(&self) -> Option<&str> {
        match self {
            Self::Elsewhere(id) | Self::Gone(id) => {
                Some(id.as_str()).filter(|id| id.starts_with("nat-"))
            }
            Self::None | Self::Works | Self::Broken => None,
        }
    }

    /// Where a table leads.
    pub(super) fn of(table: &RouteTable) -> Self {
        let mut routes = table.routes().iter();
        let route = routes.find(|route| route.destination_cidr_block() == Some(ANYWHERE));
        let Some(route) = route else {
            return Self::None;
        };
        let works = route.state() != Some(&RouteState::Blackhole);
        match target(route) {
            Some(id) if !id.starts_with("igw-") && works => Self::Elsewhere(id.to_owned()),
            Some(id) if id.starts_with("nat-") => Self::Gone(id.to_owned()),
            Some(id) if !id.starts_with("igw-") => Self::Elsewhere(id.to_owned()),
            _ if works => Self::Works,
            _ => Self::Broken,
        }
    }
}

/// What a route leads to.
fn target(route: &Route) -> Option<&str> {
    let ids = [
        route.nat_gateway_id(),
        route.transit_gateway_id(),
        route.vpc_peering_connection_id(),
        route.network_interface_id(),
        route.instance_id(),
        route.local_gateway_id(),
        route.carrier_gateway_id(),
        route.core_network_arn(),
        // A gateway load balancer's endpoint is told here, too.
        route.gateway_id(),
    ];
    ids.into_iter().flatten().find(|id| !id.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_leads_to_an_internet_gateway_is_of_our_making() {
        let check = |route: aws_sdk_ec2::types::builders::RouteBuilder, expect| {
            let route = route.destination_cidr_block(ANYWHERE).build();
            let table = RouteTable::builder().routes(route).build();
            assert_eq!(Way::of(&table), expect);
        };
        let route = || Route::builder().state(RouteState::Active);
        let elsewhere = |id: &str| Way::Elsewhere(id.to_owned());
        check(route().gateway_id("igw-1"), Way::Works);
        check(route().nat_gateway_id("nat-1"), elsewhere("nat-1"));
        check(route().gateway_id("vpce-1"), elsewhere("vpce-1"));
        let gone = || Route::builder().state(RouteState::Blackhole);
        check(gone().gateway_id("igw-1"), Way::Broken);
        check(
            gone().nat_gateway_id("nat-1"),
            Way::Gone("nat-1".to_owned()),
        );
        check(gone().transit_gateway_id("tgw-1"), elsewhere("tgw-1"));
        let local = Route::builder().destination_cidr_block("10.0.0.0/16");
        let table = RouteTable::builder().routes(local.build()).build();
        assert_eq!(Way::of(&table), Way::None);
    }
}
