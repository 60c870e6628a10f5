//! The settings of a `site` block.

use std::collections::BTreeMap;

use serde_json::Value;
use strat_model::{Name, SiteSpec};
use strat_provider::{SettingError, SettingsReader};

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
    /// The bucket of leases, where it is not the one that is made for account and region.
    pub(crate) lease_bucket: Option<String>,
    /// Whether spot capacity is listed among the offers.
    pub(crate) spot: bool,
    /// Where on-demand prices come from.
    pub(crate) prices: Prices,
    /// Whether new disks and volumes are encrypted.
    pub(crate) encrypted: bool,
    /// The KMS key that they are encrypted with, where it is not the account's own for EBS.
    pub(crate) kms_key: Option<String>,
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

const KNOWN: [&str; 12] = [
    "assume_role",
    "consistency_ms",
    "encrypted",
    "endpoint",
    "external_id",
    "images",
    "kms_key",
    "lease_bucket",
    "prices",
    "profile",
    "public_ips",
    "spot",
];

impl Settings {
    /// Reads a `site` block, or says all that is wrong with it.
    pub(crate) fn parse(spec: &SiteSpec) -> Result<Self, Vec<SettingError>> {
        let mut reader = SettingsReader::new(spec);
        let settings = Self {
            site: spec.name.clone(),
            region: region(&mut reader),
            zones: spec.zones.clone(),
            profile: reader.text("profile"),
            assume_role: role(&mut reader),
            external_id: reader.text("external_id"),
            endpoint: reader.endpoint("endpoint"),
            lease_bucket: reader.text("lease_bucket"),
            spot: reader.flag("spot", false),
            prices: reader.word("prices", &PRICES).unwrap_or_default(),
            encrypted: reader.flag("encrypted", true),
            kms_key: kms_key(&mut reader),
            images: images(&mut reader),
            consistency_ms: reader.milliseconds("consistency_ms"),
        };
        if spec.settings.contains_key("public_ips") {
            let message = "whether a machine has a public address is said by the machine";
            let help = "remove it; write `public_ip = true` in those `machine` and `machines` blocks that are to \
                        have one, and `internet = \"public\"` in their subnet";
            reader.fail("public_ips", message, help);
        }
        check_rest(&mut reader, &settings);
        let credentials = "name a `profile` or a role with `assume_role`, or set the environment \
                           variables that the AWS tools read";
        reader.unknown("a site on AWS", &KNOWN, credentials);
        reader.finish(settings)
    }
}

/// The words for where prices come from.
const PRICES: [(&str, Prices); 2] = [("snapshot", Prices::Snapshot), ("live", Prices::Live)];

fn region(reader: &mut SettingsReader<'_>) -> String {
    let region = reader.spec().region.clone().unwrap_or_default();
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if region.is_empty() {
        let help = "add `region = \"eu-central-1\"`";
        reader.fail("region", "a site on AWS needs a region", help);
    } else if !region.contains('-') || !region.chars().all(is_word) {
        let message = format!("`{region}` is not a region");
        reader.fail("region", message, "write one such as `eu-central-1`");
    }
    region
}

fn images(reader: &mut SettingsReader<'_>) -> BTreeMap<String, Vec<String>> {
    let help = "write it like `images = { \"debian-12\" = \"ami-0123456789abcdef0\" }`";
    let mut images = BTreeMap::new();
    match reader.value("images") {
        None => {}
        Some(Value::Object(map)) => {
            for (name, id) in map {
                match image_ids(id) {
                    Some(ids) => {
                        images.insert(name.clone(), ids);
                    }
                    None => reader.fail("images", format!("`{name}` is no AMI's id"), help),
                }
            }
        }
        Some(_) => reader.fail("images", "it names an AMI for each neutral name", help),
    }
    images
}

fn role(reader: &mut SettingsReader<'_>) -> Option<String> {
    let role = reader.text("assume_role")?;
    if !role.starts_with("arn:") || !role.contains(":role/") {
        let message = format!("`{role}` is not the ARN of a role");
        let help = "write it like `arn:aws:iam::123456789012:role/stratiform`";
        reader.fail("assume_role", message, help);
    }
    Some(role)
}

/// A key by its id, its ARN, or an alias of either form.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html>
fn kms_key(reader: &mut SettingsReader<'_>) -> Option<String> {
    let key = reader.text("kms_key")?;
    let is_arn = key.starts_with("arn:") && key.contains(":kms:");
    let is_alias = key.starts_with("alias/") && key.len() > "alias/".len();
    let is_id = key.starts_with("mrk-") || (key.len() == 36 && key.matches('-').count() == 4);
    if !is_arn && !is_alias && !is_id {
        let message = format!("`{key}` is no KMS key's id, ARN or alias");
        let help = "write it like `alias/shop` or \
                    `arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab`";
        reader.fail("kms_key", message, help);
    }
    Some(key)
}

/// What makes sense only together.
fn check_rest(reader: &mut SettingsReader<'_>, settings: &Settings) {
    if settings.external_id.is_some() && settings.assume_role.is_none() {
        let help = "add `assume_role`, or remove `external_id`";
        reader.fail("external_id", "it is only for a role", help);
    }
    if settings.kms_key.is_some() && !settings.encrypted {
        let help = "remove it, or `encrypted = false`";
        reader.fail("kms_key", "nothing is encrypted with it", help);
    }
    if reader.spec().capacity.is_some() {
        let help = "remove it: AWS sells as much as its quotas allow";
        reader.fail("capacity", "a site on AWS has no capacity of its own", help);
    }
    for zone in &settings.zones {
        if !settings.region.is_empty() && !zone.as_str().starts_with(&settings.region) {
            let message = format!("the zone `{zone}` is not in {}", settings.region);
            let help = format!("write zones such as `{}a`", settings.region);
            reader.fail("zones", message, help.as_str());
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

#[cfg(test)]
impl Settings {
    /// Those of a site in a region, for tests.
    pub(crate) fn of_test(settings: &Value) -> Self {
        let spec = SiteSpec {
            region: Some("us-east-1".to_owned()),
            settings: settings.as_object().expect("an object").clone(),
            ..SiteSpec::new(Name::new("east").expect("a name"), "aws")
        };
        Self::parse(&spec).expect("settings")
    }
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
            region: region.map(str::to_owned),
            settings,
            ..SiteSpec::new(Name::new("east").expect("name"), "aws")
        }
    }

    #[test]
    fn settings_are_read() {
        let settings = json!({
            "profile": "shop", "endpoint": "http://127.0.0.1:5000",
            "assume_role": "arn:aws:iam::123456789012:role/shop", "external_id": "x",
            "kms_key": "alias/shop",
            "prices": "live", "images": { "debian-12": "ami-1", "own": ["ami-2", "ami-3"] },
        });
        let read = Settings::parse(&spec(Some("eu-central-1"), settings)).expect("settings");
        assert_eq!(read.profile.as_deref(), Some("shop"));
        assert!(!read.spot);
        assert_eq!(read.prices, Prices::Live);
        assert!(read.encrypted, "without a word of it");
        assert_eq!(read.kms_key.as_deref(), Some("alias/shop"));
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
            "none of the words",
        ] {
            assert!(text.iter().any(|t| t.contains(part)), "{part}: {text:#?}");
        }
        assert!(!text.iter().any(|t| t.contains("hush")), "{text:#?}");
    }

    #[test]
    fn a_key_is_one_and_encrypts_something() {
        let check = |settings: Value, expect: Option<&str>| {
            let errors = Settings::parse(&spec(Some("us-east-1"), settings)).err();
            let told = errors.map(|errors| errors[0].message.clone());
            assert_eq!(told.as_deref(), expect);
        };
        let arn = "arn:aws-cn:kms:cn-north-1:123456789012:key/mrk-1";
        check(json!({ "kms_key": arn }), None);
        let id = "1234abcd-12ab-34cd-56ef-1234567890ab";
        check(json!({ "kms_key": id }), None);
        let wrong = "`shop` is no KMS key's id, ARN or alias";
        check(json!({ "kms_key": "shop" }), Some(wrong));
        let none = json!({ "kms_key": "alias/shop", "encrypted": false });
        check(none, Some("nothing is encrypted with it"));
    }

    #[test]
    fn zones_are_of_the_region() {
        let mut site = spec(Some("us-east-1"), json!({}));
        site.zones = vec![Name::new("eu-west-1a").expect("zone")];
        let errors = Settings::parse(&site).expect_err("errors");
        assert_eq!(errors[0].attribute, "zones");
    }
}
