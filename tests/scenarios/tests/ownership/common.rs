//! A shop with one of everything, on one simulated cloud.

use std::collections::BTreeSet;

use proptest::prelude::ProptestConfig;
use strat_scenarios::Folder;
use strat_sim::{Disturbance, Profile, RegionKey};
use stratiform::model::{Kind, Resource, ResourceId};
use stratiform::planner::{Change, Withheld};
use stratiform::{Claims, Mode, Plan, PlanOptions};

/// Runs a future with a clock that jumps over every wait.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// What a topology has that says whose it is.
pub(crate) const OURS: &str = "lineage = \"aaaaaaaaaaaaaaaa\"";

/// A site of a profile.
pub(crate) fn site(name: &str, profile: Profile, rest: &str) -> String {
    let region = match profile {
        Profile::Aws => "region = \"us-east-1\"",
        Profile::Azure => "region = \"westeurope\"",
        Profile::Gcp => "region = \"europe-west1\"",
        Profile::Onprem => "capacity = { cpu = 64, memory = \"256GiB\" }",
    };
    format!(
        "site \"{name}\" {{\n  provider = \"sim\"\n  account = \"main\"\n  profile = \
         \"{profile}\"\n  {region}\n  latency_ms = 0\n  create_ms = 0\n  delete_ms = 0\n  \
         consistency_ms = 1000\n{rest}\n}}\n"
    )
}

/// A shop at the site `east`.
pub(crate) fn shop(profile: Profile) -> String {
    let bucket = match profile {
        Profile::Onprem => "",
        _ => {
            "bucket \"assets\" {\n  site = site.east\n}\naddress \"front\" {\n  attach = machine.db\n}\n"
        }
    };
    format!(
        r#"
topology "shop" {{ {OURS} }}
{}
network "core" {{
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.east]
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
  cpu       = 4
  memory    = "16GiB"
  image     = "debian-12"
  subnet    = subnet.app
  firewalls = [firewall.db]
}}
volume "data" {{
  attach = machine.db
  size    = "100GiB"
}}
machines "web" {{
  count  = 3
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
}}
{bucket}"#,
        site("east", profile, "")
    )
}

/// A shop that was applied a moment ago: its cloud remembers the tokens.
pub(crate) async fn applied_just_now(profile: Profile) -> Folder {
    let folder = Folder::new();
    folder.write(&[shop(profile)]);
    apply(&folder).await;
    folder
}

/// A shop that was applied.
pub(crate) async fn applied(profile: Profile) -> Folder {
    let folder = applied_just_now(profile).await;
    // What lists say has settled.
    tokio::time::sleep(std::time::Duration::from_secs(3600)).await;
    folder
}

/// A whole apply, which must do all.
pub(crate) async fn apply(folder: &Folder) -> Plan {
    let applied = folder.apply(Mode::Apply).await;
    let plan = lines(&applied.plan);
    assert!(applied.success, "{:#?}\nof {plan:#?}", applied.failures);
    applied.plan
}

/// An apply that a person said something for.
pub(crate) async fn apply_claiming(folder: &Folder, claims: Claims) -> Plan {
    let options = PlanOptions {
        claims,
        ..PlanOptions::default()
    };
    let (plan, outcome) = folder.outcome(&options).await;
    assert!(outcome.is_success(), "{:#?}", lines(&plan));
    plan
}

/// A plan in words.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &Change| {
        let (action, addr) = (change.action.as_str(), &change.addr);
        format!("{action} {addr} x{}: {}", change.count, change.reason)
    };
    let withheld = |held: &Withheld| format!("? {}: {}", held.what, held.why);
    let changes = plan.changes.iter().map(line);
    changes.chain(plan.withheld.iter().map(withheld)).collect()
}

/// Every real thing, by id.
pub(crate) fn ids(folder: &Folder) -> BTreeSet<ResourceId> {
    let all = folder.everything().into_values().flatten();
    all.map(|thing| thing.id).collect()
}

/// The one thing at an address.
pub(crate) fn at(folder: &Folder, addr: &str) -> Resource {
    let all = folder.everything().into_values().flatten();
    let mut found = all.filter(|thing| {
        let mark = thing.mark.as_ref();
        mark.is_some_and(|mark| format!("{}@{}", mark.addr.local, mark.addr.site) == addr)
    });
    found.next().expect("it is there")
}

/// The region of a world that has one.
pub(crate) fn region(folder: &Folder) -> RegionKey {
    folder.regions().into_iter().next().expect("a region")
}

/// Takes the mark of a thing away.
pub(crate) fn unmark(folder: &Folder, thing: &Resource) {
    let what = Disturbance::SetMark {
        kind: thing.kind(),
        which: thing.id.to_string(),
        mark: None,
    };
    disturb(folder, &what);
}

/// Does something behind Stratiform's back.
pub(crate) fn disturb(folder: &Folder, what: &Disturbance) -> Vec<Resource> {
    let done = folder.control().disturb(&region(folder), what);
    done.unwrap_or_else(|error| panic!("{what:?}: {error}"))
}

/// Deletes a thing by hand.
pub(crate) fn delete(folder: &Folder, thing: &Resource) {
    let (kind, which) = (thing.kind(), thing.id.to_string());
    if kind == Kind::Volume {
        let which = which.clone();
        disturb(folder, &Disturbance::DetachVolume { which });
    }
    disturb(folder, &Disturbance::Delete { kind, which });
}

/// As many cases as `PROPTEST_CASES` says, or else as many as usual.
pub(crate) fn config(usual: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let cases = if asked.cases == 256 {
        usual
    } else {
        asked.cases
    };
    ProptestConfig {
        cases,
        failure_persistence: None,
        max_shrink_iters: 8,
        ..asked
    }
}
