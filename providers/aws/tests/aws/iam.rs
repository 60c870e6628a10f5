//! The policy of `docs/aws.md`: with it everything works; without any one action the error says
//! which.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use aws_credential_types::Credentials;
use serde::Deserialize;
use serde_json::json;
use strat_conformance::{Bench, Harness};
use strat_model::{
    AddressSpec, BucketSpec, Bytes, Direction, DiskClass, DiskSpec, ErrorKind, Field, FirewallRule,
    FirewallSpec, Internet, KeypairSpec, Kind, Labels, Name, NetworkSpec, Peer, Protocol,
    ResourceId, Result, Spec, SubnetSpec, VolumeSpec,
};
use strat_provider::{Filter, LeaseKey, Outcome, Provider, ProviderExt as _, Shutdown};

use crate::harness::{connect, machine_spec, site, subnet_spec};
use crate::moto;

/// What a site without spot capacity does not need.
pub(crate) const NOT_NEEDED_WITHOUT_SPOT: [&str; 12] = [
    "ec2:DescribeSpotPriceHistory",
    "ec2:DescribeVpcAttribute",
    "iam:SimulatePrincipalPolicy",
    "pricing:GetProducts",
    "s3:AbortMultipartUpload",
    "s3:DeleteObjectVersion",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetEncryptionConfiguration",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    "servicequotas:GetServiceQuota",
    "sts:DecodeAuthorizationMessage",
];

/// What no life of a site needs to do, or what goes on without it.
const NOT_NEEDED: [&str; 24] = [
    // Only with a key of one's own, which moto takes from everybody.
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
    // Without it, a refusal says less.
    "sts:DecodeAuthorizationMessage",
    // Without these nobody knows whether a bucket is empty, and none that is not is emptied.
    "s3:AbortMultipartUpload",
    "s3:DeleteObjectVersion",
    "s3:ListBucketMultipartUploads",
    "s3:ListBucketVersions",
    // Only sites with `prices = "live"` need it, and moto has no price list.
    "pricing:GetProducts",
    // Only looking at permissions needs it.
    "iam:SimulatePrincipalPolicy",
    // Without it, no limit is known.
    "servicequotas:GetServiceQuota",
    // Only where a default route leads to a gateway that is gone.
    "ec2:ReplaceRoute",
    // Only where somebody made sessions for metadata optional.
    "ec2:ModifyInstanceMetadataOptions",
    // Only where somebody switched a network's DNS off; without the others nobody looks.
    "ec2:ModifyVpcAttribute",
    "ec2:DescribeVpcAttribute",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetEncryptionConfiguration",
    // Checked by AWS with `s3:CreateBucket`; moto does not know it.
    "s3:TagResource",
    // moto takes these for `s3:CreateBucket`.
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    // Asked of a list of everything, after the buckets that have tags.
    "s3:ListAllMyBuckets",
];

/// The key of a user: its id and its secret.
pub(crate) type Key = (String, String);

#[derive(Deserialize)]
pub(crate) struct Users {
    pub(crate) all: Key,
    pub(crate) without: BTreeMap<String, Key>,
    pub(crate) half: Vec<Half>,
}

/// A user that lacks half of the actions.
#[derive(Deserialize)]
pub(crate) struct Half {
    pub(crate) lacks: Vec<String>,
    pub(crate) key: Key,
}

/// Makes the users on the moto at a port, and switches its checks on.
pub(crate) fn users(port: u16) -> Users {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = Command::new(moto::python())
        .arg(here.join("tests/aws/iam.py"))
        .arg(format!("http://127.0.0.1:{port}"))
        .arg(here.join("../../docs/aws-policy.json"))
        .output()
        .expect("python runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("the users")
}

/// A user's own connection, on moto itself: a filter could not sign its questions.
struct User {
    endpoint: String,
    key: Key,
    run_id: String,
}

#[async_trait::async_trait]
impl Harness for User {
    async fn provider(&self) -> Arc<dyn Provider> {
        let mut site = site(&self.endpoint);
        site.settings.insert("spot".to_owned(), json!(true));
        let (key, secret) = self.key.clone();
        connect(&site, Credentials::new(key, secret, None, None, "tests")).await
    }

    fn run_id(&self) -> String {
        self.run_id.clone()
    }
}

fn rule(direction: Direction, name: &str) -> FirewallRule<ResourceId> {
    FirewallRule {
        name: Name::new(name).expect("a name"),
        direction,
        peers: BTreeSet::from([Peer::Internet]),
        protocol: Protocol::Tcp,
        ports: BTreeSet::new(),
    }
}

/// A firewall with a rule of this name each way.
fn firewall(network: &ResourceId, name: &str) -> Spec<ResourceId> {
    let rules = [Direction::Ingress, Direction::Egress].map(|way| rule(way, name));
    Spec::Firewall(FirewallSpec {
        network: network.clone(),
        rules: rules.into(),
        labels: Labels::new(),
    })
}

/// Everything that a site is ever asked for.
async fn live(bench: &Bench<'_>) -> Result<()> {
    let provider = &*bench.provider;
    let labels = Labels::from([("team".to_owned(), "shop".to_owned())]);
    provider.zones().await?;
    provider.public_images().await?;
    for kind in Kind::ALL {
        provider
            .list_all(kind, &Filter::Owner(bench.owner()))
            .await?;
    }
    let network = Spec::Network(NetworkSpec {
        cidr: "10.6.0.0/16".parse().expect("a range"),
        labels: labels.clone(),
    });
    let network = bench.try_create(&network, "net").await?;
    let way = |way: Internet| match subnet_spec(&network.id) {
        Spec::Subnet(spec) => Spec::Subnet(SubnetSpec {
            internet: Some(way),
            ..spec
        }),
        other => other,
    };
    let subnet = bench.try_create(&way(Internet::Outbound), "sub").await?;
    for to in [Internet::None, Internet::Public] {
        bench
            .try_update(&subnet, &way(to), &[Field::Internet])
            .await?;
    }
    let wall = bench
        .try_create(&firewall(&network.id, "one"), "wall")
        .await?;
    let mut bare = firewall(&network.id, "two");
    bench.try_update(&wall, &bare, &[Field::Rules]).await?;
    if let Spec::Firewall(spec) = &mut bare {
        spec.rules.clear();
    }
    bench.try_update(&wall, &bare, &[Field::Rules]).await?;
    let key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ9fKq1D1dR5N8T0nF2eJ4F1yZ5Xv0aQ7b8d3h6k2m9P";
    let key = Spec::Keypair(KeypairSpec {
        public_key: key.to_owned(),
        labels: labels.clone(),
    });
    let key = bench.try_create(&key, "key").await?;
    let mut spec = machine_spec(&subnet.id);
    spec.keypair = Some(key.id.clone());
    spec.disks = vec![DiskSpec {
        size: Bytes::gib(10),
        class: DiskClass::Ssd,
    }];
    let machine = bench
        .try_create(&Spec::Machine(spec.clone()), "host")
        .await?;
    spec.firewalls.insert(wall.id.clone());
    let fields = [Field::Firewalls, Field::Labels];
    bench
        .try_update(&machine, &Spec::Machine(spec.clone()), &fields)
        .await?;
    spec.public_ip = Some(true);
    bench
        .try_update(&machine, &Spec::Machine(spec.clone()), &[Field::PublicIp])
        .await?;
    let started = provider.start_machines(std::slice::from_ref(&machine.id));
    Outcome::all_done(started.await)?;
    let mut volume = VolumeSpec {
        size: Bytes::gib(8),
        class: DiskClass::Ssd,
        zone: spec.zone.clone(),
        attach: None,
        labels: labels.clone(),
    };
    let disk = bench
        .try_create(&Spec::Volume(volume.clone()), "disk")
        .await?;
    volume.size = Bytes::gib(9);
    volume.labels = Labels::new();
    let fields = [Field::Size, Field::Labels];
    bench
        .try_update(&disk, &Spec::Volume(volume), &fields)
        .await?;
    provider.attach_volume(&disk.id, &machine.id).await?;
    provider.detach_volume(&disk.id).await?;
    let address = |attach: Option<&ResourceId>| {
        let attach = attach.cloned();
        let labels = labels.clone();
        Spec::Address(AddressSpec { attach, labels })
    };
    let ip = bench.try_create(&address(None), "ip").await?;
    for attach in [Some(&machine.id), None] {
        bench
            .try_update(&ip, &address(attach), &[Field::Attach])
            .await?;
    }
    let bucket = |versioning| {
        let labels = labels.clone();
        Spec::Bucket(BucketSpec { versioning, labels })
    };
    let store = bench.try_create(&bucket(true), "store").await?;
    bench
        .try_update(&store, &bucket(false), &[Field::Versioning])
        .await?;
    bench.try_update(&store, &bucket(false), &[]).await?;
    provider.list_offers().await?;
    if let Some(leases) = provider.leases() {
        leases.make().await?;
        leases.missing().await?;
        let places = leases.places().await?;
        let key = LeaseKey::of(&bench.run, &places[0]);
        leases.read(&key).await?;
        leases.replace(&key, "{}", None).await?;
    }
    let stopped = provider.stop_machines(std::slice::from_ref(&machine.id), Shutdown::Ask);
    Outcome::all_done(stopped.await)?;
    for thing in [&store, &ip, &machine, &disk, &key, &wall, &subnet, &network] {
        bench.try_delete(thing).await?;
    }
    Ok(())
}

#[tokio::test]
async fn the_documented_policy_is_enough_and_each_missing_action_names_itself() {
    let server = moto::Moto::start();
    let endpoint = format!("http://127.0.0.1:{}", server.port);
    let users = users(server.port);
    let user = |key: &Key, number: usize| User {
        endpoint: endpoint.clone(),
        key: key.clone(),
        run_id: format!("user{number}"),
    };

    let all = user(&users.all, 0);
    let bench = Bench::new(&all).await;
    if let Err(error) = live(&bench).await {
        panic!("the policy is not enough: {error}");
    }

    let mut silent = Vec::new();
    for (number, (action, key)) in users.without.iter().enumerate() {
        if NOT_NEEDED.contains(&action.as_str()) {
            continue;
        }
        let user = user(key, number + 1);
        let bench = Bench::new(&user).await;
        match live(&bench).await {
            Ok(()) => silent.push(format!("{action}: nothing failed")),
            Err(error)
                if error
                    .help()
                    .is_some_and(|help| help.contains(action.as_str())) => {}
            Err(error) => silent.push(format!("{action}: {error}")),
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");

    let wrong = user(&(users.all.0.clone(), "wrong".to_owned()), 999);
    let bench = Bench::new(&wrong).await;
    let refused = bench.provider.identity().await.expect_err("a wrong secret");
    let kinds = [ErrorKind::Unauthenticated, ErrorKind::Forbidden];
    assert!(kinds.contains(&refused.kind()), "{refused}");
    assert!(
        !format!("{refused:?}").contains(&users.all.1),
        "no secret is told"
    );
}
