//! Why nothing could be rehearsed.

/// Why nothing could be rehearsed. `Display` leaves the source out; [`Error::help`] says what to do
/// next.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The topology has nothing of that name.
    #[error("there is no {what} `{name}` in this topology")]
    Unknown {
        /// `site`, `zone` or `provider`.
        what: &'static str,
        /// What was asked for.
        name: String,
        /// What may have been meant.
        nearest: Option<String>,
        /// What there is.
        known: Vec<String>,
    },
    /// Nothing was given that is to fail.
    #[error("nothing is said to fail")]
    NothingFails,
    /// No site was seen whole, so that there is nothing to make a copy of.
    #[error("no site was seen whole, so there is nothing to rehearse on")]
    NothingSeen,
    /// A copy could not be made.
    #[error("the site `{site}` could not be copied")]
    Copy {
        /// Which.
        site: stratiform::model::Name,
        /// Why.
        source: stratiform::model::Error,
    },
    /// The folder for the copies of journals, or the runtime, could not be made.
    #[error("a place to rehearse in could not be made")]
    Place(#[from] std::io::Error),
    /// The library refused.
    #[error(transparent)]
    Library(#[from] stratiform::Error),
}

impl Error {
    /// What to do next.
    #[must_use]
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unknown {
                nearest: Some(near),
                ..
            } => Some(format!("did you mean `{near}`?")),
            Self::Unknown { what, known, .. } if !known.is_empty() => {
                Some(format!("each {what} that there is: {}", known.join(", ")))
            }
            Self::NothingFails => Some("say which site, zone or provider fails".to_owned()),
            Self::NothingSeen => Some("ask why no site answers".to_owned()),
            Self::Library(error) => error.help(),
            _ => None,
        }
    }
}
