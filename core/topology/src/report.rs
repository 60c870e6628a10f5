//! Where findings are gathered.

use rustc_hash::FxHashSet;
use strat_model::{Diagnostic, Origin, Severity};

/// The findings a run reports at most; the rest are counted.
const MAX_FINDINGS: usize = 200;

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
            self.list.push(diagnostic);
        } else {
            self.dropped += 1;
        }
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

/// The candidate nearest to `word`, if one is near enough to be meant: one slip in two letters,
/// two in five, three in eight.
pub(crate) fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    candidates
        .into_iter()
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
    let all: Vec<&str> = candidates.into_iter().collect();
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
