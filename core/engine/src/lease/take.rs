//! Taking a lease.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use strat_model::{Error, ErrorKind};
use strat_provider::layers::is_outcome_unknown;
use strat_provider::{Clock, Kept, LeaseKey, LeaseVersion, Leases};

use super::protocol::{Term, Watch};
use super::record::{Record, Said, millis, nonce};
use super::waiting::{Waiting, later};
use super::{Holder, LeaseError, LeaseGuard, LeasePolicy};
use crate::{Event, EventSink};

/// How long a waiting run pauses between two looks: at first, and at most.
const POLL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// How often in a row a free lease may go to another before our eyes.
const RACES_MAX: u32 = 50;

/// Where a lease is kept.
#[derive(Debug, Clone)]
pub struct Spot {
    /// The store.
    pub store: Arc<dyn Leases>,
    /// Under which key.
    pub key: LeaseKey,
    /// Where that is, for people: `site.east (aws/123456789012/eu-central-1)`.
    pub place: String,
    /// How long writes that it guards may take effect, or be seen, late.
    pub window: Duration,
}

/// Who wants a lease.
#[derive(Debug, Clone)]
pub struct Claim {
    /// Who.
    pub holder: Holder,
    /// How long things last.
    pub policy: LeasePolicy,
    /// Sets the folder of this run apart: its journal knows what earlier runs here made.
    pub folder: Option<String>,
    /// Whether what a store lacks may be made.
    pub may_make: bool,
}

/// A lease that was taken.
#[derive(Debug, Clone)]
pub struct Taken {
    pub(super) record: Record,
    pub(super) version: LeaseVersion,
    pub(super) term: Term,
    /// The folder of whoever wrote it before, if anybody did.
    pub(super) before: Option<Option<String>>,
}

/// A record on its way to the store.
#[derive(Debug, Clone)]
pub(super) struct Written {
    pub(super) record: Record,
    text: String,
    pub(super) term: Term,
}

impl Written {
    /// A record that is about to be sent: its term counts from now.
    pub(super) fn sending(record: Record, clock: &dyn Clock, term: Duration) -> Self {
        Self {
            text: record.text(),
            record,
            term: Term::from_before(clock.moment(), term),
        }
    }
}

impl Claim {
    /// The record of this holder.
    pub(super) fn record(&self, epoch: u64, now: Timestamp) -> Record {
        Record {
            v: Record::VERSION,
            epoch,
            nonce: nonce(),
            term_ms: millis(self.policy.term),
            attempt_ms: millis(self.policy.attempt),
            holder: Some(self.holder.clone()),
            folder: self.folder.clone(),
            renewed: now,
            proved: false,
        }
    }
}

impl Spot {
    pub(super) fn failed(&self, error: Error) -> LeaseError {
        LeaseError::Store {
            place: self.place.clone(),
            source: Arc::new(error),
        }
    }

    /// What is kept there now.
    ///
    /// # Errors
    /// [`LeaseError::Store`] if it cannot be read.
    pub async fn read(&self) -> Result<Option<Kept>, LeaseError> {
        let kept = self.store.read(&self.key).await;
        kept.map_err(|error| self.failed(error))
    }

    /// Writes a record on condition; `None` if it was written by another since.
    ///
    /// An answer that got lost is looked for: a repetition of what was done already is refused by
    /// its own condition.
    pub(super) async fn write(
        &self,
        written: &Written,
        seen: Option<&LeaseVersion>,
    ) -> Result<Option<LeaseVersion>, LeaseError> {
        let outcome = self.store.replace(&self.key, &written.text, seen).await;
        let error = match outcome {
            Ok(version) => return Ok(Some(version)),
            Err(error) => error,
        };
        let is_refused = error.kind() == ErrorKind::Precondition;
        if !is_refused && !may_have_happened(&error) {
            return Err(self.failed(error));
        }
        match self.read().await? {
            Some(kept) if kept.text == written.text => Ok(Some(kept.version)),
            _ if is_refused && !is_outcome_unknown(&error) => Ok(None),
            _ => Err(self.failed(error)),
        }
    }

    /// What became of our lease.
    pub(super) async fn who_took_it(&self, holder: &Holder) -> String {
        let kept = self.store.read(&self.key).await.ok().flatten();
        let said = kept.map(|kept| Record::read(&kept.text));
        match said {
            Some(Said::Record(record)) => match record.holder {
                Some(other) if other.id != holder.id => format!(
                    "{} took it over at {:.0} (`{}`, process {})",
                    other.who(),
                    record.renewed,
                    other.command,
                    other.pid
                ),
                _ => "somebody took it away by hand".to_owned(),
            },
            _ => "somebody else wrote its record".to_owned(),
        }
    }
}

fn may_have_happened(error: &Error) -> bool {
    is_outcome_unknown(error) || matches!(error.kind(), ErrorKind::Timeout | ErrorKind::Transient)
}

/// What may be done about what was read.
enum Verdict {
    /// It is free: take it, with this epoch.
    Free(u64),
    /// It is another's.
    Held(Sight),
}

impl Verdict {
    /// Free once nothing is left to wait for.
    fn after(left: Duration, holder: Option<Holder>, epoch: u64) -> Self {
        if left.is_zero() {
            Self::Free(epoch)
        } else {
            Self::Held(Sight { holder, left })
        }
    }
}

/// What was seen of a lease that is not ours.
pub(super) struct Sight {
    pub(super) holder: Option<Holder>,
    pub(super) left: Duration,
}

/// Takes a lease, waiting up to `patience` for another holder to be done.
///
/// # Errors
/// [`LeaseError::Held`] if it is still held then; and what the store says.
pub async fn take(
    spot: &Spot,
    claim: &Claim,
    patience: Duration,
    clock: &Arc<dyn Clock>,
    events: &EventSink,
) -> Result<LeaseGuard, LeaseError> {
    let first = spot.read().await?;
    let first = (first, clock.moment().elapsed);
    take_from(spot, claim, first, patience, clock, events).await
}

/// As [`take`], where the register was read before: what it held, and when that was, on the clock
/// that counts sleep. A holder that has been silent since then has been watched since then.
///
/// # Errors
/// As [`take`].
pub async fn take_from(
    spot: &Spot,
    claim: &Claim,
    (first, at): (Option<Kept>, Duration),
    patience: Duration,
    clock: &Arc<dyn Clock>,
    events: &EventSink,
) -> Result<LeaseGuard, LeaseError> {
    let begun = clock.moment().elapsed;
    let deadline = begun.saturating_add(patience);
    let (mut watch, mut waiting) = (Watch::default(), Waiting::default());
    let (mut races, mut pause) = (0, POLL.0);
    let mut seen = None;
    if begun.saturating_sub(at) < POLL.0 {
        seen = Some(first);
    } else {
        judge(spot, claim, first.as_ref(), &mut watch, at)?;
    }
    loop {
        let kept = match seen.take() {
            Some(first) => first,
            None => spot.read().await?,
        };
        let now = clock.moment().elapsed;
        let sight = match judge(spot, claim, kept.as_ref(), &mut watch, now)? {
            Verdict::Free(epoch) => {
                match seize(spot, claim, kept, epoch, &**clock, events).await? {
                    Some(taken) => {
                        let (spot, claim) = (spot.clone(), claim.clone());
                        return Ok(LeaseGuard::hold(spot, claim, taken, Arc::clone(clock)));
                    }
                    None if races < RACES_MAX => {
                        // Another was faster, or what was read lags.
                        races += 1;
                        clock.sleep(POLL.0 / 4).await;
                        continue;
                    }
                    None => Sight {
                        holder: None,
                        left: claim.policy.term,
                    },
                }
            }
            Verdict::Held(sight) => sight,
        };
        if now >= deadline {
            return Err(held(spot, sight, &**clock));
        }
        waiting.tell(spot, &sight, (begun, now, deadline), &**clock, events);
        let until_deadline = deadline.saturating_sub(now);
        clock
            .sleep(pause.min(until_deadline).min(sight.left.max(POLL.0)))
            .await;
        pause = (pause * 2).min(POLL.1);
    }
}

/// What may be done about what was read.
fn judge(
    spot: &Spot,
    claim: &Claim,
    kept: Option<&Kept>,
    watch: &mut Watch<(String, String)>,
    now: Duration,
) -> Result<Verdict, LeaseError> {
    let Some(kept) = kept else {
        return Ok(Verdict::Free(1));
    };
    let lag = spot.window.max(spot.store.lag());
    let seen = (kept.version.0.clone(), kept.text.clone());
    let record = match Record::read(&kept.text) {
        Said::Record(record) => record,
        Said::Unknown => {
            // It is being written at this moment, or was cut short: nobody says how long it holds.
            let record = Record::free(0, Timestamp::UNIX_EPOCH);
            let left = watch.left(seen, now, record.wait(lag));
            return Ok(Verdict::after(left, None, 1));
        }
        Said::Newer(version) => {
            let place = spot.place.clone();
            return Err(LeaseError::Newer { place, version });
        }
    };
    let next = record.epoch.saturating_add(1);
    let is_free = |holder: &Holder| holder.id == claim.holder.id || holder.is_gone();
    let wait = record.wait(lag);
    match record.holder {
        Some(holder) if !is_free(&holder) => {
            let left = watch.left(seen, now, wait);
            Ok(Verdict::after(left, Some(holder), next))
        }
        _ => Ok(Verdict::Free(next)),
    }
}

/// Takes what is free; `None` if another was faster.
async fn seize(
    spot: &Spot,
    claim: &Claim,
    kept: Option<Kept>,
    epoch: u64,
    clock: &dyn Clock,
    events: &EventSink,
) -> Result<Option<Taken>, LeaseError> {
    let (before, proved) = match kept.as_ref().map(|kept| Record::read(&kept.text)) {
        Some(Said::Record(record)) => (Some(record.folder), record.proved),
        Some(_) => (Some(None), false),
        None => (None, false),
    };
    let seen = kept.map(|kept| kept.version);
    let known = before.clone().flatten();
    let record = Record {
        proved,
        // A folder's own lease draws the folder's word, and hands it on.
        folder: claim.folder.clone().or(known).or_else(|| Some(nonce())),
        ..claim.record(epoch, clock.now())
    };
    let written = Written::sending(record, clock, claim.policy.term);
    let version = match spot.write(&written, seen.as_ref()).await {
        Err(LeaseError::Store { source, .. }) if source.kind() == ErrorKind::NotFound => {
            make(spot, claim, events).await?;
            spot.write(&written, seen.as_ref()).await?
        }
        outcome => outcome?,
    };
    let Some(version) = version else {
        return Ok(None);
    };
    let mut taken = Taken {
        version,
        record: written.record,
        term: written.term,
        before,
    };
    if !proved {
        match prove(spot, &taken, &written.text).await {
            Ok(proved) => taken.record.proved = proved,
            Err(error) => {
                // What cannot be relied on need not be waited for by the next one either.
                let free = Record::free(epoch, clock.now()).text();
                let freed = spot.store.replace(&spot.key, &free, Some(&taken.version));
                let _ = freed.await;
                return Err(error);
            }
        }
    }
    Ok(Some(taken))
}

/// Makes what the store lacks.
async fn make(spot: &Spot, claim: &Claim, events: &EventSink) -> Result<(), LeaseError> {
    let what = spot.store.missing().await;
    let what = what.map_err(|error| spot.failed(error))?;
    let what = what.unwrap_or_else(|| "its store".to_owned());
    if !claim.may_make {
        let place = spot.place.clone();
        return Err(LeaseError::NoStore { place, what });
    }
    spot.store
        .make()
        .await
        .map_err(|error| spot.failed(error))?;
    let place = spot.place.clone();
    events.send(Event::LeaseStoreMade { place, what });
    Ok(())
}

/// Puts the store's conditions to the test where that is needed, once for each key.
async fn prove(spot: &Spot, taken: &Taken, text: &str) -> Result<bool, LeaseError> {
    let kept = Kept {
        text: text.to_owned(),
        version: taken.version.clone(),
    };
    match spot.store.prove(&spot.key, &kept).await {
        Ok(proved) => Ok(proved),
        Err(error) if error.kind() == ErrorKind::Unsupported => Err(LeaseError::Unfit {
            place: spot.place.clone(),
            why: error.message().to_owned(),
        }),
        Err(error) => Err(spot.failed(error)),
    }
}

fn held(spot: &Spot, sight: Sight, clock: &dyn Clock) -> LeaseError {
    let place = spot.place.clone();
    let expires = later(clock, sight.left);
    match sight.holder {
        Some(holder) => LeaseError::Held {
            place,
            holder: Box::new(holder),
            expires,
        },
        None => LeaseError::HeldBySomebody { place, expires },
    }
}
