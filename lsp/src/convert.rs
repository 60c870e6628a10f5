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

/// The range of a place.
pub(crate) fn range_of(view: &View, place: &Origin, encoding: Encoding) -> lsp::Range {
    let text = view.text(&place.file).unwrap_or_default();
    Lines::of(text, encoding).range(place.start as usize..place.end as usize)
}

/// A place in its file.
pub(crate) fn location(view: &View, place: &Origin, encoding: Encoding) -> lsp::Location {
    lsp::Location {
        uri: uri_of(Path::new(&*place.file)),
        range: range_of(view, place, encoding),
    }
}

/// The findings by file. Those that are about no text are told at the beginning of the first file.
pub(crate) fn by_file(
    view: &View,
    findings: &[Diagnostic],
    encoding: Encoding,
) -> BTreeMap<PathBuf, Vec<lsp::Diagnostic>> {
    let mut lines: BTreeMap<&str, Lines<'_>> = BTreeMap::new();
    let mut all: BTreeMap<PathBuf, Vec<lsp::Diagnostic>> = BTreeMap::new();
    for finding in findings {
        let mut places = Vec::new();
        for label in &finding.labels {
            let file = &*label.origin.file;
            let Some(text) = view.text(file) else {
                continue;
            };
            let lines = lines
                .entry(file)
                .or_insert_with(|| Lines::of(text, encoding));
            let range = lines.range(label.origin.start as usize..label.origin.end as usize);
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
