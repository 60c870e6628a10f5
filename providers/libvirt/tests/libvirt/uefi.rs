//! A machine that boots as one from a vendor's image does: by UEFI, from its own disk, on a network
//! that was there before, where the seed alone tells it its address.

use std::fs;
use std::io::Write;

use crate::support;
use crate::support::guest::{await_answer, folder, ip};
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;
use strat_model::{Kind, Spec};

const BRIDGE: &str = "lab0";

const USER_DATA: &str = r##"#!/bin/sh
mkdir -p /www
ls /sys/firmware > /www/index.html
httpd -h /www
"##;

const BLOCKS: &str = r#"
network "core" {
  cidr  = "10.97.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
firewall "web" {
  network = network.core
  ingress "http" {
    from     = ["internet"]
    protocol = "tcp"
    ports    = [80]
  }
}
image "disk" {
  source = "disk.img"
}
"#;

const MACHINE: &str = r#"
machine "one" {
  cpu       = 1
  memory    = "256MiB"
  image     = image.disk
  subnet    = subnet.app
  firewalls = [firewall.web]
  user_data = file("one.sh")
  placement {
    sites = [site.dc1]
  }
}
"#;

/// A disk that UEFI boots: one file system, with a kernel, and a script that UEFI's shell finds,
/// as it finds a boot loader.
fn write_disk(path: &std::path::Path) {
    let guest = folder();
    let mut file = fs::File::options()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)
        .expect("a file");
    file.set_len(64 << 20).expect("a size");
    let options = fatfs::FormatVolumeOptions::new();
    fatfs::format_volume(&mut file, options).expect("a file system");
    let volume = fatfs::FileSystem::new(&mut file, fatfs::FsOptions::new()).expect("it is one");
    let start = b"FS0:\r\n\\vmlinuz.efi initrd=\\initrd console=ttyS0 quiet\r\n";
    for (name, content) in [
        (
            "vmlinuz.efi",
            fs::read(guest.join("vmlinuz")).expect("a kernel"),
        ),
        (
            "initrd",
            fs::read(guest.join("initrd")).expect("a memory disk"),
        ),
        ("startup.nsh", start.to_vec()),
    ] {
        let mut file = volume.root_dir().create_file(name).expect("a file");
        file.write_all(&content).expect("written");
        file.flush().expect("written");
    }
    volume.unmount().expect("written");
}

/// What libvirt keeps of the machines' firmware.
fn variables(host: &Peer) -> Vec<String> {
    let found = fs::read_dir(host.path("lib/qemu/nvram"));
    found
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn link(host: &Peer, arguments: &[&str]) {
    let status = host.enter().arg("ip").args(arguments).status();
    assert!(status.expect("ip runs").success(), "ip {arguments:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_boots_by_uefi_on_a_bridge_that_was_there() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let settings =
        format!("firmware = \"uefi\"\n  network = {{ mode = \"bridge\", bridge = \"{BRIDGE}\" }}");
    let topology = Topology::new(&[host], &settings);
    write_disk(&topology.folder().join("disk.img"));
    fs::write(topology.folder().join("one.sh"), USER_DATA).expect("user data");
    let site = support::site(&[host], false, serde_json::json!({}));
    link(host, &["link", "add", BRIDGE, "type", "bridge"]);
    link(host, &["link", "set", BRIDGE, "up"]);

    topology.apply(BLOCKS).await;
    let subnet = topology.list(&site, Kind::Subnet).await.remove(0).spec;
    let Spec::Subnet(subnet) = subnet else {
        panic!("a subnet")
    };
    let router = subnet.cidr.hosts().next().expect("a router");
    let address = format!("{router}/{}", subnet.cidr.prefix_len());
    link(host, &["address", "add", &address, "dev", BRIDGE]);

    topology.apply(&format!("{BLOCKS}{MACHINE}")).await;
    let machine = topology.list(&site, Kind::Machine).await.remove(0);
    let answer = await_answer(host, ip(&machine), "/");
    assert!(answer.contains("efi"), "its firmware is UEFI: {answer}");
    assert_eq!(variables(host).len(), 1, "it has a store of its own");

    topology.apply("").await;
    assert!(variables(host).is_empty(), "and takes it along");
    // The bridge was there, and it stays.
    link(host, &["link", "delete", BRIDGE]);
}
