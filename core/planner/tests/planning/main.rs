//! What the planner says of a small world, and of one that was tampered with.

#[path = "../common/mod.rs"]
mod common;

mod addresses;
mod bursts;
mod changing;
mod choosing;
mod consent;
mod depending;
mod drift;
mod gpus;
mod growing;
mod least;
mod matrix;
mod others;
mod placing;
mod reach;
mod reach_laws;
mod refusing;
mod resizing;
mod room;
mod scales;
mod setup;
mod spending;
mod spot;
mod stock;
mod telling;
mod unseen;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use common::*;
use ipnet::Ipv4Net;
use strat_model::*;
use strat_planner::*;

fn plan_of(intent: &Intent, inventory: &Inventory) -> Plan {
    plan_with(intent, inventory, None, &DiffOptions::default())
}

fn plan_with(
    intent: &Intent,
    inventory: &Inventory,
    applied: Option<&Applied>,
    options: &DiffOptions,
) -> Plan {
    let desired = placed(intent, inventory);
    let plan = diff(&desired, inventory, &facts(), applied, options);
    check_graph(&plan, inventory);
    plan
}

/// Every plan must lower to steps that can be run in some order, each after what it refers to.
fn check_graph(plan: &Plan, inventory: &Inventory) {
    let graph = lower(plan, inventory, &facts());
    assert!(
        graph.steps.iter().all(|step| step.height > 0),
        "a circle among the steps: {graph:#?}"
    );
}

fn lines(plan: &Plan) -> Vec<String> {
    let line = |change: &Change| {
        format!(
            "{} {} x{}",
            change.action.as_str(),
            change.addr,
            change.count
        )
    };
    plan.changes.iter().map(line).collect()
}
