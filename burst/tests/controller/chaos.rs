//! Whatever happens, in whatever order: values that are none, sites that are silent or lose answers, leases
//! that are lost, clocks that jump, controllers that die. Budgets are kept, nothing is made twice, and once
//! all is well the fleet is home.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use futures::FutureExt as _;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use strat_burst::log::{Line, Log};
use strat_burst::run::Controller;
use strat_model::ErrorKind;
use strat_sim::{Disturbance, Fault, PlannedFault, RegionKey};
use stratiform::Stop;
use stratiform::provider::{Clock, Moment, TokioClock};

use crate::bench::{Bench, SHOP};

/// The most in an hour.
const HOURLY: &str = "0.30 USD";
const STEP: Duration = Duration::from_secs(300);
/// How many things happen in one run, and how many runs there are.
const EVENTS: usize = 25;
const RUNS: u64 = 10;

/// A clock whose time of day is set while it runs.
#[derive(Debug)]
struct SetClock {
    inner: TokioClock,
    off_s: AtomicI64,
}

#[async_trait]
impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        self.inner.now()
    }

    fn moment(&self) -> Moment {
        let moment = self.inner.moment();
        let off = SignedDuration::from_secs(self.off_s.load(Ordering::SeqCst));
        Moment {
            wall: moment.wall + off,
            ..moment
        }
    }

    async fn sleep(&self, duration: Duration) {
        self.inner.sleep(duration).await;
    }
}

/// What happens before a round.
#[derive(Debug, Clone)]
enum Event {
    Load(Option<f64>),
    /// The next calls of an operation at a site fail so.
    Fails(usize, Option<&'static str>, ErrorKind, u32),
    /// The next answer to a call that changes something gets lost.
    LosesAnswer(usize),
    Silent(usize),
    RunsOut(u64),
    Ends(usize),
    Breaks(usize),
    /// Leases cannot be written for a while.
    LosesLease(u32),
    /// The clock is set, by so many seconds.
    Clock(i64),
    /// The controller dies at the so-manieth call that changes something.
    Dies(usize),
    Drains(bool),
    Calm,
}

fn event(random: &mut fastrand::Rng) -> Event {
    let kinds = [
        ErrorKind::Transient,
        ErrorKind::Throttled,
        ErrorKind::Internal,
    ];
    let bad = [f64::NAN, f64::INFINITY, -5.0, 1e18];
    match random.u32(0..22) {
        0..=6 => Event::Load(Some(f64::from(random.u32(0..1500)))),
        7 => Event::Load(None),
        8 => Event::Load(Some(bad[random.usize(..bad.len())])),
        9 | 10 => {
            let operation = ["list", "create_machines", "delete"][random.usize(..3)];
            let kind = kinds[random.usize(..kinds.len())];
            Event::Fails(random.usize(..2), Some(operation), kind, random.u32(1..30))
        }
        11 => Event::LosesAnswer(random.usize(..2)),
        12 => Event::Silent(random.usize(..2)),
        13 => Event::RunsOut(random.u64(0..3)),
        14 => Event::Ends(random.usize(..12)),
        15 => Event::Breaks(random.usize(..12)),
        16 => Event::LosesLease(random.u32(1..40)),
        17 => Event::Clock(random.i64(-7200..7200)),
        18 | 19 => Event::Dies(random.usize(..40)),
        20 => Event::Drains(random.bool()),
        _ => Event::Calm,
    }
}

/// A run of many events.
struct Chaos {
    bench: Bench,
    clock: Arc<SetClock>,
    controller: Option<Controller>,
    regions: Vec<RegionKey>,
    /// What machines cost, by their names in decisions.
    prices: BTreeMap<String, Decimal>,
    jumped: bool,
}

impl Chaos {
    async fn new() -> Self {
        let start: Timestamp = "2026-11-10T08:00:00Z".parse().expect("a time");
        let clock = Arc::new(SetClock {
            inner: TokioClock::starting_at(start),
            off_s: AtomicI64::new(0),
        });
        let text = SHOP.replace("2 USD", HOURLY);
        let bench = Bench::on(&text, Arc::clone(&clock) as Arc<dyn Clock>).await;
        let regions = bench.control().regions().expect("regions");
        Self {
            regions: regions.into_iter().map(|view| view.region).collect(),
            bench,
            clock,
            controller: None,
            prices: BTreeMap::new(),
            jumped: false,
        }
    }

    fn disturb(&self, region: usize, what: &Disturbance) {
        // Whoever is gone already cannot be disturbed.
        let _ = self.bench.control().disturb(&self.regions[region], what);
    }

    fn fails(&self, region: usize, operation: Option<&str>, fault: Fault, times: u32) {
        let planned = PlannedFault {
            operation: operation.map(str::to_owned),
            fault,
            times,
            after: 0,
        };
        self.disturb(region, &Disturbance::Inject(planned));
    }

    /// Does something to the machine of this number, wherever it is.
    fn strike(&self, number: usize, what: impl Fn(String) -> Disturbance) {
        if let Some(machine) = self.bench.machines().get(number) {
            let what = what(machine.id.clone());
            (0..self.regions.len()).for_each(|region| self.disturb(region, &what));
        }
    }

    async fn happen(&mut self, event: &Event) {
        match event {
            Event::Load(value) => self.bench.load.set(*value),
            Event::Fails(region, operation, kind, times) => {
                self.fails(*region, *operation, Fault::fail(*kind), *times);
            }
            Event::LosesAnswer(region) => self.fails(*region, None, Fault::lost_answer(), 1),
            Event::Silent(region) => self.disturb(*region, &Disturbance::LoseRegion),
            Event::RunsOut(left) => {
                let short = Disturbance::SetStock {
                    machine_type: None,
                    zone: None,
                    capacity: None,
                    left: Some(*left),
                };
                (0..self.regions.len()).for_each(|region| self.disturb(region, &short));
            }
            Event::Ends(number) => self.strike(*number, |which| Disturbance::EndMachine {
                which,
                why: "Server.SpotInstanceTermination".to_owned(),
            }),
            Event::Breaks(number) => {
                self.strike(*number, |which| Disturbance::BreakMachine { which });
            }
            Event::LosesLease(times) => {
                let fault = Fault::fail(ErrorKind::Transient);
                for region in 0..self.regions.len() {
                    self.fails(region, Some("replace_lease"), fault, *times);
                }
            }
            Event::Clock(seconds) => {
                self.clock.off_s.fetch_add(*seconds, Ordering::SeqCst);
                self.jumped = true;
            }
            Event::Dies(at) => self.die(*at).await,
            Event::Drains(works) => self.bench.door.works.store(*works, Ordering::SeqCst),
            Event::Calm => self.calm(),
        }
    }

    fn calm(&self) {
        (0..self.regions.len()).for_each(|region| self.disturb(region, &Disturbance::Calm));
    }

    /// The controller dies within its next round, if that changes so much.
    async fn die(&mut self, at: usize) {
        let mut controller = self
            .controller
            .take()
            .unwrap_or_else(|| self.bench.controller_that_dies(STEP));
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        self.bench.die_at(at, &tell);
        let stop = Stop::new();
        tokio::select! {
            biased;
            _ = told.recv() => {}
            _ = controller.round(&stop) => {}
        }
        self.bench.live_on();
        drop(controller);
        // Nobody waits for its leases.
        self.bench.wait(Duration::from_secs(120)).await;
        self.check();
    }

    async fn round(&mut self) {
        let mut controller = match self.controller.take() {
            Some(controller) => controller,
            None => self.bench.controller_that_dies(STEP),
        };
        let round = self.bench.round(&mut controller).await;
        for (record, _) in &round.decided {
            record.replay().expect("the same to the byte");
            for machine in &record.inputs.machines {
                let price = machine.place.usd_hour;
                self.prices.insert(machine.id.clone(), price);
            }
            let limit: Decimal = "0.30".parse().expect("a price");
            let cost = &record.decision.cost;
            assert!(cost.hour_after <= limit.max(cost.hour_before), "{record:?}");
        }
        self.bench.wait(round.next_in).await;
        self.controller = Some(controller);
        self.check();
    }

    /// What holds at every moment, by what sites have and not by what anybody says of it.
    fn check(&self) {
        let machines = self.bench.machines();
        let owned = machines.iter().filter(|one| one.owned).count();
        let bought = machines.len() - owned;
        assert!(machines.len() <= 12, "more than max: {machines:?}");
        assert!(owned <= 4, "more than there is room for: {machines:?}");
        // At the cheapest price that is paid, no more than may be.
        let price = self.prices.values().filter(|price| !price.is_zero()).min();
        if let Some(price) = price {
            let hour = *price * Decimal::from(bought);
            assert!(
                hour <= "0.30".parse().expect("a price"),
                "{hour}: {machines:?}"
            );
        }
    }

    /// Once all is well: as many as the load needs, at home, and nothing else.
    async fn settles(&mut self) {
        self.calm();
        self.bench.door.works.store(false, Ordering::SeqCst);
        self.bench.load.set(Some(150.0));
        // Half of them may go within an hour, and a clock that went back has to come again.
        for _ in 0..(9 * 12) {
            self.round().await;
            if self.bench.count() == (2, 0) && self.bench.machines().iter().all(|one| one.ready) {
                break;
            }
        }
        for _ in 0..4 {
            self.round().await;
        }
        assert_eq!(self.bench.count(), (2, 0), "{:?}", self.bench.machines());
        let there = self.bench.machines();
        assert!(
            there.iter().all(|one| one.ready && !one.drains),
            "{there:?}"
        );
        if !self.jumped {
            self.check_bill();
        }
    }

    /// What was said to be spent is what ran, from launch to end.
    fn check_bill(&self) {
        let log = Log::of(&self.bench.dir.path().join(".stratiform"), "web");
        let mut said = Decimal::ZERO;
        log.each(|line| {
            if let Line::Decided(one) = line {
                said = one.record.inputs.spent.month_to_date;
            }
        })
        .expect("read");
        let price = self.prices.values().max().copied().unwrap_or_default();
        let bought = self.bench.lives.values().filter(|(.., owned)| !owned);
        let hours: Decimal = bought
            .clone()
            .map(|(from, until, _)| {
                let until = until.expect("it is gone");
                let ran_ms = i64::try_from(until.duration_since(*from).as_millis());
                Decimal::from(ran_ms.expect("a time")) / Decimal::from(3_600_000)
            })
            .sum();
        let bill = price * hours;
        // Whoever ends a machine elsewhere, or dies before it has written down that it did, is noticed in the
        // next round that sees the site.
        assert!(
            said >= bill * Decimal::new(99, 2),
            "{said} is said, and it was {bill}"
        );
    }
}

async fn run(seed: u64, told: &mut Vec<Event>) {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut chaos = Chaos::new().await;
    chaos.bench.load.set(Some(150.0));
    for _ in 0..EVENTS {
        let event = event(&mut random);
        told.push(event.clone());
        chaos.happen(&event).await;
        chaos.round().await;
    }
    chaos.settles().await;
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_budgets_are_kept_and_the_fleet_comes_home() {
    for seed in 0..RUNS {
        let mut told = Vec::new();
        let ran = AssertUnwindSafe(run(seed, &mut told)).catch_unwind().await;
        assert!(ran.is_ok(), "the run of seed {seed} fails, after {told:#?}");
    }
}
