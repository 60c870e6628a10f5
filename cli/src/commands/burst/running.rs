//! The controller and its page, run by the command line.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use strat_burst::run::{Controller, NetHooks, Options, Round, run as rounds};
use strat_burst::serve::serve as serve_page;
use strat_burst::signals::{Measure, Prometheus, Secret, Signals, http_client};
use strat_burst::simulate::Trace;
use stratiform::model::burst::SignalKind;
use stratiform::provider::{Clock as _, TokioClock};
use stratiform::{EventSink, Stop, Workspace};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use super::rehearse::{From, Rehearse};
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
    let beyond = args.listen.is_some_and(|at| !at.ip().is_loopback());
    let (access, tls) = args.guards.read(beyond)?;
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
            told_where(context, &listener, tls.is_some());
            tokio::spawn(serve_page(listener, state.path().to_owned(), access, tls));
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
    let (access, tls) = args.guards.read(!args.listen.ip().is_loopback())?;
    let state = context.state(&args.topology.path);
    context.block_on(async {
        let listener = listen(args.listen).await?;
        told_where(context, &listener, tls.is_some());
        tokio::select! {
            () = serve_page(listener, state.path().to_owned(), access, tls) => {}
            () = interrupted() => {}
        }
        Ok(Exit::Done)
    })
}

/// Plays a burst over its own past.
pub(super) fn rehearse(args: &Rehearse, context: &Context) -> Result<Exit, Failure> {
    let workspace = context.load(&args.topology)?;
    let burst = args.play.chosen(&workspace.intent().bursts)?;
    let From::Prometheus = args.from;
    let measured = |means: &SignalKind| {
        matches!(
            means,
            SignalKind::Demand { .. } | SignalKind::Measured | SignalKind::Wait(_)
        )
    };
    let mut signals = burst.policy.signals.iter();
    let Some(signal) = signals.find(|signal| measured(&signal.means)) else {
        let what = format!(
            "burst.{} has no demand whose past could be played",
            burst.policy.name
        );
        return Err(Failure::new(what)
            .help("add a `demand`, or play a trace: `strat burst simulate --trace FILE`"));
    };
    let (signals, _) = signals_of(
        args.prometheus.as_deref(),
        args.prometheus_token_file.as_deref(),
    )?;
    let step_s = burst.policy.interval_s;
    let steps = u64::from(args.weeks) * 7 * 86_400 / step_s.max(1);
    let steps = usize::try_from(steps).unwrap_or(usize::MAX);
    let now = TokioClock::system().now();
    let past = context
        .block_on(async { Ok::<_, Failure>(signals.history(signal, step_s, steps, now).await) })?;
    let (past, why) = (past.values, past.why);
    let known = past.iter().filter(|value| value.is_some()).count();
    if known < 2 {
        let why = why.map(|why| format!(": {why}")).unwrap_or_default();
        let what = format!("nobody knows the past of `{}`{why}", signal.name);
        return Err(Failure::new(what).help(
            "name a Prometheus that has it: --prometheus URL; `--weeks` says how far back it is asked",
        ));
    }
    // What was before anybody measured is no part of it.
    let before = past.iter().take_while(|value| value.is_none()).count();
    let values = past[before..].iter();
    let values: Vec<f64> = values.map(|value| value.unwrap_or(f64::NAN)).collect();
    let length_s = i64::try_from(values.len() as u64 * step_s).unwrap_or(0);
    let trace = Trace {
        from: now - jiff::SignedDuration::from_secs(length_s),
        step_s,
        values,
    };
    if known < trace.values.len() {
        let unknown = trace.values.len() - known;
        let all = trace.values.len();
        let said =
            format!("{unknown} of {all} values are not known: they are played as missing.\n");
        context.output.note(&said);
    }
    args.play.play(context, burst, &trace, args.history)
}

fn controller(args: &Run, context: &Context) -> Result<Controller, Failure> {
    let path = args.topology.path.clone();
    let inputs = context.inputs(&path, &args.topology.vars)?;
    // Told once, with its place in the text.
    let workspace = context.load_with(&path, inputs.clone())?;
    drop(workspace);
    let (signals, hooks) = signals_of(
        args.prometheus.as_deref(),
        args.prometheus_token_file.as_deref(),
    )?;
    let options = Options {
        interval: args.interval,
        load: Box::new(move || Workspace::load(&path, inputs.clone(), providers::registry())),
        clock: Arc::new(TokioClock::system()),
        signals: Arc::new(signals) as Arc<dyn Measure>,
        hooks: Arc::new(hooks),
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

/// Who measures and who asks machines, by what was named and by the environment.
fn signals_of(
    url: Option<&str>,
    token_file: Option<&Path>,
) -> Result<(Signals, NetHooks), Failure> {
    let client = http_client().map_err(|why| Failure::new(format!("no HTTP client: {why}")))?;
    let url = url.map(str::to_owned);
    let url = url.or_else(environment::prometheus_url);
    let file = token_file.map(Path::to_owned);
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
    let hooks = NetHooks::new(client.clone());
    Ok((Signals::new(prometheus, client, tokens), hooks))
}

pub(super) fn secret(path: &Path) -> Result<Secret, Failure> {
    let what = || format!("the token in {} cannot be read", path.display());
    Secret::read(path).map_err(|error| Failure::new(what()).caused_by(&error))
}

async fn listen(at: std::net::SocketAddr) -> Result<TcpListener, Failure> {
    let what = || format!("nothing can be served at {at}");
    TcpListener::bind(at)
        .await
        .map_err(|error| Failure::new(what()).caused_by(&error))
}

fn told_where(context: &Context, listener: &TcpListener, secure: bool) {
    if let Ok(at) = listener.local_addr() {
        let scheme = if secure { "https" } else { "http" };
        context.output.note(&format!("Serves {scheme}://{at}/\n"));
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
