//! One transaction: what a call sees and does, all at once.

use std::sync::Arc;

use jiff::Timestamp;
use strat_model::{Digest, Kind, Mark, ResourceId, Spec, Token};

use super::region::{Region, RegionRecord, TokenRecord, token_key};
use super::state::{BucketNames, Change, note_bucket};
use super::thing::{Before, Stale, StaleView};
use super::{RegionKey, Thing};
use crate::Profile;
use crate::faults::Bucket;

/// What one process knows of a region and never stores.
#[derive(Debug, Default)]
pub(crate) struct Runtime {
    /// What is left of each operation's rate.
    pub(crate) buckets: std::collections::HashMap<&'static str, Bucket>,
    /// Counts transactions, so that each draws other numbers.
    pub(crate) drawn: u64,
}

/// A transaction on one region. What it puts is seen at once, and written when it ends.
#[derive(Debug)]
pub(crate) struct Tx<'a> {
    pub(crate) now: Timestamp,
    pub(crate) rng: fastrand::Rng,
    pub(super) seed: u64,
    pub(super) region: &'a mut Region,
    pub(super) bucket_names: &'a mut BucketNames,
    pub(super) runtime: &'a mut Runtime,
    pub(super) changes: Vec<Change>,
}

/// What a new thing starts from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth<'a> {
    pub(crate) name: &'a str,
    pub(crate) mark: Option<&'a Mark>,
    pub(crate) token: Option<&'a Token>,
    pub(crate) request: &'a str,
    /// How long until it is ready.
    pub(crate) delay_ms: u64,
    /// How long a token that made it is remembered.
    pub(crate) remembered_ms: Option<u64>,
    /// How far lists may lag.
    pub(crate) lag_ms: u64,
}

impl Tx<'_> {
    pub(crate) fn region(&self) -> &Region {
        self.region
    }

    pub(crate) fn region_mut(&mut self) -> &mut Region {
        self.region
    }

    pub(crate) fn key(&self) -> &RegionKey {
        &self.region.record.key
    }

    pub(crate) fn profile(&self) -> Profile {
        self.region.record.key.profile
    }

    /// What is left of an operation's rate.
    pub(crate) fn bucket(&mut self, operation: &'static str, full: Bucket) -> &mut Bucket {
        self.runtime.buckets.entry(operation).or_insert(full)
    }

    /// Who has a bucket of a name, anywhere.
    pub(crate) fn bucket_owner(&self, name: &str) -> Option<&RegionKey> {
        let (key, gone) = self.bucket_names.get(&(self.profile(), name.to_owned()))?;
        gone.is_none_or(|at| at > self.now).then_some(key)
    }

    /// Changes what is stored of the region besides its things.
    pub(crate) fn change_record(&mut self, change: impl FnOnce(&mut RegionRecord)) {
        change(&mut self.region.record);
        let record = Box::new(self.region.record.clone());
        self.changes.push(Change::Region(record));
    }

    /// Puts a thing, new or changed.
    pub(crate) fn put(&mut self, thing: Thing) -> Arc<Thing> {
        let thing = Arc::new(thing);
        note_bucket(self.bucket_names, &self.region.record.key, &thing);
        self.region.put(&thing);
        self.changes.push(Change::Put {
            region: self.region.record.key.clone(),
            thing: Arc::clone(&thing),
        });
        thing
    }

    /// Remembers what a token led to, where that is more than one thing.
    pub(crate) fn remember(&mut self, token: &Token, record: TokenRecord) {
        let key = token_key(record.kind, token);
        self.changes.push(Change::Token {
            region: self.region.record.key.clone(),
            key: key.clone(),
            record: record.clone(),
        });
        self.region.put_token(key, record);
    }

    /// Makes a thing.
    pub(crate) fn make(
        &mut self,
        spec: Spec<ResourceId>,
        attributes: strat_model::Attributes,
        birth: Birth<'_>,
    ) -> Arc<Thing> {
        let serial = self.region.record.next_serial;
        let id = self.new_id(spec.kind(), birth.name, &spec, serial);
        let stale = self.lag(birth.lag_ms).map(|until| Stale {
            until,
            view: if self.rng.bool() {
                StaleView::Absent
            } else {
                StaleView::Unmarked
            },
        });
        self.put(Thing {
            id,
            serial,
            name: birth.name.to_owned(),
            mark: birth.mark.cloned(),
            spec,
            attributes,
            created: self.now,
            ready_at: after(self.now, birth.delay_ms),
            gone_at: None,
            remembered_until: birth.remembered_ms.map(|ms| after(self.now, ms)),
            stopped: false,
            resized: false,
            hangs: false,
            failed: false,
            request: birth.request.to_owned(),
            token: birth.token.cloned(),
            copied: false,
            vouched: false,
            objects: 0,
            stale,
        })
    }

    /// Puts what a thing became; lists may show what it was for a while yet.
    pub(crate) fn change(&mut self, old: &Thing, mut new: Thing, lag_ms: u64) -> Arc<Thing> {
        let hidden = old.stale.as_ref().filter(|stale| self.now < stale.until);
        new.stale = match (hidden, self.lag(lag_ms)) {
            (Some(stale), _) => Some(stale.clone()),
            (None, None) => None,
            (None, Some(until)) => Some(Stale {
                until,
                view: StaleView::Before(Box::new(Before {
                    mark: old.mark.clone(),
                    spec: old.spec.clone(),
                    deleting: old.gone_at.is_some(),
                })),
            }),
        };
        self.put(new)
    }

    /// Until when a list is behind, if this time it is.
    pub(crate) fn lag(&mut self, window_ms: u64) -> Option<Timestamp> {
        if window_ms == 0 || self.rng.bool() {
            return None;
        }
        let lag = self.rng.u64(1..=window_ms);
        Some(after(self.now, lag))
    }

    /// The public address of a serial number.
    pub(crate) fn public_ip(&self, serial: u64) -> Option<String> {
        let octet = self.profile().public_octet()?;
        // Room for 64 regions of 262,144 things each.
        let low = (u64::from(self.region.record.index % 64) << 18) | (serial % (1 << 18));
        let [_, b, c, d] = u32::try_from(low).ok()?.to_be_bytes();
        Some(format!("{octet}.{b}.{c}.{d}"))
    }

    /// A public address that is given anew to something that is there: from the upper half of a
    /// region's, which numbers count up to last.
    pub(crate) fn other_public_ip(&mut self) -> Option<String> {
        let serial = self.rng.u64(1 << 17..1 << 18);
        self.public_ip(serial)
    }

    fn new_id(&self, kind: Kind, name: &str, spec: &Spec<ResourceId>, serial: u64) -> ResourceId {
        let digest = Digest::of_parts([
            self.seed.to_string().as_str(),
            &self.key().to_string(),
            &serial.to_string(),
        ]);
        ResourceId::from(super::ids::make(
            self.key(),
            kind,
            name,
            spec,
            digest.as_str(),
        ))
    }
}

/// A time some milliseconds later.
pub(crate) fn after(now: Timestamp, ms: u64) -> Timestamp {
    now.checked_add(std::time::Duration::from_millis(ms))
        .unwrap_or(Timestamp::MAX)
}
