//! Types that have their CPUs' full speed only now and then: excluded, asked for, or as it comes.

use strat_scenarios::Folder;
use stratiform::Mode;
use stratiform::model::{Kind, Spec};

use crate::common::{nothing_to_do, run};

fn shop(profile: &str, region: &str, rest: &str) -> String {
    format!(
        "topology \"steady\" {{}}\nsite \"here\" {{\n  provider = \"sim\"\n  profile = \"{profile}\"\n  \
         region = \"{region}\"\n  create_ms = 10\n}}\nnetwork \"n\" {{\n  cidr = \"10.0.0.0/16\"\n  \
         site_prefix = 20\n  sites = [site.here]\n}}\nsubnet \"s\" {{\n  network = network.n\n  \
         newbits = 4\n}}\nmachines \"web\" {{\n  count = 2\n  cpu = 2\n  memory = \"2GiB\"\n  \
         image = \"debian-12\"\n  subnet = subnet.s\n{rest}\n}}\n"
    )
}

/// The machine type of the fleet.
fn sort(folder: &Folder) -> String {
    let all = folder.everything().into_values().flatten();
    let mut machines = all.filter(|thing| thing.kind() == Kind::Machine);
    match machines.next().expect("a machine").spec {
        Spec::Machine(spec) => spec.machine_type,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_burstable_type_is_excluded_or_asked_for_and_cheapest_otherwise() {
    for (profile, region, burstable, steady) in [
        ("aws", "us-east-1", "t3.small", "c5.large"),
        ("azure", "westeurope", "Standard_B2s", "Standard_F2s_v2"),
        ("gcp", "us-central1", "e2-small", "e2-standard-2"),
    ] {
        run(async {
            let folder = Folder::new();
            for (rest, expected) in [
                ("", burstable),
                ("  burstable = false", steady),
                ("  burstable = true", burstable),
            ] {
                folder.write(&[shop(profile, region, rest)]);
                assert!(folder.apply(Mode::Apply).await.success, "{profile} {rest}");
                assert_eq!(sort(&folder), expected, "{profile} {rest}");
                nothing_to_do(&folder).await;
            }
        });
    }
}

#[test]
fn where_nothing_is_burstable_none_is_found_and_the_reason_is_told() {
    run(async {
        for (profile, region, said) in [
            (
                "aws",
                "us-east-1",
                "not burstable, which `burstable` asks for",
            ),
            ("onprem", "lab", "nothing there is burstable"),
        ] {
            let folder = Folder::new();
            // No burstable type is that large.
            let large = shop(profile, region, "  burstable = true").replace("cpu = 2", "cpu = 16");
            folder.write(&[large]);
            let refused = folder.try_plan().await.expect_err("nothing does");
            let (findings, _) = refused.findings().expect("findings");
            let told = format!("{findings:?}");
            assert!(told.contains(said), "{profile}: {told}");
        }
    });
}

#[test]
fn a_type_by_name_says_it_already() {
    run(async {
        let folder = Folder::new();
        let text = shop("aws", "us-east-1", "  burstable = false");
        let named = text.replace(
            "cpu = 2\n  memory = \"2GiB\"",
            "machine_type = \"t3.small\"",
        );
        folder.write(&[named]);
        let refused = folder.validate().await.expect_err("two sizes");
        let (findings, _) = refused.findings().expect("findings");
        assert!(format!("{findings:?}").contains("`burstable` stands beside `machine_type`"));
    });
}
