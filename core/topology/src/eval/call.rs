//! Function calls.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Binding, Evaluator, Scope, Template};
use crate::ast::{Call, Expr};
use crate::functions::{self, Args, Function, Run, Special};
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::syntax::{self, Source};
use crate::value::{Map, Value};

/// The deepest that templates may read further templates.
const MAX_TEMPLATES: usize = 16;

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

    fn special(
        &mut self,
        special: Special,
        call: &Call,
        values: &[Value],
        span: Span,
    ) -> Outcome<Value> {
        let first = values.first().cloned().unwrap_or(Value::Null);
        match special {
            Special::Sensitive => return Ok(first.marked(true)),
            Special::NonSensitive => return Ok(first.revealed()),
            Special::IsSensitive => return Ok(Value::Bool(first.is_sensitive())),
            _ => {}
        }
        let at = call.args.first().map_or(span, |arg| arg.span);
        let path = self.plain(first, at, "a file's path")?;
        let Value::String(path) = &path else {
            let found = path.describe();
            return Err(self.fail(
                at,
                "wrong_type",
                format!("a file's path is a string, not {found}"),
                format!("this is {found}"),
                None,
            ));
        };
        let full = self.program.base_dir.join(&**path);
        if special == Special::FileExists {
            return Ok(Value::Bool(full.is_file()));
        }
        if special == Special::TemplateFile {
            let variables = values.get(1).cloned().unwrap_or(Value::Null);
            let place = call.args.get(1).map_or(span, |arg| arg.span);
            return self.template_file(&full, path, at, variables, place);
        }
        let bytes = self.bytes(&full, path, at)?;
        Ok(match special {
            Special::FileBase64 => Value::string(functions::base64(&bytes)),
            Special::FileSha256 => Value::string(strat_model::Digest::of(&bytes).as_str()),
            _ => Value::String(self.utf8(&bytes, path, at)?),
        })
    }

    fn template_file(
        &mut self,
        full: &PathBuf,
        path: &Arc<str>,
        at: Span,
        variables: Value,
        place: Span,
    ) -> Outcome<Value> {
        let (variables, hidden) = variables.reveal();
        let variables: Arc<Map> = match variables {
            Value::Map(map) => map,
            Value::Null => Arc::default(),
            other => {
                let found = other.describe();
                return Err(self.fail(
                    place,
                    "wrong_type",
                    format!("a template's variables are a map, not {found}"),
                    format!("this is {found}"),
                    Some("write `{ name = value }`".to_owned()),
                ));
            }
        };
        if self.rendering.len() >= MAX_TEMPLATES {
            return Err(self.fail(
                at,
                "too_deep",
                "templates read one another too deeply",
                format!("more than {MAX_TEMPLATES} levels"),
                None,
            ));
        }
        let template = self.template_at(full, path, at)?;
        self.rendering.push((at, template.text.clone()));
        let scope = Scope {
            parent: None,
            binding: Binding::Template(&variables),
        };
        let value = self.template(&template.parts, &scope);
        self.rendering.pop();
        Ok(value?.marked(hidden))
    }

    fn template_at(&mut self, full: &PathBuf, path: &Arc<str>, at: Span) -> Outcome<Arc<Template>> {
        if let Some(done) = self.templates.get(full) {
            return done.clone();
        }
        let bytes = self.bytes(full, path, at)?;
        let text = self.utf8(&bytes, path, at)?;
        let file = self.files.add(path.clone());
        self.rendering.push((at, text.clone()));
        let template = match syntax::template(Source::file(file, path, &text)) {
            Ok(parts) => Ok(Arc::new(Template {
                text: text.clone(),
                parts,
            })),
            Err(problems) => {
                for problem in problems {
                    self.report(problem);
                }
                Err(Failed)
            }
        };
        self.rendering.pop();
        if !self.sink.is_quiet() || template.is_ok() {
            self.templates.insert(full.clone(), template.clone());
        }
        template
    }

    /// The SHA-256 of an image's file, which may be of any size.
    pub(crate) fn image_digest(&mut self, source: &str) -> Result<String, String> {
        let full = self.program.base_dir.join(source);
        if let Some(done) = self.digests.get(&full) {
            return done.clone();
        }
        let digest = functions::digest_file(&full);
        self.digests.insert(full, digest.clone());
        digest
    }

    fn utf8(&mut self, bytes: &[u8], path: &str, at: Span) -> Outcome<Arc<str>> {
        std::str::from_utf8(bytes).map(Arc::from).map_err(|_| {
            self.fail(
                at,
                "bad_file",
                format!("`{path}` is not UTF-8 text"),
                "read here",
                Some("for other files there is `filebase64`".to_owned()),
            )
        })
    }

    /// The content of a file, read once.
    fn bytes(&mut self, full: &PathBuf, path: &str, at: Span) -> Outcome<Arc<[u8]>> {
        if !self.texts.contains_key(full) {
            let read = functions::read_file(full).map(Arc::from);
            self.texts.insert(full.clone(), read);
        }
        match &self.texts[full] {
            Ok(bytes) => Ok(bytes.clone()),
            Err(why) => {
                let message = format!("`{path}` cannot be read: {why}");
                let folder = self.program.base_dir.display().to_string();
                let folder = if folder.is_empty() {
                    ".".to_owned()
                } else {
                    folder
                };
                let help = format!("paths are relative to the topology's folder, `{folder}`");
                Err(self.fail(at, "bad_file", message, "read here", Some(help)))
            }
        }
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
