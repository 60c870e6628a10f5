//! What kept a call from its answer, without what the clients' own errors carry besides.

use std::error::Error as StdError;
use std::fmt;

/// The causes of a failed call, as text: a cloud's client keeps the whole request in its errors, headers
/// and all, and this keeps the sentences alone.
#[derive(Debug)]
pub struct Quiet(String);

impl Quiet {
    /// What lies underneath an error; the error itself where nothing does.
    #[must_use]
    pub fn of(error: &(dyn StdError + 'static)) -> Self {
        Self::causes(error).unwrap_or_else(|| Self(error.to_string()))
    }

    /// What lies underneath an error, if anything does. A cause that the one above it repeats is left
    /// out.
    #[must_use]
    pub fn causes(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut words: Vec<String> = Vec::new();
        let mut next = error.source();
        while let Some(cause) = next {
            let text = cause.to_string();
            if words.last().is_none_or(|above| !above.contains(&text)) {
                words.push(text);
            }
            next = cause.source();
        }
        (!words.is_empty()).then(|| Self(words.join(": ")))
    }
}

impl fmt::Display for Quiet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl StdError for Quiet {}
