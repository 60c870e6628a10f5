//! The page in a real browser, with a day that the controller went through.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use strat_burst::serve::{Access, serve};
use strat_burst::signals::Secret;
use stratiform::Stop;
use stratiform::provider::{Clock as _, TokioClock};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::bench::{Bench, SHOP};

/// A day of five-minute rounds: a night, a morning, a crowd at noon, an hour without values, an evening.
fn load_at(minute: usize) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a minute of a day")]
    let hour = minute as f64 / 60.0;
    let wave = 260.0 + 330.0 * ((hour - 14.0) / 24.0 * std::f64::consts::TAU).cos();
    let noise = f64::from(u8::try_from(minute * 7 % 31).unwrap_or(0)) - 15.0;
    match minute {
        720..780 => Some(1050.0 + noise),
        1020..1050 => None,
        _ => Some((wave + noise).max(20.0)),
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_is_good_to_look_at_in_chromium() {
    let now = TokioClock::system().now();
    let clock = Arc::new(TokioClock::starting_at(
        now - SignedDuration::from_hours(24),
    ));
    let quick = SHOP.replace("max   = 12", "max   = 12\n  tolerance = \"5%\"");
    let bench = Bench::on(&quick, clock).await;
    let mut controller = bench.controller_every(Duration::from_secs(300));
    for round in 0..288 {
        bench.load.set(load_at(round * 5));
        let done = controller.round(&Stop::new()).await;
        bench.wait(done.next_in).await;
    }
    tokio::time::resume();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let state = bench.dir.path().join(".stratiform");
    tokio::spawn(serve(listener, state, Access::Anyone, None));
    let shots = match option_env!("STRAT_SCREENSHOTS") {
        Some(folder) => Path::new(folder).to_owned(),
        None => bench.dir.path().to_owned(),
    };
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut browser = Command::new(here.join("../scripts/peers/chromium"))
        .arg("look")
        .arg(here.join("tests/controller/page.js"))
        .arg(format!("http://{at}/"))
        .arg(&shots)
        .stdout(Stdio::piped())
        .spawn()
        .expect("scripts/peers/chromium starts");
    let stdout = browser.stdout.take().expect("its output");
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let reader = std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            let _ = tell.send(line);
        }
    });
    let first = told.recv().await;
    assert_eq!(
        first.as_deref(),
        Some("loaded"),
        "run scripts/peers/chromium once, as root"
    );
    bench.load.set(Some(900.0));
    controller.round(&Stop::new()).await;
    let second = told.recv().await.expect("it shows what is new");
    assert!(second.starts_with("updated "), "{second}");
    reader.join().expect("read");
    assert!(browser.wait().expect("it ends").success());
}

/// Asks the server, and gives the head and the body of its answer.
async fn ask(at: std::net::SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(at).await.expect("a connection");
    let request = format!("{request}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (head.to_owned(), body.to_owned())
}

#[tokio::test(start_paused = true)]
async fn programs_are_told_the_same_and_only_who_may_know() {
    let mut bench = Bench::new(SHOP).await;
    let mut controller = bench.controller();
    bench.load.set(Some(600.0));
    bench.minutes(&mut controller, 4).await;
    tokio::time::resume();
    let state = bench.dir.path().join(".stratiform");
    let open = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let shut = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let (at, guarded) = (
        open.local_addr().expect("one"),
        shut.local_addr().expect("one"),
    );
    tokio::spawn(serve(open, state.clone(), Access::Anyone, None));
    let token = Access::Token(Secret::new("t0psecret"));
    tokio::spawn(serve(shut, state, token, None));
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: {at}");
    // It reads the folder once a second at least.
    let (_, metrics) = loop {
        let answer = ask(at, &get("/metrics")).await;
        if answer.1.contains("strat_burst_need") {
            break answer;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    for line in [
        "strat_burst_leading 1",
        "strat_burst_machines{burst=\"web\",state=\"ready\"} 6",
        "strat_burst_want{burst=\"web\"} 6",
        "strat_burst_site_machines{burst=\"web\",site=\"dc\"} 4",
        "strat_burst_signal{burst=\"web\",signal=\"rps\"} 600",
        "strat_burst_signal_good{burst=\"web\",signal=\"rps\"} 1",
        "# TYPE strat_burst_decisions_total counter",
    ] {
        assert!(
            metrics.lines().any(|one| one == line),
            "{line} in\n{metrics}"
        );
    }
    let (_, status) = ask(at, &get("/api/status")).await;
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(
        (&status["format_version"], &status["bursts"][0]["ready"]),
        (&1.into(), &6.into())
    );
    let (_, list) = ask(at, &get("/api/decisions?burst=web&limit=1")).await;
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    assert_eq!(list["decisions"].as_array().map(Vec::len), Some(1));
    let id = list["decisions"][0]["id"].as_str().expect("an id");
    let (_, one) = ask(at, &get(&format!("/api/decisions/{id}"))).await;
    let one: serde_json::Value = serde_json::from_str(&one).expect("JSON");
    assert_eq!(one["replay"]["identical"], true);
    // What is not to be had, and for whom.
    let status_of = |answer: &(String, String)| answer.0[9..12].to_owned();
    let other = format!(
        "GET /api/status HTTP/1.1\r\nHost: evil.example:{}",
        at.port()
    );
    for (to, request, code) in [
        (at, get("/nothing"), "404"),
        (at, get("/").replace("GET", "POST"), "405"),
        (at, other, "403"),
        (guarded, get("/api/status"), "401"),
        (guarded, get("/?token=wrong"), "401"),
        (guarded, get("/api/status?token=t0psecret"), "401"),
        (
            guarded,
            get("/metrics") + "\r\nAuthorization: Bearer t0psecret",
            "200",
        ),
        (guarded, get("/?token=t0psecret"), "303"),
        (
            guarded,
            get("/") + "\r\nCookie: a=b; strat_burst=t0psecret",
            "200",
        ),
    ] {
        let answer = ask(to, &request).await;
        assert_eq!(status_of(&answer), code, "{request}");
        let leaks = answer.1.contains("t0psecret");
        assert!(!leaks, "{request}");
    }
    let (head, _) = ask(guarded, &get("/?token=t0psecret")).await;
    assert!(head.contains("HttpOnly; SameSite=Strict"), "{head}");
}
