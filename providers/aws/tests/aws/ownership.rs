//! Whose a thing is, on AWS: tags that were stripped, copied, restored and forged, other accounts, and
//! another topology of the name. Each row of what the planner does with them, through whole applies.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use strat_aws::AwsFactory;
use strat_model::{Kind, MissedState, Resource, ResourceId, Witness};
use strat_provider::{Registry, TokioClock};
use stratiform::{
    AllowDataLoss, ApplyOptions, Claims, Error, EventSink, Inputs, Mode, Plan, PlanOptions,
    RunOptions, Session, Workspace,
};

use crate::harness::{Moto, REGION, credentials};

/// A shop with one of everything, in a folder, on a moto that other tests use too.
struct Shop {
    folder: tempfile::TempDir,
    moto: Moto,
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
  network = network.core
  newbits = 4
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

const OURS: &str = "aaaaaaaaaaaaaaaa";

impl Shop {
    async fn new(word: &str) -> Self {
        let shop = Self {
            folder: tempfile::tempdir().expect("a folder"),
            moto: Moto::start().await,
            word: word.to_owned(),
        };
        shop.write(OURS, "");
        shop
    }

    /// A shop that was applied.
    async fn applied(word: &str) -> Self {
        let shop = Self::new(word).await;
        shop.agreed(Mode::Apply, Claims::default()).await;
        shop
    }

    fn write(&self, lineage: &str, rest: &str) {
        let text = topology(&self.word, lineage, self.moto.filter.port, rest);
        std::fs::write(self.folder.path().join("shop.hcl"), text).expect("written");
    }

    fn forget(&self) {
        std::fs::remove_dir_all(self.folder.path().join(".stratiform")).expect("it was applied");
    }

    async fn session(&self) -> Session {
        let registry = Registry::new().with(AwsFactory::with_credentials(credentials()));
        let workspace = Workspace::load(self.folder.path(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("the topology: {error:#?}"));
        let clock = Arc::new(TokioClock::system());
        let session = Session::connect_with(workspace, EventSink::none(), clock).await;
        session.expect("the site answers")
    }

    async fn plan(&self) -> Plan {
        let planned = self.session().await.plan(&PlanOptions::default()).await;
        planned.expect("a plan").saved.plan
    }

    /// Applies with consent to all that the plan says; gives the plan, and what failed.
    async fn apply(&self, mode: Mode, claims: Claims) -> Result<(Plan, Vec<String>), Error> {
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

    async fn agreed(&self, mode: Mode, claims: Claims) -> Plan {
        let applied = self.apply(mode, claims).await;
        let (plan, failures) = applied.expect("it is applied");
        assert!(failures.is_empty(), "{failures:#?} of {:#?}", lines(&plan));
        plan
    }

    /// What is there by the topology's mark, by address.
    async fn things(&self) -> BTreeMap<String, Vec<Resource>> {
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

    async fn ids(&self) -> BTreeSet<ResourceId> {
        let things = self.things().await.into_values().flatten();
        things.map(|thing| thing.id).collect()
    }

    async fn at(&self, addr: &str) -> Resource {
        let mut things = self.things().await;
        things.remove(addr).expect("it is there").remove(0)
    }

    /// The real tags of something.
    async fn tags(&self, id: &ResourceId) -> Vec<Tag> {
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
    async fn strip(&self, thing: &Resource) {
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
    async fn copy(&self, thing: &Resource) -> String {
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

fn lines(plan: &Plan) -> Vec<String> {
    let changes = plan.changes.iter().map(|change| {
        let (action, addr) = (change.action.as_str(), &change.addr);
        format!("{action} {addr} x{}: {}", change.count, change.reason)
    });
    let withheld = plan.withheld.iter();
    let withheld = withheld.map(|held| format!("? {}: {}", held.what, held.why));
    changes.chain(withheld).collect()
}

#[tokio::test]
async fn what_was_stripped_is_withheld_and_given_back() {
    let shop = Shop::applied("stripped").await;
    let things: Vec<Resource> = shop.things().await.into_values().flatten().collect();
    for thing in &things {
        shop.strip(thing).await;
    }
    let plan = shop.agreed(Mode::Apply, Claims::default()).await;
    let said = lines(&plan);
    assert!(plan.changes.is_empty(), "{said:#?}");
    for thing in &things {
        let told = format!("{} is still there, but its mark is gone", thing.id);
        let kind = thing.kind();
        assert!(
            said.iter().any(|line| line.contains(&told)),
            "{kind}: {said:#?}"
        );
    }
    let claims = Claims {
        adopt_known: true,
        only_adopt: true,
        ..Claims::default()
    };
    shop.agreed(Mode::Apply, claims).await;
    let plan = shop.plan().await;
    assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    let before: BTreeSet<ResourceId> = things.into_iter().map(|thing| thing.id).collect();
    assert_eq!(shop.ids().await, before);
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn what_was_stripped_and_is_in_no_journal_is_found_by_its_name() {
    let shop = Shop::applied("nameless").await;
    let before = shop.ids().await;
    let things = shop.things().await.into_values().flatten();
    // Of several members of a fleet nobody could tell which is which.
    let of_one = |thing: &Resource| {
        let mark = thing.mark.as_ref().expect("a mark");
        mark.addr.local.noun != strat_model::Noun::Machines
    };
    let things: Vec<Resource> = things.filter(of_one).collect();
    for thing in &things {
        shop.strip(thing).await;
    }
    shop.forget();
    let plan = shop.agreed(Mode::Apply, Claims::default()).await;
    let said = lines(&plan);
    assert!(plan.changes.is_empty(), "{said:#?}");
    for Resource { id, .. } in &things {
        assert!(
            said.iter().any(|line| line.contains(id.as_str())),
            "{id}: {said:#?}"
        );
    }
    let adopt = things.into_iter().map(|thing| {
        let addr = thing.mark.expect("a mark").addr;
        (addr, Some(thing.id))
    });
    let claims = Claims {
        adopt: adopt.collect(),
        only_adopt: true,
        ..Claims::default()
    };
    shop.agreed(Mode::Apply, claims).await;
    assert_eq!(shop.ids().await, before);
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn a_copy_is_told_and_never_taken_for_the_thing() {
    for forgotten in [false, true] {
        let shop = Shop::applied(if forgotten { "copied" } else { "cloned" }).await;
        let before = shop.ids().await;
        let mut copies = BTreeSet::new();
        for addr in ["machine.db", "volume.data", "machines.web"] {
            copies.insert(ResourceId::from(shop.copy(&shop.at(addr).await).await));
        }
        if forgotten {
            shop.forget();
        }
        for _ in 0..2 {
            let plan = shop.agreed(Mode::Apply, Claims::default()).await;
            let said = lines(&plan);
            assert!(plan.changes.is_empty(), "{said:#?}");
            for copy in &copies {
                let told = |line: &String| line.contains(copy.as_str());
                assert!(said.iter().any(told), "{copy}: {said:#?}");
            }
        }
        let all: BTreeSet<ResourceId> = before.union(&copies).cloned().collect();
        assert_eq!(shop.ids().await, all);
        // A destroy takes what is ours, and leaves the copies and what they are in.
        let destroyed = shop.apply(Mode::Destroy, Claims::default()).await;
        let (plan, failures) = destroyed.expect("it is applied");
        let left = shop.ids().await;
        assert!(
            copies.is_subset(&left),
            "{left:?} {failures:?} {:#?}",
            lines(&plan)
        );
        let originals = left.difference(&copies).count();
        assert!(originals < before.len(), "{left:?}");
    }
}

#[tokio::test]
async fn of_a_volume_of_which_only_a_restored_copy_is_left_no_empty_one_is_made() {
    let shop = Shop::applied("restored").await;
    let volume = shop.at("volume.data").await;
    let copy = ResourceId::from(shop.copy(&volume).await);
    let ec2 = shop.moto.ec2().await;
    let id = volume.id.as_str();
    ec2.detach_volume()
        .volume_id(id)
        .instance_id(shop.at("machine.db").await.id.as_str())
        .send()
        .await
        .expect("detached");
    ec2.delete_volume()
        .volume_id(id)
        .send()
        .await
        .expect("deleted");
    for forgotten in [false, true] {
        if forgotten {
            shop.forget();
        }
        let plan = shop.agreed(Mode::Apply, Claims::default()).await;
        let said = lines(&plan);
        let touches = |change: &&stratiform::planner::Change| change.kind == Kind::Volume;
        assert_eq!(plan.changes.iter().find(touches), None, "{said:#?}");
        assert!(
            said.iter().any(|line| line.contains(copy.as_str())),
            "{said:#?}"
        );
    }
    let addr = volume.mark.expect("a mark").addr;
    let claims = Claims {
        adopt: vec![(addr, Some(copy.clone()))],
        only_adopt: true,
        ..Claims::default()
    };
    shop.agreed(Mode::Apply, claims).await;
    shop.agreed(Mode::Apply, Claims::default()).await;
    // From another computer, the mark itself says that it was adopted.
    shop.forget();
    let now = shop.at("volume.data").await;
    assert_eq!((now.id, now.witness), (copy, Witness::Held));
    let plan = shop.plan().await;
    assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn forged_tags_delete_nothing_and_take_nothing() {
    for forgotten in [false, true] {
        let shop = Shop::applied(if forgotten { "forged" } else { "faked" }).await;
        let db = shop.at("machine.db").await;
        let ec2 = shop.moto.ec2().await;
        let theirs = shop.copy(&db).await;
        let old = Some(shop.tags(&ResourceId::from(&theirs)).await);
        let call = ec2.delete_tags().resources(&theirs).set_tags(old);
        call.send().await.expect("it is somebody's");
        let forged = Some(shop.tags(&db.id).await);
        let call = ec2.create_tags().resources(&theirs).set_tags(forged);
        call.send().await.expect("forged");
        if forgotten {
            shop.forget();
        }
        let before = shop.ids().await;
        let plan = shop.agreed(Mode::Apply, Claims::default()).await;
        assert!(plan.changes.is_empty(), "{:#?}", lines(&plan));
        assert_eq!(shop.ids().await, before);
        let destroyed = shop.apply(Mode::Destroy, Claims::default()).await;
        destroyed.expect("it is applied");
        let left = shop.ids().await;
        assert!(left.contains(&ResourceId::from(&theirs)), "{left:?}");
        assert!(!left.contains(&db.id), "{left:?}");
    }
}

#[tokio::test]
async fn what_was_deleted_is_gone_only_once_a_read_by_id_says_so() {
    let shop = Shop::applied("deleted").await;
    let web = shop.at("machines.web").await;
    let ec2 = shop.moto.ec2().await;
    let call = ec2.terminate_instances().instance_ids(web.id.as_str());
    call.send().await.expect("terminated");
    let observed = shop.session().await.observe().await.expect("observes");
    let missed = observed
        .inventory
        .sites
        .values()
        .flat_map(|site| &site.missed);
    let missed: Vec<_> = missed.map(|one| (&one.id, &one.state)).collect();
    assert!(
        missed.is_empty() || missed == [(&web.id, &MissedState::Gone)],
        "{missed:?}"
    );
    let plan = shop.agreed(Mode::Apply, Claims::default()).await;
    assert_eq!(plan.summary.create, 1, "{:#?}", lines(&plan));
    let plan = shop.plan().await;
    assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn credentials_of_another_account_are_refused() {
    let shop = Shop::applied("account").await;
    let before = shop.ids().await;
    // moto gives a session of a role the account that the role is in.
    let elsewhere = "assume_role = \"arn:aws:iam::222222222222:role/ops\"";
    shop.write(OURS, elsewhere);
    for mode in [Mode::Apply, Mode::Destroy] {
        let refused = shop.apply(mode, Claims::default()).await;
        let error = refused.expect_err("another account");
        let is_known = matches!(
            &error,
            Error::Account {
                is_pinned: false,
                ..
            }
        );
        assert!(is_known, "{error:?}");
    }
    shop.forget();
    shop.write(OURS, &format!("{elsewhere}\n  account = \"123456789012\""));
    let refused = shop.apply(Mode::Apply, Claims::default()).await;
    let error = refused.expect_err("another account");
    let is_pinned = matches!(
        &error,
        Error::Account {
            is_pinned: true,
            ..
        }
    );
    assert!(is_pinned, "{error:?}");
    shop.write(OURS, "account = \"123456789012\"");
    assert_eq!(shop.ids().await, before);
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn another_topology_of_the_name_is_a_stranger() {
    let first = Shop::applied("namesake").await;
    let before = first.ids().await;
    let second = Shop::new("namesake").await;
    second.write("bbbbbbbbbbbbbbbb", "");
    for mode in [Mode::Apply, Mode::Destroy] {
        let applied = second.apply(mode, Claims::default()).await;
        let (plan, _) = applied.expect("it is applied");
        let said = lines(&plan);
        let told = |line: &String| line.contains("another topology of this name");
        assert!(said.iter().any(told), "{said:#?}");
        let now = first.ids().await;
        assert!(before.is_subset(&now), "{:?}", before.difference(&now));
    }
    let plan = first.plan().await;
    assert!(plan.changes.is_empty(), "{:#?}", lines(&plan));
    first.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn a_bucket_that_the_index_does_not_show_yet_is_read_by_its_name() {
    let shop = Shop::applied("late").await;
    shop.moto.filter.hold_index_back(true);
    for forgotten in [false, true] {
        if forgotten {
            shop.forget();
        }
        let plan = shop.agreed(Mode::Apply, Claims::default()).await;
        assert!(plan.changes.is_empty(), "{forgotten}: {:#?}", lines(&plan));
    }
    shop.moto.filter.hold_index_back(false);
    shop.agreed(Mode::Destroy, Claims::default()).await;
    assert!(shop.ids().await.is_empty());
}
