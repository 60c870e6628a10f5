//! Things that wait for many: for all of a block, or for the same part of one.

use crate::*;

const COUNT: u64 = 4;

fn bucket(text: &str, depends_on: &[&str]) -> BucketIntent {
    BucketIntent {
        common: Common {
            depends_on: depends_on.iter().map(|text| local(text)).collect(),
            ..common(text)
        },
        ..shop().buckets.remove(0)
    }
}

/// Buckets `a[…]`, and as many `b[…]` which share what they wait for.
fn buckets(depends_on: &[&str]) -> Intent {
    let mut intent = shop();
    let mut add = |name: &str, depends_on: &[&str]| {
        let shared = bucket("bucket.x", depends_on).common.depends_on;
        for n in 0..COUNT {
            let mut bucket = bucket(&format!("bucket.{name}[{n}]"), &[]);
            bucket.common.depends_on = shared.clone();
            intent.buckets.push(bucket);
        }
    };
    add("a", &[]);
    add("b", depends_on);
    intent
}

fn of<'p>(plan: &'p Plan, block: &str) -> Vec<&'p Change> {
    let changes = plan.changes.iter();
    changes
        .filter(|change| change.addr.local.to_string().starts_with(block))
        .collect()
}

/// The steps of a change, and all that it waits for.
fn waits(graph: &StepGraph, addr: &Addr) -> (usize, BTreeSet<String>) {
    let steps = graph.steps.iter().filter(|step| step.addr == *addr);
    let steps: Vec<&Step> = steps.collect();
    let before = steps.iter().flat_map(|step| graph.deps(step));
    let before = before.map(|id| graph.steps[id.index()].addr.to_string());
    (steps.len(), before.collect())
}

fn four(name: &str) -> BTreeSet<String> {
    let addrs = (0..COUNT).map(|n| format!("bucket.{name}[{n}]@east"));
    addrs.collect()
}

#[test]
fn all_of_a_block_is_one_wait() {
    let plan = plan_of(&buckets(&["bucket.a"]), &empty());
    let graph = lower(&plan, &empty(), &facts());
    for change in of(&plan, "bucket.b[") {
        assert_eq!(
            *change.depends_on,
            [Dependency::All(local("bucket.a"))],
            "as one"
        );
        assert_eq!(waits(&graph, &change.addr), (1, four("a")));
    }
    assert_eq!(graph.joins.len(), 1);
    assert_eq!(graph.joins[0].deps.len(), 4);
    let direct = graph.steps.iter().filter(|step| step.kind == Kind::Bucket);
    assert!(direct.clone().all(|step| step.deps.is_empty()));
    let heights: BTreeSet<_> = direct.map(|step| step.height).collect();
    assert_eq!(heights, BTreeSet::from([1, 2]), "a join is no link");
}

#[test]
fn instances_that_come_to_all_are_all() {
    let each = ["bucket.a[0]", "bucket.a[1]", "bucket.a[2]", "bucket.a[3]"];
    let plan = plan_of(&buckets(&each), &empty());
    for change in of(&plan, "bucket.b[") {
        assert_eq!(*change.depends_on, [Dependency::All(local("bucket.a"))]);
    }
}

#[test]
fn a_block_of_one_is_that_one() {
    let mut intent = buckets(&[]);
    let before = bucket("bucket.x", &["bucket.one"]).common.depends_on;
    intent.buckets.push(bucket("bucket.one[0]", &[]));
    intent.buckets[1].common.depends_on = before;
    let waiting = intent.buckets[1].common.addr.clone();
    let plan = plan_of(&intent, &empty());
    let change = plan.changes.iter().find(|c| c.addr.local == waiting);
    let one = addr("bucket.one[0]@east");
    assert_eq!(*change.expect("it is made").depends_on, [one]);
}

#[test]
fn what_is_named_one_by_one_and_shared_is_waited_for_together() {
    let plan = plan_of(&buckets(&["bucket.a[0]", "bucket.a[2]"]), &empty());
    let graph = lower(&plan, &empty(), &facts());
    let two = ["bucket.a[0]@east", "bucket.a[2]@east"];
    for change in of(&plan, "bucket.b[") {
        assert_eq!(*change.depends_on, two.map(addr));
        let names = two.map(str::to_owned);
        assert_eq!(waits(&graph, &change.addr), (1, BTreeSet::from(names)));
    }
    assert_eq!(graph.joins.len(), 1);
}

#[test]
fn a_target_takes_all_along_that_it_waits_for() {
    let options = DiffOptions {
        targets: vec!["bucket.b[1]".parse().expect("a target")],
        ..DiffOptions::default()
    };
    let plan = plan_with(&buckets(&["bucket.a"]), &empty(), None, &options);
    let expected: Vec<_> = four("a").into_iter().collect();
    let mut found: Vec<_> = plan.changes.iter().map(|c| c.addr.to_string()).collect();
    assert_eq!(found.pop().as_deref(), Some("bucket.b[1]@east"));
    assert_eq!(found, expected);
}

#[test]
fn a_plan_that_names_each_still_reads() {
    let plan = plan_of(&buckets(&["bucket.a"]), &empty());
    let graph = lower(&plan, &empty(), &facts());
    let mut json = serde_json::to_value(&plan).expect("json");
    let back: Plan = serde_json::from_value(json.clone()).expect("a plan");
    for (back, change) in back.changes.iter().zip(&plan.changes) {
        assert_eq!(back.depends_on, change.depends_on);
    }
    for change in json["changes"].as_array_mut().expect("changes") {
        if change["depends_on"] == serde_json::json!(["bucket.a"]) {
            change["depends_on"] = serde_json::json!(four("a"));
        }
    }
    let old: Plan = serde_json::from_value(json).expect("a plan");
    let old_graph = lower(&old, &empty(), &facts());
    for change in of(&plan, "bucket") {
        assert_eq!(waits(&old_graph, &change.addr), waits(&graph, &change.addr));
    }
}

/// Every volume is attached to one of the machines, all of which are to be there before it.
#[test]
fn what_is_attached_to_one_of_those_it_waits_for_moves_along() {
    for tight in [false, true] {
        let mut intent = shop();
        let mut db = intent.machines.remove(0);
        let mut data = intent.volumes.remove(0);
        data.common.depends_on = [local("machine.db")].into();
        for n in 0..COUNT {
            db.common.addr = local(&format!("machine.db[{n}]"));
            data.common.addr = local(&format!("volume.db[{n}]"));
            data.target = AttachIntent::Machine(db.common.addr.clone());
            intent.machines.push(db.clone());
            intent.volumes.push(data.clone());
        }
        let world = realise(&placed(&intent, &empty()));
        for machine in &mut intent.machines {
            machine.user_data = None;
        }
        let mut facts = facts();
        if tight {
            facts.get_mut("dc1").expect("dc1").free = Some(Pool::default());
        }
        let desired = place(&intent, &facts, &world).expect("placed");
        let plan = diff(&desired, &world, &facts, None, &DiffOptions::default());
        assert_eq!(of(&plan, "volume.db[").len(), 4);
        let graph = lower(&plan, &world, &facts);
        let runs = graph.steps.iter().all(|step| step.height > 0);
        assert!(runs, "a circle where tight is {tight}");
        let attach = |step: &&Step| matches!(step.op, StepOp::Attach { .. });
        for step in graph.steps.iter().filter(attach) {
            let (_, before) = waits(&graph, &step.addr);
            let all = (0..COUNT).map(|n| format!("machine.db[{n}]@dc1"));
            assert!(all.into_iter().all(|addr| before.contains(&addr)));
        }
    }
}

/// A rule names a firewall that is to be made after the one with the rule.
#[test]
fn a_firewall_may_wait_for_one_that_names_it() {
    let mut intent = shop();
    let names = rule("a", Peer::Firewall(local("firewall.web")), 1);
    let mut web = firewall("firewall.web", Vec::new());
    web.common.depends_on = std::iter::once(local("firewall.db")).collect();
    intent.firewalls = vec![firewall("firewall.db", vec![names]), web];
    for machine in &mut intent.machines {
        machine.firewalls.clear();
    }
    let plan = plan_of(&intent, &empty());
    let graph = lower(&plan, &empty(), &facts());
    for site in ["dc1", "east", "west"] {
        let at = |text: &str| format!("{text}@{site}").parse::<Addr>().expect("addr");
        let of = |text: &str| {
            let steps = graph.steps.iter().filter(|step| step.addr == at(text));
            steps.collect::<Vec<_>>()
        };
        let (db, web) = (of("firewall.db"), of("firewall.web"));
        assert!(
            matches!(&db[0].op, StepOp::Create { without, .. } if *without == [at("firewall.web")])
        );
        assert!(matches!(db[1].op, StepOp::Update { .. }));
        assert_eq!(
            (db.len(), web.len()),
            (2, 1),
            "one that only waits is made whole"
        );
        let waits = |step: &Step, before: &Step| graph.deps(step).any(|dep| dep == before.id);
        assert!(waits(web[0], db[0]) && waits(db[1], web[0]) && !waits(web[0], db[1]));
    }
}

/// A rule names a firewall that is to be made after a machine behind the one with the rule.
#[test]
fn a_firewall_may_wait_for_a_machine_behind_one_that_names_it() {
    for whole in [false, true] {
        let mut intent = shop();
        let names = rule("a", Peer::Firewall(local("firewall.web")), 1);
        let mut web = firewall("firewall.web", Vec::new());
        let mut db = intent.machines.remove(0);
        db.firewalls = strat_model::Shared::from([local("firewall.db")]);
        if whole {
            db.common.addr = local("machine.db[0]");
        }
        // As is said of all instances of a block.
        web.common.depends_on = std::iter::once(local("machine.db")).collect();
        intent.firewalls = vec![firewall("firewall.db", vec![names]), web];
        intent.machines = vec![db];
        intent.volumes.clear();
        let plan = plan_of(&intent, &empty());
        let graph = lower(&plan, &empty(), &facts());
        let is = |step: &&Step| step.addr == addr("firewall.db@dc1");
        let steps: Vec<&Step> = graph.steps.iter().filter(is).collect();
        let [made, filled] = steps.as_slice() else {
            panic!("{steps:?}")
        };
        assert!(
            matches!(&made.op, StepOp::Create { without, .. } if *without == [addr("firewall.web@dc1")])
        );
        let before: Vec<StepId> = graph.deps(filled).collect();
        let web = graph
            .steps
            .iter()
            .find(|step| step.addr == addr("firewall.web@dc1"));
        assert!(before.contains(&web.expect("a step").id));
    }
}

/// The same where the firewall is there already, and the rule and the rest are new.
#[test]
fn new_rules_may_wait_for_a_machine_behind_them() {
    let mut intent = shop();
    let mut db = intent.machines.remove(0);
    db.firewalls = Shared::from([local("firewall.db")]);
    intent.firewalls = vec![firewall("firewall.db", Vec::new())];
    intent.machines.clear();
    intent.volumes.clear();
    // Where the machine is to be, the firewall has to be, too.
    let mut first = db.clone();
    first.common.addr = local("machine.first");
    intent.machines = vec![first];
    let world = realise(&placed(&intent, &empty()));

    let mut web = firewall("firewall.web", Vec::new());
    web.common.depends_on = std::iter::once(local("machine.db")).collect();
    let names = rule("a", Peer::Firewall(local("firewall.web")), 1);
    intent.firewalls = vec![firewall("firewall.db", vec![names]), web];
    intent.machines.push(db);
    let plan = plan_of(&intent, &world);
    let graph = lower(&plan, &world, &facts());
    let of = |text: &str| {
        let step = graph.steps.iter().find(|step| step.addr == addr(text));
        step.expect(text)
    };
    let (db, web) = (of("firewall.db@dc1"), of("firewall.web@dc1"));
    assert!(matches!(db.op, StepOp::Update { .. }));
    assert!(graph.deps(db).any(|dep| dep == web.id));
    assert!(graph.deps(web).any(|dep| dep == of("machine.db@dc1").id));
}
