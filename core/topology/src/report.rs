//! Where findings are gathered.

use std::borrow::Cow;

use rustc_hash::FxHashSet;
use strat_model::{Diagnostic, Origin, Severity};

/// The findings a run reports at most; the rest are counted.
const MAX_FINDINGS: usize = 200;

/// The most characters of a message, a label or a help: values may be of any length.
const MAX_CHARACTERS: usize = 2000;
/// The longest word for which one that is near is looked for.
const MAX_WORD: usize = 100;
/// The most words among which one that is near is looked for.
const MAX_CANDIDATES: usize = 1_000;

/// Something failed, and a finding that says so has been reported already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Failed;

/// What evaluation steps return.
pub(crate) type Outcome<T> = Result<T, Failed>;

/// Gathers findings, each place and code once: an expression that fails in every one of a
/// thousand instances is one mistake.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    list: Vec<Diagnostic>,
    seen: FxHashSet<(String, Option<Origin>, Option<String>)>,
    quiet: u32,
    dropped: usize,
}

impl Sink {
    /// Takes a finding.
    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        if self.quiet > 0 {
            return;
        }
        let place = diagnostic.labels.first().map(|label| label.origin.clone());
        // Without a place the message is all that tells two findings apart.
        let message = place.is_none().then(|| diagnostic.message.clone());
        if !self.seen.insert((diagnostic.code.clone(), place, message)) {
            return;
        }
        if self.list.len() < MAX_FINDINGS {
            self.list.push(shortened(diagnostic));
        } else {
            self.dropped += 1;
        }
    }

    /// Whether a finding would be shown now, so that what it says is worth working out.
    pub(crate) fn listens(&self) -> bool {
        self.quiet == 0 && self.list.len() < MAX_FINDINGS
    }

    /// Takes a finding even where others are dropped.
    pub(crate) fn insist(&mut self, diagnostic: Diagnostic) {
        let quiet = std::mem::take(&mut self.quiet);
        self.push(diagnostic);
        self.quiet = quiet;
    }

    /// Findings are dropped until [`Sink::loud`]: for `try` and `can`.
    pub(crate) fn hush(&mut self) {
        self.quiet += 1;
    }

    /// Ends one [`Sink::hush`].
    pub(crate) fn loud(&mut self) {
        self.quiet = self.quiet.saturating_sub(1);
    }

    /// Whether findings are being dropped now.
    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet > 0
    }

    /// Whether an error was taken.
    pub(crate) fn has_errors(&self) -> bool {
        self.list.iter().any(|d| d.severity == Severity::Error)
    }

    /// All findings, errors first, then by place.
    pub(crate) fn finish(self) -> Vec<Diagnostic> {
        let mut list = self.list;
        list.sort_by(|a, b| {
            let place = |d: &Diagnostic| d.labels.first().map(|l| l.origin.clone());
            (a.severity, place(a), &a.code, &a.message).cmp(&(
                b.severity,
                place(b),
                &b.code,
                &b.message,
            ))
        });
        if self.dropped > 0 {
            list.push(Diagnostic::error(
                "too_many_findings",
                format!("{} more findings are not shown", self.dropped),
            ));
        }
        list
    }
}

/// A finding whose texts are not too long to be read.
fn shortened(mut finding: Diagnostic) -> Diagnostic {
    let shorten = |text: &mut String| {
        if let Some((end, _)) = text.char_indices().nth(MAX_CHARACTERS) {
            text.truncate(end);
            text.push('…');
        }
    };
    shorten(&mut finding.message);
    finding.help.iter_mut().for_each(shorten);
    let texts = finding.labels.iter_mut().map(|label| &mut label.text);
    texts.for_each(shorten);
    finding
}

/// The beginning of a text, for a message that quotes it.
pub(crate) fn brief(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_WORD) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

/// The candidate nearest to `word`, if one is near enough to be meant: one slip in two letters,
/// two in five, three in eight.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    if word.len() > MAX_WORD {
        return None;
    }
    // As many letters as the lengths differ by are slips at least.
    let near = |candidate: &&str| {
        candidate.len().abs_diff(word.len()) * 3 <= word.len().max(candidate.len()) + 1
    };
    candidates
        .into_iter()
        .take(MAX_CANDIDATES)
        .filter(near)
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| distance * 3 <= word.len().max(candidate.len()) + 1)
        .min()
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`?", or what else there is to choose from.
pub(crate) fn suggest<'a>(
    word: &str,
    what: &str,
    candidates: impl IntoIterator<Item = &'a str> + Clone,
) -> Option<String> {
    if let Some(near) = nearest(word, candidates.clone()) {
        return Some(format!("did you mean `{near}`?"));
    }
    let all: Vec<Cow<'_, str>> = candidates.into_iter().map(brief).collect();
    match all.len() {
        0 => None,
        1..=24 => Some(format!("{what}: `{}`", all.join("`, `"))),
        n => Some(format!(
            "{what}: `{}` and {} more",
            all[..20].join("`, `"),
            n - 20
        )),
    }
}
