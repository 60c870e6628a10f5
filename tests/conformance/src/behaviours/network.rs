//! Networks, subnets, firewalls, addresses, and what they owe each other.

use std::collections::BTreeSet;

use strat_model::{
    AddressSpec, ErrorKind, Field, FirewallSpec, Kind, Peer, Resource, ResourceId, Spec,
    SubnetScope,
};

use super::{bench, passed_over};
use crate::bench::refused;
use crate::specs::{from_inside, labels, range, rule};
use crate::{Bench, Harness, Outcome};

/// Deleting a thing must be a conflict, and leave it as it was.
async fn stays(bench: &Bench<'_>, thing: &Resource, why: &str) {
    refused(bench.try_delete(thing).await, &[ErrorKind::Conflict], why);
    let kept = bench.ready(thing.kind(), &thing.id).await;
    assert_eq!(kept.fingerprint(), thing.fingerprint(), "{why}");
}

async fn looked_up(bench: &Bench<'_>, kind: Kind, id: &ResourceId) -> Resource {
    bench.look(kind, id).await.expect("it is there")
}

/// A network cannot be deleted while a subnet is in it.
pub async fn a_network_with_a_subnet_stays(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Network, Subnet);
    let ground = bench.ground().await;
    let network = looked_up(&bench, Kind::Network, &ground.network).await;
    stays(&bench, &network, "deleting a network with a subnet").await;
    let subnet = looked_up(&bench, Kind::Subnet, &ground.subnet).await;
    bench.delete(&subnet).await;
    bench.delete(&network).await;
    Outcome::Held
}

/// A subnet cannot be deleted while a machine is in it.
pub async fn a_subnet_with_a_machine_stays(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Subnet, Machine);
    let machine = bench.running("tenant").await;
    let subnet = looked_up(&bench, Kind::Subnet, &bench.ground().await.subnet).await;
    stays(&bench, &subnet, "deleting a subnet with a machine").await;
    bench.delete(&machine).await;
    bench.delete(&subnet).await;
    Outcome::Held
}

/// A firewall cannot be deleted while a machine carries it.
pub async fn a_firewall_on_a_machine_stays(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Firewall, Machine);
    let firewall = bench
        .create(&bench.spec(Kind::Firewall).await, "worn")
        .await;
    let mut spec = bench.machine().await;
    spec.firewalls.insert(firewall.id.clone());
    let machine = bench.create(&Spec::Machine(spec), "wearer").await;
    stays(
        &bench,
        &firewall,
        "deleting a firewall that a machine carries",
    )
    .await;
    bench.delete(&machine).await;
    bench.delete(&firewall).await;
    Outcome::Held
}

/// A firewall cannot be deleted while a rule of another names it; a rule of its own is no matter.
pub async fn a_firewall_in_a_rule_stays(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Firewall);
    let named = bench
        .create(&bench.spec(Kind::Firewall).await, "named")
        .await;
    let mut spec = bench.firewall().await;
    spec.rules
        .insert(rule("db", 5432, Peer::Firewall(named.id.clone())));
    let naming = bench.create(&Spec::Firewall(spec), "naming").await;
    stays(&bench, &named, "deleting a firewall that a rule names").await;
    bench.delete(&naming).await;
    bench.delete(&named).await;
    Outcome::Held
}

async fn set_rules(bench: &Bench<'_>, firewall: &Resource, spec: &FirewallSpec<ResourceId>) {
    let wanted = Spec::Firewall(spec.clone());
    bench.update(firewall, &wanted, &[Field::Rules]).await;
    let seen = bench.ready(Kind::Firewall, &firewall.id).await;
    bench.check_spec(&seen, &wanted);
}

/// Rules are added, changed and taken away in place, whatever others there are.
pub async fn rules_change_one_by_one(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Firewall);
    if !bench.can_change(Kind::Firewall, Field::Rules).await {
        return passed_over("rules cannot be changed in place");
    }
    let mut spec = bench.firewall().await;
    let firewall = bench.create(&Spec::Firewall(spec.clone()), "rules").await;
    spec.rules.insert(rule("https", 443, Peer::Internet));
    set_rules(&bench, &firewall, &spec).await;
    spec.rules.retain(|rule| rule.name != "http");
    set_rules(&bench, &firewall, &spec).await;
    spec.rules.retain(|rule| rule.name != "ssh");
    spec.rules.insert(rule("ssh", 2222, from_inside()));
    set_rules(&bench, &firewall, &spec).await;
    spec.rules = BTreeSet::new();
    set_rules(&bench, &firewall, &spec).await;
    Outcome::Held
}

/// A rule may name the firewall it is in, and another one.
pub async fn a_rule_may_name_firewalls(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Firewall);
    let other = bench
        .create(&bench.spec(Kind::Firewall).await, "other")
        .await;
    let mut spec = bench.firewall().await;
    let own = bench.create(&Spec::Firewall(spec.clone()), "own").await;
    spec.rules
        .insert(rule("peers", 7000, Peer::Firewall(own.id.clone())));
    spec.rules
        .insert(rule("web", 8080, Peer::Firewall(other.id.clone())));
    set_rules(&bench, &own, &spec).await;
    bench.delete(&own).await;
    bench.delete(&other).await;
    Outcome::Held
}

/// A subnet is in one zone, or in none, as the provider says; the other way is refused.
pub async fn subnets_span_what_they_should(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Subnet);
    let network = bench.ground().await.network.clone();
    let mut spec = bench.subnet(&network, 1).await;
    let made = bench.create(&spec, "right").await;
    let zonal = bench.provider.capabilities().subnets == SubnetScope::Zonal;
    assert_eq!(made.zone().is_some(), zonal);
    if let Spec::Subnet(subnet) = &mut spec {
        subnet.cidr = range(2);
        subnet.zone = if zonal {
            None
        } else {
            Some(bench.zone().await)
        };
    }
    refused(
        bench.try_create(&spec, "wrong").await,
        &[ErrorKind::Invalid],
        "the other scope",
    );
    Outcome::Held
}

/// A subnet's range is within its network's.
pub async fn a_subnet_lies_within_its_network(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Subnet);
    let network = bench.ground().await.network.clone();
    let mut spec = bench.subnet(&network, 1).await;
    if let Spec::Subnet(subnet) = &mut spec {
        subnet.cidr = "10.99.0.0/24".parse().expect("a range");
    }
    refused(
        bench.try_create(&spec, "outside").await,
        &[ErrorKind::Invalid],
        "a range outside",
    );
    Outcome::Held
}

/// Two subnets of a network do not overlap.
pub async fn subnets_do_not_overlap(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Subnet);
    let network = bench.ground().await.network.clone();
    let spec = bench.subnet(&network, 0).await;
    let kinds = [ErrorKind::Conflict, ErrorKind::Invalid];
    refused(
        bench.try_create(&spec, "overlap").await,
        &kinds,
        "a range that is taken",
    );
    Outcome::Held
}

fn leading_to(machine: Option<&Resource>) -> Spec<ResourceId> {
    Spec::Address(AddressSpec {
        attach: machine.map(|machine| machine.id.clone()),
        labels: labels(),
    })
}

/// An address is made unattached, leads to one machine, then to another, then to none, and stays
/// the same address.
pub async fn an_address_moves(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Address, Machine);
    let (one, two) = (bench.running("one").await, bench.running("two").await);
    let made = bench.create(&leading_to(Some(&one)), "moving").await;
    bench.check_spec(&made, &leading_to(None));
    let ip = made.attributes.get("ip").cloned();
    for machine in [Some(&one), Some(&one), Some(&two), None, Some(&one)] {
        let wanted = leading_to(machine);
        bench.update(&made, &wanted, &[Field::Attach]).await;
        let seen = bench.ready(Kind::Address, &made.id).await;
        bench.check_spec(&seen, &wanted);
        assert_eq!(seen.attributes.get("ip").cloned(), ip);
        if let Some(machine) = machine {
            let seen = bench.ready(Kind::Machine, &machine.id).await;
            assert_eq!(
                seen.attributes.get("public_ip").cloned(),
                ip,
                "the machine shows it"
            );
        }
    }
    bench.delete(&one).await;
    let seen = bench.ready(Kind::Address, &made.id).await;
    bench.check_spec(&seen, &leading_to(None));
    Outcome::Held
}

/// An address can be given back while it leads to a machine, which stays.
pub async fn an_attached_address_can_be_given_back(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Address, Machine);
    let machine = bench.running("host").await;
    let made = bench.create(&leading_to(None), "given").await;
    bench
        .update(&made, &leading_to(Some(&machine)), &[Field::Attach])
        .await;
    let attached = bench.ready(Kind::Address, &made.id).await;
    bench.delete(&attached).await;
    bench.ready(Kind::Machine, &machine.id).await;
    Outcome::Held
}
