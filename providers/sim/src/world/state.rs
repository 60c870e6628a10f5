//! The whole world in memory, and the changes that lead from one state to the next.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use super::region::{Region, RegionRecord, TokenRecord};
use super::{RegionKey, Thing};
use crate::Profile;

/// The format of the files; a newer one is refused.
pub(crate) const FORMAT: u32 = 1;

/// One change, as the log holds it. Each says what is now, not how it came about, so that applying
/// one twice does no harm.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Change {
    /// The first of every log.
    World { format: u32, seed: u64 },
    /// Every thing and every trial is gone; the regions stay.
    Reset,
    /// A region and what was done to it.
    Region(Box<RegionRecord>),
    /// A thing, new or changed.
    Put {
        region: RegionKey,
        thing: Arc<Thing>,
    },
    /// What a token led to. Of one that made a single thing older versions wrote it, too.
    Token {
        region: RegionKey,
        key: String,
        record: TokenRecord,
    },
}

/// Where a bucket of a name is, and since when it is no more.
pub(crate) type BucketNames = FxHashMap<(Profile, String), (RegionKey, Option<Timestamp>)>;

/// The whole world.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) seed: u64,
    pub(crate) regions: BTreeMap<RegionKey, Region>,
    pub(crate) buckets: BucketNames,
}

impl State {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// Takes a change in. Fails, with a reason, on what no version of this program wrote.
    pub(crate) fn apply(&mut self, change: Change) -> Result<(), Cow<'static, str>> {
        match change {
            Change::World { format, .. } if format > FORMAT => {
                return Err(format!(
                    "the world is of format {format}, and this program knows {FORMAT}"
                )
                .into());
            }
            Change::World { seed, .. } => self.seed = seed,
            Change::Reset => self.reset(),
            Change::Region(record) => self.put_region(*record),
            Change::Put { region, thing } => {
                note_bucket(&mut self.buckets, &region, &thing);
                self.region(&region)?.put(&thing);
            }
            Change::Token {
                region,
                key,
                record,
            } => self.region(&region)?.put_token(key, record),
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.buckets.clear();
        for region in self.regions.values_mut() {
            let record = RegionRecord {
                trials: crate::Trials::default(),
                pulled: Vec::new(),
                leases: BTreeMap::new(),
                ..region.record.clone()
            };
            *region = Region::new(record);
        }
    }

    fn put_region(&mut self, record: RegionRecord) {
        match self.regions.get_mut(&record.key) {
            Some(region) => region.record = record,
            None => {
                let region = Region::new(record);
                self.regions.insert(region.record.key.clone(), region);
            }
        }
    }

    fn region(&mut self, key: &RegionKey) -> Result<&mut Region, Cow<'static, str>> {
        self.regions
            .get_mut(key)
            .ok_or_else(|| format!("region {key} was never made").into())
    }

    /// How many changes a snapshot would hold, about.
    pub(crate) fn size(&self) -> usize {
        1 + self.regions.values().map(Region::size).sum::<usize>()
    }

    /// Changes that lead from nothing to this state, in pieces of a bounded size.
    pub(crate) fn snapshot(&self) -> impl Iterator<Item = Vec<Change>> + '_ {
        let head = vec![Change::World {
            format: FORMAT,
            seed: self.seed,
        }];
        let regions = self.regions.iter().flat_map(|(key, region)| {
            let record = Change::Region(Box::new(region.record.clone()));
            let (things, tokens) = region.contents();
            let tokens = tokens.map(|(token, record)| Change::Token {
                region: key.clone(),
                key: token.clone(),
                record: record.clone(),
            });
            let things = things.map(|thing| Change::Put {
                region: key.clone(),
                thing: Arc::clone(thing),
            });
            std::iter::once(record).chain(tokens).chain(things)
        });
        std::iter::once(head).chain(chunks(regions))
    }
}

/// Remembers where a bucket's name is taken: such names are one space over all regions.
pub(crate) fn note_bucket(buckets: &mut BucketNames, key: &RegionKey, thing: &Thing) {
    if thing.kind() == strat_model::Kind::Bucket {
        let name = (key.profile, thing.name.clone());
        buckets.insert(name, (key.clone(), thing.gone_at));
    }
}

/// How many changes a line of a snapshot holds.
const CHUNK: usize = 500;

fn chunks(mut changes: impl Iterator<Item = Change>) -> impl Iterator<Item = Vec<Change>> {
    std::iter::from_fn(move || {
        let chunk: Vec<_> = changes.by_ref().take(CHUNK).collect();
        (!chunk.is_empty()).then_some(chunk)
    })
}
