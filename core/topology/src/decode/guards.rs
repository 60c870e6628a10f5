//! What must hold: preconditions and postconditions of blocks, and the assertions of checks.
//!
//! Each is looked at when a topology is evaluated, as far as it is known then, and once more when
//! an inventory says the rest.

use std::sync::Arc;

use strat_model::{Diagnostic, Severity};

use crate::ast::{Block, Body};
use crate::eval::{Evaluator, ROOT, Scope};
use crate::value::text_of;

/// The nested blocks that say what must hold of a block, and what a broken one is.
pub(crate) const GUARDS: [&str; 2] = ["precondition", "postcondition"];

/// Whether a body says of itself what must hold.
pub(crate) fn is_guarded(body: &Body) -> bool {
    body.blocks
        .iter()
        .any(|block| GUARDS.contains(&&*block.keyword.text))
}

/// Tells of every condition of a managed block's instances that does not hold.
pub(crate) fn of_thing(ev: &mut Evaluator<'_>, block: usize) {
    let thing = &ev.program.things[block];
    if !is_guarded(&thing.block.body) {
        return;
    }
    let Ok(instances) = ev.instances(block, thing.block.head) else {
        return;
    };
    for instance in &instances.items {
        let subject = format!("`{}`", instance.addr);
        guards(
            ev,
            &thing.block.body,
            &Scope::of_instance(instance),
            &subject,
        );
    }
}

/// Tells of every condition of outputs and checks that does not hold.
pub(crate) fn of_whole(ev: &mut Evaluator<'_>) {
    let program = ev.program;
    for (name, block) in &program.outputs {
        guards(ev, &block.body, &ROOT, &format!("the output `{name}`"));
    }
    for (name, block) in &program.checks {
        let subject = format!("the check `{name}`");
        for assert in block.body.blocks("assert") {
            holds(ev, assert, &ROOT, &subject, Severity::Warning);
        }
    }
}

fn guards(ev: &mut Evaluator<'_>, body: &Body, scope: &Scope<'_>, subject: &str) {
    for keyword in GUARDS {
        for block in body.blocks(keyword) {
            holds(ev, block, scope, subject, Severity::Error);
        }
    }
}

/// Tells of one condition that does not hold. One that is not known yet is left for later.
fn holds(
    ev: &mut Evaluator<'_>,
    block: &Block,
    scope: &Scope<'_>,
    subject: &str,
    severity: Severity,
) {
    let Some(condition) = block.body.attribute("condition") else {
        return;
    };
    let span = condition.value.span;
    let Ok(value) = ev.eval(&condition.value, scope) else {
        return;
    };
    let value = value.revealed();
    if value.unknown().is_some() || ev.bool(&value, span, "a condition") != Ok(false) {
        return;
    }
    let message = block.body.attribute("message");
    let message = message.and_then(|m| ev.eval(&m.value, scope).ok());
    let message = match message {
        Some(value) if !value.is_sensitive() => text_of(&value),
        _ => None,
    };
    let message = message.unwrap_or_else(|| Arc::from("a condition does not hold"));
    let message = format!("{subject}: {message}");
    let code = match severity {
        Severity::Error => &*block.keyword.text,
        Severity::Warning => "check",
    };
    let finding = match severity {
        Severity::Error => Diagnostic::error(code, message),
        Severity::Warning => Diagnostic::warning(code, message),
    };
    let place = ev.files.origin(span);
    ev.report(finding.at(&place, "this does not hold"));
}
