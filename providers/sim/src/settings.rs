//! The settings of a `site` block, and what is wrong with them.

use std::path::PathBuf;

use serde::de::DeserializeOwned;
use serde_json::Value;
use strat_model::SiteSpec;
use strat_provider::SettingError;

use crate::{Behaviour, Profile, SimSite};

/// What the settings of a `site` block come to.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) site: SimSite,
    /// The folder of the world, as it was written.
    pub(crate) world: Option<PathBuf>,
    pub(crate) seed: u64,
}

const KNOWN: [&str; 13] = [
    "consistency_ms",
    "create_ms",
    "delete_ms",
    "faults",
    "latency_ms",
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
        let mut reader = Reader::new(spec);
        let profile = reader.profile();
        let region = spec.region.clone().unwrap_or_else(|| {
            if profile != Profile::Onprem {
                let message = format!("a site with the profile `{profile}` needs a region");
                reader.fail(
                    "region",
                    message,
                    Some("add `region = \"us-east-1\"`".to_owned()),
                );
            }
            spec.name.to_string()
        });
        let mut site = SimSite::new(spec.name.clone(), profile, &region);
        if let Some(account) = &spec.account {
            site.account.clone_from(account);
        }
        reader.behaviour(&mut site.behaviour);
        let (mut world, mut seed) = (None, 0);
        reader.set("world", &mut world);
        reader.set("seed", &mut seed);
        reader.check_place(spec, &mut site);
        reader.unknown();
        if reader.errors.is_empty() {
            Ok(Self { site, world, seed })
        } else {
            Err(reader.errors)
        }
    }
}

/// Reads settings one by one and keeps all errors.
struct Reader<'a> {
    spec: &'a SiteSpec,
    errors: Vec<SettingError>,
}

impl<'a> Reader<'a> {
    const fn new(spec: &'a SiteSpec) -> Self {
        Self {
            spec,
            errors: Vec::new(),
        }
    }

    fn fail(&mut self, attribute: &str, message: impl Into<String>, help: Option<String>) {
        self.errors.push(SettingError {
            attribute: attribute.to_owned(),
            message: message.into(),
            help,
        });
    }

    fn profile(&mut self) -> Profile {
        let choices = "write one of `aws`, `azure`, `gcp`, `onprem`";
        match self.spec.settings.get("profile") {
            None => Profile::Aws,
            Some(Value::String(word)) => Profile::parse(word).unwrap_or_else(|| {
                let near = nearest(word, Profile::ALL.iter().map(|p| p.as_str()));
                let help =
                    near.map_or(choices.to_owned(), |near| format!("did you mean `{near}`?"));
                self.fail(
                    "profile",
                    format!("there is no profile `{word}`"),
                    Some(help),
                );
                Profile::Aws
            }),
            Some(_) => {
                self.fail("profile", "a profile is a string", Some(choices.to_owned()));
                Profile::Aws
            }
        }
    }

    fn set<T: DeserializeOwned>(&mut self, attribute: &str, target: &mut T) {
        let Some(value) = self.spec.settings.get(attribute) else {
            return;
        };
        match serde_json::from_value(whole(value)) {
            Ok(value) => *target = value,
            Err(error) => self.fail(attribute, error.to_string(), None),
        }
    }

    fn behaviour(&mut self, behaviour: &mut Behaviour) {
        self.set("latency_ms", &mut behaviour.latency_ms);
        self.set("create_ms", &mut behaviour.create_ms);
        self.set("delete_ms", &mut behaviour.delete_ms);
        self.set("consistency_ms", &mut behaviour.consistency_ms);
        self.set("rate_per_second", &mut behaviour.rate_per_second);
        self.set("page_size", &mut behaviour.page_size);
        self.set("stock", &mut behaviour.stock);
        self.set("quotas", &mut behaviour.quotas);
        self.share("lost_answers", &mut behaviour.lost_answers);
        self.share("faults", &mut behaviour.faults);
        if behaviour.page_size == Some(0) {
            self.fail("page_size", "a page holds at least one thing", None);
        }
    }

    fn share(&mut self, attribute: &str, target: &mut f64) {
        self.set(attribute, target);
        if !(0.0..=1.0).contains(target) {
            let help = "write a share such as `0.05`".to_owned();
            self.fail(attribute, "it is not between 0 and 1", Some(help));
        }
    }

    fn check_place(&mut self, spec: &SiteSpec, site: &mut SimSite) {
        if site.account.is_empty() || site.account.contains('/') {
            self.fail("account", "an account is a word without `/`", None);
        }
        if !spec.zones.is_empty() {
            *site = site.clone().in_zones(spec.zones.iter().cloned());
        } else if site.zones.is_empty() {
            let message = format!("no zone name can be made of the region `{}`", site.region);
            self.fail(
                "region",
                message,
                Some("name the zones with `zones`".to_owned()),
            );
        }
        if spec.capacity.is_some() && site.profile != Profile::Onprem {
            let message = format!(
                "a site with the profile `{}` is as large as it likes",
                site.profile
            );
            let help = "remove it, or set `profile = \"onprem\"`".to_owned();
            self.fail("capacity", message, Some(help));
        }
        site.capacity = spec.capacity;
    }

    fn unknown(&mut self) {
        let unknown: Vec<_> = self
            .spec
            .settings
            .keys()
            .filter(|k| !KNOWN.contains(&k.as_str()))
            .collect();
        for key in unknown {
            let every = ["provider", "region", "zones", "capacity"];
            let help = match nearest(key, KNOWN.into_iter().chain(every)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("the simulator knows: {}", KNOWN.join(", ")),
            };
            self.fail(key, "the simulator has no such setting", Some(help));
        }
    }
}

/// Numbers of a topology may come as `3.0`; a count wants `3`.
fn whole(value: &Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(n) if n.fract() == 0.0 && (0.0..9e15).contains(&n) && !number.is_u64() => {
                format!("{n:.0}")
                    .parse::<u64>()
                    .map_or_else(|_| value.clone(), Value::from)
            }
            _ => value.clone(),
        },
        Value::Object(map) => map.iter().map(|(k, v)| (k.clone(), whole(v))).collect(),
        _ => value.clone(),
    }
}

fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use strat_model::{Name, SiteCapacity};

    use super::*;

    fn spec(settings: Value) -> SiteSpec {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        SiteSpec {
            name: Name::new("east").expect("name"),
            provider: "sim".to_owned(),
            region: Some("us-east-1".to_owned()),
            account: None,
            zones: Vec::new(),
            capacity: None,
            labels: strat_model::Labels::new(),
            settings,
            origin: None,
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
            "profile": "gcp", "world": "w", "seed": 3.0, "latency_ms": 0,
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
    fn only_owned_hardware_has_a_capacity() {
        let mut site = spec(json!({ "profile": "aws" }));
        site.capacity = Some(SiteCapacity {
            cpu: 4,
            memory: strat_model::Bytes::gib(4),
            disk: None,
        });
        assert_eq!(
            Settings::parse(&site).expect_err("error")[0].attribute,
            "capacity"
        );
        site.settings.insert("profile".to_owned(), json!("onprem"));
        assert!(Settings::parse(&site).is_ok());
    }
}
