//! Rules of networks, subnets, firewalls and addresses.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use strat_model::{
    FirewallSpec, Kind, NetworkSpec, Peer, Protocol, ResourceId, Result, Spec, SubnetScope,
    SubnetSpec,
};

use super::Cloud;
use crate::error::Trouble;
use crate::world::Tx;

impl Cloud {
    pub(super) fn check_network(&self, network: &NetworkSpec) -> Result<()> {
        self.check_range(network.cidr)
    }

    pub(super) fn check_subnet(&self, tx: &Tx<'_>, subnet: &SubnetSpec<ResourceId>) -> Result<()> {
        let network = self.need(tx, Kind::Network, &subnet.network)?;
        self.check_range(subnet.cidr)?;
        if let Spec::Network(spec) = &network.spec
            && !spec.cidr.contains(&subnet.cidr)
        {
            let message = format!("{} is not within {} of its network", subnet.cidr, spec.cidr);
            return Err(self.fail(Trouble::BadRange, message));
        }
        match (&subnet.zone, self.capabilities.subnets) {
            (Some(zone), SubnetScope::Zonal) => self.check_zone(tx, zone)?,
            (None, SubnetScope::Regional) => {}
            (None, SubnetScope::Zonal) => {
                return Err(self.fail(Trouble::BadParameter, "a subnet here is in one zone"));
            }
            (Some(_), SubnetScope::Regional) => {
                return Err(self.fail(Trouble::BadParameter, "a subnet here spans all zones"));
            }
        }
        let overlap = tx
            .region()
            .users(&network.id)
            .find(|user| match &user.spec {
                Spec::Subnet(other) => overlaps(other.cidr, subnet.cidr),
                _ => false,
            });
        match overlap {
            None => Ok(()),
            Some(other) => {
                let message = format!("{} overlaps with the subnet {}", subnet.cidr, other.id);
                Err(self.fail(Trouble::Overlap, message))
            }
        }
    }

    fn check_range(&self, cidr: Ipv4Net) -> Result<()> {
        if cidr != cidr.trunc() {
            let message = format!("{cidr} has bits set behind its prefix");
            return Err(self.fail(Trouble::BadRange, message));
        }
        Ok(())
    }

    pub(super) fn check_rules(
        &self,
        tx: &Tx<'_>,
        firewall: &FirewallSpec<ResourceId>,
    ) -> Result<()> {
        let mut names = BTreeSet::new();
        for rule in &firewall.rules {
            if !names.insert((rule.direction, &rule.name)) {
                let message = format!("two rules are called `{}`", rule.name);
                return Err(self.fail(Trouble::BadParameter, message));
            }
            let has_ports = matches!(rule.protocol, Protocol::Tcp | Protocol::Udp);
            if !has_ports && !rule.ports.is_empty() {
                let message = format!("the protocol of rule `{}` has no ports", rule.name);
                return Err(self.fail(Trouble::BadParameter, message));
            }
            for peer in rule.peers.iter().filter_map(Peer::firewall) {
                self.check_firewall_of(tx, peer, &firewall.network)?;
            }
        }
        Ok(())
    }

    /// Fails unless the firewall is there and in that network.
    pub(super) fn check_firewall_of(
        &self,
        tx: &Tx<'_>,
        firewall: &ResourceId,
        network: &ResourceId,
    ) -> Result<()> {
        let thing = self.need(tx, Kind::Firewall, firewall)?;
        match &thing.spec {
            Spec::Firewall(spec) if spec.network != *network => {
                let message = format!("the firewall {firewall} is in another network");
                Err(self.fail(Trouble::BadParameter, message))
            }
            _ => Ok(()),
        }
    }
}

fn overlaps(one: Ipv4Net, other: Ipv4Net) -> bool {
    // Of two ranges with an address in common, one holds the other.
    one.contains(&other) || other.contains(&one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_overlap_when_one_holds_the_other() {
        let check = |a: &str, b: &str, expect| {
            let (a, b) = (a.parse().expect("a"), b.parse().expect("b"));
            assert_eq!(
                (overlaps(a, b), overlaps(b, a)),
                (expect, expect),
                "{a} {b}"
            );
        };
        check("10.0.0.0/16", "10.0.3.0/24", true);
        check("10.0.0.0/24", "10.0.1.0/24", false);
        check("0.0.0.0/0", "10.0.1.0/24", true);
        check("10.0.0.0/24", "10.0.0.0/24", true);
    }
}
