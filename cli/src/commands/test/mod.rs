//! `strat test`

mod report;
mod runs;
mod world;

use std::path::{Path, PathBuf};

use clap::Args;
use stratiform::topology::{LoadError, SourceFile, Sources, TEST_ENDING, TestFile};

use self::report::{FileReport, Report};
use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::policy::PolicyArgs;
use crate::render::diagnostics::diagnostics;

/// Run the tests of a topology: files beside it that end in `.test.hcl`.
///
/// Each file is a sequence of runs on one simulated world: a plan is made or applied, the world is
/// disturbed between two of them, and conditions over the plan, the outputs and what is there are looked
/// at. Every site is simulated, whatever its provider: no cloud is called, no credentials are needed, and
/// nothing is written beside the topology. Time is virtual, so that nobody waits for it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat test
  strat test shop --filter 'loses a machine'
  strat test --policy policies      # every plan is held against these, too
  strat test --json | jq '.files[].runs[] | select(.passed | not)'

Exit codes: 0 where every run passes, 1 where one fails or there is no test.")]
pub(crate) struct Test {
    #[command(flatten)]
    topology: TopologyArgs,

    #[command(flatten)]
    policy: PolicyArgs,

    /// Only runs whose name, or the name of whose file, has this in it; those before them in the same
    /// file are carried out too, since the world is theirs. May be given more than once.
    #[arg(long, value_name = "TEXT")]
    filter: Vec<String>,

    /// Write the result as JSON.
    #[arg(long)]
    json: bool,
}

impl Test {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let files = self.files(context)?;
        let policies = self.policy.read(context)?;
        let mut report = Report::default();
        for test in &files {
            let is_meant = |name: &str| {
                let of = |text: &String| name.contains(text) || test.file.name.contains(&**text);
                self.filter.is_empty() || self.filter.iter().any(of)
            };
            let Some(last) = test.runs.iter().rposition(|run| is_meant(&run.name)) else {
                continue;
            };
            let stage = runs::Stage::new(&self.topology, policies.clone(), test, context)?;
            let mut runs = stage.play(last)?;
            runs.retain(|run| is_meant(&run.name) || !run.passed);
            let file = FileReport {
                file: test.file.name.to_string(),
                runs,
            };
            if !self.json {
                file.tell(context)?;
            }
            report.add(file);
        }
        if report.is_empty() {
            return Err(Failure::new("no run has a name with that in it")
                .help("leave --filter out to see the names of all runs"));
        }
        if self.json {
            context.output.json(&report)?;
        } else {
            context.output.data(&report.tally())?;
        }
        Ok(match report.failed {
            0 => Exit::Done,
            _ => Exit::Failed,
        })
    }

    /// The files of tests beside the topology, read.
    fn files(&self, context: &Context) -> Result<Vec<TestFile>, Failure> {
        let path = &self.topology.path;
        if !path.exists() {
            // The tests beside it would all fail for this one reason.
            let path = path.clone();
            let missing = stratiform::Error::Load(LoadError::Missing { path });
            return Err(context.failure(&missing));
        }
        let paths = paths(path).map_err(|error| {
            Failure::new(format!("`{}` cannot be read", path.display())).caused_by(&error)
        })?;
        if paths.is_empty() {
            return Err(
                Failure::new(format!("there is no test beside `{}`", path.display())).help(
                    "write one: a file whose name ends in `.test.hcl`, as docs/testing.md shows",
                ),
            );
        }
        let mut files = Vec::new();
        let mut wrong = false;
        for path in paths {
            let file = SourceFile::read(&path);
            let file = file.map_err(|error| Failure::of(&error))?;
            let sources = Sources::from_files("", vec![file.clone()]);
            match TestFile::parse(file) {
                Ok(test) => files.push(test),
                Err(found) => {
                    wrong = true;
                    let text = diagnostics(&found, &sources, context.look());
                    context.output.note(&text);
                }
            }
        }
        match wrong {
            true => Err(
                Failure::new("a file of tests is wrong, so that none is run")
                    .help("correct what is told above"),
            ),
            false => Ok(files),
        }
    }
}

fn paths(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let beside = match path.is_dir() {
        true => path,
        false => path.parent().unwrap_or(Path::new("")),
    };
    let listed = match beside.as_os_str().is_empty() {
        true => Path::new("."),
        false => beside,
    };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(listed)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        if text.ends_with(TEST_ENDING) && !text.starts_with('.') {
            paths.push(match beside.as_os_str() == "." {
                true => PathBuf::from(&name),
                false => beside.join(&name),
            });
        }
    }
    paths.sort();
    Ok(paths)
}
