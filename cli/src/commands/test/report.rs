//! What became of tests, for people and as JSON.

use serde::Serialize;
use stratiform::answer::Finding;
use stratiform::model::{Diagnostic, ErrorView};
use stratiform::topology::Sources;

use crate::context::Context;
use crate::failure::Failure;
use crate::render;
use crate::render::diagnostics::{diagnostics, told};
use crate::render::style::{CREATE, DELETE, DIM, paint};
use crate::render::wrap::count;

/// What became of all tests.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    /// How many runs passed.
    pub(super) passed: usize,
    /// How many failed.
    pub(super) failed: usize,
    /// How many were left out, because one before them failed.
    pub(super) skipped: usize,
    files: Vec<FileReport>,
}

/// What became of the runs of one file.
#[derive(Debug, Serialize)]
pub(super) struct FileReport {
    pub(super) file: String,
    pub(super) runs: Vec<RunReport>,
}

/// What became of one run.
#[derive(Debug, Serialize)]
pub(super) struct RunReport {
    pub(super) name: String,
    /// `plan` or `apply`.
    pub(super) command: &'static str,
    pub(super) passed: bool,
    /// Whether it was left out, because one before it failed.
    pub(super) skipped: bool,
    /// What does not hold, and what is wrong.
    pub(super) findings: Vec<Finding>,
    /// Why it could not be carried out.
    pub(super) error: Option<Box<ErrorView>>,
    /// The same findings, with the text that they are about.
    #[serde(skip)]
    pub(super) shown: Vec<(Vec<Diagnostic>, Sources)>,
}

impl RunReport {
    /// Adds findings; the run has failed then.
    pub(super) fn found(&mut self, list: Vec<Diagnostic>, sources: &Sources) {
        self.passed = false;
        self.findings
            .extend(list.iter().map(|finding| told(finding, sources)));
        self.shown.push((list, sources.clone()));
    }
}

impl FileReport {
    /// Tells a line for each run, and below it what is wrong.
    ///
    /// # Errors
    /// If stdout cannot be written.
    pub(super) fn tell(&self, context: &Context) -> Result<(), Failure> {
        context.output.data(&format!("{}\n", self.file))?;
        for run in &self.runs {
            let sign = match (run.passed, run.skipped) {
                (_, true) => paint(DIM, "skip"),
                (true, _) => paint(CREATE, "pass"),
                (false, _) => paint(DELETE.bold(), "FAIL"),
            };
            let command = paint(DIM, format!("({})", run.command));
            context
                .output
                .data(&format!("  {sign}  {} {command}\n", run.name))?;
            for (list, sources) in &run.shown {
                context
                    .output
                    .note(&diagnostics(list, sources, context.look()));
            }
            if let Some(error) = &run.error {
                let failure = Failure::told((**error).clone());
                let width = context.output.stderr_width();
                context
                    .output
                    .note(&render::failure::failure(&failure, width));
            }
        }
        Ok(())
    }
}

impl Report {
    /// Takes what became of one file.
    pub(super) fn add(&mut self, file: FileReport) {
        for run in &file.runs {
            match (run.skipped, run.passed) {
                (true, _) => self.skipped += 1,
                (false, true) => self.passed += 1,
                (false, false) => self.failed += 1,
            }
        }
        self.files.push(file);
    }

    /// Whether nothing was run.
    pub(super) const fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// `7 runs passed, 1 failed, 2 skipped.`
    pub(super) fn tally(&self) -> String {
        let mut text = format!(
            "{} passed, {} failed",
            count(self.passed, "run"),
            self.failed
        );
        if self.skipped > 0 {
            text.push_str(&format!(", {} skipped", self.skipped));
        }
        text + ".\n"
    }
}
