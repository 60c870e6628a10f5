//! The functions of the language. None reads a clock or draws a random number, nor asks the
//! environment but for the user's own folder, where a path begins with `~`: the same files and inputs
//! always give the same topology.

mod args;
mod case;
mod charset;
mod choose;
mod convert;
mod decimal;
mod digest;
mod encoding;
mod files;
mod format;
mod list;
mod map;
mod network;
mod number;
mod path;
mod pattern;
mod re2;
mod rsa;
mod set;
mod special;
mod text;
mod time;

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::LazyLock;

use strat_model::Diagnostic;

use crate::ast::Ident;
use crate::report::nearest;
use crate::span::Files;

pub(crate) use args::{Args, FnResult};
pub(crate) use files::{digest_file, from_file, read_file};
pub(crate) use path::{cleaned, expanded, file_set};

/// A function of the language, as `strat functions` lists it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FunctionDoc {
    /// Its name.
    pub name: &'static str,
    /// How it is called: `max(number...)`.
    pub signature: &'static str,
    /// What it gives, in one line.
    pub doc: &'static str,
    /// An expression that is true.
    pub example: &'static str,
}

/// What a function makes of a file, which may be of any size.
pub(crate) type FromFile = fn(&mut dyn Read) -> io::Result<String>;

/// A function: what is told of it, and how it runs.
pub(crate) struct Function {
    pub(crate) doc: FunctionDoc,
    pub(crate) min: usize,
    /// The most arguments.
    pub(crate) max: usize,
    pub(crate) run: Run,
}

/// How a function runs.
#[derive(Clone, Copy)]
pub(crate) enum Run {
    /// From its arguments alone.
    Pure(fn(&Args<'_>) -> FnResult),
    /// From the content of the file that its argument names.
    File(FromFile),
    /// By the evaluator, which has the files and may leave arguments unevaluated.
    Special(Special),
}

/// Functions that need the evaluator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Special {
    Try,
    Can,
    File,
    FileExists,
    FileSet,
    AbsolutePath,
    TemplateFile,
    TemplateString,
    Sensitive,
    NonSensitive,
    IsSensitive,
}

/// A function of its arguments alone.
const fn pure(
    name: &'static str,
    (min, max): (usize, usize),
    run: fn(&Args<'_>) -> FnResult,
    signature: &'static str,
    doc: &'static str,
    example: &'static str,
) -> Function {
    Function {
        doc: FunctionDoc {
            name,
            signature,
            doc,
            example,
        },
        min,
        max,
        run: Run::Pure(run),
    }
}

static TABLE: LazyLock<BTreeMap<&'static str, &'static Function>> = LazyLock::new(|| {
    [
        charset::TABLE,
        choose::TABLE,
        convert::TABLE,
        digest::TABLE,
        encoding::TABLE,
        files::TABLE,
        list::TABLE,
        map::TABLE,
        network::TABLE,
        number::TABLE,
        path::TABLE,
        pattern::TABLE,
        set::TABLE,
        special::TABLE,
        text::TABLE,
        time::TABLE,
    ]
    .into_iter()
    .flatten()
    .map(|function| (function.doc.name, function))
    .collect()
});

/// All functions, by name.
#[must_use]
pub fn functions() -> Vec<FunctionDoc> {
    TABLE.values().map(|function| function.doc).collect()
}

/// The function of that name, which may be written `core::name`.
pub(crate) fn find(name: &str) -> Option<&'static Function> {
    TABLE
        .get(name.strip_prefix("core::").unwrap_or(name))
        .copied()
}

/// Whether the first argument of a function is the path of a file.
pub(crate) fn reads_file(name: &str) -> bool {
    find(name).is_some_and(|function| {
        matches!(
            function.run,
            Run::File(_)
                | Run::Special(Special::File | Special::FileExists | Special::TemplateFile)
        )
    })
}

/// The finding for a call of no function.
pub(crate) fn unknown(name: &Ident, files: &Files) -> Option<Diagnostic> {
    if find(&name.text).is_some() {
        return None;
    }
    let names = TABLE.keys().copied();
    let mut finding = Diagnostic::error(
        "unknown_function",
        format!("there is no function `{}`", name.text),
    )
    .at(&files.origin(name.span), "not a function");
    finding.help = match &*name.text {
        "timestamp" | "uuid" | "bcrypt" | "plantimestamp" => Some(
            "the same files must always give the same topology; pass such a value in as a variable"
                .to_owned(),
        ),
        "list" => Some("write `[a, b]`".to_owned()),
        "map" => Some("write `{ key = value }`".to_owned()),
        text => nearest(text, names.clone())
            .map(|near| format!("did you mean `{near}`?"))
            .or_else(|| Some("the language's page lists all".to_owned())),
    };
    Some(finding)
}
