//! Budgets.

use strat_model::{BudgetIntent, Name};

use super::item::Arg;
use super::{placement, read};
use crate::ast::Block;
use crate::eval::{Evaluator, ROOT};
use crate::report::{Failed, Outcome};
use crate::value::Value;

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
    let monthly = argument(ev, block, "monthly")?.map(|arg| placement::dollars(ev, &arg));
    let sites = argument(ev, block, "sites")?.map(|arg| read::sites(ev, &arg));
    let unpriced = argument(ev, block, "allow_unpriced")?.map(|arg| read::bool(ev, &arg));
    Ok(BudgetIntent {
        name: name.clone(),
        // That it is missing has been reported with the block's shape.
        monthly: monthly.ok_or(Failed)??,
        sites: sites.transpose()?.unwrap_or_default().into_iter().collect(),
        allow_unpriced: unpriced.transpose()?.unwrap_or(false),
        origin: Some(ev.files.origin(block.head)),
    })
}

fn argument<'p>(
    ev: &mut Evaluator<'p>,
    block: &'p Block,
    name: &'static str,
) -> Outcome<Option<Arg<'p>>> {
    let Some(attribute) = block.body.attribute(name) else {
        return Ok(None);
    };
    let span = attribute.value.span;
    let value = ev.eval(&attribute.value, &ROOT)?;
    let value = ev.plain(value, span, name)?;
    Ok((value != Value::Null).then_some(Arg {
        name,
        value,
        span,
        expr: Some(&attribute.value),
    }))
}
