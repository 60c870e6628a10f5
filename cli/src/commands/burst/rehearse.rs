//! `strat burst rehearse`

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::simulate::PlayArgs;
use super::values::seconds;
use crate::args::TopologyArgs;

/// Play a `burst` over what was measured in the last weeks, beside simpler policies and an oracle that
/// knows all that came.
///
/// The past of its first `demand`, or of the arrivals of its first `wait`, is asked of where it is measured,
/// at steps of one decision. It is played as `strat burst simulate` plays a trace; nothing is made, and no
/// cloud is asked. What nobody measured stays unknown.
///
/// STRAT_PROMETHEUS_URL names the Prometheus, STRAT_PROMETHEUS_TOKEN_FILE a file with a bearer token for it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst rehearse --from prometheus --prometheus http://127.0.0.1:9090
  strat burst rehearse --from prometheus --weeks 5 --history 28d --boot 90s --chart weeks.svg
  strat burst rehearse --from prometheus --weeks 2 --owned 20 --fail-if 'violation_min>10'")]
pub(crate) struct Rehearse {
    #[command(flatten)]
    pub(super) topology: TopologyArgs,

    /// Where the past is known.
    #[arg(long, value_name = "WHERE", default_value = "prometheus")]
    pub(super) from: From,

    /// The Prometheus that queries are for.
    #[arg(long, value_name = "URL")]
    pub(super) prometheus: Option<String>,

    /// A file with a bearer token for that Prometheus.
    #[arg(long, value_name = "FILE")]
    pub(super) prometheus_token_file: Option<PathBuf>,

    /// How many weeks.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=520))]
    pub(super) weeks: u16,

    /// How much of them is history from which a forecast learns; it is not played.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = seconds)]
    pub(super) history: u64,

    #[command(flatten)]
    pub(super) play: PlayArgs,
}

/// Where the past is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum From {
    /// In a Prometheus.
    Prometheus,
}
