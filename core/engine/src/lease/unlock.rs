//! For people who find a lease held: who holds it, whether it is alive, and taking it away.

use std::time::Duration;

use strat_model::ErrorKind;
use strat_provider::{Clock, Kept};

use super::record::{Record, Said};
use super::take::Spot;
use super::{Lease, LeaseError};

/// A lease as it was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Whose it is; `None` where its record does not say.
    pub lease: Option<Lease>,
    /// How often its holder renews it, if it lives.
    pub renews_every: Duration,
    kept: Kept,
}

/// Whether a holder lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watched {
    /// It wrote its lease while we looked.
    Renewed,
    /// It gave its lease back while we looked.
    Released,
    /// It wrote nothing for longer than it should.
    Silent,
}

/// Who holds a lease, if anybody does.
///
/// # Errors
/// If the store cannot be read.
pub async fn look(spot: &Spot, clock: &dyn Clock) -> Result<Option<Found>, LeaseError> {
    let Some(kept) = spot.read().await? else {
        return Ok(None);
    };
    let (record, lease) = match Record::read(&kept.text) {
        Said::Record(record) => {
            let Some(holder) = record.holder.clone() else {
                return Ok(None);
            };
            let now = clock.now();
            let left = record.wait(spot.window.max(spot.store.lag()));
            let lease = Lease {
                holder,
                generation: record.epoch,
                renewed: record.renewed,
                expires: now.checked_add(left).unwrap_or(now),
            };
            (*record, Some(lease))
        }
        Said::Unknown => (Record::free(0, clock.now()), None),
        Said::Newer(version) => {
            let place = spot.place.clone();
            return Err(LeaseError::Newer { place, version });
        }
    };
    Ok(Some(Found {
        lease,
        // A quarter of the term, and a little for the way.
        renews_every: Duration::from_millis(record.term_ms / 4) + Duration::from_secs(5),
        kept,
    }))
}

/// Looks whether a lease is renewed, for as long as a holder that lives needs to do so.
///
/// # Errors
/// If the store cannot be read.
pub async fn watch_renewals(
    spot: &Spot,
    found: &Found,
    clock: &dyn Clock,
) -> Result<Watched, LeaseError> {
    let until = clock.moment().elapsed.saturating_add(found.renews_every);
    while clock.moment().elapsed < until {
        clock.sleep(Duration::from_secs(1)).await;
        let now = spot.read().await?;
        if now.as_ref().is_none_or(|now| *now != found.kept) {
            let is_held = now.is_some_and(|now| match Record::read(&now.text) {
                Said::Record(record) => record.holder.is_some(),
                Said::Unknown | Said::Newer(_) => true,
            });
            return Ok(if is_held {
                Watched::Renewed
            } else {
                Watched::Released
            });
        }
    }
    Ok(Watched::Silent)
}

/// Takes a lease away from its holder, if it is still as it was found: `false` if it was written
/// since. The holder notices at its next renewal, or when its term is over.
///
/// # Errors
/// If the store cannot be written.
pub async fn free(spot: &Spot, found: &Found, clock: &dyn Clock) -> Result<bool, LeaseError> {
    let epoch = found.lease.as_ref().map_or(0, |lease| lease.generation);
    let record = Record::free(epoch.saturating_add(1), clock.now());
    let seen = Some(&found.kept.version);
    match spot.store.replace(&spot.key, &record.text(), seen).await {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == ErrorKind::Precondition => Ok(false),
        Err(error) => Err(spot.failed(error)),
    }
}
