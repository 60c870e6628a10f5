//! The ways between machines and the internet.

use std::collections::BTreeSet;

use strat_model::{Field, Internet, Kind, MachineSpec, Means, Resource, Spec};

use super::{bench, passed_over};
use crate::{Bench, Harness, Outcome};

/// A subnet of the bench's network that has this way.
async fn subnet(bench: &Bench<'_>, index: u8, way: Internet) -> Spec<strat_model::ResourceId> {
    let network = bench.ground().await.network.clone();
    let mut spec = bench.subnet(&network, index).await;
    if let Spec::Subnet(subnet) = &mut spec {
        subnet.internet = Some(way);
    }
    spec
}

/// A subnet is made with each way that the site offers and reads back with it; and has another one in
/// place where the site says that this is a change in use.
pub async fn a_subnet_has_the_way_that_it_asks_for(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Network, Subnet);
    let ways: Vec<Internet> = bench.ways().choices.iter().copied().collect();
    if ways.is_empty() {
        return passed_over("subnets there all have one way to the internet");
    }
    for (index, way) in (2..).zip(&ways) {
        let spec = subnet(&bench, index, *way).await;
        let made = bench.create(&spec, &format!("way-{}", way.as_str())).await;
        let made = bench.ready(Kind::Subnet, &made.id).await;
        bench.check_spec(&made, &spec);
        // From each way to each other one, and back again.
        for other in ways.iter().filter(|other| *other != way) {
            for to in [*other, *way] {
                let to = subnet(&bench, index, to).await;
                let changes = bench.provider.changes();
                let fields = BTreeSet::from([Field::Internet]);
                let takes = changes.change(&made, &to.without_refs(), &fields);
                if takes.means != Means::Live {
                    continue;
                }
                bench.update(&made, &to, &[Field::Internet]).await;
                let seen = bench.ready(Kind::Subnet, &made.id).await;
                bench.check_spec(&seen, &to);
            }
        }
        bench.delete(&made).await;
    }
    Outcome::Held
}

/// What a site says of its ways holds together: its own is one that can be chosen, and machines say for
/// themselves only where subnets can be public.
pub async fn a_way_that_is_not_there_is_not_offered(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Subnet);
    let ways = bench.ways();
    let own = ways.resolve(None);
    if ways.choices.is_empty() {
        assert_eq!(own, Ok(None));
    } else {
        assert_eq!(own, Ok(Some(ways.own)));
        assert!(ways.choices.contains(&ways.own), "{ways:?}");
    }
    if ways.machines_choose() {
        let by_site = bench.provider.capabilities().public_ips;
        assert!(!by_site, "either the site or each machine says it");
    }
    Outcome::Held
}

/// Of two machines in one public subnet, that has a public address which asks for one; and it is given
/// and taken back in place where the site says so.
pub async fn machines_have_public_addresses_where_they_ask(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Network, Subnet, Machine);
    if !bench.ways().machines_choose() {
        return passed_over("machines there do not choose");
    }
    let spec = subnet(&bench, 5, Internet::Public).await;
    let public = bench.create(&spec, "open").await;
    let public = bench.ready(Kind::Subnet, &public.id).await;
    let machine = |asks: bool, of: MachineSpec<_>| {
        Spec::Machine(MachineSpec {
            subnet: public.id.clone(),
            public_ip: Some(asks),
            ..of
        })
    };
    let has_one = |seen: &Resource| seen.attributes.contains_key("public_ip");
    for asks in [true, false] {
        let (is, to) = (
            machine(asks, bench.machine().await),
            machine(!asks, bench.machine().await),
        );
        let made = bench.create(&is, &format!("asks-{asks}")).await;
        let made = bench.ready(Kind::Machine, &made.id).await;
        bench.check_spec(&made, &is);
        assert_eq!(has_one(&made), asks, "{made:?}");
        let fields = BTreeSet::from([Field::PublicIp]);
        let changes = bench.provider.changes();
        if changes.change(&made, &to.without_refs(), &fields).means == Means::Live {
            bench.update(&made, &to, &[Field::PublicIp]).await;
            let seen = bench.ready(Kind::Machine, &made.id).await;
            bench.check_spec(&seen, &to);
            assert_eq!(has_one(&seen), !asks, "{seen:?}");
        }
        bench.delete(&made).await;
    }
    bench.delete(&public).await;
    Outcome::Held
}
