//! An apply against a cloud that takes its time and allows only so many calls, on paused time: what
//! it takes is counted, not waited for, and the same in every run.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use strat_sim::{Behaviour, Profile, SimFactory, SimSite, World};
use stratiform::engine::{
    ExecuteOptions, HeldLeases, Journal, Run, Sites, Spending, Stop, UserDataSource, execute,
    observe,
};
use stratiform::planner::{DiffOptions, Plan, StepGraph, StepOp, diff, lower, place};
use stratiform::provider::layers::{
    Api, CallEvent, CallObserver, CallStats, Effect, LayerPolicy, LayerStack, Phase, RateHint,
};
use stratiform::provider::{Clock, Registry, TokioClock};
use stratiform::{EventSink, Inputs, Workspace};

use crate::shape;

/// How long a call takes.
const LATENCY: Duration = Duration::from_millis(150);
/// How long a new machine takes to be ready.
const CREATE: Duration = Duration::from_millis(300);
/// How many calls a second the cloud allows, of each operation.
const RATE: u32 = 20;
/// From when on the search for an unknown limit must be over.
const SETTLED: Duration = Duration::from_secs(10);

/// What an apply took, and what it could not have taken less than.
#[derive(Debug, Clone)]
pub(crate) struct Paced {
    /// The lower bound.
    pub(crate) bound: Duration,
    /// What it took.
    pub(crate) took: Duration,
    /// The share of calls that the cloud throttled after the first ten seconds.
    pub(crate) throttled: f64,
    /// Calls by operation.
    pub(crate) calls: BTreeMap<&'static str, u64>,
}

impl Paced {
    /// How many times the bound it took.
    pub(crate) fn ratio(&self) -> f64 {
        self.took.as_secs_f64() / self.bound.as_secs_f64()
    }
}

/// Prints what an apply took.
pub(crate) fn print(paced: &Paced, told: bool) {
    let limit = if told { "told" } else { "not told" };
    crate::table::print(&format!(
        "{:<44} {:<16} {:>9.1} s, {:.2} times the bound of {:.1} s, {:.1} % throttled",
        format!("{RATE} calls/s, {limit}"),
        "apply (simulated)",
        paced.took.as_secs_f64(),
        paced.ratio(),
        paced.bound.as_secs_f64(),
        paced.throttled * 100.0
    ));
    let calls = paced
        .calls
        .iter()
        .map(|(operation, calls)| format!("{calls} {operation}"));
    let calls: Vec<String> = calls.collect();
    crate::table::print(&format!("  calls: {}", calls.join(", ")));
}

/// Counts attempts and refusals once the search for the limit must be over.
#[derive(Debug)]
struct Refusals {
    clock: Arc<dyn Clock>,
    start: jiff::Timestamp,
    counts: Mutex<(u64, u64)>,
}

impl CallObserver for Refusals {
    fn on_event(&self, event: &CallEvent<'_>) {
        let passed = self.clock.now().duration_since(self.start);
        if Duration::try_from(passed).unwrap_or_default() < SETTLED {
            return;
        }
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        match event.phase {
            Phase::Started | Phase::Retrying { .. } => counts.0 += 1,
            Phase::Throttled { .. } => counts.1 += 1,
            Phase::Waited { .. } | Phase::Silent { .. } | Phase::Finished { .. } => {}
        }
    }
}

/// Applies `machines` machines, of which the first `volumes` have a volume. With `told`, the limit
/// is known beforehand; else it has to be found.
///
/// # Errors
/// If the apply does not succeed.
pub(crate) fn measure(machines: u32, volumes: u32, told: bool) -> Result<Paced, Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    shape::attached(dir.path(), machines, volumes)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(apply(dir.path(), told))
}

async fn apply(dir: &Path, told: bool) -> Result<Paced, Box<dyn Error>> {
    let registry = Registry::new().with(SimFactory::new());
    let workspace = Workspace::load(&dir.join("bench.hcl"), Inputs::default(), registry)?;
    let intent = workspace.intent();
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
    let stats = Arc::new(CallStats::new());
    let refusals = Arc::new(Refusals {
        clock: Arc::clone(&clock),
        start: clock.now(),
        counts: Mutex::default(),
    });
    let sites = sites(&clock, told, &stats, &refusals)?;
    let journal = Journal::in_memory();
    let events = EventSink::none();
    let seen = observe(
        &sites,
        &intent.owner,
        &intent.moves,
        &journal,
        &*clock,
        &events,
    )
    .await;
    let desired = place(intent, &seen.facts, &seen.inventory).map_err(|_| "no place")?;
    let options = DiffOptions::default();
    let plan = diff(&desired, &seen.inventory, &seen.facts, None, &options);
    let graph = lower(&plan, &seen.inventory, &seen.facts);
    let leases = HeldLeases::alone("bench", &clock).await?;
    let start = clock.now();
    let report = execute(Run {
        plan: &plan,
        graph: &graph,
        sites: &sites,
        inventory: &seen.inventory,
        user_data: &UserDataSource::of(&desired),
        journal: &journal,
        consent: &stratiform::engine::Consent::default(),
        spending: &Spending::default(),
        leases: &leases,
        clock: &*clock,
        events: &events,
        health: &stratiform::NetProbe,
        stop: &Stop::new(),
        options: ExecuteOptions::default(),
    })
    .await;
    let took = Duration::try_from(clock.now().duration_since(start))?;
    leases.release(|_| false).await?;
    if !report.is_success() {
        return Err(format!("the apply failed: {:?}", report.counts).into());
    }
    let (attempts, refused) = *refusals
        .counts
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let mut calls = BTreeMap::new();
    for (key, counts) in stats.counts() {
        *calls.entry(key.operation).or_default() += counts.calls;
    }
    Ok(Paced {
        bound: bound(&plan, &graph),
        took,
        #[expect(clippy::cast_precision_loss, reason = "a share for people")]
        throttled: refused as f64 / attempts.max(1) as f64,
        calls,
    })
}

fn sites(
    clock: &Arc<dyn Clock>,
    told: bool,
    stats: &Arc<CallStats>,
    refusals: &Arc<Refusals>,
) -> Result<Sites, Box<dyn Error>> {
    let world = World::in_memory(7, Arc::clone(clock));
    let behaviour = Behaviour {
        latency_ms: u64::try_from(LATENCY.as_millis())?,
        create_ms: u64::try_from(CREATE.as_millis())?,
        rate_per_second: Some(RATE),
        ..Behaviour::instant()
    };
    let east = stratiform::model::Name::new("east")?;
    let site = SimSite::new(east.clone(), Profile::Gcp, "us-central1").behaving(behaviour);
    let rng = fastrand::Rng::with_seed(7);
    let mut stack = LayerStack::standard(LayerPolicy::default(), Arc::clone(clock), rng)
        .with_observer(Arc::clone(stats) as Arc<dyn CallObserver>)
        .with_observer(Arc::clone(refusals) as Arc<dyn CallObserver>);
    if told {
        let hint = RateHint {
            rate: f64::from(RATE),
            burst: 2 * RATE,
        };
        for api in [Api::Observe, Api::Network, Api::Compute, Api::Storage] {
            for effect in [Effect::Read, Effect::Write] {
                stack = stack.with_rate_hint("main", api, effect, hint);
            }
        }
    }
    Ok(Sites::from([(
        east,
        stack.wrap(world.connect(site)?, "main"),
    )]))
}

/// What no order of calls can undercut: the longest chain of steps that wait for each other, and
/// the calls of the busiest operation over the allowed rate, the burst that the cloud allows left
/// out. The first call of that operation waits for what it refers to, and the last for its answer.
fn bound(plan: &Plan, graph: &StepGraph) -> Duration {
    let mut chain: Vec<Duration> = vec![Duration::ZERO; graph.steps.len()];
    let mut order: Vec<_> = graph.steps.iter().collect();
    order.sort_by_key(|step| std::cmp::Reverse(step.height));
    let mut calls: BTreeMap<&str, (u32, Duration)> = BTreeMap::new();
    for step in order {
        let before = graph.deps(step).map(|dep| chain[dep.index()]);
        let before = before.max().unwrap_or_default();
        let machine = step.kind == stratiform::model::Kind::Machine;
        let takes = match step.op {
            // The call, and one look when the machine must be ready.
            StepOp::Create { .. } if machine => LATENCY + CREATE,
            _ => LATENCY,
        };
        chain[step.id.index()] = before + takes;
        let operation = match step.op {
            StepOp::Create { .. } => step.kind.as_str(),
            _ => "other",
        };
        let (count, earliest) = calls.entry(operation).or_insert((0, before));
        *count += 1;
        *earliest = (*earliest).min(before);
    }
    debug_assert!(!plan.changes.is_empty());
    let burst = 2 * RATE;
    let busiest = calls.values().map(|(count, earliest)| {
        let paced = count.saturating_sub(burst);
        *earliest + Duration::from_secs(1) * paced / RATE + LATENCY
    });
    let longest = chain.into_iter().max().unwrap_or_default();
    busiest.max().unwrap_or_default().max(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_told_limit_is_used_in_full() {
        let paced = measure(1_000, 200, true).expect("applies");
        assert!(paced.ratio() < 1.2, "{paced:?}");
        assert!(paced.throttled < 0.05, "{paced:?}");
    }

    #[test]
    fn an_untold_limit_is_found() {
        let paced = measure(1_000, 200, false).expect("applies");
        assert!(paced.ratio() < 1.3, "{paced:?}");
        assert!(paced.throttled < 0.05, "{paced:?}");
    }

    #[test]
    fn ten_times_as_much_takes_ten_times_the_calls() {
        let calls = |paced: Paced| paced.calls.values().sum::<u64>();
        let small = calls(measure(60, 12, true).expect("applies"));
        let large = calls(measure(600, 120, true).expect("applies"));
        assert!(large <= small * 11, "{small} calls, then {large}");
    }
}
