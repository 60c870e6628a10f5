//! The command line: what can be said, and what `--help` says about it.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stratiform::model::Name;

use crate::commands;
use crate::policy::PolicyArgs;
use crate::render::fold::Detail;

const EXIT_CODES: &str = "\
Exit codes:
  0    done; with --detailed-exitcode: there is nothing to change
  1    an error, a refusal, or a command line that makes no sense
  2    only with --detailed-exitcode: there are changes; of a rehearsal: the load does not hold;
       of a simulation: a --fail-if holds; of a reach: it does not pass, or not all of it
  3    only of a burst's decision that is explained: its record is not what its inputs give
  130  stopped by Ctrl-C

Data goes to stdout, everything else to stderr. NO_COLOR turns colours off.";

/// Describe a topology over your own hardware and any cloud once, and keep it true.
///
/// Stratiform keeps no state file: the clouds are the state. `strat plan` compares them with the
/// topology in the current folder, `strat apply` makes them the same.
#[derive(Debug, Parser)]
#[command(name = "strat", version, after_help = EXIT_CODES, arg_required_else_help = true)]
#[command(disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Cli {
    /// When to use colours.
    #[arg(long, global = true, value_enum, default_value_t, value_name = "WHEN")]
    pub(crate) color: When,

    /// The environment, such as `prod`: the same topology in a realm of its own, with its own things,
    /// journal and lease, and the values of `prod.vars.hcl` beside it.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) env: Option<Name>,

    #[command(flatten)]
    pub(crate) telemetry: TelemetryArgs,

    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What is told of how a command spends its time.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TelemetryArgs {
    /// At the end, say on stderr where the time went: each part of the work, and each operation of
    /// each provider with its calls, waits, retries and throttles.
    #[arg(long, global = true)]
    pub(crate) timings: bool,

    /// Write a trace of every part and call to a file, for Perfetto (ui.perfetto.dev) or
    /// chrome://tracing.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) trace_out: Option<PathBuf>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum When {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// The commands, in the order in which one meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Init(commands::init::Init),
    Validate(commands::validate::Validate),
    Fmt(commands::fmt::Fmt),
    Plan(commands::plan::Plan),
    Apply(commands::apply::Apply),
    Destroy(commands::destroy::Destroy),
    Show(commands::show::Show),
    Output(commands::output::Output),
    Drift(commands::drift::Drift),
    Adopt(commands::adopt::Adopt),
    Release(commands::release::Release),
    Pin(commands::pin::Pin),
    Graph(commands::graph::Graph),
    Reach(commands::reach::Reach),
    Offers(commands::offers::Offers),
    Providers(commands::providers::Providers),
    History(commands::history::History),
    Unlock(commands::unlock::Unlock),
    Doctor(commands::doctor::Doctor),
    Test(commands::test::Test),
    Rehearse(commands::rehearse::Rehearse),
    Burst(commands::burst::Burst),
    Sim(commands::sim::Sim),
    Schema(commands::schema::Schema),
    Lsp(commands::lsp::Lsp),
    Console(commands::console::Console),
    Functions(commands::functions::Functions),
    Completions(commands::completions::Completions),
}

/// Which topology.
#[derive(Debug, Clone, Args)]
pub(crate) struct TopologyArgs {
    /// The topology: a file, or a folder of files.
    #[arg(default_value = ".", value_name = "PATH")]
    pub(crate) path: PathBuf,

    #[command(flatten)]
    pub(crate) vars: VarArgs,
}

/// Which topology, for a command whose first word is something else.
#[derive(Debug, Clone, Args)]
pub(crate) struct PathArgs {
    /// The topology: a file, or a folder of files.
    #[arg(long, default_value = ".", value_name = "PATH")]
    path: PathBuf,

    #[command(flatten)]
    vars: VarArgs,
}

impl From<PathArgs> for TopologyArgs {
    fn from(PathArgs { path, vars }: PathArgs) -> Self {
        Self { path, vars }
    }
}

/// The values of variables.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct VarArgs {
    /// A variable's value; may be given more than once.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = parse_var)]
    pub(crate) vars: Vec<(String, String)>,

    /// A file of variables' values; may be given more than once, later ones win.
    #[arg(long = "var-file", value_name = "FILE")]
    pub(crate) var_files: Vec<PathBuf>,
}

/// What a change of the world is limited to.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct TargetArgs {
    /// Only this part of the topology and what it needs: `machines.web`, `machine.db["primary"]`,
    /// `machines.web@dc1`, `site.dc1`. May be given more than once.
    #[arg(long = "target", value_name = "ADDR")]
    pub(crate) targets: Vec<stratiform::Target>,
}

/// How much of a plan is shown.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct DetailArgs {
    /// Show every change. Without it, of a plan with more than 200 only the first of each kind.
    #[arg(long)]
    all: bool,
}

impl DetailArgs {
    /// How much is shown.
    pub(crate) const fn detail(self) -> Detail {
        if self.all {
            Detail::All
        } else {
            Detail::Folded
        }
    }
}

/// Sites that are lost.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct WithoutArgs {
    /// As if this site, such as `site.dc1`, were permitted nowhere: for one that is lost. It is not
    /// asked or touched, and what ran there is placed where else the topology permits. May be given
    /// more than once.
    #[arg(long = "without", value_name = "SITE", value_parser = parse_site)]
    pub(crate) sites: Vec<Name>,
}

/// What a person says of what is gone.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct RecreateArgs {
    /// Make this anew, empty, though it was deleted behind Stratiform's back and what was on it with
    /// it: a volume, a bucket, or a machine with disks. May be given more than once.
    #[arg(long = "recreate", value_name = "ADDR")]
    pub(crate) recreate: Vec<stratiform::Target>,

    /// Make this anew, though it is as it should be: `machines.web`, `machine.db@dc1`. What is on its
    /// disks goes, so that has to be agreed to. May be given more than once.
    #[arg(long = "replace", value_name = "ADDR", value_parser = parse_replaced)]
    pub(crate) replace: Vec<stratiform::Target>,
}

/// Sites that are given up.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ForgetArgs {
    /// Leave what is at this site, such as `site.west`, where it is, for good, and forget it: for a
    /// site that the topology does not have any more. May be given more than once.
    #[arg(long = "forget-site", value_name = "SITE", value_parser = parse_site)]
    pub(crate) forgotten: Vec<Name>,
}

/// How changes are carried out.
#[derive(Debug, Clone, Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) detail: DetailArgs,

    /// Do not ask.
    #[arg(long, short)]
    pub(crate) yes: bool,

    /// Consent to a plan that deletes a large part of the topology.
    #[arg(long)]
    pub(crate) allow_deletes: bool,

    /// Consent to the loss of the data of one thing: `volume.db@dc1`, or only if it is this very one,
    /// `volume.db@dc1=vol-1`. A whole `destroy` takes the topology's name for all of it. May be given
    /// more than once.
    #[arg(long, value_name = "ADDR[=ID]")]
    pub(crate) allow_data_loss: Vec<stratiform::AllowDataLoss>,

    /// Cut the power of this machine, such as `machine.db@dc1`, if it does not shut down within 5
    /// minutes: without it, one that has volumes stays then. May be given more than once.
    #[arg(long, value_name = "ADDR")]
    pub(crate) force_stop: Vec<stratiform::model::Addr>,

    #[command(flatten)]
    pub(crate) forget: ForgetArgs,

    #[command(flatten)]
    pub(crate) policy: PolicyArgs,

    /// With --json: write a line of JSON for each thing that happens, as it happens; the last line says
    /// what became of it.
    #[arg(long, requires = "json")]
    pub(crate) stream: bool,

    /// How many provider calls may be in flight at once.
    #[arg(long, value_name = "N", default_value_t = 16,
          value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) parallelism: u16,

    /// How long to wait for another run on this topology to end, such as `30s` or `5m`.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = parse_duration)]
    pub(crate) lock_timeout: std::time::Duration,
}

fn parse_var(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.to_owned()))
        }
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// What can be made anew at a person's word: not a volume or a bucket, whose data it is.
fn parse_replaced(text: &str) -> Result<stratiform::Target, String> {
    use stratiform::Target;
    let target: Target = text.parse().map_err(|error| format!("{error}"))?;
    let local = match &target {
        Target::Local(local) => local,
        Target::Addr(addr) => &addr.local,
        Target::Site(_) => return Err("name one thing or one block, not a site".to_owned()),
    };
    let kind = local.noun.kind();
    if kind.is_data() {
        return Err(format!(
            "a {kind} is its data, and is not made anew; copy what is in it, and take its block out"
        ));
    }
    Ok(target)
}

fn parse_site(text: &str) -> Result<Name, String> {
    let name = text.strip_prefix("site.").and_then(|n| Name::new(n).ok());
    name.ok_or_else(|| "write it as `site.NAME`".to_owned())
}

fn parse_duration(text: &str) -> Result<std::time::Duration, String> {
    let fail = || "write it as a number and a unit: `500ms`, `30s`, `5m`, `1h`".to_owned();
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(fail)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_| fail())?;
    let millis = match unit.trim() {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err(fail()),
    };
    number
        .checked_mul(millis)
        .map(std::time::Duration::from_millis)
        .ok_or_else(fail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_tree_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        let ms = |text| parse_duration(text).map(|d| d.as_millis()).ok();
        assert_eq!(ms("30s"), Some(30_000));
        assert_eq!(ms("500ms"), Some(500));
        assert_eq!(ms("2m"), Some(120_000));
        for text in ["", "5", "s", "1d", "-1s", "99999999999999999999s"] {
            assert_eq!(ms(text), None, "{text}");
        }
    }

    #[test]
    fn a_variable_may_hold_an_equals_sign() {
        assert_eq!(parse_var("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(parse_var("=x").is_err());
        assert!(parse_var("x").is_err());
    }
}
