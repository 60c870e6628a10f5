//! Records whose numbers have many digits: what is read back is what was written.

use strat_burst_policy::{Inputs, Policy, Reading, Record, Sample};
use strat_model::burst::{BurstPolicy, Signal, SignalKind};

#[test]
fn any_number_can_be_recorded_and_decided_from_again() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..2000 {
        let exponent = random.i32(-12..12);
        let each = random.f64() * 10f64.powi(exponent) + f64::MIN_POSITIVE;
        let value = random.f64() * 10f64.powi(random.i32(-12..12));
        let mut settings = BurstPolicy::new("web", 0, 1_000_000);
        settings.signals = vec![Signal::new("rps", "q", SignalKind::Demand { each })];
        let policy = Policy::new(settings).expect("possible");
        let at = "2026-11-30T09:00:00Z".parse().expect("a time");
        let mut inputs = Inputs::new(at);
        let value = Reading::of(value);
        inputs
            .signals
            .insert("rps".to_owned(), Sample { value, at });
        let record = Record::of(&policy, &inputs).expect("JSON");
        let text = serde_json::to_string(&record).expect("JSON");
        let read: Record = serde_json::from_str(&text).expect("JSON");
        assert_eq!(serde_json::to_string(&read).expect("JSON"), text);
        read.replay().expect("the same");
    }
}
