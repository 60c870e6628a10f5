//! Two runs, the stores of their leases, and the clouds that they write to.
//!
//! Time goes in ticks. When a holder may write and a taker may take is decided by the engine's own
//! [`protocol`](strat_engine::protocol); everything round it is modelled: reads that lag, writes
//! that land late, hosts that sleep, clocks that jump, holders that die.

use strat_engine::protocol::Watch;

use crate::checker::Model;
use crate::state::{
    ATTEMPT, Action, Flight, HOUR, Held, PAST, PLACES, Put, RUNS, Run, Setting, State, TERM, Text,
    Version, Writing, secs,
};

impl Setting {
    fn store_of(&self, run: usize) -> usize {
        if self.shared { 0 } else { run }
    }

    fn version(&self, writing: &Writing) -> Version {
        if self.digest {
            Version::Digest(writing.text)
        } else {
            Version::Number(writing.number)
        }
    }

    /// The place whose lease guards a run's writes to a place.
    fn guard(&self, run: usize, place: usize) -> usize {
        if self.first_place_only {
            self.places[run][0]
        } else {
            place
        }
    }

    fn text(&self, state: &mut State, run: usize, epoch: u8, held: bool) -> Text {
        // Where versions are numbers, a nonce makes no difference.
        if self.nonce && self.digest {
            state.nonces += 1;
        }
        Text {
            epoch,
            nonce: state.nonces,
            holder: held.then_some(u8::try_from(run).expect("few runs")),
            expires: if self.trusts_clocks {
                state.wall(run) + i16::from(TERM)
            } else {
                0
            },
        }
    }

    /// Whether a run may write on a lease that it holds.
    fn may_write(&self, state: &State, run: usize, held: &Held) -> bool {
        if self.trusts_clocks {
            return held.expires > state.wall(run);
        }
        let left = held.left(state.clocks(self, run));
        left.is_some_and(|left| left >= secs(ATTEMPT))
    }

    fn put(&self, state: &mut State, run: usize, place: usize, text: Text, seen: Option<Version>) {
        let sent = state.clocks(self, run);
        let by = state.time + ATTEMPT;
        let put = Put {
            place,
            text,
            seen,
            sent,
            by,
        };
        state.runs[run].put = Some(put);
    }

    fn time(&self, state: &State, out: &mut Vec<(Action, State)>) {
        let is_due = |by: u8| by <= state.time;
        let puts = state.runs.iter().filter_map(|run| run.put);
        let flights = state.flights.iter().flatten();
        let is_waiting = puts
            .map(|put| put.by)
            .chain(flights.map(|flight| flight.by))
            .any(is_due);
        if state.time < self.ticks && !is_waiting {
            let mut next = *state;
            next.time += 1;
            if !self.counts_sleep {
                for run in next.runs.iter_mut().filter(|run| run.asleep) {
                    run.slept += 1;
                }
            }
            self.forget(&mut next);
            out.push((Action::Tick, next));
        }
    }

    /// Forgets what can make no difference any more, so that states that are alike are one.
    fn forget(&self, state: &mut State) {
        for old in state.stores.iter_mut().flatten().flatten() {
            if old.is_some_and(|old| {
                old.until
                    .is_some_and(|until| until + self.lag <= state.time)
            }) {
                *old = None;
            }
        }
        for run in &mut state.runs {
            for (place, watch) in run.watch.iter_mut().enumerate() {
                if run.done || run.dead || run.held[place].is_some() {
                    *watch = Watch::default();
                }
            }
        }
    }

    fn trouble(&self, state: &State, run: usize, out: &mut Vec<(Action, State)>) {
        let mut push = |action, change: &dyn Fn(&mut State)| {
            let mut next = *state;
            change(&mut next);
            out.push((action, next));
        };
        if state.runs[run].asleep {
            push(Action::Wake(run), &|next| next.runs[run].asleep = false);
            return;
        }
        if state.sleeps < self.sleeps {
            push(Action::Sleep(run), &|next| {
                next.runs[run].asleep = true;
                next.sleeps += 1;
            });
        }
        if state.jumps < self.jumps {
            for by in [-HOUR, HOUR] {
                push(Action::Jump(run, by), &|next| {
                    next.runs[run].wall += by;
                    next.jumps += 1;
                });
            }
        }
        let holds = state.runs[run].held.iter().any(Option::is_some);
        if holds && state.deaths < self.deaths {
            push(Action::Die(run), &|next| {
                next.runs[run].dead = true;
                next.deaths += 1;
            });
        }
    }

    /// A look at a lease that is not ours, and taking it if that is allowed.
    fn look(&self, state: &State, run: usize, place: usize, out: &mut Vec<(Action, State)>) {
        let store = &state.stores[self.store_of(run)][place];
        let shown = (0..PAST).filter(|ago| match (ago, store[ago.saturating_sub(1)]) {
            (0, _) => true,
            // It was shown until the next one took its place, and for as long as reads lag.
            (_, Some(_)) => store[*ago]
                .and_then(|old| old.until)
                .or_else(|| store[ago - 1].map(|_| state.time))
                .is_some_and(|until| until + self.lag > state.time),
            (_, None) => false,
        });
        for ago in shown {
            let mut next = *state;
            let seen = store[ago];
            let epoch = seen.map_or(0, |writing| writing.text.epoch) + 1;
            let version = seen.map(|writing| self.version(&writing));
            let is_free = match seen {
                None => true,
                Some(Writing { text, .. }) if text.holder.is_none() => true,
                Some(writing) if self.trusts_clocks => writing.text.expires <= state.wall(run),
                Some(writing) => {
                    let now = secs(state.clocks(self, run).elapsed);
                    let version = self.version(&writing);
                    let watch = &mut next.runs[run].watch[place];
                    watch.left(version, now, secs(self.watch)).is_zero()
                }
            };
            if is_free {
                let text = self.text(&mut next, run, epoch, true);
                self.put(&mut next, run, place, text, version);
            }
            if next != *state {
                out.push((Action::Look(run, place, ago), next));
            }
        }
    }

    fn hold(&self, state: &State, run: usize, place: usize, out: &mut Vec<(Action, State)>) {
        let Some(held) = state.runs[run].held[place] else {
            return;
        };
        let is_over = held.left(state.clocks(self, run)).is_none();
        if state.renewals < self.renewals && (self.revives || !is_over) {
            let mut next = *state;
            next.renewals += 1;
            let text = self.text(&mut next, run, held.epoch, true);
            self.put(&mut next, run, place, text, Some(held.version));
            out.push((Action::Renew(run, place), next));
        }
        let is_busy = state.runs[run].step.is_some();
        let flies = state
            .flights
            .iter()
            .flatten()
            .any(|flight| flight.run == run);
        if !is_busy && !flies {
            let mut next = *state;
            let text = self.text(&mut next, run, held.epoch, false);
            self.put(&mut next, run, place, text, Some(held.version));
            // A run that gave its leases back writes no more.
            next.runs[run].held[place] = None;
            next.runs[run].done = true;
            out.push((Action::Release(run, place), next));
        }
    }

    fn write(&self, state: &State, run: usize, out: &mut Vec<(Action, State)>) {
        match state.runs[run].step {
            None => {
                for place in self.places[run] {
                    let held = state.runs[run].held[self.guard(run, *place)];
                    let Some(held) = held.filter(|held| self.may_write(state, run, held)) else {
                        continue;
                    };
                    if state.writes < self.writes {
                        let mut next = *state;
                        next.writes += 1;
                        if self.fenced {
                            // Checked again where it leaves, so what was before does not matter.
                            self.send(&mut next, run, *place, held.epoch);
                            out.push((Action::Send(run), next));
                        } else {
                            next.runs[run].step = Some((*place, held.epoch));
                            out.push((Action::Begin(run, *place), next));
                        }
                    }
                }
            }
            Some((place, epoch)) => {
                let mut next = *state;
                next.runs[run].step = None;
                self.send(&mut next, run, place, epoch);
                out.push((Action::Send(run), next));
            }
        }
    }

    fn send(&self, state: &mut State, run: usize, place: usize, epoch: u8) {
        let by = state.time + ATTEMPT + self.late;
        if let Some(free) = state.flights.iter_mut().find(|flight| flight.is_none()) {
            *free = Some(Flight {
                place,
                run,
                epoch,
                by,
            });
        }
    }

    /// A conditional write takes effect, or does not.
    fn land(&self, state: &State, run: usize, out: &mut Vec<(Action, State)>) {
        let Some(put) = state.runs[run].put else {
            return;
        };
        let mut next = *state;
        next.runs[run].put = None;
        let store = &mut next.stores[self.store_of(run)][put.place];
        let now = store[0].map(|writing| self.version(&writing));
        let own = &mut next.runs[run];
        if now == put.seen || self.ignores {
            let number = store[0].map_or(1, |writing| writing.number + 1);
            if let Some(before) = &mut store[0] {
                before.until = Some(state.time);
            }
            store.rotate_right(1);
            let writing = Writing {
                text: put.text,
                number,
                until: None,
            };
            store[0] = Some(writing);
            let is_proved = !(self.ignores && self.proves);
            if put.text.holder.is_some() && is_proved {
                own.held[put.place] = Some(Held {
                    version: self.version(&writing),
                    epoch: put.text.epoch,
                    sent: put.sent,
                    expires: put.text.expires,
                });
            }
            if !is_proved {
                own.done = true;
            }
        } else {
            // Taken over since.
            own.held[put.place] = None;
        }
        self.forget(&mut next);
        out.push((Action::Land(run), next));
    }

    /// A write takes effect. It must not do so once another holds the place.
    fn effects(&self, state: &State, out: &mut Vec<(Action, State)>) {
        for (at, flight) in state.flights.iter().enumerate() {
            let Some(flight) = flight else { continue };
            let mut next = *state;
            next.flights[at] = None;
            let guard = self.guard(flight.run, flight.place);
            let newest = state.stores[0][guard][0].filter(|_| self.shared);
            if newest.is_some_and(|newest| newest.text.epoch > flight.epoch) {
                next.wrong = Some("a write took effect after another run took the lease over");
            } else if self.holders(state, flight.place) > 1 {
                next.wrong = Some("a write took effect while two runs held the lease");
            }
            out.push((Action::Effect(flight.run), next));
        }
    }

    /// Whether run 0 has done anything: it is the first where both are alike.
    fn is_begun(&self, state: &State) -> bool {
        let first = &state.runs[0];
        self.places[0] != self.places[1]
            || first.put.is_some()
            || first.done
            || first.held.iter().any(Option::is_some)
    }

    /// How many runs would send a write to a place at this moment.
    fn holders(&self, state: &State, place: usize) -> usize {
        let holders = state.runs.iter().enumerate().filter(|(run, of)| {
            let held = of.held[self.guard(*run, place)];
            self.places[*run].contains(&place)
                && !of.dead
                && held.is_some_and(|held| self.may_write(state, *run, &held))
        });
        holders.count()
    }
}

impl Model for Setting {
    type State = State;
    type Action = Action;

    fn first(&self) -> State {
        State {
            time: 0,
            stores: [[[None; PAST]; PLACES]; RUNS],
            runs: [Run::default(); RUNS],
            flights: [None; 1],
            nonces: 0,
            sleeps: 0,
            jumps: 0,
            deaths: 0,
            renewals: 0,
            writes: 0,
            wrong: None,
        }
    }

    fn next(&self, state: &State) -> Vec<(Action, State)> {
        let mut out = Vec::new();
        self.time(state, &mut out);
        self.effects(state, &mut out);
        for run in 0..RUNS {
            // What is on its way lands whoever sleeps or died.
            self.land(state, run, &mut out);
            let of = &state.runs[run];
            if of.dead {
                continue;
            }
            self.trouble(state, run, &mut out);
            if of.asleep {
                continue;
            }
            self.write(state, run, &mut out);
            if of.put.is_some() {
                continue;
            }
            let guards = self.places[run].iter().map(|place| self.guard(run, *place));
            let mut guards: Vec<usize> = guards.collect();
            guards.dedup();
            for place in guards {
                if of.held[place].is_some() {
                    self.hold(state, run, place, &mut out);
                } else if !of.done && (run == 0 || self.is_begun(state)) {
                    self.look(state, run, place, &mut out);
                    // In the order of their keys: the next only once this one is held.
                    break;
                }
            }
        }
        out
    }

    fn wrong(&self, state: &State) -> Option<&'static str> {
        state.wrong
    }
}
