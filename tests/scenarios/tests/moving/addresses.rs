//! Subnets that have fewer addresses than machines want.

use strat_scenarios::Folder;
use stratiform::Mode;
use stratiform::model::{Kind, Spec};

use crate::common::{lines, nothing_to_do, run};

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
