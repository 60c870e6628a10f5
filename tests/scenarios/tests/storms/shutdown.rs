//! A machine that goes is shut down first, and nothing that may be mounted is pulled off it.

use strat_scenarios::Folder;
use strat_sim::{Disturbance, RegionKey};
use stratiform::model::{Kind, Resource, ResourceState, Spec};
use stratiform::{AllowDataLoss, ApplyOptions, Mode, PlanOptions, RunOptions};

use crate::common::{apply, nothing_to_do, run};

/// A machine with a volume on owned hardware, whose user data and volume can be set.
fn topology(user_data: &str, class: &str, attach: &str) -> String {
    let machine = |name: &str| {
        format!(
            "machine \"{name}\" {{
  cpu       = 2
  memory    = \"4GiB\"
  image     = \"debian-12\"
  subnet    = subnet.app
  user_data = \"{user_data}\"
  placement {{
    sites = [site.dc1]
    zone  = \"dc1-rack1\"
  }}
}}
"
        )
    };
    format!(
        "topology \"stops\" {{}}
site \"dc1\" {{
  provider = \"sim\"
  profile  = \"onprem\"
  region   = \"dc1\"
  capacity = {{ cpu = 64, memory = \"256GiB\", disk = \"8TiB\" }}
}}
network \"core\" {{
  cidr  = \"10.0.0.0/16\"
  sites = [site.dc1]
}}
subnet \"app\" {{
  network = network.core
  newbits = 3
}}
{}{}volume \"data\" {{
  size   = \"10GiB\"
  class  = \"{class}\"
  {attach}
}}
",
        machine("db"),
        machine("other")
    )
}

fn region(folder: &Folder) -> RegionKey {
    folder.regions().remove(0)
}

fn things(folder: &Folder, kind: Kind) -> Vec<Resource> {
    let things = folder.control().resources(&region(folder), Some(kind));
    let mut things = things.expect("things");
    things.retain(|thing| thing.state != ResourceState::Deleting);
    things
}

/// The machines at an address, and the one that the volume is attached to.
fn machines(folder: &Folder, addr: &str) -> (Vec<Resource>, Option<String>) {
    let mut found = things(folder, Kind::Machine);
    found.retain(|one| {
        one.mark
            .as_ref()
            .is_some_and(|mark| mark.addr.to_string() == addr)
    });
    let volumes = things(folder, Kind::Volume);
    let attached = volumes.iter().find_map(|volume| match &volume.spec {
        Spec::Volume(volume) => volume.attach.as_ref().map(ToString::to_string),
        _ => None,
    });
    (found, attached)
}

fn hang(folder: &Folder, machine: &Resource) {
    let which = machine.id.to_string();
    let what = Disturbance::HangMachine { which };
    folder
        .control()
        .disturb(&region(folder), &what)
        .expect("it hangs");
}

/// Applies with consent to all that is lost, and to cut the power of some machines; gives what
/// failed.
async fn force(folder: &Folder, machines: &[&str]) -> Vec<String> {
    let session = folder.session().await;
    let run = session
        .begin(&RunOptions::new("test"))
        .await
        .expect("begins");
    let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
    let options = ApplyOptions {
        allow_data_loss: AllowDataLoss::all_of(&planned.saved),
        force_stop: machines
            .iter()
            .map(|addr| addr.parse().expect("an address"))
            .collect(),
        ..ApplyOptions::default()
    };
    let outcome = run.apply(&planned, &options).await.expect("applies");
    run.end().await.expect("ends");
    let failures = outcome
        .reports
        .iter()
        .flat_map(stratiform::engine::Report::failures);
    failures
        .map(|(step, why)| format!("{}: {why}; {}", step.addr, why.help().unwrap_or_default()))
        .collect()
}

#[test]
fn volumes_change_machines_with_a_shutdown_and_a_start() {
    run(async {
        let folder = Folder::new();
        folder.write(&[topology("1", "ssd", "attach = machine.db")]);
        apply(&folder).await;
        for text in [
            // Another machine's, nobody's, made anew in place, and its machine's successor's.
            topology("1", "ssd", "attach = machine.other"),
            topology("1", "ssd", "site = site.dc1\n  zone = \"dc1-rack1\""),
            topology("1", "ssd", "attach = machine.db"),
            topology("1", "nvme", "attach = machine.db"),
            topology("2", "nvme", "attach = machine.db"),
        ] {
            folder.write(&[text]);
            // That nothing was pulled off what runs, every apply makes sure.
            apply(&folder).await;
            nothing_to_do(&folder, 0).await;
            for machine in things(&folder, Kind::Machine) {
                assert_eq!(machine.state, ResourceState::Ready, "{}", machine.name);
            }
        }
    });
}

#[test]
fn a_machine_that_hangs_keeps_its_volume_until_its_power_may_be_cut() {
    run(async {
        let folder = Folder::new();
        folder.write(&[topology("1", "ssd", "attach = machine.db")]);
        apply(&folder).await;
        let (before, attached) = machines(&folder, "machine.db@dc1");
        hang(&folder, &before[0]);

        folder.write(&[topology("2", "ssd", "attach = machine.db")]);
        let failures = force(&folder, &[]).await;
        assert_eq!(failures.len(), 1, "{failures:?}");
        assert!(
            failures[0].contains("did not shut down within 300 s"),
            "{failures:?}"
        );
        assert!(
            failures[0].contains("`force_stop` of machine.db@dc1"),
            "{failures:?}"
        );
        // The successor is there; the old one runs, and has its volume.
        let (now, still) = machines(&folder, "machine.db@dc1");
        assert_eq!(now.len(), 2);
        assert_eq!(still, attached);
        assert_eq!(still, Some(before[0].id.to_string()));

        // Another's name cuts nothing.
        assert_eq!(force(&folder, &["machine.other@dc1"]).await.len(), 1);
        assert_eq!(
            force(&folder, &["machine.db@dc1"]).await,
            Vec::<String>::new()
        );
        let (now, attached) = machines(&folder, "machine.db@dc1");
        assert_eq!(now.len(), 1);
        assert_ne!(now[0].id, before[0].id);
        assert_eq!(attached, Some(now[0].id.to_string()));
        nothing_to_do(&folder, 0).await;
    });
}

#[test]
fn a_destroy_shuts_down_too_and_leaves_what_hangs_with_its_volume() {
    run(async {
        let folder = Folder::new();
        folder.write(&[topology("1", "ssd", "attach = machine.db")]);
        apply(&folder).await;
        let (before, _) = machines(&folder, "machine.db@dc1");
        let (other, _) = machines(&folder, "machine.other@dc1");
        hang(&folder, &before[0]);
        hang(&folder, &other[0]);
        let destroyed = folder.apply(Mode::Destroy).await;
        assert!(!destroyed.success);
        // What has no volume is deleted all the same, once its time is up.
        assert!(machines(&folder, "machine.other@dc1").0.is_empty());
        let (left, attached) = machines(&folder, "machine.db@dc1");
        assert_eq!(left.len(), 1);
        assert_eq!(attached, Some(before[0].id.to_string()));
    });
}
