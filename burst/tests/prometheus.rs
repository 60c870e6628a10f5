//! A real Prometheus scrapes a program that makes load, and drives the controller over simulated sites in
//! real time.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener as StdListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use strat_burst::log::{Line, Log};
use strat_burst::run::{Controller, NetHooks, Options};
use strat_burst::signals::{Measure, Prometheus, Secret, Signals, http_client};
use strat_burst_policy::Reading;
use strat_model::burst::{Signal, SignalKind};
use strat_sim::SimFactory;
use stratiform::provider::{Clock, Registry, TokioClock};
use stratiform::{
    ApplyOptions, EventSink, Inputs, PlanOptions, RunOptions, Session, Stop, Workspace,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::Instant;

const SHOP: &str = r#"
topology "shop" {}
site "dc" {
  provider  = "sim"
  profile   = "onprem"
  region    = "dc"
  zones     = ["rack1"]
  capacity  = { cpu = 6, memory = "64GiB", disk = "8TiB" }
  create_ms = 200
}
site "east" {
  provider  = "sim"
  profile   = "aws"
  region    = "us-east-1"
  create_ms = 1500
}
network "core" {
  cidr        = "10.20.0.0/16"
  site_prefix = 20
  sites       = [site.dc, site.east]
}
subnet "app" {
  network = network.core
  newbits = 3
}
machines "web" {
  count  = 2
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.app
  placement {
    sites  = [site.dc, site.east]
    prefer = "owned"
  }
}
burst "web" {
  fleet = machines.web
  max   = 6
  demand "rps" {
    query = "sum(rate(http_requests_total[4s]))"
    each  = 100
  }
  down {
    after   = "3s"
    min_age = "1s"
    step    = "100%"
  }
}
"#;

/// Prometheus, which ends with this.
struct Server {
    child: Child,
    url: String,
    _dir: tempfile::TempDir,
}

impl Server {
    fn start(target: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let free = StdListener::bind("127.0.0.1:0").expect("a port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/peers/prometheus");
        let mut child = Command::new(script)
            .arg("serve")
            .arg(dir.path().join("data"))
            .args([&port.to_string(), target])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("scripts/peers/prometheus starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("its output");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        assert_eq!(
            line, "ready\n",
            "run scripts/peers/prometheus once, as root"
        );
        let url = format!("http://127.0.0.1:{port}");
        Self {
            child,
            url,
            _dir: dir,
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends with its input.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Serves a counter that grows by so many a second, and gives its address.
async fn load(rate: Arc<AtomicU64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let total = Arc::new(AtomicU64::new(0));
    let grown = Arc::clone(&total);
    tokio::spawn(async move {
        let mut last = Instant::now();
        loop {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let passed = last.elapsed();
            last += passed;
            let millis = u64::try_from(passed.as_millis()).unwrap_or(0);
            grown.fetch_add(rate.load(Ordering::SeqCst) * millis, Ordering::SeqCst);
        }
    });
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let requests = total.load(Ordering::SeqCst) / 1000;
            let body =
                format!("# TYPE http_requests_total counter\nhttp_requests_total {requests}\n");
            let length = body.len();
            let answer = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            tokio::spawn(async move {
                let mut asked = [0; 4096];
                let _ = stream.read(&mut asked).await;
                let _ = stream.write_all(answer.as_bytes()).await;
            });
        }
    });
    at.to_string()
}

fn workspace(path: &Path, factory: &SimFactory) -> Result<Workspace, stratiform::Error> {
    Workspace::load(
        path,
        Inputs::default(),
        Registry::new().with(factory.clone()),
    )
}

async fn applied(path: &Path, factory: &SimFactory, clock: &Arc<dyn Clock>) {
    let workspace = workspace(path, factory).expect("a topology");
    let session = Session::connect_with(workspace, EventSink::none(), Arc::clone(clock));
    let session = session.await.expect("connects");
    let run = session
        .begin(&RunOptions::new("test"))
        .await
        .expect("begins");
    let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
    let outcome = run.apply(&planned, &ApplyOptions::default()).await;
    assert!(outcome.expect("applies").is_success());
    run.end().await.expect("ends");
}

/// Runs rounds until the fleet is so large and settled, and says by which sizes it went.
async fn until(controller: &mut Controller, ready: u32, sizes: &mut Vec<u32>) {
    let deadline = Instant::now() + Duration::from_secs(180);
    loop {
        let round = controller.round(&Stop::new()).await;
        assert!(round.problems.is_empty(), "{:?}", round.problems);
        let burst = &round.status.bursts[0];
        if sizes.last() != Some(&burst.ready) {
            sizes.push(burst.ready);
        }
        if (burst.ready, burst.pending, burst.draining) == (ready, 0, 0) {
            return;
        }
        assert!(Instant::now() < deadline, "{burst:?}");
        tokio::time::sleep(round.next_in).await;
    }
}

#[tokio::test]
async fn prometheus_drives_the_fleet_up_and_home_again() {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("shop.hcl"), SHOP).expect("written");
    let (factory, clock): (_, Arc<dyn Clock>) = (SimFactory::new(), Arc::new(TokioClock::system()));
    applied(dir.path(), &factory, &clock).await;
    let rate = Arc::new(AtomicU64::new(150));
    let target = load(Arc::clone(&rate)).await;
    let server = Server::start(&target);
    let client = http_client().expect("a client");
    let prometheus = Prometheus::new(&client, &server.url, None).expect("an address");
    let signals = Signals::new(Some(prometheus), client.clone(), Default::default());
    let path: PathBuf = dir.path().to_owned();
    let mut controller = Controller::new(Options {
        interval: Some(Duration::from_secs(1)),
        load: Box::new(move || workspace(&path, &factory)),
        clock,
        signals: Arc::new(signals),
        hooks: Arc::new(NetHooks::new(client)),
        health: None,
        events: EventSink::none(),
        observers: Vec::new(),
        holder: None,
    })
    .expect("a controller");
    let mut sizes = Vec::new();
    until(&mut controller, 2, &mut sizes).await;
    rate.store(370, Ordering::SeqCst);
    until(&mut controller, 4, &mut sizes).await;
    rate.store(150, Ordering::SeqCst);
    until(&mut controller, 2, &mut sizes).await;
    controller.end().await;
    // Up once and down once, by whatever steps: no flapping.
    let top = sizes.iter().position(|size| *size == 4).expect("the top");
    assert!(sizes[..=top].is_sorted(), "{sizes:?}");
    assert!(sizes[top..].is_sorted_by(|a, b| a >= b), "{sizes:?}");
    let log = Log::of(&dir.path().join(".stratiform"), "web");
    let mut records = 0;
    log.each(|line| {
        if let Line::Decided(decided) = line {
            decided.record.replay().expect("the same");
            records += 1;
        }
    })
    .expect("read");
    assert!(records > 5, "{records}");
}

/// What a query can give: one number, or a reason why not. None of it is zero, and no reason has the
/// token in it.
#[tokio::test]
async fn a_query_gives_one_number_or_a_reason() {
    let rate = Arc::new(AtomicU64::new(100));
    let server = Server::start(&load(rate).await);
    let client = http_client().expect("a client");
    let token = Secret::new("t0psecret");
    let prometheus = Prometheus::new(&client, &server.url, Some(&token)).expect("an address");
    let signals = Signals::new(Some(prometheus), client, Default::default());
    let now = TokioClock::system().now();
    let ask = async |query: &str| {
        let signal = Signal::new("rps", query, SignalKind::Demand { each: 1.0 });
        signals.measure("web", &signal, now).await
    };
    assert_eq!(
        ask("vector(12.5)").await.sample.value,
        Reading::Number(12.5)
    );
    assert_eq!(
        ask("scalar(vector(3))").await.sample.value,
        Reading::Number(3.0)
    );
    assert_eq!(
        ask("vector(0) / vector(0)").await.sample.value,
        Reading::NotANumber
    );
    for (query, says) in [
        ("no_such_metric", "gives no series"),
        ("sum(rate(", "parse error"),
        (
            "vector(1) or label_replace(vector(2), \"a\", \"b\", \"\", \"\")",
            "gives 2 series",
        ),
        ("up[5m]", "gives ranges"),
    ] {
        let measured = ask(query).await;
        assert_eq!(measured.sample.value, Reading::Nothing, "{query}");
        let why = measured.why.expect("a reason");
        assert!(
            why.contains(says) && !why.contains("t0psecret"),
            "{query}: {why}"
        );
    }
    drop(server);
    let measured = ask("vector(1)").await;
    assert_eq!(measured.sample.value, Reading::Nothing);
    assert!(measured.why.is_some_and(|why| !why.contains("t0psecret")));
}
