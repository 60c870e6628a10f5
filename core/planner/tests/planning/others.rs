//! What is others' on a thing, and what counts at the first boot alone.

use std::collections::BTreeSet;

use strat_model::*;
use strat_planner::*;

use crate::common::*;
use crate::{lines, plan_of};

fn labels(pairs: &[(&str, &str)]) -> Labels {
    let own = |(k, v): &(&str, &str)| ((*k).to_owned(), (*v).to_owned());
    pairs.iter().map(own).collect()
}

/// The shop with labels on its bucket, and its world.
fn labelled() -> (Intent, Inventory) {
    let mut intent = shop();
    intent.buckets[0].common.labels = labels(&[("team", "shop"), ("tier", "web")]);
    let world = realise(&placed(&intent, &empty()));
    (intent, world)
}

#[test]
fn labels_of_others_are_no_difference() {
    let (mut intent, mut world) = labelled();
    let bucket = at(&mut world, "bucket.assets@east").spec.labels_mut();
    bucket.insert("CostCenter".to_owned(), "7".to_owned());
    assert!(plan_of(&intent, &world).is_empty());

    // One of ours that somebody changed, or took away, is.
    let bucket = at(&mut world, "bucket.assets@east").spec.labels_mut();
    bucket.insert("team".to_owned(), "bank".to_owned());
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["update bucket.assets@east x1"]);
    assert_eq!(plan.changes[0].cause, Cause::Drift);
    let field = &plan.changes[0].fields[0];
    assert_eq!(
        field.before,
        serde_json::json!({"team": "bank", "tier": "web"})
    );
    assert_eq!(
        field.after,
        serde_json::json!({"team": "shop", "tier": "web"})
    );

    // What the topology sets no more goes; what others put on stays.
    let (_, mut world) = labelled();
    let bucket = at(&mut world, "bucket.assets@east").spec.labels_mut();
    bucket.insert("CostCenter".to_owned(), "7".to_owned());
    intent.buckets[0].common.labels = labels(&[("team", "shop")]);
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["update bucket.assets@east x1"]);
    let field = &plan.changes[0].fields[0];
    assert_eq!(
        field.before,
        serde_json::json!({"team": "shop", "tier": "web"})
    );
}

#[test]
fn a_mark_that_does_not_know_its_labels_learns_them() {
    let (intent, mut world) = labelled();
    let mark = at(&mut world, "bucket.assets@east").mark.as_mut();
    mark.expect("a mark").notes.remove(&Field::Labels);
    let plan = plan_of(&intent, &world);
    assert_eq!(lines(&plan), ["update bucket.assets@east x1"]);
    assert_eq!(plan.changes[0].reason, "only its mark is out of date");
}

#[test]
fn labels_are_judged_where_the_thing_goes() {
    let mut intent = shop();
    intent.buckets[0].common.labels = labels(&[("CostCenter", "7")]);
    let mut facts = facts();
    let rules = |facts: &mut Facts, rules| {
        facts.get_mut("east").expect("east").capabilities.labels = rules;
    };
    rules(&mut facts, LabelRules::Aws);
    assert!(place(&intent, &facts, &empty()).is_ok());
    rules(&mut facts, LabelRules::Google);
    let findings = place(&intent, &facts, &empty()).expect_err("Google takes no capitals");
    assert_eq!(findings[0].finding.code, "bad_label");
    let message = &findings[0].finding.message;
    assert!(
        message.contains("`CostCenter = 7` of bucket.assets"),
        "{message}"
    );
}

#[test]
fn limits_are_judged_where_the_thing_goes() {
    let disks = |count| {
        let disk = DiskSpec {
            size: Bytes::gib(10),
            class: DiskClass::Ssd,
        };
        vec![disk; count]
    };
    let limit = |facts: &mut Facts, site: &str, limits| {
        let site = facts.get_mut(site).expect("a site");
        site.capabilities.limits = limits;
    };
    let few = Limits {
        disks: 2,
        ..Limits::default()
    };
    let narrow = Limits {
        network: Prefixes::new(26, 28),
        ..Limits::default()
    };
    let codes = |intent: &Intent, facts: &Facts, world: &Inventory| -> Vec<&'static str> {
        let findings = place(intent, facts, world).err().unwrap_or_default();
        findings.iter().map(|found| found.reason.as_str()).collect()
    };

    // A network is wider than the cloud of one of its sites takes.
    let mut facts = facts();
    limit(&mut facts, "east", narrow);
    let intent = shop();
    assert_eq!(codes(&intent, &facts, &empty()), ["beyond_limit"]);
    limit(&mut facts, "east", Limits::default());
    assert!(codes(&intent, &facts, &empty()).is_empty());

    // A network has more subnets than the cloud of one of its sites takes: all but those are placed.
    let one = Limits {
        subnets: 1,
        ..Limits::default()
    };
    limit(&mut facts, "east", one);
    let findings = place(&intent, &facts, &empty()).expect_err("one subnet is the most");
    assert_eq!(findings.len(), 1, "{findings:#?}");
    let finding = &findings[0].finding;
    assert_eq!(finding.code, "beyond_limit");
    assert!(
        finding.message.contains("has 1 subnets there already"),
        "{}",
        finding.message
    );
    limit(&mut facts, "east", Limits::default());

    // A machine goes to a site that takes it; where it runs already, it stays and is refused.
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    let web = |intent: &mut Intent, disks| {
        let mut machines = intent.machines.iter_mut();
        let web = machines.find(|machine| machine.common.addr == local("machines.web"));
        web.expect("the fleet").disks = disks;
    };
    web(&mut intent, disks(3));
    for site in ["dc1", "west"] {
        limit(&mut facts, site, few);
    }
    let placed = place(&intent, &facts, &empty()).expect("east takes them");
    let at = |addr: &&Addr| addr.local == local("machines.web");
    let sites: Vec<_> = placed
        .entries
        .keys()
        .filter(at)
        .map(|a| a.site.to_string())
        .collect();
    assert_eq!(sites, ["east"]);
    assert!(codes(&intent, &facts, &world).contains(&"beyond_limit"));

    // No site takes it.
    limit(&mut facts, "east", few);
    assert_eq!(codes(&intent, &facts, &empty()), ["beyond_limit"]);
}

#[test]
fn user_data_that_a_cloud_does_not_take_is_refused_by_the_plan() {
    let mut intent = shop();
    for machine in &mut intent.machines {
        machine.user_data = Some(UserData::text("x".repeat(16_385)));
    }
    let findings = place(&intent, &facts(), &empty()).expect_err("16 KiB are the most");
    assert!(
        findings
            .iter()
            .all(|found| found.reason.as_str() == "beyond_limit")
    );
}

#[test]
fn another_key_makes_no_machine_anew() {
    let mut intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    // Rotated.
    intent.keypairs[0].public_key = "ssh-ed25519 BBBB".to_owned();
    let plan = plan_of(&intent, &world);
    assert!(
        plan.changes
            .iter()
            .all(|change| change.kind == Kind::Keypair),
        "{:?}",
        lines(&plan)
    );
    assert!(
        plan.changes[0]
            .reason
            .contains("machines that run keep theirs")
    );
    // Deleted by hand.
    intent.keypairs[0].public_key = "ssh-ed25519 AAAA".to_owned();
    for site in world.sites.values_mut() {
        site.resources.retain(|thing| thing.kind() != Kind::Keypair);
    }
    let plan = plan_of(&intent, &world);
    assert!(!plan.is_empty());
    assert!(
        plan.changes
            .iter()
            .all(|change| change.kind == Kind::Keypair),
        "{:?}",
        lines(&plan)
    );
}

#[test]
fn what_is_ignored_is_left_as_it_is() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.machines[1].user_data = Some(UserData::text("#cloud-config 2"));
    intent.machines[1].image = Ok("ubuntu-24.04".to_owned());
    intent.volumes[0].class = DiskClass::Hdd;
    let ignore = |common: &mut Common, fields: &[Field]| {
        common.ignore = fields.iter().copied().collect::<BTreeSet<_>>().into();
    };
    ignore(
        &mut intent.machines[1].common,
        &[Field::UserData, Field::Image],
    );
    ignore(&mut intent.volumes[0].common, &[Field::Class]);
    let mut facts = facts();
    for site in facts.values_mut() {
        let images =
            ["debian-12", "ubuntu-24.04"].map(|name| (name.to_owned(), ResourceId::from(name)));
        site.images = images.into_iter().collect();
    }
    let desired = place(&intent, &facts, &world).expect("placed");
    let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
    // The marks say what the topology says; the things stay.
    for change in &plan.changes {
        assert_eq!(
            change.action,
            Action::Update,
            "{}: {}",
            change.addr,
            change.reason
        );
        assert_eq!(change.reason, "only its mark is out of date");
    }
}
