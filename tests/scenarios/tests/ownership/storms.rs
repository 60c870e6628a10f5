//! Random topologies, to which things are done that make their owners doubtful.

use std::collections::BTreeSet;

use fastrand::Rng;
use proptest::prelude::*;
use strat_scenarios::{Folder, random};
use strat_sim::{Disturbance, RegionKey};
use stratiform::model::{Resource, ResourceId, Spec};
use stratiform::{Error, Mode};

use crate::common::{apply, config, ids, lines, run};

/// Something that leaves all things where they are.
fn doubt(rng: &mut Rng, thing: &Resource, others: &[(RegionKey, Resource)]) -> Disturbance {
    let (kind, which) = (thing.kind(), thing.id.to_string());
    let copied = matches!(thing.spec, Spec::Machine(_) | Spec::Volume(_));
    let of_kind = others
        .iter()
        .filter(|(_, other)| other.kind() == kind && other.id != thing.id);
    let of_kind: Vec<_> = of_kind.collect();
    match rng.u32(0..5) {
        0 | 1 => Disturbance::SetMark {
            kind,
            which,
            mark: None,
        },
        2 if copied => Disturbance::Clone { kind, which },
        3 if copied && !of_kind.is_empty() => Disturbance::Forge {
            kind,
            which,
            to: of_kind[rng.usize(..of_kind.len())].1.id.to_string(),
        },
        _ => Disturbance::Forget {
            kind,
            which,
            for_ms: 20 * 60_000,
        },
    }
}

fn all(folder: &Folder) -> Vec<(RegionKey, Resource)> {
    let control = folder.control();
    let regions = folder.regions().into_iter();
    let things = regions.flat_map(|region| {
        let things = control.resources(&region, None).expect("things");
        things.into_iter().map(move |thing| (region.clone(), thing))
    });
    things.collect()
}

proptest! {
    #![proptest_config(config(32))]

    /// Nothing that was there is deleted, and nothing is made beside it, whatever marks and lists say.
    #[test]
    fn doubt_never_deletes_doubles_or_empties(shape: u64, detail: u64, seed: u64) {
        run(async {
            let mut rng = Rng::with_seed(seed);
            let folder = Folder::new();
            folder.write(&[random(shape, detail).text()]);
            apply(&folder).await;
            tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
            let originals = ids(&folder);
            let things = all(&folder);
            let mut done = Vec::new();
            for _ in 0..rng.usize(1..6) {
                let (region, thing) = &things[rng.usize(..things.len())];
                let what = doubt(&mut rng, thing, &things);
                if folder.control().disturb(region, &what).is_ok() {
                    done.push(what);
                }
            }
            let before: BTreeSet<ResourceId> = ids(&folder);
            let mut away = Vec::new();
            for (region, thing) in &things {
                match thing.zone().cloned() {
                    Some(zone) if rng.u32(0..12) == 0 => {
                        let what = Disturbance::HideZone { zone: zone.clone() };
                        folder.control().disturb(region, &what).expect("taken out");
                        away.push((region, Disturbance::ShowZone { zone }));
                    }
                    _ => {}
                }
            }
            if rng.bool() {
                let region = &things[rng.usize(..things.len())].0;
                let account = |account| Disturbance::SwitchAccount { account };
                let other = account(Some("other".to_owned()));
                folder.control().disturb(region, &other).expect("switched");
                let refused = folder.try_plan().await;
                prop_assert!(matches!(refused, Err(Error::Account { .. })), "{refused:?}");
                let right = account(None);
                folder.control().disturb(region, &right).expect("switched");
            }
            for round in 0..4 {
                if round == 2 {
                    // What was taken out is back, with everything as it was.
                    for (region, back) in &away {
                        folder.control().disturb(region, back).expect("back");
                    }
                }
                let plan = folder.plan(Mode::Apply).await;
                folder.apply(Mode::Apply).await;
                let after = ids(&folder);
                let lost: Vec<_> = originals.difference(&after).collect();
                let what = (&away, &done, lines(&plan));
                prop_assert!(lost.is_empty(), "{lost:?}\n{what:#?}");
                let made: Vec<_> = after.difference(&before).collect();
                prop_assert!(made.is_empty(), "{made:?}\n{what:#?}");
            }
            Ok(())
        })?;
    }
}
