//! Applies to the simulated world, from end to end.

mod common;

use common::{Bench, failures, name, plan, shop};
use strat_engine::*;
use strat_model::*;
use strat_planner::Mode;
use strat_provider::{Filter, ProviderExt as _};

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

/// A cost tool or a controller puts a label on what is there: it is no difference, and it outlives
/// every change of the topology's own labels.
#[tokio::test(start_paused = true)]
async fn labels_of_others_outlive_every_change() {
    for site in ["dc1", "east", "west"] {
        let bench = Bench::realistic();
        let mut intent = shop::shop(&[site]);
        let own = |pairs: &[(&str, &str)]| -> Labels {
            let pairs = pairs.iter();
            pairs
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect()
        };
        intent.machines[0].common.labels = own(&[("team", "shop"), ("tier", "db")]);
        let applied = bench.apply(&intent, Mode::Apply).await;
        assert!(applied.report.is_success(), "{}", failures(&applied.report));

        let place = common::addr(&format!("machine.db@{site}"));
        let provider = &bench.sites[&name(site)];
        let ours = Filter::Owner(intent.owner.clone());
        let found = provider.list_all(Kind::Machine, &ours).await;
        let is_db = |one: &&Resource| one.mark.as_ref().is_some_and(|m| m.addr == place);
        let db = found
            .expect("lists")
            .iter()
            .find(is_db)
            .expect("db")
            .clone();
        let (mut spec, mark) = (db.spec.clone(), db.mark.clone().expect("a mark"));
        spec.labels_mut()
            .insert("CostCenter".to_owned(), "7".to_owned());
        let fields = [Field::Labels].into();
        let update = provider.update(&db.id, &spec, &fields, &mark);
        update.await.expect("somebody else may label it");
        bench.assert_converged(&intent, site).await;

        intent.machines[0].common.labels = own(&[("team", "bank")]);
        let applied = bench.apply(&intent, Mode::Apply).await;
        assert!(applied.report.is_success(), "{}", failures(&applied.report));
        let now = provider.get_all(Kind::Machine, std::slice::from_ref(&db.id));
        let now = now.await.expect("reads").remove(0);
        let wanted = own(&[("team", "bank"), ("CostCenter", "7")]);
        assert_eq!(now.spec.labels(), &wanted, "{site}");
        bench.assert_converged(&intent, site).await;
    }
}
