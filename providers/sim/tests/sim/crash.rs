//! A process that is killed loses nothing that was answered, and two at once see one cloud.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use strat_model::Kind;
use strat_provider::{Filter, ProviderExt, TokioClock};
use strat_sim::{Profile, World};

use crate::common::{make, network, site};

const FOLDER: &str = "STRAT_SIM_TEST_WORLD";
const WORD: &str = "STRAT_SIM_TEST_WORD";

fn writer(folder: &Path, word: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "crash::writes_until_it_is_killed", "--nocapture"])
        .env(FOLDER, folder)
        .env(WORD, word)
        .stdout(Stdio::piped())
        .spawn()
        .expect("a process")
}

/// The networks that a process was told it made, as far as it got.
fn answered(child: &mut Child, count: usize) -> BTreeSet<String> {
    let output = BufReader::new(child.stdout.as_mut().expect("its output"));
    let lines = output.lines().map_while(Result::ok);
    let made = lines.filter_map(|line| line.strip_prefix("made ").map(str::to_owned));
    made.take(count).collect()
}

#[tokio::test]
async fn two_killed_processes_leave_a_whole_world() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut told = BTreeSet::new();
    for round in 0..3 {
        let mut one = writer(folder.path(), &format!("one{round}"));
        let mut two = writer(folder.path(), &format!("two{round}"));
        told.extend(answered(&mut one, 40));
        told.extend(answered(&mut two, 40));
        for child in [&mut one, &mut two] {
            child.kill().expect("killed");
            child.wait().expect("dead");
        }
    }
    assert_eq!(told.len(), 240);
    let world = World::open(folder.path(), 1, Arc::new(TokioClock::system())).expect("a world");
    let here = world.connect(site(Profile::Aws)).expect("a site");
    let things = here
        .list_all(Kind::Network, &Filter::All)
        .await
        .expect("a list");
    let names: BTreeSet<_> = things.iter().map(|thing| thing.name.clone()).collect();
    assert_eq!(names.len(), things.len(), "each once");
    assert!(told.is_subset(&names), "nothing that was answered is lost");
}

/// What the test above starts and kills; it does nothing unless told where.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "its parent tells it where the world is"
)]
async fn writes_until_it_is_killed() {
    let (Ok(folder), Ok(word)) = (std::env::var(FOLDER), std::env::var(WORD)) else {
        return;
    };
    let clock = Arc::new(TokioClock::system());
    let world = World::open(Path::new(&folder), 1, clock).expect("a world");
    let here = world.connect(site(Profile::Aws)).expect("a site");
    let mut output = std::io::stdout();
    for n in 0..100_000 {
        let made = make(&*here, network(), &format!("{word}-{n}")).await;
        writeln!(output, "\nmade {}", made.name).expect("told");
    }
}
