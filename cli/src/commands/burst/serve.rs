//! `strat burst serve`

use std::net::SocketAddr;

use clap::Args;

use super::guards::Guards;
use crate::args::TopologyArgs;

/// Show how bursts do, on a page: the fleet by site over time, demand against capacity, cost against
/// budget, and each decision with its reasons.
///
/// It reads what a controller in the same folder records, and changes nothing. The same is under /api,
/// as server-sent events under /api/events, and for Prometheus under /metrics.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst serve
  strat burst serve shop.hcl --listen 127.0.0.1:9465
  strat burst serve --listen 10.0.0.5:9464 --token-file /run/secrets/strat-burst
  strat burst serve --listen 10.0.0.5:9464 --tls-cert page.pem --tls-key page.key --client-ca ops.pem")]
pub(crate) struct Serve {
    #[command(flatten)]
    pub(super) topology: TopologyArgs,

    /// Where to serve. Beyond this machine only with --token-file or --client-ca.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:9464")]
    pub(super) listen: SocketAddr,

    #[command(flatten)]
    pub(super) guards: Guards,
}
