//! What a site sells and how much of it may be had.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::{Name, Offer, Pool, Quota, Result};

/// Offers and limits. A site without this is one zone, [`crate::ONLY_ZONE`], and sells nothing.
///
/// # Errors
/// Of every method: `Forbidden`, `Unauthenticated`; else only what a repetition may mend.
#[async_trait]
pub trait Offers: Debug + Send + Sync {
    /// The zones in use, sorted; never empty.
    async fn zones(&self) -> Result<Vec<Name>>;
    /// What is on sale, sorted by zone, type and capacity. Being listed does not mean being in
    /// stock.
    async fn list_offers(&self) -> Result<Vec<Offer>>;
    /// For owned hardware, what nobody uses now; `None` where no bound is known.
    async fn free(&self) -> Result<Option<Pool>>;
    /// The account's limits at this site.
    async fn quotas(&self) -> Result<Vec<Quota>>;
}
