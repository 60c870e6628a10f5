//! A burst over its own past, as a real Prometheus knows it; and who may see its page.

use serde_json::Value;

use crate::burst::{BASE, BURST, POLICIES};
use crate::peers::Server;
use crate::support::Shop;

/// Little at night, and from 10 to 16 o'clock much more: as PromQL has it for any time, so that nobody has to
/// have measured for a week.
const DAY: &str = "320 + 1130 * (hour() >= bool 10) * (hour() < bool 16)";

fn shop(query: &str) -> Shop {
    let shop = Shop::of(BASE);
    let burst = BURST.replace("sum(rate(http_requests_total[1m]))", query);
    std::fs::write(shop.path().join("burst.hcl"), burst).expect("written");
    shop
}

#[test]
fn the_past_is_played_beside_simpler_policies() {
    let prometheus = Server::start("127.0.0.1:1");
    let shop = shop(DAY);
    let url = prometheus.url.as_str();
    let asked = [
        "burst",
        "rehearse",
        "--from",
        "prometheus",
        "--prometheus",
        url,
    ];
    let chart = shop.path().join("week.svg");
    let chart = chart.to_str().expect("text");
    let all = [&asked[..], &["--json", "--boot", "90s", "--chart", chart]].concat();
    let said: Value = shop.json(&all);
    let (trace, results) = (&said["trace"], &said["results"]);
    assert_eq!(trace["step_s"], 60);
    let policies: Vec<&str> = results
        .as_array()
        .expect("results")
        .iter()
        .map(|one| one["policy"].as_str().expect("a name"))
        .collect();
    for policy in POLICIES {
        assert!(policies.contains(&policy), "{policy}: {policies:?}");
    }
    // Six hours a day at 1,450 and the rest at 320, of which a machine carries 100: 5 at least.
    let hours = results[0]["machine_hours"].as_object().expect("hours");
    let hours: f64 = hours.values().filter_map(Value::as_f64).sum();
    let least = 7.0 * (6.0 * 14.5 + 18.0 * 5.0);
    assert!(hours > least && hours < least * 1.3, "{hours} of {least}");
    let drawn = std::fs::read_to_string(chart).expect("a chart");
    assert!(drawn.starts_with("<svg"));
    let table = shop.ok(&asked);
    assert!(table.stdout.contains("oracle"), "{table}");
    let failing = [&asked[..], &["--fail-if", "machine_min>=0"]].concat();
    assert_ne!(shop.run(&failing).code, Some(0), "no such figure");
    let failing = [&asked[..], &["--fail-if", "usd>0"]].concat();
    assert_eq!(shop.run(&failing).code, Some(2));
    assert!(shop.things().is_empty(), "nothing was made");
}

#[test]
fn a_past_that_nobody_knows_is_told() {
    let prometheus = Server::start("127.0.0.1:1");
    let url = prometheus.url.clone();
    let asked = ["burst", "rehearse", "--prometheus", url.as_str()];
    let done = shop("hour(").run(&asked);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains("parse error"), "{done}");
    let done = shop("no_such_metric").run(&asked);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains("nobody knows the past"), "{done}");
    drop(prometheus);
    let done = shop(DAY).run(&asked);
    assert_eq!(done.code, Some(1), "{done}");
    assert!(done.stderr.contains("nobody knows the past"), "{done}");
}

/// Beyond this machine nobody is served who has not proved who they are, by either command.
#[test]
fn beyond_this_machine_the_page_is_guarded() {
    let shop = shop("q");
    let serve = ["burst", "serve", "--listen", "0.0.0.0:0"];
    let run = ["burst", "run", "--once", "--listen", "0.0.0.0:0"];
    for verb in [&serve[..], &run[..]] {
        let done = shop.run(verb);
        assert_eq!(done.code, Some(1), "{done}");
        for words in ["--token-file", "--client-ca"] {
            assert!(done.stderr.contains(words), "{done}");
        }
        // Half of TLS is none.
        for half in [
            ["--client-ca", "ca.pem"],
            ["--tls-cert", "a.pem"],
            ["--tls-key", "a.key"],
        ] {
            let done = shop.run(&[verb, &half].concat());
            done.failed_saying(&["required arguments", "--tls-"]);
        }
        let files = [
            "--tls-cert",
            "a.pem",
            "--tls-key",
            "a.key",
            "--client-ca",
            "ca.pem",
        ];
        let done = shop.run(&[verb, &files].concat());
        assert_eq!(done.code, Some(1), "{done}");
        assert!(done.stderr.contains("a.pem"), "{done}");
    }
}
