//! What is in `packaging/`: a unit that systemd takes, commands that parse, and a controller that does what
//! the unit says of it.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::burst::loaded;
use crate::support::{Shop, signal};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn packaged(name: &str) -> String {
    let path = root().join("packaging").join(name);
    std::fs::read_to_string(path).expect("the file")
}

/// The values of a key of the unit.
fn unit(key: &str) -> Vec<String> {
    let text = packaged("strat-burst.service");
    let lines = text.lines();
    let values = lines.filter_map(|line| line.strip_prefix(key)?.strip_prefix('='));
    values.map(str::to_owned).collect()
}

fn one(key: &str) -> String {
    let [value] = <[String; 1]>::try_from(unit(key)).expect("one line");
    value
}

#[test]
fn systemd_takes_the_unit() {
    let text = packaged("strat-burst.service");
    let installed = "/usr/local/bin/strat";
    assert!(text.contains(installed));
    let shop = Shop::of("");
    let path = shop.path().join("strat-burst.service");
    let verify = |text: &str| {
        std::fs::write(&path, text).expect("written");
        let mut command = Command::new("systemd-analyze");
        let output = command.arg("verify").arg(&path).output();
        let output = output.expect("run scripts/peers/systemd once, as root");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        (output.status.success() && said.is_empty(), said)
    };
    let text = text.replace(installed, env!("CARGO_BIN_EXE_strat"));
    let (good, said) = verify(&text);
    assert!(good, "{said}");
    // It does look: what it does not know, it tells.
    let (good, said) = verify(&text.replace("KillSignal=SIGTERM", "KillSignal=SIGNAL"));
    assert!(!good && said.contains("SIGNAL"), "{said}");
}

/// The commands parse, and what they name is there: a flag of another version would fail on a host.
#[test]
fn what_is_started_is_a_command_of_this_program() {
    let shop = Shop::of("");
    let start = one("ExecStart");
    let mut words = start.split(' ');
    assert_eq!(words.next(), Some("/usr/local/bin/strat"));
    let args: Vec<&str> = words.chain(["--help"]).collect();
    assert!(shop.ok(&args).stdout.contains("Usage: strat burst run"));
    // What is written is where it may be written, and no other place is.
    assert_eq!(one("ReadWritePaths"), one("WorkingDirectory"));
    assert_eq!(one("ProtectSystem"), "strict");
    assert_eq!(one("User"), one("Group"));

    let image = packaged("Containerfile");
    let list = |start: &str| -> Vec<String> {
        let mut lines = image.lines();
        let line = lines
            .find_map(|line| line.strip_prefix(start))
            .expect(start);
        serde_json::from_str(line.trim()).expect("JSON")
    };
    let all = [list("ENTRYPOINT"), list("CMD"), vec!["--help".to_owned()]].concat();
    assert_eq!(all[0], "strat");
    let args: Vec<&str> = all[1..].iter().map(String::as_str).collect();
    assert!(shop.ok(&args).stdout.contains("Usage: strat burst run"));
    // Features that the program has, a toolchain that is new enough, a user that is not root.
    let features = image.split("--features ").nth(1).expect("features");
    let features = features.lines().next().expect("a line");
    let manifest = std::fs::read_to_string(root().join("cli/Cargo.toml")).expect("a manifest");
    for feature in features.split(',') {
        let line = format!("\n{feature} = [");
        assert!(manifest.contains(&line), "{feature}");
    }
    let minor = |text: &str| -> u32 {
        let digits = text.chars().take_while(char::is_ascii_digit);
        digits.collect::<String>().parse().expect("a version")
    };
    let workspace = std::fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let least = workspace.split("rust-version = \"1.").nth(1).expect("it");
    let used = image.split("library/rust:1.").nth(1).expect("a toolchain");
    assert!(minor(used) >= minor(least), "1.{} is needed", minor(least));
    let user = image
        .lines()
        .rfind(|line| line.starts_with("USER "))
        .expect("a user");
    let user = user.trim_start_matches("USER ");
    assert!(image.contains(&format!("useradd --system --uid 10001 {user}")));
    let stop = format!("STOPSIGNAL {}", one("KillSignal"));
    assert!(image.lines().any(|line| line == stop));
}

/// What the unit relies on: SIGHUP reads the topology again at once and says what changed, and SIGTERM ends
/// the controller well, long before systemd would kill it.
#[test]
fn the_controller_reloads_and_ends_as_the_unit_says() {
    assert_eq!(one("ExecReload"), "/bin/kill -HUP $MAINPID");
    let patience: u64 = one("TimeoutStopSec").parse().expect("seconds");
    let shop = loaded();
    let start = one("ExecStart").replace("127.0.0.1:9464", "127.0.0.1:0");
    let args: Vec<&str> = start.split(' ').skip(1).collect();
    let mut child = shop.start(&args);
    let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
    let mut round = || -> Value {
        let line = lines.next().expect("a round").expect("text");
        serde_json::from_str(&line).expect("JSON")
    };
    let first = round();
    assert_eq!(first["leading"], true, "{first:#}");
    assert_eq!(first["decided"][0]["want"], 7, "{first:#}");
    // A minute lies between two rounds; it is not waited for.
    let burst = shop.path().join("burst.hcl");
    let text = std::fs::read_to_string(&burst).expect("read");
    std::fs::write(&burst, text.replace("max    = 20", "max    = 21")).expect("written");
    signal(&child, "-HUP");
    let second = round();
    let said = "burst.web: max was 20, and is 21";
    assert_eq!(second["reloaded"], serde_json::json!([said]), "{second:#}");
    signal(&child, "-TERM");
    let ended = (0..patience * 10).find_map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        child.try_wait().expect("a process")
    });
    let ended = ended.expect("it ends before it would be killed");
    assert!(ended.success(), "{ended}");
    // The lead is given back: the next one need not wait for its term.
    shop.ok(&["burst", "run", "--once"]);
}
