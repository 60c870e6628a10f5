//! Which of the permitted places is chosen, and what is said where there is none.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use strat_model::*;
use strat_planner::*;

use crate::common::*;

/// A fleet in a world of its own: no other machine, volume or bucket.
pub(crate) fn fleet(count: u32, change: impl FnOnce(&mut MachineIntent)) -> Intent {
    let mut intent = shop();
    let mut web = machines("machines.web", count);
    web.placement.spread = Spread::None;
    change(&mut web);
    intent.machines = vec![web];
    intent.volumes.clear();
    intent.buckets.clear();
    for site in sites() {
        let spec = SiteSpec {
            settings: serde_json::Map::new(),
            ..SiteSpec::new(site.clone(), "sim")
        };
        intent.sites.insert(site, spec);
    }
    intent
}

/// `site/zone type capacity xN` of every goal of the machines of a name.
pub(crate) fn goals(desired: &Desired, local: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for (addr, entry) in &desired.entries {
        for goal in &entry.goals {
            if let Spec::Machine(spec) = &goal.spec
                && addr.local.to_string().starts_with(local)
            {
                lines.push(format!(
                    "{}/{} {} {} x{}",
                    addr.site,
                    spec.zone,
                    spec.machine_type,
                    spec.capacity.as_str(),
                    goal.count
                ));
            }
        }
    }
    lines
}

pub(crate) fn web(intent: &Intent, facts: &Facts, world: &Inventory) -> Vec<String> {
    goals(
        &place(intent, facts, world).expect("a place"),
        "machines.web",
    )
}

pub(crate) fn refused(intent: &Intent, facts: &Facts) -> Diagnostic {
    let mut findings = place(intent, facts, &empty()).expect_err("no place");
    findings.remove(0).finding
}

pub(crate) fn reprice(facts: &mut Facts, site: &str, percent: i64) {
    for offer in &mut facts.get_mut(&name(site)).expect("site").offers {
        let price = offer.price_hour.as_mut().expect("a price");
        price.amount = price.amount * Decimal::from(percent) / Decimal::ONE_HUNDRED;
    }
}

#[test]
fn cost_takes_the_cheapest_site_and_order_the_first() {
    let mut facts = facts();
    reprice(&mut facts, "west", 90);
    let cloud = ["east", "west"].map(name).to_vec();
    let ordered = fleet(3, |web| web.placement.sites.clone_from(&cloud));
    assert_eq!(
        web(&ordered, &facts, &empty()),
        ["east/a medium on_demand x3"]
    );
    let cheap = fleet(3, |web| {
        web.placement.sites = cloud;
        web.placement.prefer = Preference::Cost;
    });
    assert_eq!(
        web(&cheap, &facts, &empty()),
        ["west/w1 medium on_demand x3"]
    );
}

#[test]
fn owned_hardware_comes_first_wherever_it_stands_in_the_order() {
    let intent = fleet(20, |web| {
        web.placement.sites.rotate_left(1);
        web.placement.prefer = Preference::Owned;
    });
    assert_eq!(
        web(&intent, &facts(), &empty()),
        [
            "dc1/rack1 flex-4-16384 owned x16",
            "east/a medium on_demand x4"
        ]
    );
}

#[test]
fn room_goes_to_who_has_nowhere_else_to_go() {
    // The first fleet likes dc1 best, and the second can be nowhere else.
    let mut intent = fleet(16, |_| {});
    let mut stuck = machines("machines.stuck", 10);
    stuck.placement.sites = vec![name("dc1")];
    intent.machines.insert(0, stuck);
    assert_eq!(
        web(&intent, &facts(), &empty()),
        [
            "dc1/rack1 flex-4-16384 owned x6",
            "east/a medium on_demand x10"
        ]
    );
}

#[test]
fn hardware_is_what_was_asked_for() {
    let mut facts = facts();
    let east = facts.get_mut(&name("east")).expect("east");
    let sold = east.offers[1].clone();
    for (machine_type, arch, gpus, gpu, cents) in [
        ("arm", "aarch64", 0, None, 1),
        ("t4", "x86_64", 1, Some("T4"), 90),
        ("a100", "x86_64", 8, Some("A100"), 99),
    ] {
        east.offers.push(Offer {
            machine_type: machine_type.to_owned(),
            arch: arch.to_owned(),
            gpus,
            gpu: gpu.map(str::to_owned),
            price_hour: format!("0.{cents:02} USD").parse().ok(),
            ..sold.clone()
        });
    }
    east.images
        .insert("debian-12", Some("aarch64"), ResourceId::from("img-arm"));
    let only = |change: fn(&mut HardwareIntent)| {
        let intent = fleet(1, |web| {
            web.placement.sites = vec![name("east")];
            change(&mut web.hardware);
        });
        web(&intent, &facts, &empty())
    };
    assert_eq!(only(|_| {}), ["east/a medium on_demand x1"]);
    let arm = only(|hardware| hardware.arch = Some("aarch64".to_owned()));
    assert_eq!(arm, ["east/a arm on_demand x1"]);
    assert_eq!(
        only(|hardware| hardware.gpus = 1),
        ["east/a t4 on_demand x1"]
    );
    let model = only(|hardware| {
        hardware.gpus = 2;
        hardware.gpu = Some("a100".to_owned());
    });
    assert_eq!(model, ["east/a a100 on_demand x1"]);
}

#[test]
fn only_sites_with_the_required_labels_will_do() {
    let mut intent = fleet(3, |web| {
        web.placement.require = Labels::from([("residency".to_owned(), "eu".to_owned())]);
    });
    assert_eq!(refused(&intent, &facts()).code, "no_site");
    let west = intent.sites.get_mut(&name("west")).expect("west");
    west.labels.insert("residency".to_owned(), "eu".to_owned());
    assert_eq!(
        web(&intent, &facts(), &empty()),
        ["west/w1 medium on_demand x3"]
    );
}

#[test]
fn any_site_may_be_lost_at_the_least_cost() {
    let mut facts = facts();
    reprice(&mut facts, "west", 200);
    let mut intent = fleet(6, |web| web.placement.survive = true);
    intent.machines[0].placement.prefer = Preference::Cost;
    // dc1 is paid for: 6 there, and 6 in the cheaper of the clouds.
    let desired = place(&intent, &facts, &empty()).expect("a place");
    assert_eq!(
        goals(&desired, "machines.web"),
        [
            "dc1/rack1 flex-4-16384 owned x6",
            "east/a medium on_demand x6"
        ]
    );
    // With room for 4 at dc1 the clouds make up for it: 4 + 3 + 3 would not do without dc1.
    facts.get_mut(&name("dc1")).expect("dc1").free = Some(Pool {
        cpu: 16,
        memory: Bytes::gib(64),
        disk: Bytes::gib(1024),
        ..Pool::default()
    });
    let total = |lost: &str| -> u32 {
        let desired = place(&intent, &facts, &empty()).expect("a place");
        let left = desired.entries.iter();
        left.filter(|(addr, _)| addr.local.to_string() == "machines.web" && addr.site != *lost)
            .map(|(_, entry)| entry.count())
            .sum()
    };
    for lost in ["dc1", "east", "west"] {
        assert!(total(lost) >= 6, "without {lost}: {}", total(lost));
    }
    // Nothing is moved or added when it is planned again.
    let world = realise(&place(&intent, &facts, &empty()).expect("a place"));
    let again = place(&intent, &facts, &world).expect("a place");
    let plan = diff(&again, &world, &facts, None, &DiffOptions::default());
    assert!(plan.is_empty(), "{:#?}", plan.changes);
}

#[test]
fn when_a_site_is_lost_what_is_left_need_not_make_up_for_another() {
    let mut facts = facts();
    facts.get_mut(&name("dc1")).expect("dc1").free = Some(Pool {
        cpu: 8,
        memory: Bytes::gib(32),
        disk: Bytes::gib(1024),
        ..Pool::default()
    });
    let mut intent = fleet(6, |web| {
        web.placement.survive = true;
        web.placement.sites = vec![name("dc1"), name("east"), name("west")];
    });
    let world = realise(&place(&intent, &facts, &empty()).expect("a place"));
    facts.get_mut(&name("dc1")).expect("dc1").free = Some(Pool::default());
    // Two at dc1 do not make up for the west, but six are still there.
    let lost = PlaceOptions {
        without: BTreeSet::from([name("east")]),
        ..PlaceOptions::default()
    };
    let desired = place_with(&intent, &facts, &world, &lost).expect("a place");
    assert_eq!(
        goals(&desired, "machines.web"),
        [
            "dc1/rack1 flex-4-16384 owned x2",
            "west/w1 medium on_demand x4"
        ]
    );
    // Asked for in peace, that is refused.
    intent.machines[0].placement.sites = vec![name("dc1"), name("west")];
    assert_eq!(refused(&intent, &facts).code, "no_capacity");
}

#[test]
fn at_one_site_any_zone_may_be_lost() {
    let intent = fleet(4, |web| {
        web.placement.sites = vec![name("east")];
        web.placement.survive = true;
    });
    assert_eq!(
        web(&intent, &facts(), &empty()),
        [
            "east/a medium on_demand x2",
            "east/b medium on_demand x2",
            "east/c medium on_demand x2"
        ]
    );
}

#[test]
fn a_loss_that_cannot_be_made_up_for_is_refused() {
    let intent = fleet(4, |web| {
        web.placement.sites = vec![name("dc1"), name("east")];
        web.placement.zone = Some(name("rack1"));
        web.placement.survive = true;
    });
    let finding = refused(&intent, &facts());
    assert!(finding.message.starts_with("4 of 4"), "{finding:?}");
}

#[test]
fn units_are_never_split() {
    let intent = fleet(10, |web| {
        web.placement.unit = 3;
        web.size = Size::AtLeast {
            cpu: 8,
            memory: Bytes::gib(32),
        };
    });
    // dc1 has room for 8: two units of three. The count is rounded up to four units.
    assert_eq!(
        web(&intent, &facts(), &empty()),
        [
            "dc1/rack1 flex-8-32768 owned x6",
            "east/a large on_demand x6"
        ]
    );
}

#[test]
fn balance_gives_each_site_its_weights_share() {
    let mut intent = fleet(12, |web| {
        web.placement.prefer = Preference::Balance;
        web.placement.weights = BTreeMap::from([(name("east"), 3), (name("west"), 2)]);
    });
    let balanced = [
        "dc1/rack1 flex-4-16384 owned x2",
        "east/a medium on_demand x6",
        "west/w1 medium on_demand x4",
    ];
    assert_eq!(web(&intent, &facts(), &empty()), balanced);
    let world = realise(&place(&intent, &facts(), &empty()).expect("a place"));
    intent.machines[0].count = 18;
    assert_eq!(
        web(&intent, &facts(), &world),
        [
            "dc1/rack1 flex-4-16384 owned x3",
            "east/a medium on_demand x9",
            "west/w1 medium on_demand x6"
        ]
    );
    // And back: it shrinks where there is most for the weight.
    let world = realise(&place(&intent, &facts(), &world).expect("a place"));
    intent.machines[0].count = 12;
    assert_eq!(web(&intent, &facts(), &world), balanced);
}

#[test]
fn machines_that_must_be_apart_never_share_a_zone() {
    let mut intent = fleet(0, |_| {});
    for text in ["machine.a", "machine.b", "machine.c"] {
        let mut machine = machines(text, 1);
        machine.placement.sites = vec![name("dc1"), name("east")];
        machine.placement.anti_affinity = Some(name("db"));
        intent.machines.insert(0, machine);
    }
    intent
        .machines
        .sort_by(|a, b| a.common.addr.cmp(&b.common.addr));
    let desired = place(&intent, &facts(), &empty()).expect("a place");
    assert_eq!(
        goals(&desired, "machine."),
        [
            "dc1/rack1 flex-4-16384 owned x1",
            "dc1/rack2 flex-4-16384 owned x1",
            "east/a medium on_demand x1"
        ]
    );
    let world = realise(&desired);
    let again = place(&intent, &facts(), &world).expect("a place");
    assert_eq!(goals(&again, "machine."), goals(&desired, "machine."));
    // A sixth finds every zone taken.
    for text in ["machine.d", "machine.e", "machine.f"] {
        let mut machine = machines(text, 1);
        machine.placement.sites = vec![name("dc1"), name("east")];
        machine.placement.anti_affinity = Some(name("db"));
        intent.machines.push(machine);
    }
    intent
        .machines
        .sort_by(|a, b| a.common.addr.cmp(&b.common.addr));
    let here = Origin {
        file: "shop.hcl".into(),
        start: 0,
        end: 1,
    };
    for machine in &mut intent.machines {
        machine.common.origins = std::sync::Arc::new(Origins {
            block: Some(here.clone()),
            attributes: Vec::new(),
        });
    }
    let finding = refused(&intent, &facts());
    let label = finding.labels[0].text.clone();
    assert!(
        label.contains("every zone has a machine of `db` already"),
        "{label}"
    );
}
