//! The settings of a `site` block.

use std::collections::BTreeMap;

use serde_json::Value;
use strat_model::{Name, SiteSpec};
use strat_provider::SettingError;

/// What a `site` block says, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The site's name.
    pub(crate) site: Name,
    /// The region.
    pub(crate) region: String,
    /// The zones to use; empty for all that the account has there.
    pub(crate) zones: Vec<Name>,
    /// The profile of the shared configuration files.
    pub(crate) profile: Option<String>,
    /// The role to take on with the credentials found.
    pub(crate) assume_role: Option<String>,
    /// What the role's trust policy asks for as `sts:ExternalId`.
    pub(crate) external_id: Option<String>,
    /// Another place than AWS's own endpoints.
    pub(crate) endpoint: Option<String>,
    /// Whether machines get a public IPv4 address at launch.
    pub(crate) public_ips: bool,
    /// Whether spot capacity is listed among the offers.
    pub(crate) spot: bool,
    /// Where on-demand prices come from.
    pub(crate) prices: Prices,
    /// Images by neutral name, before those that are found.
    pub(crate) images: BTreeMap<String, Vec<String>>,
    /// How long lists may lag behind writes, where it is not as with AWS.
    pub(crate) consistency_ms: Option<u64>,
}

/// Where on-demand prices come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Prices {
    /// The dated snapshot that is built in.
    #[default]
    Snapshot,
    /// AWS's price list, and the snapshot for what that has not.
    Live,
}

const KNOWN: [&str; 9] = [
    "assume_role",
    "consistency_ms",
    "endpoint",
    "external_id",
    "images",
    "prices",
    "profile",
    "public_ips",
    "spot",
];

/// Settings that would hold a credential: named here to say why they are refused.
const SECRETS: [&str; 5] = [
    "access_key",
    "access_key_id",
    "secret_access_key",
    "secret_key",
    "session_token",
];

impl Settings {
    /// Reads a `site` block, or says all that is wrong with it.
    pub(crate) fn parse(spec: &SiteSpec) -> Result<Self, Vec<SettingError>> {
        let mut reader = Reader {
            spec,
            errors: Vec::new(),
        };
        let settings = Self {
            site: spec.name.clone(),
            region: reader.region(),
            zones: spec.zones.clone(),
            profile: reader.text("profile"),
            assume_role: reader.role(),
            external_id: reader.text("external_id"),
            endpoint: reader.endpoint(),
            public_ips: reader.flag("public_ips", true),
            spot: reader.flag("spot", false),
            prices: reader.prices(),
            images: reader.images(),
            consistency_ms: reader.milliseconds("consistency_ms"),
        };
        reader.check_rest(&settings);
        if reader.errors.is_empty() {
            Ok(settings)
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

impl Reader<'_> {
    fn fail(&mut self, attribute: &str, message: impl Into<String>, help: &str) {
        self.errors.push(SettingError {
            attribute: attribute.to_owned(),
            message: message.into(),
            help: Some(help.to_owned()),
        });
    }

    fn region(&mut self) -> String {
        let region = self.spec.region.clone().unwrap_or_default();
        let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if region.is_empty() {
            let help = "add `region = \"eu-central-1\"`";
            self.fail("region", "a site on AWS needs a region", help);
        } else if !region.contains('-') || !region.chars().all(is_word) {
            let message = format!("`{region}` is not a region");
            self.fail("region", message, "write one such as `eu-central-1`");
        }
        region
    }

    fn text(&mut self, attribute: &str) -> Option<String> {
        match self.spec.settings.get(attribute)? {
            Value::Null => None,
            Value::String(text) if !text.trim().is_empty() => Some(text.clone()),
            _ => {
                let help = format!("write `{attribute} = \"…\"`, or leave it out");
                self.fail(attribute, "it is a string, and not an empty one", &help);
                None
            }
        }
    }

    fn flag(&mut self, attribute: &str, default: bool) -> bool {
        match self.spec.settings.get(attribute) {
            None | Some(Value::Null) => default,
            Some(Value::Bool(flag)) => *flag,
            Some(_) => {
                self.fail(
                    attribute,
                    "it is either true or false",
                    "write `true` or `false`, without quotes",
                );
                default
            }
        }
    }

    fn prices(&mut self) -> Prices {
        match self.text("prices").as_deref() {
            None | Some("snapshot") => Prices::Snapshot,
            Some("live") => Prices::Live,
            Some(other) => {
                let message = format!("`{other}` is no source of prices");
                self.fail("prices", message, "write `\"live\"` or `\"snapshot\"`");
                Prices::Snapshot
            }
        }
    }

    fn images(&mut self) -> BTreeMap<String, Vec<String>> {
        let help = "write it like `images = { \"debian-12\" = \"ami-0123456789abcdef0\" }`";
        let mut images = BTreeMap::new();
        match self.spec.settings.get("images") {
            None | Some(Value::Null) => {}
            Some(Value::Object(map)) => {
                for (name, id) in map {
                    match image_ids(id) {
                        Some(ids) => {
                            images.insert(name.clone(), ids);
                        }
                        None => self.fail("images", format!("`{name}` is no AMI's id"), help),
                    }
                }
            }
            Some(_) => self.fail("images", "it names an AMI for each neutral name", help),
        }
        images
    }

    fn milliseconds(&mut self, attribute: &str) -> Option<u64> {
        match self.spec.settings.get(attribute)? {
            Value::Null => None,
            Value::Number(number) if number.as_u64().is_some() => number.as_u64(),
            // Numbers of a topology may come as `3.0`.
            Value::Number(number)
                if number
                    .as_f64()
                    .is_some_and(|n| n >= 0.0 && n.fract() == 0.0) =>
            {
                let text = number.as_f64().map(|n| format!("{n:.0}"));
                text.and_then(|text| text.parse().ok())
            }
            _ => {
                let help = "write a number of milliseconds, such as `15000`";
                self.fail(attribute, "it is a whole number of milliseconds", help);
                None
            }
        }
    }

    fn role(&mut self) -> Option<String> {
        let role = self.text("assume_role")?;
        if !role.starts_with("arn:") || !role.contains(":role/") {
            let message = format!("`{role}` is not the ARN of a role");
            let help = "write it like `arn:aws:iam::123456789012:role/stratiform`";
            self.fail("assume_role", message, help);
        }
        Some(role)
    }

    fn endpoint(&mut self) -> Option<String> {
        let endpoint = self.text("endpoint")?;
        let rest = endpoint
            .strip_prefix("http://")
            .or_else(|| endpoint.strip_prefix("https://"));
        // What stands before an `@` may be a password, and is not repeated.
        if endpoint.contains('@') {
            let help =
                "remove what stands before the `@`; credentials come from the standard chain";
            self.fail("endpoint", "an address here holds no user", help);
        } else if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
            let message = format!("`{endpoint}` is not an address");
            self.fail("endpoint", message, "write it like `http://127.0.0.1:5000`");
        }
        Some(endpoint)
    }

    fn check_rest(&mut self, settings: &Settings) {
        if settings.external_id.is_some() && settings.assume_role.is_none() {
            let help = "add `assume_role`, or remove `external_id`";
            self.fail("external_id", "it is only for a role", help);
        }
        if self.spec.capacity.is_some() {
            let help = "remove it: AWS sells as much as its quotas allow";
            self.fail("capacity", "a site on AWS has no capacity of its own", help);
        }
        for zone in &settings.zones {
            if !settings.region.is_empty() && !zone.as_str().starts_with(&settings.region) {
                let message = format!("the zone `{zone}` is not in {}", settings.region);
                let help = format!("write zones such as `{}a`", settings.region);
                self.fail("zones", message, &help);
            }
        }
        let unknown = self.spec.settings.keys();
        let unknown: Vec<_> = unknown.filter(|k| !KNOWN.contains(&k.as_str())).collect();
        for key in unknown {
            if SECRETS.contains(&key.as_str()) {
                let help = "name a `profile` or a role with `assume_role`, or set the environment \
                            variables that the AWS tools read";
                self.fail(key, "a topology file never holds a credential", help);
                continue;
            }
            let help = match nearest(key) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("a site on AWS knows: {}", KNOWN.join(", ")),
            };
            self.fail(key, "AWS has no such setting", &help);
        }
    }
}

/// The ids of an image: one, or a list with one for each instruction set.
fn image_ids(value: &Value) -> Option<Vec<String>> {
    let list = match value {
        Value::Array(list) if !list.is_empty() => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let id = |one: &Value| Some(one.as_str().filter(|id| id.starts_with("ami-"))?.to_owned());
    list.iter().map(id).collect()
}

fn nearest(word: &str) -> Option<&'static str> {
    let scored = KNOWN.map(|known| (strsim::damerau_levenshtein(word, known), known));
    let near = scored
        .into_iter()
        .filter(|(distance, known)| *distance <= 1 + known.len() / 4);
    near.min().map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn spec(region: Option<&str>, settings: Value) -> SiteSpec {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        SiteSpec {
            name: Name::new("east").expect("name"),
            provider: "aws".to_owned(),
            region: region.map(str::to_owned),
            account: None,
            zones: Vec::new(),
            capacity: None,
            labels: strat_model::Labels::new(),
            settings,
            origin: None,
        }
    }

    #[test]
    fn settings_are_read() {
        let settings = json!({
            "profile": "shop", "endpoint": "http://127.0.0.1:5000", "public_ips": false,
            "assume_role": "arn:aws:iam::123456789012:role/shop", "external_id": "x",
            "prices": "live", "images": { "debian-12": "ami-1", "own": ["ami-2", "ami-3"] },
        });
        let read = Settings::parse(&spec(Some("eu-central-1"), settings)).expect("settings");
        assert_eq!(read.profile.as_deref(), Some("shop"));
        assert!(!read.public_ips && !read.spot);
        assert_eq!(read.prices, Prices::Live);
        assert_eq!(read.images["debian-12"], ["ami-1"]);
        assert_eq!(read.images["own"], ["ami-2", "ami-3"]);
    }

    #[test]
    fn all_that_is_wrong_is_said_with_help() {
        let settings = json!({
            "profil": "shop", "secret_access_key": "hush", "endpoint": "127.0.0.1",
            "assume_role": "admin", "spot": "yes", "zebra": 1, "profile": "",
            "prices": "dear",
        });
        let errors = Settings::parse(&spec(None, settings)).expect_err("errors");
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
        assert_eq!(errors.len(), 9, "{text:#?}");
        for part in [
            "region: a site on AWS needs",
            "did you mean `profile`?",
            "never holds a credential",
            "http://127.0.0.1:5000",
            "role/stratiform",
            "true or false",
            "a site on AWS knows",
            "not an empty one",
            "no source of prices",
        ] {
            assert!(text.iter().any(|t| t.contains(part)), "{part}: {text:#?}");
        }
        assert!(!text.iter().any(|t| t.contains("hush")), "{text:#?}");
    }

    #[test]
    fn zones_are_of_the_region() {
        let mut site = spec(Some("us-east-1"), json!({}));
        site.zones = vec![Name::new("eu-west-1a").expect("zone")];
        let errors = Settings::parse(&site).expect_err("errors");
        assert_eq!(errors[0].attribute, "zones");
    }
}
