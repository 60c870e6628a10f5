//! Findings about a topology, with the source they are about.

use std::fmt;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, SourceCode, SourceOffset};
use stratiform::answer::{self, FindingLabel};
use stratiform::model::{Diagnostic, Label, Severity};
use stratiform::topology::Sources;

use super::excerpt::Excerpt;
use super::wrap::count;
use crate::advice::help;

/// How findings are drawn.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    /// With colours and lines, or in plain ASCII.
    pub(crate) fancy: bool,
    /// The columns there are.
    pub(crate) width: usize,
}

/// All findings, and how many errors they are.
pub(crate) fn diagnostics(list: &[Diagnostic], sources: &Sources, look: Look) -> String {
    let theme = if look.fancy {
        GraphicalTheme::unicode()
    } else {
        GraphicalTheme::none()
    };
    let handler = GraphicalReportHandler::new_themed(theme)
        .with_width(look.width)
        .with_links(false);
    let mut text = String::new();
    for diagnostic in list {
        let finding = Finding::new(diagnostic, sources);
        if handler.render_report(&mut text, &finding).is_err() {
            text.push_str(&diagnostic.message);
        }
        for other in &finding.elsewhere {
            // What it shows says it all; without the snippet there is nothing to show.
            let _ = handler.render_report(&mut text, other);
        }
        text.push('\n');
    }
    text.push_str(&tally(list));
    text
}

/// `2 errors, 1 warning`, on a line; nothing when there is nothing.
fn tally(list: &[Diagnostic]) -> String {
    let of = |severity| list.iter().filter(|d| d.severity == severity).count();
    let (errors, warnings) = (of(Severity::Error), of(Severity::Warning));
    let mut parts = Vec::new();
    if errors > 0 {
        parts.push(count(errors, "error"));
    }
    if warnings > 0 {
        parts.push(count(warnings, "warning"));
    }
    if parts.is_empty() {
        return String::new();
    }
    format!("{}\n", parts.join(", "))
}

/// One finding as miette wants it.
#[derive(Debug)]
struct Finding<'a> {
    diagnostic: &'a Diagnostic,
    /// What to do about it, in the words of the command line.
    help: Option<String>,
    /// The file of the main label.
    source: Option<Excerpt>,
    /// The labels in that file.
    labels: Vec<LabeledSpan>,
    /// The labels in other files.
    elsewhere: Vec<Elsewhere>,
}

impl<'a> Finding<'a> {
    fn new(diagnostic: &'a Diagnostic, sources: &Sources) -> Self {
        // The text of a file of values is not shown.
        let mut shown = diagnostic.labels.iter().map(|label| &label.origin.file);
        let main = shown.find(|file| sources.get(file).is_some());
        let (here, there): (Vec<&Label>, Vec<&Label>) = diagnostic
            .labels
            .iter()
            .partition(|label| Some(&label.origin.file) == main);
        let source = main.and_then(|file| excerpt(sources, file, &here));
        let labels = here.into_iter().enumerate();
        let labels = labels.map(|label| span(label, source.as_ref())).collect();
        Self {
            help: help(diagnostic, sources),
            diagnostic,
            source,
            labels,
            elsewhere: there
                .into_iter()
                .map(|label| Elsewhere::new(label, sources))
                .collect(),
        }
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.diagnostic.message)
    }
}

impl std::error::Error for Finding<'_> {}

impl miette::Diagnostic for Finding<'_> {
    fn code<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(&self.diagnostic.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.diagnostic.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
        })
    }

    fn help<'b>(&'b self) -> Option<Box<dyn fmt::Display + 'b>> {
        Some(Box::new(self.help.as_ref()?))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        Some(Box::new(self.labels.iter().cloned()))
    }
}

/// A label in another file than the main one.
#[derive(Debug)]
struct Elsewhere {
    /// None for a file whose text is not shown.
    source: Option<Excerpt>,
    label: LabeledSpan,
    /// What is said of it: without its text, where it is.
    text: String,
}

impl Elsewhere {
    fn new(label: &Label, sources: &Sources) -> Self {
        let origin = &label.origin;
        let source = excerpt(sources, &origin.file, &[label]);
        let place = sources.line_and_column(&origin.file, origin.start as usize);
        let text = match (&source, place) {
            (Some(_), _) => "together with".to_owned(),
            (None, Some((line, column))) => {
                format!("{}:{line}:{column}: {}", origin.file, label.text)
            }
            (None, None) => format!("{}: {}", origin.file, label.text),
        };
        Self {
            label: span((0, label), source.as_ref()),
            source,
            text,
        }
    }
}

impl fmt::Display for Elsewhere {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl std::error::Error for Elsewhere {}

impl miette::Diagnostic for Elsewhere {
    fn severity(&self) -> Option<miette::Severity> {
        Some(miette::Severity::Advice)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.source.as_ref()?;
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}

fn excerpt(sources: &Sources, file: &str, labels: &[&Label]) -> Option<Excerpt> {
    let places = labels.iter().map(|label| label.origin.start as usize);
    Some(Excerpt::new(file, sources.get(file)?, places))
}

fn span((index, label): (usize, &Label), source: Option<&Excerpt>) -> LabeledSpan {
    let shown = |at: u32| source.map_or(at as usize, |source| source.shown(at as usize));
    let (start, end) = (shown(label.origin.start), shown(label.origin.end));
    let text = (!label.text.is_empty()).then(|| label.text.clone());
    let length = end.saturating_sub(start);
    if index == 0 {
        LabeledSpan::new_primary_with_span(text, (SourceOffset::from(start), length))
    } else {
        LabeledSpan::new_with_span(text, (SourceOffset::from(start), length))
    }
}

/// A finding as `--json` has it: with lines and columns, from 1, besides the bytes.
pub(crate) fn told(diagnostic: &Diagnostic, sources: &Sources) -> answer::Finding {
    let labels = diagnostic.labels.iter().map(|label| {
        let start = label.origin.start as usize;
        let place = sources.line_and_column(&label.origin.file, start);
        FindingLabel {
            file: label.origin.file.to_string(),
            line: place.map(|(line, _)| line),
            column: place.map(|(_, column)| column),
            start: label.origin.start,
            end: label.origin.end,
            text: label.text.clone(),
        }
    });
    answer::Finding {
        severity: diagnostic.severity,
        code: diagnostic.code.clone(),
        message: diagnostic.message.clone(),
        labels: labels.collect(),
        help: help(diagnostic, sources),
    }
}
