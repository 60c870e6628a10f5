//! Subnets that have fewer addresses than machines want.

use std::time::Duration;

use strat_scenarios::Folder;
use strat_sim::Disturbance;
use stratiform::model::{Kind, Spec};
use stratiform::{Mode, PlanOptions};

use crate::common::{lines, machines, nothing_to_do, region, run, shop, sorts};

const EAST: &str = "  placement { sites = [site.east] }";

/// A fleet in subnets of 32 addresses: on AWS one in each of three zones, elsewhere one at the site.
fn fleet(profile: &str, region: &str, count: u32, rest: &str) -> String {
    format!(
        "topology \"small\" {{}}\nsite \"here\" {{\n  provider = \"sim\"\n  account = \"main\"\n  \
         profile = \"{profile}\"\n  region = \"{region}\"\n  create_ms = 10\n}}\nnetwork \"n\" {{\n  \
         cidr = \"10.0.0.0/16\"\n  site_prefix = 24\n  sites = [site.here]\n}}\nsubnet \"s\" {{\n  \
         network = network.n\n  newbits = 3\n}}\nmachines \"web\" {{\n  count = {count}\n  cpu = 2\n  \
         memory = \"8GiB\"\n  image = \"debian-12\"\n  subnet = subnet.s\n{rest}\n}}\n"
    )
}

const CLOUDS: [(&str, &str, u32); 3] = [
    ("aws", "us-east-1", 81),
    ("azure", "westeurope", 27),
    ("gcp", "europe-north1", 28),
];

#[test]
fn machines_fill_every_subnet_to_the_last_address_in_one_round() {
    for (profile, region, most) in CLOUDS {
        for rest in ["", "  placement { spread = \"zone\" }"] {
            run(async {
                let folder = Folder::new();
                folder.write(&[fleet(profile, region, 20, rest)]);
                assert!(folder.apply(Mode::Apply).await.success);
                folder.write(&[fleet(profile, region, most, rest)]);
                let (plan, outcome) = folder.outcome(&Default::default()).await;
                assert!(
                    outcome.is_success(),
                    "{profile} {rest}: {:#?}",
                    lines(&plan)
                );
                assert_eq!(
                    outcome.reports.len(),
                    1,
                    "{profile} {rest}: nothing ran out"
                );
                let all = folder.everything().into_values().flatten();
                let machines = all.filter(|thing| thing.kind() == Kind::Machine).count();
                assert_eq!(machines, most as usize);
                nothing_to_do(&folder).await;
            });
        }
    }
}

#[test]
fn more_machines_than_addresses_are_refused_before_anything_is_made() {
    for (profile, region, most) in CLOUDS {
        for rest in ["", "  placement { spread = \"zone\" }"] {
            run(async {
                let folder = Folder::new();
                folder.write(&[fleet(profile, region, most + 1, rest)]);
                let refused = folder.try_plan().await.expect_err("one has no address");
                let said = format!("{refused}");
                assert!(said.contains("1 of "), "{profile}: {said}");
                let (findings, _) = refused.findings().expect("findings");
                let told = format!("{findings:?}");
                assert!(
                    told.contains("subnet.s has no address left there"),
                    "{told}"
                );
                assert!(folder.validate().await.is_err(), "{profile}");
            });
        }
    }
}

/// Two fleets share a subnet: they have its addresses together.
#[test]
fn fleets_that_share_a_subnet_share_its_addresses() {
    run(async {
        let folder = Folder::new();
        let one = fleet("azure", "westeurope", 15, "");
        let other = one[one.find("machines").expect("a fleet")..].replace("web", "api");
        folder.write(&[format!("{one}{other}")]);
        let refused = folder
            .try_plan()
            .await
            .expect_err("27 addresses, 30 machines");
        assert!(format!("{refused}").contains("3 of 15"), "{refused}");
        folder.write(&[format!(
            "{one}{}",
            other.replace("count = 15", "count = 12")
        )]);
        assert!(folder.apply(Mode::Apply).await.success);
        let all = folder.everything().into_values().flatten();
        let is_machine =
            |thing: &stratiform::model::Resource| matches!(thing.spec, Spec::Machine(_));
        assert_eq!(all.filter(is_machine).count(), 27);
    });
}

/// Somebody else takes all that is left of a subnet where a machine of `web` is; its zone.
fn fill_up(folder: &Folder) -> String {
    let (region, control) = (region(folder, "east"), folder.control());
    let web = &machines(folder)["east"][0];
    let spec = web.spec.clone();
    let Spec::Machine(machine) = &spec else {
        panic!("a machine")
    };
    let zone = machine.zone.to_string();
    for number in 0.. {
        let create = Disturbance::Create {
            name: format!("somebodys-{number}"),
            spec: Box::new(spec.clone()),
            mark: None,
        };
        if control.disturb(&region, &create).is_err() {
            assert!(number > 5, "{number} are not all addresses");
            break;
        }
    }
    zone
}

#[test]
fn a_full_subnet_turns_nobody_away_from_the_others_of_its_zone() {
    run(async {
        let with = |count: u32, backs: &str| {
            let small = shop(count, EAST).replace("newbits = 4", "newbits = 8");
            let back = "subnet \"back\" {\n  network = network.core\n  newbits = 8\n}\n";
            small + back + backs
        };
        let folder = Folder::new();
        folder.write(&[with(1, "")]);
        assert!(folder.apply(Mode::Apply).await.success);
        let full = fill_up(&folder);
        let theirs = machines(&folder)["east"].len() - 1;
        folder.write(&[with(3, "")]);
        let outcome = folder.outcome(&PlanOptions::default()).await.1;
        assert!(outcome.is_success(), "{outcome:#?}");
        assert_eq!(outcome.reports.len(), 2);
        let told: Vec<String> = outcome
            .relocations
            .iter()
            .map(ToString::to_string)
            .collect();
        let start =
            format!("2 of machines.web: east {full} had no address left in its subnet for ");
        assert!(told[0].starts_with(&start) && told.len() == 1, "{told:?}");
        let other = |folder: &Folder| {
            let sorts = sorts(folder, "east").into_iter();
            sorts
                .filter(|((zone, _), _)| *zone != full)
                .map(|(_, count)| count)
                .sum::<usize>()
        };
        assert_eq!(other(&folder), 2);
        // What is in another subnet of the zone is made there at once, and one more of the fleet is not
        // asked for where there is no address.
        let back = format!(
            "machine \"back\" {{\n  cpu = 2\n  memory = \"8GiB\"\n  image = \"debian-12\"\n  \
             subnet = subnet.back\n  placement {{\n    sites = [site.east]\n    \
             zone  = \"{full}\"\n  }}\n}}\n"
        );
        folder.write(&[with(4, &back)]);
        let (plan, outcome) = folder.outcome(&PlanOptions::default()).await;
        assert!(outcome.is_success(), "{outcome:#?}");
        assert_eq!(outcome.reports.len(), 1, "{:#?}", outcome.relocations);
        let passed_over: Vec<String> = plan.avoided.iter().map(ToString::to_string).collect();
        let why = format!(
            "subnet.app@east/{full} had no address left (InsufficientFreeAddressesInSubnet)"
        );
        assert_eq!(passed_over, [why]);
        assert_eq!(other(&folder), 3);
        assert_eq!(machines(&folder)["east"].len(), theirs + 5);
        // Once there is one, it is found again: the zone is the first choice still.
        let (region, control) = (region(&folder, "east"), folder.control());
        for number in 0..2 {
            let delete = Disturbance::Delete {
                kind: Kind::Machine,
                which: format!("somebodys-{number}"),
            };
            control.disturb(&region, &delete).expect("deleted");
        }
        tokio::time::sleep(Duration::from_secs(11 * 60)).await;
        folder.write(&[with(5, &back)]);
        let (plan, outcome) = folder.outcome(&PlanOptions::default()).await;
        assert!(
            outcome.is_success() && plan.avoided.is_empty(),
            "{outcome:#?}"
        );
        assert_eq!(other(&folder), 3);
    });
}

/// Two fleets and a machine in two subnets of 16 addresses, all of it by chance.
fn crowd(profile: &str, region: &str, rng: &mut fastrand::Rng) -> String {
    let most = if profile == "aws" { 14 } else { 6 };
    let head = fleet(profile, region, 1, "").replace("newbits = 3", "newbits = 4");
    let at = head.find("machines").expect("a fleet");
    let mut text = head[..at].to_owned();
    text.push_str("subnet \"t\" {\n  network = network.n\n  newbits = 4\n}\n");
    for name in ["web", "api", "db"] {
        if rng.u8(..8) == 0 {
            continue;
        }
        let subnet = if rng.bool() { "s" } else { "t" };
        let spread = if rng.bool() { "zone" } else { "none" };
        let (count, boots, wave) = (rng.u32(1..=most), rng.u8(..2), rng.u32(1..=4));
        let head = match name {
            "db" => "machine \"db\" {\n".to_owned(),
            name => format!(
                "machines \"{name}\" {{\n  count = {count}\n  placement {{ spread = \"{spread}\" }}\n  \
                 rollout {{ wave = {wave} }}\n"
            ),
        };
        text.push_str(&head);
        text.push_str(&format!(
            "  cpu = 2\n  memory = \"8GiB\"\n  image = \"debian-12\"\n  subnet = subnet.{subnet}\n  \
             user_data = \"#cloud-config {boots}\"\n}}\n"
        ));
    }
    text
}

/// Whatever is changed to whatever: an apply is refused before it begins, or gets every address.
#[test]
fn no_apply_is_refused_an_address_half_way() {
    let mut applied = 0;
    for seed in 0..12 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let (profile, region, _) = CLOUDS[rng.usize(..CLOUDS.len())];
        run(async {
            let folder = Folder::new();
            for _ in 0..3 {
                let text = crowd(profile, region, &mut rng);
                folder.write(std::slice::from_ref(&text));
                if folder.try_plan().await.is_err() {
                    continue;
                }
                let (plan, outcome) = folder.outcome(&PlanOptions::default()).await;
                assert!(outcome.is_success(), "{seed}: {:#?}\n{text}", lines(&plan));
                assert!(
                    outcome.reports.len() <= 1,
                    "{seed}: {:#?}\n{text}",
                    outcome.relocations
                );
                nothing_to_do(&folder).await;
                applied += 1;
            }
        });
    }
    assert!(applied > 24, "{applied} of 36 have addresses for all");
}
