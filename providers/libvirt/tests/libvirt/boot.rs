//! Machines that really boot: Debian's kernel under QEMU's translator, with a busybox system that
//! reads its seed as cloud-init does.

use crate::support;
use crate::support::guest::{SILENCE, await_answer, fetch, fetch_within, folder, ip};
use crate::support::slots::Pair;
use crate::support::topology::Topology;
use strat_model::{Kind, Resource, Spec};

use strat_provider::ProviderExt as _;
/// A small web server, a page that fetches another machine's, and pages that use a volume. A disk
/// appears in the machine a while after it was attached; until then its name is free, and a file
/// of that name would take what is written.
const USER_DATA: &str = r##"#!/bin/sh
mkdir -p /www/cgi-bin
echo "hello from $(ip -4 -o addr show eth0 | awk '{ print $4 }')" > /www/index.html
printf '#!/bin/sh\necho; timeout 10 wget -q -O- "http://$QUERY_STRING/" 2>&1 || echo refused\n' > /www/cgi-bin/fetch
printf 'n=0; until [ -b /dev/sda ] || [ $n -ge 60 ]; do n=$((n + 1)); sleep 1; done\n' > /www/disk
printf '#!/bin/sh\necho; . /www/disk; [ -b /dev/sda ] && printf "%%s" "$QUERY_STRING" | dd of=/dev/sda conv=fsync 2>/dev/null && echo written\n' > /www/cgi-bin/write
printf '#!/bin/sh\necho; . /www/disk; head -c 16 /dev/sda\n' > /www/cgi-bin/read
printf '#!/bin/sh\necho; PATH=$PATH:/sbin:/usr/sbin; from=${QUERY_STRING%%%%,*}; to=${QUERY_STRING##*,}; ip addr add $from/24 dev eth0; ip route add $to/32 dev eth0 src $from; timeout 10 wget -q -O- "http://$to/" 2>&1 || echo refused; ip route del $to/32; ip addr del $from/24 dev eth0\n' > /www/cgi-bin/spoof
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

#[tokio::test(flavor = "multi_thread")]
async fn a_fleet_boots_and_serves_behind_its_firewall() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let guest = folder();
    let image = format!(
        "images = {{ tiny = {{ kernel = \"{0}/vmlinuz\", initrd = \"{0}/initrd\", cmdline = \"console=ttyS0 quiet\" }} }}",
        guest.display()
    );
    let settings = format!("{image}\n  anti_spoofing = true\n  disk_cache = \"writeback\"");
    let mut topology = Topology::new(&[host], &settings);
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
    let domain = host.say(&["virsh", "dumpxml", &one.name]);
    assert!(domain.contains("cache='writeback'"), "{domain}");

    // A machine sends with its own address alone, whomever the other one admits; where the site says so,
    // with any.
    let foreign = {
        let ip: std::net::Ipv4Addr = ip(one).parse().expect("an address");
        let [a, b, c, _] = ip.octets();
        format!("{a}.{b}.{c}.210")
    };
    let spoof = || {
        fetch(
            host,
            ip(one),
            &format!("/cgi-bin/spoof?{foreign},{}", ip(two)),
        )
    };
    let refused = spoof();
    assert!(refused.contains("refused"), "{refused}");
    topology.set("anti_spoofing = true", "anti_spoofing = false");
    let everybody = blocks(&admit("everybody", "\"internet\""));
    topology.apply(&everybody).await;
    let passed = (0..6)
        .map(|_| spoof())
        .find(|answer| answer.contains("hello"));
    assert!(passed.is_some(), "with any address");
    topology.set("anti_spoofing = false", "anti_spoofing = true");
    topology.apply(&everybody).await;
    let refused = spoof();
    assert!(refused.contains("refused"), "{refused}");

    // Only the host is admitted, whose address is the router's, the first of the subnet.
    let subnet = topology.list(&site, Kind::Subnet).await.remove(0).spec;
    let Spec::Subnet(subnet) = subnet else {
        panic!("a subnet")
    };
    let router = subnet.cidr.hosts().next().expect("a router");
    let from_host = admit("host", &format!("\"{router}/32\""));
    topology.apply(&blocks(&from_host)).await;
    let ask = |from: &Resource, to: &Resource| {
        fetch(host, ip(from), &format!("/cgi-bin/fetch?{}", ip(to)))
    };
    let refused = ask(one, two);
    assert!(
        refused.contains("refused"),
        "one machine is not admitted to another: {refused}"
    );

    // The machines admit each other, by the firewall's own name.
    let both = format!("{from_host}{}", admit("peers", "firewall.web"));
    topology.apply(&blocks(&both)).await;
    // The other one may be slow to answer; it is admitted all the same.
    let is_there = format!("hello from {}/", ip(two));
    let admitted = (0..6)
        .map(|_| ask(one, two))
        .find(|answer| answer.contains(&is_there));
    assert!(admitted.is_some(), "now it is");

    // A volume written in one machine has its bytes in the other.
    let provider = support::connect(&site).await;
    let volume = topology.list(&site, Kind::Volume).await.remove(0);
    let storage = &*provider;
    storage
        .attach_volume(&volume.id, &one.id)
        .await
        .expect("attached");
    let written = fetch(host, ip(one), "/cgi-bin/write?sixteen-bytes-ok");
    assert!(written.contains("written"), "{written}");
    storage.detach_volume(&volume.id).await.expect("detached");
    storage
        .attach_volume(&volume.id, &two.id)
        .await
        .expect("attached again");
    let read = fetch(host, ip(two), "/cgi-bin/read");
    assert_eq!(read, "sixteen-bytes-ok");
    storage
        .detach_volume(&volume.id)
        .await
        .expect("detached again");

    // Nobody is admitted any more, the host neither; then it is again.
    topology.apply(&blocks("")).await;
    let refused = fetch_within(host, ip(one), "/", SILENCE);
    assert_eq!(refused, None, "the host is refused");
    topology.apply(&blocks(&from_host)).await;
    assert!(
        fetch(host, ip(one), "/").contains("hello"),
        "the host is admitted again"
    );

    topology.apply("").await;
}
