//! What is wrong with a topology, found in a thread of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, unbounded};
use stratiform::model::Diagnostic;
use stratiform::topology::{Overlay, SourceFile};
use stratiform::{Inputs, Workspace};

use crate::Settings;
use crate::topologies::View;

/// A topology to examine.
pub(crate) struct Job {
    pub(crate) root: PathBuf,
    pub(crate) overlay: Overlay,
    /// The files that are open.
    pub(crate) open: Vec<PathBuf>,
}

/// What was found.
pub(crate) struct Examined {
    pub(crate) root: PathBuf,
    /// `None` where examining it failed, which `failure` tells of.
    pub(crate) view: Option<Arc<View>>,
    pub(crate) findings: Vec<Diagnostic>,
    /// The topology as far as it could be evaluated; `None` where it could not be parsed.
    pub(crate) workspace: Option<Box<Workspace>>,
    /// Why nothing, or not all, can be said.
    pub(crate) failure: Option<String>,
}

/// Starts the thread that examines one topology after the other. It ends when nobody asks any more.
pub(crate) fn start(settings: Arc<Settings>) -> (Sender<Job>, Receiver<Examined>) {
    let (jobs, todo) = unbounded::<Job>();
    let (done, results) = unbounded();
    std::thread::spawn(move || {
        for job in todo {
            let root = job.root.clone();
            // A mistake of ours costs this one answer, not the session.
            let examined = catch_unwind(AssertUnwindSafe(|| examine(&settings, job)));
            let examined = examined.unwrap_or_else(|_| Examined {
                failure: Some(format!("examining `{}` failed", root.display())),
                root,
                view: None,
                findings: Vec::new(),
                workspace: None,
            });
            if done.send(examined).is_err() {
                return;
            }
        }
    });
    (jobs, results)
}

fn examine(settings: &Settings, job: Job) -> Examined {
    let Job {
        root,
        overlay,
        open,
    } = job;
    let view = View::load(&root, settings.env.as_ref(), &overlay, &open);
    let mut failure = None;
    let inputs = inputs(settings, &view, &mut failure);
    let (workspace, mut findings) = match run(&view, inputs, settings) {
        Ok((workspace, findings)) => (Some(Box::new(workspace)), findings),
        Err(Ok(findings)) => (None, findings),
        Err(Err(why)) => {
            failure = Some(why);
            (None, Vec::new())
        }
    };
    if view.is_module() {
        // Its variables are given where it is used, and so is whose it is.
        let of_whole = ["missing_topology", "missing_variable"];
        findings.retain(|finding| !of_whole.contains(&&*finding.code));
    }
    Examined {
        root,
        view: Some(Arc::new(view)),
        findings,
        workspace,
        failure,
    }
}

/// Examines a topology: all findings, or why there can be none.
fn run(
    view: &View,
    inputs: Inputs,
    settings: &Settings,
) -> Result<(Workspace, Vec<Diagnostic>), Result<Vec<Diagnostic>, String>> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| Err(format!("no runtime could be started: {error}")))?;
    let registry = settings.registry.clone();
    let examine = Workspace::examine(&view.root, &view.sources, inputs, registry);
    runtime.block_on(examine).map_err(|error| {
        let findings = error.findings().map(|(findings, _)| findings);
        findings.ok_or_else(|| error.to_string())
    })
}

/// The values of variables: the environment, the files beside the topology, those that are named, and the
/// single ones; later ones win.
pub(crate) fn inputs(settings: &Settings, view: &View, failure: &mut Option<String>) -> Inputs {
    let mut var_files = view.values.clone();
    for path in &settings.var_files {
        match SourceFile::read(path) {
            Ok(file) => var_files.push(file),
            Err(error) => *failure = Some(error.to_string()),
        }
    }
    let mut inputs = Inputs {
        vars: settings.environment.clone(),
        var_files,
        env: settings.env.clone(),
    };
    let given = inputs.given_in_files();
    inputs.vars.retain(|name, _| !given.contains(name));
    inputs.vars.extend(settings.vars.clone());
    // Several topologies may be open, and not each has all of the variables.
    let known = |name: &str| {
        let mut all = view.names.named(&view.root, "var");
        all.any(|one| &*one.name == name)
    };
    inputs.vars.retain(|name, _| known(name));
    inputs
}
