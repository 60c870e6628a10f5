//! Ways to the internet: what is made for them, once, and taken away.

use aws_sdk_ec2::types::{NatGateway, NatGatewayState, RouteTable, Subnet};
use strat_conformance::Bench;
use strat_model::{Field, Internet, Kind, NetworkSpec, Resource, ResourceId, Spec, SubnetSpec};

use crate::harness::{Moto, subnet_spec};

/// What there is in a network for subnets that are not public.
#[derive(Debug, PartialEq, Eq)]
struct Parts {
    /// NAT gateways that are not gone.
    gateways: usize,
    addresses: usize,
    /// Subnets of gateways.
    subnets: usize,
    /// Route tables beside the main one.
    tables: usize,
}

const NOTHING: Parts = Parts {
    gateways: 0,
    addresses: 0,
    subnets: 0,
    tables: 0,
};

/// One NAT gateway with what it stands on, and its table.
const ONE: Parts = Parts {
    gateways: 1,
    addresses: 1,
    subnets: 1,
    tables: 1,
};

fn by(name: &str, value: &str) -> aws_sdk_ec2::types::Filter {
    let filter = aws_sdk_ec2::types::Filter::builder().name(name);
    filter.values(value).build()
}

async fn gateways(ec2: &aws_sdk_ec2::Client, network: &ResourceId) -> Vec<NatGateway> {
    let call = ec2.describe_nat_gateways();
    let call = call.filter(by("vpc-id", network.as_str())).send().await;
    let mut all = call
        .expect("DescribeNatGateways")
        .nat_gateways
        .unwrap_or_default();
    all.retain(|one| one.state() != Some(&NatGatewayState::Deleted));
    all
}

async fn tables(ec2: &aws_sdk_ec2::Client, network: &ResourceId) -> Vec<RouteTable> {
    let call = ec2.describe_route_tables();
    let call = call.filters(by("vpc-id", network.as_str())).send().await;
    let mut all = call
        .expect("DescribeRouteTables")
        .route_tables
        .unwrap_or_default();
    all.retain(|table| {
        !table
            .associations()
            .iter()
            .any(|one| one.main() == Some(true))
    });
    all
}

async fn parts(moto: &Moto, network: &ResourceId) -> Parts {
    let ec2 = moto.ec2().await;
    let tag = || by("tag:stratiform:part-of", network.as_str());
    let addresses = ec2.describe_addresses().filters(tag()).send().await;
    let subnets = ec2.describe_subnets().filters(tag()).send().await;
    Parts {
        gateways: gateways(&ec2, network).await.len(),
        addresses: addresses.expect("DescribeAddresses").addresses().len(),
        subnets: subnets.expect("DescribeSubnets").subnets().len(),
        tables: tables(&ec2, network).await.len(),
    }
}

async fn network(bench: &Bench<'_>) -> ResourceId {
    let spec = Spec::Network(NetworkSpec {
        cidr: "10.6.0.0/16".parse().expect("a range"),
        labels: strat_model::Labels::new(),
    });
    bench.create(&spec, "net").await.id
}

/// The `index`th subnet of a network, with this way.
fn subnet(network: &ResourceId, index: u8, way: Internet) -> Spec<ResourceId> {
    let Spec::Subnet(spec) = subnet_spec(network) else {
        panic!("a subnet");
    };
    Spec::Subnet(SubnetSpec {
        cidr: format!("10.6.{}.0/24", 16 * index)
            .parse()
            .expect("a range"),
        internet: Some(way),
        ..spec
    })
}

fn way(seen: &Resource) -> Option<Internet> {
    match &seen.spec {
        Spec::Subnet(subnet) => subnet.internet,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_network_has_one_gateway_that_goes_with_the_last_subnet_that_needs_it() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let network = network(&bench).await;
    let open = bench
        .create(&subnet(&network, 1, Internet::Public), "open")
        .await;
    assert_eq!(way(&open), Some(Internet::Public));
    assert_eq!(parts(&moto, &network).await, NOTHING);

    let out = subnet(&network, 2, Internet::Outbound);
    let other = subnet(&network, 3, Internet::Outbound);
    let (one, two) = tokio::join!(bench.create(&out, "one"), bench.create(&other, "two"));
    assert_eq!(parts(&moto, &network).await, ONE);
    let closed = bench
        .create(&subnet(&network, 4, Internet::None), "closed")
        .await;
    for (made, expected) in [
        (&open, Internet::Public),
        (&one, Internet::Outbound),
        (&two, Internet::Outbound),
        (&closed, Internet::None),
    ] {
        let seen = bench.ready(Kind::Subnet, &made.id).await;
        assert_eq!(way(&seen), Some(expected), "{}", made.name);
        assert!(!seen.departs(), "{seen:?}");
    }
    // What the gateway stands on is nothing of the topology's.
    let listed = bench.list(Kind::Subnet, &strat_provider::Filter::All).await;
    let of_network = listed.iter().filter(|one| match &one.spec {
        Spec::Subnet(subnet) => subnet.network == network,
        _ => false,
    });
    assert_eq!(of_network.count(), 4);

    bench.delete(&one).await;
    bench.delete(&closed).await;
    let left = parts(&moto, &network).await;
    assert_eq!(
        (left.gateways, left.addresses),
        (1, 1),
        "another one uses it"
    );
    bench.delete(&two).await;
    let left = parts(&moto, &network).await;
    assert_eq!((left.gateways, left.addresses, left.subnets), (0, 0, 0));
    bench.clear_up().await;
}

#[tokio::test]
async fn a_network_is_deleted_with_all_its_parts() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let network = network(&bench).await;
    for (index, way) in (1..).zip(Internet::ALL) {
        let made = bench
            .create(&subnet(&network, index, way), way.as_str())
            .await;
        bench.delete(&made).await;
    }
    let made = bench.ready(Kind::Network, &network).await;
    bench.delete(&made).await;
    assert_eq!(parts(&moto, &network).await, NOTHING);
}

/// Each call on the way fails once, or its answer is lost; the same create, repeated, ends with one of each.
#[tokio::test]
async fn whatever_is_cut_off_is_finished_and_nothing_is_made_twice() {
    let calls = [
        "CreateSubnet",
        "CreateRouteTable",
        "AssociateVpcCidrBlock",
        "AllocateAddress",
        "CreateNatGateway",
        "CreateRoute",
        "AssociateRouteTable",
    ];
    for (number, (call, lost)) in calls
        .iter()
        .flat_map(|call| [(call, true), (call, false)])
        .enumerate()
    {
        let moto = Moto::start().await;
        let bench = Bench::new(&moto).await;
        let network = network(&bench).await;
        let spec = subnet(&network, 1, Internet::Outbound);
        match lost {
            true => moto.filter.lose(call),
            false => moto.filter.refuse(call, "InternalError", 1),
        }
        let word = format!("cut-{number}");
        bench.try_create(&spec, &word).await.expect_err(call);
        let made = bench.try_create(&spec, &word).await.expect("the same");
        let seen = bench.ready(Kind::Subnet, &made.id).await;
        assert_eq!(way(&seen), Some(Internet::Outbound), "{call}, lost: {lost}");
        let there = parts(&moto, &network).await;
        // Route tables and addresses cost nothing twice in the same state, and are found by their tags.
        assert_eq!(
            (there.gateways, there.subnets),
            (1, 1),
            "{call}, lost: {lost}"
        );
        assert_eq!(
            (there.addresses, there.tables),
            (1, 1),
            "{call}, lost: {lost}"
        );
        bench.delete(&made).await;
        let left = parts(&moto, &network).await;
        assert_eq!(
            (left.gateways, left.addresses, left.subnets),
            (0, 0, 0),
            "{call}"
        );
        bench.clear_up().await;
    }
}

#[tokio::test]
async fn a_gateway_that_is_gone_and_a_table_that_was_changed_are_told_and_mended() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let ec2 = moto.ec2().await;
    let network = network(&bench).await;
    let spec = subnet(&network, 1, Internet::Outbound);
    let made = bench.create(&spec, "out").await;

    let gone = gateways(&ec2, &network).await.remove(0);
    let call = ec2
        .delete_nat_gateway()
        .set_nat_gateway_id(gone.nat_gateway_id);
    call.send().await.expect("DeleteNatGateway");
    let seen = bench.ready(Kind::Subnet, &made.id).await;
    assert_eq!(way(&seen), Some(Internet::None), "it leads nowhere");
    bench.update(&seen, &spec, &[Field::Internet]).await;
    let seen = bench.ready(Kind::Subnet, &made.id).await;
    assert_eq!(way(&seen), Some(Internet::Outbound));
    assert_eq!(gateways(&ec2, &network).await.len(), 1);

    // Somebody has it route by a table of their own.
    let call = ec2
        .create_route_table()
        .vpc_id(network.as_str())
        .send()
        .await;
    let table = call
        .expect("CreateRouteTable")
        .route_table
        .expect("a table");
    let theirs = table.route_table_id.expect("an id");
    let all = tables(&ec2, &network).await;
    let bonds = all.iter().flat_map(RouteTable::associations);
    let mut bonds = bonds.filter(|one| one.subnet_id() == Some(made.id.as_str()));
    let bond = bonds
        .next()
        .and_then(|one| one.route_table_association_id());
    let call = ec2
        .replace_route_table_association()
        .route_table_id(&theirs);
    let call = call.association_id(bond.expect("a bond"));
    call.send().await.expect("ReplaceRouteTableAssociation");
    let seen = bench.ready(Kind::Subnet, &made.id).await;
    assert_eq!(way(&seen), Some(Internet::None));
    let told = seen.departures();
    assert_eq!(told["route table"].is, theirs);
    bench
        .update(&seen, &spec, &[Field::Internet, Field::Setup])
        .await;
    let seen = bench.ready(Kind::Subnet, &made.id).await;
    assert_eq!(
        (way(&seen), seen.departs()),
        (Some(Internet::Outbound), false)
    );

    // What nobody uses any more goes with the change that leaves it.
    let open = subnet(&network, 1, Internet::Public);
    bench.update(&seen, &open, &[Field::Internet]).await;
    let left = parts(&moto, &network).await;
    assert_eq!((left.gateways, left.addresses, left.subnets), (0, 0, 0));
    let call = ec2.delete_route_table().route_table_id(theirs).send().await;
    call.expect("DeleteRouteTable");
    bench.clear_up().await;
}

/// The range of a gateway is none of the network's own, so that no topology's subnet is ever in its place.
#[tokio::test]
async fn a_gateway_stands_outside_of_the_topologys_ranges() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let network = network(&bench).await;
    bench
        .create(&subnet(&network, 1, Internet::Outbound), "out")
        .await;
    let ec2 = moto.ec2().await;
    let call = ec2.describe_subnets();
    let call = call.filters(by("tag:stratiform:part-of", network.as_str()));
    let found = call.send().await.expect("DescribeSubnets");
    let ranges: Vec<&str> = found
        .subnets()
        .iter()
        .filter_map(Subnet::cidr_block)
        .collect();
    let [range] = ranges.as_slice() else {
        panic!("one subnet: {ranges:?}");
    };
    assert!(
        range.starts_with("100.") && range.ends_with("/28"),
        "{range}"
    );
    bench.clear_up().await;
}
