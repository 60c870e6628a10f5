//! Exactly once by name: what a create leaves on what it makes, so that its repetition is known.

use strat_model::{Digest, Error, ErrorKind, Kind, ResourceId, Result, Spec, Token};

/// What one create is known by, where the name is what makes a repetition harmless: its token, and a
/// digest of what is asked for. The thing that is made carries it as a text.
#[derive(Debug, Clone)]
pub struct Stamp {
    token: Token,
    kind: Kind,
    digest: String,
}

impl Stamp {
    /// The stamp of a create of `spec` under `name`.
    #[must_use]
    pub fn new(token: &Token, name: &str, spec: &Spec<ResourceId>) -> Self {
        let digest = Digest::of_parts([name, spec.digest().as_str()]);
        Self {
            token: token.clone(),
            kind: spec.kind(),
            digest: digest.short().to_owned(),
        }
    }

    /// The text that a thing carries: token and digest.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{}-{}", self.token, self.digest)
    }

    /// A digest of this create and of some words: the same for the same call of the same create, and
    /// for no other.
    #[must_use]
    pub fn of_call(&self, words: &[&str]) -> Digest {
        let own = [
            "request",
            self.token.as_str(),
            self.kind.as_str(),
            &self.digest,
        ];
        Digest::of_parts(own.into_iter().chain(words.iter().copied()))
    }

    /// Fails unless the thing that has the name was made by this create, or by another of the same
    /// owner that asked for the same. `made` is the text that it carries.
    ///
    /// # Errors
    /// - `Precondition`: something else was asked for under this name.
    /// - `AlreadyExists`: it is not of this owner.
    pub fn check(&self, made: Option<&str>, is_ours: bool, name: &str) -> Result<()> {
        let Some(made) = made.filter(|_| is_ours) else {
            let message = format!("there is a {} {name} already", self.kind);
            return Err(Error::new(ErrorKind::AlreadyExists, message));
        };
        let digest = made.rsplit_once('-').map_or(made, |(_, digest)| digest);
        if digest == self.digest {
            return Ok(());
        }
        let message = format!("{name} was made with another spec before");
        Err(Error::new(ErrorKind::Precondition, message))
    }
}

#[cfg(test)]
mod tests {
    use strat_model::{AddressSpec, Labels};

    use super::*;

    fn stamp(name: &str, label: &str) -> Stamp {
        let addr = "address.www@west".parse().expect("addr");
        let token = Token::derive("plan", &addr, 1, 1, 0, "");
        let labels = Labels::from([("x".to_owned(), label.to_owned())]);
        Stamp::new(
            &token,
            name,
            &Spec::Address(AddressSpec {
                attach: None,
                labels,
            }),
        )
    }

    #[test]
    fn each_call_of_each_create_has_a_digest_of_its_own() {
        let one = stamp("a", "1").of_call(&["insert", "0"]);
        assert_eq!(one, stamp("a", "1").of_call(&["insert", "0"]));
        for other in [
            stamp("a", "1").of_call(&["insert", "1"]),
            stamp("a", "1").of_call(&["rule", "0"]),
            stamp("b", "1").of_call(&["insert", "0"]),
            stamp("a", "2").of_call(&["insert", "0"]),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn what_has_the_name_is_ours_another_spec_or_anothers() {
        let one = stamp("a", "1");
        let kind = |made: Option<&str>, ours| one.check(made, ours, "a").err().map(|e| e.kind());
        assert_eq!(kind(Some(&one.text()), true), None);
        assert_eq!(
            kind(Some(&stamp("a", "2").text()), true),
            Some(ErrorKind::Precondition)
        );
        assert_eq!(
            kind(Some(&one.text()), false),
            Some(ErrorKind::AlreadyExists)
        );
        assert_eq!(kind(None, true), Some(ErrorKind::AlreadyExists));
    }
}
