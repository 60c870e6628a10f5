//! Microsoft's own clients for Python against the double: the script in `life`.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use strat_arm::{Arm, StockOut, TOKEN};

use crate::support::{SUBSCRIPTION, peers, start};

/// Does what the script asks for.
fn arrange(arm: &Arm, line: &str) {
    let asked: Vec<Value> = serde_json::from_str(line).expect("a list");
    let text = |index: usize| asked[index].as_str().expect("a text");
    let number = |index: usize| asked[index].as_u64().expect("a number");
    let small = |index: usize| u32::try_from(number(index)).expect("a small number");
    let is = |index: usize| asked[index].as_bool().expect("a truth");
    match text(0) {
        "set_polls" => arm.set_polls(text(1), small(2)),
        "hold_operations" => arm.hold_operations(is(1)),
        "set_page" => arm.set_page(usize::try_from(number(1)).expect("a small number")),
        "set_list_lag" => arm.set_list_lag(small(1)),
        "leave_stock" => arm.leave_stock(text(1), text(2), number(3)),
        "restock" => arm.restock(),
        "stock_out_as" => arm.stock_out_as(match text(1) {
            "allocation" => StockOut::Allocation,
            "overconstrained" => StockOut::Overconstrained,
            _ => StockOut::Sku,
        }),
        "restrict_sku" => {
            arm.restrict_sku(text(1), text(2), &[text(3)], "NotAvailableForSubscription");
        }
        "set_quota" => arm.set_quota(text(1), text(2), number(3)),
        "throttle" => arm.throttle(text(1), small(2), small(3)),
        "refuse" => {
            let status = u16::try_from(number(3)).expect("a status");
            arm.refuse(text(1), small(2), status, text(4), text(5));
        }
        "fail" => arm.fail(text(1), small(2), text(3), text(4)),
        "lose" => arm.lose(text(1), small(2)),
        "deny" => arm.deny(text(1)),
        "allow" => arm.allow(text(1)),
        "set_registered" => arm.set_registered(text(1), is(2)),
        "set_read_only" => arm.set_read_only(is(1)),
        "lock" => arm.lock(text(1), text(2)),
        "unlock" => arm.unlock(text(1)),
        "policy_denies" => arm.policy_denies(text(1), is(2)),
        "policy_adds_tag" => arm.policy_adds_tag(text(1), text(2)),
        other => panic!("the script asks for {other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_vendors_own_clients_live_a_whole_life_and_meet_each_error() {
    let arm = start().await;
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("arm-life-root.pem");
    std::fs::write(&root, arm.root_pem()).expect("a file");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/arm/life");
    let mut child = Command::new(peers().join("bin/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script)
        .args([&arm.endpoint(), SUBSCRIPTION, TOKEN])
        .arg(&root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("Microsoft's clients for Python are there: run scripts/peers/azure once");
    let mut answers = child.stdin.take().expect("a pipe");
    let lines = BufReader::new(child.stdout.take().expect("a pipe"));
    let arranging = arm.clone();
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
    let violations = arm.violations();
    assert!(violations.is_empty(), "{violations:#?}");
    let flaws = arm.flaws();
    assert!(flaws.is_empty(), "{flaws:#?}");
}
