//! References, attributes and indices.

use std::sync::Arc;

use strat_model::{Name, Noun};

use super::expr::is_instances;
use super::{Evaluator, Node, ROOT, Scope};
use crate::ast::{Expr, ExprKind, Ident};
use crate::program::{UnknownName, unknown_root};
use crate::report::{Failed, Outcome, brief};
use crate::span::Span;
use crate::value::{Map, Ref, Value, text_of};

impl Evaluator<'_> {
    /// `base.name`
    pub(super) fn attr_of(
        &mut self,
        base: &Expr,
        name: &Ident,
        span: Span,
        scope: &Scope<'_>,
    ) -> Outcome<Value> {
        if let Some(value) = self.module_attribute(base, name, scope) {
            return value;
        }
        if let ExprKind::Name(root) = &base.kind
            && scope.variable(root).is_none()
            && scope.template().is_none()
        {
            return self.declared(root, base.span, name, span, scope);
        }
        let (value, sensitive) = self.eval(base, scope)?.reveal();
        if let Value::Map(map) = &value
            && sensitive
            && !map.contains_key(&name.text)
        {
            return Err(self.missing_sensitive(name.span));
        }
        Ok(self
            .attribute(value, name, base.span, span)?
            .marked(sensitive))
    }

    /// `root.name` of what the topology declares.
    fn declared(
        &mut self,
        root: &str,
        root_span: Span,
        name: &Ident,
        span: Span,
        scope: &Scope<'_>,
    ) -> Outcome<Value> {
        let text = &name.text;
        match root {
            "var" => match self.variables.get(text) {
                Some(Err(Failed)) if self.lazy => Err(self.unset(text)),
                Some(value) => value.clone(),
                None if self.program.module_inputs.contains_key(text) => self.input(text, span),
                None => Err(self.undeclared(root, root_span, name)),
            },
            "path" if &**text == "module" => Ok(Value::string(".")),
            "module" => self.module(name, root_span, span),
            "local" => self.local(text, name, root_span, span),
            "site" if self.program.sites.contains_key(&**text) => Name::new(text)
                .map(|name| Value::Ref(Ref::Site(name)))
                .map_err(|_| Failed),
            "site" if self.program.site_groups.contains_key(&**text) => self.site_group(text),
            "each" | "count" => self.instance_word(root, name, span, scope),
            _ => match Noun::parse(root).and_then(|noun| self.program.thing(noun, text)) {
                Some(block) => self.block_value(block, span),
                None => Err(self.undeclared(root, root_span, name)),
            },
        }
    }

    /// Tells of a variable that has no value, where one is needed; what else may be wrong with it was
    /// told before.
    fn unset(&mut self, name: &str) -> Failed {
        let program = self.program;
        match program.variables.get(name) {
            Some(block) if block.body.attribute("default").is_none() => {
                self.missing_variable(name, block)
            }
            _ => Failed,
        }
    }

    pub(super) fn undeclared(&mut self, root: &str, root_span: Span, name: &Ident) -> Failed {
        let finding = unknown_root(
            self.program,
            &self.sink,
            root,
            root_span,
            UnknownName::Declared(name),
        );
        self.report(finding)
    }

    fn local(&mut self, name: &Arc<str>, ident: &Ident, root: Span, span: Span) -> Outcome<Value> {
        let program = self.program;
        let Some(local) = program.locals.get(name) else {
            return Err(self.undeclared("local", root, ident));
        };
        self.once(Node::Local(name.clone()), span, |this| {
            this.eval(&local.value, &ROOT)
        })
    }

    /// `each.key`, `each.value`, `count.index`
    fn instance_word(
        &mut self,
        root: &str,
        name: &Ident,
        span: Span,
        scope: &Scope<'_>,
    ) -> Outcome<Value> {
        let word = (root, &*name.text);
        let value = scope.instance().and_then(|instance| match word {
            ("each", "key") => instance
                .each
                .as_ref()
                .map(|(key, _)| Value::String(key.clone())),
            ("each", "value") => instance.each.as_ref().map(|(_, value)| value.clone()),
            ("count", "index") => instance.index.map(Value::int),
            _ => None,
        });
        if let Some(value) = value {
            return Ok(value);
        }
        let (message, help) = match word {
            ("each", "key" | "value") => (
                format!(
                    "`each.{}` is known only in a block with `for_each`",
                    name.text
                ),
                "give the block a `for_each`, or write the value itself",
            ),
            ("count", "index") => (
                "`count.index` is known only in a block with `count`".to_owned(),
                "give the block a `count`; the machines of a fleet are interchangeable and have no index",
            ),
            ("each", _) => (
                format!("`each` has no `{}`", name.text),
                "it has `each.key` and `each.value`",
            ),
            _ => (
                format!("`count` has no `{}`", name.text),
                "it has `count.index`",
            ),
        };
        Err(self.fail(
            span,
            "unknown_reference",
            message,
            "not known here",
            Some(help.to_owned()),
        ))
    }

    /// A single word that is no variable in scope.
    pub(super) fn unknown_name(&mut self, name: &str, span: Span, scope: &Scope<'_>) -> Failed {
        if let Some(variables) = scope.template() {
            let names = variables.keys().map(|key| &**key);
            let help = self.suggest(name, "the template was given", names);
            return self.fail(
                span,
                "unknown_reference",
                format!("the template was given no `{name}`"),
                "not known here",
                help,
            );
        }
        let finding = unknown_root(self.program, &self.sink, name, span, UnknownName::Word);
        self.report(finding)
    }

    /// `value.name`
    fn attribute(&mut self, value: Value, name: &Ident, base: Span, span: Span) -> Outcome<Value> {
        match value {
            Value::Map(map) => match map.get(&name.text) {
                Some(value) => Ok(value.clone()),
                None => Err(self.missing_key(&map, &name.text, name.span)),
            },
            Value::Ref(Ref::Site(site)) => self.site_attribute(&site, name),
            Value::Ref(Ref::Thing {
                block,
                instance,
                addr,
            }) => self.thing_attribute((block, instance), &addr, name, span),
            Value::Unknown(unknown) => Ok(unknown.opaque()),
            other => {
                let found = other.describe();
                let help = matches!(other, Value::List(_)).then(|| {
                    format!(
                        "for a list of every item's `{0}` write `[*].{0}`",
                        name.text
                    )
                });
                Err(self.fail(
                    base.to(name.span),
                    "wrong_type",
                    format!("{found} has no attributes"),
                    format!("`.{}` of {found}", name.text),
                    help,
                ))
            }
        }
    }

    fn missing_key(&mut self, map: &Map, key: &str, span: Span) -> Failed {
        let help = if is_instances(map) {
            match map.values().next() {
                Some(Value::Ref(Ref::Thing { addr, .. })) => Some(format!(
                    "the block has `for_each`; name an instance first, such as `{addr}`"
                )),
                _ => None,
            }
        } else {
            self.suggest(key, "there are", map.keys().map(|key| &**key))
        };
        self.fail(
            span,
            "missing_key",
            format!("there is no `{}` in this map", brief(key)),
            "no such key",
            help,
        )
    }

    /// A key that a sensitive map does not have; those that it has are not told.
    fn missing_sensitive(&mut self, span: Span) -> Failed {
        let message = "there is no such key in this map";
        self.fail(span, "missing_key", message, "no such key", None)
    }

    /// `base[key]`
    pub(super) fn index(
        &mut self,
        base: Value,
        key: &Value,
        base_span: Span,
        span: Span,
    ) -> Outcome<Value> {
        let (base, hidden) = base.reveal();
        let (key, key_hidden) = key.clone().reveal();
        let sensitive = hidden || key_hidden;
        if let Value::Unknown(unknown) = &base {
            return Ok(unknown.opaque().marked(sensitive));
        }
        if let Value::Unknown(unknown) = &key {
            return Ok(unknown.opaque().marked(sensitive));
        }
        let value = match &base {
            Value::List(items) if items.is_set() => {
                return Err(self.fail(
                    base_span,
                    "wrong_type",
                    "the items of a set have no index",
                    "this is a set",
                    Some("make it a list, which is sorted: `tolist(…)`".to_owned()),
                ));
            }
            Value::List(items) => self.item(items, &key, span, sensitive)?,
            Value::Map(map) => {
                let Some(text) = text_of(&key) else {
                    return Err(self.bad_index("a map", "a string", &key, span));
                };
                match map.get(&text) {
                    Some(value) => value.clone(),
                    None if sensitive => return Err(self.missing_sensitive(span)),
                    None => return Err(self.missing_key(map, &text, span)),
                }
            }
            other => {
                let found = other.describe();
                let help = match other {
                    Value::Ref(Ref::Thing { addr, .. }) if addr.noun == Noun::Machines => Some(format!(
                        "the machines of a fleet are interchangeable and have no index; it has lists, such as `{addr}.private_ips`"
                    )),
                    Value::Ref(Ref::Thing { .. }) => Some(
                        "it has one instance, without an index; only a block with `count` or `for_each` takes one".to_owned(),
                    ),
                    _ => None,
                };
                return Err(self.fail(
                    base_span,
                    "wrong_type",
                    format!("{found} cannot be indexed"),
                    format!("this is {found}"),
                    help,
                ));
            }
        };
        Ok(value.marked(sensitive))
    }

    fn item(
        &mut self,
        items: &[Value],
        key: &Value,
        span: Span,
        sensitive: bool,
    ) -> Outcome<Value> {
        let Some(at) = key.to_int() else {
            return Err(self.bad_index("a list", "a whole number", key, span));
        };
        if let Some(item) = usize::try_from(at).ok().and_then(|at| items.get(at)) {
            return Ok(item.clone());
        }
        let label = match items.len() {
            _ if sensitive => "out of range".to_owned(),
            0 => "the list is empty".to_owned(),
            len => format!("the list has {len} items: 0 to {}", len - 1),
        };
        Err(self.fail(
            span,
            "index_out_of_range",
            "there is no item at this index",
            label,
            None,
        ))
    }

    fn bad_index(&mut self, what: &str, wants: &str, key: &Value, span: Span) -> Failed {
        let found = key.describe();
        self.fail(
            span,
            "wrong_type",
            format!("{what} is indexed by {wants}, not {found}"),
            format!("this is {found}"),
            None,
        )
    }
}
