//! What is called otherwise than before stays, and its mark is rewritten.

use strat_scenarios::Folder;
use strat_sim::Profile;
use stratiform::planner::Action;
use stratiform::{Mode, Plan, PlanOptions};

use crate::common::{applied, apply, ids, lines, run, shop};

/// A shop with another text in place of some of its own, and blocks at its end.
fn changed(profile: Profile, changes: &[(&str, &str)], moved: &[(&str, &str)]) -> String {
    let mut text = shop(profile);
    for (old, new) in changes {
        assert!(text.contains(old), "{old} in {text}");
        text = text.replace(old, new);
    }
    let moved = moved
        .iter()
        .map(|(from, to)| format!("moved {{\n  from = {from}\n  to   = {to}\n}}\n"));
    text + &moved.collect::<String>()
}

/// The addresses that marks have, sorted.
fn marked(folder: &Folder) -> Vec<String> {
    let all = folder.everything().into_values().flatten();
    let marks = all.filter_map(|thing| thing.mark);
    let mut marked: Vec<_> = marks
        .map(|mark| format!("{} {}", mark.owner, mark.addr))
        .collect();
    marked.sort();
    marked
}

/// Applies, and looks that nothing came or went, and that nothing is left to do.
async fn stays(folder: &Folder, what: &str) -> Plan {
    let before = ids(folder);
    let plan = apply(folder).await;
    let said = lines(&plan);
    assert_eq!(ids(folder), before, "{what}: {said:#?}");
    let next = folder.plan(Mode::Apply).await;
    assert!(lines(&next).is_empty(), "{what}: {:#?}", lines(&next));
    folder.forget();
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    let next = folder.plan(Mode::Apply).await;
    assert!(
        lines(&next).is_empty(),
        "{what}, afresh: {:#?}",
        lines(&next)
    );
    plan
}

/// What stands in place of what.
type Pairs = &'static [(&'static str, &'static str)];

/// Each kind's first block, under another name.
const BLOCKS: [(&str, &str, Pairs); 8] = [
    (
        "volume.data",
        "volume.store",
        &[("volume \"data\"", "volume \"store\"")],
    ),
    (
        "machine.db",
        "machine.sql",
        &[
            ("machine \"db\"", "machine \"sql\""),
            ("machine.db", "machine.sql"),
        ],
    ),
    (
        "machines.web",
        "machines.front",
        &[("machines \"web\"", "machines \"front\"")],
    ),
    (
        "network.core",
        "network.main",
        &[
            ("network \"core\"", "network \"main\""),
            ("network.core", "network.main"),
        ],
    ),
    (
        "subnet.app",
        "subnet.inner",
        &[
            ("subnet \"app\"", "subnet \"inner\""),
            ("subnet.app", "subnet.inner"),
        ],
    ),
    (
        "firewall.db",
        "firewall.sql",
        &[
            ("firewall \"db\"", "firewall \"sql\""),
            ("firewall.db", "firewall.sql"),
        ],
    ),
    (
        "bucket.assets",
        "bucket.files",
        &[("bucket \"assets\"", "bucket \"files\"")],
    ),
    (
        "address.front",
        "address.face",
        &[("address \"front\"", "address \"face\"")],
    ),
];

#[test]
fn a_renamed_block_keeps_its_thing() {
    for profile in Profile::ALL {
        for (from, to, changes) in BLOCKS {
            if profile == Profile::Onprem && (from.starts_with('b') || from.starts_with('a')) {
                continue;
            }
            run(async {
                let folder = applied(profile).await;
                folder.write(&[changed(profile, changes, &[(from, to)])]);
                let plan = folder.plan(Mode::Apply).await;
                let renamed = format!("it was {from}@east");
                let said = lines(&plan);
                assert!(said.iter().any(|line| line.contains(&renamed)), "{said:#?}");
                let updates = plan.changes.iter();
                let updates = updates.filter(|change| change.action == Action::Update);
                assert_eq!(updates.count(), plan.changes.len(), "{said:#?}");
                stays(&folder, from).await;
                assert!(marked(&folder).iter().all(|mark| !mark.contains(from)));
                // The block has done its work.
                folder.write(&[changed(profile, changes, &[])]);
                stays(&folder, from).await;
            });
        }
    }
}

#[test]
fn count_becomes_for_each_and_machines_become_a_fleet() {
    let volumes = "volume \"x\" {\n  count = 2\n  size = \"10GiB\"\n  site = site.east\n}\n";
    let named =
        "volume \"x\" {\n  for_each = [\"a\", \"b\"]\n  size = \"10GiB\"\n  site = site.east\n}\n";
    let machine = |kind: &str| {
        format!(
            "{kind} \"m\" {{\n  count = 3\n  cpu = 2\n  memory = \"4GiB\"\n  image = \"debian-12\"\n  \
             subnet = subnet.app\n}}\n"
        )
    };
    for profile in Profile::ALL {
        run(async {
            let folder = Folder::new();
            folder.write(&[shop(profile), volumes.to_owned(), machine("machine")]);
            apply(&folder).await;
            tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
            let moved = [
                ("volume.x[0]", "volume.x[\"a\"]"),
                ("volume.x[1]", "volume.x[\"b\"]"),
                ("machine.m", "machines.m"),
            ];
            let text = changed(profile, &[], &moved);
            folder.write(&[text, named.to_owned(), machine("machines")]);
            let plan = folder.plan(Mode::Apply).await;
            let losses: Vec<_> = plan
                .data_loss
                .iter()
                .map(|loss| loss.addr.to_string())
                .collect();
            let machines = [
                "machine.m[0]@east",
                "machine.m[1]@east",
                "machine.m[2]@east",
            ];
            assert_eq!(
                losses,
                machines,
                "they give up their protection: {:#?}",
                lines(&plan)
            );
            stays(&folder, "fleet").await;
        });
    }
}

#[test]
fn a_renamed_site_and_a_renamed_topology_keep_everything() {
    for profile in Profile::ALL
        .into_iter()
        .filter(|profile| *profile != Profile::Onprem)
    {
        run(async {
            let folder = applied(profile).await;
            let before = ids(&folder);
            let site = [
                ("site \"east\"", "site \"main\""),
                ("site.east", "site.main"),
            ];
            folder.write(&[changed(profile, &site, &[("site.east", "site.main")])]);
            let plan = stays(&folder, "a site").await;
            assert_eq!(
                plan.summary.update as usize,
                before.len(),
                "{:#?}",
                lines(&plan)
            );
            let topology = [
                site[0],
                site[1],
                ("topology \"shop\"", "topology \"store\""),
            ];
            let both = [
                ("site.east", "site.main"),
                ("topology.shop", "topology.store"),
            ];
            folder.write(&[changed(profile, &topology, &both)]);
            let plan = stays(&folder, "a topology").await;
            assert_eq!(
                plan.summary.update as usize,
                before.len(),
                "{:#?}",
                lines(&plan)
            );
            folder.write(&[changed(profile, &topology, &[])]);
            stays(&folder, "without the blocks").await;
            folder.apply(Mode::Destroy).await;
            assert!(ids(&folder).is_empty());
        });
    }
}

#[test]
fn nothing_renamed_is_destroyed_before_the_rename_is_applied() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let before = ids(&folder);
        let site = [
            ("site \"east\"", "site \"main\""),
            ("site.east", "site.main"),
        ];
        let topology = [("topology \"shop\"", "topology \"store\"")];
        for (changes, moved) in [
            (site.as_slice(), ("site.east", "site.main")),
            (topology.as_slice(), ("topology.shop", "topology.store")),
        ] {
            folder.write(&[changed(Profile::Aws, changes, &[moved])]);
            let session = folder.session().await;
            let begun = session.begin(&stratiform::RunOptions::new("test")).await;
            let begun = begun.expect("begins");
            let options = PlanOptions {
                mode: Mode::Destroy,
                ..PlanOptions::default()
            };
            let planned = begun.plan(&options).await.expect("a plan");
            let refused = begun
                .apply(&planned, &stratiform::ApplyOptions::default())
                .await;
            begun.end().await.expect("ends");
            assert!(refused.is_err(), "{moved:?}");
            assert_eq!(ids(&folder), before);
        }
    });
}

#[test]
fn something_new_under_the_old_name_is_another_thing() {
    let changes: Pairs = &[
        ("volume \"data\"", "volume \"store\""),
        ("machine \"db\"", "machine \"sql\""),
        ("machine.db", "machine.sql"),
    ];
    let more = "volume \"data\" {\n  size = \"100GiB\"\n  attach = machine.db\n}\nmachine \"db\" {\n  cpu = 4\n  memory = \"16GiB\"\n  image = \"debian-12\"\n  subnet = subnet.app\n}\n";
    for profile in Profile::ALL {
        run(async {
            let folder = applied(profile).await;
            let before = ids(&folder);
            let moved = [
                ("volume.data", "volume.store"),
                ("machine.db", "machine.sql"),
            ];
            folder.write(&[changed(profile, changes, &moved)]);
            stays(&folder, "renamed").await;
            folder.write(&[changed(profile, changes, &[]), more.to_owned()]);
            let plan = apply(&folder).await;
            assert_eq!(plan.summary.create, 2, "{profile}: {:#?}", lines(&plan));
            let after = ids(&folder);
            assert!(after.is_superset(&before), "{profile}");
            assert_eq!(
                after.len(),
                before.len() + 2,
                "{profile}: {:#?}",
                lines(&plan)
            );
            let next = folder.plan(Mode::Apply).await;
            assert!(lines(&next).is_empty(), "{profile}: {:#?}", lines(&next));
        });
    }
}

#[test]
fn what_is_renamed_and_made_anew_is_renamed_first() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let before = ids(&folder);
        let changes = [
            ("machine \"db\"", "machine \"sql\""),
            ("machine.db", "machine.sql"),
            ("image     = \"debian-12\"", "image     = \"ubuntu-24.04\""),
        ];
        folder.write(&[changed(
            Profile::Aws,
            &changes,
            &[("machine.db", "machine.sql")],
        )]);
        let plan = apply(&folder).await;
        let said = lines(&plan);
        assert_eq!(ids(&folder), before, "{said:#?}");
        assert!(
            said.iter()
                .any(|line| line.contains("waits for the next apply")),
            "{said:#?}"
        );
        let plan = folder.plan(Mode::Apply).await;
        let replaced = plan
            .changes
            .iter()
            .filter(|one| one.action == Action::Replace);
        let replaced: Vec<_> = replaced.map(|one| one.addr.to_string()).collect();
        assert_eq!(replaced, ["machine.sql@east"], "{:#?}", lines(&plan));
        let reason = &plan
            .changes
            .iter()
            .find(|one| one.action == Action::Replace);
        let reason = &reason.expect("one").reason;
        assert!(
            reason.starts_with("the topology changed its image"),
            "{reason}"
        );
        apply(&folder).await;
        let plan = folder.plan(Mode::Apply).await;
        assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    });
}

#[test]
fn a_rename_to_where_something_is_touches_neither() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let store = "volume \"store\" {\n  size = \"100GiB\"\n  site = site.east\n}\n";
        folder.write(&[shop(Profile::Aws), store.to_owned()]);
        apply(&folder).await;
        tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
        let before = ids(&folder);
        let changes = [("volume \"data\"", "volume \"store\"")];
        folder.write(&[changed(
            Profile::Aws,
            &changes,
            &[("volume.data", "volume.store")],
        )]);
        let plan = folder.plan(Mode::Apply).await;
        assert!(plan.changes.is_empty(), "{:#?}", lines(&plan));
        folder.apply(Mode::Apply).await;
        assert_eq!(ids(&folder), before, "{:#?}", lines(&plan));
    });
}

#[test]
fn a_thing_that_goes_and_one_like_it_that_comes_are_asked_about() {
    run(async {
        let folder = applied(Profile::Aws).await;
        let changes = [
            ("volume \"data\"", "volume \"store\""),
            ("machines \"web\"", "machines \"front\""),
        ];
        folder.write(&[changed(Profile::Aws, &changes, &[])]);
        let plan = folder.plan(Mode::Apply).await;
        let asked = plan.renames.iter();
        let asked: Vec<_> = asked
            .map(|one| format!("{} {}", one.from, one.to))
            .collect();
        assert_eq!(
            asked,
            ["machines.web machines.front", "volume.data volume.store"]
        );
        // A larger one is another one.
        let changes = [
            ("volume \"data\"", "volume \"store\""),
            ("100GiB", "200GiB"),
        ];
        folder.write(&[changed(Profile::Aws, &changes, &[])]);
        let plan = folder.plan(Mode::Apply).await;
        assert!(plan.renames.is_empty(), "{:#?}", plan.renames);
    });
}

#[test]
fn a_rename_that_is_cut_off_goes_on_where_it_ended() {
    const SITE: Pairs = &[
        ("site \"east\"", "site \"main\""),
        ("site.east", "site.main"),
    ];
    let cases: [(Pairs, Pairs); 2] = [
        (SITE, &[("site.east", "site.main")]),
        (
            &[
                ("topology \"shop\"", "topology \"store\""),
                ("volume \"data\"", "volume \"store\""),
                ("network \"core\"", "network \"main\""),
                ("network.core", "network.main"),
                ("machines \"web\"", "machines \"front\""),
            ],
            &[
                ("topology.shop", "topology.store"),
                ("volume.data", "volume.store"),
                ("network.core", "network.main"),
                ("machines.web", "machines.front"),
            ],
        ),
    ];
    for (changes, moved) in cases {
        for at in (0..24).step_by(2) {
            let forgotten = at % 4 == 0;
            run(async {
                let folder = applied(Profile::Aws).await;
                let before = ids(&folder);
                folder.write(&[changed(Profile::Aws, changes, moved)]);
                folder.killed(Mode::Apply, at).await;
                if forgotten {
                    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
                    folder.forget();
                }
                apply(&folder).await;
                assert_eq!(ids(&folder), before, "killed at {at}");
                tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
                stays(&folder, &format!("killed at {at}")).await;
            });
        }
    }
}
