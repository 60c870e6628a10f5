//! A program with a provider of its own: a "cloud" whose buckets are folders.
//!
//! `cargo run -p embed --bin custom_provider -- buckets.hcl`
#![expect(clippy::print_stdout, reason = "this program's answer")]

mod provider;

use std::error::Error;
use std::path::PathBuf;

use stratiform::provider::Registry;
use stratiform::{ApplyOptions, Inputs, PlanOptions, RunOptions, Session, Workspace};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(std::env::args().nth(1).unwrap_or_else(|| ".".to_owned()));
    let registry = Registry::new().with(provider::Folders);
    let workspace = Workspace::load(&path, Inputs::default(), registry)?;
    let session = Session::connect(workspace).await?;
    let run = session.begin(&RunOptions::new("custom_provider")).await?;
    let planned = run.plan(&PlanOptions::default()).await?;
    let outcome = run.apply(&planned, &ApplyOptions::default()).await;
    run.end().await?;
    let outcome = outcome?;
    println!("{} changes", planned.saved.plan.changes.len());
    for (site, resource) in outcome.observation.inventory.resources() {
        println!("{site}: {} {}", resource.kind(), resource.id);
    }
    if outcome.is_success() {
        Ok(())
    } else {
        Err("not everything was applied".into())
    }
}
