//! A shop on moto, in a folder of its own, and what people do to its things.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use strat_aws::AwsFactory;
use strat_model::{Kind, Resource, ResourceId};
use strat_provider::{Registry, TokioClock};
use stratiform::{
    AllowDataLoss, ApplyOptions, Claims, Error, EventSink, Inputs, Mode, Plan, PlanOptions,
    RunOptions, Session, Workspace,
};

use crate::harness::{Moto, REGION, credentials};

/// A shop with one of everything, in a folder, on a moto that other tests use too.
pub(crate) struct Shop {
    folder: tempfile::TempDir,
    pub(crate) moto: Moto,
    word: String,
}

fn topology(word: &str, lineage: &str, port: u16, rest: &str) -> String {
    format!(
        r#"
topology "{word}" {{
  realm   = "owners"
  lineage = "{lineage}"
}}
site "aws" {{
  provider       = "aws"
  region         = "{REGION}"
  endpoint       = "http://127.0.0.1:{port}"
  consistency_ms = 0
  {rest}
}}
network "core" {{
  cidr        = "10.41.0.0/16"
  site_prefix = 20
  sites       = [site.aws]
}}
subnet "app" {{
  network  = network.core
  newbits  = 4
  internet = "public"
}}
firewall "db" {{
  network = network.core
  ingress "sql" {{
    from  = ["10.0.0.0/8"]
    ports = [5432]
  }}
}}
machine "db" {{
  cpu       = 2
  memory    = "1GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.db]
}}
volume "data" {{
  size   = "8GiB"
  attach = machine.db
}}
machines "web" {{
  count  = 2
  cpu    = 2
  memory = "1GiB"
  image  = "debian-12"
  subnet = subnet.app
}}
bucket "assets" {{
  site = site.aws
}}
address "front" {{
  attach = machine.db
}}
"#
    )
}

/// The shop's lineage.
pub(crate) const OURS: &str = "aaaaaaaaaaaaaaaa";

impl Shop {
    pub(crate) async fn new(word: &str) -> Self {
        let shop = Self {
            folder: tempfile::tempdir().expect("a folder"),
            moto: Moto::start().await,
            word: word.to_owned(),
        };
        shop.write(OURS, "");
        shop
    }

    /// A shop that was applied.
    pub(crate) async fn applied(word: &str) -> Self {
        let shop = Self::new(word).await;
        shop.agreed(Mode::Apply, Claims::default()).await;
        shop
    }

    pub(crate) fn write(&self, lineage: &str, rest: &str) {
        let text = topology(&self.word, lineage, self.moto.filter.port, rest);
        std::fs::write(self.folder.path().join("shop.hcl"), text).expect("written");
    }

    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.folder.path().join(".stratiform")).expect("it was applied");
    }

    pub(crate) async fn session(&self) -> Session {
        let registry = Registry::new().with(AwsFactory::with_credentials(credentials()));
        let workspace = Workspace::load(self.folder.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the site answers")
    }

    pub(crate) async fn plan(&self) -> Plan {
        let planned = self.session().await.plan(&PlanOptions::default()).await;
        planned.expect("a plan").saved.plan
    }

    /// Applies with consent to all that the plan says; gives the plan, and what failed.
    pub(crate) async fn apply(
        &self,
        mode: Mode,
        claims: Claims,
    ) -> Result<(Plan, Vec<String>), Error> {
        let session = self.session().await;
        let run = session.begin(&RunOptions::new("test")).await?;
        let options = PlanOptions {
            mode,
            claims,
            ..PlanOptions::default()
        };
        let planned = run.plan(&options).await?;
        let options = ApplyOptions {
            allow_deletes: true,
            allow_data_loss: AllowDataLoss::all_of(&planned.saved),
            ..ApplyOptions::default()
        };
        let outcome = run.apply(&planned, &options).await;
        run.end().await?;
        let reports = outcome?.reports;
        let failures = reports
            .iter()
            .flat_map(stratiform::engine::Report::failures);
        let failures = failures.map(|(_, error)| error.to_string()).collect();
        Ok((planned.saved.plan, failures))
    }

    pub(crate) async fn agreed(&self, mode: Mode, claims: Claims) -> Plan {
        let applied = self.apply(mode, claims).await;
        let (plan, failures) = applied.expect("it is applied");
        assert!(failures.is_empty(), "{failures:#?} of {:#?}", lines(&plan));
        plan
    }

    /// What is there by the topology's mark, by address.
    pub(crate) async fn things(&self) -> BTreeMap<String, Vec<Resource>> {
        let seen = self.session().await.observe().await.expect("observes");
        assert!(seen.problems.is_empty(), "{:#?}", seen.problems);
        let mut things: BTreeMap<String, Vec<Resource>> = BTreeMap::new();
        for (_, thing) in seen.inventory.resources() {
            if let Some(mark) = &thing.mark {
                let at = things.entry(mark.addr.local.to_string()).or_default();
                at.push(thing.clone());
            }
        }
        things
    }

    pub(crate) async fn ids(&self) -> BTreeSet<ResourceId> {
        let things = self.things().await.into_values().flatten();
        things.map(|thing| thing.id).collect()
    }

    pub(crate) async fn at(&self, addr: &str) -> Resource {
        let mut things = self.things().await;
        things.remove(addr).expect("it is there").remove(0)
    }

    /// The real tags of something.
    pub(crate) async fn tags(&self, id: &ResourceId) -> Vec<Tag> {
        let ec2 = self.moto.ec2().await;
        let filter = aws_sdk_ec2::types::Filter::builder()
            .name("resource-id")
            .values(id.as_str())
            .build();
        let tags = ec2.describe_tags().filters(filter).send().await;
        let tags = tags.expect("tags");
        let tag = |tag: &aws_sdk_ec2::types::TagDescription| {
            let builder = Tag::builder().set_key(tag.key().map(str::to_owned));
            builder.set_value(tag.value().map(str::to_owned)).build()
        };
        tags.tags().iter().map(tag).collect()
    }

    /// Takes the owner's tag off, as a job that cleans up does.
    pub(crate) async fn strip(&self, thing: &Resource) {
        if thing.kind() == Kind::Bucket {
            let s3 = self.moto.s3().await;
            let done = s3.delete_bucket_tagging().bucket(thing.id.as_str());
            done.send().await.expect("stripped");
            return;
        }
        let id = match thing.kind() {
            Kind::Keypair => panic!("the shop has none"),
            _ => thing.id.as_str(),
        };
        let owner = Tag::builder().key("stratiform:owner").build();
        let ec2 = self.moto.ec2().await;
        let done = ec2.delete_tags().resources(id).tags(owner).send().await;
        done.expect("stripped");
    }

    /// Makes another like it, with all its tags: "launch more like this", and a volume restored from a
    /// snapshot.
    pub(crate) async fn copy(&self, thing: &Resource) -> String {
        let ec2 = self.moto.ec2().await;
        let tags = Some(self.tags(&thing.id).await);
        let specification = |kind| {
            let builder = TagSpecification::builder().resource_type(kind);
            builder.set_tags(tags.clone()).build()
        };
        if thing.kind() == Kind::Volume {
            let snapshot = ec2.create_snapshot().volume_id(thing.id.as_str());
            let snapshot = snapshot.send().await.expect("a snapshot");
            let restored = ec2
                .create_volume()
                .availability_zone(format!("{REGION}a"))
                .set_snapshot_id(snapshot.snapshot_id().map(str::to_owned))
                .tag_specifications(specification(ResourceType::Volume));
            let restored = restored.send().await.expect("a volume");
            return restored.volume_id().expect("an id").to_owned();
        }
        let strat_model::Spec::Machine(spec) = &thing.spec else {
            panic!("a machine or a volume")
        };
        let (strat_model::ImageRef::Named { id, .. } | strat_model::ImageRef::Managed(id)) =
            &spec.image;
        let launched = ec2
            .run_instances()
            .image_id(id.as_str())
            .instance_type("t3.micro".into())
            .subnet_id(spec.subnet.as_str())
            .min_count(1)
            .max_count(1)
            .tag_specifications(specification(ResourceType::Instance));
        let launched = launched.send().await.expect("a machine");
        let made = launched
            .instances()
            .first()
            .and_then(|one| one.instance_id());
        made.expect("an id").to_owned()
    }
}

/// A plan in words.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().map(|change| {
        let (action, addr) = (change.action.as_str(), &change.addr);
        format!("{action} {addr} x{}: {}", change.count, change.reason)
    });
    let withheld = plan.withheld.iter();
    let withheld = withheld.map(|held| format!("? {}: {}", held.what, held.why));
    changes.chain(withheld).collect()
}
