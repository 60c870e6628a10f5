//! What the outputs and conditions of a program need of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rustc_hash::FxHashMap;
use strat_model::Noun;

use super::{Program, Thing};
use crate::ast::{Attribute, Block, Body, Expr, ExprKind};
use crate::decode::guards::is_guarded;

impl Program {
    /// The program with only those managed blocks filled that an output or a condition leads to, for use once
    /// everything is evaluated: the text of all others is most of what a large topology takes.
    pub(crate) fn for_outputs(&self) -> Self {
        let mut reach = Reach {
            program: self,
            things: BTreeSet::new(),
            locals: BTreeSet::new(),
            todo: Vec::new(),
        };
        let blocks = self.outputs.values().chain(self.sites.values());
        let blocks = blocks.chain(self.variables.values()).chain(&self.topology);
        let blocks = blocks.chain(self.checks.values());
        // What a module is given and gives leads on, whichever of it is asked for.
        let blocks = blocks.chain(self.module_outputs.values());
        reach.todo.extend(blocks.map(|block| &block.body));
        for (at, thing) in self.things.iter().enumerate() {
            if is_guarded(&thing.block.body) {
                reach.thing(at);
            }
        }
        for input in self.module_inputs.values() {
            input.given.iter().for_each(|given| reach.expr(given));
        }
        while let Some(body) = reach.todo.pop() {
            reach.body(body);
        }
        let things = self.things.iter().enumerate();
        let things = things.map(|(at, thing)| thing.filled(reach.things.contains(&at)));
        let locals = self.locals.iter();
        let locals = locals.filter(|(name, _)| reach.locals.contains(&***name));
        Self {
            files: self.files.clone(),
            base_dir: self.base_dir.clone(),
            topology: self.topology.clone(),
            variables: self.variables.clone(),
            locals: locals
                .map(|(name, of)| (name.clone(), of.clone()))
                .collect(),
            sites: self.sites.clone(),
            outputs: self.outputs.clone(),
            budgets: self.budgets.clone(),
            bursts: self.bursts.clone(),
            checks: self.checks.clone(),
            reaches: BTreeMap::new(),
            moved: Vec::new(),
            removed: Vec::new(),
            things: if reach.things.is_empty() {
                Vec::new()
            } else {
                things.collect()
            },
            index: if reach.things.is_empty() {
                FxHashMap::default()
            } else {
                self.index.clone()
            },
            modules: BTreeMap::new(),
            library: Arc::default(),
            module_calls: self.module_calls.clone(),
            module_inputs: self.module_inputs.clone(),
            module_outputs: self.module_outputs.clone(),
            site_groups: self.site_groups.clone(),
            again: Vec::new(),
            locals_again: Vec::new(),
            problems: Vec::new(),
        }
    }
}

impl Thing {
    fn filled(&self, filled: bool) -> Self {
        let block = &self.block;
        Self {
            noun: self.noun,
            name: self.name.clone(),
            block: Block {
                keyword: block.keyword.clone(),
                labels: block.labels.clone(),
                body: if filled {
                    block.body.clone()
                } else {
                    Body::default()
                },
                head: block.head,
            },
            origins: self.origins.clone(),
            varies: if filled {
                self.varies.clone()
            } else {
                Vec::new()
            },
        }
    }
}

struct Reach<'p> {
    program: &'p Program,
    things: BTreeSet<usize>,
    locals: BTreeSet<&'p str>,
    todo: Vec<&'p Body>,
}

impl<'p> Reach<'p> {
    fn body(&mut self, body: &'p Body) {
        for attribute in &body.attributes {
            self.expr(&attribute.value);
        }
        for block in &body.blocks {
            self.body(&block.body);
        }
    }

    fn expr(&mut self, expr: &'p Expr) {
        if let ExprKind::Attr(inner) = &expr.kind
            && let (base, name) = &**inner
            && let ExprKind::Name(root) = &base.kind
        {
            // A variable of a `for` may have the same name: then more is kept than is needed.
            match (&**root, Noun::parse(root)) {
                ("local", _) => self.local(&name.text),
                (_, Some(noun)) => {
                    if let Some(thing) = self.program.thing(noun, &name.text) {
                        self.thing(thing);
                    }
                }
                _ => {}
            }
        }
        expr.for_each_child(&mut |child| self.expr(child));
    }

    fn local(&mut self, name: &str) {
        let program = self.program;
        if let Some((name, Attribute { value, .. })) = program.locals.get_key_value(name)
            && self.locals.insert(name)
        {
            self.expr(value);
        }
    }

    fn thing(&mut self, thing: usize) {
        let program = self.program;
        if self.things.insert(thing) {
            self.todo.push(&program.things[thing].block.body);
        }
    }
}
