//! The settings of a `site` block.

use std::collections::BTreeMap;

use strat_model::{Name, SiteSpec};
use strat_provider::{SettingError, SettingsReader};

use crate::images::Source;
use crate::names;

/// Which of Microsoft's clouds a site is in.
///
/// <https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure>
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Cloud {
    /// The one for everybody.
    #[default]
    Public,
    /// That of the government of the United States.
    Government,
    /// That of 21Vianet in China.
    China,
}

impl Cloud {
    /// Where the resource manager of this cloud is.
    pub(crate) const fn resource_manager(self) -> &'static str {
        match self {
            Self::Public => "https://management.azure.com",
            Self::Government => "https://management.usgovcloudapi.net",
            Self::China => "https://management.chinacloudapi.cn",
        }
    }

    const WORDS: [(&'static str, Self); 3] = [
        ("public", Self::Public),
        ("government", Self::Government),
        ("china", Self::China),
    ];
}

/// Where a site's credentials come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Login {
    /// Whichever of the others there is, in their order.
    #[default]
    Any,
    /// A service principal's secret in the environment.
    Environment,
    /// A token of the machine's platform, in a file that the environment names.
    Workload,
    /// The Azure CLI, or the developer's one.
    Cli,
    /// The identity of the machine in Azure that this runs on.
    Managed,
}

impl Login {
    const WORDS: [(&'static str, Self); 4] = [
        ("environment", Self::Environment),
        ("workload", Self::Workload),
        ("cli", Self::Cli),
        ("managed", Self::Managed),
    ];
}

/// Where prices come from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Prices {
    /// The dated snapshot that is built in.
    #[default]
    Snapshot,
    /// Microsoft's list of retail prices, and the snapshot for what that has not.
    Live,
}

impl Prices {
    const WORDS: [(&'static str, Self); 2] = [("snapshot", Self::Snapshot), ("live", Self::Live)];
}

/// What a `site` block says, checked.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The site's name.
    pub(crate) site: Name,
    /// The subscription: the block's `account`.
    pub(crate) subscription: String,
    /// The region.
    pub(crate) region: String,
    /// The zones to use; empty for all that the region has.
    pub(crate) zones: Vec<Name>,
    /// The resource group of all that is made, where it is not one for the topology and site.
    pub(crate) resource_group: Option<String>,
    /// Which of Microsoft's clouds.
    pub(crate) cloud: Cloud,
    /// Another place than that cloud's resource manager.
    pub(crate) endpoint: Option<String>,
    /// Another place than that cloud's, where tokens come from.
    pub(crate) authority: Option<String>,
    /// Whom a token for the resource manager is for, where it is not that cloud's own.
    pub(crate) audience: Option<String>,
    /// A file of root certificates that are believed beside the system's.
    pub(crate) root_certificates: Option<String>,
    /// Where credentials come from.
    pub(crate) credentials: Login,
    /// The tenant of those credentials.
    pub(crate) tenant: Option<String>,
    /// The managed identity, where the machine has several: its client id.
    pub(crate) client: Option<String>,
    /// The storage account of leases, where it is not the one that is made for subscription and region.
    pub(crate) lease_account: Option<String>,
    /// Whether machines get a public IPv4 address when they are made.
    pub(crate) public_ips: bool,
    /// Whether spot capacity is listed among the offers.
    pub(crate) spot: bool,
    /// Where prices come from.
    pub(crate) prices: Prices,
    /// The user that key pairs log in as.
    pub(crate) ssh_user: String,
    /// Images by neutral name, before those that are found.
    pub(crate) images: BTreeMap<String, String>,
    /// How long lists may lag behind writes, where it is not as with Azure.
    pub(crate) consistency_ms: Option<u64>,
}

const KNOWN: [&str; 16] = [
    "audience",
    "authority",
    "client",
    "cloud",
    "consistency_ms",
    "credentials",
    "endpoint",
    "images",
    "lease_account",
    "prices",
    "public_ips",
    "resource_group",
    "root_certificates",
    "spot",
    "ssh_user",
    "tenant",
];

/// The user that key pairs log in as where a site says no other.
const SSH_USER: &str = "stratiform";

impl Settings {
    /// Reads a `site` block, or says all that is wrong with it.
    pub(crate) fn parse(spec: &SiteSpec) -> Result<Self, Vec<SettingError>> {
        let mut reader = SettingsReader::new(spec);
        let settings = Self {
            site: spec.name.clone(),
            subscription: subscription(&mut reader),
            region: region(&mut reader),
            zones: spec.zones.clone(),
            resource_group: resource_group(&mut reader),
            cloud: reader.word("cloud", &Cloud::WORDS).unwrap_or_default(),
            endpoint: endpoint(&mut reader, "endpoint"),
            authority: endpoint(&mut reader, "authority"),
            audience: endpoint(&mut reader, "audience"),
            root_certificates: reader.text("root_certificates"),
            credentials: reader
                .word("credentials", &Login::WORDS)
                .unwrap_or_default(),
            tenant: reader.text("tenant"),
            client: reader.text("client"),
            lease_account: lease_account(&mut reader),
            public_ips: reader.flag("public_ips", true),
            spot: reader.flag("spot", false),
            prices: reader.word("prices", &Prices::WORDS).unwrap_or_default(),
            ssh_user: ssh_user(&mut reader),
            images: images(&mut reader),
            consistency_ms: reader.milliseconds("consistency_ms"),
        };
        check_rest(&mut reader, &settings);
        let credentials = "say with `credentials` where they come from, or log in with `az login`";
        reader.unknown("a site on Azure", &KNOWN, credentials);
        reader.finish(settings)
    }
}

/// Whether a text is a number as Microsoft gives subscriptions and clients: 8-4-4-4-12 hex digits.
fn is_guid(text: &str) -> bool {
    let lengths: Vec<usize> = text.split('-').map(str::len).collect();
    lengths == [8, 4, 4, 4, 12] && text.chars().all(|c| c == '-' || c.is_ascii_hexdigit())
}

/// The subscription is the account: what is pinned there is what is used.
fn subscription(reader: &mut SettingsReader<'_>) -> String {
    let subscription = reader.spec().account.clone().unwrap_or_default();
    let help = "write the id that `az account show --query id` shows";
    if subscription.is_empty() {
        reader.fail("account", "a site on Azure needs a subscription", help);
    } else if !is_guid(&subscription) {
        let message = format!("`{subscription}` is not the id of a subscription");
        reader.fail("account", message, help);
    }
    subscription
}

fn region(reader: &mut SettingsReader<'_>) -> String {
    let region = reader.spec().region.clone().unwrap_or_default();
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if region.is_empty() {
        let help = "add `region = \"westeurope\"`";
        reader.fail("region", "a site on Azure needs a region", help);
    } else if !region.chars().all(good) {
        let message = format!("`{region}` is not a region");
        reader.fail("region", message, "write one such as `westeurope`");
    }
    region
}

fn resource_group(reader: &mut SettingsReader<'_>) -> Option<String> {
    let group = reader.text("resource_group")?;
    if !names::is_group(&group) {
        let message = format!("`{group}` is no name of a resource group");
        let help = "write at most 90 letters, digits and `-_.()`, the last one not a full stop";
        reader.fail("resource_group", message, help);
    }
    Some(group)
}

/// Tokens go nowhere without TLS.
fn endpoint(reader: &mut SettingsReader<'_>, attribute: &str) -> Option<String> {
    let endpoint = reader.endpoint(attribute)?;
    if endpoint.starts_with("http://") {
        let help = "write it with `https://`, and name the server's root with `root_certificates`";
        reader.fail(attribute, "Azure's tokens are sent with TLS only", help);
    }
    Some(endpoint.trim_end_matches('/').to_owned())
}

fn lease_account(reader: &mut SettingsReader<'_>) -> Option<String> {
    let account = reader.text("lease_account")?;
    let parts: Vec<&str> = account.split('/').collect();
    let good = |account: &str| {
        (3..=24).contains(&account.len())
            && account
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
    };
    if !matches!(parts.as_slice(), [group, account] if names::is_group(group) && good(account)) {
        let message = format!("`{account}` is no resource group and storage account");
        let help = "write it like `lease_account = \"my-group/myaccount\"`";
        reader.fail("lease_account", message, help);
    }
    Some(account.to_ascii_lowercase())
}

fn ssh_user(reader: &mut SettingsReader<'_>) -> String {
    let Some(user) = reader.text("ssh_user") else {
        return SSH_USER.to_owned();
    };
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
    let taken = ["admin", "administrator", "root", "user", "test", "guest"];
    if !user.starts_with(|c: char| c.is_ascii_lowercase()) || !user.chars().all(good) {
        let message = format!("`{user}` is not a user's name");
        let help = "write lower-case letters, digits, `-` and `_`";
        reader.fail("ssh_user", message, help);
    } else if taken.contains(&user.as_str()) {
        let message = format!("Azure makes no user `{user}`");
        reader.fail("ssh_user", message, "write another one");
    }
    user
}

fn images(reader: &mut SettingsReader<'_>) -> BTreeMap<String, String> {
    let help = "write it like `images = { \"own\" = \"Publisher:offer:sku:latest\" }`, or with the \
                id of an image or of a gallery's version";
    let images: BTreeMap<String, String> =
        reader.get_or_help("images", Some(help)).unwrap_or_default();
    for (name, text) in &images {
        if Source::parse(text).is_none() {
            let message = format!("`{name}` is no image of the marketplace and no image's id");
            reader.fail("images", message, help);
        }
    }
    images
}

/// What makes sense only together.
fn check_rest(reader: &mut SettingsReader<'_>, settings: &Settings) {
    if reader.spec().capacity.is_some() {
        let help = "remove it: Azure sells as much as its quotas allow";
        let message = "a site on Azure has no capacity of its own";
        reader.fail("capacity", message, help);
    }
    for zone in &settings.zones {
        if !settings.region.is_empty() && names::zone_number(&settings.region, zone).is_none() {
            let message = format!("the zone `{zone}` is not in {}", settings.region);
            let help = format!("write zones such as `{}-1`", settings.region);
            reader.fail("zones", message, help.as_str());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const SUBSCRIPTION: &str = "00000000-0000-4000-8000-000000000001";

    fn spec(account: Option<&str>, region: Option<&str>, settings: Value) -> SiteSpec {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        SiteSpec {
            region: region.map(str::to_owned),
            account: account.map(str::to_owned),
            settings,
            ..SiteSpec::new(Name::new("west").expect("name"), "azure")
        }
    }

    #[test]
    fn settings_are_read() {
        let settings = json!({
            "endpoint": "https://127.0.0.1:5000/", "public_ips": false, "spot": true,
            "resource_group": "Shop", "cloud": "government", "credentials": "managed",
            "prices": "live", "authority": "https://login.example.com/",
            "images": { "own": "Debian:debian-12:12-gen2:latest" }, "lease_account": "ops/leases1",
        });
        let read = Settings::parse(&spec(Some(SUBSCRIPTION), Some("westeurope"), settings));
        let read = read.expect("settings");
        assert_eq!(
            (read.cloud, read.credentials),
            (Cloud::Government, Login::Managed)
        );
        assert_eq!(read.endpoint.as_deref(), Some("https://127.0.0.1:5000"));
        assert_eq!(read.authority.as_deref(), Some("https://login.example.com"));
        assert!(!read.public_ips && read.spot && read.prices == Prices::Live);
    }

    #[test]
    fn all_that_is_wrong_is_said_with_help() {
        let settings = json!({
            "credential": "cli", "client_secret": "hush", "endpoint": "http://127.0.0.1",
            "cloud": "germany", "credentials": "file", "spot": "yes", "ssh_user": "admin",
            "images": { "own": "debian" }, "resource_group": "a/b", "lease_account": "x",
            "prices": "dear", "authority": "http://login.example.com",
        });
        let errors = Settings::parse(&spec(None, Some("West Europe"), settings));
        let told: Vec<String> = errors
            .expect_err("errors")
            .iter()
            .map(|e| {
                let help = e.help.as_deref().unwrap_or_default();
                format!("{}: {} | {help}", e.attribute, e.message)
            })
            .collect();
        for part in [
            "needs a subscription",
            "`West Europe` is not a region",
            "did you mean `credentials`?",
            "never holds a credential",
            "endpoint: Azure's tokens are sent with TLS only",
            "authority: Azure's tokens are sent with TLS only",
            "prices: `dear` is none",
            "cloud: `germany` is none",
            "credentials: `file` is none",
            "true or false",
            "makes no user `admin`",
            "`own` is no image",
            "no name of a resource group",
            "no resource group and storage account",
        ] {
            let is_told = told.iter().any(|one| one.contains(part));
            assert!(is_told, "{part}: {told:#?}");
        }
        assert!(!told.iter().any(|one| one.contains("hush")), "{told:#?}");
    }

    #[test]
    fn zones_are_of_the_region() {
        for (zone, good) in [
            ("westeurope-1", true),
            ("westeurope", true),
            ("northeurope-1", false),
            ("westeurope-x", false),
        ] {
            let mut site = spec(Some(SUBSCRIPTION), Some("westeurope"), json!({}));
            site.zones = vec![Name::new(zone).expect("zone")];
            assert_eq!(Settings::parse(&site).is_ok(), good, "{zone}");
        }
    }
}
