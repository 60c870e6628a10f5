//! Google's own client for Python against the double: the script in `life`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use strat_gce::Gce;

use crate::support::{PROJECT, peers, start};

/// Does what the script asks for.
fn arrange(gce: &Gce, line: &str) {
    let asked: Vec<Value> = serde_json::from_str(line).expect("a list");
    let text = |index: usize| asked[index].as_str().expect("a text");
    let number = |index: usize| asked[index].as_u64().expect("a number");
    let small = |index: usize| u32::try_from(number(index)).expect("a small number");
    let is = |index: usize| asked[index].as_bool().expect("a truth");
    match text(0) {
        "leave_stock" => gce.leave_stock(text(1), text(2), number(3)),
        "restock" => gce.restock(),
        "stock_out_with_details" => gce.stock_out_with_details(is(1)),
        "set_quota" => gce.set_quota(text(1), text(2), f64::from(small(3))),
        "throttle" => {
            let code = u16::try_from(number(3)).expect("a status");
            gce.throttle(text(1), small(2), code);
        }
        "refuse" | "fail" => {
            let code = u16::try_from(number(3)).expect("a status");
            let arranged = match text(0) {
                "refuse" => Gce::refuse,
                _ => Gce::fail,
            };
            arranged(gce, text(1), small(2), code, text(4), text(5));
        }
        "lose" => gce.lose(text(1), small(2)),
        "deny" => gce.deny(text(1)),
        "allow" => gce.allow(text(1)),
        "disable_service" => gce.disable_service(text(1), is(2)),
        "hold_operations" => gce.hold_operations(is(1)),
        other => panic!("the script asks for {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_own_client_lives_a_whole_life_and_meets_each_error() {
    let gce = start().await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/gce/life");
    let mut child = Command::new(peers().join("bin/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script)
        .args([&gce.endpoint(), PROJECT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Google's client for Python is there: run scripts/peers/gcp once");
    let mut answers = child.stdin.take().expect("a pipe");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let arranging = gce.clone();
    let ended = tokio::task::spawn_blocking(move || {
        for line in lines.lines() {
            arrange(&arranging, &line.expect("a line"));
            // A script that has failed reads no more.
            let _ = answers.write_all(b"done\n");
        }
        child.wait_with_output().expect("the script ends")
    });
    let output = ended.await.expect("no panic");
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{told}");
    let violations = gce.violations();
    assert!(violations.is_empty(), "{violations:#?}");
    let flaws = gce.flaws();
    assert!(flaws.is_empty(), "{flaws:#?}");
}
