//! `strat burst run`

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::guards::Guards;
use super::values::seconds;
use crate::args::TopologyArgs;

/// Let the counts of fleets follow their load, as the `burst` blocks say.
///
/// Each interval it measures, looks at what there is, decides, and carries out what was decided, by the
/// same plan and engine as `strat apply`, under the same lease; so both can run side by side. One of
/// several controllers leads. Ctrl-C or SIGTERM ends it after the run in hand, SIGHUP reads the topology
/// again at once.
///
/// STRAT_PROMETHEUS_URL names the Prometheus that queries are for, STRAT_PROMETHEUS_TOKEN_FILE a file
/// with a bearer token for it. STRAT_SIGNAL_TOKEN_FILE_name does so for a signal that is read from an
/// address. No credential stands in a topology.
#[derive(Debug, Args)]
// They guard what is served where `--listen` says.
#[command(mut_arg("token_file", |arg| arg.requires("listen")))]
#[command(mut_arg("tls_cert", |arg| arg.requires("listen")))]
#[command(after_help = "\
Examples:
  strat burst run --prometheus http://127.0.0.1:9090
  strat burst run --once --json | jq '.decided[0].steps'
  strat burst run shop.hcl --interval 30s --listen 127.0.0.1:9464
  strat burst run --listen 10.0.0.5:9464 --token-file /run/secrets/strat-burst
  strat burst run --listen 10.0.0.5:9464 --tls-cert page.pem --tls-key page.key --client-ca ops.pem")]
pub(crate) struct Run {
    #[command(flatten)]
    pub(super) topology: TopologyArgs,

    /// Decide once, carry that out, and end.
    #[arg(long)]
    pub(super) once: bool,

    /// The time from one decision to the next, such as `30s`; otherwise a minute.
    #[arg(long, value_name = "TIME", value_parser = interval)]
    pub(super) interval: Option<Duration>,

    /// The Prometheus that queries are for.
    #[arg(long, value_name = "URL")]
    pub(super) prometheus: Option<String>,

    /// A file with a bearer token for that Prometheus.
    #[arg(long, value_name = "FILE")]
    pub(super) prometheus_token_file: Option<PathBuf>,

    /// Serve the page, /metrics, /healthz and /api here. Beyond this machine only with --token-file or
    /// --client-ca.
    #[arg(long, value_name = "ADDR")]
    pub(super) listen: Option<SocketAddr>,

    #[command(flatten)]
    pub(super) guards: Guards,

    /// Write each round as a line of JSON.
    #[arg(long)]
    pub(super) json: bool,
}

/// An interval, in whole seconds.
fn interval(text: &str) -> Result<Duration, String> {
    match seconds(text)? {
        0 => Err("write a time above zero, such as `30s`".to_owned()),
        seconds => Ok(Duration::from_secs(seconds)),
    }
}
