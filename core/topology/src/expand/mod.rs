//! Blocks that stand for several: sites with `for_each`, and modules.
//!
//! They are written out before anything else is evaluated, so that all that follows sees a flat
//! program. What is in the module `eu` is called `eu.NAME` in it: `machines.eu.web`.

mod modules;
mod rewrite;
mod sites;

use std::sync::Arc;

use strat_model::Diagnostic;

use crate::eval::Evaluator;
use crate::inputs::Inputs;
use crate::program::Program;

pub(crate) use modules::{META, ModuleCall, ModuleInput, check_sources, source};
pub(crate) use rewrite::Rewriter;

/// What is given when a program is written out.
#[derive(Clone, Copy)]
pub(crate) struct Given<'i> {
    pub(crate) inputs: &'i Inputs,
    /// Whether a variable without a value is told of only where it is used.
    pub(crate) lazy: bool,
}

impl Given<'_> {
    /// An evaluator of what is there so far. What is wrong with variables is told by the one that
    /// evaluates the whole.
    fn evaluator<'p>(&self, program: &'p Program) -> Evaluator<'p> {
        let mut ev = Evaluator::new(program);
        ev.lazy = self.lazy;
        ev.sink.hush();
        ev.resolve_variables(self.inputs);
        ev.sink.loud();
        ev
    }
}

/// The program with everything written out, and what is wrong with that.
pub(crate) fn expand(program: &Arc<Program>, given: Given<'_>) -> (Arc<Program>, Vec<Diagnostic>) {
    let repeated = program.sites.values().any(sites::is_repeated);
    if !repeated && program.modules.is_empty() {
        return (Arc::clone(program), Vec::new());
    }
    let mut whole = Program::clone(program);
    let mut findings = Vec::new();
    sites::expand(&mut whole, given, &mut findings);
    modules::expand(&mut whole, given, &mut findings);
    (Arc::new(whole), findings)
}
