//! What somebody changes with Google's own client in a topology that was applied: told field by field as
//! drift, and mended by the next apply.

use std::collections::{BTreeMap, BTreeSet};

use strat_conformance::Partners;
use strat_model::{Field, Kind, Resource, ResourceId};
use stratiform::planner::Cause;
use stratiform::{Mode, Plan};

use crate::harness::ZONE;
use crate::outside;
use crate::shop::{Shop, failures};

/// Things of ours, by address without its site.
type Things = BTreeMap<String, Resource>;
/// Fields, by address.
type Changed = BTreeMap<String, BTreeSet<Field>>;

async fn shop() -> Shop {
    let placed = format!("placement {{ zone = \"{ZONE}\" }}");
    Shop::new(&format!(
        r#"
network "core" {{
  cidr  = "10.40.0.0/16"
  sites = [site.google]
}}
subnet "app" {{
  network = network.core
  newbits = 8
}}
subnet "back" {{
  network = network.core
  newbits = 8
}}
firewall "web" {{
  network = network.core
  ingress "http" {{
    from     = ["10.0.0.0/8"]
    protocol = "tcp"
    ports    = [80]
  }}
}}
firewall "db" {{
  network = network.core
  ingress "postgres" {{
    from     = [firewall.web]
    protocol = "tcp"
    ports    = [5432]
  }}
}}
keypair "ops" {{ public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyOfTheShopWhichIsOurs ops" }}
machine "gate" {{
  cpu       = 2
  memory    = "2GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.web]
  keypair   = keypair.ops
  {placed}
  disk {{ size = "10GiB" }}
}}
machine "partner" {{
  cpu    = 2
  memory = "2GiB"
  image  = "debian-12"
  subnet = subnet.app
  {placed}
}}
address "spare" {{ site = site.google }}
volume "spare" {{
  size = "10GiB"
  site = site.google
  zone = "{ZONE}"
}}
volume "data" {{
  size   = "10GiB"
  attach = machine.gate
}}
bucket "assets" {{ site = site.google }}
"#
    ))
    .await
}

async fn things(shop: &Shop) -> Things {
    let seen = shop.session().await.observe().await.expect("observes");
    assert!(seen.problems.is_empty(), "{:#?}", seen.problems);
    let all = seen.inventory.resources();
    let all = all.filter_map(|(_, thing)| {
        let addr = &thing.mark.as_ref()?.addr;
        Some((addr.local.to_string(), thing.clone()))
    });
    all.collect()
}

fn partners(things: &Things) -> Partners {
    Partners {
        machine: things["machine.partner"].id.clone(),
        firewall: things["firewall.db"].id.clone(),
    }
}

/// The fields of a thing that are changed by hand, in order.
fn fields(thing: &Resource, partners: &Partners) -> Vec<Field> {
    let spec = serde_json::to_value(&thing.spec).expect("a spec is JSON");
    let words = spec[thing.kind().as_str()].as_object().expect("an object");
    let fields = words.keys().filter_map(|word| Field::parse(word));
    // The size of a machine is its type's, and its key counts at the first boot alone.
    let untold = [Field::Cpu, Field::Memory, Field::Keypair];
    let fields = fields.filter(|field| !untold.contains(field));
    // A network of another range is another network, with all that is in it.
    let is_network = thing.kind() == Kind::Network;
    let fields = fields.filter(|field| !(is_network && *field == Field::Cidr));
    let fields = fields.filter(|field| outside::of(thing, *field, partners).is_some());
    fields.collect()
}

/// Changes those fields of all things that are wanted, by hand, and gives which they were.
async fn change(shop: &Shop, wanted: impl Fn(Field) -> bool) -> Changed {
    let things = things(shop).await;
    let partners = partners(&things);
    let mut changed = Changed::new();
    let others = things
        .iter()
        .filter(|(_, thing)| thing.id != partners.machine);
    for (addr, thing) in others {
        for field in fields(thing, &partners)
            .into_iter()
            .filter(|field| wanted(*field))
        {
            let what = outside::of(thing, field, &partners).expect("it is changed");
            shop.google.by_hand(what).await;
            changed.entry(addr.clone()).or_default().insert(field);
        }
    }
    changed
}

/// What a plan tells as drift: what it mends, and what it leaves as it is.
fn told(plan: &Plan) -> (Changed, Changed) {
    let (mut mended, mut left) = (Changed::new(), Changed::new());
    for change in plan.drift() {
        let fields = change.fields.iter().map(|one| one.field);
        let addr = change.addr.local.to_string();
        mended.entry(addr).or_default().extend(fields);
    }
    for one in plan.refused.iter().filter(|one| one.cause == Cause::Drift) {
        let fields = one.fields.iter().map(|one| one.field);
        let addr = one.addr.local.to_string();
        left.entry(addr).or_default().extend(fields);
    }
    (mended, left)
}

/// The plan tells what was changed and nothing else, and mends it all.
async fn mended(shop: &Shop, changed: Changed) {
    let plan = shop.plan().await;
    assert_eq!(
        told(&plan),
        (changed, Changed::new()),
        "{:#?}",
        plan.changes
    );
    shop.done(Mode::Apply).await;
    let again = shop.plan().await;
    assert!(again.is_empty(), "{:#?}", again.changes);
}

fn ids(things: &Things, but: &[&str]) -> Vec<ResourceId> {
    let all = things
        .iter()
        .filter(|(addr, _)| !but.contains(&addr.as_str()));
    all.map(|(_, thing)| thing.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_field_that_googles_own_client_changes_is_told_and_mended() {
    let shop = shop().await;
    shop.done(Mode::Apply).await;
    let first = things(&shop).await;
    // What takes another thing, and what cannot be undone: a disk and a subnet only grow.
    let anew = [
        Field::PublicKey,
        Field::Capacity,
        Field::Disks,
        Field::Subnet,
    ];
    let never = [Field::Size, Field::Cidr];
    let changed = change(&shop, |field| {
        !anew.contains(&field) && !never.contains(&field)
    })
    .await;
    assert_eq!(
        changed.len(),
        first.len() - 1,
        "one thing is the partner of the others"
    );
    mended(&shop, changed).await;
    assert_eq!(ids(&things(&shop).await, &[]), ids(&first, &[]));

    let changed = change(&shop, |field| anew.contains(&field)).await;
    let made_anew = ["keypair.ops", "machine.gate"];
    assert!(changed.keys().eq(made_anew), "{changed:?}");
    mended(&shop, changed).await;
    let third = things(&shop).await;
    assert_eq!(ids(&third, &made_anew), ids(&first, &made_anew));
    assert_ne!(third["machine.gate"].id, first["machine.gate"].id);

    let changed = change(&shop, |field| never.contains(&field)).await;
    assert_eq!(changed.len(), 4, "two volumes, two subnets: {changed:?}");
    let plan = shop.plan().await;
    assert_eq!(
        told(&plan),
        (Changed::new(), changed),
        "{:#?}",
        plan.changes
    );
    assert!(plan.changes.is_empty(), "{:#?}", plan.changes);
    let outcome = shop.run(Mode::Apply).await;
    assert_eq!(failures(&outcome), Vec::<String>::new());
    assert_eq!(ids(&things(&shop).await, &[]), ids(&third, &[]));
    shop.done(Mode::Destroy).await;
}
