//! The reference topology is taken as it stands.

use std::path::Path;

use strat_model::{AttachIntent, Bytes, Inventory, Size, Spread};
use strat_topology::{Evaluated, Inputs, Sources, Topology};

fn reference(inputs: &Inputs) -> Evaluated {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop");
    let sources = Sources::load(&path.join("shop.hcl")).expect("the reference can be read");
    let topology = Topology::parse(&sources).expect("the reference parses");
    topology.evaluate(inputs).expect("the reference evaluates")
}

#[test]
fn the_reference_becomes_the_right_intent() {
    let evaluated = reference(&Inputs::default());
    assert_eq!(evaluated.warnings, []);
    let intent = &evaluated.intent;
    assert_eq!(intent.owner.to_string(), "shop:5g0hq2m8x4v7k1tz");
    let dc1 = &intent.sites["dc1"];
    assert_eq!(dc1.provider, "sim");
    assert_eq!(dc1.zones.len(), 2);
    let capacity = dc1.capacity.as_ref().expect("capacity");
    assert_eq!(capacity.memory, Bytes::gib(256));
    assert_eq!(dc1.settings["profile"], "onprem");

    assert_eq!(intent.networks[0].site_prefix, Some(20));
    assert_eq!(intent.networks[0].sites, ["dc1", "east", "west"]);
    assert_eq!(intent.subnets.len(), 2);
    assert_eq!(intent.firewalls.len(), 2);
    assert_eq!(intent.firewalls[1].rules.len(), 2);

    let [primary, standby, web] = intent.machines.as_slice() else {
        panic!("three machines: {:?}", intent.machines);
    };
    assert_eq!(primary.common.addr.to_string(), "machine.db[\"primary\"]");
    assert_eq!(primary.placement.zone.as_ref().expect("zone"), "rack1");
    assert_eq!(standby.placement.zone.as_ref().expect("zone"), "rack2");
    assert_eq!(primary.common.labels["team"], "platform");
    assert_eq!(web.common.addr.to_string(), "machines.web");
    assert_eq!(web.count, 6);
    assert_eq!(web.placement.spread, Spread::Zone);
    assert_eq!(web.common.labels["env"], "staging");
    assert_eq!(web.common.labels["role"], "web");
    let memory = Bytes::gib(16);
    assert_eq!(web.size, Size::AtLeast { cpu: 4, memory });
    let data = web.user_data.as_ref().expect("user data");
    assert!(data.as_text().expect("text").contains("content: staging\n"));

    let volume = &intent.volumes[0];
    assert_eq!(volume.common.addr.to_string(), "volume.db[\"primary\"]");
    assert_eq!(
        volume.target,
        AttachIntent::Machine(primary.common.addr.clone())
    );
    assert!(volume.common.protect);
    assert!(intent.buckets[0].versioning);
}

#[test]
fn variables_are_given_and_checked() {
    let vars = |text: &str| Inputs {
        vars: [("web_count".to_owned(), text.to_owned())].into(),
        ..Inputs::default()
    };
    assert_eq!(reference(&vars("9")).intent.machines[2].count, 9);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop");
    let sources = Sources::load(&path).expect("the reference can be read");
    let topology = Topology::parse(&sources).expect("the reference parses");
    let found = topology.evaluate(&vars("0")).expect_err("refused");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].code, "validation");
}

#[test]
fn outputs_wait_for_an_apply() {
    let outputs = reference(&Inputs::default()).outputs(&Inventory::default());
    assert_eq!(outputs.len(), 2);
    assert!(
        outputs
            .values()
            .all(|output| output.value.is_none() && output.error.is_none())
    );
}
