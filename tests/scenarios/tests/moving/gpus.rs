//! GPUs of one's own, beside those of a cloud.

use strat_scenarios::Folder;
use stratiform::Mode;

use crate::common::{lines, nothing_to_do, run};

/// A fleet that wants a GPU in each of its machines, at home where two are, or in a cloud.
fn fleet(count: u32, sites: &str) -> String {
    format!(
        r#"
topology "models" {{}}
site "home" {{
  provider = "sim"
  profile  = "onprem"
  capacity = {{ cpu = 64, memory = "256GiB", gpus = {{ L4 = 2 }} }}
}}
site "cloud" {{
  provider = "sim"
  region   = "us-east-1"
}}
network "n" {{
  cidr        = "10.0.0.0/16"
  site_prefix = 20
  sites       = [site.home, site.cloud]
}}
subnet "s" {{
  network = network.n
  newbits = 4
}}
machines "model" {{
  count  = {count}
  cpu    = 4
  memory = "16GiB"
  gpus   = 1
  image  = "debian-12"
  subnet = subnet.s
  placement {{ sites = [{sites}] }}
}}
machine "plain" {{
  cpu    = 4
  memory = "16GiB"
  image  = "debian-12"
  subnet = subnet.s
  placement {{ sites = [site.home] }}
}}
"#
    )
}

fn types(folder: &Folder) -> Vec<String> {
    let all = folder.everything().into_values().flatten();
    let types = all.filter_map(|thing| match thing.spec {
        stratiform::model::Spec::Machine(machine) => Some(machine.machine_type),
        _ => None,
    });
    let mut types: Vec<String> = types.collect();
    types.sort();
    types
}

#[test]
fn who_asks_for_a_gpu_gets_one_at_home_while_one_is_free() {
    run(async {
        let folder = Folder::new();
        folder.write(&[fleet(3, "site.home, site.cloud")]);
        assert!(folder.apply(Mode::Apply).await.success);
        let cloud = "g4dn.xlarge";
        let own = "flex-4-16384-1xL4";
        assert_eq!(types(&folder), ["flex-4-16384", own, own, cloud]);
        nothing_to_do(&folder).await;
        // At home alone, the third has none; two have.
        folder.write(&[fleet(3, "site.home")]);
        let refused = folder.try_plan().await.expect_err("two are two");
        let (findings, _) = refused.findings().expect("findings");
        let told = format!("{findings:?}");
        assert!(told.contains("give home 1 more L4 of GPUs"), "{told}");
        assert!(
            folder.validate().await.is_err(),
            "known before anything is asked"
        );
        folder.write(&[fleet(2, "site.home")]);
        let applied = folder.apply(Mode::Apply).await;
        assert!(applied.success, "{:#?}", lines(&applied.plan));
        assert_eq!(types(&folder), ["flex-4-16384", own, own]);
        nothing_to_do(&folder).await;
    });
}
