//! Launches that EC2 accepts and that die before they run.

use std::collections::BTreeMap;

use strat_model::Kind;
use stratiform::{Mode, PlanOptions};

use crate::runs_out::{Shop, WEB, told};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn machines_that_die_for_want_of_capacity_are_made_elsewhere() {
    let shop = Shop::new("died").await;
    let (machine_type, zone) = shop.first_choice().await;
    let code = "Server.InsufficientInstanceCapacity";
    let message = "Server.InsufficientInstanceCapacity: Insufficient capacity to satisfy instance \
                   request";
    shop.moto.filter.let_die(2, code, message);
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "{outcome:#?}");
    let web = shop.web().await;
    assert_eq!(web.values().sum::<usize>(), WEB, "{web:?}");
    let first = ("aws".to_owned(), zone.clone(), machine_type.clone());
    assert_eq!(web[&first], WEB - 2, "those that live stay: {web:?}");
    let start = format!("2 of machines.web: aws {zone} had no {machine_type} ({code}); made at ");
    let told = told(&outcome);
    assert!(told.len() == 1 && told[0].starts_with(&start), "{told:?}");
    let book = shop.session().await.stock_book();
    assert_eq!(
        book.entries().count(),
        1,
        "it is known for an hour: {book:?}"
    );
    assert!(shop.run(Mode::Destroy).await.is_success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_other_place_makes_good_is_told_in_amazons_words_and_blamed_on_nobody() {
    let shop = Shop::new("key").await;
    let (code, message) = (
        "Client.InternalError",
        "Client.InternalError: Client error on launch",
    );
    shop.moto.filter.let_die(WEB, code, message);
    let outcome = shop.run(Mode::Apply).await;
    assert!(!outcome.is_success());
    assert_eq!(told(&outcome), [""; 0], "no other place has another key");
    let failures: Vec<String> = outcome.reports[0]
        .failures()
        .map(|(step, why)| format!("{}: {why}", step.addr))
        .collect();
    assert_eq!(failures.len(), 1, "{failures:?}");
    for part in [
        "did not stay: Client.InternalError: Client error on launch",
        "KMS key",
    ] {
        assert!(failures[0].contains(part), "{part}: {failures:?}");
    }
    let planned = shop.session().await.plan(&PlanOptions::default()).await;
    let plan = planned.expect("a plan").saved.plan;
    let machines = plan.changes.iter().filter(|one| one.kind == Kind::Machine);
    for change in machines {
        assert!(!change.reason.contains("behind"), "{}", change.reason);
    }
    let outcome = shop.run(Mode::Apply).await;
    assert!(outcome.is_success(), "once the key is mended: {outcome:#?}");
    let web: BTreeMap<_, _> = shop.web().await;
    assert_eq!(web.values().sum::<usize>(), WEB, "{web:?}");
    assert!(shop.run(Mode::Destroy).await.is_success());
}

/// A spot machine that AWS takes back is told as that, and not as deleted by somebody.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_amazon_takes_back_is_told_as_that_and_made_anew() {
    let shop = Shop::new("spot").await;
    assert!(shop.run(Mode::Apply).await.is_success());
    let seen = shop.session().await.observe().await.expect("observes");
    let mut machines = seen
        .inventory
        .resources()
        .filter(|(site, thing)| site.as_str() == "aws" && thing.kind() == Kind::Machine);
    let id = machines.next().expect("a machine").1.id.to_string();
    let ec2 = shop.moto.ec2().await;
    let call = ec2.terminate_instances().instance_ids(&id);
    call.send().await.expect("TerminateInstances");
    let (code, message) = (
        "Server.SpotInstanceTermination",
        "Server.SpotInstanceTermination: Spot instance termination",
    );
    shop.moto.filter.blame_amazon(&id, code, message);
    let plan = async || {
        let planned = shop.session().await.plan(&PlanOptions::default()).await;
        planned.expect("a plan").saved.plan
    };
    let planned = plan().await;
    let reasons: Vec<&str> = planned.drift().map(|one| one.reason.as_str()).collect();
    let told = format!("1 of {WEB} was ended by the cloud: {message}");
    assert_eq!(reasons, [told.as_str()], "{planned:#?}");
    assert!(shop.run(Mode::Apply).await.is_success());
    assert_eq!(shop.web().await.values().sum::<usize>(), WEB);
    assert!(plan().await.is_empty(), "and it is not told again");
    assert!(shop.run(Mode::Destroy).await.is_success());
}
