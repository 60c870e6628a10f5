//! Reading settings one by one, and keeping all that is wrong with them.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use strat_model::{Bytes, DiskClass, Name};
use strat_provider::SettingsReader;

use crate::buckets::S3Settings;
use crate::host::Uri;

use super::gpus::{self, GpuTable};
use super::{CpuModel, HostConfig, HostState, Overcommit, Uplink};

const HOSTS_HELP: &str = "write `hosts = [\"qemu+ssh://kvm1/system\"]`, or by zone: `hosts = { rack1 = [\"…\"], rack2 = [\"…\"] }`; more is said of one in `{ name = \"…\", uri = \"…\", state = \"up\" }` (up, drain, down, gone)";

const GPUS_HELP: &str = "write `gpus = [{ model = \"L4\", pci = \"0000:01:00.0\" }]`, or `pci = [\"0000:01:00.0\", \"0000:01:00.1\"]` where another device is in its IOMMU group; `lspci -D` on the host names them";

/// A host as it may be written, where it is more than its URI.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HostTable {
    name: Option<String>,
    uri: String,
    #[serde(default)]
    state: HostState,
    #[serde(default)]
    gpus: Vec<GpuTable>,
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

/// The processor that guests see: one of libvirt's two words, or a model's name.
pub(super) fn cpu_model(reader: &mut SettingsReader<'_>) -> CpuModel {
    let word: Option<String> = reader.get("cpu_model");
    match word.as_deref() {
        None | Some("host-model") => CpuModel::HostModel,
        Some("host-passthrough") => CpuModel::HostPassthrough,
        Some(name) => {
            let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if name.is_empty() || !name.chars().all(is_name) {
                reader.fail(
                    "cpu_model",
                    format!("`{name}` is no name of a processor model"),
                    "write `host-model`, `host-passthrough`, or a name that \
                     `virsh cpu-models x86_64` lists, such as `Skylake-Server`",
                );
            }
            CpuModel::Named(name.to_owned())
        }
    }
}

/// The hosts that are there or come back, and the names of those that do not.
pub(super) fn hosts(reader: &mut SettingsReader<'_>) -> (Vec<HostConfig>, BTreeSet<Name>) {
    let mut hosts = Vec::new();
    match reader.value("hosts").cloned() {
        None => reader.fail(
            "hosts",
            "a site of this provider has at least one host",
            HOSTS_HELP,
        ),
        Some(Value::Object(zones)) => {
            for (zone, value) in zones {
                match Name::new(&zone) {
                    Ok(zone) => hosts_in(reader, &zone, value, &mut hosts),
                    Err(error) => reader.fail("hosts", error.to_string(), None),
                }
            }
        }
        Some(value) => {
            let zone = match reader.spec().zones.as_slice() {
                [] => reader.spec().name.clone(),
                [zone, ..] => zone.clone(),
            };
            hosts_in(reader, &zone, value, &mut hosts);
        }
    }
    let is_left = |host: &HostConfig| host.state != HostState::Gone;
    if !hosts.iter().any(is_left) && reader.is_ok() {
        reader.fail("hosts", "the list of hosts is empty", HOSTS_HELP);
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
        reader.fail("hosts", format!("two hosts are called `{name}`"), help);
    }
    let (hosts, gone): (Vec<_>, Vec<_>) = hosts.into_iter().partition(is_left);
    (hosts, gone.into_iter().map(|host| host.name).collect())
}

fn hosts_in(
    reader: &mut SettingsReader<'_>,
    zone: &Name,
    value: Value,
    hosts: &mut Vec<HostConfig>,
) {
    let items = match value {
        Value::Array(items) => items,
        one => vec![one],
    };
    for item in items {
        let table = match item {
            Value::String(uri) => Ok(HostTable {
                name: None,
                uri,
                state: HostState::Up,
                gpus: Vec::new(),
            }),
            item @ Value::Object(_) => serde_json::from_value(item)
                .map_err(|error| format!("what is said of a host is wrong: {error}")),
            _ => Err("a host is a connection URI".to_owned()),
        };
        let HostTable {
            name,
            uri,
            state,
            gpus,
        } = match table {
            Ok(table) => table,
            Err(message) => {
                reader.fail("hosts", message, HOSTS_HELP);
                continue;
            }
        };
        let parsed = Uri::parse(&uri);
        let no_uri = Some("it is no connection URI");
        if let Some(trouble) = parsed.map_or(no_uri, |uri| uri.trouble()) {
            // What stands before an `@` may be a password, and is not repeated.
            let shown = uri.rsplit('@').next().unwrap_or_default();
            reader.fail("hosts", format!("`{shown}`: {trouble}"), HOSTS_HELP);
            continue;
        }
        let gpus = gpus::read(gpus).unwrap_or_else(|message| {
            reader.fail("hosts", message, GPUS_HELP);
            Vec::new()
        });
        match Name::new(name.unwrap_or_else(|| host_of(&uri))) {
            Ok(name) => hosts.push(HostConfig {
                name,
                zone: zone.clone(),
                uri,
                state,
                gpus,
            }),
            Err(error) => reader.fail("hosts", error.to_string(), None),
        }
    }
}

pub(super) fn overcommit(reader: &mut SettingsReader<'_>) -> Overcommit {
    let overcommit: Overcommit = reader.or_default("overcommit");
    let Overcommit { cpu, memory, disk } = overcommit;
    if [cpu, memory, disk]
        .iter()
        .any(|factor| !(0.01..=1000.0).contains(factor))
    {
        let help = "write factors such as `{ cpu = 4, memory = 1, disk = 2 }`";
        reader.fail("overcommit", "a factor is between 0.01 and 1000", help);
    }
    overcommit
}

pub(super) fn reserve(reader: &mut SettingsReader<'_>) -> Bytes {
    let Some(text) = reader.get::<String>("reserve") else {
        return Bytes::gib(1);
    };
    text.parse()
        .unwrap_or_else(|error: strat_model::UnitError| {
            reader.fail("reserve", error.to_string(), None);
            Bytes::gib(1)
        })
}

pub(super) fn pools(reader: &mut SettingsReader<'_>) -> BTreeMap<DiskClass, String> {
    let pools: BTreeMap<String, String> = reader.or_default("pools");
    let mut by_class = BTreeMap::new();
    for (class, pool) in pools {
        match class.parse::<DiskClass>() {
            Ok(class) => {
                by_class.insert(class, pool);
            }
            Err(error) => reader.fail("pools", error.to_string(), None),
        }
    }
    by_class
}

pub(super) fn s3(reader: &mut SettingsReader<'_>) -> Option<S3Settings> {
    let value = reader.value("s3")?.clone();
    if !cfg!(feature = "s3") {
        let help = "build it with `--features libvirt-s3`";
        reader.fail("s3", "this build of Stratiform speaks no S3", help);
        return None;
    }
    let help = "write `s3 = { endpoint = \"https://s3.dc1.example\", profile = \"rack\" }`; \
                keys stand in the profile or the environment, never here";
    match serde_json::from_value::<S3Settings>(value) {
        Ok(settings) => match settings.problem() {
            None => Some(settings),
            Some(problem) => {
                reader.fail("s3", problem, help);
                None
            }
        },
        Err(error) => {
            reader.fail("s3", error.to_string(), help);
            None
        }
    }
}

pub(super) fn uplink(reader: &mut SettingsReader<'_>) -> Uplink {
    let help = "write `\"nat\"`, `\"routed\"`, `\"isolated\"`, or `{ mode = \"bridge\", bridge = \"br0\" }`";
    let Some(value) = reader.value("network").cloned() else {
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
            reader.fail("network", "this is not a kind of network", help);
            return Uplink::Nat;
        }
    };
    if table.mode != "bridge"
        && (table.bridge.is_some() || table.vlan.is_some() || table.gateway.is_some())
    {
        reader.fail(
            "network",
            "only the mode `bridge` has a bridge, a VLAN or a gateway",
            help,
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
            reader.fail("network", "the mode `bridge` needs the bridge's name", help);
            Uplink::Nat
        }
        (mode, _) => {
            reader.fail("network", format!("there is no mode `{mode}`"), help);
            Uplink::Nat
        }
    }
}

/// What a `site` block may have and this provider has no use for.
pub(super) fn elsewhere(reader: &mut SettingsReader<'_>, hosts: &[HostConfig]) {
    if reader.spec().capacity.is_some() {
        let help = "remove it; `overcommit` and `reserve` say how much of the hosts may be used";
        reader.fail(
            "capacity",
            "the hosts themselves say how much there is",
            help,
        );
    }
    let zones = |hosts: &[HostConfig]| {
        hosts
            .iter()
            .map(|host| host.zone.clone())
            .collect::<BTreeSet<_>>()
    };
    if !reader.spec().zones.is_empty()
        && reader.spec().zones.iter().cloned().collect::<BTreeSet<_>>() != zones(hosts)
    {
        let help = "remove it; a host's zone stands in `hosts`: `hosts = { rack1 = [\"…\"] }`";
        reader.fail("zones", "these are not the zones of the hosts", help);
    }
    if reader.spec().region.is_some() {
        reader.fail(
            "region",
            "owned hosts have no regions",
            "remove it; zones are named in `hosts`",
        );
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
