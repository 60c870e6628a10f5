//! Where a command's time goes: a table, a trace file, a trace at a collector. Nothing of it costs
//! anything unless it is asked for.
//!
//! All of it comes from the spans and events of our own crates, which hold names, addresses, ids,
//! durations and codes. What the clouds' own libraries trace is left out: it may quote what was
//! sent.

#[cfg(feature = "otel")]
mod otel;
mod phases;
mod trace;

use std::path::PathBuf;
use std::sync::Arc;

use stratiform::provider::layers::{CallObserver, CallStats};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;

pub(crate) use self::phases::PhaseTime;
use self::phases::{PhaseTimes, Phases};
use self::trace::TraceFile;
use crate::args::TelemetryArgs;
use crate::failure::Failure;
use crate::output::Output;
use crate::render;

/// What the targets of our own spans begin with.
const OWN: &str = "strat";

/// What is gathered while a command runs.
pub(crate) struct Telemetry {
    timings: Option<Timings>,
    trace: Option<TraceFile>,
    #[cfg(feature = "otel")]
    otel: Option<otel::Exporter>,
}

/// What the table at the end is made of.
struct Timings {
    phases: PhaseTimes,
    calls: Arc<CallStats>,
}

impl Telemetry {
    /// Begins to gather what was asked for.
    ///
    /// # Errors
    /// If the trace file cannot be written, or there can be no exporter.
    pub(crate) fn start(args: &TelemetryArgs) -> Result<Self, Failure> {
        let timings = args.timings.then(|| Timings {
            phases: PhaseTimes::default(),
            calls: Arc::new(CallStats::new()),
        });
        let phases = timings.as_ref().map(|t| Phases::new(t.phases.clone()));
        let create = |path: &PathBuf| {
            TraceFile::create(path).map_err(|error| {
                let what = format!("the trace cannot be written to {}", path.display());
                Failure::new(what).caused_by(&error)
            })
        };
        let trace = args.trace_out.as_ref().map(create).transpose()?;
        #[cfg(feature = "otel")]
        let otel = otel::Exporter::from_environment()?;
        #[cfg(feature = "otel")]
        let export = otel.as_ref().map(otel::Exporter::layer);
        #[cfg(feature = "otel")]
        let wanted = export.is_some();
        #[cfg(not(feature = "otel"))]
        let (export, wanted) = (None::<tracing_subscriber::layer::Identity>, false);
        if wanted || phases.is_some() || trace.is_some() {
            let own = || Targets::new().with_target(OWN, LevelFilter::TRACE);
            let subscriber = tracing_subscriber::registry()
                .with(phases.with_filter(own()))
                .with(trace.clone().with_filter(own()))
                .with(export.with_filter(own()));
            // Only a program that embeds this one could have set another before.
            let _ = tracing::subscriber::set_global_default(subscriber);
        }
        Ok(Self {
            timings,
            trace,
            #[cfg(feature = "otel")]
            otel,
        })
    }

    /// Who is to be told of every call.
    pub(crate) fn observers(&self) -> Vec<Arc<dyn CallObserver>> {
        let calls = self.timings.iter().map(|timings| &timings.calls);
        calls
            .map(|calls| Arc::clone(calls) as Arc<dyn CallObserver>)
            .collect()
    }

    /// Writes what was gathered.
    pub(crate) fn finish(self, output: &Output) {
        if let Some(Err(why)) = self.trace.map(|trace| trace.finish()) {
            output.note(&format!("warning: the trace is not whole: {why}\n"));
        }
        if let Some(timings) = &self.timings {
            let phases = timings.phases.get();
            output.note(&render::timings::timings(&phases, &timings.calls.counts()));
        }
        #[cfg(feature = "otel")]
        if let Some(Err(why)) = self.otel.map(otel::Exporter::finish) {
            output.note(&format!("warning: the trace was not exported: {why}\n"));
        }
    }
}
