//! How machines give way to others.

use strat_model::{HealthAddress, HealthCheck, RolloutIntent, Wave};

use crate::support::evaluate;

fn rollout(block: &str) -> RolloutIntent {
    let text = format!(
        r#"
topology "t" {{}}
site "a" {{ provider = "sim" }}
network "n" {{
  cidr  = "10.0.0.0/16"
  sites = [site.a]
}}
subnet "s" {{
  network = network.n
  newbits = 4
}}
machines "web" {{
  for_each = {{ one = 8080 }}
  count    = 4
  cpu      = 2
  memory   = "4GiB"
  image    = "debian-12"
  subnet   = subnet.s
  {block}
}}
"#
    );
    let evaluated = evaluate(&[("t.hcl", text.as_str())]).expect("sound");
    evaluated.intent.machines[0].rollout.clone()
}

#[test]
fn it_says_how_many_and_what_must_hold_of_them() {
    assert_eq!(rollout(""), RolloutIntent::default());
    assert_eq!(rollout("rollout {}"), RolloutIntent::default());
    assert_eq!(RolloutIntent::default().wave, Wave::Percent(25));
    let whole = rollout(
        "rollout {
            wave = \"${40 + 10} %\"
            health {
              port     = each.value
              path     = \"/healthz?deep=1\"
              address  = \"public\"
              timeout  = \"90s\"
              interval = \"500ms\"
            }
          }",
    );
    let health = HealthCheck {
        port: 8080,
        path: Some("/healthz?deep=1".to_owned()),
        address: HealthAddress::Public,
        timeout_ms: 90_000,
        interval_ms: 500,
    };
    assert_eq!(
        whole,
        RolloutIntent {
            wave: Wave::Percent(50),
            health: Some(health),
        }
    );
    let least = rollout("rollout {\n wave = 3\n health { port = 22 }\n }");
    assert_eq!(least.wave, Wave::Machines(3));
    let health = least.health.expect("a check");
    assert_eq!((health.timeout_ms, health.interval_ms), (300_000, 5_000));
    assert_eq!(
        (health.path, health.address),
        (None, HealthAddress::Private)
    );
}
