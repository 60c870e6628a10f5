//! A site whose lease cannot be had, and what leases cost.

use std::collections::BTreeSet;
use std::time::Duration;

use strat_scenarios::Folder;
use strat_sim::{Disturbance, RegionKey};
use stratiform::model::Name;
use stratiform::{ApplyOptions, ApplyOutcome, Error, Mode, PlanOptions, RunOptions, Session};
use tokio::time::Instant;

/// Runs a future with a clock that jumps over every wait.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(future)
}

/// Two sites of one topology, with a bucket and machines each.
pub(crate) fn two_sites(east: &str, west: &str, count: u32) -> String {
    let site = |name: &str, region: &str, rest: &str| {
        format!(
            r#"
site "{name}" {{
  provider = "sim"
  account  = "main"
  profile  = "aws"
  region   = "{region}"
  {rest}
}}
network "{name}" {{
  cidr        = "10.20.0.0/16"
  site_prefix = 18
  sites       = [site.{name}]
}}
subnet "{name}" {{
  network = network.{name}
  newbits = 4
}}
machines "{name}" {{
  count  = {count}
  cpu    = 2
  memory = "4GiB"
  image  = "debian-12"
  subnet = subnet.{name}
}}
"#
        )
    };
    format!(
        "topology \"shop\" {{ lineage = \"aaaaaaaaaaaaaaaa\" }}\n{}{}",
        site("east", "us-east-1", east),
        site("west", "us-west-2", west)
    )
}

fn name(text: &str) -> Name {
    Name::new(text).expect(text)
}

fn region(folder: &Folder, word: &str) -> RegionKey {
    let mut regions = folder.regions().into_iter();
    let found = regions.find(|region| region.to_string().contains(word));
    found.expect("the region")
}

/// How many things there are in a region.
fn there(folder: &Folder, word: &str) -> usize {
    let all = folder.control().resources(&region(folder, word), None);
    all.expect("things").len()
}

async fn carry_out(session: &Session, options: &RunOptions) -> Result<ApplyOutcome, Error> {
    let run = session.begin(options).await?;
    let planned = run.plan(&PlanOptions::default()).await?;
    let outcome = run.apply(&planned, &ApplyOptions::default()).await?;
    run.end().await?;
    Ok(outcome)
}

/// All that is told of a site.
fn told(outcome: &ApplyOutcome, site: &str) -> String {
    let problems = outcome.observation.problems.iter();
    let problems = problems.filter(|problem| problem.site.as_str() == site);
    let texts = problems.map(|problem| {
        let mut text = problem.error.to_string();
        let mut next = std::error::Error::source(&*problem.error);
        while let Some(cause) = next {
            text = format!("{text}: {cause}");
            next = cause.source();
        }
        text
    });
    texts.collect::<Vec<_>>().join("\n")
}

/// The most that one call waits in all between its attempts: the bounds of seven waits.
const ALL_WAITS: Duration = Duration::from_millis(250 * 127);

#[test]
fn a_silent_site_costs_no_more_than_one_look_and_the_others_go_on() {
    run(async {
        let folder = Folder::new();
        folder.write(&[two_sites("", "", 1)]);
        drop(folder.session().await);
        // What the waits for lists and machines take without it.
        let begun = Instant::now();
        folder.apply(Mode::Apply).await;
        let all_well = begun.elapsed();
        folder.apply(Mode::Destroy).await;
        let east = region(&folder, "us-east-1");
        let lost = folder.control().disturb(&east, &Disturbance::LoseRegion);
        lost.expect("lost");

        let begun = Instant::now();
        let session = folder.session().await;
        let outcome = carry_out(&session, &RunOptions::new("test")).await;
        let outcome = outcome.expect("west is there");
        let longer = begun.elapsed().saturating_sub(all_well);
        assert!(
            longer <= ALL_WAITS,
            "{longer:?} for a site that says nothing"
        );
        assert!(!outcome.is_success(), "not all is as it is to be");
        assert!(!told(&outcome, "east").is_empty());
        assert!(there(&folder, "us-west-2") > 0, "the others go on");

        let back = folder.control().disturb(&east, &Disturbance::RestoreRegion);
        back.expect("back");
        assert!(folder.apply(Mode::Apply).await.success);
        assert!(there(&folder, "us-east-1") > 0);
    });
}

#[test]
fn a_site_that_another_folder_writes_to_is_withheld_and_the_others_go_on() {
    run(async {
        let folder = Folder::new();
        let text = two_sites("", "", 1);
        folder.write(&[&text]);
        let other = folder.beside();
        let world = folder.world().display().to_string();
        other.write(&[text.replace(
            "account  =",
            &format!("world    = \"{world}\"\n  account  ="),
        )]);
        let session = folder.session().await;
        let only = RunOptions {
            sites: Some(BTreeSet::from([name("west")])),
            ..RunOptions::new("apply")
        };
        let first = session.begin(&only).await.expect("west is free");

        let beside = other.session().await;
        let outcome = carry_out(&beside, &RunOptions::new("apply")).await;
        let outcome = outcome.expect("east is free");
        assert!(!outcome.is_success(), "west is withheld");
        let why = told(&outcome, "west");
        assert!(
            why.contains("holds the lease of site.west") && why.contains("(`apply`, process"),
            "{why}"
        );
        assert!(told(&outcome, "east").is_empty());
        assert!(there(&folder, "us-east-1") > 0);
        assert_eq!(there(&folder, "us-west-2"), 0);

        // With patience it waits for west, too.
        first.end().await.expect("ends");
        assert!(other.apply(Mode::Apply).await.success);
        assert!(there(&folder, "us-west-2") > 0);
    });
}

#[test]
fn a_store_that_ignores_its_conditions_is_refused() {
    run(async {
        let folder = Folder::new();
        folder.write(&[two_sites("leases = \"ignored\"", "", 1)]);
        let session = folder.session().await;
        let outcome = carry_out(&session, &RunOptions::new("test")).await;
        let outcome = outcome.expect("west is there");
        let why = told(&outcome, "east");
        assert!(
            why.contains("leases cannot be kept at site.east") && why.contains("ignores them"),
            "{why}"
        );
        assert_eq!(there(&folder, "us-east-1"), 0, "nothing is made there");
        assert!(there(&folder, "us-west-2") > 0, "the others go on");
    });
}

#[test]
fn a_holder_that_died_elsewhere_is_waited_for_once_for_all_sites() {
    run(async {
        let folder = Folder::new();
        folder.write(&[two_sites("", "", 1)]);
        let other = folder.beside();
        let world = folder.world().display().to_string();
        let rest = format!("world = \"{world}\"");
        other.write(&[two_sites(&rest, &rest, 1)]);
        // Its process lives, so that nothing but the silence of its leases says that it is dead.
        let session = folder.session().await;
        let dead = session
            .begin(&RunOptions::new("apply"))
            .await
            .expect("free");
        drop(dead);
        let begun = Instant::now();
        assert!(other.apply(Mode::Apply).await.success);
        let term_and_attempt = Duration::from_secs(240 + 120);
        let took = begun.elapsed();
        assert!(took >= term_and_attempt, "{took:?}");
        assert!(took < term_and_attempt * 3 / 2, "{took:?}");
    });
}

/// How many calls an apply of a hundred machines at one site of two takes in all.
fn calls(rest: &str) -> u64 {
    run(async {
        let folder = Folder::new();
        folder.write(&[two_sites(rest, rest, 50)]);
        folder.session().await;
        folder.control().world().reset_calls();
        assert!(folder.apply(Mode::Apply).await.success);
        folder.control().world().calls().values().sum()
    })
}

#[test]
fn leases_take_at_most_four_calls_a_place() {
    let without = calls("leases = \"none\"");
    let with = calls("");
    assert!(with > without, "a lease is called for");
    let places = 2;
    assert!(
        with <= without + 4 * places,
        "{with} calls, {without} without"
    );
}
