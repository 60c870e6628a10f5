//! What a plan says of the outputs that it changes.

use serde_json::{Value, json};
use strat_scenarios::Folder;
use stratiform::{Mode, OutputChange, PlanOptions, SavedPlan};

use crate::common::{machines, run, shop};

const EAST: &str = "  placement { sites = [site.east] }";

fn topology(count: u32) -> String {
    let outputs = r#"
output "ips" { value = machines.web.private_ips }
output "secret" {
  value     = machines.web.private_ips
  sensitive = true
}
output "range" { value = "10.20.0.0/16" }
"#;
    shop(count, EAST) + outputs
}

async fn planned(folder: &Folder, mode: Mode) -> SavedPlan {
    let options = PlanOptions {
        mode,
        ..PlanOptions::default()
    };
    let planned = folder.session().await.plan(&options).await.expect("a plan");
    let saved = planned.saved;
    assert_eq!(
        SavedPlan::from_json(saved.to_json()).expect("it reads"),
        saved,
        "it survives the disk"
    );
    saved
}

fn change(name: &str, before: Value, after: Value, waits: bool) -> OutputChange {
    OutputChange {
        name: name.to_owned(),
        before,
        after,
        waits,
        sensitive: name == "secret",
    }
}

#[test]
fn a_plan_says_which_outputs_change_from_what_to_what() {
    run(async {
        let folder = Folder::new();
        folder.write(&[topology(2)]);
        let nothing = Value::Null;
        let waits = |before: &Value| {
            [
                change("ips", before.clone(), Value::Null, true),
                change("secret", Value::Null, Value::Null, true),
            ]
        };
        let saved = planned(&folder, Mode::Apply).await;
        assert_eq!(saved.outputs, waits(&nothing), "nothing is there yet");
        assert!(folder.apply(Mode::Apply).await.success);
        assert!(planned(&folder, Mode::Apply).await.outputs.is_empty());
        let ips = || {
            let mut east = machines(&folder).remove("east").expect("a site");
            east.sort_by(|a, b| a.id.cmp(&b.id));
            let ips = east.iter().map(|one| one.attributes["private_ip"].clone());
            json!(ips.collect::<Vec<_>>())
        };
        // One more is unknown until it is there; one less is known before.
        let two = ips();
        folder.write(&[topology(3)]);
        let saved = planned(&folder, Mode::Apply).await;
        assert_eq!(saved.outputs, waits(&two));
        folder.write(&[topology(1)]);
        let saved = planned(&folder, Mode::Apply).await;
        assert_eq!(saved.outputs[0].before, two);
        let after = saved.outputs[0].after.clone();
        assert!(folder.apply(Mode::Apply).await.success);
        assert_eq!(after, ips(), "it is what was said");
        let saved = planned(&folder, Mode::Destroy).await;
        let range = change("range", json!("10.20.0.0/16"), nothing.clone(), false);
        let gone = [
            change("ips", after, nothing.clone(), false),
            range,
            change("secret", nothing.clone(), nothing, false),
        ];
        assert_eq!(saved.outputs, gone);
    });
}
