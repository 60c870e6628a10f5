//! Things done behind our back.

use fastrand::Rng;
use proptest::prelude::*;
use strat_scenarios::{Folder, random};
use strat_sim::{Disturbance, RegionKey};
use stratiform::model::{Bytes, Name, Resource, ResourceState, Spec};
use stratiform::{Claims, Mode, PlanOptions, RunOptions, Target};

use crate::common::{apply, cases, lines, nothing_left, nothing_to_do, run};

/// Something that may be done to a thing, if anything.
fn trouble(rng: &mut Rng, thing: &Resource) -> Option<Disturbance> {
    let which = thing.id.to_string();
    let kind = thing.kind();
    let relabel = Disturbance::SetLabel {
        kind,
        which: which.clone(),
        key: "tier".to_owned(),
        value: rng.bool().then(|| "wrong".to_owned()),
    };
    Some(match (&thing.spec, rng.u32(0..3)) {
        (Spec::Machine(_), 0) => Disturbance::StopMachine { which },
        (Spec::Machine(_), 1) => Disturbance::BreakMachine { which },
        (Spec::Machine(_) | Spec::Bucket(_) | Spec::Address(_) | Spec::Firewall(_), 2) => {
            Disturbance::Delete { kind, which }
        }
        (Spec::Firewall(firewall), 0) => {
            let rule = firewall.rules.first()?;
            Disturbance::DeleteRule {
                which,
                rule: rule.name.clone(),
                direction: rule.direction,
            }
        }
        (Spec::Firewall(firewall), 1) => {
            let mut rule = firewall.rules.first()?.clone();
            rule.name = Name::new("backdoor").expect("a name");
            Disturbance::SetRule {
                which,
                rule: Box::new(rule),
            }
        }
        (Spec::Volume(volume), 0) => Disturbance::ResizeVolume {
            which,
            size: Bytes(volume.size.0 / 2),
        },
        (Spec::Volume(volume), 1) if volume.attach.is_some() => Disturbance::DetachVolume { which },
        _ => relabel,
    })
}

/// A few things of the topology, with where they are.
fn some(rng: &mut Rng, folder: &Folder) -> Vec<(RegionKey, Resource)> {
    let control = folder.control();
    let mut all = Vec::new();
    for region in folder.regions() {
        let things = control.resources(&region, None).expect("things");
        all.extend(things.into_iter().map(|thing| (region.clone(), thing)));
    }
    rng.shuffle(&mut all);
    all.truncate(rng.usize(1..5));
    all
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn what_was_done_behind_our_back_is_seen_and_mended(shape: u64, detail: u64, seed: u64) {
        run(async {
            let mut rng = Rng::with_seed(seed);
            let folder = Folder::new();
            folder.write(&[random(shape, detail).text()]);
            apply(&folder).await;
            let mut done = Vec::new();
            for (region, thing) in some(&mut rng, &folder) {
                let Some(what) = trouble(&mut rng, &thing) else { continue };
                let before = folder.everything();
                // The cloud's own rules may forbid it, or it may change nothing.
                if folder.control().disturb(&region, &what).is_ok() && folder.everything() != before {
                    done.push(what);
                }
            }
            let plan = folder.plan(Mode::Apply).await;
            let said = lines(&plan);
            prop_assert_eq!(said.is_empty(), done.is_empty(), "{:#?}\n{:#?}", done, said);
            // What held data and was deleted comes back when somebody says so.
            let sites = folder.session().await.sites().keys().cloned().map(Target::Site).collect();
            let claims = Claims { recreate: sites, ..Claims::default() };
            let options = PlanOptions { claims, ..PlanOptions::default() };
            let (plan, outcome) = folder.outcome(&options).await;
            prop_assert!(outcome.is_success(), "{:#?}", lines(&plan));
            nothing_to_do(&folder, 0).await;
            nothing_left(&folder, 0).await;
            Ok(())
        })?;
    }

    #[test]
    fn what_lost_its_mark_is_never_deleted(shape: u64, detail: u64, seed: u64) {
        run(async {
            let mut rng = Rng::with_seed(seed);
            let folder = Folder::new();
            folder.write(&[random(shape, detail).text()]);
            apply(&folder).await;
            let lost = some(&mut rng, &folder);
            let mark = |region: &RegionKey, thing: &Resource, mark| {
                let (kind, which) = (thing.kind(), thing.id.to_string());
                let what = Disturbance::SetMark { kind, which, mark };
                folder.control().disturb(region, &what).expect("marked");
            };
            lost.iter().for_each(|(region, thing)| mark(region, thing, None));
            tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
            if rng.bool() {
                folder.forget();
            }
            let plan = folder.plan(Mode::Apply).await;
            prop_assert!(!lines(&plan).is_empty());
            folder.apply(Mode::Apply).await;
            folder.apply(Mode::Destroy).await;
            for (region, thing) in &lost {
                let now = folder.control().resources(region, Some(thing.kind())).expect("things");
                let now = now.into_iter().find(|now| now.id == thing.id);
                prop_assert!(now.is_some_and(|n| n.state != ResourceState::Deleting), "{thing:#?}");
            }
            for (region, thing) in lost {
                mark(&region, &thing, thing.mark.clone().map(Box::new));
            }
            nothing_left(&folder, 0).await;
            Ok(())
        })?;
    }

    #[test]
    fn what_is_protected_is_in_the_way_of_every_plan_that_would_delete_it(
        shape: u64, before: u64, after: u64, seed: u64,
    ) {
        run(async {
            let mut rng = Rng::with_seed(seed);
            let folder = Folder::new();
            let mut topology = random(shape, before);
            let guarded = rng.usize(2..topology.blocks.len());
            if topology.blocks[guarded].starts_with("site") {
                return Ok(());
            }
            let protect = |block: &mut String| *block = block.replacen('{', "{\n  protect = true", 1);
            protect(&mut topology.blocks[guarded]);
            folder.write(&[topology.text()]);
            apply(&folder).await;
            let protected: Vec<_> = folder.everything().into_values().flatten()
                .filter(|thing| thing.mark.as_ref().is_some_and(|mark| mark.protect))
                .collect();
            // Everybody's mind changes: other values, or all blocks but the sites are gone.
            let mut next = random(shape, after);
            if rng.bool() {
                next.blocks.retain(|block| block.starts_with("site") || block.starts_with("topology"));
            }
            folder.write(&[next.text()]);
            for mode in [Mode::Apply, Mode::Destroy] {
                let session = folder.session().await;
                let run = session.begin(&RunOptions::new("test")).await.expect("begins");
                let options = PlanOptions { mode, ..PlanOptions::default() };
                let planned = run.plan(&options).await.expect("a plan");
                let options = stratiform::ApplyOptions {
                    allow_deletes: true,
                    allow_data_loss: stratiform::AllowDataLoss::all_of(&planned.saved),
                    ..Default::default()
                };
                let refused = run.apply(&planned, &options).await.is_err();
                run.end().await.expect("ends");
                prop_assert!(mode == Mode::Apply || refused || protected.is_empty());
                let now: Vec<_> = folder.everything().into_values().flatten().map(|t| t.id).collect();
                for thing in &protected {
                    // An apply that keeps it may take the protection off; then it may go.
                    let kept = now.contains(&thing.id);
                    prop_assert!(kept || (mode == Mode::Destroy && !refused), "{:#?}", thing);
                }
                if !refused { return Ok(()); }
            }
            Ok(())
        })?;
    }
}
