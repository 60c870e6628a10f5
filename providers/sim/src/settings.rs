//! The settings of a `site` block, and what is wrong with them.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use strat_model::SiteSpec;
use strat_provider::{SettingError, SettingsReader};

use crate::{Behaviour, Profile, SimSite};

/// What the settings of a `site` block come to.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) site: SimSite,
    /// The folder of the world, as it was written.
    pub(crate) world: Option<PathBuf>,
    pub(crate) seed: u64,
}

const KNOWN: [&str; 16] = [
    "consistency_ms",
    "create_ms",
    "delete_ms",
    "faults",
    "latency_ms",
    "lease_lag_ms",
    "lease_term_ms",
    "leases",
    "lost_answers",
    "page_size",
    "profile",
    "quotas",
    "rate_per_second",
    "seed",
    "stock",
    "world",
];

impl Settings {
    /// Reads a `site` block, or says all that is wrong with it.
    pub(crate) fn parse(spec: &SiteSpec) -> Result<Self, Vec<SettingError>> {
        let mut reader = SettingsReader::new(spec);
        // What a profile needs, and what it has no use for, is told only of one that there is.
        let known = profile(&mut reader);
        let profile = known.unwrap_or(Profile::Aws);
        let region = spec.region.clone().unwrap_or_else(|| {
            if known.is_some_and(|known| known != Profile::Onprem) {
                let message = format!("a site with the profile `{profile}` needs a region");
                reader.fail("region", message, "add `region = \"us-east-1\"`");
            }
            spec.name.to_string()
        });
        let mut site = SimSite::new(spec.name.clone(), profile, &region);
        if let Some(account) = &spec.account {
            site.account.clone_from(account);
        }
        behaviour(&mut reader, &mut site.behaviour);
        let world = reader.get("world");
        let seed = reader.or_default("seed");
        if known.is_some() {
            check_place(&mut reader, &mut site);
        }
        let credentials = "remove it: the simulator asks for none";
        reader.unknown("the simulator", &KNOWN, credentials);
        reader.finish(Self { site, world, seed })
    }
}

/// The profile, or `None` where it is none that there is.
fn profile(reader: &mut SettingsReader<'_>) -> Option<Profile> {
    let words = Profile::ALL.map(|profile| (profile.as_str(), profile));
    match reader.value("profile") {
        None => Some(Profile::Aws),
        Some(_) => reader.word("profile", &words),
    }
}

fn behaviour(reader: &mut SettingsReader<'_>, behaviour: &mut Behaviour) {
    set(reader, "latency_ms", &mut behaviour.latency_ms);
    set(reader, "create_ms", &mut behaviour.create_ms);
    set(reader, "delete_ms", &mut behaviour.delete_ms);
    set(reader, "consistency_ms", &mut behaviour.consistency_ms);
    behaviour.leases = reader.get("leases").or(behaviour.leases);
    set(reader, "lease_lag_ms", &mut behaviour.lease_lag_ms);
    behaviour.lease_term_ms = reader.get("lease_term_ms").or(behaviour.lease_term_ms);
    set(reader, "stock", &mut behaviour.stock);
    set(reader, "quotas", &mut behaviour.quotas);
    share(reader, "lost_answers", &mut behaviour.lost_answers);
    share(reader, "faults", &mut behaviour.faults);
    behaviour.rate_per_second = reader.get("rate_per_second").or(behaviour.rate_per_second);
    behaviour.page_size = reader.get("page_size").or(behaviour.page_size);
    if behaviour.page_size == Some(0) {
        reader.fail("page_size", "a page holds at least one thing", None);
    }
}

/// Sets what a setting says, and leaves what is not set.
fn set<T: DeserializeOwned>(reader: &mut SettingsReader<'_>, attribute: &str, target: &mut T) {
    if let Some(value) = reader.get(attribute) {
        *target = value;
    }
}

fn share(reader: &mut SettingsReader<'_>, attribute: &str, target: &mut f64) {
    set(reader, attribute, target);
    if !(0.0..=1.0).contains(target) {
        let help = "write a share such as `0.05`";
        reader.fail(attribute, "it is not between 0 and 1", help);
    }
}

fn check_place(reader: &mut SettingsReader<'_>, site: &mut SimSite) {
    let spec = reader.spec();
    if site.account.is_empty() || site.account.contains('/') {
        reader.fail("account", "an account is a word without `/`", None);
    }
    if !spec.zones.is_empty() {
        *site = site.clone().in_zones(spec.zones.iter().cloned());
    } else if site.zones.is_empty() {
        let message = format!("no zone name can be made of the region `{}`", site.region);
        reader.fail("region", message, "name the zones with `zones`");
    }
    if spec.capacity.is_some() && site.profile != Profile::Onprem {
        let message = format!(
            "a site with the profile `{}` is as large as it likes",
            site.profile
        );
        let help = "remove it, or set `profile = \"onprem\"`";
        reader.fail("capacity", message, help);
    }
    site.capacity.clone_from(&spec.capacity);
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use strat_model::{Name, SiteCapacity};

    use super::*;

    fn spec(settings: Value) -> SiteSpec {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        SiteSpec {
            region: Some("us-east-1".to_owned()),
            settings,
            ..SiteSpec::new(Name::new("east").expect("name"), "sim")
        }
    }

    #[test]
    fn the_guide_tells_of_every_setting() {
        let guide = include_str!("../../../docs/language.md");
        for setting in KNOWN {
            assert!(guide.contains(&format!("\n| `{setting}` | ")), "{setting}");
        }
    }

    #[test]
    fn settings_are_read() {
        let settings = Settings::parse(&spec(json!({
            "profile": "gcp", "world": "w", "seed": 3, "latency_ms": 0,
            "stock": { "e2-small": 4 }, "lost_answers": 0.5,
        })))
        .expect("settings");
        assert_eq!(settings.site.profile, Profile::Gcp);
        assert_eq!((settings.seed, settings.site.behaviour.latency_ms), (3, 0));
        assert_eq!(settings.site.behaviour.stock["e2-small"], 4);
        assert_eq!(settings.world, Some(PathBuf::from("w")));
    }

    #[test]
    fn all_that_is_wrong_is_said() {
        let errors = Settings::parse(&spec(json!({
            "profile": "awz", "latencyms": 3, "faults": 2, "seed": "x", "endpoint": "y",
        })))
        .expect_err("errors");
        let text: Vec<_> = errors
            .iter()
            .map(|e| {
                format!(
                    "{}: {} | {}",
                    e.attribute,
                    e.message,
                    e.help.as_deref().unwrap_or("")
                )
            })
            .collect();
        assert_eq!(errors.len(), 5, "{text:#?}");
        assert!(
            text.iter().any(|t| t.contains("did you mean `aws`?")),
            "{text:#?}"
        );
        assert!(
            text.iter()
                .any(|t| t.contains("did you mean `latency_ms`?")),
            "{text:#?}"
        );
        assert!(
            text.iter()
                .any(|t| t.contains("the simulator knows: consistency_ms")),
            "{text:#?}"
        );
    }

    #[test]
    fn an_unknown_profile_is_all_that_is_said_of_it() {
        let mut site = spec(json!({ "profile": "onprm" }));
        site.region = None;
        site.capacity = Some(SiteCapacity {
            cpu: 4,
            memory: strat_model::Bytes::gib(4),
            disk: None,
            gpus: std::collections::BTreeMap::new(),
        });
        let errors = Settings::parse(&site).expect_err("an error");
        assert_eq!(errors.len(), 1, "{errors:#?}");
        assert_eq!(errors[0].attribute, "profile");
    }

    #[test]
    fn only_owned_hardware_has_a_capacity() {
        let mut site = spec(json!({ "profile": "aws" }));
        site.capacity = Some(SiteCapacity {
            cpu: 4,
            memory: strat_model::Bytes::gib(4),
            disk: None,
            gpus: std::collections::BTreeMap::new(),
        });
        assert_eq!(
            Settings::parse(&site).expect_err("error")[0].attribute,
            "capacity"
        );
        site.settings.insert("profile".to_owned(), json!("onprem"));
        assert!(Settings::parse(&site).is_ok());
    }
}
