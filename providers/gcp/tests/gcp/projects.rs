//! Several projects in one topology.

use stratiform::Mode;

use crate::harness::{Google, PROJECT};
use crate::shop::{Shop, site};

const OTHER: &str = "other-project";
const CUSTOM: &str = "n2-custom-6-20480";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_projects_in_one_topology_have_each_its_own() {
    let google = Google::with_projects(&[PROJECT, OTHER]).await;
    let endpoint = google.gce.endpoint();
    let sites = [
        site("one", PROJECT, &endpoint),
        site("two", OTHER, &endpoint),
    ]
    .concat();
    let shop = Shop::of(
        google,
        &format!(
            r#"
{sites}
network "core" {{
  cidr        = "10.40.0.0/16"
  site_prefix = 20
  sites       = [site.one, site.two]
}}
subnet "app" {{
  network = network.core
  newbits = 4
}}
keypair "ops" {{ public_key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKeyOfTheShopWhichIsOurs ops" }}
machine "one" {{
  cpu     = 2
  memory  = "2GiB"
  image   = "debian-12"
  subnet  = subnet.app
  keypair = keypair.ops
  placement {{ sites = [site.one] }}
}}
machine "two" {{
  machine_type = "{CUSTOM}"
  image        = "debian-12"
  subnet       = subnet.app
  keypair      = keypair.ops
  placement {{ sites = [site.two] }}
}}
bucket "one" {{ site = site.one }}
bucket "two" {{ site = site.two }}
"#
        ),
    );
    shop.done(Mode::Apply).await;
    let again = shop.plan().await;
    assert!(again.is_empty(), "{:#?}", again.changes);
    let paths = |project: &str, what: &str| shop.google.gce.paths(project, what);
    for (project, name) in [(PROJECT, "one"), (OTHER, "two")] {
        assert_eq!(paths(project, "networks").len(), 1, "{project}");
        assert_eq!(paths(project, "subnetworks").len(), 1, "{project}");
        let machines = paths(project, "instances");
        assert!(
            machines.len() == 1 && machines[0].contains(&format!("-{name}-")),
            "{machines:?}"
        );
        // Each machine has the key of its own project's entry.
        let of_project = shop.google.project(project).await;
        let metadata = of_project["commonInstanceMetadata"].to_string();
        assert!(metadata.contains("stratiform-key-"), "{metadata}");
    }
    let is = shop
        .google
        .gce
        .thing(&paths(OTHER, "instances")[0])
        .expect("a machine");
    let is = is["machineType"].as_str().unwrap_or_default();
    assert!(is.ends_with(CUSTOM), "{is}");
    // What goes from one stays in the other.
    let gone = paths(OTHER, "instances").remove(0);
    assert!(shop.google.gce.remove(&gone));
    let plan = shop.plan().await;
    let [change] = plan.changes.as_slice() else {
        panic!("{:#?}", plan.changes);
    };
    assert_eq!(change.addr.to_string(), "machine.two@two");
    shop.done(Mode::Destroy).await;
    for project in [PROJECT, OTHER] {
        for what in ["instances", "subnetworks", "networks"] {
            assert_eq!(paths(project, what), Vec::<String>::new(), "{project}");
        }
    }
}
