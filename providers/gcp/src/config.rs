//! The settings of a `site` block.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::{Name, SiteSpec};
use strat_provider::{SettingError, SettingsReader};

/// What a `site` block says, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The site's name.
    pub(crate) site: Name,
    /// The project: the block's `account`.
    pub(crate) project: String,
    /// The region.
    pub(crate) region: String,
    /// The zones to use; empty for all that the region has.
    pub(crate) zones: Vec<Name>,
    /// A file of credentials, as Google's tools write it.
    pub(crate) credentials: Option<String>,
    /// The service account to act as, with the credentials found.
    pub(crate) impersonate: Option<String>,
    /// Another place than Google's own endpoints.
    pub(crate) endpoint: Option<String>,
    /// The bucket of leases, where it is not the one that is made for project and region.
    pub(crate) lease_bucket: Option<String>,
    /// Whether machines get a public IPv4 address when they are made.
    pub(crate) public_ips: bool,
    /// Whether spot capacity is listed among the offers.
    pub(crate) spot: bool,
    /// The custom machine types that are among the offers.
    pub(crate) custom_types: BTreeSet<String>,
    /// The user that key pairs log in as.
    pub(crate) ssh_user: String,
    /// Images by neutral name, before those that are found.
    pub(crate) images: BTreeMap<String, String>,
    /// How long lists may lag behind writes, where it is not as with Google.
    pub(crate) consistency_ms: Option<u64>,
}

const KNOWN: [&str; 10] = [
    "consistency_ms",
    "credentials",
    "custom_types",
    "endpoint",
    "images",
    "impersonate",
    "lease_bucket",
    "public_ips",
    "spot",
    "ssh_user",
];

/// The user that key pairs log in as where a site says no other.
const SSH_USER: &str = "stratiform";

impl Settings {
    /// Reads a `site` block, or says all that is wrong with it.
    pub(crate) fn parse(spec: &SiteSpec) -> Result<Self, Vec<SettingError>> {
        let mut reader = SettingsReader::new(spec);
        let settings = Self {
            site: spec.name.clone(),
            project: project(&mut reader),
            region: region(&mut reader),
            zones: spec.zones.clone(),
            credentials: reader.text("credentials"),
            impersonate: service_account(&mut reader),
            endpoint: reader.endpoint("endpoint"),
            lease_bucket: reader.text("lease_bucket"),
            public_ips: reader.flag("public_ips", true),
            spot: reader.flag("spot", false),
            custom_types: custom_types(&mut reader),
            ssh_user: ssh_user(&mut reader),
            images: images(&mut reader),
            consistency_ms: reader.milliseconds("consistency_ms"),
        };
        check_rest(&mut reader, &settings);
        let credentials = "name a file with `credentials` or a service account with `impersonate`, or \
                           log in with the gcloud tool";
        reader.unknown("a site on Google Cloud", &KNOWN, credentials);
        reader.finish(settings)
    }
}

/// The project is the account: what is pinned there is what is used.
fn project(reader: &mut SettingsReader<'_>) -> String {
    let project = reader.spec().account.clone().unwrap_or_default();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-:.".contains(c);
    if project.is_empty() {
        let help = "add `account = \"my-project\"`: the project's id, not its name or number";
        reader.fail("account", "a site on Google Cloud needs a project", help);
    } else if !project.starts_with(|c: char| c.is_ascii_lowercase()) || !project.chars().all(good) {
        let message = format!("`{project}` is not the id of a project");
        let help = "write the id that `gcloud projects list` shows, such as `my-project-123`";
        reader.fail("account", message, help);
    }
    project
}

fn region(reader: &mut SettingsReader<'_>) -> String {
    let region = reader.spec().region.clone().unwrap_or_default();
    if region.is_empty() {
        let help = "add `region = \"europe-west3\"`";
        reader.fail("region", "a site on Google Cloud needs a region", help);
    } else if !region.contains('-') || !crate::names::is_name(&region) {
        let message = format!("`{region}` is not a region");
        reader.fail("region", message, "write one such as `europe-west3`");
    }
    region
}

fn service_account(reader: &mut SettingsReader<'_>) -> Option<String> {
    let account = reader.text("impersonate")?;
    if !account.contains('@') || !account.ends_with(".gserviceaccount.com") {
        let message = format!("`{account}` is not a service account");
        let help = "write its address, such as `shop@my-project.iam.gserviceaccount.com`";
        reader.fail("impersonate", message, help);
    }
    Some(account)
}

fn ssh_user(reader: &mut SettingsReader<'_>) -> String {
    let Some(user) = reader.text("ssh_user") else {
        return SSH_USER.to_owned();
    };
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    if !user.starts_with(|c: char| c.is_ascii_lowercase()) || !user.chars().all(good) {
        let message = format!("`{user}` is not a user's name");
        reader.fail(
            "ssh_user",
            message,
            "write lower-case letters, digits, `-` and `_`",
        );
    }
    user
}

/// Which sizes are legal is Google's to say, by family and zone; here the names are looked at alone.
///
/// <https://cloud.google.com/compute/docs/instances/creating-instance-with-custom-machine-type>
fn custom_types(reader: &mut SettingsReader<'_>) -> BTreeSet<String> {
    let help = "write it like `custom_types = [\"n2-custom-6-20480\"]`: family, virtual CPUs, MiB of memory";
    let types: BTreeSet<String> = reader
        .get_or_help("custom_types", Some(help))
        .unwrap_or_default();
    for name in &types {
        let is_custom = name.starts_with("custom-") || name.contains("-custom-");
        if !is_custom || !crate::names::is_name(name) {
            let message = format!("`{name}` is no custom machine type");
            reader.fail("custom_types", message, help);
        }
    }
    types
}

fn images(reader: &mut SettingsReader<'_>) -> BTreeMap<String, String> {
    let help =
        "write it like `images = { \"own\" = \"projects/my-project/global/images/family/own\" }`";
    let images: BTreeMap<String, String> =
        reader.get_or_help("images", Some(help)).unwrap_or_default();
    for (name, path) in &images {
        if !path.starts_with("projects/") || !path.contains("/global/images/") {
            reader.fail(
                "images",
                format!("`{name}` is no path of an image or a family"),
                help,
            );
        }
    }
    images
}

/// What makes sense only together.
fn check_rest(reader: &mut SettingsReader<'_>, settings: &Settings) {
    if reader.spec().capacity.is_some() {
        let help = "remove it: Google sells as much as its quotas allow";
        reader.fail(
            "capacity",
            "a site on Google Cloud has no capacity of its own",
            help,
        );
    }
    for zone in &settings.zones {
        let of_region = zone.as_str().strip_prefix(settings.region.as_str());
        if !settings.region.is_empty() && !of_region.is_some_and(|rest| rest.starts_with('-')) {
            let message = format!("the zone `{zone}` is not in {}", settings.region);
            let help = format!("write zones such as `{}-b`", settings.region);
            reader.fail("zones", message, help.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(project: Option<&str>, region: Option<&str>, settings: Value) -> SiteSpec {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        SiteSpec {
            region: region.map(str::to_owned),
            account: project.map(str::to_owned),
            settings,
            ..SiteSpec::new(Name::new("west").expect("name"), "gcp")
        }
    }

    #[test]
    fn settings_are_read() {
        let settings = json!({
            "credentials": "shop.json", "impersonate": "a@p.iam.gserviceaccount.com",
            "endpoint": "http://127.0.0.1:5000", "public_ips": false, "spot": true,
            "images": { "own": "projects/p/global/images/family/own" },
        });
        let read = Settings::parse(&spec(Some("my-project"), Some("europe-west3"), settings));
        let read = read.expect("settings");
        assert_eq!(
            (read.project.as_str(), read.region.as_str()),
            ("my-project", "europe-west3")
        );
        assert!(!read.public_ips && read.spot);
        assert_eq!(read.ssh_user, "stratiform");
    }

    #[test]
    fn all_that_is_wrong_is_said_with_help() {
        let settings = json!({
            "credential": "x", "password": "hush", "endpoint": "127.0.0.1", "impersonate": "admin",
            "spot": "yes", "ssh_user": "Root", "custom_types": ["n2-standard-4"], "images": { "own": "debian" },
        });
        let errors = Settings::parse(&spec(None, Some("berlin"), settings)).expect_err("errors");
        let told = errors.iter().map(|e| {
            format!(
                "{}: {} | {}",
                e.attribute,
                e.message,
                e.help.as_deref().unwrap_or("")
            )
        });
        let told: Vec<String> = told.collect();
        for part in [
            "needs a project",
            "`berlin` is not a region",
            "did you mean `credentials`?",
            "never holds a credential",
            "is not an address",
            "is not a service account",
            "true or false",
            "is not a user's name",
            "no path of an image",
            "`n2-standard-4` is no custom machine type",
        ] {
            assert!(
                told.iter().any(|one| one.contains(part)),
                "{part}: {told:#?}"
            );
        }
        assert!(!told.iter().any(|one| one.contains("hush")), "{told:#?}");
    }

    #[test]
    fn zones_are_of_the_region() {
        for (zone, good) in [
            ("europe-west3-a", true),
            ("europe-west30-a", false),
            ("us-east1-b", false),
        ] {
            let mut site = spec(Some("p"), Some("europe-west3"), json!({}));
            site.zones = vec![Name::new(zone).expect("zone")];
            assert_eq!(Settings::parse(&site).is_ok(), good, "{zone}");
        }
    }
}
