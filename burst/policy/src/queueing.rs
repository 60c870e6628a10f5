//! How long arrivals wait: the queues of Erlang, and what moves them away from the textbook.
//!
//! Offered load is in erlangs: arrivals per second times the mean time of service in seconds.

use strat_model::burst::{Queue, WaitGoal};

/// The largest number of servers that is looked for.
const MOST_SERVERS: u32 = 1_000_000;

/// The share of arrivals that find all of `servers` busy and are turned away (M/M/c/c).
///
/// By the recurrence of the inverse, which neither overflows nor cancels.
#[must_use]
pub fn erlang_b(servers: u32, erlangs: f64) -> f64 {
    if erlangs <= 0.0 {
        return if servers == 0 { 1.0 } else { 0.0 };
    }
    let inverse = (1..=servers).fold(1.0, |inverse, servers| {
        1.0 + inverse * f64::from(servers) / erlangs
    });
    1.0 / inverse
}

/// The share of arrivals that have to wait (M/M/c, nobody leaves); 1 where the queue grows for
/// ever.
#[must_use]
pub fn erlang_c(servers: u32, erlangs: f64) -> f64 {
    if erlangs >= f64::from(servers) {
        return 1.0;
    }
    delayed(erlang_b(servers, erlangs), servers, erlangs)
}

/// Erlang's C from his B.
fn delayed(blocked: f64, servers: u32, erlangs: f64) -> f64 {
    let busy = erlangs / f64::from(servers);
    blocked / (1.0 - busy * (1.0 - blocked))
}

/// The share of arrivals that wait longer than `wait_s` seconds.
///
/// `variability` is Allen and Cunneen's factor, (Ca² + Cs²) / 2: the mean wait of those who wait is
/// that many times the one of M/M/c, and the wait is taken to be exponential as there
/// (A. O. Allen, Probability, Statistics and Queueing Theory, 2nd ed., 1990, 5.3.4).
#[must_use]
pub fn waits_longer(
    servers: u32,
    erlangs: f64,
    service_s: f64,
    wait_s: f64,
    variability: f64,
) -> f64 {
    if erlangs >= f64::from(servers) {
        return 1.0;
    }
    tail(
        erlang_c(servers, erlangs),
        servers,
        erlangs,
        service_s,
        wait_s,
        variability,
    )
}

fn tail(
    waits: f64,
    servers: u32,
    erlangs: f64,
    service_s: f64,
    wait_s: f64,
    variability: f64,
) -> f64 {
    let leave_rate =
        (f64::from(servers) - erlangs) / service_s / variability.max(f64::MIN_POSITIVE);
    waits * (-leave_rate * wait_s).exp()
}

/// The fewest servers with which at most `late` of the arrivals wait longer than `wait_s`.
#[must_use]
pub fn servers_needed(
    erlangs: f64,
    service_s: f64,
    wait_s: f64,
    late: f64,
    variability: f64,
) -> u32 {
    // One more server is one more step of the recurrence, so the search is one pass.
    let mut inverse = 1.0;
    for servers in 1..=MOST_SERVERS {
        inverse = 1.0 + inverse * f64::from(servers) / erlangs;
        if erlangs >= f64::from(servers) {
            continue;
        }
        let waits = delayed(1.0 / inverse, servers, erlangs);
        if tail(waits, servers, erlangs, service_s, wait_s, variability) <= late {
            return servers;
        }
    }
    MOST_SERVERS
}

/// The share of arrivals to whom more than `wait_s` seconds of waiting are offered, where those
/// who wait leave after a mean patience of `patience_s` (Erlang A, M/M/n+M).
///
/// Palm's integrals as in A. Mandelbaum and S. Zeltyn, The Palm/Erlang-A Queue (2005); the model is
/// that of Garnett, Mandelbaum and Reiman, Designing a Call Center with Impatient Customers (2002).
#[must_use]
pub fn erlang_a(
    servers: u32,
    arrivals_per_s: f64,
    service_s: f64,
    patience_s: f64,
    wait_s: f64,
) -> f64 {
    if servers == 0 {
        return 1.0;
    }
    let erlangs = arrivals_per_s * service_s;
    let blocked = erlang_b(servers - 1, erlangs);
    let ready = (1.0 / blocked) / arrivals_per_s;
    let all = palm(servers, arrivals_per_s, service_s, patience_s, 0.0);
    let late = palm(servers, arrivals_per_s, service_s, patience_s, wait_s);
    late / (ready + all)
}

/// ∫ exp(λ/θ (1 − e^(−θt)) − nμt) dt from `from_s` on, by Simpson's rule.
fn palm(servers: u32, arrivals_per_s: f64, service_s: f64, patience_s: f64, from_s: f64) -> f64 {
    const STEPS: u32 = 2_000;
    let theta = 1.0 / patience_s;
    let serve = f64::from(servers) / service_s;
    let density = |t: f64| {
        let arrived = arrivals_per_s / theta * (1.0 - (-theta * t).exp());
        (arrived - serve * t).exp()
    };
    // The exponent is concave: it rises for as long as more come than are served, and then falls.
    let peak = if arrivals_per_s > serve {
        (arrivals_per_s / serve).ln() / theta
    } else {
        0.0
    };
    let top = density(peak.max(from_s));
    let mut width = service_s.min(patience_s);
    while density(peak.max(from_s) + width) > top * 1e-12 {
        width *= 1.5;
    }
    let end = peak.max(from_s) + width;
    let step = (end - from_s) / f64::from(STEPS);
    let inner = (1..STEPS).map(|at| {
        let weight = if at % 2 == 1 { 4.0 } else { 2.0 };
        weight * density(from_s + f64::from(at) * step)
    });
    step / 3.0 * (density(from_s) + density(end) + inner.sum::<f64>())
}

/// The offered load, in erlangs, of a service that takes time while arrivals move: what a system of
/// as many servers as it likes would have busy at the end of `samples`.
///
/// `samples` are (seconds that the rate held, arrivals per second), oldest first. The modified
/// offered load of Jennings, Mandelbaum, Massey and Whitt, Server Staffing to Meet Time-Varying
/// Demand (1996): dm/dt = λ(t) − m/s, which is solved exactly for rates that hold.
#[must_use]
pub fn moving_load(samples: impl IntoIterator<Item = (f64, f64)>, service_s: f64) -> f64 {
    let mut load = None;
    for (held_s, rate) in samples {
        let settled = rate * service_s;
        // What was before the first sample is taken to have been as that sample is.
        let before = load.unwrap_or(settled);
        load = Some(settled + (before - settled) * (-held_s / service_s).exp());
    }
    load.unwrap_or(0.0)
}

/// The fewest machines that keep a goal at an offered load.
///
/// Machines times slots are one queue's servers only where the machines share the queue. Where each
/// has its own, a machine is a queue of its own slots, and gets its share of the arrivals.
#[must_use]
pub fn machines_for_wait(goal: &WaitGoal, erlangs: f64) -> u32 {
    if erlangs <= 0.0 {
        return 0;
    }
    let slots = goal.slots.max(1);
    let late = 1.0 - goal.share;
    match goal.queue {
        Queue::Shared => {
            let servers = match goal.patience_s {
                None => servers_needed(
                    erlangs,
                    goal.service_s,
                    goal.within_s,
                    late,
                    goal.variability,
                ),
                Some(patience_s) => patient_servers(goal, erlangs, patience_s, late),
            };
            servers.div_ceil(slots)
        }
        Queue::Random => lowest(|machines| {
            let own = erlangs / f64::from(machines);
            waits(goal, slots, own) <= late
        }),
    }
}

/// The share of arrivals of one queue of `servers` that wait too long.
fn waits(goal: &WaitGoal, servers: u32, erlangs: f64) -> f64 {
    match goal.patience_s {
        None => waits_longer(
            servers,
            erlangs,
            goal.service_s,
            goal.within_s,
            goal.variability,
        ),
        Some(patience_s) => {
            let arrivals = erlangs / goal.service_s;
            erlang_a(servers, arrivals, goal.service_s, patience_s, goal.within_s)
        }
    }
}

fn patient_servers(goal: &WaitGoal, erlangs: f64, patience_s: f64, late: f64) -> u32 {
    let arrivals = erlangs / goal.service_s;
    lowest(|servers| erlang_a(servers, arrivals, goal.service_s, patience_s, goal.within_s) <= late)
}

/// The lowest number from 1 for which `enough` holds, which holds for all larger ones.
fn lowest(enough: impl Fn(u32) -> bool) -> u32 {
    let mut high = 1;
    while !enough(high) {
        if high >= MOST_SERVERS {
            return MOST_SERVERS;
        }
        high *= 2;
    }
    let mut low = high / 2;
    while high - low > 1 {
        let middle = low + (high - low) / 2;
        if enough(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() <= within, "{a} is not {b}");
    }

    #[test]
    fn erlang_c_has_the_values_of_the_tables() {
        close(erlang_c(12, 10.0), 0.449_388, 5e-7);
        close(erlang_c(14, 10.0), 0.174_132, 5e-7);
        close(erlang_c(110, 100.0), 0.237_008, 5e-7);
        close(erlang_c(1, 0.5), 0.5, 1e-12);
        close(erlang_c(4, 4.0), 1.0, 0.0);
    }

    #[test]
    fn so_many_servers_are_needed() {
        // 100 a second of 0.1 s each: at most 5 % wait longer than 50 ms.
        assert_eq!(servers_needed(10.0, 0.1, 0.05, 0.05, 1.0), 14);
        // 1,000 a second of 0.2 s each: at most 1 % wait longer than 100 ms.
        assert_eq!(servers_needed(200.0, 0.2, 0.1, 0.01, 1.0), 208);
    }

    #[test]
    fn one_server_fewer_is_too_few() {
        for erlangs in [0.3, 3.7, 10.0, 99.5, 512.0] {
            let needed = servers_needed(erlangs, 0.1, 0.05, 0.05, 1.0);
            assert!(waits_longer(needed, erlangs, 0.1, 0.05, 1.0) <= 0.05);
            assert!(waits_longer(needed - 1, erlangs, 0.1, 0.05, 1.0) > 0.05);
        }
    }

    #[test]
    fn variability_moves_the_wait_as_allen_and_cunneen_say() {
        // M/D/1: half of the mean wait of M/M/1 for those who wait.
        let regular = waits_longer(1, 0.5, 1.0, 2.0, 0.5);
        close(regular, 0.5 * (-2.0_f64).exp(), 1e-12);
        assert!(regular < waits_longer(1, 0.5, 1.0, 2.0, 1.0));
        assert!(
            servers_needed(10.0, 0.1, 0.05, 0.05, 4.0) > servers_needed(10.0, 0.1, 0.05, 0.05, 1.0)
        );
    }

    /// The share that waits in M/M/n+M, from the probabilities of its states.
    fn waits_by_states(servers: u32, arrivals: f64, service_s: f64, patience_s: f64) -> f64 {
        let (mut state, mut all, mut waiting) = (1.0_f64, 1.0, 0.0);
        for count in 1..2_000_u32 {
            let serving = f64::from(count.min(servers)) / service_s;
            let leaving = f64::from(count.saturating_sub(servers)) / patience_s;
            state *= arrivals / (serving + leaving);
            all += state;
            if count >= servers {
                waiting += state;
            }
        }
        waiting / all
    }

    #[test]
    fn erlang_a_agrees_with_its_states() {
        for (servers, arrivals, patience) in [(12, 10.0, 2.0), (10, 12.0, 0.5), (50, 49.0, 10.0)] {
            let ours = erlang_a(servers, arrivals, 1.0, patience, 0.0);
            close(
                ours,
                waits_by_states(servers, arrivals, 1.0, patience),
                1e-6,
            );
        }
        // Whoever never leaves waits as with Erlang C.
        close(erlang_a(12, 10.0, 1.0, 1e5, 0.0), erlang_c(12, 10.0), 1e-3);
        close(
            erlang_a(12, 10.0, 1.0, 1e5, 0.7),
            waits_longer(12, 10.0, 1.0, 0.7, 1.0),
            1e-3,
        );
    }

    #[test]
    fn a_moving_load_lags_behind_arrivals() {
        close(moving_load([(600.0, 10.0)], 30.0), 300.0, 1e-9);
        // Half of the way after ln 2 times of service.
        let half = 30.0 * std::f64::consts::LN_2;
        close(moving_load([(600.0, 0.0), (half, 10.0)], 30.0), 150.0, 1e-9);
        // Arrivals have stopped, and those who came are still there.
        assert!(moving_load([(600.0, 10.0), (10.0, 0.0)], 30.0) > 200.0);
        close(moving_load([], 30.0), 0.0, 0.0);
    }

    #[test]
    fn queues_of_their_own_need_more_machines() {
        let mut goal = WaitGoal {
            service_s: 0.1,
            slots: 1,
            queue: Queue::Shared,
            within_s: 0.05,
            share: 0.95,
            variability: 1.0,
            patience_s: None,
        };
        assert_eq!(machines_for_wait(&goal, 10.0), 14);
        goal.slots = 4;
        assert_eq!(machines_for_wait(&goal, 10.0), 4);
        goal.queue = Queue::Random;
        let apart = machines_for_wait(&goal, 10.0);
        assert!(apart > 4);
        assert!(waits(&goal, 4, 10.0 / f64::from(apart)) <= 0.05);
        assert!(waits(&goal, 4, 10.0 / f64::from(apart - 1)) > 0.05);
        goal.patience_s = Some(0.2);
        assert!(machines_for_wait(&goal, 10.0) <= apart);
        assert_eq!(machines_for_wait(&goal, 0.0), 0);
    }
}
