//! The policies that plans are held against.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use stratiform::policy::{Ruling, Verdict};
use stratiform::{Policies, Workspace};

use crate::context::Context;
use crate::environment;
use crate::failure::Failure;
use crate::render::diagnostics::diagnostics;

/// Which policies.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct PolicyArgs {
    /// Hold the plan against the policies (`.rego`) in this folder: what a rule `deny` says refuses it
    /// before the first call, what a rule `warn` says is told. May be given more than once, and is
    /// besides what STRAT_POLICY names.
    #[arg(long = "policy", value_name = "DIR")]
    policy: Vec<PathBuf>,
}

impl PolicyArgs {
    /// Reads the policies that the command line and the environment name; `None` where neither does.
    ///
    /// # Errors
    /// If a folder has none, or one is wrong.
    pub(crate) fn read(&self, context: &Context) -> Result<Option<Arc<dyn Policies>>, Failure> {
        let mut paths = environment::policies();
        paths.extend(self.policy.iter().cloned());
        if paths.is_empty() {
            return Ok(None);
        }
        read(&paths, context).map(Some)
    }
}

#[cfg(feature = "policy")]
fn read(paths: &[PathBuf], context: &Context) -> Result<Arc<dyn Policies>, Failure> {
    let policies = strat_policy::RegoPolicies::read(paths);
    let policies = policies.map_err(|error| context.failure(&stratiform::Error::Policy(error)))?;
    Ok(Arc::new(policies))
}

#[cfg(not(feature = "policy"))]
fn read(_: &[PathBuf], _: &Context) -> Result<Arc<dyn Policies>, Failure> {
    Err(Failure::new("this program was built without policies")
        .help("build it with the feature `policy`, or unset STRAT_POLICY and leave --policy out"))
}

/// Tells what policies warn of, but for what was told before.
pub(crate) fn tell_warnings(
    context: &Context,
    said: &[Verdict],
    before: &[Verdict],
    workspace: &Workspace,
) {
    let new = said.iter().filter(|one| !before.contains(one));
    let warnings = new.filter(|one| one.ruling == Ruling::Warn);
    let warnings: Vec<_> = warnings.map(|one| one.finding(workspace)).collect();
    if !warnings.is_empty() {
        let text = diagnostics(&warnings, workspace.sources(), context.look());
        context.output.note(&text);
    }
}
