//! Leases in a store that the topology names, in place of the sites' own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::future::join_all;
use strat_scenarios::Folder;
use stratiform::engine::MemoryLeases;
use stratiform::model::{Error, ErrorKind, LeaseSpec, Result};
use stratiform::provider::{
    ConnectContext, Kept, LeaseKey, LeaseStoreFactory, LeaseVersion, Leases, SettingError,
    SettingsReader,
};
use stratiform::{Inputs, Mode, RunOptions, StateDir, Workspace};

use crate::places::{run, two_sites};

/// A store in memory that can be cut off, and counts its calls.
#[derive(Debug, Clone, Default)]
struct Shelf {
    leases: MemoryLeases,
    calls: Arc<AtomicUsize>,
    is_made: Arc<AtomicBool>,
    is_cut: Arc<AtomicBool>,
}

impl Shelf {
    fn call(&self) -> Result<()> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        match self.is_cut.load(Ordering::Relaxed) {
            true => Err(Error::new(
                ErrorKind::Transient,
                "the shelf is out of reach",
            )),
            false => Ok(()),
        }
    }

    fn calls(&self) -> usize {
        self.calls.swap(0, Ordering::Relaxed)
    }
}

#[async_trait]
impl LeaseStoreFactory for Shelf {
    fn name(&self) -> &'static str {
        "shelf"
    }

    fn check(&self, spec: &LeaseSpec) -> Result<(), Vec<SettingError>> {
        let mut reader = SettingsReader::of_lease(spec);
        let _ = reader.text("room");
        reader.unknown("a lease on a shelf", &["room"], "there is none");
        reader.finish(())
    }

    async fn connect(&self, _: &LeaseSpec, _: &ConnectContext) -> Result<Arc<dyn Leases>> {
        Ok(Arc::new(self.clone()))
    }
}

#[async_trait]
impl Leases for Shelf {
    async fn places(&self) -> Result<Vec<String>> {
        Ok(vec!["the shelf".to_owned()])
    }

    async fn missing(&self) -> Result<Option<String>> {
        self.call()?;
        let is_made = self.is_made.load(Ordering::Relaxed);
        Ok((!is_made).then(|| "a board".to_owned()))
    }

    async fn make(&self) -> Result<()> {
        self.call()?;
        self.is_made.store(true, Ordering::Relaxed);
        Ok(())
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        self.call()?;
        self.leases.read(key).await
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        self.call()?;
        if !self.is_made.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorKind::NotFound, "there is no board"));
        }
        self.leases.replace(key, text, seen).await
    }

    async fn prove(&self, _: &LeaseKey, _: &Kept) -> Result<bool> {
        Ok(true)
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}

/// Two sites that have nothing to keep a lease in; their topology names the shelf.
fn topology(world: &str, lease: &str) -> String {
    let rest = format!("world = \"{world}\"\n  leases = \"none\"");
    two_sites(&rest, &rest, 2).replace(
        "lineage = \"aaaaaaaaaaaaaaaa\"",
        &format!("\n  lineage = \"aaaaaaaaaaaaaaaa\"\n  {lease}\n"),
    )
}

const LEASE: &str = "lease {\n    store = \"shelf\"\n    room  = \"a\"\n  }";

/// Folders of one topology that are told of one shelf.
fn folders(count: usize) -> (Vec<Folder>, Shelf) {
    let shelf = Shelf::default();
    let first = Folder::new().living().with_lease_store(shelf.clone());
    let text = topology(&first.world().display().to_string(), LEASE);
    let mut folders = vec![first];
    for _ in 1..count {
        folders.push(folders[0].beside().living());
    }
    for folder in &folders {
        folder.write(&[&text]);
    }
    (folders, shelf)
}

#[test]
fn sites_without_a_store_of_their_own_have_one_writer_too() {
    run(async {
        let (folders, shelf) = folders(4);
        let applies = folders.iter().map(|folder| folder.apply(Mode::Apply));
        for applied in join_all(applies).await {
            assert!(applied.success, "{:#?}", applied.failures);
        }
        assert!(shelf.calls() > 0, "leases are kept there");
        let there: usize = folders[0].everything().values().map(Vec::len).sum();
        assert_eq!(there, 12, "each thing once");
        for folder in &folders {
            assert!(folder.plan(Mode::Apply).await.is_empty());
        }
    });
}

#[test]
fn what_the_store_lacks_is_told_once_and_made() {
    run(async {
        let (folders, _) = folders(1);
        let session = folders[0].session().await;
        assert_eq!(session.lease_store(), Some("the shelf"));
        let missing = session.missing_lease_stores(|_| true).await;
        let told: Vec<_> = missing
            .iter()
            .map(|one| (&*one.place, &*one.what))
            .collect();
        assert_eq!(told, [("all sites", "a board")]);
        assert!(folders[0].apply(Mode::Apply).await.success);
        assert!(session.missing_lease_stores(|_| true).await.is_empty());
    });
}

#[test]
fn who_holds_a_lease_and_where_it_is_kept_is_told() {
    run(async {
        let (folders, _) = folders(2);
        let first = folders[0].session().await;
        let held = first.begin(&RunOptions::new("apply")).await.expect("free");
        let second = folders[1].session().await;
        let error = second.begin(&RunOptions::new("apply")).await;
        let error = error.expect_err("held").to_string();
        assert!(
            error.contains("holds the lease of site.") && error.contains("kept in the shelf"),
            "{error}"
        );
        held.end().await.expect("ends");
    });
}

#[test]
fn a_store_out_of_reach_stops_writes_and_no_looking() {
    run(async {
        let (folders, shelf) = folders(1);
        assert!(folders[0].apply(Mode::Apply).await.success);
        shelf.is_cut.store(true, Ordering::Relaxed);
        shelf.calls();
        assert!(folders[0].plan(Mode::Apply).await.is_empty());
        assert_eq!(shelf.calls(), 0, "a plan asks for no lease");
        let session = folders[0].session().await;
        let begun = session
            .begin(&RunOptions::new("apply"))
            .await
            .expect("reads");
        let options = stratiform::PlanOptions {
            mode: Mode::Destroy,
            ..Default::default()
        };
        let planned = begun.plan(&options).await.expect("a plan").saved.plan;
        assert!(planned.is_empty(), "nothing may be written: {planned:#?}");
        begun.end().await.expect("ends");
    });
}

#[test]
fn copies_of_the_sites_keep_their_own() {
    run(async {
        let (folders, shelf) = folders(1);
        assert!(folders[0].apply(Mode::Apply).await.success);
        shelf.calls();
        let session = folders[0].session().await;
        let place = tempfile::tempdir().expect("a folder");
        let registry = session.workspace().registry().clone();
        let state = StateDir::beside(place.path());
        let copy = session.workspace().elsewhere(registry, state);
        let copy = stratiform::Session::connect(copy).await.expect("connects");
        assert_eq!(copy.lease_store(), None);
        let begun = copy.begin(&RunOptions::new("rehearse")).await;
        begun.expect("free").end().await.expect("ends");
        assert_eq!(shelf.calls(), 0);
    });
}

#[test]
fn a_block_that_is_wrong_is_told_at_its_place() {
    let told = |lease: &str| {
        let shelf = Shelf::default();
        let folder = Folder::new();
        folder.write(&[topology(&folder.world().display().to_string(), lease)]);
        let registry = stratiform::provider::Registry::new()
            .with(strat_sim::SimFactory::new())
            .with_lease_store(shelf);
        let loaded = Workspace::load(folder.path(), Inputs::default(), registry);
        let Err(stratiform::Error::Topology {
            diagnostics,
            sources,
        }) = loaded
        else {
            panic!("it is wrong");
        };
        let told = diagnostics.iter().map(|finding| {
            let origin = &finding.labels.first().expect("a place").origin;
            let at = usize::try_from(origin.start).expect("a place");
            let line = sources
                .line_and_column(&origin.file, at)
                .expect("a place")
                .0;
            let help = finding.help.clone().unwrap_or_default();
            (finding.code.clone(), line, help)
        });
        told.map(|(code, line, help)| format!("{code} {line} {help}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        told("lease {\n    store = \"shelve\"\n  }"),
        ["unknown_lease_store 4 did you mean `shelf`?"]
    );
    assert_eq!(
        told("lease {\n    store = \"postgres\"\n  }"),
        ["unknown_lease_store 4 this program has: shelf"]
    );
    assert_eq!(
        told("lease {\n    store = \"shelf\"\n    romo = \"a\"\n  }"),
        ["lease_setting 5 did you mean `room`?"]
    );
}
