//! Reading settings one by one, and keeping all that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use strat_model::{Bytes, DiskClass, Name, SiteSpec};
use strat_provider::SettingError;

use crate::buckets::S3Settings;
use crate::host::Uri;

use super::{HostConfig, Overcommit, Settings, Uplink, whole};

/// Reads settings one by one and keeps all errors.
pub(super) struct Reader<'a> {
    spec: &'a SiteSpec,
    errors: Vec<SettingError>,
}

const HOSTS_HELP: &str = "write `hosts = [\"qemu+ssh://kvm1/system\"]`, or by zone: `hosts = { rack1 = [\"…\"], rack2 = [\"…\"] }`";

/// A host as it may be written.
#[derive(Deserialize)]
#[serde(untagged)]
enum HostText {
    Uri(String),
    Named { name: Option<String>, uri: String },
}

/// The network as it may be written.
#[derive(Deserialize)]
#[serde(untagged)]
enum NetworkText {
    Mode(String),
    Full(NetworkTable),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NetworkTable {
    mode: String,
    bridge: Option<String>,
    vlan: Option<u16>,
    gateway: Option<std::net::Ipv4Addr>,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(spec: &'a SiteSpec) -> Self {
        Self {
            spec,
            errors: Vec::new(),
        }
    }

    pub(super) fn fail(&mut self, attribute: &str, message: impl Into<String>, help: Option<&str>) {
        self.errors.push(SettingError {
            attribute: attribute.to_owned(),
            message: message.into(),
            help: help.map(str::to_owned),
        });
    }

    pub(super) fn finish(self, settings: Settings) -> Result<Settings, Vec<SettingError>> {
        if self.errors.is_empty() {
            Ok(settings)
        } else {
            Err(self.errors)
        }
    }

    pub(super) fn value(&self, attribute: &str) -> Option<&'a Value> {
        self.spec.settings.get(attribute)
    }

    /// One attribute, if it is there and right.
    pub(super) fn get<T: DeserializeOwned>(&mut self, attribute: &str) -> Option<T> {
        let value = whole(self.value(attribute)?);
        match serde_json::from_value(value) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(attribute, error.to_string(), None);
                None
            }
        }
    }

    pub(super) fn or_default<T: DeserializeOwned + Default>(&mut self, attribute: &str) -> T {
        self.get(attribute).unwrap_or_default()
    }

    pub(super) fn hosts(&mut self) -> Vec<HostConfig> {
        let mut hosts = Vec::new();
        match self.value("hosts").map(whole) {
            None => self.fail(
                "hosts",
                "a site of this provider has at least one host",
                Some(HOSTS_HELP),
            ),
            Some(Value::Object(zones)) => {
                for (zone, value) in zones {
                    match Name::new(&zone) {
                        Ok(zone) => self.hosts_in(&zone, value, &mut hosts),
                        Err(error) => self.fail("hosts", error.to_string(), None),
                    }
                }
            }
            Some(value) => {
                let zone = match self.spec.zones.as_slice() {
                    [] => self.spec.name.clone(),
                    [zone, ..] => zone.clone(),
                };
                self.hosts_in(&zone, value, &mut hosts);
            }
        }
        if hosts.is_empty() && self.errors.is_empty() {
            self.fail("hosts", "the list of hosts is empty", Some(HOSTS_HELP));
        }
        hosts.sort_by(|a, b| a.name.cmp(&b.name));
        let mut seen = BTreeSet::new();
        let twice: Vec<_> = hosts
            .iter()
            .filter(|host| !seen.insert(&host.name))
            .map(|h| h.name.clone())
            .collect();
        for name in twice {
            let help = "give one of them a name: `{ name = \"kvm2\", uri = \"…\" }`";
            self.fail(
                "hosts",
                format!("two hosts are called `{name}`"),
                Some(help),
            );
        }
        hosts
    }

    fn hosts_in(&mut self, zone: &Name, value: Value, hosts: &mut Vec<HostConfig>) {
        let items = match value {
            Value::Array(items) => items,
            one => vec![one],
        };
        for item in items {
            let (name, uri) = match serde_json::from_value(item) {
                Ok(HostText::Uri(uri)) => (None, uri),
                Ok(HostText::Named { name, uri }) => (name, uri),
                Err(_) => {
                    self.fail("hosts", "a host is a connection URI", Some(HOSTS_HELP));
                    continue;
                }
            };
            let parsed = Uri::parse(&uri);
            let no_uri = Some("it is no connection URI");
            if let Some(trouble) = parsed.map_or(no_uri, |uri| uri.trouble()) {
                // What stands before an `@` may be a password, and is not repeated.
                let shown = uri.rsplit('@').next().unwrap_or_default();
                self.fail("hosts", format!("`{shown}`: {trouble}"), Some(HOSTS_HELP));
                continue;
            }
            match Name::new(name.unwrap_or_else(|| host_of(&uri))) {
                Ok(name) => hosts.push(HostConfig {
                    name,
                    zone: zone.clone(),
                    uri,
                }),
                Err(error) => self.fail("hosts", error.to_string(), None),
            }
        }
    }

    pub(super) fn overcommit(&mut self) -> Overcommit {
        let overcommit: Overcommit = self.or_default("overcommit");
        let Overcommit { cpu, memory, disk } = overcommit;
        if [cpu, memory, disk]
            .iter()
            .any(|factor| !(0.01..=1000.0).contains(factor))
        {
            let help = "write factors such as `{ cpu = 4, memory = 1, disk = 2 }`";
            self.fail(
                "overcommit",
                "a factor is between 0.01 and 1000",
                Some(help),
            );
        }
        overcommit
    }

    pub(super) fn reserve(&mut self) -> Bytes {
        let Some(text) = self.get::<String>("reserve") else {
            return Bytes::gib(1);
        };
        text.parse()
            .unwrap_or_else(|error: strat_model::UnitError| {
                self.fail("reserve", error.to_string(), None);
                Bytes::gib(1)
            })
    }

    pub(super) fn pools(&mut self) -> BTreeMap<DiskClass, String> {
        let pools: BTreeMap<String, String> = self.or_default("pools");
        let mut by_class = BTreeMap::new();
        for (class, pool) in pools {
            match class.parse::<DiskClass>() {
                Ok(class) => {
                    by_class.insert(class, pool);
                }
                Err(error) => self.fail("pools", error.to_string(), None),
            }
        }
        by_class
    }

    pub(super) fn s3(&mut self) -> Option<S3Settings> {
        let value = whole(self.value("s3")?);
        if !cfg!(feature = "s3") {
            let help = "build it with `--features libvirt-s3`";
            self.fail("s3", "this build of Stratiform speaks no S3", Some(help));
            return None;
        }
        let help = "write `s3 = { endpoint = \"https://s3.dc1.example\", profile = \"rack\" }`; \
                    keys stand in the profile or the environment, never here";
        match serde_json::from_value::<S3Settings>(value) {
            Ok(settings) => match settings.problem() {
                None => Some(settings),
                Some(problem) => {
                    self.fail("s3", problem, Some(help));
                    None
                }
            },
            Err(error) => {
                self.fail("s3", error.to_string(), Some(help));
                None
            }
        }
    }

    pub(super) fn uplink(&mut self) -> Uplink {
        let help = "write `\"nat\"`, `\"routed\"`, `\"isolated\"`, or `{ mode = \"bridge\", bridge = \"br0\" }`";
        let Some(value) = self.value("network").map(whole) else {
            return Uplink::Nat;
        };
        let table = match serde_json::from_value(value) {
            Ok(NetworkText::Mode(mode)) => NetworkTable {
                mode,
                bridge: None,
                vlan: None,
                gateway: None,
            },
            Ok(NetworkText::Full(table)) => table,
            Err(_) => {
                self.fail("network", "this is not a kind of network", Some(help));
                return Uplink::Nat;
            }
        };
        if table.mode != "bridge"
            && (table.bridge.is_some() || table.vlan.is_some() || table.gateway.is_some())
        {
            self.fail(
                "network",
                "only the mode `bridge` has a bridge, a VLAN or a gateway",
                Some(help),
            );
        }
        match (table.mode.as_str(), table.bridge) {
            ("nat", _) => Uplink::Nat,
            ("routed", _) => Uplink::Routed,
            ("isolated", _) => Uplink::Isolated,
            ("bridge", Some(bridge)) => Uplink::Bridge {
                bridge,
                vlan: table.vlan,
                gateway: table.gateway,
            },
            ("bridge", None) => {
                self.fail(
                    "network",
                    "the mode `bridge` needs the bridge's name",
                    Some(help),
                );
                Uplink::Nat
            }
            (mode, _) => {
                self.fail("network", format!("there is no mode `{mode}`"), Some(help));
                Uplink::Nat
            }
        }
    }

    /// What a `site` block may have and this provider has no use for.
    pub(super) fn elsewhere(&mut self, hosts: &[HostConfig]) {
        if self.spec.capacity.is_some() {
            let help =
                "remove it; `overcommit` and `reserve` say how much of the hosts may be used";
            self.fail(
                "capacity",
                "the hosts themselves say how much there is",
                Some(help),
            );
        }
        let zones = |hosts: &[HostConfig]| {
            hosts
                .iter()
                .map(|host| host.zone.clone())
                .collect::<BTreeSet<_>>()
        };
        if !self.spec.zones.is_empty()
            && self.spec.zones.iter().cloned().collect::<BTreeSet<_>>() != zones(hosts)
        {
            let help = "remove it; a host's zone stands in `hosts`: `hosts = { rack1 = [\"…\"] }`";
            self.fail("zones", "these are not the zones of the hosts", Some(help));
        }
        if self.spec.region.is_some() {
            self.fail(
                "region",
                "owned hosts have no regions",
                Some("remove it; zones are named in `hosts`"),
            );
        }
        if self.value("bucket_endpoint").is_some() {
            let help = "write `s3 = { endpoint = \"https://s3.dc1.example\" }`";
            self.fail(
                "bucket_endpoint",
                "an S3 is named otherwise here",
                Some(help),
            );
        }
    }

    pub(super) fn unknown(&mut self, known: &[&str]) {
        for key in self.spec.settings.keys() {
            if known.contains(&key.as_str()) || key == "bucket_endpoint" {
                continue;
            }
            let near = known
                .iter()
                .map(|candidate| (strsim::damerau_levenshtein(key, candidate), candidate))
                .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
                .min();
            let help = match near {
                Some((_, near)) => format!("did you mean `{near}`?"),
                None => format!("this provider knows: {}", known.join(", ")),
            };
            self.fail(key, "this provider has no such setting", Some(&help));
        }
    }
}

/// The name that a URI gives its host: the machine it names, or `localhost`.
fn host_of(uri: &str) -> String {
    let rest = uri.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    let host = host.split(':').next().unwrap_or_default();
    if host.is_empty() {
        "localhost".to_owned()
    } else {
        host.to_owned()
    }
}
