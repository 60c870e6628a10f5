//! The parts of a plan and an apply, each alone: parse, evaluate, place, diff, order, journal.
//!
//! `cargo bench -p strat-bench`; one part with `cargo bench -p strat-bench -- parse`.

#[path = "../src/shape.rs"]
#[expect(dead_code, reason = "this uses its own part of the shapes")]
mod shape;

use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use jiff::Timestamp;
use strat_sim::{Behaviour, Profile, SimFactory, SimSite, World};
use stratiform::engine::{Journal, Observation, Operation, Sites, Started, observe};
use stratiform::model::{Addr, Kind, Moves, Name, Owner, ResourceId, Token};
use stratiform::planner::{DiffOptions, diff, lower, place};
use stratiform::provider::{Clock, Registry, TokioClock};
use stratiform::topology::{Sources, Topology};
use stratiform::{EventSink, Inputs, Workspace};

/// How many resources, half of them machines with a volume each.
const SIZES: [u32; 2] = [1_000, 10_000];

/// A folder with a topology of separate blocks.
fn folder(count: u32) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    shape::separate(dir.path(), count).expect("a topology");
    dir
}

fn language(criterion: &mut Criterion) {
    for count in SIZES {
        let dir = folder(count);
        let sources = Sources::load(dir.path()).expect("text");
        let mut group = criterion.benchmark_group("parse");
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| Topology::parse(black_box(&sources)).expect("parses"));
        });
        group.finish();
        let topology = Topology::parse(&sources).expect("parses");
        let mut group = criterion.benchmark_group("evaluate");
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            let inputs = Inputs::default();
            bencher.iter(|| topology.evaluate(black_box(&inputs)).expect("evaluates"));
        });
        group.finish();
    }
}

/// An empty cloud, seen.
fn seen(owner: &Owner) -> Observation {
    let clock: Arc<dyn Clock> = Arc::new(TokioClock::starting_at(Timestamp::UNIX_EPOCH));
    let world = World::in_memory(7, Arc::clone(&clock));
    let east = Name::new("east").expect("a name");
    let site = SimSite::new(east.clone(), Profile::Gcp, "us-central1");
    let site = site.behaving(Behaviour::instant());
    let sites = Sites::from([(east, world.connect(site).expect("connects"))]);
    let (journal, events) = (Journal::in_memory(), EventSink::none());
    runtime().block_on(observe(
        &sites,
        owner,
        &Moves::default(),
        &journal,
        &*clock,
        &events,
    ))
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
}

fn workspace(dir: &Path) -> Workspace {
    let registry = Registry::new().with(SimFactory::new());
    Workspace::load(&dir.join("bench.hcl"), Inputs::default(), registry).expect("a topology")
}

fn planning(criterion: &mut Criterion) {
    for count in SIZES {
        let dir = folder(count);
        let workspace = workspace(dir.path());
        let intent = workspace.intent();
        let seen = seen(&intent.owner);
        let (facts, inventory) = (&seen.facts, &seen.inventory);
        let options = DiffOptions::default();
        let desired = place(intent, facts, inventory).expect("a place");
        let plan = diff(&desired, inventory, facts, None, &options);
        let mut group = criterion.benchmark_group("place");
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| place(black_box(intent), facts, inventory).expect("a place"));
        });
        group.finish();
        let mut group = criterion.benchmark_group("diff");
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| diff(black_box(&desired), inventory, facts, None, &options));
        });
        group.finish();
        let mut group = criterion.benchmark_group("order");
        group.throughput(Throughput::Elements(count.into()));
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| lower(black_box(&plan), inventory, facts));
        });
        group.finish();
    }
}

fn started(step: u32, addr: &Addr, owner: &Owner) -> Started {
    Started {
        at: Timestamp::UNIX_EPOCH,
        plan: "0123456789abcdef".to_owned(),
        step,
        owner: owner.clone(),
        addr: addr.clone(),
        site: addr.site.clone(),
        kind: Kind::Machine,
        operation: Operation::Create,
        generation: 1,
        token: Some(Token::derive("0123456789abcdef", addr, 1, 1, step, "")),
        names: vec![format!("bench-m-{step}")],
        spec: "0123456789abcdef".to_owned(),
        ids: Vec::new(),
    }
}

/// A hundred calls that begin together and end together, in memory and on the disk.
fn journal(criterion: &mut Criterion) {
    const CALLS: u32 = 100;
    let runtime = runtime();
    let addr: Addr = "machine.m@east".parse().expect("an address");
    let owner: Owner = "bench".parse().expect("an owner");
    let dir = tempfile::tempdir().expect("a folder");
    let mut group = criterion.benchmark_group("journal");
    group.throughput(Throughput::Elements(CALLS.into()));
    for on_disk in [false, true] {
        let name = if on_disk { "on disk" } else { "in memory" };
        let open = || {
            if on_disk {
                let dir = tempfile::tempdir_in(dir.path()).expect("a folder");
                Journal::open(&dir.keep()).expect("a journal")
            } else {
                Journal::in_memory()
            }
        };
        let run = |journal: Journal| {
            let (addr, owner) = (&addr, &owner);
            runtime.block_on(async {
                let begin = (0..CALLS).map(|step| journal.started(started(step, addr, owner)));
                let entries = futures::future::try_join_all(begin).await.expect("written");
                let end = entries.into_iter().map(|entry| {
                    let ids = vec![ResourceId::from("i-0123456789")];
                    journal.succeeded(Timestamp::UNIX_EPOCH, entry, ids)
                });
                futures::future::try_join_all(end).await.expect("written");
            });
        };
        group.bench_function(BenchmarkId::from_parameter(name), |bencher| {
            bencher.iter_batched(open, run, BatchSize::PerIteration);
        });
    }
    group.finish();
}

criterion_group!(parts, language, planning, journal);
criterion_main!(parts);
