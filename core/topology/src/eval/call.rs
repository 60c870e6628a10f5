//! Function calls.

use super::{Evaluator, Scope};
use crate::ast::{Call, Expr};
use crate::functions::{self, Args, Function, Run, Special};
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::Value;

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
        match function.run {
            Run::Pure(run) => self.pure(function, run, call, values, span),
            Run::File(run) => self.file_function(function.doc.name, run, call, values),
            Run::Special(special) => self.special(special, call, &values, span),
        }
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
        run(&Args::new(&values))
            .map(|value| value.marked(sensitive))
            .map_err(|error| {
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
        for arg in &call.args {
            self.sink.hush();
            let value = self.eval(arg, scope);
            self.sink.loud();
            if value.is_ok() {
                return value;
            }
        }
        // The last one's own findings say most.
        match call.args.last() {
            Some(last) => self.eval(last, scope),
            None => Err(self.fail(
                span,
                "wrong_arguments",
                "`try` needs an expression",
                "called here",
                None,
            )),
        }
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
