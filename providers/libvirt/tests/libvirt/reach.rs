//! What the topology says of traffic, held against packets between machines that really boot.

use std::collections::BTreeMap;

use strat_libvirt::LibvirtFactory;
use strat_model::{Kind, Resource};
use strat_provider::Registry;
use stratiform::planner::{Passes, Question};
use stratiform::{Inputs, Workspace};

use crate::support;
use crate::support::guest::{await_answer, fetch, folder, ip};
use crate::support::slots::Pair;
use crate::support::topology::Topology;

/// A web server on three ports, and a page that fetches what another machine serves.
const USER_DATA: &str = r##"#!/bin/sh
mkdir -p /www/cgi-bin
echo "hello from $(ip -4 -o addr show eth0 | awk '{ print $4 }')" > /www/index.html
printf '#!/bin/sh\necho; timeout 10 wget -q -O- "http://$QUERY_STRING/" 2>&1 || echo refused\n' > /www/cgi-bin/fetch
chmod +x /www/cgi-bin/*
for port in 80 8080 9090; do httpd -h /www -p $port; done
"##;

/// The test itself asks the machines at port 80. `both` carries a firewall that says whom it lets out to, and
/// one that lets out everything.
const BLOCKS: &str = r#"
network "core" {
  cidr  = "10.90.0.0/16"
  sites = [site.dc1]
}
subnet "app" {
  network = network.core
  newbits = 8
}
firewall "web" {
  network = network.core
  ingress "http" {
    from  = ["internet"]
    ports = [80]
  }
}
firewall "db" {
  network = network.core
  ingress "http" {
    from  = ["internet"]
    ports = [80]
  }
  ingress "web" {
    from  = [firewall.web]
    ports = ["8000-8100"]
  }
}
firewall "other" {
  network = network.core
  ingress "range" {
    from  = ["10.90.0.0/16"]
    ports = [9090]
  }
}
machine "web" {
  cpu       = 1
  memory    = "256MiB"
  image     = "tiny"
  subnet    = subnet.app
  firewalls = [firewall.web]
  user_data = file("web.sh")
}
machine "db" {
  cpu       = 1
  memory    = "256MiB"
  image     = "tiny"
  subnet    = subnet.app
  firewalls = [firewall.db]
  user_data = file("web.sh")
}
machine "both" {
  cpu       = 1
  memory    = "256MiB"
  image     = "tiny"
  subnet    = subnet.app
  firewalls = [firewall.other, firewall.web]
  user_data = file("web.sh")
}
"#;

/// What is added once the machines run: from then on `web` is let out to the database alone.
const EGRESS: &str = "  egress \"db\" {\n    to    = [firewall.db]\n    ports = [8080]\n  }\n";

/// How often something is asked that must come: translated machines are slow.
const TRIES: usize = 6;

#[tokio::test(flavor = "multi_thread")]
async fn packets_pass_where_the_topology_says_so_and_nowhere_else() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let guest = folder();
    let image = format!(
        "images = {{ tiny = {{ kernel = \"{0}/vmlinuz\", initrd = \"{0}/initrd\", cmdline = \"console=ttyS0 quiet\" }} }}",
        guest.display()
    );
    let topology = Topology::new(&[host], &image);
    std::fs::write(topology.folder().join("web.sh"), USER_DATA).expect("user data");
    let site = support::site(&[host], false, serde_json::json!({}));
    topology.apply(BLOCKS).await;
    let running = topology.list(&site, Kind::Machine).await;
    for machine in &running {
        await_answer(host, ip(machine), "/");
    }
    let head = "firewall \"web\" {\n  network = network.core\n";
    let restricted = BLOCKS.replace(head, &format!("{head}{EGRESS}"));
    assert_ne!(restricted, BLOCKS, "the rule is in it");
    topology.apply(&restricted).await;

    let registry = Registry::new().with(LibvirtFactory::new());
    let workspace = Workspace::load(topology.folder(), Inputs::default(), registry);
    let workspace = workspace.expect("the topology");
    let anywhere = workspace
        .anywhere()
        .await
        .expect("everything finds a place");

    let machines = topology.list(&site, Kind::Machine).await;
    let named = machines.iter().map(|machine| {
        let mark = machine.mark.as_ref().expect("a mark");
        (mark.addr.local.to_string(), machine)
    });
    let named: BTreeMap<String, &Resource> = named.collect();
    assert_eq!(named.len(), 3, "{named:#?}");
    let mut seen = BTreeMap::new();
    for (from, sender) in &named {
        for (to, receiver) in named.iter().filter(|(to, _)| *to != from) {
            for port in [80_u16, 8080, 9090] {
                let question = Question {
                    from: from.parse().expect("an end"),
                    to: to.parse().expect("an end"),
                    asked: port.to_string().parse().expect("a port"),
                };
                let said = workspace.reach(&anywhere, &question).expect("an answer");
                let tries = match said.passes {
                    Passes::Yes => TRIES,
                    Passes::May | Passes::No => 1,
                };
                let page = format!("/cgi-bin/fetch?{}:{port}", ip(receiver));
                let hello = format!("hello from {}/", ip(receiver));
                let passed = (0..tries).any(|_| fetch(host, ip(sender), &page).contains(&hello));
                let wanted = said.passes == Passes::Yes;
                assert_eq!(passed, wanted, "{from} -> {to}:{port}: {said:#?}");
                *seen.entry(said.passes).or_insert(0) += 1;
            }
        }
    }
    // Both answers were given, more than once: the question was one.
    assert_eq!(seen.len(), 2, "{seen:?}");
    assert!(seen.values().all(|count| *count >= 4), "{seen:?}");
    topology.apply("").await;
}
