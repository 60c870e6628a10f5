//! Data goes only by name.

use fastrand::Rng;
use proptest::prelude::*;
use strat_scenarios::{Folder, Random, random};
use strat_sim::Disturbance;
use stratiform::model::{Addr, Kind, Noun, ResourceId};
use stratiform::{AllowDataLoss, ApplyOptions, Mode, PlanOptions, RunOptions};

use crate::common::{apply, cases, run};

/// Something that holds data, as it really is: told by the world, not by a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Holder {
    addr: Addr,
    id: ResourceId,
}

/// The machines with an identity, the volumes (all of them were attached) and the buckets that hold
/// something, but for those whose mark gives their data up.
fn holders(folder: &Folder, full: &[ResourceId]) -> Vec<Holder> {
    let things = folder.everything().into_values().flatten();
    let holds = things.filter_map(|thing| {
        let mark = thing.mark?;
        let holds = match mark.addr.local.noun {
            Noun::Machine | Noun::Volume => true,
            Noun::Bucket => full.contains(&thing.id),
            _ => false,
        };
        (holds && !mark.disposable).then_some(Holder {
            addr: mark.addr,
            id: thing.id,
        })
    });
    holds.collect()
}

/// Puts objects into some of the buckets; gives which.
fn fill(folder: &Folder, rng: &mut Rng) -> Vec<ResourceId> {
    let mut full = Vec::new();
    for region in folder.regions() {
        let buckets = folder.control().resources(&region, Some(Kind::Bucket));
        for bucket in buckets.expect("buckets") {
            if rng.bool() {
                let which = bucket.id.to_string();
                let what = Disturbance::FillBucket { which, objects: 3 };
                folder.control().disturb(&region, &what).expect("filled");
                full.push(bucket.id);
            }
        }
    }
    full
}

/// The topology without some of its blocks that hold data, and what refers to those.
fn forget(topology: &mut Random, rng: &mut Rng) {
    let named = |block: &String| {
        let mut words = block.split_whitespace();
        let (noun, name) = (words.next()?, words.next()?.trim_matches('"'));
        let holds = matches!(noun, "machine" | "volume" | "bucket");
        holds.then(|| format!("{noun}.{name}"))
    };
    let gone: Vec<String> = topology.blocks.iter().filter_map(named).collect();
    let gone: Vec<String> = gone.into_iter().filter(|_| rng.u32(0..3) == 0).collect();
    topology.blocks.retain(|block| {
        let is_gone = named(block).is_some_and(|name| gone.contains(&name));
        let refers = |name: &String| {
            let mut places = block.match_indices(name.as_str());
            places.any(|(at, _)| {
                let next = block[at + name.len()..].chars().next();
                next.is_none_or(|next| !next.is_alphanumeric())
            })
        };
        !is_gone && !gone.iter().any(refers)
    });
}

/// Names some of what holds data, some of it by a wrong id, and perhaps the topology.
fn names(holders: &[Holder], rng: &mut Rng) -> (Vec<AllowDataLoss>, Vec<Holder>) {
    let mut allowed = Vec::new();
    let mut named = Vec::new();
    let all = rng.bool();
    for holder in holders {
        let (addr, kind) = (holder.addr.clone(), rng.u32(0..8));
        let id = match kind {
            _ if all => None,
            0 | 1 => continue,
            2 => Some(ResourceId::from("another")),
            3 | 4 => Some(holder.id.clone()),
            _ => None,
        };
        if id.is_none() || id.as_ref() == Some(&holder.id) {
            named.push(holder.clone());
        }
        allowed.push(AllowDataLoss::Thing { addr, id });
    }
    (allowed, named)
}

proptest! {
    #![proptest_config(cases(48))]

    #[test]
    fn no_data_of_anything_goes_without_its_name(
        shape: u64, before: u64, after: u64, seed: u64,
    ) {
        run(async {
            let mut rng = Rng::with_seed(seed);
            let folder = Folder::new();
            folder.write(&[random(shape, before).text()]);
            apply(&folder).await;
            let full = fill(&folder, &mut rng);
            let mut next = random(shape, after);
            forget(&mut next, &mut rng);
            folder.write(&[next.text()]);

            let holders = holders(&folder, &full);
            let (mut allowed, named) = names(&holders, &mut rng);
            let mode = if rng.u32(0..4) == 0 { Mode::Destroy } else { Mode::Apply };
            let whole = rng.u32(0..4) == 0;
            if whole {
                allowed.push("random".parse().expect("the topology's name"));
            }
            let was = folder.everything();
            let session = folder.session().await;
            let run = session.begin(&RunOptions::new("test")).await.expect("begins");
            let options = PlanOptions { mode, ..PlanOptions::default() };
            let refused = match run.plan(&options).await {
                Ok(planned) => {
                    let options = ApplyOptions {
                        allow_deletes: true,
                        allow_data_loss: allowed,
                        ..ApplyOptions::default()
                    };
                    run.apply(&planned, &options).await.is_err()
                }
                Err(_) => true,
            };
            run.end().await.expect("ends");

            let now = folder.everything();
            prop_assert!(!refused || was == now, "a refusal comes before the first call");
            let left: Vec<_> = now.into_values().flatten().map(|thing| thing.id).collect();
            for holder in holders.iter().filter(|holder| !left.contains(&holder.id)) {
                let agreed = named.contains(holder) || (whole && mode == Mode::Destroy);
                prop_assert!(agreed, "{} ({}) went", holder.addr, holder.id);
            }
            Ok(())
        })?;
    }
}
