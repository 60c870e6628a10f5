//! A program of its own that embeds the policy: it reads one value of demand a line, a minute each, and
//! tells what it would do with a pretended cloud whose machines boot for two minutes.
//!
//! ```sh
//! printf '%s\n' 80 80 420 420 420 80 | cargo run -q -p strat-burst-policy --example embed
//! ```

use std::io::{BufRead as _, Write as _};

use jiff::SignedDuration;
use strat_burst_policy::{
    Inputs, Machine, Offer, Op, Place, Policy, Reading, Record, Sample, State,
};
use strat_model::CapacityKind;
use strat_model::burst::{BurstPolicy, Signal, SignalKind};

/// How long a machine boots, in seconds.
const BOOT_S: i64 = 120;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut settings = BurstPolicy::new("web", 1, 20);
    settings.signals = vec![Signal::new("rps", "", SignalKind::Demand { each: 100.0 })];
    settings.down.after_s = 180;
    settings.down.min_age_s = 60;
    let policy = Policy::new(settings)?;
    let mut inputs = Inputs::new("2026-11-30T09:00:00Z".parse()?);
    inputs.offers.push(Offer {
        place: Place {
            site: "cloud".to_owned(),
            zone: "a".to_owned(),
            machine_type: "m".to_owned(),
            capacity: CapacityKind::OnDemand,
            usd_hour: "0.10".parse()?,
            billed_s: 1,
        },
        room: None,
        boot_p90_s: BOOT_S.unsigned_abs(),
        ran_out: None,
    });
    let mut made = 0;
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        // What is no number is a value that is missing, and never zero.
        let value = match line?.trim().parse() {
            Ok(value) => Reading::of(value),
            Err(_) => Reading::Nothing,
        };
        let sample = Sample {
            value,
            at: inputs.at,
        };
        inputs.signals.insert("rps".to_owned(), sample);
        // The record keeps all that the decision was made of: it can be made again, to the byte.
        let record = Record::of(&policy, &inputs)?;
        record.replay()?;
        let decision = &record.decision;
        writeln!(
            out,
            "{} {:?}: {} wanted by {}, {} ready, {} booting",
            decision.at,
            decision.action,
            decision.want,
            decision.decided_by,
            decision.inventory.ready,
            decision.inventory.pending
        )?;
        inputs.history.note(&policy, &record.inputs, decision);
        for step in &decision.steps {
            match step.op {
                Op::Create => {
                    for _ in 0..step.count {
                        made += 1;
                        inputs.machines.push(Machine {
                            id: format!("m-{made:03}"),
                            place: inputs.offers[0].place.clone(),
                            state: State::Pending,
                            made: inputs.at,
                            healthy: true,
                            reclaimed: false,
                        });
                    }
                }
                Op::Drain => turn(&mut inputs, &step.ids, true),
                Op::Resume => turn(&mut inputs, &step.ids, false),
                Op::Release => inputs.machines.retain(|one| !step.ids.contains(&one.id)),
                Op::Preempt => {}
            }
        }
        pass_a_minute(&mut inputs);
    }
    Ok(())
}

/// Tells machines to empty themselves, which these do at once, or to work again.
fn turn(inputs: &mut Inputs, ids: &[String], drains: bool) {
    let since = inputs.at;
    for machine in &mut inputs.machines {
        if ids.contains(&machine.id) {
            machine.state = match drains {
                true => State::Draining { since, done: true },
                false => State::Ready { warm: true },
            };
        }
    }
}

fn pass_a_minute(inputs: &mut Inputs) {
    inputs.at += SignedDuration::from_mins(1);
    for machine in &mut inputs.machines {
        let age_s = inputs.at.duration_since(machine.made).as_secs();
        if machine.state == State::Pending && age_s >= BOOT_S {
            machine.state = State::Ready { warm: true };
        }
    }
}
