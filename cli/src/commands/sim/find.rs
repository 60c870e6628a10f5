//! Finding things of the world by what people call them.

use strat_sim::{RegionKey, SimControl};
use stratiform::model::{Addr, Kind, Resource, ResourceState};

use crate::failure::Failure;

/// The things that `which` means: by address, id or name. `kind` leaves out the others.
pub(super) fn things(
    control: &SimControl,
    which: &str,
    kind: Option<Kind>,
) -> Result<Vec<(RegionKey, Resource)>, Failure> {
    let addr = which.parse::<Addr>().ok();
    let mut found = Vec::new();
    for view in control.regions().map_err(|error| failed(&error))? {
        let things = control.resources(&view.region, kind);
        for thing in things.map_err(|error| failed(&error))? {
            let marked = thing.mark.as_ref().map(|mark| &mark.addr);
            let means = thing.id.as_str() == which
                || thing.name == which
                || (addr.is_some() && marked == addr.as_ref());
            if means && thing.state != ResourceState::Deleting {
                found.push((view.region.clone(), thing));
            }
        }
    }
    if found.is_empty() {
        let what = kind.map_or("thing", Kind::as_str);
        return Err(Failure::new(format!("the world has no {what} `{which}`"))
            .help("`strat sim list` shows what there is"));
    }
    Ok(found)
}

/// The region that a word means.
pub(super) fn region(control: &SimControl, word: &str) -> Result<RegionKey, Failure> {
    control.find(word).map_err(|error| {
        failed(&error).help("`strat sim status` shows the regions and their sites")
    })
}

/// What the simulator refuses. The help for clouds does not fit here.
pub(super) fn failed(error: &stratiform::model::Error) -> Failure {
    let mut failure = Failure::of(error);
    failure.view.help = None;
    failure
}
