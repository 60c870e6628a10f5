//! Things of others in the same accounts.

use proptest::prelude::*;
use strat_scenarios::{Folder, Weather, random};
use strat_sim::Disturbance;
use stratiform::Mode;
use stratiform::model::{Kind, Mark};

use crate::common::{apply_at_last, cases, nothing_left, nothing_to_do, run};

/// Makes a thing of every kind in every region, every other one with this mark's owner.
fn settle(folder: &Folder, mark: &Mark) {
    let control = folder.control();
    for region in folder.regions() {
        for (number, kind) in Kind::ALL.into_iter().enumerate() {
            for marked in [true, false] {
                let Ok(spec) = control.plausible(&region, kind) else {
                    continue;
                };
                let create = Disturbance::Create {
                    name: format!("somebodys-{number}-{marked}"),
                    spec: Box::new(spec),
                    mark: marked.then(|| Box::new(mark.clone())),
                };
                control.disturb(&region, &create).expect("made");
            }
        }
    }
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn what_is_not_ours_stays_to_the_byte(shape: u64, before: u64, after: u64, seed: u64) {
        run(async {
            let folder = Folder::new();
            let bad = Weather::bad(seed);
            folder.write(&[random(shape, before).in_weather(&bad).text()]);
            drop(folder.session().await);
            let mark = r#"{ "owner": { "realm": "bank", "topology": "random" },
                "addr": "network.n0@east", "spec": "", "generation": 1 }"#;
            settle(&folder, &serde_json::from_str(mark).expect("a mark"));
            let others = folder.everything();
            let count = others.values().map(Vec::len).sum();
            for detail in [before, after] {
                folder.write(&[random(shape, detail).in_weather(&bad).text()]);
                apply_at_last(&folder, Mode::Apply).await;
            }
            folder.write(&[random(shape, after).in_weather(&Weather::late(seed)).text()]);
            nothing_to_do(&folder, count).await;
            nothing_left(&folder, count).await;
            prop_assert_eq!(folder.everything(), others);
            Ok(())
        })?;
    }

    #[test]
    fn two_realms_share_an_account_and_never_meet(shape: u64, one: u64, other: u64, seed: u64) {
        run(async {
            let ours = Folder::new();
            let theirs = ours.beside();
            let late = Weather::late(seed);
            let text = |detail| random(shape, detail).in_weather(&late);
            ours.write(&[text(one).text()]);
            theirs.write(&[text(other).in_realm("bank", &ours.world()).text()]);
            apply_at_last(&ours, Mode::Apply).await;
            let before = ours.everything();
            let count = before.values().map(Vec::len).sum::<usize>();
            apply_at_last(&theirs, Mode::Apply).await;
            let plan = theirs.plan(Mode::Apply).await;
            nothing_to_do(&ours, plan.summary.no_op as usize).await;
            nothing_to_do(&theirs, count).await;
            nothing_left(&theirs, count).await;
            prop_assert_eq!(ours.everything(), before);
            nothing_left(&ours, 0).await;
            Ok(())
        })?;
    }
}
