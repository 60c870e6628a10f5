//! A plain Debian host as docs/libvirt.md sets one up: reached over SSH by a user who is in the
//! group `libvirt` and is not root, with a pool of LVM volumes, and a bridge on a VLAN.

use std::fs;
use std::io::Read;

use crate::support;
use crate::support::debian::Debian;
use crate::support::guest::ip;
use crate::support::slots::Pair;
use crate::support::topology::Topology;
use strat_model::{Bytes, Kind, Resource, ResourceState, Spec};
use strat_provider::ProviderExt as _;
use virt::connect::Connect;
use virt::storage_vol::StorageVol;
use virt::stream::Stream;

/// What the machine that boots does: it comes to the router, which is beyond the VLAN.
const USER_DATA: &str = r##"#!/bin/sh
router=$(ip route | awk '/^default/ { print $3 }')
until wget -q -O- "http://$router/cgi-bin/come"; do sleep 2; done
"##;

/// Written into a volume.
const BYTES: &[u8] = b"written before it was attached anywhere";

/// The topology, with this in the volume's block.
fn blocks(volume: &str) -> String {
    format!(
        r#"
network "core" {{
  cidr  = "10.98.0.0/24"
  sites = [site.dc1]
}}
subnet "app" {{
  network = network.core
  newbits = 1
}}
image "disk" {{
  source = "disk.img"
}}
machine "tiny" {{
  cpu       = 1
  memory    = "192MiB"
  image     = "tiny"
  subnet    = subnet.app
  user_data = file("tiny.sh")
  placement {{
    sites = [site.dc1]
  }}
}}
machine "copy" {{
  cpu    = 1
  memory = "64MiB"
  image  = image.disk
  subnet = subnet.app
  disk {{
    size  = "10MiB"
    class = "nvme"
  }}
  placement {{
    sites = [site.dc1]
  }}
}}
volume "data" {{
  class = "nvme"
  {volume}
}}
"#
    )
}

fn find<'a>(machines: &'a [Resource], word: &str) -> &'a Resource {
    let found = machines.iter().find(|machine| machine.name.contains(word));
    found.unwrap_or_else(|| panic!("there is a machine {word}: {machines:#?}"))
}

/// The names of the volumes in the volume group.
fn in_the_group(connection: &Connect) -> Vec<String> {
    let pool = connection.lookup_storage_pool_by_name("fast");
    let mut names = pool.expect("the pool").list_volumes().expect("a list");
    names.sort();
    names
}

fn open_volume(connection: &Connect, name: &str) -> StorageVol {
    let pool = connection.lookup_storage_pool_by_name("fast");
    let volume = pool.expect("the pool").lookup_storage_vol_by_name(name);
    volume.expect("the volume")
}

fn write(connection: &Connect, name: &str) {
    let stream = Stream::new(connection, 0).expect("a stream");
    let length = BYTES.len() as u64;
    let volume = open_volume(connection, name);
    volume.upload(&stream, 0, length, 0).expect("it begins");
    let sent = stream.send(BYTES).expect("it is sent");
    assert_eq!(usize::try_from(sent).ok(), Some(BYTES.len()));
    stream.finish().expect("it is written");
}

fn read(connection: &Connect, name: &str) -> Vec<u8> {
    let stream = Stream::new(connection, 0).expect("a stream");
    let length = BYTES.len() as u64;
    let volume = open_volume(connection, name);
    volume.download(&stream, 0, length, 0).expect("it begins");
    let mut bytes = Vec::new();
    let mut buffer = [0; 256];
    while let Ok(read @ 1..) = stream.recv(&mut buffer) {
        let read = usize::try_from(read).expect("a length");
        (&buffer[..read]).read_to_end(&mut bytes).expect("memory");
    }
    let _ = stream.finish();
    bytes
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_debian_host_has_what_a_rack_has() {
    let host = Debian::start();
    let who = host.run("id -un; id -Gn; test ! -w /etc || echo root");
    assert_eq!(who, "strat\nstrat users libvirt\n");

    let settings = "reserve = \"0B\"\n  pools   = { nvme = \"fast\" }\n  network = { mode = \"bridge\", bridge = \"br20\" }\n  \
         images  = { tiny = { kernel = \"/srv/vmlinuz\", initrd = \"/srv/initrd\", cmdline = \"quiet\" } }";
    let topology = Topology::of(&[("rack1", &[host.uri()])], settings);
    fs::write(topology.folder().join("tiny.sh"), USER_DATA).expect("user data");
    fs::write(topology.folder().join("disk.img"), vec![7; 5 << 20]).expect("an image");
    let site = support::site_of(
        &[host.uri()],
        false,
        serde_json::json!({ "pools": { "nvme": "fast" } }),
    );
    let connection = Connect::open(Some(&host.uri())).expect("a connection");

    // No whole number of LVM's pieces; it is what was asked for all the same.
    topology
        .apply(&blocks("size = \"65MiB\"\n  site = site.dc1"))
        .await;
    let machines = topology.list(&site, Kind::Machine).await;
    assert!(
        machines
            .iter()
            .all(|machine| machine.state == ResourceState::Ready)
    );
    let volume = topology.list(&site, Kind::Volume).await.remove(0);
    let name = format!("{}.volume", volume.name);
    let (tiny, copy) = (find(&machines, "tiny"), find(&machines, "copy"));
    let mut wanted = vec![format!("{}.disk0", copy.name), name.clone()];
    wanted.sort();
    assert_eq!(in_the_group(&connection), wanted);
    let ports = host.run("ls /sys/class/net/br20/brif");
    assert_eq!(
        ports.lines().count(),
        3,
        "two machines and the VLAN: {ports}"
    );

    // A volume goes from machine to machine while both run, and keeps its bytes.
    write(&connection, &name);
    for machine in ["tiny", "copy"] {
        let attach = format!("size = \"65MiB\"\n  attach = machine.{machine}");
        topology.apply(&blocks(&attach)).await;
        let volume = topology.list(&site, Kind::Volume).await.remove(0);
        let Spec::Volume(spec) = volume.spec else {
            panic!("a volume")
        };
        assert_eq!(spec.attach.as_ref(), Some(&find(&machines, machine).id));
        assert_eq!(spec.size, Bytes(65 << 20));
    }
    assert_eq!(read(&connection, &name), BYTES);

    // What libvirt cannot do is said, and nothing is lost by it.
    let failures = topology
        .try_apply(&blocks("size = \"129MiB\"\n  attach = machine.copy"))
        .await
        .expect("a report");
    assert!(
        failures
            .iter()
            .any(|failure| failure.contains("block devices")),
        "{failures:?}"
    );
    assert_eq!(read(&connection, &name), BYTES);

    // The machine came to the other end of the trunk, by the VLAN.
    let mut came = String::new();
    for _ in 0..600 {
        came = host.run("cat /tmp/came");
        if !came.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_secs(1));
    }
    assert!(came.contains(ip(tiny)), "{} came: {came}", ip(tiny));

    topology.apply("").await;
    assert_eq!(in_the_group(&connection), Vec::<String>::new());
    assert_eq!(connection.list_all_domains(0).expect("a list").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_of_volumes_is_not_the_sites_own_pool() {
    // Small files are kept in the site's own pool; the refusal says where the group is named.
    let pair = Pair::take();
    let uri = pair.hosts()[0].mock_uri();
    let site = support::site_of(
        std::slice::from_ref(&uri),
        false,
        serde_json::json!({ "pool": "group" }),
    );
    let connection = Connect::open(Some(&uri)).expect("a connection");
    let xml = "<pool type='logical'><name>group</name><source><name>group</name></source>\
               <target><path>/dev/group</path></target></pool>";
    connection.define_storage_pool_xml(xml, 0).expect("a pool");
    let provider = support::connect(&site).await;
    let refused = provider.free().await.expect_err("it is refused");
    let help = refused.help().unwrap_or_default();
    assert!(help.contains("pools = { ssd = \"group\" }"), "{refused:?}");
}
