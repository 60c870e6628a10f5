//! `strat history`

use clap::Args;
use serde_json::json;
use stratiform::engine::{Journal, RunRecord};

use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::table::table;

/// Show the latest runs on this topology from this folder, newest first.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat history
  strat history shop --json")]
pub(crate) struct History {
    /// The topology: a file, or a folder of files.
    #[arg(default_value = ".", value_name = "PATH")]
    path: std::path::PathBuf,

    /// Write the runs as JSON.
    #[arg(long)]
    json: bool,
}

impl History {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        if let Err(error) = std::fs::metadata(&self.path) {
            let path = self.path.display();
            return Err(Failure::new(format!("`{path}` cannot be read"))
                .caused_by(&error)
                .help("name the topology's file or folder: `strat history PATH`"));
        }
        let state = context.state(&self.path);
        let journal = Journal::open(state.path()).map_err(|error| Failure::told(error.view()))?;
        let mut runs = journal.runs();
        runs.reverse();
        if self.json {
            let runs: Vec<_> = runs.iter().map(run_json).collect();
            context.output.json(&json!({ "runs": runs }))?;
            return Ok(Exit::Done);
        }
        if runs.is_empty() {
            context.output.note("No runs yet.\n");
            return Ok(Exit::Done);
        }
        let headings = [
            "started", "topology", "command", "by", "ended", "steps", "plan",
        ];
        context
            .output
            .data(&table(&headings, runs.iter().map(row), None))?;
        Ok(Exit::Done)
    }
}

fn row(run: &RunRecord) -> Vec<String> {
    let (ended, steps) = match &run.finished {
        None => ("not yet, or killed".to_owned(), String::new()),
        Some((_, counts)) => {
            let how = match (run.interrupted, counts.failed) {
                (true, _) => "stopped",
                (false, 0) => "done",
                (false, _) => "with failures",
            };
            let steps = format!(
                "{} done, {} failed, {} skipped",
                counts.done, counts.failed, counts.skipped
            );
            (how.to_owned(), steps)
        }
    };
    vec![
        format!("{:.0}", run.started),
        run.owner.named().to_string(),
        run.command.clone(),
        run.holder.clone(),
        ended,
        steps,
        run.plan.clone(),
    ]
}

fn run_json(run: &RunRecord) -> serde_json::Value {
    json!({
        "plan": run.plan,
        "topology": run.owner.to_string(),
        "command": run.command,
        "holder": run.holder,
        "started": run.started,
        "finished": run.finished.map(|(at, _)| at),
        "counts": run.finished.map(|(_, counts)| counts),
        "interrupted": run.interrupted,
    })
}
