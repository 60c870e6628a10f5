//! A small shop whose fleet may run in two clouds.

use std::collections::BTreeMap;

use strat_scenarios::Folder;
use strat_sim::{Disturbance, Fault, PlannedFault, RegionKey};
use stratiform::model::{ErrorKind, Kind, Name, Resource, ResourceId, Scope, Spec};
use stratiform::planner::Change;
use stratiform::{Mode, Plan};

/// Runs a future with a clock that jumps over every wait.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// What comes before the machines.
const GROUND: &str = r#"
topology "shop" {}
site "east" {
  provider       = "sim"
  account        = "main"
  profile        = "aws"
  region         = "us-east-1"
  latency_ms     = 10
  create_ms      = 2000
  delete_ms      = 1000
  consistency_ms = 1000
}
site "west" {
  provider       = "sim"
  account        = "main"
  profile        = "azure"
  region         = "westeurope"
  latency_ms     = 10
  create_ms      = 2000
  delete_ms      = 1000
  consistency_ms = 1000
}
network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.east, site.west]
}
subnet "app" {
  network = network.core
  newbits = 4
}
"#;

/// A topology with one fleet `web`, and what stands in its block besides.
pub(crate) fn shop(count: u32, rest: &str) -> String {
    format!(
        "{GROUND}\nmachines \"web\" {{\n  count = {count}\n  cpu = 2\n  memory = \"8GiB\"\n  \
         image = \"debian-12\"\n  subnet = subnet.app\n{rest}\n}}\n"
    )
}

/// The region of a site.
pub(crate) fn region(folder: &Folder, site: &str) -> RegionKey {
    let views = folder.control().regions().expect("regions");
    let found = views
        .into_iter()
        .find(|view| view.sites.iter().any(|one| one.as_str() == site));
    found.expect("the site is connected").region
}

/// Lets an offer, or all that a `None` covers, run short at a site.
pub(crate) fn leave(
    folder: &Folder,
    site: &str,
    (machine_type, zone): (Option<&str>, Option<&str>),
    left: Option<u64>,
) {
    let stock = Disturbance::SetStock {
        machine_type: machine_type.map(str::to_owned),
        zone: zone.map(|zone| Name::new(zone).expect("a zone")),
        capacity: None,
        left,
    };
    let region = region(folder, site);
    folder.control().disturb(&region, &stock).expect("set");
}

/// Lets the next requests for machines at a site fail.
pub(crate) fn refuse(folder: &Folder, site: &str, kind: ErrorKind, scope: Scope, times: u32) {
    let planned = PlannedFault {
        operation: Some("create_machines".to_owned()),
        fault: Fault::Fail {
            kind,
            scope,
            retry_after_ms: None,
        },
        times,
        after: 0,
    };
    let region = region(folder, site);
    let inject = Disturbance::Inject(planned);
    folder.control().disturb(&region, &inject).expect("planned");
}

/// All machines, by site.
pub(crate) fn machines(folder: &Folder) -> BTreeMap<String, Vec<Resource>> {
    let mut all = BTreeMap::new();
    for site in ["east", "west"] {
        let region = region(folder, site);
        let things = folder
            .everything()
            .remove(&(region.to_string(), Kind::Machine));
        all.insert(site.to_owned(), things.unwrap_or_default());
    }
    all
}

/// How many machines there are: `[east, west]`.
pub(crate) fn counts(folder: &Folder) -> [usize; 2] {
    let machines = machines(folder);
    [machines["east"].len(), machines["west"].len()]
}

/// The zones and types at a site, with how many there are of each.
pub(crate) fn sorts(folder: &Folder, site: &str) -> BTreeMap<(String, String), usize> {
    let mut sorts = BTreeMap::new();
    for machine in &machines(folder)[site] {
        if let Spec::Machine(spec) = &machine.spec {
            let key = (spec.zone.to_string(), spec.machine_type.clone());
            *sorts.entry(key).or_default() += 1;
        }
    }
    sorts
}

/// The ids of the machines at a site.
pub(crate) fn ids(folder: &Folder, site: &str) -> Vec<ResourceId> {
    let here = &machines(folder)[site];
    let mut ids: Vec<_> = here.iter().map(|machine| machine.id.clone()).collect();
    ids.sort();
    ids
}

/// A plan in words.
pub(crate) fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &Change| {
        let (action, addr) = (change.action.as_str(), &change.addr);
        format!("{action} {addr} x{}: {}", change.count, change.reason)
    };
    plan.changes.iter().map(line).collect()
}

/// Nothing is left to do, and nothing there twice.
pub(crate) async fn nothing_to_do(folder: &Folder) {
    let plan = folder.plan(Mode::Apply).await;
    assert!(plan.is_empty(), "{:#?}", lines(&plan));
    let there: usize = folder.everything().values().map(Vec::len).sum();
    assert_eq!(there, plan.summary.no_op as usize);
}
