//! What budgets have left while machines are made.

use std::collections::BTreeSet;
use std::sync::Mutex;

use rust_decimal::Decimal;
use strat_model::{CapacityKind, Currency, Name, Spec};
use strat_planner::{Action, Goal, HOURS_A_MONTH, Plan};

use crate::lock;

/// The budgets of an apply, and what is spent of them: one for all its rounds, so that machines
/// which are placed again, or made twice by a fault, cannot go above what was agreed to.
///
/// What a month will cost of what the first plan leaves as it is counts from the beginning, and of
/// what is made from the moment before its call. What that call does not make is given back.
#[derive(Debug, Default)]
pub struct Spending {
    budgets: Mutex<Vec<Budget>>,
}

#[derive(Debug)]
struct Budget {
    name: Name,
    sites: BTreeSet<Name>,
    monthly: Decimal,
    spent: Decimal,
    /// Whether machines without a price are refused.
    strict: bool,
}

impl Budget {
    fn counts(&self, site: &Name) -> bool {
        self.sites.is_empty() || self.sites.contains(site)
    }
}

impl Spending {
    /// The budgets of a plan, with what is spent without its creates. One that the plan is above
    /// although it only lowers the cost binds nothing.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let budgets = plan.cost.budgets.iter();
        let binding = budgets.filter(|budget| budget.after <= budget.monthly);
        let budgets = binding.map(|budget| {
            let mut binding = Budget {
                name: budget.name.clone(),
                sites: budget.sites.clone(),
                monthly: budget.monthly,
                spent: budget.after,
                strict: !budget.allow_unpriced,
            };
            let makes = |action| matches!(action, Action::Create | Action::Replace);
            let changes = plan.changes.iter().filter(|change| makes(change.action));
            let here = changes.filter(|change| binding.counts(&change.site));
            let goals = here.flat_map(|change| &change.goals);
            let made: Decimal = goals.filter_map(|goal| a_month(goal, goal.count)).sum();
            binding.spent -= made;
            binding
        });
        Self {
            budgets: Mutex::new(budgets.collect()),
        }
    }

    /// Counts machines in that are about to be made.
    ///
    /// # Errors
    /// Why a budget forbids them, in a sentence; nothing is counted then.
    pub(super) fn take(&self, site: &Name, goal: &Goal, count: u32) -> Result<(), String> {
        let Spec::Machine(machine) = &goal.spec else {
            return Ok(());
        };
        let mut budgets = lock(&self.budgets);
        let price = a_month(goal, count);
        for budget in budgets.iter().filter(|budget| budget.counts(site)) {
            let Budget {
                name,
                monthly,
                spent,
                ..
            } = budget;
            match price {
                Some(price) if spent + price > *monthly => {
                    let after = (spent + price).round_dp(2);
                    return Err(format!(
                        "the budget `{name}` permits {monthly} USD a month, and with this it would be {after}"
                    ));
                }
                None if budget.strict && machine.capacity != CapacityKind::Owned => {
                    return Err(format!(
                        "nobody knows the price of {}, and the budget `{name}` counts it",
                        machine.machine_type
                    ));
                }
                _ => {}
            }
        }
        for budget in budgets.iter_mut().filter(|budget| budget.counts(site)) {
            budget.spent += price.unwrap_or_default();
        }
        Ok(())
    }

    /// Counts machines out again that were not made.
    pub(super) fn give_back(&self, site: &Name, goal: &Goal, count: u32) {
        let price = a_month(goal, count).unwrap_or_default();
        for budget in lock(&self.budgets).iter_mut() {
            if budget.counts(site) {
                budget.spent -= price;
            }
        }
    }
}

/// What so many machines of a goal cost a month in US dollars, where that is known.
fn a_month(goal: &Goal, count: u32) -> Option<Decimal> {
    if !matches!(goal.spec, Spec::Machine(_)) {
        return None;
    }
    let price = goal
        .price_hour
        .filter(|price| price.currency == Currency::Usd)?;
    Some(price.amount * Decimal::from(HOURS_A_MONTH) * Decimal::from(count))
}
