//! GPUs of hosts: counted, listed, read back from definitions that a real libvirt keeps, and taken away.
//! No host of the tests has one: no guest is started with it.

use serde_json::json;
use strat_model::{Kind, Spec};
use strat_provider::{PermissionState, Provider, ProviderExt};
use virt::sys;

use crate::support;
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;

/// A PCI device that no host has.
const NOWHERE: &str = "ffff:ff:1f.7";

const GROUND: &str = r#"
network "core" {
  cidr  = "10.93.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
"#;

fn machine(rest: &str) -> String {
    format!(
        "{GROUND}machine \"model\" {{\n  cpu = 1\n  memory = \"64MiB\"\n  image = \"debian-12\"\n  \
         subnet = subnet.app\n{rest}\n}}\n"
    )
}

/// The bridge to the host's own bus, which nothing takes from its driver, in place of a GPU; a place where
/// there is none, on a host without a bus.
fn bridge() -> Result<String, &'static str> {
    let devices = std::fs::read_dir("/sys/bus/pci/devices")
        .into_iter()
        .flatten();
    let mut found = devices.filter_map(|device| {
        let device = device.ok()?;
        let class = std::fs::read_to_string(device.path().join("class")).ok()?;
        let name = device.file_name().into_string().ok()?;
        class.starts_with("0x06").then_some(name)
    });
    found.next().ok_or("ffff:ff:1e.0")
}

async fn free(provider: &dyn Provider) -> u64 {
    let free = provider.free().await.expect("free").expect("a bound");
    free.gpus.get("L4").copied().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gpu_is_counted_told_and_taken_away() {
    let found = bridge();
    let device = found.clone().unwrap_or_else(str::to_owned);
    let pair = Pair::take();
    let host: &Peer = &pair.hosts()[0];
    let gpus = json!([
        { "model": "L4", "pci": device },
        { "model": "T4", "pci": NOWHERE },
    ]);
    let hosts = json!({ "rack1": [{ "name": "kvm1", "uri": host.uri(), "gpus": gpus }] });
    let site = support::site(&[host], false, json!({ "hosts": hosts }));
    let provider = support::connect(&site).await;
    assert_eq!(free(&*provider).await, u64::from(found.is_ok()));
    let checks = provider
        .permissions()
        .expect("a facet")
        .check_permissions()
        .await;
    let checks = checks.expect("checks");
    let missing = checks
        .iter()
        .find(|check| check.permission.contains("T4"))
        .expect("a check");
    let PermissionState::Missing { why } = &missing.state else {
        panic!("{missing:?}");
    };
    assert!(why.contains(NOWHERE), "{why}");
    if found.is_err() {
        // A host without a PCI bus has no device to give to anybody.
        return;
    }
    let offers = provider.list_offers().await.expect("offers");
    let with: Vec<_> = offers.iter().filter(|offer| offer.gpus > 0).collect();
    assert!(
        with.iter()
            .any(|offer| offer.machine_type == "flex-1-512-1xL4"),
        "{with:?}"
    );

    // What the host has not is offered to nobody.
    assert!(
        with.iter().all(|offer| offer.gpu.as_deref() == Some("L4")),
        "{with:?}"
    );

    let mut topology = Topology::new(&[host], "images = { debian-12 = \"debian-12.img\" }");
    topology.set_hosts(&format!(
        "rack1 = [{{ name = \"kvm1\", uri = \"{}\", gpus = [{{ model = \"L4\", pci = \"{device}\" }}, \
         {{ model = \"T4\", pci = \"{NOWHERE}\" }}] }}]",
        host.uri()
    ));
    for (wanted, why) in [
        ("  gpus = 2", "with too few accelerators"),
        ("  gpu = \"T4\"", "with another accelerator"),
    ] {
        let refused = topology
            .try_apply(&machine(wanted))
            .await
            .expect_err("no place");
        let (findings, _) = refused.findings().expect("findings");
        assert!(format!("{findings:?}").contains(why), "{findings:?}");
    }

    // Somebody gives a machine the GPU, in a definition as ours: libvirt takes it and keeps it.
    topology.apply(&machine("")).await;
    let seen = topology.list(&site, Kind::Machine).await.remove(0);
    let connection = host.connect();
    let (_, uuid) = seen.id.as_str().split_once('/').expect("a host and a UUID");
    let domain = connection
        .lookup_domain_by_uuid_string(uuid)
        .expect("the machine");
    let xml = domain
        .xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)
        .expect("its definition");
    let (place, function) = device.rsplit_once('.').expect("a function");
    let parts: Vec<&str> = place.split(':').collect();
    let given = format!(
        "<hostdev mode='subsystem' type='pci' managed='yes'><source><address domain='0x{}' bus='0x{}' \
         slot='0x{}' function='0x{function}'/></source><alias name='ua-gpu-0-L4'/></hostdev></devices>",
        parts[0], parts[1], parts[2]
    );
    connection
        .define_domain_xml(&xml.replace("</devices>", &given))
        .expect("libvirt takes the definition");
    let kept = domain
        .xml_desc(sys::VIR_DOMAIN_XML_INACTIVE)
        .expect("its definition");
    assert!(kept.contains("ua-gpu-0-L4"), "{kept}");
    assert_eq!(free(&*provider).await, 0, "it is that machine's");
    let told = topology.differences(&machine("")).await;
    let size = "machine.model@dc1 machine_type \"flex-1-512-1xL4\" \"flex-1-512\"";
    assert!(told.iter().any(|line| line == size), "{told:?}");

    // It is taken away again, and the machine is the one that it was.
    topology.apply(&machine("")).await;
    assert_eq!(free(&*provider).await, 1);
    let after = topology.list(&site, Kind::Machine).await.remove(0);
    assert_eq!(after.id, seen.id);
    let Spec::Machine(after) = after.spec else {
        panic!("a machine")
    };
    assert_eq!(after.machine_type, "flex-1-512");
    topology.apply("").await;
}
