//! Reading the settings of a block, and keeping all that is wrong with them.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use strat_model::{LeaseSpec, SiteSpec};

use crate::SettingError;

/// Settings that would hold a credential: named here to say why they are refused.
const SECRETS: [&str; 7] = [
    "access_key",
    "access_key_id",
    "client_secret",
    "password",
    "secret_access_key",
    "secret_key",
    "session_token",
];

/// What every `site` block may have, whatever its provider.
const EVERY: [&str; 6] = [
    "provider", "region", "account", "zones", "capacity", "labels",
];

/// Reads a provider's own settings of one `site` block, or a store's of a `lease` block, one by one.
///
/// What is wrong is kept, and the reading goes on with a default, so that
/// [`finish`](SettingsReader::finish) gives all of it at once. A setting that is `null` is one that
/// is not there.
#[derive(Debug)]
pub struct SettingsReader<'a, S = SiteSpec> {
    spec: &'a S,
    settings: &'a Map<String, Value>,
    /// What the block may have besides, whoever reads it.
    every: &'static [&'static str],
    errors: Vec<SettingError>,
}

impl<'a> SettingsReader<'a> {
    /// For one `site` block.
    #[must_use]
    pub const fn new(spec: &'a SiteSpec) -> Self {
        Self {
            spec,
            settings: &spec.settings,
            every: &EVERY,
            errors: Vec::new(),
        }
    }
}

impl<'a> SettingsReader<'a, LeaseSpec> {
    /// For the `lease` block.
    #[must_use]
    pub const fn of_lease(spec: &'a LeaseSpec) -> Self {
        Self {
            spec,
            settings: &spec.settings,
            every: &["store"],
            errors: Vec::new(),
        }
    }
}

impl<'a, S> SettingsReader<'a, S> {
    /// The block.
    #[must_use]
    pub const fn spec(&self) -> &'a S {
        self.spec
    }

    /// Keeps an error about an attribute; `help` says what to write.
    pub fn fail<'h>(
        &mut self,
        attribute: &str,
        message: impl Into<String>,
        help: impl Into<Option<&'h str>>,
    ) {
        self.errors.push(SettingError {
            attribute: attribute.to_owned(),
            message: message.into(),
            help: help.into().map(str::to_owned),
        });
    }

    /// Whether nothing was wrong so far.
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        self.errors.is_empty()
    }

    /// What a setting says, as it was evaluated.
    #[must_use]
    pub fn value(&self, attribute: &str) -> Option<&'a Value> {
        let value = self.settings.get(attribute)?;
        (!value.is_null()).then_some(value)
    }

    /// A setting of any shape that serde knows, if it is there and right. What is wrong is told with
    /// its path: `stock.e2-small: invalid type: string "x", expected u64`.
    pub fn get<T: DeserializeOwned>(&mut self, attribute: &str) -> Option<T> {
        self.get_or_help(attribute, None)
    }

    /// As [`get`](SettingsReader::get), with what to write instead.
    pub fn get_or_help<T: DeserializeOwned>(
        &mut self,
        attribute: &str,
        help: Option<&str>,
    ) -> Option<T> {
        match serde_path_to_error::deserialize(self.value(attribute)?) {
            Ok(value) => Some(value),
            Err(error) => {
                let path = error.path().to_string();
                let message = match path.as_str() {
                    "." => error.inner().to_string(),
                    path => format!("{path}: {}", error.inner()),
                };
                self.fail(attribute, message, help);
                None
            }
        }
    }

    /// A setting, or its type's default.
    pub fn or_default<T: DeserializeOwned + Default>(&mut self, attribute: &str) -> T {
        self.get(attribute).unwrap_or_default()
    }

    /// A text that is not empty.
    pub fn text(&mut self, attribute: &str) -> Option<String> {
        match self.value(attribute)? {
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            _ => {
                let help = format!("write `{attribute} = \"…\"`, or leave it out");
                let message = "it is a string, and not an empty one";
                self.fail(attribute, message, help.as_str());
                None
            }
        }
    }

    /// Yes or no.
    pub fn flag(&mut self, attribute: &str, default: bool) -> bool {
        match self.value(attribute) {
            None => default,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                let help = "write `true` or `false`, without quotes";
                self.fail(attribute, "it is either true or false", help);
                default
            }
        }
    }

    /// A whole number of milliseconds.
    pub fn milliseconds(&mut self, attribute: &str) -> Option<u64> {
        let value = self.value(attribute)?;
        if value.as_u64().is_none() {
            let help = "write a number of milliseconds, such as `15000`";
            self.fail(attribute, "it is a whole number of milliseconds", help);
        }
        value.as_u64()
    }

    /// One of some words.
    pub fn word<T: Copy>(&mut self, attribute: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(attribute)?;
        let found = words.iter().find(|(word, _)| *word == text);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let help = match nearest(&text, &known) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of `{}`", known.join("`, `")),
            };
            let message = format!("`{text}` is none of the words that it may be");
            self.fail(attribute, message, help.as_str());
        }
        found.map(|(_, meaning)| *meaning)
    }

    /// The address of a server: `http://` or `https://`, a host, and no user. A password that was
    /// written into it is not repeated.
    pub fn endpoint(&mut self, attribute: &str) -> Option<String> {
        let endpoint = self.text(attribute)?;
        let rest = endpoint
            .strip_prefix("http://")
            .or_else(|| endpoint.strip_prefix("https://"));
        if endpoint.contains('@') {
            let help =
                "remove what stands before the `@`; credentials come from the standard chain";
            self.fail(attribute, "an address here holds no user", help);
        } else if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
            let message = format!("`{endpoint}` is not an address");
            self.fail(attribute, message, "write it like `http://127.0.0.1:5000`");
        }
        Some(endpoint)
    }

    /// Refuses what is not among a provider's own settings: `subject` says who knows them, as in
    /// "a site on AWS"; `credentials` says where credentials come from.
    pub fn unknown(&mut self, subject: &str, known: &[&str], credentials: &str) {
        for key in self.settings.keys() {
            if known.contains(&key.as_str()) {
                continue;
            }
            if SECRETS.contains(&key.as_str()) {
                let message = "a topology file never holds a credential";
                self.fail(key, message, credentials);
                continue;
            }
            let all: Vec<&str> = known.iter().chain(self.every).copied().collect();
            let help = match nearest(key, &all) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "remove it".to_owned(),
                None => format!("{subject} knows: {}", known.join(", ")),
            };
            let message = format!("{subject} has no such setting");
            self.fail(key, message, help.as_str());
        }
    }

    /// The settings, unless anything was wrong.
    ///
    /// # Errors
    /// All that was wrong.
    pub fn finish<T>(self, settings: T) -> Result<T, Vec<SettingError>> {
        if self.errors.is_empty() {
            Ok(settings)
        } else {
            Err(self.errors)
        }
    }
}

/// The word that was probably meant.
fn nearest<'w>(word: &str, known: &[&'w str]) -> Option<&'w str> {
    let scored = known
        .iter()
        .map(|known| (strsim::damerau_levenshtein(word, known), *known));
    let near = scored.filter(|(distance, known)| *distance <= 1 + known.len() / 4);
    near.min().map(|(_, known)| known)
}

/// Whether an endpoint is on this machine itself.
#[must_use]
pub fn is_loopback(endpoint: &str) -> bool {
    let rest = endpoint
        .split_once("://")
        .map_or(endpoint, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    let name = match host.strip_prefix('[') {
        Some(address) => address.split(']').next(),
        None => host.split(':').next(),
    };
    let name = name.unwrap_or_default();
    let address = name.parse::<std::net::IpAddr>();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;
    use strat_model::Name;

    use super::*;

    fn spec(settings: Value) -> SiteSpec {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        SiteSpec {
            settings,
            ..SiteSpec::new(Name::new("east").expect("name"), "any")
        }
    }

    fn told(errors: &[SettingError]) -> Vec<String> {
        let told = errors.iter().map(|error| {
            let help = error.help.as_deref().unwrap_or_default();
            format!("{}: {} | {help}", error.attribute, error.message)
        });
        told.collect()
    }

    #[test]
    fn what_is_right_is_read_and_null_is_nothing() {
        let spec = spec(json!({
            "name": "x", "on": false, "wait": 15, "stock": { "small": 4 }, "none": null,
            "mode": "fast", "at": "https://127.0.0.1:1",
        }));
        let mut reader = SettingsReader::new(&spec);
        assert_eq!(reader.text("name").as_deref(), Some("x"));
        assert!(!reader.flag("on", true) && reader.flag("none", true));
        assert_eq!(reader.milliseconds("wait"), Some(15));
        assert_eq!(reader.milliseconds("none"), None);
        let stock: BTreeMap<String, u64> = reader.or_default("stock");
        assert_eq!(stock["small"], 4);
        assert_eq!(reader.word("mode", &[("slow", 1), ("fast", 2)]), Some(2));
        assert_eq!(
            reader.endpoint("at").as_deref(),
            Some("https://127.0.0.1:1")
        );
        let known = ["name", "on", "wait", "stock", "none", "mode", "at"];
        reader.unknown("a site of tests", &known, "");
        assert_eq!(reader.finish(7), Ok(7));
    }

    #[test]
    fn all_that_is_wrong_is_said_at_its_place_and_no_password_is_repeated() {
        let spec = spec(json!({
            "name": " ", "on": "yes", "wait": 1.5, "stock": { "small": "four" },
            "mode": "fats", "at": "http://me:hush@host", "regoin": 1, "zebra": 1,
            "secret_key": "hush",
        }));
        let mut reader = SettingsReader::new(&spec);
        assert_eq!(reader.text("name"), None);
        assert!(reader.flag("on", true));
        assert_eq!(reader.milliseconds("wait"), None);
        let stock: BTreeMap<String, u64> = reader.or_default("stock");
        assert!(stock.is_empty());
        assert_eq!(reader.word("mode", &[("slow", 1), ("fast", 2)]), None);
        let _ = reader.endpoint("at");
        let known = ["name", "on", "wait", "stock", "mode", "at"];
        reader.unknown("a site of tests", &known, "credentials stand elsewhere");
        let errors = reader.finish(()).expect_err("errors");
        let told = told(&errors);
        let wanted = [
            "name: it is a string, and not an empty one | write `name = \"…\"`, or leave it out",
            "on: it is either true or false | write `true` or `false`, without quotes",
            "wait: it is a whole number of milliseconds | write a number of milliseconds, such as `15000`",
            "stock: small: invalid type: string \"four\", expected u64 | ",
            "mode: `fats` is none of the words that it may be | did you mean `fast`?",
            "at: an address here holds no user | remove what stands before the `@`; credentials come from the standard chain",
            "regoin: a site of tests has no such setting | did you mean `region`?",
            "secret_key: a topology file never holds a credential | credentials stand elsewhere",
            "zebra: a site of tests has no such setting | a site of tests knows: name, on, wait, stock, mode, at",
        ];
        assert_eq!(told, wanted);
    }

    #[test]
    fn an_endpoint_of_this_machine_is_known() {
        for ours in [
            "http://127.0.0.1:5000",
            "https://localhost/x",
            "http://[::1]:5000",
        ] {
            assert!(is_loopback(ours), "{ours}");
        }
        for other in ["https://ec2.eu-central-1.amazonaws.com", "http://10.0.0.1"] {
            assert!(!is_loopback(other), "{other}");
        }
    }
}
