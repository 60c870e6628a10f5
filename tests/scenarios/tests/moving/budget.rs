//! What a budget forbids, at planning and while machines are made.

use strat_scenarios::Folder;
use stratiform::model::Spec;
use stratiform::{ApplyOptions, Error, Mode, PlanOptions, RunOptions};

use super::common::*;

const EAST: &str = "  placement {\n    sites = [site.east]\n    zone  = \"us-east-1a\"\n  }";

/// A topology with one fleet of `count`, and a budget of so much a month for its machines at the
/// price that one has, in percent.
async fn folder(count: u32, percent: u32) -> Folder {
    let folder = Folder::new();
    folder.write(&[shop(count, EAST)]);
    let cost = folder.plan(Mode::Apply).await.cost;
    let all = cost.monthly_after.expect("a price");
    let most = all * rust_decimal::Decimal::from(percent) / rust_decimal::Decimal::ONE_HUNDRED;
    let budget = format!("budget \"cap\" {{\n  monthly = \"{most} USD\"\n}}\n");
    folder.write(&[shop(count, EAST), budget]);
    folder
}

#[test]
fn a_plan_above_the_budget_is_refused_before_the_first_call() {
    run(async {
        let folder = folder(4, 99).await;
        let session = folder.session().await;
        let run = session
            .begin(&RunOptions::new("apply"))
            .await
            .expect("begun");
        let planned = run.plan(&PlanOptions::default()).await.expect("a plan");
        let refused = run.apply(&planned, &ApplyOptions::default()).await;
        run.end().await.expect("ended");
        let Err(Error::OverBudget { budgets }) = &refused else {
            panic!("{refused:?}")
        };
        assert!(budgets[0].starts_with("`cap` permits "), "{budgets:?}");
        assert_eq!(counts(&folder), [0, 0]);
    });
}

#[test]
fn what_is_planned_again_keeps_to_the_budget() {
    run(async {
        let folder = folder(4, 100).await;
        let plan = folder.plan(Mode::Apply).await;
        let machines = plan.changes.iter().flat_map(|change| &change.goals);
        let cheapest = machines.clone().find_map(|goal| match &goal.spec {
            Spec::Machine(spec) => Some(spec.machine_type.clone()),
            _ => None,
        });
        // Two are there at the price that was agreed to; the next type is dearer.
        leave(&folder, "east", (cheapest.as_deref(), None), Some(2));
        let (_, outcome) = folder.outcome(&PlanOptions::default()).await;
        assert!(!outcome.is_success());
        let stuck = outcome.stuck.as_ref().map(ToString::to_string);
        let stuck = stuck.unwrap_or_default();
        assert!(
            stuck.starts_with("the plan is over budget: `cap` permits "),
            "{stuck}"
        );
        assert_eq!(counts(&folder), [2, 0]);
    });
}
