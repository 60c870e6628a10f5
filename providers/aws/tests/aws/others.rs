//! What others made beside us: routes and groups stay as they are; and what is part of our things is labelled
//! like them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{Filter, Tag};
use strat_conformance::Bench;
use strat_model::{
    Direction, Field, FirewallRule, FirewallSpec, Kind, Labels, Name, NetworkSpec, Peer, Protocol,
    Resource, ResourceId, Spec,
};

use crate::harness::{Moto, subnet_spec};
use crate::once::machine;

fn filter(name: &str, value: &str) -> Filter {
    Filter::builder().name(name).values(value).build()
}

/// Makes a NAT gateway in a subnet, and leads a network's default route there.
async fn lead_to_nat(ec2: &aws_sdk_ec2::Client, network: &str, subnet: &str) -> String {
    let address = ec2.allocate_address().send().await.expect("an address");
    let nat = ec2.create_nat_gateway().subnet_id(subnet);
    let nat = nat.set_allocation_id(address.allocation_id().map(str::to_owned));
    let nat = nat.send().await.expect("CreateNatGateway");
    let nat = nat.nat_gateway().and_then(|nat| nat.nat_gateway_id());
    let nat = nat.expect("an id").to_owned();
    let tables = ec2
        .describe_route_tables()
        .filters(filter("vpc-id", network));
    let tables = tables.send().await.expect("DescribeRouteTables");
    let table = tables.route_tables()[0].route_table_id().expect("an id");
    // One that is there already, as in a network of ours, is led elsewhere.
    let lead = ec2.replace_route().route_table_id(table);
    let lead = lead
        .destination_cidr_block("0.0.0.0/0")
        .nat_gateway_id(&nat);
    if lead.send().await.is_err() {
        let lead = ec2.create_route().route_table_id(table);
        let lead = lead
            .destination_cidr_block("0.0.0.0/0")
            .nat_gateway_id(&nat);
        lead.send().await.expect("CreateRoute");
    }
    nat
}

/// Where the default route of a network leads.
async fn leads_to(ec2: &aws_sdk_ec2::Client, network: &str) -> Option<String> {
    let tables = ec2
        .describe_route_tables()
        .filters(filter("vpc-id", network));
    let tables = tables.send().await.expect("DescribeRouteTables");
    let mut routes = tables.route_tables()[0].routes().iter();
    let route = routes.find(|one| one.destination_cidr_block() == Some("0.0.0.0/0"))?;
    let id = route.nat_gateway_id().or(route.gateway_id());
    id.map(str::to_owned)
}

#[tokio::test]
async fn a_default_route_that_somebody_leads_elsewhere_is_told_and_left() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let ec2 = moto.ec2().await;
    let network = Spec::Network(NetworkSpec {
        cidr: "10.6.0.0/16".parse().expect("a range"),
        labels: Labels::new(),
    });
    let network = bench.create(&network, "net").await;
    let subnet = bench.create(&subnet_spec(&network.id), "sub").await;
    let nat = lead_to_nat(&ec2, network.id.as_str(), subnet.id.as_str()).await;
    let seen = bench.ready(Kind::Network, &network.id).await;
    let why = seen.stays_departed().expect("it is told");
    assert!(
        why.contains(&format!("leading to {nat} and not leading to its internet")),
        "{why}"
    );
    bench
        .update(&seen, &seen.spec, &[Field::Setup, Field::Labels])
        .await;
    assert_eq!(leads_to(&ec2, network.id.as_str()).await, Some(nat));
}

#[tokio::test]
async fn what_is_adopted_keeps_its_route_and_its_default_group() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let ec2 = moto.ec2().await;
    let vpc = ec2.create_vpc().cidr_block("10.6.0.0/16").send().await;
    let vpc = vpc.expect("CreateVpc");
    let vpc = vpc
        .vpc()
        .and_then(|vpc| vpc.vpc_id())
        .expect("an id")
        .to_owned();
    let subnet = ec2.create_subnet().vpc_id(&vpc).cidr_block("10.6.1.0/24");
    let subnet = subnet.send().await.expect("CreateSubnet");
    let subnet = subnet
        .subnet()
        .and_then(|one| one.subnet_id())
        .expect("an id");
    let nat = lead_to_nat(&ec2, &vpc, subnet).await;
    let groups = || {
        ec2.describe_security_groups()
            .filters(filter("vpc-id", &vpc))
    };
    let default = groups().send().await.expect("the groups");
    let open = ec2.authorize_security_group_ingress();
    let open = open.set_group_id(default.security_groups()[0].group_id().map(str::to_owned));
    let open = open.ip_protocol("tcp").from_port(22).to_port(22);
    open.cidr_ip("10.0.0.0/8").send().await.expect("opened");

    let id = ResourceId::from(&vpc);
    let found = bench.look(Kind::Network, &id).await.expect("it is there");
    let adopted = bench.update(&found, &found.spec, &[]).await;
    assert!(adopted.mark.is_some(), "{adopted:?}");
    bench
        .update(&adopted, &found.spec, &[Field::Setup, Field::Labels])
        .await;
    assert_eq!(leads_to(&ec2, &vpc).await, Some(nat));
    let after = groups().send().await.expect("the groups");
    assert_eq!(
        after.security_groups()[0].ip_permissions().len(),
        1,
        "left open"
    );
    let gateways = ec2.describe_internet_gateways();
    let gateways = gateways
        .filters(filter("attachment.vpc-id", &vpc))
        .send()
        .await;
    assert!(
        gateways.expect("a list").internet_gateways().is_empty(),
        "none is made"
    );
}

fn tags(tags: &[Tag]) -> BTreeMap<&str, &str> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?, tag.value()?)))
        .collect()
}

/// The gateway of a network, the interface and the disks of a machine.
#[tokio::test]
async fn parts_carry_the_labels_of_what_they_are_part_of() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let ec2 = moto.ec2().await;
    let label = |value: &str| Labels::from([("team".to_owned(), value.to_owned())]);
    let mut spec = machine(&bench).await;
    spec.labels = label("shop");
    let made = bench.create(&Spec::Machine(spec.clone()), "host").await;
    // moto takes no tags of interfaces at a launch.
    let form = moto.filter.last_form("RunInstances").expect("a launch");
    let interface = form.iter().find(|(_, value)| *value == "network-interface");
    let (key, _) = interface.expect("the interface is tagged");
    let start = key.trim_end_matches("ResourceType");
    let given: Vec<&str> = form
        .iter()
        .filter(|(key, _)| key.starts_with(start))
        .map(|(_, value)| value.as_str())
        .collect();
    for part in ["team", "shop", "stratiform:owner", "stratiform:addr"] {
        assert!(given.contains(&part), "{part}: {given:?}");
    }

    spec.labels = label("bank");
    let spec = Spec::Machine(spec);
    bench.update(&made, &spec, &[Field::Labels]).await;
    let of = filter("attachment.instance-id", made.id.as_str());
    let interfaces = ec2.describe_network_interfaces().filters(of.clone());
    let interfaces = interfaces.send().await.expect("DescribeNetworkInterfaces");
    let interface = tags(interfaces.network_interfaces()[0].tag_set());
    assert_eq!(interface.get("team"), Some(&"bank"), "{interface:?}");
    let disks = ec2
        .describe_volumes()
        .filters(of)
        .send()
        .await
        .expect("disks");
    let disk = tags(disks.volumes()[0].tags());
    assert_eq!(
        disk.get("stratiform:owner"),
        None,
        "it would be listed: {disk:?}"
    );

    let Spec::Machine(machine) = &spec else {
        panic!("a machine");
    };
    let subnet: Resource = bench.ready(Kind::Subnet, &machine.subnet).await;
    let Spec::Subnet(subnet) = &subnet.spec else {
        panic!("a subnet");
    };
    let network = bench.ready(Kind::Network, &subnet.network).await;
    let mut wanted = network.spec.clone();
    *wanted.labels_mut() = label("bank");
    bench.update(&network, &wanted, &[Field::Labels]).await;
    let gateways = ec2.describe_internet_gateways();
    let gateways = gateways.filters(filter("attachment.vpc-id", network.id.as_str()));
    let gateways = gateways.send().await.expect("a list");
    let gateway = tags(gateways.internet_gateways()[0].tags());
    assert_eq!(gateway.get("team"), Some(&"bank"), "{gateway:?}");
    bench.clear_up().await;
}

/// EC2 says only that something depends on a thing: what that is, is looked for.
#[tokio::test]
async fn what_keeps_a_subnet_or_a_group_is_named() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let spec = machine(&bench).await;
    let subnet = bench.ready(Kind::Subnet, &spec.subnet).await;
    let Spec::Subnet(of) = &subnet.spec else {
        panic!("a subnet");
    };
    let wall = Spec::Firewall(FirewallSpec {
        network: of.network.clone(),
        rules: BTreeSet::new(),
        labels: Labels::new(),
    });
    let wall = bench.create(&wall, "wall").await;
    let named = FirewallRule {
        name: Name::new("peers").expect("a name"),
        direction: Direction::Ingress,
        peers: BTreeSet::from([Peer::Firewall(wall.id.clone())]),
        protocol: Protocol::Tcp,
        ports: BTreeSet::new(),
    };
    let other = Spec::Firewall(FirewallSpec {
        network: of.network.clone(),
        rules: [named].into(),
        labels: Labels::new(),
    });
    let other = bench.create(&other, "other").await;
    let told = async |thing: &Resource| {
        let kept = bench.try_delete(thing).await.expect_err("it is in use");
        assert_eq!(kept.code(), Some("DependencyViolation"), "{kept}");
        kept.message().to_owned()
    };
    let why = told(&wall).await;
    assert!(why.contains(other.id.as_str()), "{why}");
    let host = bench.create(&Spec::Machine(spec), "host").await;
    // moto keeps the groups of a machine at its interface alone, so it finds none by its group.
    let why = told(&subnet).await;
    assert!(why.contains(host.id.as_str()), "{why}");
    bench.clear_up().await;
}
