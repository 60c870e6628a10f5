//! The functions that read files, and those that render templates.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Binding, Evaluator, Scope, Template};
use crate::ast::Call;
use crate::functions::{self, FromFile, Special};
use crate::report::{Failed, Outcome};
use crate::source::line_and_column;
use crate::span::Span;
use crate::syntax::{self, Source};
use crate::value::{Map, Value, normal};

/// The deepest that templates may read further templates.
const MAX_TEMPLATES: usize = 16;

impl Evaluator<'_> {
    pub(super) fn special(
        &mut self,
        special: Special,
        call: &Call,
        values: &[Value],
        span: Span,
    ) -> Outcome<Value> {
        let first = values.first().cloned().unwrap_or(Value::Null);
        let second = values.get(1).cloned().unwrap_or(Value::Null);
        let at = call.args.first().map_or(span, |arg| arg.span);
        let place = call.args.get(1).map_or(span, |arg| arg.span);
        match special {
            Special::Sensitive => return Ok(first.marked(true)),
            Special::NonSensitive => return Ok(first.revealed()),
            Special::IsSensitive => return Ok(Value::Bool(first.is_sensitive())),
            Special::TemplateString => return self.template_string(first, at, second, place),
            _ => {}
        }
        let path = self.path(first, at)?;
        let full = self.full_path(&path);
        match special {
            Special::FileExists => Ok(Value::Bool(full.is_file())),
            Special::FileSet => {
                let pattern = self.path(second, place)?;
                let mut seen = 0;
                let files = functions::file_set(&full, &pattern, &mut seen);
                // Each is a call of the system.
                self.steps_of(seen * 100, place)?;
                let files = files.map_err(|why| {
                    let message = format!("`fileset` {why}");
                    self.fail(place, "bad_argument", message, "not possible", None)
                })?;
                Ok(Value::set(files))
            }
            Special::AbsolutePath => {
                let whole = std::path::absolute(&full).unwrap_or(full);
                let whole = functions::cleaned(&whole);
                Ok(Value::string(whole.to_string_lossy()))
            }
            Special::TemplateFile => self.template_file(&full, &path, at, second, place),
            _ => self.file_text(&full, &path, at).map(Value::String),
        }
    }

    /// What a function makes of a file's content.
    pub(super) fn file_function(
        &mut self,
        name: &'static str,
        run: FromFile,
        call: &Call,
        values: Vec<Value>,
    ) -> Outcome<Value> {
        let at = call.args.first().map_or(call.name.span, |arg| arg.span);
        let path = self.path(values.into_iter().next().unwrap_or(Value::Null), at)?;
        let full = self.full_path(&path);
        let key = (name, full);
        if !self.from_files.contains_key(&key) {
            let text = functions::from_file(&key.1, run).map(Arc::from);
            self.made(text.as_deref().map_or(0, str::len), at)?;
            self.from_files.insert(key.clone(), text);
        }
        match &self.from_files[&key] {
            Ok(text) => Ok(Value::String(text.clone())),
            Err(why) => {
                let why = why.clone();
                Err(self.unreadable_file(&path, &why, at))
            }
        }
    }

    /// The text of a file, made once.
    fn file_text(&mut self, full: &Path, path: &str, at: Span) -> Outcome<Arc<str>> {
        if let Some(text) = self.file_texts.get(full) {
            return Ok(text.clone());
        }
        let bytes = self.bytes(full, path, at)?;
        let text = normal(self.utf8(&bytes, path, at)?);
        self.made(text.len(), at)?;
        self.file_texts.insert(full.to_owned(), text.clone());
        Ok(text)
    }

    /// A path or a pattern of paths.
    fn path(&mut self, value: Value, at: Span) -> Outcome<Arc<str>> {
        match self.plain(value, at, "a file's path")? {
            Value::String(path) => Ok(path),
            other => {
                let found = other.describe();
                Err(self.fail(
                    at,
                    "wrong_type",
                    format!("a file's path is a string, not {found}"),
                    format!("this is {found}"),
                    None,
                ))
            }
        }
    }

    /// Paths begin at the topology's folder, and `~` is the user's own.
    fn full_path(&self, path: &str) -> PathBuf {
        self.program.base_dir.join(functions::expanded(path))
    }

    /// A text as a template.
    fn template_string(
        &mut self,
        text: Value,
        at: Span,
        variables: Value,
        place: Span,
    ) -> Outcome<Value> {
        let (text, hidden) = text.reveal();
        let text = match text {
            Value::Unknown(unknown) => return Ok(unknown.opaque().marked(hidden)),
            Value::String(text) => text,
            other => {
                let found = other.describe();
                return Err(self.fail(
                    at,
                    "wrong_type",
                    format!("a template is a string, not {found}"),
                    format!("this is {found}"),
                    None,
                ));
            }
        };
        if hidden {
            // A finding would show its text.
            return Err(self.fail(
                at,
                "sensitive_value",
                "a sensitive text is no template",
                "sensitive",
                Some("put the secret into the variables instead".to_owned()),
            ));
        }
        let template = match self.inline.get(&text) {
            Some(done) => done.clone(),
            None => {
                let template = self.parsed(&Arc::from("templatestring"), text.clone(), at);
                if !self.sink.is_quiet() || template.is_ok() {
                    self.inline.insert(text, template.clone());
                }
                template
            }
        }?;
        self.rendered(&template, at, variables, place)
    }

    fn template_file(
        &mut self,
        full: &Path,
        path: &Arc<str>,
        at: Span,
        variables: Value,
        place: Span,
    ) -> Outcome<Value> {
        let template = self.template_at(full, path, at)?;
        self.rendered(&template, at, variables, place)
    }

    /// A template with its variables filled in.
    fn rendered(
        &mut self,
        template: &Template,
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
        self.rendering.push((at, template.text.clone()));
        let scope = Scope {
            parent: None,
            binding: Binding::Template(&variables),
        };
        let value = self.template(&template.parts, at, &scope);
        self.rendering.pop();
        Ok(value?.marked(hidden))
    }

    fn template_at(&mut self, full: &Path, path: &Arc<str>, at: Span) -> Outcome<Arc<Template>> {
        if let Some(done) = self.templates.get(full) {
            return done.clone();
        }
        let bytes = self.bytes(full, path, at)?;
        let text = self.utf8(&bytes, path, at)?;
        let template = self.parsed(path, text, at);
        if !self.sink.is_quiet() || template.is_ok() {
            self.templates.insert(full.to_owned(), template.clone());
        }
        template
    }

    /// The template of a text; `name` is what findings call it.
    fn parsed(&mut self, name: &Arc<str>, text: Arc<str>, at: Span) -> Outcome<Arc<Template>> {
        // What is parsed takes several times as much as its text.
        self.made(text.len().saturating_mul(8), at)?;
        let file = self.files.add(name.clone());
        self.rendering.push((at, text.clone()));
        let template = match syntax::template(Source::file(file, name, &text)) {
            Ok(parts) => Ok(Arc::new(Template { text, parts })),
            Err(problems) => {
                for problem in problems {
                    self.report(problem);
                }
                Err(Failed)
            }
        };
        self.rendering.pop();
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
        std::str::from_utf8(bytes).map(Arc::from).map_err(|error| {
            let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let (line, column) = line_and_column(&String::from_utf8_lossy(before));
            let message = format!(
                "`{path}` is not UTF-8 text: at line {line}, column {column}, a byte is part of no character"
            );
            self.fail(
                at,
                "bad_file",
                message,
                "read here",
                Some("for other files there is `filebase64`".to_owned()),
            )
        })
    }

    /// The content of a file, read once.
    fn bytes(&mut self, full: &Path, path: &str, at: Span) -> Outcome<Arc<[u8]>> {
        if !self.texts.contains_key(full) {
            let read: Result<Arc<[u8]>, _> = functions::read_file(full).map(Arc::from);
            self.made(read.as_ref().map_or(0, |bytes| bytes.len()), at)?;
            self.texts.insert(full.to_owned(), read);
        }
        match &self.texts[full] {
            Ok(bytes) => Ok(bytes.clone()),
            Err(why) => {
                let why = why.clone();
                Err(self.unreadable_file(path, &why, at))
            }
        }
    }

    fn unreadable_file(&mut self, path: &str, why: &str, at: Span) -> Failed {
        let message = format!("`{path}` cannot be read: {why}");
        let folder = self.program.base_dir.display().to_string();
        let folder = if folder.is_empty() {
            ".".to_owned()
        } else {
            folder
        };
        let help = format!("paths are relative to the topology's folder, `{folder}`");
        self.fail(at, "bad_file", message, "read here", Some(help))
    }
}
