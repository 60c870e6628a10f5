//! That planning grows with what is planned and with nothing else: pieces of memory are counted,
//! not seconds, so the figure is the same in every run.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use allocation_counter::{AllocationInfo, measure};
use strat_sim::{Behaviour, Profile, SimFactory, SimSite, World};
use stratiform::engine::{
    ExecuteOptions, HeldLeases, Journal, Run, Sites, Spending, Stop, UserDataSource, execute,
    observe,
};
use stratiform::model::Name;
use stratiform::planner::{Action, DiffOptions, diff, lower, place};
use stratiform::provider::{Clock, Registry, TokioClock};
use stratiform::{EventSink, Inputs, SavedPlan, Workspace};

use crate::shape;

/// What each step of planning takes.
#[derive(Debug)]
struct Taken {
    place: AllocationInfo,
    diff: AllocationInfo,
    lower: AllocationInfo,
    /// The same once everything is there.
    place_again: AllocationInfo,
    diff_again: AllocationInfo,
    /// How often a step waits for another, or for several at once.
    waits: usize,
    /// The length of the plan as text.
    text: usize,
}

/// What a topology writes into a folder, of some size.
type Shape = fn(&Path, u32) -> std::io::Result<()>;

fn taken(shape: Shape, count: u32) -> Result<Taken, Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    shape(dir.path(), count)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    runtime.block_on(plan_and_apply(dir.path()))
}

async fn plan_and_apply(dir: &Path) -> Result<Taken, Box<dyn Error>> {
    let registry = Registry::new().with(SimFactory::new());
    let workspace = Workspace::load(&dir.join("bench.hcl"), Inputs::default(), registry)?;
    let intent = workspace.intent();
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(jiff::Timestamp::UNIX_EPOCH));
    let world = World::in_memory(7, Arc::clone(&clock));
    let east = Name::new("east")?;
    let site = SimSite::new(east.clone(), Profile::Gcp, "us-central1");
    let site = site.behaving(Behaviour::instant());
    let sites = Sites::from([(east, world.connect(site)?)]);
    let (journal, events) = (Journal::in_memory(), EventSink::none());
    let options = DiffOptions::default();

    let seen = observe(
        &sites,
        &intent.owner,
        &intent.moves,
        &journal,
        &*clock,
        &events,
    )
    .await;
    let mut desired = None;
    let placed = measure(|| desired = place(intent, &seen.facts, &seen.inventory).ok());
    let desired = desired.ok_or("no place")?;
    let mut plan = None;
    let differed = measure(|| {
        plan = Some(diff(&desired, &seen.inventory, &seen.facts, None, &options));
    });
    let plan = plan.ok_or("no plan")?;
    let mut graph = None;
    let lowered = measure(|| graph = Some(lower(&plan, &seen.inventory, &seen.facts)));
    let graph = graph.ok_or("no steps")?;
    let steps = graph.steps.iter();
    let waits: usize = steps.map(|step| step.deps.len() + step.joins.len()).sum();
    let joined: usize = graph.joins.iter().map(|join| join.deps.len()).sum();
    let saved = SavedPlan {
        plan: plan.clone(),
        targets: Vec::new(),
        without: BTreeSet::new(),
        lease_stores: Vec::new(),
        outputs: Vec::new(),
        reaches: Vec::new(),
        policy: Vec::new(),
    };
    let text = saved.to_json().to_string().len();

    let leases = HeldLeases::alone("bench", &clock).await?;
    let report = execute(Run {
        plan: &plan,
        graph: &graph,
        sites: &sites,
        inventory: &seen.inventory,
        user_data: &UserDataSource::of(&desired),
        consent: &stratiform::engine::Consent::default(),
        spending: &Spending::default(),
        journal: &journal,
        leases: &leases,
        clock: &*clock,
        events: &events,
        health: &stratiform::NetProbe,
        stop: &Stop::new(),
        options: ExecuteOptions::default(),
    })
    .await;
    leases.release(|_| false).await?;
    if !report.is_success() {
        return Err(format!("the apply failed: {:?}", report.counts).into());
    }

    let seen = observe(
        &sites,
        &intent.owner,
        &intent.moves,
        &journal,
        &*clock,
        &events,
    )
    .await;
    let mut desired = None;
    let placed_again = measure(|| desired = place(intent, &seen.facts, &seen.inventory).ok());
    let desired = desired.ok_or("no place")?;
    let mut plan = None;
    let differed_again = measure(|| {
        plan = Some(diff(&desired, &seen.inventory, &seen.facts, None, &options));
    });
    let changes = plan.ok_or("no plan")?.changes;
    if changes.iter().any(|change| change.action != Action::NoOp) {
        return Err(format!("there is something left to do: {changes:#?}").into());
    }
    Ok(Taken {
        place: placed,
        diff: differed,
        lower: lowered,
        place_again: placed_again,
        diff_again: differed_again,
        waits: waits + joined,
        text,
    })
}

/// Ten times as much takes at most eleven times as many pieces of memory.
#[track_caller]
fn grows_in_step(shape: Shape) {
    let small = taken(shape, 200).expect("it is planned and applied");
    let large = taken(shape, 2_000).expect("it is planned and applied");
    for (what, of) in PARTS {
        let (small, large) = (of(&small).count_total, of(&large).count_total);
        assert!(small > 200, "{what}: only {small}");
        assert!(large <= small * 11, "{what}: {small}, then {large}");
    }
}

/// Takes one part of what was taken.
type Part = fn(&Taken) -> &AllocationInfo;

const PARTS: [(&str, Part); 5] = [
    ("place", |taken| &taken.place),
    ("diff", |taken| &taken.diff),
    ("lower", |taken| &taken.lower),
    ("place again", |taken| &taken.place_again),
    ("diff again", |taken| &taken.diff_again),
];

#[test]
fn blocks_of_their_own() {
    grows_in_step(shape::separate);
}

#[test]
fn instances_of_a_block() {
    grows_in_step(shape::instances);
}

/// 300 instances that wait for 300, then 3,000 for 3,000: a wait of each for each would be a
/// hundred times as many.
#[test]
fn a_block_that_waits_for_a_block() {
    let small = taken(shape::waiting, 600).expect("it is planned and applied");
    let large = taken(shape::waiting, 6_000).expect("it is planned and applied");
    for (what, of) in PARTS {
        let (small, large) = (of(&small), of(&large));
        let (pieces, more) = (small.count_total, large.count_total);
        assert!(more <= pieces * 11, "{what}: {pieces} pieces, then {more}");
        // A table is twice as large from one item to the next.
        let (bytes, more) = (small.bytes_total, large.bytes_total);
        assert!(more <= bytes * 22, "{what}: {bytes} bytes, then {more}");
    }
    let (waits, more) = (small.waits, large.waits);
    assert!(waits > 600, "only {waits} waits");
    assert!(more <= waits * 11, "{waits} waits, then {more}");
    let (text, more) = (small.text, large.text);
    assert!(more <= text * 11, "{text} bytes of text, then {more}");
}
