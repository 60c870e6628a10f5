//! How the tests reach a site.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_sdk_ec2::primitives::Blob;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use serde_json::json;
use strat_aws::AwsFactory;
use strat_conformance::{Harness, OutsideRows, Partners};
use strat_model::{
    Bytes, CapacityKind, Field, ImageRef, Kind, Labels, MachineSpec, Name, Offer, Resource,
    ResourceId, SiteSpec, Spec, SubnetSpec,
};
use strat_provider::{ConnectContext, Provider, ProviderFactory, TokioClock};

use crate::filter::Filter;
use crate::{moto, outside, upset};

/// The region of all tests.
pub(crate) const REGION: &str = "eu-central-1";

/// A site on moto behind a filter of its own.
pub(crate) struct Moto {
    pub(crate) filter: Filter,
    /// Route tables that tests made past the provider, and take away again.
    pub(crate) tables: Mutex<Vec<String>>,
    run_id: String,
    // Of those that share it: it is there until the last of them ends.
    _shared: Option<Arc<moto::Moto>>,
}

impl Moto {
    /// On a moto that tests share.
    pub(crate) async fn start() -> Self {
        let shared = moto::shared();
        Self {
            _shared: Some(Arc::clone(&shared)),
            ..Self::on(shared.port).await
        }
    }

    /// On the moto at a port.
    pub(crate) async fn on(port: u16) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let filter = Filter::start(port).await;
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self {
            filter,
            tables: Mutex::default(),
            run_id: format!("run{number}"),
            _shared: None,
        }
    }

    fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.filter.port)
    }

    /// The site's block. moto's lists do not lag.
    pub(crate) fn site(&self) -> SiteSpec {
        site(&self.endpoint())
    }

    /// The vendor's client, for what the provider does not do.
    pub(crate) async fn config(&self) -> aws_config::SdkConfig {
        aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(REGION))
            .endpoint_url(self.endpoint())
            .credentials_provider(credentials())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .load()
            .await
    }

    pub(crate) async fn ec2(&self) -> aws_sdk_ec2::Client {
        aws_sdk_ec2::Client::new(&self.config().await)
    }

    pub(crate) async fn s3(&self) -> aws_sdk_s3::Client {
        let config = aws_sdk_s3::config::Builder::from(&self.config().await);
        aws_sdk_s3::Client::from_conf(config.force_path_style(true).build())
    }
}

/// Credentials that moto takes.
pub(crate) fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "tests")
}

/// The block of a site at an endpoint.
pub(crate) fn site(endpoint: &str) -> SiteSpec {
    let settings = json!({ "endpoint": endpoint, "consistency_ms": 0 });
    SiteSpec {
        region: Some(REGION.to_owned()),
        settings: settings.as_object().expect("an object").clone(),
        ..SiteSpec::new(Name::new("here").expect("a name"), "aws")
    }
}

/// Connects to a site with these credentials.
pub(crate) async fn connect(site: &SiteSpec, credentials: Credentials) -> Arc<dyn Provider> {
    let context = ConnectContext {
        base_dir: std::path::PathBuf::new(),
        clock: Arc::new(TokioClock::system()),
    };
    let factory = AwsFactory::with_credentials(credentials);
    factory.connect(site, &context).await.expect("a site")
}

/// The zone of what tests make.
fn zone() -> Name {
    Name::new(format!("{REGION}a")).expect("a zone")
}

/// A subnet of a network of 10.6.0.0/16.
pub(crate) fn subnet_spec(network: &ResourceId) -> Spec<ResourceId> {
    Spec::Subnet(SubnetSpec {
        network: network.clone(),
        cidr: "10.6.0.0/20".parse().expect("a range"),
        zone: Some(zone()),
        internet: None,
        labels: Labels::new(),
    })
}

/// A small machine in a subnet.
pub(crate) fn machine_spec(subnet: &ResourceId) -> MachineSpec<ResourceId> {
    MachineSpec {
        machine_type: "t3.micro".to_owned(),
        cpu: 2,
        memory: Bytes::gib(1),
        capacity: CapacityKind::OnDemand,
        zone: zone(),
        image: ImageRef::Named {
            name: "debian-12".to_owned(),
            id: ResourceId::from("ami-0deb12000000000b2"),
        },
        subnet: subnet.clone(),
        firewalls: strat_model::Shared::new(),
        keypair: None,
        user_data: None,
        disks: Vec::new(),
        public_ip: None,
        labels: Labels::new(),
    }
}

#[async_trait]
impl Harness for Moto {
    async fn provider(&self) -> Arc<dyn Provider> {
        connect(&self.site(), credentials()).await
    }

    fn run_id(&self) -> String {
        self.run_id.clone()
    }

    fn patience(&self) -> std::time::Duration {
        std::time::Duration::from_secs(60)
    }

    fn may_buy(&self, offer: &Offer) -> bool {
        matches!(offer.machine_type.as_str(), "t3.micro" | "t3.small")
    }

    async fn make_foreign(&self, kind: Kind, name: &str) -> Option<ResourceId> {
        let ec2 = self.ec2().await;
        let id = match kind {
            Kind::Network => {
                let made = ec2
                    .create_vpc()
                    .cidr_block("10.99.0.0/16")
                    .send()
                    .await
                    .ok()?;
                made.vpc()?.vpc_id()?.to_owned()
            }
            Kind::Subnet => {
                let network = self.make_foreign(Kind::Network, name).await?;
                let call = ec2.create_subnet().vpc_id(network.as_str());
                let made = call.cidr_block("10.99.1.0/24").send().await.ok()?;
                made.subnet()?.subnet_id()?.to_owned()
            }
            Kind::Firewall => {
                let network = self.make_foreign(Kind::Network, name).await?;
                let call = ec2.create_security_group().vpc_id(network.as_str());
                let made = call
                    .group_name(name)
                    .description("foreign")
                    .send()
                    .await
                    .ok()?;
                made.group_id()?.to_owned()
            }
            Kind::Address => ec2
                .allocate_address()
                .send()
                .await
                .ok()?
                .allocation_id()?
                .to_owned(),
            Kind::Keypair => {
                let key = "ssh-ed25519 \
                           AAAAC3NzaC1lZDI1NTE5AAAAIJ9fKq1D1dR5N8T0nF2eJ4F1yZ5Xv0aQ7b8d3h6k2m9P";
                let call = ec2.import_key_pair().key_name(name);
                call.public_key_material(Blob::new(key)).send().await.ok()?;
                name.to_owned()
            }
            Kind::Machine => {
                let subnet = self.make_foreign(Kind::Subnet, name).await?;
                let made = ec2
                    .run_instances()
                    .image_id("ami-0deb12000000000b2")
                    .instance_type("t3.micro".into())
                    .min_count(1)
                    .max_count(1)
                    .subnet_id(subnet.as_str())
                    .send()
                    .await
                    .ok()?;
                made.instances().first()?.instance_id()?.to_owned()
            }
            Kind::Volume => {
                let call = ec2.create_volume().availability_zone(format!("{REGION}a"));
                call.size(8).send().await.ok()?.volume_id()?.to_owned()
            }
            Kind::Bucket => {
                let place = BucketLocationConstraint::from(REGION);
                let place = CreateBucketConfiguration::builder().location_constraint(place);
                let call = self.s3().await.create_bucket().bucket(name);
                call.create_bucket_configuration(place.build())
                    .send()
                    .await
                    .ok()?;
                name.to_owned()
            }
            Kind::Image => return None,
        };
        Some(ResourceId::from(id))
    }

    async fn lose_next_answer(&self, operation: &str) -> bool {
        let action = match operation {
            "create_network" => "CreateVpc",
            "create_subnet" => "CreateSubnet",
            "create_firewall" => "CreateSecurityGroup",
            "create_address" => "AllocateAddress",
            "create_keypair" => "ImportKeyPair",
            "create_machines" => "RunInstances",
            "create_volume" => "CreateVolume",
            "create_bucket" => "s3:PUT:",
            _ => return false,
        };
        self.filter.lose(action);
        true
    }

    async fn leave_stock(&self, machine_type: &str, zone: &Name, left: u64) -> bool {
        self.filter.leave_stock(machine_type, zone.as_str(), left);
        true
    }

    async fn leave_quota(&self, cpus: u64) -> bool {
        if cpus == 0 {
            self.filter.fill_quota();
        }
        cpus == 0
    }

    async fn stop_machine(&self, id: &ResourceId) -> bool {
        let call = self.ec2().await.stop_instances().instance_ids(id.as_str());
        call.send().await.is_ok()
    }

    fn outside_rows(&self) -> Option<OutsideRows> {
        Some(outside::ROWS)
    }

    async fn change_outside(&self, thing: &Resource, field: Field, partners: &Partners) -> bool {
        outside::change(self, thing, field, partners).await
    }

    async fn upset_outside(&self, thing: &Resource, what: &str, _: &Partners) -> bool {
        upset::change(self, thing, what).await
    }

    async fn clear_outside(&self) {
        upset::clear(self).await;
    }

    async fn fill_bucket(&self, id: &ResourceId, full: bool) -> bool {
        let s3 = self.s3().await;
        if full {
            let call = s3.put_object().bucket(id.as_str()).key("object");
            return call
                .body(Blob::new("x").into_inner().into())
                .send()
                .await
                .is_ok();
        }
        let call = s3.delete_object().bucket(id.as_str()).key("object");
        call.send().await.is_ok()
    }
}
