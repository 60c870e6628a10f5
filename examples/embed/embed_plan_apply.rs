//! Plans and applies a topology from a program of your own.
//!
//! `cargo run -p embed --bin embed_plan_apply -- examples/hybrid-shop`
#![expect(clippy::print_stdout, reason = "this program's answer")]

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use strat_sim::SimFactory;
use stratiform::provider::{Registry, TokioClock};
use stratiform::{
    ApplyOptions, Event, EventSink, Inputs, PlanOptions, RunOptions, Session, Workspace,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let inputs = Inputs {
        vars: [("env".to_owned(), "embedded".to_owned())].into(),
        ..Inputs::default()
    };

    // Reading and checking calls no cloud.
    let workspace = Workspace::load(&path, inputs, Registry::new().with(SimFactory::new()))?;

    // Events come as a stream, or through a callback as here.
    let events = EventSink::callback(|event| {
        if let Event::StepFinished {
            addr, operation, ..
        } = event
        {
            println!("{operation} {addr}");
        }
    });
    let clock = Arc::new(TokioClock::system());
    let session = Session::connect_with(workspace, events, clock).await?;

    // A run holds the lease: nobody else changes this topology's things meanwhile.
    let run = session.begin(&RunOptions::new("embed_plan_apply")).await?;
    let planned = run.plan(&PlanOptions::default()).await?;
    let summary = planned.saved.plan.summary;
    println!(
        "{} to create, {} to update, {} to delete",
        summary.create, summary.update, summary.delete
    );
    let outcome = run.apply(&planned, &ApplyOptions::default()).await;
    run.end().await?;

    let outcome = outcome?;
    for report in &outcome.reports {
        for (step, error) in report.failures() {
            println!("failed: {}: {error}", step.addr);
        }
    }
    let outputs = session
        .workspace()
        .evaluated()
        .outputs(&outcome.observation.inventory);
    for (name, output) in outputs {
        println!("{name} = {}", output.value.unwrap_or_default());
    }
    if outcome.is_success() {
        Ok(())
    } else {
        Err("not everything was applied".into())
    }
}
