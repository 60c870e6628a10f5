//! What is kept beside every thing: its mark, and what libvirt itself has no room for.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use strat_model::{
    Digest, ErrorKind, Kind, Labels, Mark, ResourceId, Result, Spec, Token, Witness,
};

use crate::error::fail;
use crate::xml::Element;

/// The namespace of our element in libvirt's `<metadata>`.
pub(crate) const NAMESPACE: &str = "https://stratiform.dev/xmlns/libvirt/1";

/// The version of this form that is written and read.
const VERSION: u32 = 1;

/// How long something that was begun may stay unfinished before it counts as broken. Only one run at a
/// time makes things at a site, so whoever began it is dead by then, or in the middle of it. Less than the
/// ten minutes that a run waits for what an earlier one began: it then makes it anew instead of giving up.
pub(crate) const UNFINISHED: jiff::SignedDuration = jiff::SignedDuration::from_mins(9);

/// The document beside a thing. `B` is what its kind needs besides.
///
/// In domains and networks it stands as JSON in `<metadata>`, in an element of our [`NAMESPACE`];
/// beside volumes, images, key pairs and firewalls, which have no metadata in libvirt, in a small
/// volume of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Thing<B> {
    version: u32,
    /// The name it was given at creation.
    pub(crate) name: String,
    /// The mark, in its form as tags.
    mark: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "strat_model::Texts::is_empty")]
    pub(crate) labels: Labels,
    /// The digest of what was asked for.
    request: String,
    /// The token of the creating call.
    token: String,
    /// When it was made.
    pub(crate) created: Timestamp,
    /// Where it is in its life.
    #[serde(default)]
    pub(crate) phase: Phase,
    /// What its kind needs besides.
    pub(crate) body: B,
}

/// Where a thing is in its life, where that cannot be seen from libvirt alone.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Phase {
    /// Some of its parts may not be there yet.
    Making,
    /// Whole.
    #[default]
    Made,
    /// Some of its parts may be gone already, since then.
    Leaving { since: Timestamp },
}

/// What a create was given, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Birth<'a> {
    pub(crate) kind: Kind,
    pub(crate) name: &'a str,
    pub(crate) mark: &'a Mark,
    pub(crate) token: &'a Token,
    pub(crate) labels: &'a Labels,
    /// The digest of the spec that was asked for.
    pub(crate) request: &'a str,
    pub(crate) now: Timestamp,
}

/// The digest of a spec that was asked for.
pub(crate) fn request_digest(spec: &Spec<ResourceId>) -> String {
    spec.digest().short().to_owned()
}

impl<B> Thing<B> {
    /// A new thing.
    pub(crate) fn new(birth: Birth<'_>, phase: Phase, body: B) -> Self {
        Self {
            version: VERSION,
            name: birth.name.to_owned(),
            mark: birth.mark.to_tags(),
            labels: birth.labels.clone(),
            request: birth.request.to_owned(),
            token: birth.token.to_string(),
            created: birth.now,
            phase,
            body,
        }
    }

    /// The same thing, of which something else is kept.
    pub(crate) fn with_body<C>(&self, body: C) -> Thing<C> {
        Thing {
            version: self.version,
            name: self.name.clone(),
            mark: self.mark.clone(),
            labels: self.labels.clone(),
            request: self.request.clone(),
            token: self.token.clone(),
            created: self.created,
            phase: self.phase,
            body,
        }
    }

    /// Its mark; `None` where it is damaged.
    pub(crate) fn mark(&self) -> Option<Mark> {
        Mark::from_tags(self.mark.iter().map(|(k, v)| (k.as_str(), v.as_str())))
    }

    /// Writes another mark, or takes off the one that there is.
    pub(crate) fn set_mark(&mut self, mark: Option<&Mark>) {
        self.mark = mark.map(Mark::to_tags).unwrap_or_default();
    }

    /// Whether anything but the mark says that it is ours. A document stands in a file or a network of
    /// ours, under a name and a UUID that nothing else has: no feature of libvirt copies it together
    /// with what it is about, but for a guest (see [`Thing::machine_uuid`]).
    pub(crate) fn witness(&self) -> Witness {
        self.mark().map_or(Witness::Lacking, |_| Witness::Held)
    }

    /// The UUID of the guest that it was written for, if we made that.
    pub(crate) fn machine_uuid(&self) -> String {
        machine_uuid(&self.name, &self.token)
    }

    /// Whether a create that was given the same name is the same create again.
    ///
    /// # Errors
    /// `Precondition` for the same token with another spec, else `AlreadyExists`.
    pub(crate) fn check_repeated(&self, birth: Birth<'_>) -> Result<()> {
        let ours = self
            .mark()
            .is_some_and(|mark| mark.owner == birth.mark.owner);
        if ours && self.request == birth.request {
            return Ok(());
        }
        let (kind, name) = (birth.kind, birth.name);
        if ours && self.token == birth.token.as_str() {
            let message = format!("the {kind} `{name}` was made by this request with another spec");
            return Err(fail(ErrorKind::Precondition, message));
        }
        Err(taken(kind, name))
    }

    /// Whether it was begun, or begun to be deleted, so long ago that nobody will finish it.
    pub(crate) fn is_abandoned(&self, now: Timestamp) -> bool {
        let since = match self.phase {
            Phase::Making => self.created,
            Phase::Leaving { since } => since,
            Phase::Made => return false,
        };
        now.duration_since(since) > UNFINISHED
    }
}

/// The error for a name that something else has.
pub(crate) fn taken(kind: Kind, name: &str) -> strat_model::Error {
    fail(
        ErrorKind::AlreadyExists,
        format!("there is a {kind} `{name}` already, and it is another"),
    )
}

impl<B: Serialize + DeserializeOwned> Thing<B> {
    /// As JSON.
    pub(crate) fn to_json(&self) -> Result<String> {
        serde_json::to_string(self).map_err(|error| {
            fail(
                ErrorKind::Internal,
                format!("`{}` has no JSON form", self.name),
            )
            .with_source(error)
        })
    }

    /// From JSON; `None` where it is damaged or of a version that this program does not know.
    pub(crate) fn from_json(text: &str) -> Option<Self> {
        let thing: Self = serde_json::from_str(text).ok()?;
        (thing.version == VERSION).then_some(thing)
    }

    /// As an element for `<metadata>`.
    pub(crate) fn to_element(&self) -> Result<Element> {
        Ok(Element::leaf("strat:thing", self.to_json()?).with("xmlns:strat", NAMESPACE))
    }

    /// From a domain's or network's XML.
    pub(crate) fn from_xml(document: &Element) -> Option<Self> {
        let metadata = document.child("metadata")?;
        let ours = metadata.children.iter().find(|child| {
            let in_namespace =
                |(key, value): &(String, String)| key.starts_with("xmlns") && value == NAMESPACE;
            child.attributes.iter().any(in_namespace)
        })?;
        Self::from_json(&ours.text)
    }

    /// Puts it into a domain's or network's XML, beside what others keep there.
    pub(crate) fn put_into(&self, document: &mut Element) -> Result<()> {
        let mut metadata = document
            .child("metadata")
            .cloned()
            .unwrap_or_else(|| Element::new("metadata"));
        metadata
            .children
            .retain(|child| !child.attributes.iter().any(|(_, value)| value == NAMESPACE));
        metadata.children.push(self.to_element()?);
        document.put(metadata);
        Ok(())
    }
}

/// A UUID of words: the same for the same words.
pub(crate) fn uuid_of(kind: &str, name: &str) -> String {
    let digest = Digest::of_parts(["stratiform-libvirt", kind, name]);
    let d = digest.as_str();
    // Version 8 ("custom") and the RFC 9562 variant.
    format!(
        "{}-{}-8{}-a{}-{}",
        &d[..8],
        &d[8..12],
        &d[13..16],
        &d[17..20],
        &d[20..32]
    )
}

/// The UUID of a guest: of its name and the token of the call that makes it.
pub(crate) fn machine_uuid(name: &str, token: &str) -> String {
    uuid_of("machine", &format!("{name}:{token}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_of_others_stays() {
        let text = "<network><metadata><o:x xmlns:o=\"urn:o\">1</o:x></metadata></network>";
        let mut document = Element::parse(text).expect("XML");
        let mark = Mark {
            owner: "shop".parse().expect("owner"),
            addr: "network.core@dc1".parse().expect("addr"),
            spec: "x".to_owned(),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: strat_model::Shared::new(),
        };
        let token = Token::derive("p", &mark.addr, 1, 1, 0, "");
        let birth = Birth {
            kind: Kind::Network,
            name: "n",
            mark: &mark,
            token: &token,
            labels: &Labels::from([("city".to_owned(), "<東京>\u{1}".to_owned())]),
            request: "r",
            now: Timestamp::UNIX_EPOCH,
        };
        let thing = Thing::new(birth, Phase::Made, 7_u32);
        for _ in 0..2 {
            thing.put_into(&mut document).expect("JSON");
        }
        let document = Element::parse(&document.to_string()).expect("XML");
        assert_eq!(
            document.at(&["metadata"]).map(|m| m.children.len()),
            Some(2)
        );
        let read = Thing::<u32>::from_xml(&document).expect("ours");
        assert_eq!((&read, read.mark()), (&thing, Some(mark)));
    }

    #[test]
    fn uuids_are_uuids() {
        let uuid = uuid_of("machine", "web");
        assert_eq!(uuid.len(), 36);
        assert_eq!(uuid, uuid_of("machine", "web"));
        assert_ne!(uuid, uuid_of("network", "web"));
    }
}
