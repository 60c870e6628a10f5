//! Whether a plan keeps to what it may cost.

use strat_planner::Plan;

use crate::Error;

/// Whether a plan keeps to its budgets.
///
/// # Errors
/// [`Error::OverBudget`], with each that it is over.
pub fn over_budget(plan: &Plan) -> Result<(), Error> {
    let currency = plan.cost.currency;
    let budgets: Vec<String> = plan
        .over_budget()
        .map(|budget| {
            let (name, most, after) = (&budget.name, budget.monthly, budget.after.round_dp(2));
            if after > most {
                format!("`{name}` permits {most} {currency} a month, and this would cost {after}")
            } else {
                let unpriced = budget.unpriced;
                let noun = if unpriced == 1 { "machine" } else { "machines" };
                format!(
                    "`{name}` permits {most} {currency} a month, and of {unpriced} {noun} the price is not known"
                )
            }
        })
        .collect();
    match budgets.is_empty() {
        true => Ok(()),
        false => Err(Error::OverBudget { budgets }),
    }
}
