//! Applies to the simulated world, from end to end.

mod common;

use common::{Bench, failures, name, plan, shop};
use strat_engine::*;
use strat_model::*;
use strat_planner::Mode;
use strat_provider::{Filter, ProviderExt as _};
use strat_sim::Disturbance;

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

fn sized(intent: &mut Intent, cpu: u32) {
    intent.machines[0].size = Size::AtLeast {
        cpu,
        memory: Bytes::gib(u64::from(cpu) * 2),
    };
}

/// The machine of the database at a site, read now.
async fn db(bench: &Bench, site: &str) -> Resource {
    let provider = &bench.sites[&name(site)];
    let found = provider.list_all(Kind::Machine, &Filter::All).await;
    let place = common::addr(&format!("machine.db@{site}"));
    let is_db = |one: &&Resource| one.mark.as_ref().is_some_and(|m| m.addr == place);
    found
        .expect("lists")
        .iter()
        .find(is_db)
        .expect("db")
        .clone()
}

#[tokio::test(start_paused = true)]
async fn a_machine_becomes_another_size_and_stays_the_same_machine() {
    for site in ["dc1", "east", "west"] {
        let bench = Bench::realistic();
        let mut intent = shop::shop(&[site]);
        let applied = bench.apply(&intent, Mode::Apply).await;
        assert!(applied.report.is_success(), "{}", failures(&applied.report));
        bench.assert_converged(&intent, site).await;
        let before = db(&bench, site).await;

        sized(&mut intent, 4);
        let applied = bench.apply(&intent, Mode::Apply).await;
        assert!(applied.report.is_success(), "{}", failures(&applied.report));
        assert_eq!(applied.plan.stops().count(), 1, "{site}");
        assert!(applied.plan.data_loss.is_empty(), "{site}");
        bench.assert_converged(&intent, site).await;
        let after = db(&bench, site).await;
        assert_eq!((&after.id, after.state), (&before.id, ResourceState::Ready));
        assert_eq!(
            after.attributes.get("private_ip"),
            before.attributes.get("private_ip")
        );
        let takes = applied
            .plan
            .stops()
            .filter_map(|change| change.transition.as_ref());
        let is_told = takes
            .flat_map(|takes| &takes.loses)
            .any(|loss| *loss == Loss::DynamicAddress);
        let public = |machine: &Resource| machine.attributes.get("public_ip").cloned();
        assert_eq!(public(&after) != public(&before), is_told, "{site}");
        let Spec::Machine(spec) = &after.spec else {
            panic!("a machine");
        };
        assert!(spec.cpu >= 4, "{site}: {spec:?}");
    }
}

/// The cloud has none of the new type: the machine runs again as it was, and the next apply, once there
/// are some, goes on.
#[tokio::test(start_paused = true)]
async fn a_machine_whose_new_type_is_not_to_be_had_runs_again_as_it_was() {
    let bench = Bench::realistic();
    let mut intent = shop::shop(&["east"]);
    let applied = bench.apply(&intent, Mode::Apply).await;
    assert!(applied.report.is_success(), "{}", failures(&applied.report));
    bench.assert_converged(&intent, "before").await;
    let before = db(&bench, "east").await;

    sized(&mut intent, 4);
    let (_, plan, _) = bench.plan(&intent, Mode::Apply).await;
    let resized = plan.stops().next().expect("it is stopped for it");
    let Spec::Machine(goal) = &resized.goals[0].spec else {
        panic!("a machine");
    };
    let stock = |left| Disturbance::SetStock {
        machine_type: Some(goal.machine_type.clone()),
        zone: None,
        capacity: None,
        left,
    };
    let (control, region) = (bench.control(), bench.region("east"));
    control.disturb(&region, &stock(Some(0))).expect("disturbs");
    let applied = bench.apply(&intent, Mode::Apply).await;
    let failed: Vec<_> = applied.report.failures().collect();
    assert_eq!(failed.len(), 1, "{}", failures(&applied.report));
    let (step, error) = failed[0];
    assert_eq!(error.kind(), ErrorKind::Capacity);
    let said = error.to_string();
    assert!(
        said.contains("it runs again as it was before, as"),
        "{said}"
    );
    let offer = step.offer.as_ref().map(|offer| offer.machine_type.as_str());
    assert_eq!(
        offer,
        Some(goal.machine_type.as_str()),
        "the next plan avoids it"
    );
    let now = db(&bench, "east").await;
    assert_eq!((&now.id, now.state), (&before.id, ResourceState::Ready));
    assert_eq!((&now.spec, &now.mark), (&before.spec, &before.mark));

    control.disturb(&region, &stock(None)).expect("disturbs");
    let applied = bench.apply(&intent, Mode::Apply).await;
    assert!(applied.report.is_success(), "{}", failures(&applied.report));
    bench.assert_converged(&intent, "after").await;
    assert_eq!(db(&bench, "east").await.id, before.id);
}
