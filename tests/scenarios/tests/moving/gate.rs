//! What a new machine must answer before an old one goes.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use strat_scenarios::Folder;
use stratiform::model::{ErrorKind, Kind, ResourceState};
use stratiform::{HealthProbe, Mode, NetProbe, PlanOptions, Question};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::common::{counts, ids, lines, machines, nothing_to_do, run, shop};
use crate::watch::Watch;

const HEALTH: &str = "
    health {
      port     = 8080
      path     = \"/healthz\"
      timeout  = \"30s\"
      interval = \"1s\"
    }";

fn fleet(count: u32, site: &str, label: &str, health: &str) -> String {
    let rest = format!(
        "  user_data = \"#!/bin/sh\\necho {label}\\n\"\n  placement {{ sites = [site.{site}] }}\n  \
         rollout {{\n    wave = 2{health}\n  }}"
    );
    shop(count, &rest)
}

/// Knows who is sick, and notes who was asked.
#[derive(Debug, Default)]
struct Ward {
    sick: Mutex<Sick>,
    asked: Mutex<BTreeSet<IpAddr>>,
}

#[derive(Debug, Default, Clone, PartialEq, Eq)]
enum Sick {
    #[default]
    Nobody,
    /// All but these.
    AllBut(BTreeSet<IpAddr>),
}

impl Ward {
    fn set(&self, sick: Sick) {
        *self.sick.lock().expect("not poisoned") = sick;
    }
}

#[async_trait]
impl HealthProbe for Ward {
    async fn ask(&self, question: &Question) -> Result<(), String> {
        assert_eq!(
            (question.port, question.path.as_deref()),
            (8080, Some("/healthz"))
        );
        let mut asked = self.asked.lock().expect("not poisoned");
        asked.insert(question.address);
        match &*self.sick.lock().expect("not poisoned") {
            Sick::AllBut(well) if !well.contains(&question.address) => {
                Err("HTTP status 503".to_owned())
            }
            _ => Ok(()),
        }
    }
}

fn addresses(folder: &Folder) -> BTreeSet<IpAddr> {
    let machines = machines(folder).into_values().flatten();
    let addresses = machines.filter_map(|machine| machine.attributes.get("private_ip").cloned());
    addresses
        .map(|ip| ip.parse().expect("an address"))
        .collect()
}

async fn at_east(ward: &Arc<Ward>, count: u32) -> Folder {
    let folder = Folder::new().asked_by(Arc::clone(ward) as Arc<dyn HealthProbe>);
    folder.write(&[fleet(count, "east", "a", HEALTH)]);
    assert!(folder.apply(Mode::Apply).await.success);
    folder
}

#[test]
fn a_sick_wave_stops_the_fleet_and_the_report_names_the_machine() {
    run(async {
        for (site, label) in [("west", "a"), ("east", "b")] {
            let ward = Arc::new(Ward::default());
            let folder = at_east(&ward, 6).await;
            let before = ids(&folder, "east");
            ward.set(Sick::AllBut(addresses(&folder)));
            folder.write(&[fleet(6, site, label, HEALTH)]);
            let watch = Watch::start(&folder);
            // The second apply finds what the first has left, and asks it again.
            for _ in 0..2 {
                let (_, outcome) = folder.outcome(&PlanOptions::default()).await;
                assert!(!outcome.is_success());
                let (step, error) = outcome.reports[0].failures().next().expect("a failure");
                assert_eq!(error.kind(), ErrorKind::Timeout);
                let told = error.to_string();
                assert!(
                    told.contains("HTTP status 503") && told.contains("/healthz"),
                    "{told}"
                );
                let new = machines(&folder)[site].clone();
                assert!(
                    new.iter().any(|one| told.contains(one.id.as_str())),
                    "{told}"
                );
                assert_eq!(step.site.as_str(), site);
                let now = ids(&folder, "east");
                assert!(before.iter().all(|id| now.contains(id)), "nothing went");
            }
            assert_eq!(watch.extremes(), (6, 8), "one wave and no more");
            ward.set(Sick::Nobody);
            assert!(folder.apply(Mode::Apply).await.success);
            assert_eq!(counts(&folder).iter().sum::<usize>(), 6);
            nothing_to_do(&folder).await;
        }
    });
}

#[test]
fn a_bad_release_is_taken_back_to_the_machines_that_still_run() {
    run(async {
        let ward = Arc::new(Ward::default());
        let folder = at_east(&ward, 6).await;
        let before = ids(&folder, "east");
        ward.set(Sick::AllBut(addresses(&folder)));
        folder.write(&[fleet(6, "east", "b", HEALTH)]);
        assert!(!folder.apply(Mode::Apply).await.success);
        folder.write(&[fleet(6, "east", "a", HEALTH)]);
        let plan = folder.plan(Mode::Apply).await;
        let applied = folder.apply(Mode::Apply).await;
        assert!(
            applied.success,
            "{:#?}\n{:#?}",
            lines(&plan),
            applied.failures
        );
        assert_eq!(ids(&folder, "east"), before);
        nothing_to_do(&folder).await;
    });
}

#[test]
fn every_new_machine_is_asked_and_a_move_without_a_check_asks_nobody() {
    run(async {
        let ward = Arc::new(Ward::default());
        let folder = at_east(&ward, 5).await;
        assert!(
            ward.asked.lock().expect("not poisoned").is_empty(),
            "nobody made way"
        );
        folder.write(&[fleet(5, "west", "a", HEALTH)]);
        assert!(folder.apply(Mode::Apply).await.success);
        assert_eq!(
            *ward.asked.lock().expect("not poisoned"),
            addresses(&folder)
        );
        ward.set(Sick::AllBut(BTreeSet::new()));
        folder.write(&[fleet(5, "east", "a", "")]);
        assert!(folder.apply(Mode::Apply).await.success);
        assert_eq!(counts(&folder), [5, 0]);
    });
}

/// Leads every question to a server on the loopback.
#[derive(Debug)]
struct Loopback(std::net::SocketAddr);

#[async_trait]
impl HealthProbe for Loopback {
    async fn ask(&self, question: &Question) -> Result<(), String> {
        let question = Question {
            address: self.0.ip(),
            port: self.0.port(),
            ..question.clone()
        };
        NetProbe.ask(&question).await
    }
}

/// A server that is ill a few times and well from then on.
async fn recovering(listener: tokio::net::TcpListener, mut ill: u32) {
    loop {
        let (mut stream, _) = listener.accept().await.expect("a connection");
        let mut request = vec![0; 1024];
        let length = stream.read(&mut request).await.unwrap_or(0);
        let status = match (
            ill,
            request[..length].starts_with(b"GET /healthz HTTP/1.1\r\n"),
        ) {
            (0, true) => "200 OK",
            _ => "503 Service Unavailable",
        };
        ill = ill.saturating_sub(1);
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.expect("sent");
    }
}

#[tokio::test]
async fn a_real_server_that_takes_its_time_to_be_well_is_waited_for() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
        .await
        .expect("a port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(recovering(listener, 3));
    let folder = Folder::new().asked_by(Arc::new(Loopback(at)));
    // In real time: what takes seconds in the simulator is done at once.
    let quick = |text: String| {
        text.replace("create_ms      = 2000", "create_ms      = 0")
            .replace("delete_ms      = 1000", "delete_ms      = 0")
            .replace("consistency_ms = 1000", "consistency_ms = 0")
    };
    let health = HEALTH.replace("1s", "20ms");
    folder.write(&[quick(fleet(2, "east", "a", &health))]);
    assert!(folder.apply(Mode::Apply).await.success);
    folder.write(&[quick(fleet(2, "west", "a", &health))]);
    let applied = folder.apply(Mode::Apply).await;
    assert!(applied.success, "{:#?}", applied.failures);
    let left = folder.everything();
    let machines = left.iter().filter(|((_, kind), _)| *kind == Kind::Machine);
    assert_eq!(machines.map(|(_, all)| all.len()).sum::<usize>(), 2);
}

/// A machine of one kind, with the size that is asked for.
fn one(cpu: u32) -> String {
    let fleet = fleet(1, "east", "a", HEALTH);
    let one = fleet.replace("machines \"web\" {\n  count = 1\n", "machine \"web\" {\n");
    assert_ne!(one, fleet);
    let sized = one.replace("  cpu = 2\n", &format!("  cpu = {cpu}\n"));
    sized.replace("  rollout {\n    wave = 2", "  rollout {")
}

#[test]
fn a_machine_that_a_killed_resize_left_off_is_asked_once_it_runs_again() {
    run(async {
        let mut were_off = 0;
        for at in 0..40 {
            let ward = Arc::new(Ward::default());
            let folder = Folder::new().asked_by(Arc::clone(&ward) as Arc<dyn HealthProbe>);
            folder.write(&[one(2)]);
            assert!(folder.apply(Mode::Apply).await.success);
            folder.write(&[one(4)]);
            if !folder.killed(Mode::Apply, at).await {
                break;
            }
            let all = folder.everything().into_values().flatten();
            let off = all
                .filter(|thing| thing.state == ResourceState::Stopped)
                .count();
            if off == 0 {
                continue;
            }
            were_off += off;
            ward.set(Sick::AllBut(BTreeSet::new()));
            let applied = folder.apply(Mode::Apply).await;
            assert!(!applied.success, "at {at}: {:#?}", lines(&applied.plan));
            let told = applied.failures.join("\n");
            assert!(told.contains("HTTP status 503"), "at {at}: {told}");
            ward.set(Sick::Nobody);
            assert!(folder.apply(Mode::Apply).await.success, "at {at}");
            nothing_to_do(&folder).await;
        }
        assert!(were_off > 2, "{were_off}");
    });
}
