//! Things that others own and that a topology refers to: never made, changed, marked or deleted.

use std::collections::BTreeSet;
use std::fmt;

use ipnet::Ipv4Net;
use serde::{Deserialize, Serialize};

use crate::{
    Addr, Labels, LocalAddr, Name, Origin, Owner, Resource, ResourceId, ResourceState, Spec,
};

/// A block with a `lookup` in it: it stands for a thing that others own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupIntent {
    /// What the topology calls it.
    pub addr: LocalAddr,
    /// Where it is.
    pub site: Name,
    /// What it is known by.
    pub by: LookupBy,
    /// Where the `lookup` stands.
    pub origin: Option<Origin>,
}

/// What a thing of others is known by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LookupBy {
    /// Its cloud's id.
    Id(ResourceId),
    /// All of these.
    Having {
        /// The name that its cloud shows.
        name: Option<String>,
        /// Labels that it has, besides others.
        labels: Labels,
    },
}

impl LookupBy {
    /// Whether a thing is meant.
    #[must_use]
    pub fn fits(&self, thing: &Resource) -> bool {
        match self {
            Self::Id(id) => thing.id == *id,
            Self::Having { name, labels } => {
                let own = thing.spec.labels();
                name.as_ref().is_none_or(|name| *name == thing.name)
                    && labels
                        .iter()
                        .all(|(key, value)| own.get(key) == Some(value))
            }
        }
    }
}

/// `with the id x`, or `named x with tier=app`.
impl fmt::Display for LookupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => write!(f, "with the id `{id}`"),
            Self::Having { name, labels } => {
                let labels: Vec<String> = labels
                    .iter()
                    .map(|(key, value)| format!("`{key} = {value}`"))
                    .collect();
                let labels = labels.join(" and ");
                match name {
                    Some(name) if labels.is_empty() => write!(f, "named `{name}`"),
                    Some(name) => write!(f, "named `{name}` with {labels}"),
                    None => write!(f, "with {labels}"),
                }
            }
        }
    }
}

/// What came of looking for a thing of others at a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookedUp {
    /// What the topology calls it.
    pub addr: LocalAddr,
    /// What there is.
    pub found: Found,
}

/// What a site has of what was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Found {
    /// The thing; of a subnet where each zone has its own, one in each of some zones.
    Things {
        /// The thing, or things, sorted by zone.
        things: Vec<Resource>,
        /// Of a network: the ranges of the subnets in it that are not the topology's.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        taken: Vec<Ipv4Net>,
    },
    /// Nothing is like that.
    Missing,
    /// Several are like that.
    Ambiguous {
        /// Their ids.
        ids: Vec<ResourceId>,
    },
    /// It carries the mark of this very topology.
    Own {
        /// Its id.
        id: ResourceId,
        /// What it is in this topology.
        addr: Addr,
    },
    /// The site's provider has nothing of the kind.
    Unsupported,
    /// It could not be looked for.
    Unseen {
        /// Why.
        why: String,
    },
}

impl Found {
    /// What is meant among all that is there of the kind, for a topology of `owner` that has let go of
    /// `removed`.
    #[must_use]
    pub fn among(
        lookup: &LookupIntent,
        all: &[Resource],
        owner: &Owner,
        removed: &[LocalAddr],
    ) -> Self {
        let there = all
            .iter()
            .filter(|thing| thing.state != ResourceState::Deleting && lookup.by.fits(thing));
        let mut things: Vec<Resource> = there.cloned().collect();
        things.sort_by(|a, b| (a.zone(), &a.id).cmp(&(b.zone(), &b.id)));
        let own = things.iter().find_map(|thing| {
            let mark = thing.mark.as_ref().filter(|mark| owner.owns(&mark.owner))?;
            (!removed.contains(&mark.addr.local)).then(|| Self::Own {
                id: thing.id.clone(),
                addr: mark.addr.clone(),
            })
        });
        if let Some(own) = own {
            return own;
        }
        if things.is_empty() {
            return Self::Missing;
        }
        if things.len() > 1 && !is_one_a_zone(&things) {
            let ids = things.into_iter().map(|thing| thing.id).collect();
            return Self::Ambiguous { ids };
        }
        for thing in &mut things {
            let range = match &thing.spec {
                Spec::Network(spec) => spec.cidr,
                Spec::Subnet(spec) => spec.cidr,
                _ => continue,
            };
            thing
                .attributes
                .insert("cidr".to_owned(), range.to_string());
        }
        Self::Things {
            things,
            taken: Vec::new(),
        }
    }
}

/// Whether these are subnets, each in a zone of its own.
fn is_one_a_zone(things: &[Resource]) -> bool {
    let zones: BTreeSet<&Name> = things
        .iter()
        .filter_map(|thing| match &thing.spec {
            Spec::Subnet(subnet) => subnet.zone.as_ref(),
            _ => None,
        })
        .collect();
    zones.len() == things.len()
}

impl LookedUp {
    /// What was found at `site`, each with its address: that of a subnet that is in one zone has the
    /// zone in it, as one of the topology's own.
    pub fn things<'a>(&'a self, site: &'a Name) -> impl Iterator<Item = (Addr, &'a Resource)> {
        let things = match &self.found {
            Found::Things { things, .. } => things.as_slice(),
            Found::Missing
            | Found::Ambiguous { .. }
            | Found::Own { .. }
            | Found::Unsupported
            | Found::Unseen { .. } => &[],
        };
        things.iter().map(move |thing| {
            let addr = self.addr.at(site);
            let addr = match &thing.spec {
                Spec::Subnet(subnet) => match &subnet.zone {
                    Some(zone) => addr.in_zone(zone),
                    None => addr,
                },
                _ => addr,
            };
            (addr, thing)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Attributes, NetworkSpec, SubnetSpec, Witness};

    fn thing(id: &str, name: &str, spec: Spec<ResourceId>) -> Resource {
        Resource {
            id: ResourceId::from(id),
            name: name.to_owned(),
            mark: None,
            witness: Witness::Lacking,
            state: ResourceState::Ready,
            spec,
            attributes: Attributes::new(),
            created: None,
        }
    }

    fn network(id: &str, name: &str, labels: &[(&str, &str)]) -> Resource {
        let labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        let cidr = "10.0.0.0/16".parse().expect("a range");
        let labels: Labels = labels.collect();
        thing(id, name, Spec::Network(NetworkSpec { cidr, labels }))
    }

    fn subnet(id: &str, zone: &str) -> Resource {
        let spec = SubnetSpec {
            network: ResourceId::from("vpc-1"),
            cidr: "10.0.0.0/24".parse().expect("a range"),
            zone: Some(Name::new(zone).expect("a name")),
            internet: None,
            labels: Labels::new(),
        };
        thing(id, "app", Spec::Subnet(spec))
    }

    fn lookup(addr: &str, by: LookupBy) -> LookupIntent {
        LookupIntent {
            addr: addr.parse().expect("an address"),
            site: Name::new("east").expect("a name"),
            by,
            origin: None,
        }
    }

    fn named(name: &str, labels: &[(&str, &str)]) -> LookupBy {
        let labels = labels
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        LookupBy::Having {
            name: (!name.is_empty()).then(|| name.to_owned()),
            labels: labels.collect(),
        }
    }

    fn owner() -> Owner {
        Owner {
            realm: None,
            topology: Name::new("shop").expect("a name"),
            lineage: None,
        }
    }

    #[test]
    fn one_is_found_none_is_missing_and_two_are_ambiguous() {
        let all = [
            network("vpc-1", "corp", &[("env", "prod"), ("team", "net")]),
            network("vpc-2", "corp", &[("env", "test")]),
        ];
        let found = |by| Found::among(&lookup("network.corp", by), &all, &owner(), &[]);
        let ids = |found: &Found| match found {
            Found::Things { things, .. } => {
                things.iter().map(|t| t.id.to_string()).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(ids(&found(LookupBy::Id("vpc-2".into()))), ["vpc-2"]);
        assert_eq!(ids(&found(named("corp", &[("env", "prod")]))), ["vpc-1"]);
        assert_eq!(ids(&found(named("", &[("env", "test")]))), ["vpc-2"]);
        assert_eq!(found(named("other", &[])), Found::Missing);
        assert_eq!(found(LookupBy::Id("vpc-3".into())), Found::Missing);
        let both = Found::Ambiguous {
            ids: vec!["vpc-1".into(), "vpc-2".into()],
        };
        assert_eq!(found(named("corp", &[])), both);
    }

    #[test]
    fn a_subnet_may_be_one_in_each_zone() {
        let intent = lookup("subnet.app", named("app", &[]));
        let two = [subnet("s-2", "b"), subnet("s-1", "a")];
        let found = Found::among(&intent, &two, &owner(), &[]);
        let seen = LookedUp {
            addr: intent.addr.clone(),
            found,
        };
        let addrs: Vec<String> = seen
            .things(&intent.site)
            .map(|(addr, thing)| format!("{addr} {}", thing.id))
            .collect();
        assert_eq!(addrs, ["subnet.app@east/a s-1", "subnet.app@east/b s-2"]);
        let twice = [subnet("s-1", "a"), subnet("s-2", "a")];
        let found = Found::among(&intent, &twice, &owner(), &[]);
        assert!(matches!(found, Found::Ambiguous { .. }), "{found:?}");
    }
}
