//! A site of real hosts keeps the provider contract: one host, and a rack of two.

use crate::outside;
use crate::support;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::support::moto;
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use async_trait::async_trait;
use serde_json::json;
use strat_conformance::{Harness, OutsideRows, Partners, conformance};
use strat_model::{Field, ImageSpec, Kind, Name, Resource, ResourceId};
use strat_provider::Provider;
use strat_provider::ProviderExt as _;
use virt::connect::Connect;
use virt::storage_vol::StorageVol;

/// A site of one host of the pair, or of both.
struct HostsHarness {
    pair: Pair,
    count: usize,
    run: String,
}

impl HostsHarness {
    fn new(count: usize) -> Self {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let run = format!("run{}", RUNS.fetch_add(1, Ordering::Relaxed));
        Self {
            pair: Pair::take(),
            count,
            run,
        }
    }

    fn hosts(&self) -> Vec<&Peer> {
        self.pair.hosts().iter().take(self.count).collect()
    }

    /// A connection to the host that a machine's id names, and its UUID.
    fn find<'a>(&self, id: &'a ResourceId) -> (Connect, &'a str) {
        let (host, uuid) = id.as_str().split_once('/').expect("a host and a UUID");
        let index = usize::from(host == "kvm2");
        (self.hosts()[index].connect(), uuid)
    }
}

impl Drop for HostsHarness {
    fn drop(&mut self) {
        for host in self.hosts() {
            if let Ok(hog) = host.connect().lookup_domain_by_name("hog") {
                let _ = hog.destroy();
            }
            if let Ok(guest) = host.connect().lookup_domain_by_name(outside::STRANGER) {
                let _ = guest.destroy();
                let _ = guest.undefine();
            }
        }
    }
}

#[async_trait]
impl Harness for HostsHarness {
    async fn provider(&self) -> Arc<dyn Provider> {
        // The site of one host has an S3 beside it; the rack has none.
        let extra = match self.count {
            1 => json!({ "s3": { "endpoint": moto::shared().url() } }),
            _ => json!({}),
        };
        support::connect(&support::site(&self.hosts(), false, extra)).await
    }

    fn run_id(&self) -> String {
        self.run.clone()
    }

    fn patience(&self) -> Duration {
        Duration::from_secs(60)
    }

    fn image(&self) -> ImageSpec {
        let content = vec![7; 3 << 20];
        let path = std::env::temp_dir().join(format!(
            "strat-libvirt-{}-{}.raw",
            std::process::id(),
            self.run
        ));
        std::fs::write(&path, &content).expect("an image");
        ImageSpec {
            source: path.display().to_string(),
            sha256: strat_model::Digest::of(&content).to_string(),
            labels: strat_model::Labels::new(),
        }
    }

    async fn make_foreign(&self, kind: Kind, name: &str) -> Option<ResourceId> {
        let connection = self.hosts()[0].connect();
        match kind {
            Kind::Network => {
                let xml = format!(
                    "<network><name>{name}</name><bridge name='f-{}'/></network>",
                    self.run
                );
                connection.define_network_xml(&xml).expect("a network");
                Some(ResourceId::from(name))
            }
            Kind::Machine => {
                let xml = format!(
                    "<domain type='qemu'><name>{name}</name><memory unit='MiB'>64</memory><vcpu>1</vcpu>\
                     <os><type arch='x86_64'>hvm</type></os></domain>"
                );
                let domain = connection.define_domain_xml(&xml).expect("a domain");
                Some(ResourceId::from(format!(
                    "kvm1/{}",
                    domain.uuid_string().expect("a UUID")
                )))
            }
            Kind::Volume => {
                // The pool is made when somebody first asks for room.
                let free = self.provider().await.free().await;
                free.expect("an answer");
                let pool = connection
                    .lookup_storage_pool_by_name("stratiform")
                    .expect("the pool");
                let xml = format!(
                    "<volume><name>{name}</name><capacity unit='MiB'>4</capacity></volume>"
                );
                StorageVol::create_xml(&pool, &xml, 0).expect("a volume");
                Some(ResourceId::from(format!("kvm1/stratiform/{name}")))
            }
            Kind::Bucket if self.count == 1 => {
                let made = moto::shared().ask("PUT", name);
                made.then(|| ResourceId::from(name))
            }
            _ => None,
        }
    }

    async fn leave_stock(&self, machine_type: &str, _: &Name, left: u64) -> bool {
        assert_eq!(machine_type, "flex-1-1024");
        if self.count > 1 {
            return false;
        }
        let free = self
            .provider()
            .await
            .free()
            .await
            .expect("an answer")
            .expect("a bound");
        let memory = (free.memory.0 >> 20) - left * 1024 - 512;
        let xml = format!(
            "<domain type='qemu'><name>hog</name><memory unit='MiB'>{memory}</memory><vcpu>1</vcpu>\
             <os><type arch='x86_64'>hvm</type></os></domain>"
        );
        self.hosts()[0].connect().create_domain_xml(&xml, 0).is_ok()
    }

    async fn fill_bucket(&self, id: &ResourceId, full: bool) -> bool {
        let method = if full { "PUT" } else { "DELETE" };
        moto::shared().ask(method, &format!("{id}/object"))
    }

    fn outside_rows(&self) -> Option<OutsideRows> {
        Some(match self.count {
            1 => outside::ONE_HOST,
            _ => outside::RACK,
        })
    }

    async fn change_outside(&self, thing: &Resource, field: Field, partners: &Partners) -> bool {
        outside::change(&self.hosts(), thing, field, partners)
    }

    async fn upset_outside(&self, thing: &Resource, what: &str, _: &Partners) -> bool {
        outside::upset(&self.hosts(), thing, what)
    }

    async fn stop_machine(&self, id: &ResourceId) -> bool {
        let (connection, uuid) = self.find(id);
        connection
            .lookup_domain_by_uuid_string(uuid)
            .is_ok_and(|domain| domain.destroy().is_ok())
    }
}

conformance!(one_host, HostsHarness::new(1));
conformance!(a_rack, HostsHarness::new(2));

#[test]
fn the_page_on_changes_says_what_libvirt_says() {
    strat_conformance::table::check(&[strat_conformance::table::Column {
        name: "libvirt".to_owned(),
        kinds: strat_libvirt::capabilities().kinds,
        changes: strat_libvirt::changes(),
    }]);
}
