//! All locals, each after those it needs.

use std::sync::Arc;

use rustc_hash::FxHashSet;

use super::{Evaluator, Node, ROOT};
use crate::ast::{Expr, ExprKind};

impl Evaluator<'_> {
    /// Evaluates every local. The order keeps a long chain of locals from nesting deeply.
    pub(crate) fn all_locals(&mut self) {
        let program = self.program;
        for name in order(program) {
            if let Some(local) = program.locals.get(&name) {
                let span = local.name.span;
                // A failure is remembered and has been reported.
                let _ = self.once(Node::Local(name), span, |this| {
                    this.eval(&local.value, &ROOT)
                });
            }
        }
    }
}

/// The names of all locals, each after those that it mentions; in a cycle, in any order.
fn order(program: &crate::program::Program) -> Vec<Arc<str>> {
    let mut done: FxHashSet<Arc<str>> = FxHashSet::default();
    let mut order = Vec::with_capacity(program.locals.len());
    for start in program.locals.keys() {
        if !done.insert(start.clone()) {
            continue;
        }
        let mut path = vec![(start.clone(), mentioned(program, start))];
        while let Some((name, needs)) = path.last_mut() {
            match needs.pop() {
                Some(need) => {
                    if done.insert(need.clone()) {
                        let needs = mentioned(program, &need);
                        path.push((need, needs));
                    }
                }
                None => {
                    order.push(name.clone());
                    path.pop();
                }
            }
        }
    }
    order
}

/// The locals that a local mentions.
fn mentioned(program: &crate::program::Program, name: &Arc<str>) -> Vec<Arc<str>> {
    let mut found = Vec::new();
    if let Some(local) = program.locals.get(name) {
        visit(&local.value, &mut |need| {
            if program.locals.contains_key(need) {
                found.push(need.clone());
            }
        });
    }
    found
}

fn visit(expr: &Expr, f: &mut dyn FnMut(&Arc<str>)) {
    if let ExprKind::Attr(inner) = &expr.kind
        && let (base, name) = &**inner
        && matches!(&base.kind, ExprKind::Name(root) if &**root == "local")
    {
        f(&name.text);
    }
    expr.for_each_child(&mut |child| visit(child, f));
}
