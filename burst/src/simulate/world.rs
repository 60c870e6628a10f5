//! The world of a run: machines that boot, fail, drain and go, batch machines that give way and come
//! back, offers that run out.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use strat_burst_policy::{
    BatchMachine, Decision, Inputs, Machine, Offer, Op, Place, Policy, RanOut, State, Step,
};
use strat_model::CapacityKind;

use super::account::Account;
use super::setting::{Between, Setting};

/// The site of our own hardware.
pub(crate) const OWNED: &str = "owned";
/// How long room has to be free until batch machines come back, in seconds.
const BATCH_WAITS_S: i64 = 600;

pub(crate) struct World<'a> {
    setting: &'a Setting,
    step_s: u64,
    /// What the policy sees: the machines and offers of this world.
    pub(crate) inputs: Inputs,
    begin: Timestamp,
    /// When machines that boot are ready; `None`: never.
    booting: BTreeMap<String, Option<Timestamp>>,
    made: u64,
    hour_usd: Decimal,
    by_site: BTreeMap<String, u32>,
    month: (i16, i8),
    room_since: Timestamp,
    random: fastrand::Rng,
    pub(crate) account: Account,
}

impl<'a> World<'a> {
    pub(crate) fn new(setting: &'a Setting, begin: Timestamp, step_s: u64, steps: usize) -> Self {
        let mut inputs = Inputs::new(begin);
        let owned = Place {
            site: OWNED.to_owned(),
            zone: "a".to_owned(),
            machine_type: "own".to_owned(),
            capacity: CapacityKind::Owned,
            usd_hour: setting.owned_usd_hour,
            billed_s: 1,
        };
        if setting.owned > 0 {
            inputs
                .offers
                .push(offer(owned, Some(setting.owned), setting.owned_boot_s));
        }
        for cloud in &setting.clouds {
            let place = Place {
                site: cloud.site.clone(),
                zone: "a".to_owned(),
                machine_type: "m".to_owned(),
                capacity: cloud.capacity,
                usd_hour: cloud.usd_hour,
                billed_s: cloud.billed_s,
            };
            inputs
                .offers
                .push(offer(place, cloud.room, cloud.boot_p90_s()));
        }
        let mut world = Self {
            setting,
            step_s,
            inputs,
            begin,
            booting: BTreeMap::new(),
            made: 0,
            hour_usd: Decimal::ZERO,
            by_site: BTreeMap::new(),
            month: (0, 0),
            room_since: begin,
            random: fastrand::Rng::with_seed(setting.seed),
            account: Account::new(step_s, steps),
        };
        world.new_month();
        world.batch_comes(i64::MAX);
        world
    }

    /// Machines that are there from the beginning: our own first.
    pub(crate) fn begin_with(&mut self, count: u32) {
        let yesterday = self.begin - SignedDuration::from_hours(24);
        for _ in 0..count {
            let offers = self.inputs.offers.iter();
            let Some(at) = offers.clone().position(|offer| offer.room != Some(0)) else {
                break;
            };
            self.add(at, State::Ready { warm: true }, yesterday);
        }
    }

    /// How many machines are ready, and how many of them are our own.
    pub(crate) fn ready(&self) -> (u32, u32) {
        let (mut ready, mut owned) = (0, 0);
        for machine in &self.inputs.machines {
            if matches!(machine.state, State::Ready { .. }) {
                ready += 1;
                owned += u32::from(machine.place.capacity == CapacityKind::Owned);
            }
        }
        (ready, owned)
    }

    fn add(&mut self, offer: usize, state: State, made: Timestamp) -> String {
        let offer = &mut self.inputs.offers[offer];
        offer.room = offer.room.map(|room| room.saturating_sub(1));
        let place = offer.place.clone();
        self.made += 1;
        let id = format!("m-{:06}", self.made);
        self.hour_usd += place.usd_hour;
        *self.by_site.entry(place.site.clone()).or_default() += 1;
        self.inputs.machines.push(Machine {
            id: id.clone(),
            place,
            state,
            made,
            healthy: true,
            reclaimed: false,
        });
        id
    }

    /// Does what was decided, and takes note of it.
    pub(crate) fn carry_out(&mut self, policy: &Policy, decision: &Decision) {
        let now = self.inputs.at;
        let mut created = 0;
        for step in &decision.steps {
            match step.op {
                Op::Create => created += self.create(step),
                Op::Preempt => {
                    for batch in &mut self.inputs.batch {
                        if step.ids.contains(&batch.id) {
                            batch.giving_way = Some(now);
                        }
                    }
                }
                Op::Resume => self.turn(&step.ids, |_| State::Ready { warm: true }),
                Op::Drain => self.turn(&step.ids, |_| State::Draining {
                    since: now,
                    done: false,
                }),
                Op::Release => self.release(&step.ids),
            }
        }
        let has = |op: Op| decision.steps.iter().any(|step| step.op == op);
        if created > 0 || has(Op::Resume) {
            self.account.changed(true);
        } else if has(Op::Drain) {
            self.account.changed(false);
        }
        let cost = &policy.settings().cost;
        let past = |limit: Option<strat_model::Money>, spent: Decimal| {
            limit.is_some_and(|limit| spent > limit.amount)
        };
        if created > 0
            && (past(cost.hourly, self.hour_usd)
                || past(cost.monthly, self.inputs.spent.month_to_date))
        {
            self.account.budget_breaches += created;
        }
    }

    fn turn(&mut self, ids: &[String], state: impl Fn(&Machine) -> State) {
        for machine in &mut self.inputs.machines {
            if ids.contains(&machine.id) {
                machine.state = state(machine);
            }
        }
    }

    /// Makes machines, if there are any to be had.
    fn create(&mut self, step: &Step) -> u32 {
        let now = self.inputs.at;
        let at_s = self.now_s();
        let found = self.inputs.offers.iter().position(|offer| {
            offer.place.site == step.site
                && offer.place.machine_type == step.offer
                && (offer.place.capacity == CapacityKind::Spot) == step.spot
        });
        let Some(at) = found else {
            return 0;
        };
        let owned = self.inputs.offers[at].place.capacity == CapacityKind::Owned;
        if !owned && Between::any(&self.setting.stock_outs, at_s) {
            let times = self.inputs.offers[at]
                .ran_out
                .map_or(1, |out| out.times + 1);
            self.inputs.offers[at].ran_out = Some(RanOut { at: now, times });
            return 0;
        }
        self.inputs.offers[at].ran_out = None;
        for _ in 0..step.count {
            let boot_s = if owned {
                self.setting.owned_boot_s
            } else {
                let share = self.random.f64() * 0.95;
                let cloud = at - usize::from(self.setting.owned > 0);
                self.setting.clouds[cloud].boot_at(share)
            };
            let fails = self.random.f64() < self.setting.boot_fails;
            let boots = SignedDuration::from_secs(i64::try_from(boot_s).unwrap_or(0));
            let id = self.add(at, State::Pending, now);
            self.booting.insert(id, (!fails).then(|| now + boots));
        }
        step.count
    }

    fn release(&mut self, ids: &[String]) {
        let inputs = &mut self.inputs;
        for machine in inputs
            .machines
            .extract_if(.., |machine| ids.contains(&machine.id))
        {
            let mut offers = inputs.offers.iter_mut();
            if let Some(offer) = offers.find(|offer| offer.place == machine.place) {
                offer.room = offer.room.map(|room| room + 1);
            }
            self.hour_usd -= machine.place.usd_hour;
            if let Some(count) = self.by_site.get_mut(&machine.place.site) {
                *count -= 1;
            }
            self.booting.remove(&machine.id);
        }
    }

    fn now_s(&self) -> u64 {
        let since = self.inputs.at.duration_since(self.begin).as_secs();
        u64::try_from(since).unwrap_or(0)
    }

    /// Lets a step pass: what runs is paid for, and what boots or drains gets further.
    pub(crate) fn pass(&mut self) {
        let usd = self.hour_usd * Decimal::from(self.step_s) / Decimal::from(3600);
        self.account.usd += usd;
        self.inputs.spent.month_to_date += usd;
        for (site, count) in &self.by_site {
            self.account.ran(site, *count);
        }
        let step = SignedDuration::from_secs(i64::try_from(self.step_s).unwrap_or(0));
        self.inputs.at += step;
        let left = self.inputs.spent.month_left_s;
        self.inputs.spent.month_left_s = left.saturating_sub(self.step_s);
        if self.inputs.spent.month_left_s == 0 {
            self.new_month();
        }
        self.machines_get_further();
        self.batch_goes();
        self.batch_comes(BATCH_WAITS_S);
    }

    fn machines_get_further(&mut self) {
        let now = self.inputs.at;
        let drain_s = i64::try_from(self.setting.drain_s).unwrap_or(i64::MAX);
        for machine in &mut self.inputs.machines {
            match machine.state {
                State::Pending => {
                    let ready = self.booting.get(&machine.id).copied().flatten();
                    if ready.is_some_and(|ready| ready <= now) {
                        machine.state = State::Ready { warm: true };
                        self.booting.remove(&machine.id);
                    }
                }
                State::Draining { since, done: false }
                    if now.duration_since(since).as_secs() >= drain_s =>
                {
                    machine.state = State::Draining { since, done: true };
                }
                _ => {}
            }
        }
    }

    /// Batch machines whose grace is over leave their place.
    fn batch_goes(&mut self) {
        let now = self.inputs.at;
        let over = |batch: &BatchMachine| {
            let grace_s = i64::try_from(batch.grace_s).unwrap_or(i64::MAX);
            let since = batch.giving_way;
            since.is_some_and(|since| now.duration_since(since).as_secs() >= grace_s)
        };
        let gone = self.inputs.batch.extract_if(.., |batch| over(batch));
        for batch in gone {
            let worked = now.duration_since(batch.made).as_secs();
            self.account.batch_lost_s += u64::try_from(worked).unwrap_or(0);
            self.inputs.offers[0].room = self.inputs.offers[0].room.map(|room| room + 1);
        }
    }

    /// Batch machines come back where room has been free for a time.
    fn batch_comes(&mut self, waits_s: i64) {
        let now = self.inputs.at;
        if self.setting.batch == 0 || self.setting.owned == 0 {
            return;
        }
        let room = self.inputs.offers[0].room.unwrap_or(0);
        if room == 0 {
            self.room_since = now;
            return;
        }
        if now != self.begin && now.duration_since(self.room_since).as_secs() < waits_s {
            return;
        }
        let running = u32::try_from(self.inputs.batch.len()).unwrap_or(u32::MAX);
        let coming = self.setting.batch.saturating_sub(running).min(room);
        for _ in 0..coming {
            self.made += 1;
            self.inputs.batch.push(BatchMachine {
                id: format!("b-{:06}", self.made),
                site: OWNED.to_owned(),
                zone: "a".to_owned(),
                priority: i32::MIN,
                made: now,
                grace_s: self.setting.batch_grace_s,
                giving_way: None,
            });
        }
        self.inputs.offers[0].room = Some(room - coming);
    }

    /// Adds a step to the account.
    pub(crate) fn account_batch(&mut self) {
        let running = u32::try_from(self.inputs.batch.len()).unwrap_or(u32::MAX);
        if running > 0 {
            self.account.ran("batch", running);
        }
    }

    fn new_month(&mut self) {
        let zoned = self.inputs.at.to_zoned(jiff::tz::TimeZone::UTC);
        let month = (zoned.year(), zoned.month());
        if month != self.month {
            self.month = month;
            self.inputs.spent.month_to_date = Decimal::ZERO;
        }
        let next = zoned.last_of_month().ok().and_then(|last| {
            let next = last.date().tomorrow().ok()?;
            next.to_zoned(jiff::tz::TimeZone::UTC).ok()
        });
        let left = next.map_or(86_400, |next| {
            next.timestamp().duration_since(self.inputs.at).as_secs()
        });
        self.inputs.spent.month_left_s = u64::try_from(left).unwrap_or(0).max(1);
    }
}

fn offer(place: Place, room: Option<u32>, boot_p90_s: u64) -> Offer {
    Offer {
        place,
        room,
        boot_p90_s,
        ran_out: None,
    }
}
