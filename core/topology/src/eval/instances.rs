//! The instances of a block: one, or as many as `count` and `for_each` say.

use std::collections::BTreeMap;
use std::sync::Arc;

use strat_model::{Key, LocalAddr, Name, Noun};

use super::{Evaluator, Node, ROOT, Slot};
use crate::program::Thing;
use crate::report::{Failed, Outcome, brief};
use crate::span::Span;
use crate::value::{Ref, Value};

/// The most instances that one block may have, and all blocks with several together.
const MAX_INSTANCES: i64 = 1_000_000;

/// The instances of a block.
#[derive(Debug)]
pub(crate) struct Instances {
    /// In the order of their keys.
    pub(crate) items: Vec<Instance>,
    /// What a reference to the block gives: an instance, or a list or map of them.
    pub(crate) value: Value,
}

/// One instance of a block.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) addr: Arc<LocalAddr>,
    /// `each.key` and `each.value`.
    pub(crate) each: Option<(Arc<str>, Value)>,
    /// `count.index`
    pub(crate) index: Option<u64>,
}

impl Evaluator<'_> {
    /// What a reference to a block gives.
    pub(crate) fn block_value(&mut self, block: usize, span: Span) -> Outcome<Value> {
        // A block without `count` and `for_each` needs no evaluation, so it may name itself.
        Ok(self.instances(block, span)?.value.clone())
    }

    /// Whether a value is all of a block's several instances, and nothing else.
    pub(crate) fn is_whole(&self, block: usize, value: &Value) -> bool {
        let Some(Slot::Done(Ok(instances))) = &self.instances[block] else {
            return false;
        };
        // What a reference gives is the same each time, so nothing has to be gone through.
        let same = match (value, &instances.value) {
            (Value::List(one), Value::List(other)) => Arc::ptr_eq(one, other),
            (Value::Map(one), Value::Map(other)) => Arc::ptr_eq(one, other),
            _ => false,
        };
        same && instances.items.len() > 1
    }

    /// Whether a block, whose instances are known, has one and is no list or map of it.
    pub(super) fn is_one(&self, block: usize) -> bool {
        let known = &self.instances[block];
        matches!(known, Some(Slot::Done(Ok(found))) if matches!(found.value, Value::Ref(_)))
    }

    /// The instances of a block.
    pub(crate) fn instances(&mut self, block: usize, span: Span) -> Outcome<Arc<Instances>> {
        let node = Node::Instances(block);
        match &self.instances[block] {
            Some(Slot::Done(done)) => return done.clone(),
            Some(Slot::Busy) => return Err(self.cycle(&node, span)),
            None => {}
        }
        self.instances[block] = Some(Slot::Busy);
        self.stack.push(node);
        let instances = self.expand(block).map(Arc::new);
        self.stack.pop();
        if instances.is_err() && self.sink.is_quiet() {
            self.instances[block] = None;
        } else {
            self.instances[block] = Some(Slot::Done(instances.clone()));
        }
        instances
    }

    fn expand(&mut self, block: usize) -> Outcome<Instances> {
        let thing = &self.program.things[block];
        let count = thing
            .attribute("count")
            .filter(|_| thing.noun != Noun::Machines);
        match (count, thing.attribute("for_each")) {
            (None, None) => Ok(single(block, thing)),
            (Some((_, count, _)), None) => {
                let span = count.value.span;
                let count = self.count(count)?;
                self.room_for(count, span)?;
                Ok(indexed(block, thing, count))
            }
            (None, Some((_, for_each, _))) => {
                let value = self.eval(&for_each.value, &ROOT)?;
                let items = self.for_each(&value, for_each.value.span)?;
                self.room_for(items.len() as u64, for_each.value.span)?;
                Ok(keyed(block, thing, items))
            }
            (Some((_, count, _)), Some((_, for_each, _))) => {
                let first = self.files.origin(count.name.span);
                let second = self.files.origin(for_each.name.span);
                Err(self.report(
                    strat_model::Diagnostic::error(
                        "count_and_for_each",
                        "a block has `count` or `for_each`, not both",
                    )
                    .at(&second, "one of the two")
                    .at(&first, "the other")
                    .help("keep `for_each` where instances have names of their own"),
                ))
            }
        }
    }

    /// Counts some more instances of the whole topology.
    fn room_for(&mut self, count: u64, span: Span) -> Outcome<()> {
        self.expanded = self.expanded.saturating_add(count);
        if self.expanded <= MAX_INSTANCES.unsigned_abs() {
            return Ok(());
        }
        let message = "the blocks of this topology have too many instances together";
        let label = format!("{} with these", self.expanded);
        let help = format!(
            "a topology has at most {MAX_INSTANCES} of them; machines that are alike make a fleet: `machines`"
        );
        Err(self.fail(span, "bad_count", message, label, Some(help)))
    }

    /// The number of instances that `count` gives.
    pub(crate) fn count(&mut self, count: &crate::ast::Attribute) -> Outcome<u64> {
        let span = count.value.span;
        let value = self.eval(&count.value, &ROOT)?;
        let value = self.plain(value, span, "count")?;
        let number = value.to_int();
        match number {
            Some(n) if (0..=MAX_INSTANCES).contains(&n) => Ok(n.unsigned_abs()),
            Some(n) => Err(self.fail(
                span,
                "bad_count",
                format!("`count` is {n}"),
                "out of range",
                Some(format!("use a whole number from 0 to {MAX_INSTANCES}")),
            )),
            None => {
                let found = match &value {
                    Value::Number(number) => number.to_string(),
                    other => other.describe(),
                };
                Err(self.fail(
                    span,
                    "wrong_type",
                    format!("`count` is a whole number, not {found}"),
                    format!("this is {found}"),
                    None,
                ))
            }
        }
    }

    /// The items that a `for_each` goes over, each with whether it is one of a set: then its value is
    /// its key. Their keys are parts of names.
    pub(crate) fn items_of(&mut self, over: &crate::ast::Expr) -> Outcome<Vec<(Arc<str>, bool)>> {
        let value = self.eval(over, &ROOT)?;
        let is_set = matches!(value, Value::List(_));
        let items = self.for_each(&value, over.span)?;
        let is_name = |key: &str| !key.contains('.') && Name::new(key).is_ok();
        if let Some(key) = items.keys().find(|key| !is_name(key)) {
            let message = format!("the key `{}` is no part of a name", brief(key));
            let help = "use letters, digits, `-` and `_`".to_owned();
            let label = "names what stands for it";
            return Err(self.fail(over.span, "bad_name", message, label, Some(help)));
        }
        Ok(items.into_keys().map(|key| (key, is_set)).collect())
    }

    fn for_each(&mut self, value: &Value, span: Span) -> Outcome<BTreeMap<Arc<str>, Value>> {
        if matches!(value, Value::Sensitive(_)) {
            return Err(self.hidden_keys(span));
        }
        if let Value::Unknown(unknown) = value {
            let cause = unknown.cause.clone();
            return Err(self.not_yet(&cause, span, "for_each"));
        }
        let items: BTreeMap<Arc<str>, Value> = match value {
            Value::Map(map) => map.as_ref().clone().into_items(),
            Value::List(items) => self.string_keys(items, span)?,
            other => {
                let found = other.describe();
                return Err(self.fail(
                    span,
                    "wrong_type",
                    format!("`for_each` goes over a map or a list of strings, not {found}"),
                    format!("this is {found}"),
                    None,
                ));
            }
        };
        if items.len() as i64 > MAX_INSTANCES {
            return Err(self.fail(
                span,
                "bad_count",
                "`for_each` has too many items",
                format!("{} items", items.len()),
                Some(format!("a block has at most {MAX_INSTANCES} instances")),
            ));
        }
        Ok(items)
    }

    fn string_keys(&mut self, items: &[Value], span: Span) -> Outcome<BTreeMap<Arc<str>, Value>> {
        let mut keys = BTreeMap::new();
        for item in items {
            match item {
                Value::String(text) => {
                    if keys.insert(text.clone(), item.clone()).is_some() {
                        return Err(self.fail(
                            span,
                            "duplicate_key",
                            format!("`for_each` has the item `{}` twice", brief(text)),
                            "not unique",
                            Some("take each once: `toset(…)`".to_owned()),
                        ));
                    }
                }
                Value::Sensitive(_) => return Err(self.hidden_keys(span)),
                Value::Unknown(unknown) => {
                    let cause = unknown.cause.clone();
                    return Err(self.not_yet(&cause, span, "for_each"));
                }
                other => {
                    let found = other.describe();
                    return Err(self.fail(
                        span,
                        "wrong_type",
                        format!("`for_each` goes over a map or a list of strings, and {found} is in the list"),
                        format!("holds {found}"),
                        Some("make a map of it: `{ for item in … : item.name => item }`".to_owned()),
                    ));
                }
            }
        }
        Ok(keys)
    }

    fn hidden_keys(&mut self, span: Span) -> Failed {
        self.fail(
            span,
            "sensitive_value",
            "`for_each` cannot go over sensitive values: its keys are shown in every plan",
            "sensitive",
            Some("go over the keys alone: `nonsensitive(keys(…))`".to_owned()),
        )
    }
}

fn address(thing: &Thing, key: Option<Key>) -> Arc<LocalAddr> {
    Arc::new(LocalAddr {
        key,
        ..LocalAddr::new(thing.noun, thing.name.clone())
    })
}

fn reference(block: usize, instance: usize, addr: &Arc<LocalAddr>) -> Value {
    Value::Ref(Ref::Thing {
        block,
        instance,
        addr: addr.clone(),
    })
}

fn single(block: usize, thing: &Thing) -> Instances {
    let addr = address(thing, None);
    Instances {
        value: reference(block, 0, &addr),
        items: vec![Instance {
            addr,
            each: None,
            index: None,
        }],
    }
}

fn indexed(block: usize, thing: &Thing, count: u64) -> Instances {
    let items: Vec<Instance> = (0..count)
        .map(|index| Instance {
            addr: address(thing, Some(Key::Index(index))),
            each: None,
            index: Some(index),
        })
        .collect();
    let values = items.iter().enumerate();
    Instances {
        value: Value::list(values.map(|(at, item)| reference(block, at, &item.addr))),
        items,
    }
}

fn keyed(block: usize, thing: &Thing, values: BTreeMap<Arc<str>, Value>) -> Instances {
    let items: Vec<Instance> = values
        .into_iter()
        .map(|(key, value)| Instance {
            addr: address(thing, Some(Key::Name(key.clone()))),
            each: Some((key, value)),
            index: None,
        })
        .collect();
    let refs = items.iter().enumerate().filter_map(|(at, item)| {
        let key = item.each.as_ref()?.0.clone();
        Some((key, reference(block, at, &item.addr)))
    });
    Instances {
        value: Value::map(refs),
        items,
    }
}
