//! What is to fail.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use stratiform::engine::Observation;
use stratiform::model::{Intent, Name, Resource};

use crate::Error;

/// Something that is to fail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loss {
    /// `site.east`: it gives no answer any more.
    Site(Name),
    /// `site.east/us-east-1a`, or `zone.east.us-east-1a`: its machines are broken, and nothing can
    /// be had there.
    Zone(Name, Name),
    /// `provider.aws`: every site of it.
    Provider(String),
}

impl FromStr for Loss {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let name = |text: &str| Name::new(text).map_err(|error| error.to_string());
        let zone = |pair: Option<(&str, &str)>| match pair {
            Some((site, zone)) => Ok(Self::Zone(name(site)?, name(zone)?)),
            None => Err(format!(
                "`{text}` names no zone; write it as `zone.SITE.ZONE`"
            )),
        };
        match text.split_once('.') {
            Some(("site", rest)) if rest.contains('/') => zone(rest.split_once('/')),
            Some(("site", rest)) => Ok(Self::Site(name(rest)?)),
            Some(("zone", rest)) => zone(rest.split_once('/').or_else(|| rest.split_once('.'))),
            Some(("provider", rest)) if !rest.is_empty() => Ok(Self::Provider(rest.to_owned())),
            _ => Err(
                "write it as `site.NAME`, `zone.SITE.ZONE` (or `site.NAME/ZONE`) or `provider.NAME`"
                    .to_owned(),
            ),
        }
    }
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Site(site) => write!(f, "site.{site}"),
            Self::Zone(site, zone) => write!(f, "zone.{site}.{zone}"),
            Self::Provider(provider) => write!(f, "provider.{provider}"),
        }
    }
}

/// What fails, site by site and zone by zone.
#[derive(Debug, Default)]
pub(crate) struct Lost {
    pub(crate) sites: BTreeSet<Name>,
    /// Zones of other sites than those.
    pub(crate) zones: BTreeSet<(Name, Name)>,
}

impl Lost {
    /// What losses come to, in a topology as it was observed.
    pub(crate) fn of(losses: &[Loss], intent: &Intent, seen: &Observation) -> Result<Self, Error> {
        if losses.is_empty() {
            return Err(Error::NothingFails);
        }
        let known = |site: &Name| {
            let names = intent.sites.keys().map(ToString::to_string);
            match intent.sites.contains_key(site) {
                true => Ok(()),
                false => Err(unknown("site", site.as_str(), names.collect())),
            }
        };
        let mut lost = Self::default();
        for loss in losses {
            match loss {
                Loss::Site(site) => {
                    known(site)?;
                    lost.sites.insert(site.clone());
                }
                Loss::Zone(site, zone) => {
                    known(site)?;
                    let zones = match seen.facts.get(site) {
                        Some(facts) => &facts.zones,
                        None => &intent.sites[site].zones,
                    };
                    if !zones.contains(zone) {
                        let names = zones.iter().map(|zone| format!("{site}.{zone}"));
                        let name = format!("{site}.{zone}");
                        return Err(unknown("zone", &name, names.collect()));
                    }
                    lost.zones.insert((site.clone(), zone.clone()));
                }
                Loss::Provider(provider) => {
                    let all = intent.sites.values();
                    let sites = all.clone().filter(|site| site.provider == *provider);
                    let names: BTreeSet<Name> = sites.map(|site| site.name.clone()).collect();
                    if names.is_empty() {
                        let known: BTreeSet<_> = all.map(|site| site.provider.clone()).collect();
                        return Err(unknown("provider", provider, known.into_iter().collect()));
                    }
                    lost.sites.extend(names);
                }
            }
        }
        let Self { sites, zones } = &mut lost;
        zones.retain(|(site, _)| !sites.contains(site));
        Ok(lost)
    }

    /// Whether a thing at a site goes down with it or with its zone. A subnet is a range, which
    /// stays where it is.
    pub(crate) fn takes(&self, site: &Name, thing: &Resource) -> bool {
        let zonal = |zone: &Name| {
            let is_range = thing.kind() == stratiform::model::Kind::Subnet;
            !is_range && self.zones.contains(&(site.clone(), zone.clone()))
        };
        self.sites.contains(site) || thing.zone().is_some_and(zonal)
    }
}

fn unknown(what: &'static str, name: &str, known: Vec<String>) -> Error {
    let distance = |other: &String| strsim::damerau_levenshtein(name, other);
    let near = known.iter().map(|other| (distance(other), other));
    let nearest = near
        .filter(|(distance, other)| *distance <= 1 + other.len() / 4)
        .min()
        .map(|(_, other)| other.clone());
    Error::Unknown {
        what,
        name: name.to_owned(),
        nearest,
        known,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_losses() {
        let check = |text: &str, expect: &str| {
            let loss: Loss = text.parse().expect(text);
            assert_eq!(loss.to_string(), expect);
        };
        check("site.east", "site.east");
        check("zone.east.us-east-1a", "zone.east.us-east-1a");
        check("site.east/us-east-1a", "zone.east.us-east-1a");
        check("zone.east/rack.1", "zone.east.rack.1");
        check("provider.aws", "provider.aws");
        for text in ["east", "site.", "zone.east", "provider.", "machine.db"] {
            assert!(text.parse::<Loss>().is_err(), "{text}");
        }
    }
}
