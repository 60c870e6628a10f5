//! Hosts for the tests: a libvirtd each, in namespaces of its own, with foreign things on it.

pub(crate) mod bystanders;
pub(crate) mod debian;
pub(crate) mod guest;
pub(crate) mod lab;
pub(crate) mod moto;
pub(crate) mod peer;
pub(crate) mod slots;
pub(crate) mod topology;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};
use strat_libvirt::LibvirtFactory;
use strat_model::{Name, SiteSpec};
use strat_provider::{ConnectContext, Provider, ProviderFactory, TokioClock};

use peer::Peer;

/// A site of these hosts, each in the zone of its number where `racks` is set.
pub(crate) fn site(hosts: &[&Peer], racks: bool, extra: Value) -> SiteSpec {
    let uris: Vec<_> = hosts.iter().map(|host| host.uri()).collect();
    site_of(&uris, racks, extra)
}

/// The same, of hosts that these URIs reach.
pub(crate) fn site_of(uris: &[String], racks: bool, extra: Value) -> SiteSpec {
    let mut by_zone: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (index, uri) in uris.iter().enumerate() {
        let zone = if racks {
            format!("rack{}", index + 1)
        } else {
            "rack1".to_owned()
        };
        let host = json!({ "name": format!("kvm{}", index + 1), "uri": uri });
        by_zone.entry(zone).or_default().push(host);
    }
    let mut settings = json!({
        "hosts": by_zone,
        "accel": "tcg",
        "reserve": "0B",
        "overcommit": { "cpu": 64, "disk": 100 },
        "pool_path": Peer::POOL_PATH,
        "images": { "debian-12": "debian-12.img" },
    });
    if let (Value::Object(settings), Value::Object(extra)) = (&mut settings, extra) {
        settings.extend(extra);
    }
    let Value::Object(settings) = settings else {
        unreachable!("it was written as an object")
    };
    SiteSpec {
        settings,
        ..SiteSpec::new(Name::new("dc1").expect("a name"), "libvirt")
    }
}

/// A connection to a site.
pub(crate) async fn connect(site: &SiteSpec) -> Arc<dyn Provider> {
    let context = ConnectContext {
        base_dir: std::env::temp_dir(),
        clock: Arc::new(TokioClock::system()),
    };
    let keys = strat_s3::Credentials::new("test", "test", None, None, "tests");
    let keys = strat_s3::SharedCredentialsProvider::new(keys);
    let factory = LibvirtFactory::with_s3_credentials(keys);
    factory.check(site).expect("the settings are right");
    factory.connect(site, &context).await.expect("a connection")
}
