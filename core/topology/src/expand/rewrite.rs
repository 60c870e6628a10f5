//! Changing references in a tree.

use std::sync::Arc;

use crate::ast::{Body, Expr, ExprKind, Ident, Part};
use crate::decode::nested::iterator;

/// Walks through a tree and hands out every reference `root.name`, but for those that begin with a
/// variable of a `for`. What it gives stands in its place.
pub(crate) struct Rewriter<'r> {
    /// The variables around.
    names: Vec<Arc<str>>,
    change: &'r mut dyn FnMut(&str, &mut Ident) -> Option<ExprKind>,
}

impl<'r> Rewriter<'r> {
    pub(crate) fn new(change: &'r mut dyn FnMut(&str, &mut Ident) -> Option<ExprKind>) -> Self {
        Self {
            names: Vec::new(),
            change,
        }
    }

    pub(crate) fn body(&mut self, body: &mut Body) {
        for attribute in &mut body.attributes {
            self.expr(&mut attribute.value);
        }
        for block in &mut body.blocks {
            let before = self.names.len();
            if &*block.keyword.text == "dynamic" {
                let name = iterator(block);
                for attribute in &mut block.body.attributes {
                    match &*attribute.name.text {
                        "iterator" => {}
                        "labels" => self.within(name.as_ref().into_iter(), |this| {
                            this.expr(&mut attribute.value);
                        }),
                        _ => self.expr(&mut attribute.value),
                    }
                }
                self.names.extend(name);
                for content in &mut block.body.blocks {
                    self.body(&mut content.body);
                }
            } else {
                self.body(&mut block.body);
            }
            self.names.truncate(before);
        }
    }

    pub(crate) fn expr(&mut self, expr: &mut Expr) {
        match &mut expr.kind {
            ExprKind::Attr(inner) => {
                let (base, name) = &mut **inner;
                if let ExprKind::Name(root) = &base.kind {
                    if !self.names.contains(root)
                        && let Some(kind) = (self.change)(root, name)
                    {
                        expr.kind = kind;
                    }
                } else {
                    self.expr(base);
                }
            }
            ExprKind::For(inner) => {
                self.expr(&mut inner.collection);
                let names = [inner.key_var.clone(), Some(inner.value_var.clone())];
                let before = self.names.len();
                self.names.extend(names.into_iter().flatten());
                inner.key.iter_mut().for_each(|key| self.expr(key));
                self.expr(&mut inner.value);
                inner.condition.iter_mut().for_each(|one| self.expr(one));
                self.names.truncate(before);
            }
            ExprKind::Template(parts) => self.parts(parts),
            _ => expr.for_each_child_mut(&mut |child| self.expr(child)),
        }
    }

    fn within<'n>(&mut self, names: impl Iterator<Item = &'n Arc<str>>, f: impl FnOnce(&mut Self)) {
        let before = self.names.len();
        self.names.extend(names.cloned());
        f(self);
        self.names.truncate(before);
    }

    fn parts(&mut self, parts: &mut [Part]) {
        for part in parts {
            match part {
                Part::Text(_) => {}
                Part::Interpolation(expr) => self.expr(expr),
                Part::If { condition, yes, no } => {
                    self.expr(condition);
                    self.parts(yes);
                    self.parts(no);
                }
                Part::For {
                    key_var,
                    value_var,
                    collection,
                    parts,
                } => {
                    self.expr(collection);
                    let names = [key_var.clone(), Some(value_var.clone())];
                    self.within(names.iter().flatten(), |this| this.parts(parts));
                }
            }
        }
    }
}
