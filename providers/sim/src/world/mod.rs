//! The simulated world: every cloud, account and region, in memory or in a folder.

mod ids;
mod key;
mod links;
mod region;
mod state;
mod store;
mod thing;
mod tx;
mod usage;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::FxHashMap;
use strat_model::{Error, ErrorKind, Result};
use strat_provider::{Clock, Provider};

pub use key::RegionKey;
pub(crate) use region::{Region, RegionRecord, Shortfall, TokenRecord};
pub(crate) use thing::{Stale, StaleView, Thing};
pub(crate) use tx::{Birth, Tx, after};
pub(crate) use usage::Usage;

use crate::error::{PROVIDER, broken};
use crate::provider::SimProvider;
use crate::rules::Cloud;
use crate::{Profile, SimSite};
use state::{Change, State};
use store::Store;
use tx::Runtime;

/// When a hook is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// The call was made and has no effect yet.
    Before,
    /// The call has taken effect, and nobody was told yet.
    After,
}

/// What a hook wants done with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It goes on.
    Go,
    /// It goes no further and never answers: the caller is as good as dead.
    Stop,
}

/// Called before and after the effect of every call, with the operation's name.
pub type CallHook = Box<dyn Fn(&str, Phase) -> Verdict + Send + Sync>;

/// A simulated world. A clone is a handle to the same one.
#[derive(Clone)]
pub struct World(Arc<Inner>);

struct Inner {
    clock: Arc<dyn Clock>,
    folder: Option<PathBuf>,
    memory: Mutex<Memory>,
    calls: Mutex<BTreeMap<(RegionKey, &'static str), u64>>,
    hook: Mutex<Option<Arc<CallHook>>>,
}

#[derive(Debug)]
struct Memory {
    state: State,
    store: Option<Store>,
    runtime: FxHashMap<RegionKey, Runtime>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("folder", &self.0.folder)
            .finish_non_exhaustive()
    }
}

fn hold<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl World {
    /// A world that lives as long as its handles.
    #[must_use]
    pub fn in_memory(seed: u64, clock: Arc<dyn Clock>) -> Self {
        Self::new(seed, clock, None, None)
    }

    /// The world in a folder, which is made where it is not there. `seed` counts for a new one.
    ///
    /// # Errors
    /// `Internal` when the folder cannot be used or what is in it is damaged.
    pub fn open(folder: &Path, seed: u64, clock: Arc<dyn Clock>) -> Result<Self> {
        let store = Store::open(folder).map_err(|e| unusable(folder, e))?;
        let world = Self::new(seed, clock, Some(folder.to_owned()), Some(store));
        world.with_memory(|_| Ok(()))?;
        Ok(world)
    }

    fn new(
        seed: u64,
        clock: Arc<dyn Clock>,
        folder: Option<PathBuf>,
        store: Option<Store>,
    ) -> Self {
        let memory = Memory {
            state: State::new(seed),
            store,
            runtime: FxHashMap::default(),
        };
        Self(Arc::new(Inner {
            clock,
            folder,
            memory: Mutex::new(memory),
            calls: Mutex::default(),
            hook: Mutex::default(),
        }))
    }

    /// Connects to a site. Its region is made on the first time.
    ///
    /// # Errors
    /// `Internal` when the world cannot be written.
    pub fn connect(&self, site: SimSite) -> Result<Arc<dyn Provider>> {
        let mut site = site;
        let home = site.region_key();
        let mut limits = crate::Narrow::default();
        let key = self.with_memory(|memory| {
            let trials = memory
                .state
                .regions
                .get(&home)
                .map(|region| &region.record.trials);
            if let Some(account) = trials.and_then(|trials| trials.account.clone()) {
                site.account = account;
            }
            let key = site.region_key();
            let here = memory.state.regions.get(&key);
            limits = here
                .map(|region| region.record.trials.limits)
                .unwrap_or_default();
            let index = u32::try_from(memory.state.regions.len()).unwrap_or(u32::MAX);
            let mut record = memory.state.regions.get(&key).map_or_else(
                || RegionRecord {
                    key: key.clone(),
                    index,
                    next_serial: 0,
                    zones: match site.facts {
                        Some(_) => std::collections::BTreeSet::new(),
                        None => site.profile.zones(&site.region).into_iter().collect(),
                    },
                    sites: std::collections::BTreeSet::new(),
                    trials: crate::Trials::default(),
                    pulled: Vec::new(),
                    leases: BTreeMap::new(),
                },
                |region| region.record.clone(),
            );
            let known = record.sites.len() + record.zones.len();
            if key == home {
                record.sites.insert(site.name.clone());
            }
            record.zones.extend(site.zones.iter().cloned());
            let is_new = !memory.state.regions.contains_key(&key);
            if is_new || known != record.sites.len() + record.zones.len() {
                memory.commit(&[Change::Region(Box::new(record))], true)?;
            }
            Ok(key)
        })?;
        debug_assert_eq!(key, site.region_key(), "the site is a view of its region");
        let mut cloud = Cloud::new(site);
        limits.narrow(&mut cloud.capabilities);
        Ok(Arc::new(SimProvider::new(self.clone(), cloud)))
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// The folder, unless it lives in memory alone.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        self.0.folder.as_deref()
    }

    /// How many calls were made through this world's handles, by operation: the name of the
    /// provider trait's method, such as `create_machines` or `list`.
    #[must_use]
    pub fn calls(&self) -> BTreeMap<String, u64> {
        let mut sums = BTreeMap::new();
        for ((_, operation), count) in hold(&self.0.calls).iter() {
            *sums.entry((*operation).to_owned()).or_default() += count;
        }
        sums
    }

    /// How many calls were made to one region, by operation.
    #[must_use]
    pub fn calls_to(&self, key: &RegionKey) -> BTreeMap<String, u64> {
        let calls = hold(&self.0.calls);
        let own = calls.iter().filter(|((region, _), _)| region == key);
        own.map(|((_, operation), count)| ((*operation).to_owned(), *count))
            .collect()
    }

    /// Counts from nothing again.
    pub fn reset_calls(&self) {
        hold(&self.0.calls).clear();
    }

    /// Has `hook` called before and after the effect of every call, in place of any other hook.
    /// It must not block. Operations are called as the provider traits' methods are.
    ///
    /// A crash test stops its program at the call of its choice: a call that is told to
    /// [`Verdict::Stop`] never answers, so the test drops the future that waits for it, as a kill
    /// would.
    pub fn on_call(&self, hook: CallHook) {
        *hold(&self.0.hook) = Some(Arc::new(hook));
    }

    /// Calls no hook any more.
    pub fn clear_hook(&self) {
        *hold(&self.0.hook) = None;
    }

    /// Counts a call.
    pub(crate) fn count(&self, key: &RegionKey, operation: &'static str) {
        let mut calls = hold(&self.0.calls);
        *calls.entry((key.clone(), operation)).or_default() += 1;
    }

    /// Passes a call by the hook; does not return if the hook stops it.
    pub(crate) async fn pass(&self, operation: &str, phase: Phase) {
        let hook = hold(&self.0.hook).clone();
        if hook.is_some_and(|hook| hook(operation, phase) == Verdict::Stop) {
            std::future::pending::<()>().await;
        }
    }

    /// Runs a transaction on one region: everything in it, or what it did before it failed, is
    /// written before this returns.
    pub(crate) fn transact<T>(
        &self,
        key: &RegionKey,
        work: impl FnOnce(&mut Tx<'_>) -> Result<T>,
    ) -> Result<T> {
        let now = self.0.clock.now();
        self.with_memory(|memory| {
            let Memory { state, runtime, .. } = memory;
            let region = state.regions.get_mut(key).ok_or_else(|| no_region(key))?;
            region.settle(now);
            let runtime = runtime.entry(key.clone()).or_default();
            runtime.drawn += 1;
            let draw = [state.seed, region.record.next_serial, runtime.drawn];
            let mut tx = Tx {
                now,
                rng: fastrand::Rng::with_seed(mix(key, draw)),
                seed: state.seed,
                region,
                bucket_names: &mut state.buckets,
                runtime,
                changes: Vec::new(),
            };
            let outcome = work(&mut tx);
            let changes = tx.changes;
            if !changes.is_empty() {
                memory.commit(&changes, false)?;
            }
            outcome
        })
    }

    /// Forgets everything: every region, every thing, every trial.
    pub(crate) fn reset(&self) -> Result<()> {
        self.with_memory(|memory| memory.commit(&[Change::Reset], true))
    }

    /// Reads every region.
    pub(crate) fn inspect<T>(
        &self,
        look: impl FnOnce(&BTreeMap<RegionKey, Region>) -> T,
    ) -> Result<T> {
        let now = self.0.clock.now();
        self.with_memory(|memory| {
            memory
                .state
                .regions
                .values_mut()
                .for_each(|region| region.settle(now));
            Ok(look(&memory.state.regions))
        })
    }

    /// Runs `work` on the newest state, alone: no thread and no other process is in the world.
    fn with_memory<T>(&self, work: impl FnOnce(&mut Memory) -> Result<T>) -> Result<T> {
        let mut memory = hold(&self.0.memory);
        let memory = &mut *memory;
        let lock = match &mut memory.store {
            Some(store) => match store.lock(&mut memory.state) {
                Ok(lock) => Some(lock),
                Err(error) => {
                    store.forget();
                    return Err(unusable(
                        self.0.folder.as_deref().unwrap_or(Path::new("")),
                        error,
                    ));
                }
            },
            None => None,
        };
        let outcome = work(memory);
        drop(lock);
        outcome
    }
}

impl Memory {
    /// Writes changes, and takes them in first unless that was done.
    fn commit(&mut self, changes: &[Change], take_in: bool) -> Result<()> {
        if take_in {
            for change in changes {
                let took = self.state.apply(change.clone());
                took.map_err(|why| Error::new(ErrorKind::Internal, why).with_provider(PROVIDER))?;
            }
        }
        if let Some(store) = &mut self.store
            && let Err(error) = store.append(changes, &self.state)
        {
            // Memory is ahead of the disk: begin again from what is written.
            store.forget();
            return Err(broken("the world cannot be written", error));
        }
        Ok(())
    }
}

fn unusable(folder: &Path, error: std::io::Error) -> Error {
    let is_locked = error.kind() == std::io::ErrorKind::WouldBlock;
    let error = broken(
        format!("the world in {} cannot be used", folder.display()),
        error,
    );
    if is_locked {
        // Nothing happened, and to try again is to wait as long again.
        let help = "end or continue that process: `fuser` names it";
        return error.with_kind(ErrorKind::Conflict).with_help(help);
    }
    error
}

fn no_region(key: &RegionKey) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!("there is no region {key} in this world"),
    )
    .with_provider(PROVIDER)
}

/// A seed of all these, as splitmix64 mixes them.
fn mix(key: &RegionKey, numbers: [u64; 3]) -> u64 {
    let text = key.to_string();
    let words = text.bytes().map(u64::from).chain(numbers);
    words.fold(Profile::ALL.len() as u64, |hash, word| {
        let mut z = (hash ^ word).wrapping_add(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}
