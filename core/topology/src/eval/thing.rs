//! Attributes of sites and managed blocks.

use std::collections::BTreeSet;
use std::sync::Arc;

use strat_model::{LocalAddr, Name, Noun, TemplatePart};

use super::{Evaluator, Instance, Node, Scope};
use crate::ast::{ExprKind, Ident};
use crate::report::{Failed, Outcome};
use crate::schema::of_noun;
use crate::span::Span;
use crate::value::{Unknown, Value, part_bytes};

/// Whether one instance of a block is several real things: the machines of a fleet, a network at
/// each of its sites.
pub(crate) const fn is_several(noun: Noun) -> bool {
    !of_noun(noun).later_lists.is_empty()
}

impl Evaluator<'_> {
    /// An attribute of one instance of a block.
    pub(super) fn thing_attribute(
        &mut self,
        (block, instance): (usize, usize),
        addr: &Arc<LocalAddr>,
        name: &Ident,
        span: Span,
    ) -> Outcome<Value> {
        let thing = &self.program.things[block];
        let text = &*name.text;
        if thing.lookup().is_some() {
            return self.looked_up_attribute(thing.noun, addr, name);
        }
        if of_noun(thing.noun).later.contains(&text) {
            return Ok(self.later_value(addr, text));
        }
        if of_noun(thing.noun).later_lists.contains(&text) {
            if self.is_empty_fleet((block, instance), span) {
                return Ok(Value::list([]));
            }
            return Ok(self.later_list(addr, text));
        }
        let own = thing.schema().attribute(text).is_some();
        let meta = matches!(text, "for_each" | "depends_on")
            || (text == "count" && thing.noun != Noun::Machines);
        if !own || meta {
            return Err(self.no_attribute(thing.noun, addr, name));
        }
        let value = match thing.attribute(text) {
            Some((attribute, ..)) => self.argument(block, instance, attribute, span)?,
            None if matches!(text, "protect" | "disposable" | "versioning") => Value::Bool(false),
            None if text == "labels" => Value::map([]),
            None => Value::Null,
        };
        Ok(if text == "labels" {
            self.merged(value)
        } else {
            value
        })
    }

    /// An attribute of what others own: all of it is known once it was looked for.
    fn looked_up_attribute(
        &mut self,
        noun: Noun,
        addr: &Arc<LocalAddr>,
        name: &Ident,
    ) -> Outcome<Value> {
        let text = &*name.text;
        if of_noun(noun).later_lists.contains(&text) {
            return Ok(self.later_list(addr, text));
        }
        let ranges: &[&str] = match noun {
            Noun::Network | Noun::Subnet => &["cidr"],
            _ => &[],
        };
        let own = of_noun(noun)
            .later
            .iter()
            .chain(&["id", "name"])
            .chain(ranges);
        if own.clone().any(|own| *own == text) {
            return Ok(self.later_value(addr, text));
        }
        let known: BTreeSet<&str> = own.chain(of_noun(noun).later_lists).copied().collect();
        let help = self.suggest(text, "it has", known.iter().copied());
        Err(self.fail(
            name.span,
            "unknown_attribute",
            format!("`{addr}` is looked up, and has no attribute `{text}`"),
            "no such attribute",
            help,
        ))
    }

    /// A block's labels over the topology's.
    fn merged(&self, value: Value) -> Value {
        let (value, sensitive) = value.reveal();
        let Value::Map(own) = &value else {
            return value.marked(sensitive);
        };
        let mut labels = self.labels.clone().into_items();
        labels.extend(own.iter().map(|(k, v)| (k.clone(), v.clone())));
        Value::map(labels).marked(sensitive)
    }

    /// The value of an attribute as the file has it, for one instance.
    pub(crate) fn argument(
        &mut self,
        block: usize,
        instance: usize,
        attribute: usize,
        span: Span,
    ) -> Outcome<Value> {
        let thing = &self.program.things[block];
        let expr = &thing.block.body.attributes[attribute].value;
        let varies = thing.varies(attribute);
        let node = Node::Attribute {
            block,
            attribute,
            instance: varies.then_some(instance),
        };
        if let ExprKind::Literal(value) = &expr.kind {
            return Ok(value.clone());
        }
        if !varies {
            return self.once(node, span, |this| this.eval(expr, &super::ROOT));
        }
        let instances = self.instances(block, span)?;
        let item = instances.items.get(instance).ok_or(Failed)?;
        self.once(node, span, |this| {
            this.eval(expr, &Scope::of_instance(item))
        })
    }

    /// The same for the block's own decoding. What differs between instances, or is that of the one
    /// there is, is needed there once, so it is not remembered.
    pub(crate) fn own_argument(
        &mut self,
        (block, at): (usize, usize),
        instance: &Instance,
        attribute: usize,
    ) -> Outcome<Value> {
        let thing = &self.program.things[block];
        let expr = &thing.block.body.attributes[attribute].value;
        if thing.varies(attribute) {
            return self.eval(expr, &Scope::of_instance(instance));
        }
        let node = Node::Attribute {
            block,
            attribute,
            instance: None,
        };
        let known = self.is_known(&node);
        let value = self.argument(block, at, attribute, expr.span);
        if !known && value.is_ok() && self.is_one(block) {
            self.forget_value(&node);
        }
        value
    }

    /// Whether a fleet is switched off, so that nothing has to be waited for.
    fn is_empty_fleet(&mut self, (block, instance): (usize, usize), span: Span) -> bool {
        let thing = &self.program.things[block];
        let count = thing
            .attribute("count")
            .filter(|_| thing.noun == Noun::Machines);
        count.is_some_and(|(attribute, ..)| {
            self.sink.hush();
            let count = self.argument(block, instance, attribute, span);
            self.sink.loud();
            count.is_ok_and(|count| count.to_int() == Some(0))
        })
    }

    fn later_value(&mut self, addr: &Arc<LocalAddr>, attribute: &str) -> Value {
        if let Some(text) = self.known.and_then(|known| known.one(addr, attribute)) {
            return Value::string(text);
        }
        let place = TemplatePart::Attribute {
            of: addr.as_ref().clone(),
            attribute: attribute.to_owned(),
        };
        Value::Unknown(Unknown {
            cause: Arc::from(format!("{addr}.{attribute}")),
            bytes: part_bytes(&place),
            parts: Some(Arc::new(vec![place])),
        })
    }

    fn later_list(&mut self, addr: &Arc<LocalAddr>, attribute: &str) -> Value {
        if let Some(texts) = self.known.and_then(|known| known.all(addr, attribute)) {
            return Value::list(texts.into_iter().map(Value::string));
        }
        Value::Unknown(Unknown {
            cause: Arc::from(format!("{addr}.{attribute}")),
            parts: None,
            bytes: 0,
        })
    }

    fn no_attribute(&mut self, noun: Noun, addr: &LocalAddr, name: &Ident) -> Failed {
        let schema = crate::schema::of_noun(noun);
        let known: Vec<&str> = of_noun(noun)
            .later
            .iter()
            .chain(of_noun(noun).later_lists)
            .copied()
            .chain(schema.attributes.iter().map(|a| a.name))
            .filter(|word| !matches!(*word, "for_each" | "depends_on"))
            .collect();
        let help = match &*name.text {
            "private_ip" | "public_ip" | "id" if noun == Noun::Machines => Some(format!(
                "a fleet has a list of them: `{addr}.{}s`",
                name.text
            )),
            "id" => Some("it is one thing at each of its sites: `ids` lists them all".to_owned()),
            text => self.suggest(text, "it has", known.iter().copied()),
        };
        self.fail(
            name.span,
            "unknown_attribute",
            format!("`{addr}` has no attribute `{}`", name.text),
            "no such attribute",
            help,
        )
    }

    /// An attribute of a site.
    pub(super) fn site_attribute(&mut self, site: &Name, name: &Ident) -> Outcome<Value> {
        let text = &*name.text;
        if text == "name" {
            return Ok(Value::string(site));
        }
        let program = self.program;
        let Some(block) = program.sites.get(site) else {
            return Err(Failed);
        };
        match block.body.attribute(text) {
            Some(attribute) => self.eval(&attribute.value, &super::ROOT),
            None if matches!(text, "region" | "zones" | "capacity") => Ok(Value::Null),
            None => {
                let own = block.body.attributes.iter().map(|a| &*a.name.text);
                let help = self.suggest(text, "it has", own.chain(["name"]));
                Err(self.fail(
                    name.span,
                    "unknown_attribute",
                    format!("the site `{site}` has no attribute `{text}`"),
                    "no such attribute",
                    help,
                ))
            }
        }
    }

    /// A value that is known, not sensitive and wholly resolved: for what a plan shows.
    pub(crate) fn plain(&mut self, value: Value, span: Span, what: &str) -> Outcome<Value> {
        if value.is_sensitive() {
            return Err(self.fail(
                span,
                "sensitive_value",
                format!("`{what}` would show a sensitive value in every plan"),
                "sensitive",
                Some("only `user_data` and sensitive outputs take sensitive values; `nonsensitive(…)` says that this one may be seen".to_owned()),
            ));
        }
        if let Some(unknown) = value.unknown() {
            let cause = unknown.cause.clone();
            return Err(self.not_yet(&cause, span, what));
        }
        Ok(value)
    }

    /// The finding for a value that comes too late.
    pub(crate) fn not_yet(&mut self, cause: &str, span: Span, what: &str) -> Failed {
        self.fail(
            span,
            "known_after_apply",
            format!("`{what}` needs `{cause}`, which is known only after apply"),
            "known only after apply",
            Some("such values may stand in outputs, and in `user_data` as `${…}`".to_owned()),
        )
    }
}
