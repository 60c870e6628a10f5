//! A site that another process keeps locked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use strat_scenarios::Folder;
use strat_sim::SimFactory;
use stratiform::model::{Error, ErrorKind, Result, SiteSpec};
use stratiform::provider::{
    Clock as _, ConnectContext, Provider, ProviderFactory, Registry, SettingError, TokioClock,
};
use stratiform::{Event, EventSink, Inputs, Session, Workspace};
use tokio::time::Instant;

use crate::places::{run, two_sites};

/// The simulator, whose world somebody keeps locked for some calls.
#[derive(Debug)]
struct Busy {
    sim: SimFactory,
    locked: AtomicU32,
}

#[async_trait]
impl ProviderFactory for Busy {
    fn name(&self) -> &'static str {
        self.sim.name()
    }

    fn check(&self, site: &SiteSpec) -> Result<(), Vec<SettingError>> {
        self.sim.check(site)
    }

    async fn connect(
        &self,
        site: &SiteSpec,
        context: &ConnectContext,
    ) -> Result<Arc<dyn Provider>> {
        let one_less = |locked: u32| locked.checked_sub(1);
        let before = self
            .locked
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
        match before {
            Ok(_) => Err(Error::new(ErrorKind::Conflict, "somebody keeps it locked")),
            Err(_) => self.sim.connect(site, context).await,
        }
    }
}

/// What comes of connecting with some patience, how long it took, and what was told meanwhile.
async fn connected(locked: u32, patience: Duration) -> (usize, Duration, Vec<String>) {
    let folder = Folder::new();
    folder.write(&[two_sites("", "", 1)]);
    let busy = Busy {
        sim: SimFactory::new(),
        locked: AtomicU32::new(locked),
    };
    let registry = Registry::new().with(busy);
    let workspace = Workspace::load(folder.path(), Inputs::default(), registry);
    let workspace = workspace.expect("right").waiting_for_locks(patience);
    let (sink, mut events) = EventSink::channel();
    let clock = Arc::new(TokioClock::starting_at(TokioClock::system().now()));
    let begun = Instant::now();
    let session = Session::connect_with(workspace, sink, clock).await;
    let took = begun.elapsed();
    let reached = session.map_or(0, |session| session.sites().len());
    let mut told = Vec::new();
    while let Ok(event) = events.try_recv() {
        if let Event::Warning { message } = event {
            told.push(message);
        }
    }
    (reached, took, told)
}

#[test]
fn it_is_waited_for_as_long_as_one_is_patient_and_that_is_told() {
    run(async {
        let minute = Duration::from_secs(60);
        let (reached, took, told) = connected(10, minute).await;
        assert_eq!(reached, 2, "both sites");
        assert!(took < minute, "{took:?}");
        assert_eq!(told.len(), 2, "once for each: {told:#?}");
        let wanted = "somebody keeps it locked; waiting up to 60 s for it";
        assert!(told.iter().all(|line| line.contains(wanted)), "{told:#?}");

        let (reached, took, _) = connected(u32::MAX, minute).await;
        assert_eq!(reached, 0);
        assert!(took >= minute && took < minute * 2, "{took:?}");

        let (reached, took, told) = connected(1, Duration::ZERO).await;
        assert_eq!((reached, told.len()), (1, 0), "the other site is there");
        assert!(took < Duration::from_secs(1), "{took:?}");
    });
}
