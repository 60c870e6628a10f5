//! A wait that libvirt's events end.

use std::fmt;
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use serde_json::json;
use strat_model::Resource;
use strat_provider::ProviderExt as _;
use tracing::field::{Field, Visit};
use tracing::{Metadata, Subscriber, span};
use virt::domain::Domain;
use virt::sys;

use crate::support::lab::{Lab, host_of};
use crate::support::peer::Peer;
use crate::support::slots::Pair;

/// Keeps what the provider says of its waits.
struct Told;

static WAITS: Mutex<Vec<Wait>> = Mutex::new(Vec::new());

/// A wait that is over.
#[derive(Debug, Default, Clone)]
struct Wait {
    machine: String,
    /// How often libvirt was asked.
    looks: u64,
    woken_by: String,
}

impl Visit for Wait {
    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "looks" {
            self.looks = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "machine" => value.clone_into(&mut self.machine),
            "woken_by" => value.clone_into(&mut self.woken_by),
            _ => {}
        }
    }
}

impl Subscriber for Told {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("strat_libvirt::host::events")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &tracing::Event<'_>) {
        let mut wait = Wait::default();
        event.record(&mut wait);
        WAITS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(wait);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// The last wait for a machine.
fn last_wait(machine: &str) -> Wait {
    let waits = WAITS.lock().unwrap_or_else(PoisonError::into_inner);
    let last = waits.iter().rev().find(|wait| wait.machine == machine);
    last.expect("there was a wait").clone()
}

/// Waits until something holds, at most a minute.
fn await_that(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("this does not come about: {what}");
}

/// Plugs a volume in on PCI, where a machine without a system never lets go by itself.
fn plug_in(domain: &Domain, path: &str) {
    let disk = format!(
        "<disk type='file' device='disk'><driver name='qemu' type='qcow2'/>\
         <source file='{path}'/><target dev='vdz' bus='virtio'/></disk>"
    );
    domain.destroy().expect("it stops");
    domain
        .attach_device_flags(&disk, sys::VIR_DOMAIN_AFFECT_CONFIG)
        .expect("it is plugged in");
    domain.create().expect("it starts");
}

/// Detaches the volume, and makes the machine let go of it a while after libvirt's call returned
/// and the wait began.
async fn detach(lab: &Lab, volume: &Resource, domain: &Domain, path: &str) {
    plug_in(domain, path);
    // The firmware has to come up: what is unplugged before that is gone at once.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (provider, id) = (lab.provider.clone(), volume.id.clone());
    let detaching = tokio::spawn(async move { provider.detach_volume(&id).await });
    // libvirt waits for five seconds by itself, then it writes down that the disk is gone.
    await_that("libvirt's call returns", || {
        let xml = domain.xml_desc(sys::VIR_DOMAIN_XML_INACTIVE);
        !xml.expect("XML").contains(path)
    });
    let xml = domain.xml_desc(0).expect("XML");
    assert!(xml.contains(path), "the machine has it still");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert!(!detaching.is_finished(), "it is awaited");
    domain.reset().expect("it starts over, and lets go");
    let detached = detaching.await.expect("it ends");
    detached.expect("detached");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_event_ends_a_wait() {
    static LISTENING: OnceLock<()> = OnceLock::new();
    LISTENING.get_or_init(|| tracing::subscriber::set_global_default(Told).expect("the only one"));
    let pair = Pair::take();
    let lab = Lab::new(&pair, false, json!({})).await;
    let subnet = lab.subnet("told", 98).await;
    let machine = Lab::machine(&subnet, "rack1");
    let machine = lab.fleet(&machine, "told", 1).await.remove(0);
    let host = &pair.hosts()[usize::from(host_of(&machine) == "kvm2")];
    let domain = host.connect().lookup_domain_by_name(&machine.name);
    let domain = domain.expect("the domain");
    let volume = lab.volume("rack1", "told-volume").await;
    let storage = &*lab.provider;
    // It comes to the machine's host by this.
    storage
        .attach_volume(&volume.id, &machine.id)
        .await
        .expect("attached");
    storage.detach_volume(&volume.id).await.expect("detached");
    let path = format!("{}/{}.volume", Peer::POOL_PATH, volume.name);

    // Now and then a look comes between libvirt's doing it and its telling it.
    let told = async || {
        for _ in 0..3 {
            detach(&lab, &volume, &domain, &path).await;
            let wait = last_wait(&machine.name);
            // It took three seconds at least: ten times a second, it would be thirty.
            assert!(wait.looks < 15, "{wait:?}");
            if wait.woken_by == "an event" {
                return true;
            }
        }
        false
    };
    assert!(told().await, "{:?}", last_wait(&machine.name));

    lab.clear().await;
}
