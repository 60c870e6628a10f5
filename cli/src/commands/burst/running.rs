//! The controller and its page, run by the command line.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use strat_burst::run::{Controller, NetHooks, Options, Round, run as rounds};
use strat_burst::serve::{Access, serve as serve_page};
use strat_burst::signals::{Measure, Prometheus, Secret, Signals, http_client};
use stratiform::provider::TokioClock;
use stratiform::{EventSink, Stop, Workspace};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::run::Run;
use super::serve::Serve;
use crate::context::{Context, Exit};
use crate::environment;
use crate::failure::Failure;
use crate::providers;
use crate::render;
use crate::watch::{interrupted, reload_asked};

/// Runs the controller until it is stopped, or once.
pub(super) fn run(args: &Run, context: &Context) -> Result<Exit, Failure> {
    let mut controller = controller(args, context)?;
    let access = access(
        args.listen.is_some_and(|at| !at.ip().is_loopback()),
        args.token_file.as_deref(),
    )?;
    context.block_on(async {
        let stop = Stop::new();
        let now = Arc::new(Notify::new());
        if args.once {
            let round = controller.round(&stop).await;
            tell(context, args.json, &round)?;
            controller.end().await;
            let whole = round.leading && round.problems.is_empty();
            return Ok(if whole { Exit::Done } else { Exit::Failed });
        }
        if let Some(at) = args.listen {
            let state = controller.workspace().state();
            let listener = listen(at).await?;
            told_where(context, &listener);
            tokio::spawn(serve_page(listener, state.path().to_owned(), access));
        }
        let signals = async {
            interrupted().await;
            context.output.note("Ends after the run in hand.\n");
            stop.request();
            interrupted().await;
            stop.request();
            std::future::pending::<()>().await;
        };
        let reload = async {
            loop {
                reload_asked().await;
                now.notify_one();
            }
        };
        let mut failed = None;
        tokio::select! {
            () = rounds(&mut controller, &stop, &now, |round| {
                failed = tell(context, args.json, round).err();
            }) => {}
            () = signals => {}
            () = reload => {}
        }
        match failed {
            None => Ok(Exit::Done),
            Some(failure) => Err(failure),
        }
    })
}

/// Serves the page.
pub(super) fn serve(args: &Serve, context: &Context) -> Result<Exit, Failure> {
    let access = access(!args.listen.ip().is_loopback(), args.token_file.as_deref())?;
    let state = context.state(&args.topology.path);
    context.block_on(async {
        let listener = listen(args.listen).await?;
        told_where(context, &listener);
        tokio::select! {
            () = serve_page(listener, state.path().to_owned(), access) => {}
            () = interrupted() => {}
        }
        Ok(Exit::Done)
    })
}

fn controller(args: &Run, context: &Context) -> Result<Controller, Failure> {
    let path = args.topology.path.clone();
    let inputs = context.inputs(&path, &args.topology.vars)?;
    // Told once, with its place in the text.
    let workspace = context.load_with(&path, inputs.clone())?;
    drop(workspace);
    let client = http_client().map_err(|why| Failure::new(format!("no HTTP client: {why}")))?;
    let url = args.prometheus.clone().or_else(environment::prometheus_url);
    let file = args.prometheus_token_file.clone();
    let file = file.or_else(environment::prometheus_token_file);
    let token = file.as_deref().map(secret).transpose()?;
    let prometheus = url.map(|url| Prometheus::new(&client, &url, token.as_ref()));
    let prometheus = prometheus
        .transpose()
        .map_err(|error| Failure::of(&error))?;
    let mut tokens = BTreeMap::new();
    for (name, file) in environment::signal_token_files() {
        tokens.insert(name, secret(&file)?);
    }
    let signals = Signals::new(prometheus, client.clone(), tokens);
    let options = Options {
        interval: args.interval,
        load: Box::new(move || Workspace::load(&path, inputs.clone(), providers::registry())),
        clock: Arc::new(TokioClock::system()),
        signals: Arc::new(signals) as Arc<dyn Measure>,
        hooks: Arc::new(NetHooks::new(client)),
        health: None,
        events: EventSink::none(),
        observers: context.observers(),
        holder: None,
    };
    Controller::new(options).map_err(|error| match error {
        strat_burst::run::RunError::Library(error) => context.failure(&error),
        other => {
            Failure::of(&other).help("write a `burst` block: docs/burst.md has one of five lines")
        }
    })
}

fn secret(path: &Path) -> Result<Secret, Failure> {
    let what = || format!("the token in {} cannot be read", path.display());
    Secret::read(path).map_err(|error| Failure::new(what()).caused_by(&error))
}

fn access(beyond: bool, token_file: Option<&Path>) -> Result<Access, Failure> {
    match token_file {
        Some(path) => Ok(Access::Token(secret(path)?)),
        None if beyond => Err(Failure::new(
            "beyond this machine nothing is served without a token",
        )
        .help("write one into a file, and name it: --token-file FILE")),
        None => Ok(Access::Anyone),
    }
}

async fn listen(at: std::net::SocketAddr) -> Result<TcpListener, Failure> {
    let what = || format!("nothing can be served at {at}");
    TcpListener::bind(at)
        .await
        .map_err(|error| Failure::new(what()).caused_by(&error))
}

fn told_where(context: &Context, listener: &TcpListener) {
    if let Ok(at) = listener.local_addr() {
        context.output.note(&format!("Serves http://{at}/\n"));
    }
}

/// Tells of a round: a line of JSON on stdout, or text on stderr.
fn tell(context: &Context, json: bool, round: &Round) -> Result<(), Failure> {
    if json {
        let decided: Vec<_> = round
            .decided
            .iter()
            .map(|(record, done)| {
                let mut value = serde_json::to_value(&record.decision).unwrap_or_default();
                value["id"] = json!(record.id);
                value["inputs_digest"] = json!(record.inputs_digest);
                value["done"] = json!(done);
                value
            })
            .collect();
        let line = json!({
            "at": round.at,
            "leading": round.leading,
            "reloaded": round.reloaded,
            "decided": decided,
            "problems": round.problems,
        });
        return context.output.data(&format!("{line}\n"));
    }
    context.output.note(&render::burst::round(round));
    Ok(())
}
