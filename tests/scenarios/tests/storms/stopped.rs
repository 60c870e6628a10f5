//! Runs that somebody stops.

use proptest::prelude::*;
use strat_scenarios::{Folder, Weather, random};
use stratiform::Mode;

use crate::common::{apply, cases, nothing_left, nothing_to_do, run};

proptest! {
    #![proptest_config(cases(16))]

    #[test]
    fn stopped_anywhere_the_next_apply_goes_on(
        shape: u64, before: u64, after: u64, seed: u64,
        at in 0_usize..150, again in 0_usize..60, urgent: bool,
    ) {
        run(async {
            let folder = Folder::new();
            let late = Weather::late(seed);
            folder.write(&[random(shape, before).in_weather(&late).text()]);
            folder.stopped(Mode::Apply, at, urgent).await;
            folder.write(&[random(shape, after).in_weather(&late).text()]);
            folder.stopped(Mode::Apply, again, !urgent).await;
            apply(&folder).await;
            nothing_to_do(&folder, 0).await;
            folder.stopped(Mode::Destroy, again, urgent).await;
            nothing_left(&folder, 0).await;
        });
    }
}
