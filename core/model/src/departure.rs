//! What a provider sets up beyond the fields of a spec, where it is not so any more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Resource;

/// The beginning of the attributes that say it.
const PREFIX: &str = "setup.";

/// Something that a provider sees to beyond the fields of a spec, such as that a guest starts with its
/// host, and that is not so: somebody changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Departure {
    /// What is so.
    pub is: String,
    /// What ought to be.
    pub ought: String,
    /// Why an update does not make it good; `None` where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays: Option<String>,
    /// Whether it never was so: its making was cut off. Nobody else changed it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unfinished: bool,
}

impl Departure {
    /// One that an update makes good.
    #[must_use]
    pub fn new(is: impl Into<String>, ought: impl Into<String>) -> Self {
        Self {
            is: is.into(),
            ought: ought.into(),
            stays: None,
            unfinished: false,
        }
    }

    /// The same, of what never was so because its making was cut off.
    #[must_use]
    pub const fn unfinished(mut self) -> Self {
        self.unfinished = true;
        self
    }

    /// The same, which is left as it is, and why.
    #[must_use]
    pub fn staying(mut self, why: impl Into<String>) -> Self {
        self.stays = Some(why.into());
        self
    }
}

impl Resource {
    /// Says of something that the provider sees to (`autostart`, `metadata tokens`) that it is not so.
    pub fn depart(&mut self, what: &str, departure: &Departure) {
        if let Ok(text) = serde_json::to_string(departure) {
            self.attributes.insert(format!("{PREFIX}{what}"), text);
        }
    }

    /// Whether something that its provider sees to beyond its fields is not so.
    #[must_use]
    pub fn departs(&self) -> bool {
        let mut names = self.attributes.iter().map(|(name, _)| name);
        names.any(|name| name.starts_with(PREFIX))
    }

    /// What of that is not so, by what it is about.
    #[must_use]
    pub fn departures(&self) -> BTreeMap<&str, Departure> {
        let known = self.attributes.iter().filter_map(|(name, text)| {
            let what = name.strip_prefix(PREFIX)?;
            Some((what, serde_json::from_str(text).ok()?))
        });
        known.collect()
    }

    /// Whether all of it never was so: its making was cut off.
    #[must_use]
    pub fn is_unfinished(&self) -> bool {
        let departures = self.departures();
        !departures.is_empty() && departures.values().all(|one| one.unfinished)
    }

    /// Why none of it can be made good. `None` where some can, which is made good first.
    #[must_use]
    pub fn stays_departed(&self) -> Option<String> {
        let departures = self.departures();
        let why = departures.iter().map(|(what, one)| {
            let (is, ought, why) = (&one.is, &one.ought, one.stays.as_ref()?);
            Some(format!("{what} is {is} and not {ought}: {why}"))
        });
        let why: Option<Vec<String>> = why.collect();
        why.filter(|why| !why.is_empty()).map(|why| why.join("; "))
    }

    /// The same thing once all of that is made good.
    #[must_use]
    pub fn set_up(mut self) -> Self {
        if self.departs() {
            let mut kept = std::mem::take(&mut self.attributes);
            kept.retain(|name, _| !name.starts_with(PREFIX));
            self.attributes = kept;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Mark, NetworkSpec, ResourceId, Spec};

    #[test]
    fn what_departs_is_said_and_made_good() {
        let spec = Spec::Network(NetworkSpec {
            cidr: "10.0.0.0/16".parse().expect("a range"),
            labels: crate::Labels::new(),
        });
        let mark = Mark {
            owner: "shop".parse().expect("owner"),
            addr: "network.core@dc1".parse().expect("addr"),
            spec: "x".to_owned(),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: crate::Shared::new(),
        };
        let mut network = Resource::kept(ResourceId::from("n"), "n", spec, &mark);
        let plain = network.clone();
        assert!(!network.departs());
        let dns = Departure::new("off", "on");
        network.depart("dns", &dns);
        let gone = Departure::new("gone", "there").staying("nobody knows where");
        network.depart("kvm2", &gone);
        assert!(network.departs());
        assert_eq!(network.stays_departed(), None, "the first can be made good");
        assert_eq!(
            network.departures(),
            BTreeMap::from([("dns", dns), ("kvm2", gone)])
        );
        assert_eq!(network.set_up(), plain);
    }
}
