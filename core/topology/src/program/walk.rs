//! Every reference and call in an expression or a block, with the names that a `for` or a `dynamic`
//! block gives known: what is left begins a reference.

use std::sync::Arc;

use crate::ast::{Block, Body, Call, Expr, ExprKind, Ident, Part};
use crate::decode::nested::iterator;
use crate::span::Span;

/// What was found.
#[derive(Clone, Copy)]
pub(crate) enum Found<'a> {
    /// A single word that nothing around has named.
    Word(&'a str, Span),
    /// `root.name`
    Reference(&'a str, Span, &'a Ident),
    /// `module.name.output`, also of a module with `for_each` or `count`.
    ModuleOutput(&'a Ident, &'a Ident),
    /// A call of a function.
    Call(&'a Call),
}

/// Walks over the expressions of a program.
pub(crate) struct Walker<'a, 'f> {
    found: &'f mut dyn FnMut(Found<'a>),
    /// The names that are given around.
    names: Vec<Arc<str>>,
}

impl<'a, 'f> Walker<'a, 'f> {
    pub(crate) fn new(found: &'f mut dyn FnMut(Found<'a>)) -> Self {
        let names = Vec::new();
        Self { found, names }
    }

    /// All of a body, nested blocks included.
    pub(crate) fn body(&mut self, body: &'a Body) {
        for attribute in &body.attributes {
            self.expr(&attribute.value);
        }
        for block in &body.blocks {
            if &*block.keyword.text == "dynamic" {
                self.dynamic(block);
            } else {
                self.body(&block.body);
            }
        }
    }

    /// The item of a `dynamic` block has a name in its content and labels.
    fn dynamic(&mut self, block: &'a Block) {
        let before = self.names.len();
        for attribute in &block.body.attributes {
            match &*attribute.name.text {
                "for_each" => self.expr(&attribute.value),
                "labels" => {
                    self.names.extend(iterator(block));
                    self.expr(&attribute.value);
                    self.names.truncate(before);
                }
                _ => {}
            }
        }
        self.names.extend(iterator(block));
        for content in &block.body.blocks {
            self.body(&content.body);
        }
        self.names.truncate(before);
    }

    /// A variable's type is no expression; its default is checked when it is evaluated.
    pub(crate) fn variable(&mut self, block: &'a Block) {
        for nested in &block.body.blocks {
            self.body(&nested.body);
        }
    }

    fn bound(&self, name: &str) -> bool {
        self.names.iter().any(|bound| &**bound == name)
    }

    /// All of an expression.
    pub(crate) fn expr(&mut self, expr: &'a Expr) {
        match &expr.kind {
            ExprKind::Name(name) if !self.bound(name) => {
                (self.found)(Found::Word(name, expr.span));
            }
            ExprKind::Attr(inner) => {
                let (base, name) = &**inner;
                match &base.kind {
                    ExprKind::Name(root) if !self.bound(root) => {
                        (self.found)(Found::Reference(root, base.span, name));
                    }
                    _ => {
                        if let Some(module) = module_of(base) {
                            (self.found)(Found::ModuleOutput(module, name));
                        }
                        self.expr(base);
                    }
                }
            }
            ExprKind::Call(call) => {
                (self.found)(Found::Call(call));
                call.args.iter().for_each(|arg| self.expr(arg));
            }
            ExprKind::For(inner) => {
                self.expr(&inner.collection);
                self.within(inner.key_var.as_ref(), &inner.value_var, |this| {
                    inner.key.iter().for_each(|key| this.expr(key));
                    this.expr(&inner.value);
                    inner.condition.iter().for_each(|c| this.expr(c));
                });
            }
            ExprKind::Template(parts) => self.parts(parts),
            _ => expr.for_each_child(&mut |child| self.expr(child)),
        }
    }

    fn within(&mut self, key: Option<&Arc<str>>, value: &Arc<str>, f: impl FnOnce(&mut Self)) {
        let before = self.names.len();
        self.names.extend(key.cloned());
        self.names.push(value.clone());
        f(self);
        self.names.truncate(before);
    }

    fn parts(&mut self, parts: &'a [Part]) {
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
                    self.within(key_var.as_ref(), value_var, |this| this.parts(parts));
                }
            }
        }
    }
}

/// The name in `module.name` or `module.name["key"]`.
fn module_of(expr: &Expr) -> Option<&Ident> {
    match &expr.kind {
        ExprKind::Index(base, _) => module_of(base),
        ExprKind::Attr(inner) => {
            matches!(&inner.0.kind, ExprKind::Name(root) if &**root == "module").then_some(&inner.1)
        }
        _ => None,
    }
}
