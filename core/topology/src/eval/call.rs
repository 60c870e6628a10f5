//! Function calls.

use super::{Evaluator, Scope};
use crate::ast::{Call, Expr};
use crate::functions::{self, Args, Function, Run, Special};
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::Value;

/// Functions that look at one item, or at the head of a value, however long it is.
const LOOK_AT_ONE: [&str; 8] = [
    "coalescelist",
    "element",
    "ephemeralasnull",
    "issensitive",
    "lookup",
    "one",
    "sensitive",
    "type",
];
/// Functions whose value holds items of their arguments as they are: only what holds them is new.
const SHARE_ITEMS: [&str; 16] = [
    "coalesce",
    "coalescelist",
    "concat",
    "element",
    "ephemeralasnull",
    "flatten",
    "lookup",
    "matchkeys",
    "merge",
    "nonsensitive",
    "one",
    "reverse",
    "sensitive",
    "slice",
    "values",
    "zipmap",
];

/// The bytes of its arguments that a function goes through.
fn work(name: &str, values: &[Value]) -> usize {
    let sum = |bytes: usize, value: &Value| bytes.saturating_add(value.size().bytes);
    // What is sensitive is unwrapped whole.
    let whole = !LOOK_AT_ONE.contains(&name) || values.iter().any(Value::is_sensitive);
    if whole { values.iter().fold(0, sum) } else { 0 }
}

impl Evaluator<'_> {
    pub(super) fn call(&mut self, call: &Call, span: Span, scope: &Scope<'_>) -> Outcome<Value> {
        let Some(function) = functions::find(&call.name.text) else {
            let Some(finding) = functions::unknown(&call.name, &self.files) else {
                return Err(Failed);
            };
            return Err(self.report(finding));
        };
        match function.run {
            Run::Special(Special::Try) => return self.try_each(call, span, scope),
            Run::Special(Special::Can) if call.args.len() == 1 => {
                return Ok(self.can(call, scope));
            }
            Run::Special(Special::Can) => {
                return Err(self.wrong_count(function, call, span, call.args.len()));
            }
            _ => {}
        }
        let values = self.arguments(call, scope)?;
        let count = values.len();
        let values = match values {
            Arguments::Known(values) => values,
            Arguments::Unknown(value) => return Ok(value),
        };
        if count < function.min || count > function.max {
            return Err(self.wrong_count(function, call, span, count));
        }
        let name = function.doc.name;
        self.goes_through(work(name, &values), span)?;
        let value = match function.run {
            Run::Pure(run) => self.pure(function, run, call, values, span),
            Run::File(run) => self.file_function(name, run, call, values),
            Run::Special(special) => self.special(special, call, &values, span),
        }?;
        let made = match function.run {
            // What is read of a file is counted once, where it is read.
            Run::File(_) | Run::Special(Special::File) => 0,
            _ if SHARE_ITEMS.contains(&name) => value.own_bytes(),
            _ => value.size().bytes,
        };
        self.made(made, span)?;
        Ok(value)
    }

    fn wrong_count(
        &mut self,
        function: &Function,
        call: &Call,
        span: Span,
        count: usize,
    ) -> Failed {
        self.fail(
            span,
            "wrong_arguments",
            format!("`{}` does not take {count} arguments", call.name.text),
            "called here",
            Some(format!("it is called `{}`", function.doc.signature)),
        )
    }

    fn arguments(&mut self, call: &Call, scope: &Scope<'_>) -> Outcome<Arguments> {
        let values: Vec<_> = call.args.iter().map(|arg| self.eval(arg, scope)).collect();
        let mut values = values.into_iter().collect::<Outcome<Vec<Value>>>()?;
        if call.expand
            && let Some(last) = values.pop()
        {
            let (last, hidden) = last.reveal();
            match last {
                Value::List(items) => {
                    values.extend(items.iter().map(|item| item.clone().marked(hidden)));
                }
                Value::Unknown(unknown) => return Ok(Arguments::Unknown(unknown.opaque())),
                other => {
                    let found = other.describe();
                    let at = call.args.last().map_or(call.name.span, |arg| arg.span);
                    return Err(self.fail(
                        at,
                        "wrong_type",
                        format!("`...` spreads a list, not {found}"),
                        format!("this is {found}"),
                        None,
                    ));
                }
            }
        }
        Ok(Arguments::Known(values))
    }

    fn pure(
        &mut self,
        function: &Function,
        run: fn(&Args<'_>) -> functions::FnResult,
        call: &Call,
        values: Vec<Value>,
        span: Span,
    ) -> Outcome<Value> {
        // How many there are, and under which keys, is no secret of the items.
        let sensitive = match function.doc.name {
            "length" | "keys" => matches!(values.first(), Some(Value::Sensitive(_))),
            _ => values.iter().any(Value::is_sensitive),
        };
        if let Some(unknown) = values.iter().find_map(Value::unknown) {
            return Ok(unknown.opaque().marked(sensitive));
        }
        let values: Vec<Value> = if sensitive {
            values.into_iter().map(Value::revealed).collect()
        } else {
            values
        };
        let args = Args::new(&values, self.steps_left());
        let value = run(&args);
        self.steps_of(args.spent(), span)?;
        value.map(|value| value.marked(sensitive)).map_err(|error| {
            let place = error.argument.map(|at| {
                let at = at.min(call.args.len().saturating_sub(1));
                call.args.get(at).map_or(span, |arg| arg.span)
            });
            let message = if sensitive {
                "does not take this sensitive value".to_owned()
            } else {
                error.message
            };
            self.fail(
                place.unwrap_or(span),
                "bad_argument",
                format!("`{}` {message}", call.name.text),
                "in this call",
                Some(format!("it is called `{}`", function.doc.signature)),
            )
        })
    }

    fn try_each(&mut self, call: &Call, span: Span, scope: &Scope<'_>) -> Outcome<Value> {
        let Some((last, others)) = call.args.split_last() else {
            return Err(self.fail(
                span,
                "wrong_arguments",
                "`try` needs an expression",
                "called here",
                None,
            ));
        };
        for arg in others {
            self.sink.hush();
            let value = self.eval(arg, scope);
            self.sink.loud();
            if value.is_ok() {
                return value;
            }
        }
        // Where none has a value, the last one's own findings say most.
        self.eval(last, scope)
    }

    fn can(&mut self, call: &Call, scope: &Scope<'_>) -> Value {
        self.sink.hush();
        let all = call
            .args
            .iter()
            .all(|arg: &Expr| self.eval(arg, scope).is_ok());
        self.sink.loud();
        Value::Bool(all)
    }
}

enum Arguments {
    Known(Vec<Value>),
    /// One of them decides how many there are, and is not known.
    Unknown(Value),
}

impl Arguments {
    fn len(&self) -> usize {
        match self {
            Self::Known(values) => values.len(),
            Self::Unknown(_) => 0,
        }
    }
}
