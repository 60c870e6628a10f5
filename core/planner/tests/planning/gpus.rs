//! GPUs of one's own.

use strat_model::*;
use strat_planner::*;

use crate::choosing::{fleet, web};
use crate::common::*;

/// The facts of the sites, where dc1 has so many GPUs of a model in its first rack, two in one machine.
fn with_gpus(model: &str, free: u64) -> Facts {
    let mut facts = facts();
    let dc1 = facts.get_mut("dc1").expect("dc1");
    let gpus = [(model.to_owned(), 2)].into_iter();
    let sizes = FlexSize::usual((8, Bytes::gib(32)), gpus);
    let rack = dc1.zones[0].clone();
    dc1.offers = sizes
        .map(|size| size.offer(&rack, "x86_64", None))
        .collect();
    let pool = dc1.free.as_mut().expect("it is bounded");
    pool.gpus.insert(model.to_owned(), free);
    facts
}

/// A fleet whose machines want so many GPUs, at these sites.
fn wanting(count: u32, gpus: u32, sites: &[&str]) -> Intent {
    fleet(count, |web| {
        web.placement.sites = sites.iter().map(|site| name(site)).collect();
        web.hardware.gpus = gpus;
    })
}

#[test]
fn own_gpus_are_counted_and_go_to_who_asks_for_them() {
    let facts = with_gpus("L4", 3);
    let plain = wanting(16, 0, &["dc1"]);
    assert_eq!(
        web(&plain, &facts, &empty()),
        ["dc1/rack1 flex-4-16384 owned x16"]
    );
    let three = wanting(3, 1, &["dc1"]);
    assert_eq!(
        web(&three, &facts, &empty()),
        ["dc1/rack1 flex-4-16384-1xL4 owned x3"]
    );
    // Two in each: one of three is nobody's.
    let mut model = wanting(1, 2, &["dc1"]);
    model.machines[0].hardware.gpu = Some("l4".to_owned());
    assert_eq!(
        web(&model, &facts, &empty()),
        ["dc1/rack1 flex-4-16384-2xL4 owned x1"]
    );
    // What is larger than any listed size is to be had, too.
    let mut large = wanting(1, 1, &["dc1"]);
    large.machines[0].size = Size::AtLeast {
        cpu: 48,
        memory: Bytes::gib(200),
    };
    assert_eq!(
        web(&large, &facts, &empty()),
        ["dc1/rack1 flex-48-204800-1xL4 owned x1"]
    );
}

#[test]
fn who_finds_no_gpu_goes_on_or_is_told() {
    let refused = |intent: &Intent, facts: &Facts| {
        let findings = place(intent, facts, &empty()).expect_err("no place");
        format!("{:?}", findings[0])
    };
    let facts = with_gpus("L4", 3);
    let told = refused(&wanting(5, 1, &["dc1"]), &facts);
    assert!(told.contains("2 of 5 machines"), "{told}");
    assert!(told.contains("give dc1 2 more L4 of GPUs"), "{told}");
    let told = refused(&wanting(1, 3, &["dc1"]), &facts);
    assert!(told.contains("with too few accelerators"), "{told}");
    let mut other = wanting(1, 1, &["dc1"]);
    other.machines[0].hardware.gpu = Some("A100".to_owned());
    let told = refused(&other, &facts);
    assert!(told.contains("with another accelerator"), "{told}");
    // A cloud has the rest.
    let mut both = facts.clone();
    let east = both.get_mut("east").expect("east");
    let sold = east.offers[1].clone();
    east.offers.push(Offer {
        machine_type: "t4".to_owned(),
        gpus: 1,
        gpu: Some("T4".to_owned()),
        ..sold
    });
    assert_eq!(
        web(&wanting(5, 1, &["dc1", "east"]), &both, &empty()),
        [
            "dc1/rack1 flex-4-16384-1xL4 owned x3",
            "east/a t4 on_demand x2"
        ]
    );
}

#[test]
fn gpus_are_room_at_every_moment() {
    let facts = with_gpus("L4", 3);
    let before = wanting(3, 1, &["dc1"]);
    let world = realise(&place(&before, &facts, &empty()).expect("a place"));
    let mut facts = with_gpus("L4", 0);
    // What runs has them, and they are counted as its own.
    let mut after = before.clone();
    after.machines[0].user_data = Some(UserData::text("#cloud-config 2"));
    let desired = place(&after, &facts, &world).expect("a place");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    let rollout = &plan.rollouts[&local("machines.web")];
    assert!(rollout.destroy_first, "there is none for a fourth");
    let pool = facts.get_mut("dc1").expect("dc1").free.as_mut();
    pool.expect("bounded").gpus.insert("L4".to_owned(), 1);
    let desired = place(&after, &facts, &world).expect("a place");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    assert!(!plan.rollouts[&local("machines.web")].destroy_first);
    // A fourth machine has no place beside them.
    after.machines[0].count = 5;
    assert!(place(&after, &facts, &world).is_err());
}
