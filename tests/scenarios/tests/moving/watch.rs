//! Looking at a fleet all the while something is done to it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use strat_scenarios::Folder;
use strat_sim::RegionKey;
use stratiform::model::{Kind, ResourceState};

use crate::common::region;

/// How many members there were at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Those that run.
    pub(crate) running: usize,
    /// Those that are there or coming.
    pub(crate) there: usize,
}

/// Somebody who counts the machines twenty times a second, and more often than anything happens.
#[derive(Debug)]
pub(crate) struct Watch {
    seen: Arc<Mutex<Vec<Moment>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    pub(crate) fn start(folder: &Folder) -> Self {
        let regions: Vec<RegionKey> = ["east", "west"].map(|site| region(folder, site)).into();
        let control = folder.control();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let mut moment = Moment {
                    running: 0,
                    there: 0,
                };
                for region in &regions {
                    for thing in control
                        .resources(region, Some(Kind::Machine))
                        .expect("things")
                    {
                        moment.running += usize::from(thing.state == ResourceState::Ready);
                        moment.there += usize::from(thing.state != ResourceState::Deleting);
                    }
                }
                told.lock().expect("not poisoned").push(moment);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
        Self { seen, task }
    }

    /// The fewest that ran, and the most that were there, at any moment so far.
    pub(crate) fn extremes(&self) -> (usize, usize) {
        let seen = self.seen.lock().expect("not poisoned");
        let fewest = seen.iter().map(|moment| moment.running).min();
        let most = seen.iter().map(|moment| moment.there).max();
        (fewest.expect("it looked"), most.expect("it looked"))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}
