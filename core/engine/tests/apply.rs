//! Applies to the simulated world, from end to end.

mod common;

use common::{Bench, failures, name, plan, shop};
use strat_engine::*;
use strat_model::*;
use strat_planner::Mode;

#[tokio::test(start_paused = true)]
async fn apply_then_plan_is_empty_and_destroy_leaves_nothing() {
    for sites in [&["dc1"][..], &["east"], &["west"], &["dc1", "east", "west"]] {
        let bench = Bench::realistic();
        let intent = shop::shop(sites);
        let applied = bench.apply(&intent, Mode::Apply).await;
        assert!(
            applied.report.is_success(),
            "{sites:?} {}",
            failures(&applied.report)
        );
        bench.assert_converged(&intent, &format!("{sites:?}")).await;
        let destroyed = bench.apply(&intent, Mode::Destroy).await;
        assert!(
            destroyed.report.is_success(),
            "{sites:?} {}",
            failures(&destroyed.report)
        );
        bench.assert_empty(&format!("{sites:?}")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_create_that_would_go_above_a_budget_is_not_called() {
    let bench = Bench::realistic();
    let mut intent = shop::shop(&["east", "west"]);
    intent.budgets = vec![BudgetIntent {
        name: name("cap"),
        monthly: "1000000 USD".parse().expect("money"),
        sites: Default::default(),
        allow_unpriced: false,
        origin: None,
    }];
    let journal = Journal::in_memory();
    let lease = bench.guard().await;
    let seen = bench.observe(&intent.owner, &journal).await;
    let (_, plan_once) = plan(&intent, &seen, &journal, Mode::Apply);
    let cost = plan_once.cost.monthly_after.expect("a price");
    intent.budgets[0].monthly = Money::usd(cost);
    let (desired, agreed) = plan(&intent, &seen, &journal, Mode::Apply);
    assert_eq!(agreed.over_budget().count(), 0);
    // Since it was agreed to, everything became dearer.
    let mut dear = agreed.clone();
    for goal in dear.changes.iter_mut().flat_map(|change| &mut change.goals) {
        if let Some(price) = &mut std::sync::Arc::make_mut(goal).price_hour {
            price.amount += price.amount;
        }
    }
    let spending = Spending::of(&agreed);
    let report = bench
        .execute_within(&spending, (&desired, &dear), &seen, &journal, &lease)
        .await;
    let refused: Vec<_> = report.failures().collect();
    assert!(!refused.is_empty());
    for (_, error) in &refused {
        assert_eq!(error.kind(), ErrorKind::Precondition, "{error}");
        let text = error.to_string();
        assert!(text.contains("the budget `cap` permits"), "{text}");
    }
    // Twice as dear: at most half of them are there.
    let there = bench.observe(&intent.owner, &journal).await;
    let made = there.inventory.resources();
    let made = made.filter(|(_, r)| r.kind() == Kind::Machine).count();
    let all: u32 = intent.machines.iter().map(|machine| machine.count).sum();
    assert!(made > 0 && made * 2 <= all as usize, "{made} of {all}");
}
