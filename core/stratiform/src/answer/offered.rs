//! What is on sale.

use serde::Serialize;
use strat_model::{CapacityKind, Currency, Name};

/// The offers, and where they are from.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Offered<'a> {
    /// The offers.
    pub offers: Vec<OfferTold<'a>>,
    /// Where they are from.
    pub sources: Vec<OfferSource<'a>>,
}

/// A size that is on sale.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OfferTold<'a> {
    /// The site; `None` where no topology was asked about.
    pub site: Option<&'a Name>,
    /// The provider.
    pub cloud: &'a str,
    /// The region, where there are regions.
    pub region: Option<&'a str>,
    /// The zone; `None` where the offer stands for all of its zones.
    pub zone: Option<&'a Name>,
    /// The zones that have it.
    pub zones: &'a [Name],
    /// The cloud's name for the size.
    pub machine_type: &'a str,
    /// What quotas count together, such as `m5`.
    pub family: &'a str,
    /// The instruction set: `x86_64` or `aarch64`.
    pub arch: &'a str,
    /// Virtual CPUs.
    pub cpu: u32,
    /// Memory, in bytes.
    pub memory_bytes: u64,
    /// How many whole GPUs come with it.
    pub gpus: u32,
    /// The GPUs' model, in the cloud's own words.
    pub gpu: Option<&'a str>,
    /// Whether it has its CPUs' full speed only now and then.
    pub burstable: bool,
    /// Whether it is in no list of the cloud's, and its price is worked out.
    pub made_to_measure: bool,
    /// The price of an hour; `None` where it is not known.
    #[cfg_attr(feature = "schema", schemars(schema_with = "crate::saved::amount"))]
    pub price_hour: Option<serde_json::Value>,
    /// The currency of the price.
    pub currency: Option<Currency>,
    /// How it is bought.
    pub capacity: CapacityKind,
    /// Where the offer is from.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("enum" = ["live", "cache", "snapshot", "provider", null]))
    )]
    pub source: Option<&'static str>,
    /// When it was true: a moment, or a day; `None` for what does not age.
    pub as_of: Option<&'a str>,
}

/// Where offers are from.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OfferSource<'a> {
    /// The site, or the cloud.
    pub of: &'a str,
    /// From what.
    #[cfg_attr(
        feature = "schema",
        schemars(extend("enum" = ["live", "cache", "snapshot", "provider"]))
    )]
    pub source: &'static str,
    /// When it was true: a moment, or a day; `None` for what does not age.
    pub as_of: Option<&'a str>,
    /// Where the source has it from.
    pub detail: Option<&'static str>,
}
