//! One instance of a block, and its arguments.

use std::sync::Arc;

use strat_model::{Common, Diagnostic, LocalAddr, Origin};

use super::labels::{self, MAX_LABELS};
use super::nested::Nested;
use super::read;
use crate::ast::{Block, Expr};
use crate::eval::{Evaluator, Instance, ROOT, Scope};
use crate::program::Thing;
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::{Ref, Value};

/// The most things that `depends_on` may name in one instance; a whole block is one.
const MAX_DEPENDENCIES: usize = 10_000;

/// An argument: a value that is known and may be shown, and its place.
pub(super) struct Arg<'p> {
    pub(super) name: &'static str,
    pub(super) value: Value,
    pub(super) span: Span,
    /// What it is written as, to find the places of its items.
    pub(super) expr: Option<&'p Expr>,
}

impl<'p> Arg<'p> {
    /// An argument of a block that has no instances; `None` if it was left out or is null.
    pub(super) fn at_root(
        ev: &mut Evaluator<'p>,
        block: &'p Block,
        name: &'static str,
    ) -> Outcome<Option<Self>> {
        let Some(attribute) = block.body.attribute(name) else {
            return Ok(None);
        };
        let span = attribute.value.span;
        let value = ev.eval(&attribute.value, &ROOT)?;
        let value = ev.plain(value, span, name)?;
        Ok((value != Value::Null).then_some(Self {
            name,
            value,
            span,
            expr: Some(&attribute.value),
        }))
    }

    /// As [`Arg::at_root`], and it must be there.
    pub(super) fn required_at_root(
        ev: &mut Evaluator<'p>,
        block: &'p Block,
        name: &'static str,
    ) -> Outcome<Self> {
        let span = block.body.attribute(name).map(|a| a.value.span);
        Self::at_root(ev, block, name)?.ok_or_else(|| null(ev, name, span))
    }
}

/// Reads an argument as some type.
pub(super) type Read<T> = fn(&mut Evaluator<'_>, &Arg<'_>) -> Outcome<T>;

/// One instance of a block.
pub(super) struct Item<'e, 'p> {
    pub(super) ev: &'e mut Evaluator<'p>,
    pub(super) thing: &'p Thing,
    block: usize,
    at: usize,
    instance: &'e Instance,
}

impl<'e, 'p> Item<'e, 'p> {
    pub(super) fn new(
        ev: &'e mut Evaluator<'p>,
        block: usize,
        at: usize,
        instance: &'e Instance,
    ) -> Self {
        Self {
            thing: &ev.program.things[block],
            ev,
            block,
            at,
            instance,
        }
    }

    /// The address.
    pub(super) fn addr(&self) -> &LocalAddr {
        &self.instance.addr
    }

    /// The place of the block's head.
    pub(super) fn head(&self) -> Span {
        self.thing.block.head
    }

    /// An argument as it is; `None` if it was left out or is null.
    pub(super) fn raw(&mut self, name: &'static str) -> Outcome<Option<Arg<'p>>> {
        let Some((number, attribute, _)) = self.thing.attribute(name) else {
            return Ok(None);
        };
        let span = attribute.value.span;
        let value = {
            let place = (self.block, self.at);
            self.ev.own_argument(place, self.instance, number)?
        };
        Ok((value != Value::Null).then_some(Arg {
            name,
            value,
            span,
            expr: Some(&attribute.value),
        }))
    }

    fn plain(&mut self, arg: Option<Arg<'p>>) -> Outcome<Option<Arg<'p>>> {
        let Some(arg) = arg else { return Ok(None) };
        // Each instance has a copy of its own.
        self.ev.made(arg.value.own_bytes(), arg.span)?;
        let value = self.ev.plain(arg.value, arg.span, arg.name)?;
        Ok(Some(Arg { value, ..arg }))
    }

    /// An argument that may be left out.
    pub(super) fn optional<T>(&mut self, name: &'static str, read: Read<T>) -> Outcome<Option<T>> {
        let arg = self.raw(name)?;
        let arg = self.plain(arg)?;
        arg.map(|arg| read(self.ev, &arg)).transpose()
    }

    /// An argument that must be there. That it is not has been reported with the block's shape.
    pub(super) fn required<T>(&mut self, name: &'static str, read: Read<T>) -> Outcome<T> {
        match self.optional(name, read)? {
            Some(value) => Ok(value),
            None => Err(null(
                self.ev,
                name,
                self.thing.attribute(name).map(|(_, a, _)| a.value.span),
            )),
        }
    }

    /// An argument of a nested block.
    pub(super) fn nested<T>(
        &mut self,
        block: &Block,
        name: &'static str,
        read: Read<T>,
    ) -> Outcome<Option<T>> {
        self.of_nested(&Nested::from(block), name, read)
    }

    /// The value of an expression in a nested block, where an item of a `dynamic` block may have a
    /// name.
    pub(super) fn eval_nested(
        &mut self,
        expr: &Expr,
        item: Option<&(Arc<str>, Value)>,
    ) -> Outcome<Value> {
        let scope = Scope::of_instance(self.instance);
        match item {
            Some((name, value)) => {
                let scope = scope.with_variable(name, value);
                self.ev.eval(expr, &scope)
            }
            None => self.ev.eval(expr, &scope),
        }
    }

    /// An argument of a nested block that may be one of a `dynamic` block's.
    pub(super) fn of_nested<T>(
        &mut self,
        block: &Nested<'_>,
        name: &'static str,
        read: Read<T>,
    ) -> Outcome<Option<T>> {
        let Some(attribute) = block.body.attribute(name) else {
            return Ok(None);
        };
        let span = attribute.value.span;
        let value = self.eval_nested(&attribute.value, block.item.as_ref())?;
        if value == Value::Null {
            return Ok(None);
        }
        self.ev.made(value.own_bytes(), span)?;
        let value = self.ev.plain(value, span, name)?;
        let arg = Arg {
            name,
            value,
            span,
            expr: Some(&attribute.value),
        };
        read(self.ev, &arg).map(Some)
    }

    /// An argument of a nested block that must be there.
    pub(super) fn nested_required<T>(
        &mut self,
        block: &Block,
        name: &'static str,
        read: Read<T>,
    ) -> Outcome<T> {
        self.of_nested_required(&Nested::from(block), name, read)
    }

    /// An argument that must be there, of a nested block that may be one of a `dynamic` block's.
    pub(super) fn of_nested_required<T>(
        &mut self,
        block: &Nested<'_>,
        name: &'static str,
        read: Read<T>,
    ) -> Outcome<T> {
        match self.of_nested(block, name, read)? {
            Some(value) => Ok(value),
            None => Err(null(
                self.ev,
                name,
                block.body.attribute(name).map(|a| a.value.span),
            )),
        }
    }

    /// What every block has.
    pub(super) fn common(&mut self) -> Outcome<Common> {
        let labels = self.optional("labels", labels::labels);
        let protect = self.optional("protect", read::bool);
        let disposable = self.optional("disposable", read::bool);
        let ignore = super::ignore::ignored(self);
        let depends_on = self.depends_on();
        let of_all = self.ev.topology_labels.clone();
        if of_all.len() > MAX_LABELS {
            // Told where the topology's labels stand.
            return Err(Failed);
        }
        let all = match labels? {
            None => of_all,
            Some(own) if of_all.is_empty() => own,
            Some(own) => of_all.into_iter().chain(own).collect(),
        };
        if all.len() > MAX_LABELS {
            let finding = Diagnostic::error(
                "bad_label",
                format!(
                    "{} labels, with the topology's own, are too many",
                    all.len()
                ),
            )
            .at(&self.origin("labels"), "too many")
            .help(format!("every cloud takes {MAX_LABELS}"));
            return Err(self.report(finding));
        }
        Ok(Common {
            addr: self.addr().clone(),
            labels: all,
            protect: protect?.unwrap_or(false),
            disposable: disposable?.unwrap_or(false),
            ignore: ignore?,
            depends_on: depends_on?,
            origins: self.thing.origins.clone(),
        })
    }

    /// What it says is decoded once for all instances, unless it differs between them.
    fn depends_on(&mut self) -> Outcome<Arc<[LocalAddr]>> {
        let Some((number, ..)) = self.thing.attribute("depends_on") else {
            return Ok(Arc::default());
        };
        if let Some((block, shared)) = &self.ev.shared.depends_on
            && *block == self.block
        {
            return shared.clone();
        }
        let found = self.own_depends_on();
        if !self.thing.varies(number) {
            self.ev.shared.depends_on = Some((self.block, found.clone()));
        }
        found
    }

    fn own_depends_on(&mut self) -> Outcome<Arc<[LocalAddr]>> {
        let Some(arg) = self.raw("depends_on")? else {
            return Ok(Arc::default());
        };
        let mut found = Vec::new();
        self.ev.made(arg.value.own_bytes(), arg.span)?;
        if !addresses(self.ev, &arg.value, &mut found) {
            let value = self.ev.plain(arg.value, arg.span, arg.name)?;
            let arg = Arg { value, ..arg };
            let what = arg.value.describe();
            return Err(self.ev.fail(
                arg.span,
                "wrong_type",
                format!(
                    "`depends_on` is a list of blocks, and this is {what} or holds something else"
                ),
                "not a list of blocks",
                Some("write `depends_on = [machine.db]`".to_owned()),
            ));
        }
        if found.len() > MAX_DEPENDENCIES {
            return Err(self.ev.fail(
                arg.span,
                "too_many_dependencies",
                format!("`depends_on` comes to {} things", found.len()),
                "too many",
                Some(format!(
                    "name at most {MAX_DEPENDENCIES}, or something they all depend on"
                )),
            ));
        }
        found.sort();
        found.dedup();
        Ok(found.into())
    }

    /// The place of an argument, or of the block's head.
    pub(super) fn origin(&self, name: &str) -> Origin {
        let attribute = self.thing.attribute(name);
        let span = attribute.map_or(self.head(), |(_, a, _)| a.value.span);
        self.ev.files.origin(span)
    }

    /// Reports a finding.
    pub(super) fn report(&mut self, finding: Diagnostic) -> Failed {
        self.ev.report(finding)
    }
}

/// Reports that an argument which must have a value is null. That it is missing has been reported
/// with the block's shape.
fn null(ev: &mut Evaluator<'_>, name: &str, span: Option<Span>) -> Failed {
    if let Some(span) = span {
        let label = "this is null";
        let message = format!("`{name}` must have a value");
        ev.fail(span, "missing_attribute", message, label, None);
    }
    Failed
}

/// The addresses in a value of references; false if there is anything else in it. All of a block is
/// the block's address.
fn addresses(ev: &Evaluator<'_>, value: &Value, found: &mut Vec<LocalAddr>) -> bool {
    let first = match value {
        Value::List(items) => items.first(),
        Value::Map(items) => items.values().next(),
        _ => None,
    };
    if let Some(Value::Ref(Ref::Thing { block, addr, .. })) = first
        && ev.is_whole(*block, value)
    {
        found.push(LocalAddr::new(addr.noun, addr.name.clone()));
        return true;
    }
    match value {
        Value::Ref(Ref::Thing { addr, .. }) => {
            found.push(addr.as_ref().clone());
            true
        }
        Value::List(items) => items.iter().all(|item| addresses(ev, item, found)),
        Value::Map(items) => items.values().all(|item| addresses(ev, item, found)),
        _ => false,
    }
}
