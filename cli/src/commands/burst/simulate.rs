//! `strat burst simulate`

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

use clap::Args;
use strat_burst::simulate::shapes::Shape;
use strat_burst::simulate::{
    Between, CloudOffer, Columns, Report, Setting, Trace, TraceError, simulate, svg,
};
use stratiform::model::Money;
use stratiform::model::burst::{BurstIntent, SignalKind};

use super::fail_if::FailIf;
use super::values::{between, dollars, positive, seconds, shape, share};
use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render;

/// Play a `burst` over a trace of demand in virtual time, beside simpler policies and an oracle that
/// knows all that comes.
///
/// The trace is a CSV file with a line of names; or one that is made, shaped like a known load. It is
/// what each `demand` gives, and the arrivals of each `wait`; utilisation and backlog follow from it.
/// There is a decision at each step. No cloud is asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat burst simulate --trace demand.csv --boot 90s --boot-p95 3m
  strat burst simulate --trace demand.csv --history 28d --fail-if 'violation_min>10'
  strat burst simulate --shape office --weeks 5 --history 28d --chart office.svg
  strat burst simulate --shape flash --owned 20 --batch 10 --json | jq '.results[0]'
  strat burst simulate --trace demand.csv --stock-out 9h..10h --boot-fails 2%")]
pub(crate) struct Simulate {
    #[command(flatten)]
    topology: TopologyArgs,

    #[command(flatten)]
    trace: TraceArgs,

    #[command(flatten)]
    play: PlayArgs,
}

/// What is played, in which world, and how it is told.
#[derive(Debug, Args)]
pub(super) struct PlayArgs {
    /// Which burst; may be left out where there is one.
    #[arg(long, value_name = "NAME")]
    burst: Option<String>,

    #[command(flatten)]
    world: WorldArgs,

    /// Write the result as JSON.
    #[arg(long)]
    json: bool,

    /// Exit with 2 if this holds for your policy, such as `violation_min>10`. May be given more than
    /// once.
    #[arg(long, value_name = "CONDITION")]
    fail_if: Vec<FailIf>,

    /// Draw what was needed and what was ready, as SVG or, if the name ends so, HTML.
    #[arg(long, value_name = "FILE")]
    chart: Option<PathBuf>,
}

/// What is asked of the machines.
#[derive(Debug, Args)]
struct TraceArgs {
    /// A CSV file with columns `time` (RFC 3339, or seconds) and `demand`.
    #[arg(
        long,
        value_name = "FILE",
        conflicts_with = "shape",
        required_unless_present = "shape"
    )]
    trace: Option<PathBuf>,

    /// The name of the column of times.
    #[arg(long, value_name = "NAME", default_value = "time")]
    time_column: String,

    /// The name of the column of demand.
    #[arg(long, value_name = "NAME", default_value = "demand")]
    demand_column: String,

    /// The file has columns `1` to `1440`, the minutes of one day, and a line for each function, as
    /// the Azure Functions trace of 2019 has.
    #[arg(long, requires = "trace")]
    minutes_of_day: bool,

    /// A trace that is made, shaped like: office, flat, flash, walk, shifted, azure, alibaba, google,
    /// wikipedia, world-cup.
    #[arg(long, value_name = "SHAPE", value_parser = shape)]
    shape: Option<Shape>,

    /// How many weeks of it.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=520))]
    weeks: u16,

    /// Near which demand it peaks; what 60 % of the most machines carry, if left out.
    #[arg(long, value_name = "DEMAND", value_parser = positive)]
    peak: Option<f64>,

    /// Its noise, as a share of each value.
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    noise: f64,

    /// How much of the trace is history from which a forecast learns; it is not played.
    #[arg(long, value_name = "TIME", default_value = "0s", value_parser = seconds)]
    history: u64,
}

/// The world in which it is tried.
#[derive(Debug, Args)]
struct WorldArgs {
    /// How many machines your own hardware holds.
    #[arg(long, value_name = "N", default_value_t = 0)]
    owned: u32,

    /// What an hour of one of them costs.
    #[arg(long, value_name = "PRICE", default_value = "0 USD", value_parser = dollars)]
    owned_price: Money,

    /// What an hour of a machine in the cloud costs.
    #[arg(long, value_name = "PRICE", default_value = "0.10 USD", value_parser = dollars)]
    price: Money,

    /// How long half of the cloud's machines take to boot at most.
    #[arg(long, value_name = "TIME", default_value = "90s", value_parser = seconds)]
    boot: u64,

    /// How long nineteen of twenty take at most; twice `--boot`, if left out.
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    boot_p95: Option<u64>,

    /// How many machines the cloud has.
    #[arg(long, value_name = "N")]
    room: Option<u32>,

    /// How many batch machines want to run on your own hardware, with a lower priority.
    #[arg(long, value_name = "N", default_value_t = 0)]
    batch: u32,

    /// The share of machines that never become ready.
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    boot_fails: f64,

    /// When the cloud has nothing to sell, counted from where the playing begins. May be given more
    /// than once.
    #[arg(long, value_name = "FROM..UNTIL", value_parser = between)]
    stock_out: Vec<Between>,

    /// When nothing is measured. May be given more than once.
    #[arg(long, value_name = "FROM..UNTIL", value_parser = between)]
    blind: Vec<Between>,

    /// What a machine carries at most, as a multiple of what it is to carry.
    #[arg(long, value_name = "FACTOR", default_value = "1.2143", value_parser = positive)]
    limit: f64,

    /// What one machine is to carry, where the burst has neither `demand` nor `wait`.
    #[arg(long, value_name = "DEMAND", value_parser = positive)]
    each: Option<f64>,

    /// The seed of all chance.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

impl Simulate {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        let burst = self.play.chosen(&workspace.intent().bursts)?;
        let trace = self.trace.read(burst, &self.play.world)?;
        self.play.play(context, burst, &trace, self.trace.history)
    }
}

impl PlayArgs {
    /// Plays a burst over a trace, the first of which is history.
    pub(super) fn play(
        &self,
        context: &Context,
        burst: &BurstIntent,
        trace: &Trace,
        history_s: u64,
    ) -> Result<Exit, Failure> {
        let setting = self.world.setting(history_s);
        let report = simulate(&burst.policy, &setting, trace).map_err(|error| {
            Failure::of(&error).help(
                "give a burst that can be simulated, and a trace that is longer than `--history`",
            )
        })?;
        if let Some(path) = &self.chart {
            draw(path, &report, &burst.policy.name)?;
        }
        if self.json {
            context.output.document(&report)?;
        } else {
            let width = context
                .output
                .stdout_is_terminal()
                .then(|| context.output.width());
            let text = render::simulation::simulation(&report, width);
            context.output.data(&text)?;
        }
        let Some(yours) = report.results.first() else {
            return Ok(Exit::Done);
        };
        let holding: Vec<_> = self.fail_if.iter().filter_map(|of| of.of(yours)).collect();
        for (condition, value) in &holding {
            let line = format!("{condition} holds: it is {value:.2}\n");
            context.output.note(&line);
        }
        Ok(if holding.is_empty() {
            Exit::Done
        } else {
            Exit::Changes
        })
    }

    /// The burst that is named, or the only one.
    pub(super) fn chosen<'a>(&self, bursts: &'a [BurstIntent]) -> Result<&'a BurstIntent, Failure> {
        let names: Vec<&str> = bursts
            .iter()
            .map(|burst| burst.policy.name.as_str())
            .collect();
        let help = match names[..] {
            [] => "add a `burst` block: `burst \"web\" { fleet = machines.web … }`".to_owned(),
            _ => format!("give one with `--burst`: {}", names.join(", ")),
        };
        let failure = |message: String| Err(Failure::new(message).help(help.clone()));
        match (&self.burst, bursts) {
            (None, [burst]) => Ok(burst),
            (None, []) => failure("this topology has no burst".to_owned()),
            (None, _) => failure(format!("this topology has {} bursts", bursts.len())),
            (Some(name), _) => match bursts.iter().find(|burst| burst.policy.name == *name) {
                Some(burst) => Ok(burst),
                None => failure(format!("this topology has no burst `{name}`")),
            },
        }
    }
}

impl TraceArgs {
    fn read(&self, burst: &BurstIntent, world: &WorldArgs) -> Result<Trace, Failure> {
        if let Some(shape) = self.shape {
            let peak = self.peak.unwrap_or_else(|| usual_peak(burst, world));
            let weeks = usize::from(self.weeks);
            return Ok(shape.trace(weeks, peak, self.noise, world.seed));
        }
        let path = self.trace.as_deref().unwrap_or(Path::new("-"));
        let failed = |error: TraceError| {
            let message = format!("`{}` is no trace", path.display());
            let failure = Failure::new(message).caused_by(&error);
            match error {
                TraceError::Column { .. } => {
                    failure.help("name the columns with `--time-column` and `--demand-column`")
                }
                _ => failure
                    .help("write a line `time,demand`, then a time and a number on each line"),
            }
        };
        let file = File::open(path).map_err(|error| {
            Failure::new(format!("`{}` cannot be read", path.display())).caused_by(&error)
        })?;
        let file = BufReader::new(file);
        if self.minutes_of_day {
            let day = jiff::Timestamp::UNIX_EPOCH;
            return Trace::read_minutes_of_day(file, day).map_err(failed);
        }
        let columns = Columns {
            time: self.time_column.clone(),
            demand: self.demand_column.clone(),
        };
        Trace::read_csv(file, &columns).map_err(failed)
    }
}

/// What 60 % of the most machines carry.
fn usual_peak(burst: &BurstIntent, world: &WorldArgs) -> f64 {
    let each = burst
        .policy
        .signals
        .iter()
        .find_map(|signal| match &signal.means {
            SignalKind::Demand { each } => Some(*each),
            SignalKind::Wait(goal) => Some(0.7 * f64::from(goal.slots) / goal.service_s),
            _ => None,
        });
    let each = each.or(world.each).unwrap_or(1.0);
    each * f64::from(burst.policy.max) * 0.6
}

impl WorldArgs {
    fn setting(&self, history_s: u64) -> Setting {
        Setting {
            owned: self.owned,
            owned_usd_hour: self.owned_price.amount,
            clouds: vec![CloudOffer {
                usd_hour: self.price.amount,
                room: self.room,
                boot_s: self.boot,
                boot_p95_s: self.boot_p95.unwrap_or(2 * self.boot).max(self.boot),
                ..CloudOffer::default()
            }],
            batch: self.batch,
            boot_fails: self.boot_fails,
            stock_outs: self.stock_out.clone(),
            blind: self.blind.clone(),
            history_s,
            limit: self.limit,
            each: self.each,
            seed: self.seed,
            ..Setting::default()
        }
    }
}

/// Writes the chart.
fn draw(path: &Path, report: &Report, name: &str) -> Result<(), Failure> {
    let title = format!("burst {name}: machines");
    let chart = svg(report, &title);
    let html = path
        .extension()
        .is_some_and(|end| end == "html" || end == "htm");
    let text = if html {
        format!("<!doctype html>\n<meta charset=\"utf-8\">\n<title>{name}</title>\n{chart}")
    } else {
        chart
    };
    std::fs::write(path, text).map_err(|error| {
        Failure::new(format!("`{}` cannot be written", path.display())).caused_by(&error)
    })
}
