//! Conditions on what a simulation came to.

use std::str::FromStr;

use strat_burst::simulate::Outcome;

/// A condition such as `violation_min>10`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct FailIf {
    figure: Figure,
    than: Than,
    bound: f64,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Than {
    More,
    AtLeast,
    Less,
    AtMost,
}

/// A number of an outcome.
type Figure = (&'static str, fn(&Outcome) -> Option<f64>);

const FIGURES: [Figure; 10] = [
    ("violation_min", |of| Some(of.violation_min)),
    ("longest_min", |of| Some(of.longest_min)),
    ("unmet_machine_min", |of| Some(of.unmet_machine_min)),
    ("wait_p99_ms", |of| of.wait_p99_ms),
    ("usd", |of| Some(of.usd)),
    ("usd_over_oracle", |of| of.usd_over_oracle),
    ("changes_per_day", |of| Some(of.changes_per_day)),
    ("reversals", |of| Some(f64::from(of.reversals))),
    ("budget_breaches", |of| Some(f64::from(of.budget_breaches))),
    ("batch_lost_machine_min", |of| {
        Some(of.batch_lost_machine_min)
    }),
];

impl FromStr for FailIf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| {
            let names: Vec<&str> = FIGURES.iter().map(|(name, _)| *name).collect();
            let names = names.join(", ");
            format!("{why}: write 'violation_min>10', with one of {names}")
        };
        let signs = [
            (">=", Than::AtLeast),
            ("<=", Than::AtMost),
            (">", Than::More),
            ("<", Than::Less),
        ];
        let found = signs.into_iter().find_map(|(sign, than)| {
            let (name, bound) = text.split_once(sign)?;
            Some((name.trim(), than, bound.trim()))
        });
        let (name, than, bound) = found.ok_or_else(|| wrong("there is no `>` or `<` in it"))?;
        let figure = FIGURES.into_iter().find(|(known, _)| *known == name);
        let bound: Option<f64> = bound.parse().ok();
        Ok(Self {
            figure: figure.ok_or_else(|| wrong(&format!("there is no figure `{name}`")))?,
            than,
            bound: bound
                .filter(|bound| bound.is_finite())
                .ok_or_else(|| wrong("the bound is no number"))?,
            text: text.to_owned(),
        })
    }
}

impl FailIf {
    /// The condition and the number that it holds for, if it does.
    pub(super) fn of(&self, outcome: &Outcome) -> Option<(&str, f64)> {
        let value = self.figure.1(outcome)?;
        let holds = match self.than {
            Than::More => value > self.bound,
            Than::AtLeast => value >= self.bound,
            Than::Less => value < self.bound,
            Than::AtMost => value <= self.bound,
        };
        holds.then_some((self.text.as_str(), value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_asked_is_refused() {
        let error = |text: &str| FailIf::from_str(text).expect_err(text);
        assert!(error("violation_min").starts_with("there is no `>` or `<` in it"));
        assert!(error("violations>1").starts_with("there is no figure `violations`"));
        assert!(error("usd>much").starts_with("the bound is no number"));
        let read = FailIf::from_str("usd_over_oracle >= 1.35").expect("a condition");
        assert_eq!(
            (read.figure.0, read.than, read.bound),
            ("usd_over_oracle", Than::AtLeast, 1.35)
        );
    }
}
