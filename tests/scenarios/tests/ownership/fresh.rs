//! Applies from folders that remember nothing, as a pipeline has them.

use fastrand::Rng;
use proptest::prelude::*;
use strat_scenarios::Folder;
use strat_sim::Profile;
use stratiform::{AllowDataLoss, ApplyOptions, Mode, PlanOptions, RunOptions};

use crate::common::{config, ids, lines, run, shop};

/// An apply with a yes and consent to what the plan says is lost, and nothing else.
async fn agreed(folder: &Folder, mode: Mode, what: &str) {
    folder.forget();
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    let session = folder.session().await;
    let begun = session.begin(&RunOptions::new("test")).await;
    let begun = begun.expect("begins");
    let options = PlanOptions {
        mode,
        ..PlanOptions::default()
    };
    let planned = begun.plan(&options).await.expect("a plan");
    let said = lines(&planned.saved.plan);
    assert!(planned.saved.plan.withheld.is_empty(), "{what}: {said:#?}");
    let options = ApplyOptions {
        allow_data_loss: AllowDataLoss::all_of(&planned.saved),
        ..ApplyOptions::default()
    };
    let outcome = begun.apply(&planned, &options).await;
    begun.end().await.expect("ends");
    let outcome = outcome.unwrap_or_else(|error| panic!("{what}: {error}\nof {said:#?}"));
    assert!(outcome.is_success(), "{what}: {said:#?}");
    folder.forget();
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    let next = folder.plan(mode).await;
    assert!(lines(&next).is_empty(), "after {what}: {:#?}", lines(&next));
}

proptest! {
    // Five applies each; a hundred cases (`PROPTEST_CASES=100`) are five hundred.
    #![proptest_config(config(4))]

    #[test]
    fn a_pipeline_needs_no_flag_but_consent_to_what_is_lost(seed: u64) {
        run(async {
            let mut rng = Rng::with_seed(seed);
            let profile = Profile::ALL[rng.usize(..Profile::ALL.len())];
            let folder = Folder::new();
            let mut count = rng.u32(2..6);
            let mut image = "debian-12";
            for step in ["first", "out", "rollout", "in", "destroy"] {
                match step {
                    "out" => count += rng.u32(1..4),
                    "rollout" => image = "ubuntu-24.04",
                    "in" => count -= 1,
                    _ => {}
                }
                let text = shop(profile).replace("count  = 3", &format!("count  = {count}"));
                folder.write(&[text.replace("debian-12", image)]);
                let mode = if step == "destroy" { Mode::Destroy } else { Mode::Apply };
                agreed(&folder, mode, step).await;
            }
            prop_assert!(ids(&folder).is_empty());
            Ok(())
        })?;
    }
}
