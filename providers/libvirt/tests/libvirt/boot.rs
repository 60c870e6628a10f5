//! Machines that really boot: Debian's kernel under QEMU's translator, with a busybox system that
//! reads its seed as cloud-init does.

use crate::support;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;
use strat_model::{Kind, Resource, Spec};

/// The folder where the script puts the guest's kernel and memory disk.
fn guest() -> PathBuf {
    let output = Command::new(Peer::SCRIPT)
        .arg("where")
        .output()
        .expect("the script runs");
    let guest = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    assert!(
        guest.join("initrd").exists(),
        "the guest is not built; run scripts/peers/libvirt"
    );
    guest
}

/// A small web server, and a page that fetches another machine's.
const USER_DATA: &str = r##"#!/bin/sh
mkdir -p /www/cgi-bin
echo "hello from $(ip -4 -o addr show eth0 | awk '{ print $4 }')" > /www/index.html
printf '#!/bin/sh\necho; timeout 6 wget -q -O- "http://$QUERY_STRING/" 2>&1 || echo refused\n' > /www/cgi-bin/fetch
printf '#!/bin/sh\necho; printf "%%s" "$QUERY_STRING" | dd of=/dev/sda conv=fsync 2>/dev/null && echo written\n' > /www/cgi-bin/write
printf '#!/bin/sh\necho; head -c 16 /dev/sda\n' > /www/cgi-bin/read
chmod +x /www/cgi-bin/*
httpd -h /www
"##;

/// The topology, with these rules for the web machines.
fn blocks(rules: &str) -> String {
    format!(
        r#"
network "core" {{
  cidr  = "10.90.0.0/16"
  sites = [site.dc1]
}}
subnet "app" {{
  network = network.core
  newbits = 8
}}
firewall "web" {{
  network = network.core
  {rules}
}}
machines "web" {{
  count     = 2
  cpu       = 1
  memory    = "256MiB"
  image     = "tiny"
  subnet    = subnet.app
  firewalls = [firewall.web]
  user_data = file("web.sh")
  placement {{
    sites = [site.dc1]
  }}
}}
volume "data" {{
  size = "64MiB"
  site = site.dc1
}}
"#
    )
}

/// A rule that admits the web's port.
fn admit(name: &str, from: &str) -> String {
    format!(
        "ingress \"{name}\" {{\n    from     = [{from}]\n    protocol = \"tcp\"\n    ports    = [80]\n  }}\n"
    )
}

/// What a machine answers the host with; `None` if nothing comes.
fn fetch(host: &Peer, ip: &str, path: &str) -> Option<String> {
    let ask = format!(
        "exec 3<>/dev/tcp/{ip}/80 && printf 'GET {path} HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3"
    );
    let output = host
        .enter()
        .args(["timeout", "8", "bash", "-c", &ask])
        .output()
        .expect("bash runs");
    let answer = String::from_utf8_lossy(&output.stdout).into_owned();
    let (head, body) = answer
        .split_once("\r\n\r\n")
        .or_else(|| answer.split_once("\n\n"))?;
    head.contains(" 200 ").then(|| body.to_owned())
}

/// Waits for an answer.
fn await_answer(host: &Peer, ip: &str, path: &str) -> String {
    for _ in 0..240 {
        if let Some(answer) = fetch(host, ip, path) {
            return answer;
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    panic!("{ip} does not answer")
}

fn ip(machine: &Resource) -> &str {
    machine
        .attributes
        .get("private_ip")
        .expect("it has an address")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_boots_and_serves_behind_its_firewall() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let guest = guest();
    let image = format!(
        "images = {{ tiny = {{ kernel = \"{0}/vmlinuz\", initrd = \"{0}/initrd\", cmdline = \"console=ttyS0 quiet\" }} }}",
        guest.display()
    );
    let topology = Topology::new(&[host], &image);
    std::fs::write(topology.folder().join("web.sh"), USER_DATA).expect("user data");
    let site = support::site(&[host], false, serde_json::json!({}));

    topology
        .apply(&blocks(&admit("everybody", "\"internet\"")))
        .await;
    let machines = topology.list(&site, Kind::Machine).await;
    let [one, two] = machines.as_slice() else {
        panic!("two machines: {machines:#?}")
    };
    for machine in [one, two] {
        let answer = await_answer(host, ip(machine), "/");
        assert!(
            answer.contains(&format!("hello from {}/", ip(machine))),
            "{answer}"
        );
    }
    // Only the host is admitted, whose address is the router's, the first of the subnet.
    let subnet = topology.list(&site, Kind::Subnet).await.remove(0).spec;
    let Spec::Subnet(subnet) = subnet else {
        panic!("a subnet")
    };
    let router = subnet.cidr.hosts().next().expect("a router");
    let from_host = admit("host", &format!("\"{router}/32\""));
    topology.apply(&blocks(&from_host)).await;
    let ask = |from: &Resource, to: &Resource| {
        fetch(host, ip(from), &format!("/cgi-bin/fetch?{}", ip(to))).expect("the host is admitted")
    };
    let refused = ask(one, two);
    assert!(
        !refused.contains("hello"),
        "one machine is not admitted to another: {refused}"
    );

    // The machines admit each other, by the firewall's own name.
    let both = format!("{from_host}{}", admit("peers", "firewall.web"));
    topology.apply(&blocks(&both)).await;
    let admitted = ask(one, two);
    assert!(
        admitted.contains(&format!("hello from {}/", ip(two))),
        "now it is: {admitted}"
    );

    // A volume written in one machine has its bytes in the other.
    let provider = support::connect(&site).await;
    let volume = topology.list(&site, Kind::Volume).await.remove(0);
    let storage = provider.storage();
    storage
        .attach_volume(&volume.id, &one.id)
        .await
        .expect("attached");
    let written = fetch(host, ip(one), "/cgi-bin/write?sixteen-bytes-ok").expect("an answer");
    assert!(written.contains("written"), "{written}");
    storage.detach_volume(&volume.id).await.expect("detached");
    storage
        .attach_volume(&volume.id, &two.id)
        .await
        .expect("attached again");
    let read = fetch(host, ip(two), "/cgi-bin/read").expect("an answer");
    assert_eq!(read, "sixteen-bytes-ok");
    storage
        .detach_volume(&volume.id)
        .await
        .expect("detached again");

    // Nobody is admitted any more, the host neither; then it is again.
    topology.apply(&blocks("")).await;
    assert_eq!(fetch(host, ip(one), "/"), None, "the host is refused");
    topology.apply(&blocks(&from_host)).await;
    assert!(
        fetch(host, ip(one), "/").is_some(),
        "the host is admitted again"
    );

    topology.apply("").await;
}
