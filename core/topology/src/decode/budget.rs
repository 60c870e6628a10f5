//! Budgets.

use strat_model::{BudgetIntent, Name};

use super::item::Arg;
use super::{placement, read};
use crate::ast::Block;
use crate::eval::Evaluator;
use crate::report::Outcome;

/// Reads all budgets.
pub(super) fn budgets(ev: &mut Evaluator<'_>) -> Outcome<Vec<BudgetIntent>> {
    let program = ev.program;
    let mut budgets = Vec::new();
    let mut result = Ok(());
    for (name, block) in &program.budgets {
        match budget(ev, name, block) {
            Ok(budget) => budgets.push(budget),
            Err(failed) => result = Err(failed),
        }
    }
    result.map(|()| budgets)
}

fn budget<'p>(ev: &mut Evaluator<'p>, name: &Name, block: &'p Block) -> Outcome<BudgetIntent> {
    let monthly = Arg::required_at_root(ev, block, "monthly")?;
    let monthly = placement::dollars(ev, &monthly);
    let sites = Arg::at_root(ev, block, "sites")?.map(|arg| read::sites(ev, &arg));
    let unpriced = Arg::at_root(ev, block, "allow_unpriced")?.map(|arg| read::bool(ev, &arg));
    Ok(BudgetIntent {
        name: name.clone(),
        monthly: monthly?,
        sites: sites.transpose()?.unwrap_or_default().into_iter().collect(),
        allow_unpriced: unpriced.transpose()?.unwrap_or(false),
        origin: Some(ev.files.origin(block.head)),
    })
}
