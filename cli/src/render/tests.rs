//! Golden texts of plans made by hand.

use std::sync::Arc;

use serde_json::json;
use stratiform::model::{
    Addr, Bytes, CapacityKind, DiskClass, DiskSpec, Field, ImageRef, Kind, Labels, Loss,
    MachineSpec, Means, Name, NetworkSpec, ResourceId, Spec, Transition, VolumeSpec,
};
use stratiform::planner::{
    Action, Cause, Change, FieldChange, Goal, Guard, Plan, Refused, Rename, ReplaceOrder, Summary,
    View, Withheld,
};

use super::fold::Detail;
use super::plan;

fn addr(text: &str) -> Addr {
    text.parse().expect(text)
}

fn name(text: &str) -> Name {
    Name::new(text).expect(text)
}

fn goal(count: u32, spec: Spec<Addr>) -> Arc<Goal> {
    Arc::new(Goal {
        count,
        spec,
        notes: stratiform::model::Shared::new(),
        price_hour: None,
    })
}

fn machine(zone: &str) -> Spec<Addr> {
    Spec::Machine(MachineSpec {
        machine_type: "m5.xlarge".to_owned(),
        cpu: 4,
        memory: Bytes::gib(16),
        capacity: CapacityKind::OnDemand,
        zone: name(zone),
        image: ImageRef::Named {
            name: "debian-12".to_owned(),
            id: ResourceId::from("ami-1"),
        },
        subnet: addr("subnet.app@dc1"),
        firewalls: stratiform::model::Shared::from([addr("firewall.web@dc1")]),
        keypair: Some(addr("keypair.ops@dc1")),
        user_data: None,
        disks: vec![DiskSpec {
            size: Bytes::gib(40),
            class: DiskClass::Ssd,
        }],
        public_ip: None,
        labels: Labels::new(),
    })
}

fn change(text: &str, action: Action, reason: &str) -> Change {
    let addr = addr(text);
    Change {
        kind: addr.kind(),
        site: addr.site.clone(),
        addr,
        action,
        count: 1,
        order: None,
        cause: Cause::Topology,
        reason: reason.to_owned(),
        before: View::NOTHING,
        after: View::NOTHING,
        fields: Vec::new(),
        transition: None,
        health: None,
        drains: None,
        public_ips: false,
        protected: false,
        protect: false,
        disposable: false,
        targets: Vec::new(),
        goals: Vec::new(),
        depends_on: std::sync::Arc::default(),
    }
}

fn creates() -> Vec<Change> {
    let network = NetworkSpec {
        cidr: "10.20.0.0/20".parse().expect("cidr"),
        labels: Labels::new(),
    };
    let volume = VolumeSpec {
        size: Bytes::gib(200),
        class: DiskClass::Ssd,
        zone: name("rack1"),
        attach: Some(addr("machine.db[\"primary\"]@dc1")),
        labels: Labels::new(),
    };
    let reason = "it is in the topology and not there yet";
    vec![
        Change {
            count: 6,
            goals: vec![goal(3, machine("rack1")), goal(3, machine("rack2"))],
            ..change("machines.web@dc1", Action::Create, reason)
        },
        Change {
            goals: vec![goal(1, Spec::Network(network))],
            ..change("network.core@dc1", Action::Create, reason)
        },
        Change {
            goals: vec![goal(1, Spec::Volume(volume))],
            ..change("volume.db[\"primary\"]@dc1", Action::Create, reason)
        },
    ]
}

fn whole(changes: Vec<Change>, summary: Summary) -> Plan {
    // From JSON, so that what plans get later has its default here.
    let empty = json!({
        "format_version": Plan::FORMAT_VERSION,
        "id": "0123456789abcdef",
        "topology": { "topology": "shop" },
        "mode": "apply",
        "changes": [],
        "summary": summary,
        "cost": { "currency": "USD", "monthly_before": null, "monthly_after": null,
                  "unpriced": 0, "sites": {} },
    });
    Plan {
        changes,
        ..serde_json::from_value(empty).expect("a plan")
    }
}

fn field(field: Field, before: serde_json::Value, after: serde_json::Value) -> FieldChange {
    FieldChange {
        field,
        before,
        after,
        forces_replacement: false,
        stops: false,
    }
}

/// All that a plan can say, at once.
fn mixed() -> Plan {
    let update = Change {
        count: 2,
        fields: vec![
            field(
                Field::Labels,
                json!({"env": "staging", "team": "platform"}),
                json!({"env": "prod", "team": "platform", "tier": "1"}),
            ),
            field(
                Field::Firewalls,
                json!(["firewall.web@east"]),
                json!(["firewall.web@east", "firewall.ssh@east"]),
            ),
        ],
        ..change(
            "machines.web@east",
            Action::Update,
            "its labels and firewalls are others now",
        )
    };
    let replace = Change {
        order: Some(ReplaceOrder::DestroyFirst),
        fields: vec![FieldChange {
            forces_replacement: true,
            ..field(Field::Image, json!("debian-12"), json!("debian-13"))
        }],
        ..change(
            "machine.db[\"primary\"]@dc1",
            Action::Replace,
            "its image is another now",
        )
    };
    let resize = Change {
        transition: Some(
            Transition::by(Means::Deallocate)
                .losing(Loss::DynamicAddress)
                .noting("the cloud lets a volume be changed four times in 24 hours"),
        ),
        fields: vec![FieldChange {
            stops: true,
            ..field(Field::MachineType, json!("m5.large"), json!("m5.xlarge"))
        }],
        ..change(
            "machine.db[\"resized\"]@dc1",
            Action::Update,
            "the topology changed its machine_type",
        )
    };
    let delete = Change {
        protected: true,
        ..change(
            "volume.db[\"standby\"]@dc1",
            Action::Delete,
            "it is no longer in the topology",
        )
    };
    let drift = Change {
        cause: Cause::Drift,
        goals: vec![goal(1, machine("rack1"))],
        ..change(
            "machine.db[\"standby\"]@dc1",
            Action::Create,
            "it was deleted",
        )
    };
    let rules = Change {
        cause: Cause::Drift,
        fields: vec![field(
            Field::Rules,
            json!([{"name": "ssh", "direction": "ingress", "peers": ["internet"],
                    "protocol": "tcp", "ports": ["22"]},
                   {"name": "http", "direction": "ingress", "peers": ["internet"],
                    "protocol": "tcp", "ports": ["80"]}]),
            json!([{"name": "http", "direction": "ingress", "peers": [{"cidr": "10.0.0.0/8"}],
                    "protocol": "tcp", "ports": ["80"]}]),
        )],
        ..change("firewall.web@dc1", Action::Update, "its rules were changed")
    };
    let summary = Summary {
        create: 1,
        update: 4,
        replace: 1,
        delete: 1,
        no_op: 24,
        ..Summary::default()
    };
    let mut plan = whole(vec![update, replace, resize, delete, drift, rules], summary);
    plan.withheld.push(Withheld {
        what: "bucket.assets@west".to_owned(),
        why: "west did not answer: throttled".to_owned(),
        way: None,
    });
    plan.refused.push(Refused {
        addr: addr("volume.db@dc1"),
        id: ResourceId::from("vol-1"),
        cause: Cause::Drift,
        fields: vec![field(Field::Size, json!("40GiB"), json!("20GiB"))],
        why: "a volume cannot shrink".to_owned(),
    });
    plan.guard = Some(Guard {
        deletes: 21,
        existing: 30,
    });
    plan.tight.insert(name("dc1"));
    plan.cost.monthly_before = Some("1000.5".parse().expect("decimal"));
    plan.cost.monthly_after = Some("1140.66".parse().expect("decimal"));
    plan.cost.unpriced = 1;
    plan
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

#[test]
fn creates_wide() {
    let summary = Summary {
        create: 8,
        ..Summary::default()
    };
    insta::assert_snapshot!(plain(&plan::plan(
        &whole(creates(), summary),
        Detail::Folded,
        120
    )));
}

#[test]
fn creates_narrow() {
    let summary = Summary {
        create: 8,
        ..Summary::default()
    };
    insta::assert_snapshot!(plain(&plan::plan(
        &whole(creates(), summary),
        Detail::Folded,
        60
    )));
}

#[test]
fn everything_at_once() {
    insta::assert_snapshot!(plain(&plan::plan(&mixed(), Detail::Folded, 100)));
}

#[test]
fn what_may_have_been_renamed_is_asked_about() {
    let goes = change(
        "volume.data@east",
        Action::Delete,
        "it is in the topology no more",
    );
    let comes = change(
        "volume.store@east",
        Action::Create,
        "it is in the topology and not there yet",
    );
    let rename = |from: &str, to: &str| Rename {
        from: from.parse().expect(from),
        to: to.parse().expect(to),
    };
    let mut plan = whole(vec![goes, comes], Summary::default());
    plan.renames = vec![rename("volume.data", "volume.store")];
    insta::assert_snapshot!(
        "one_rename",
        plain(&super::plan::plan(&plan, Detail::All, 80))
    );
    plan.renames.push(rename("volume.x[0]", "volume.x[\"a\"]"));
    insta::assert_snapshot!(
        "two_renames",
        plain(&super::plan::plan(&plan, Detail::All, 80))
    );
}

#[test]
fn who_gets_a_public_address_is_told() {
    let mut machines = creates();
    machines.retain(|change| change.kind == Kind::Machine);
    assert!(!machines.is_empty());
    for (is_public, count, said) in [
        (false, 1, None),
        (true, 1, Some("a public address\n")),
        (true, 3, Some("a public address each\n")),
    ] {
        for change in &mut machines {
            (change.public_ips, change.count) = (is_public, count);
        }
        let plan = whole(machines.clone(), Summary::default());
        let text = plain(&plan::plan(&plan, Detail::All, 300));
        match said {
            Some(said) => assert!(text.contains(said), "{text}"),
            None => assert!(!text.contains("public"), "{text}"),
        }
    }
}

#[test]
fn what_costs_the_same_as_before_has_no_line_of_cost() {
    let mut plan = whole(creates(), Summary::default());
    let cost = |before: Option<i64>, after: Option<i64>| stratiform::planner::Cost {
        monthly_before: before.map(Into::into),
        monthly_after: after.map(Into::into),
        gap: Some(rust_decimal::Decimal::ZERO),
        ..whole(Vec::new(), Summary::default()).cost
    };
    for (before, after, is_told) in [
        (Some(10), Some(10), false),
        (Some(10), Some(11), true),
        (None, Some(11), true),
        (Some(10), None, true),
        (None, None, false),
    ] {
        plan.cost = cost(before, after);
        for text in [
            plan::plan(&plan, Detail::All, 80),
            super::markdown::plan(&plan, Detail::All),
        ] {
            assert_eq!(plain(&text).contains("Cost:"), is_told, "{text}");
        }
    }
    // Where one site's bill grows by as much as another's shrinks, both are told.
    plan.cost = cost(Some(10), Some(10));
    for (site, before, after) in [("dc1", 4, 6), ("east", 6, 4)] {
        let part = stratiform::planner::SiteCost {
            monthly_before: Some(before.into()),
            monthly_after: Some(after.into()),
        };
        plan.cost.sites.insert(site.parse().expect(site), part);
    }
    let text = plain(&plan::plan(&plan, Detail::All, 80));
    assert!(text.contains("dc1   4.00 -> 6.00"), "{text}");
}

#[test]
fn a_fleet_that_only_shrinks_or_only_grows_gives_way_to_nobody() {
    let of = |action: Action, count: u32| Change {
        count,
        ..change("machines.web@east", action, "its count is another now")
    };
    for (changes, is_told) in [
        (vec![of(Action::Delete, 4)], false),
        (vec![of(Action::Create, 4)], false),
        (vec![of(Action::Create, 4), of(Action::Delete, 4)], true),
        (vec![of(Action::Replace, 4)], true),
    ] {
        for health in [
            None,
            Some(json!({ "port": 80, "timeout_ms": 1_000, "interval_ms": 100 })),
        ] {
            let mut plan = whole(changes.clone(), Summary::default());
            let rollout = json!({ "wave": 2, "health": health });
            let rollout = serde_json::from_value(rollout).expect("a rollout");
            let web = changes[0].addr.local.clone();
            plan.rollouts.insert(web, rollout);
            let text = plain(&plan::plan(&plan, Detail::All, 80));
            assert_eq!(text.contains("gives way in waves of 2"), is_told, "{text}");
        }
    }
}

#[test]
fn nothing_to_do() {
    let summary = Summary {
        no_op: 30,
        ..Summary::default()
    };
    let empty = whole(Vec::new(), summary);
    assert_eq!(
        plain(&plan::plan(&empty, Detail::Folded, 80)),
        "No changes. 30 resources match the topology.\n"
    );
}

#[test]
fn colours_mean_one_thing() {
    let text = plan::plan(&whole(creates(), Summary::default()), Detail::Folded, 100);
    assert!(
        text.contains("\u{1b}[32m+\u{1b}[0m network.core"),
        "{text:?}"
    );
    assert_eq!(creates()[1].kind, Kind::Network);
}

#[test]
fn of_very_many_changes_the_first_of_each_kind_are_shown() {
    let machines = (0..5_000).map(|i| {
        change(
            &format!("machine.m[{i}]@dc1"),
            Action::Create,
            "not there yet",
        )
    });
    let volumes = (0..7).map(|i| {
        change(
            &format!("volume.v[{i}]@dc1"),
            Action::Delete,
            "not in the topology any more",
        )
    });
    let changes: Vec<Change> = machines.chain(volumes).collect();
    let plan = whole(changes, Summary::default());
    insta::assert_snapshot!(plain(&plan::plan(&plan, Detail::Folded, 100)));
    let all = plain(&plan::plan(&plan, Detail::All, 100));
    assert!(all.contains("machine.m[4999]") && !all.contains("--all"));
}
