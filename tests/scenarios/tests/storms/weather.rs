//! Lost answers, faults, late lists, limits, small pages.

use proptest::prelude::*;
use strat_scenarios::{Folder, Weather, random};
use stratiform::Mode;

use crate::common::{apply, apply_at_last, cases, nothing_left, nothing_to_do, run};

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn in_bad_weather_it_is_done_at_last_and_once(
        shape: u64, before: u64, after: u64, seed: u64,
    ) {
        run(async {
            let folder = Folder::new();
            let (bad, late) = (Weather::bad(seed), Weather::late(seed));
            for detail in [before, after] {
                folder.write(&[random(shape, detail).in_weather(&bad).text()]);
                apply_at_last(&folder, Mode::Apply).await;
                folder.write(&[random(shape, detail).in_weather(&late).text()]);
                nothing_to_do(&folder, 0).await;
            }
            folder.write(&[random(shape, after).in_weather(&bad).text()]);
            nothing_left(&folder, 0).await;
        });
    }

    #[test]
    fn killed_in_bad_weather_it_is_done_at_last_and_once(
        shape: u64, detail: u64, seed: u64, at in 0_usize..120, again in 0_usize..60,
    ) {
        run(async {
            let folder = Folder::new();
            folder.write(&[random(shape, detail).in_weather(&Weather::bad(seed)).text()]);
            folder.killed(Mode::Apply, at).await;
            folder.killed(Mode::Apply, again).await;
            apply_at_last(&folder, Mode::Apply).await;
            folder.write(&[random(shape, detail).in_weather(&Weather::late(seed)).text()]);
            nothing_to_do(&folder, 0).await;
            folder.killed(Mode::Destroy, again).await;
            nothing_left(&folder, 0).await;
        });
    }

    #[test]
    fn what_another_computer_has_just_made_is_not_made_again(
        shape: u64, detail: u64, at in 0_usize..200, seed: u64,
    ) {
        run(async {
            let folder = Folder::new();
            folder.write(&[random(shape, detail).in_weather(&Weather::late(seed)).text()]);
            folder.stopped(Mode::Apply, at, false).await;
            folder.forget();
            apply_at_last(&folder, Mode::Apply).await;
            nothing_to_do(&folder, 0).await;
            folder.forget();
            apply(&folder).await;
            nothing_left(&folder, 0).await;
        });
    }
}
