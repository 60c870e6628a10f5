//! Findings and places in the protocol's words.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use gen_lsp_types as lsp;
use stratiform::model::{Diagnostic, Origin, Severity};

use crate::position::{Encoding, Lines};
use crate::topologies::View;
use crate::uri::uri_of;

/// What findings are said to come from.
const SOURCE: &str = "stratiform";

/// Places of a topology's files in the protocol's words; the lines of each file are counted once.
pub(crate) struct Places<'v> {
    view: &'v View,
    encoding: Encoding,
    lines: BTreeMap<&'v str, Lines<'v>>,
}

impl<'v> Places<'v> {
    pub(crate) const fn of(view: &'v View, encoding: Encoding) -> Self {
        Self {
            view,
            encoding,
            lines: BTreeMap::new(),
        }
    }

    /// The range of a place; `None` in a file that is none of the topology's.
    pub(crate) fn range(&mut self, place: &'v Origin) -> Option<lsp::Range> {
        let file = &*place.file;
        if !self.lines.contains_key(file) {
            let lines = Lines::of(self.view.text(file)?, self.encoding);
            self.lines.insert(file, lines);
        }
        let lines = self.lines.get(file)?;
        Some(lines.range(place.start as usize..place.end as usize))
    }

    /// A place in its file.
    pub(crate) fn location(&mut self, place: &'v Origin) -> Option<lsp::Location> {
        Some(lsp::Location {
            uri: uri_of(Path::new(&*place.file)),
            range: self.range(place)?,
        })
    }
}

/// The findings by file. Those that are about no text are told at the beginning of the first file.
pub(crate) fn by_file<'v>(
    view: &'v View,
    findings: &'v [Diagnostic],
    encoding: Encoding,
) -> BTreeMap<PathBuf, Vec<lsp::Diagnostic>> {
    let mut known = Places::of(view, encoding);
    let mut all: BTreeMap<PathBuf, Vec<lsp::Diagnostic>> = BTreeMap::new();
    for finding in findings {
        let mut places = Vec::new();
        for label in &finding.labels {
            let Some(range) = known.range(&label.origin) else {
                continue;
            };
            let file = &*label.origin.file;
            places.push((file, range, &label.text));
        }
        let first = view.sources.files().first().map(|file| &*file.name);
        let (file, range) = match places.first() {
            Some((file, range, _)) => (*file, *range),
            None => match first {
                Some(first) => (first, lsp::Range::default()),
                None => continue,
            },
        };
        let related = places.iter().skip(1);
        let related: Vec<_> = related
            .map(|(file, range, text)| lsp::DiagnosticRelatedInformation {
                location: lsp::Location {
                    uri: uri_of(Path::new(file)),
                    range: *range,
                },
                message: (*text).clone(),
            })
            .collect();
        let diagnostic = lsp::Diagnostic {
            range,
            severity: Some(match finding.severity {
                Severity::Error => lsp::DiagnosticSeverity::Error,
                Severity::Warning => lsp::DiagnosticSeverity::Warning,
            }),
            code: Some(lsp::Code::String(finding.code.clone())),
            code_description: None,
            source: Some(SOURCE.to_owned()),
            message: lsp::Message::String(message(finding)),
            tags: None,
            related_information: (!related.is_empty()).then_some(related),
            data: None,
        };
        all.entry(PathBuf::from(file)).or_default().push(diagnostic);
    }
    all
}

/// What is wrong, and what to do about it.
fn message(finding: &Diagnostic) -> String {
    match &finding.help {
        Some(help) => format!("{}\n{help}", finding.message),
        None => finding.message.clone(),
    }
}

/// Text that a client draws as Markdown.
pub(crate) fn markdown(value: String) -> lsp::MarkupContent {
    lsp::MarkupContent {
        kind: lsp::MarkupKind::Markdown,
        value,
    }
}
