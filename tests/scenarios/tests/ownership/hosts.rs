//! Hosts that are taken out for a while: what is on them is left as it is, and no other is made.

use strat_scenarios::Folder;
use strat_sim::{Disturbance, Profile};
use stratiform::Mode;

use crate::common::{applied, apply, at, disturb, ids, lines, run};

async fn nothing_is_touched(folder: &Folder, what: &str) {
    let before = ids(folder);
    for mode in [Mode::Apply, Mode::Destroy] {
        let plan = folder.plan(mode).await;
        let said = lines(&plan);
        assert!(plan.changes.is_empty(), "{what}: {said:#?}");
        assert!(
            said.iter().any(|line| line.contains("are taken out")),
            "{what}: {said:#?}"
        );
        assert!(
            said.iter()
                .all(|line| !line.contains("behind Stratiform's back")),
            "{what}: {said:#?}"
        );
        folder.apply(mode).await;
        assert_eq!(ids(folder), before, "{what}: {said:#?}");
    }
}

#[test]
fn what_is_on_hosts_that_are_out_is_left_as_it_is() {
    for profile in Profile::ALL {
        for forgotten in [false, true] {
            run(async {
                let folder = applied(profile).await;
                let before = folder.everything();
                for addr in ["machine.db@east", "machines.web@east"] {
                    let zone = at(&folder, addr).zone().cloned().expect("a zone");
                    disturb(&folder, &Disturbance::HideZone { zone: zone.clone() });
                    if forgotten {
                        folder.forget();
                    }
                    nothing_is_touched(&folder, &format!("{profile} {addr} {forgotten}")).await;
                    disturb(&folder, &Disturbance::ShowZone { zone });
                    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
                    apply(&folder).await;
                    assert_eq!(folder.everything(), before, "{profile} {addr} {forgotten}");
                }
            });
        }
    }
}
