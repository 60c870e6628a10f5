//! Repeating a call makes nothing twice and breaks nothing.

use strat_model::{ErrorKind, Idempotency, Kind, Spec};
use strat_provider::{Filter, ProviderExt};

use super::reading::stranger;
use super::{bench, passed_over};
use crate::bench::{done, refused};
use crate::specs::labels;
use crate::{Harness, Outcome};

/// The same create again answers with what the first one made, for every kind.
pub async fn a_repeated_create_makes_nothing_new(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let spec = bench.spec(kind).await;
        let first = done(bench.try_create(&spec, "twice").await, "creating");
        let second = done(bench.try_create(&spec, "twice").await, "creating again");
        assert_eq!(first.id, second.id, "{kind}: the same thing");
        bench.ready(kind, &first.id).await;
        let third = done(bench.try_create(&spec, "twice").await, "creating once more");
        assert_eq!(
            (&first.id, &first.mark),
            (&third.id, &third.mark),
            "{kind}: the same thing"
        );
        bench.settle().await;
        let name = bench.name("twice");
        let all = bench.list(kind, &Filter::All).await;
        assert_eq!(
            all.iter().filter(|thing| thing.name == name).count(),
            1,
            "{kind}: one thing"
        );
        bench.delete(&third).await;
    }
    Outcome::Held
}

/// A token that was used does not serve for another spec.
pub async fn a_token_is_not_for_another_spec(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let mut spec = bench.spec(kind).await;
        let made = bench.create(&spec, "spent").await;
        spec.labels_mut()
            .insert("other".to_owned(), "spec".to_owned());
        let again = bench.try_create(&spec, "spent").await;
        refused(
            again,
            &[ErrorKind::Precondition],
            "the same token for another spec",
        );
        let kept = bench
            .look(kind, &made.id)
            .await
            .expect("the first is there");
        assert_eq!(kept.spec.labels(), &labels(), "the first stays as it was");
        bench.delete(&kept).await;
    }
    Outcome::Held
}

/// Where names make a repetition harmless, another owner does not get hold of a thing by its name.
pub async fn a_name_is_not_for_another_owner(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    if bench.provider.capabilities().idempotency != Idempotency::Name {
        return passed_over("tokens make a repetition harmless here");
    }
    for kind in bench.kinds() {
        let spec = bench.spec(kind).await;
        let made = bench.create(&spec, "ours").await;
        let mut mark = bench.mark(kind, "ours");
        mark.owner = bench.namesake();
        let (name, token) = (bench.name("ours"), bench.token("theirs"));
        let theirs = bench.provider.create(&spec, &name, &mark, &token).await;
        refused(
            theirs,
            &[ErrorKind::AlreadyExists],
            "a name that another owner has",
        );
        let kept = bench.look(kind, &made.id).await.expect("ours is there");
        assert_eq!(kept.mark, made.mark, "ours stays ours");
        bench.delete(&kept).await;
    }
    Outcome::Held
}

/// A batch of machines again answers with the same machines.
pub async fn a_repeated_batch_makes_nothing_new(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let count = bench
        .provider
        .capabilities()
        .create_batch
        .min(harness.machines_max())
        .min(3);
    let spec = bench.machine().await;
    let first = done(bench.create_batch(&spec, count, "fleet").await, "creating");
    let second = done(
        bench.create_batch(&spec, count, "fleet").await,
        "creating again",
    );
    let ids = |batch: &strat_provider::MachineBatch| -> Vec<_> {
        batch
            .created
            .iter()
            .map(|machine| machine.id.clone())
            .collect()
    };
    assert_eq!(first.created.len(), count as usize);
    assert_eq!(ids(&first), ids(&second));
    bench.settle().await;
    let listed = bench
        .listed(Kind::Machine, |items| items.len() >= count as usize)
        .await;
    assert_eq!(listed.len(), count as usize);
    Outcome::Held
}

/// A token of a machine that was deleted since makes no new one: it answers with the dead one, and
/// whoever asks must look at its state.
pub async fn an_old_token_makes_no_new_machine(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let Idempotency::Token { .. } = bench.provider.capabilities().idempotency else {
        return passed_over("the cloud knows no tokens");
    };
    let spec = Spec::Machine(bench.machine().await);
    let made = bench.create(&spec, "dead").await;
    bench.delete(&made).await;
    let again = done(bench.try_create(&spec, "dead").await, "the old token again");
    assert_eq!(again.id, made.id);
    assert_eq!(
        bench.look(Kind::Machine, &made.id).await.map(|m| m.id),
        None,
        "it stays dead"
    );
    Outcome::Held
}

/// A create that took effect without an answer is found again by repeating it: there is one thing.
pub async fn a_lost_answer_is_found_again(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    if bench.has(Kind::Network) {
        bench.ground().await;
    }
    for kind in bench.kinds() {
        let spec = bench.spec(kind).await;
        let operation = match kind {
            Kind::Machine => "create_machines".to_owned(),
            kind => format!("create_{kind}"),
        };
        if !harness.lose_next_answer(&operation).await {
            return passed_over("the harness loses no answers");
        }
        let unknown = bench.try_create(&spec, "lost").await;
        refused(
            unknown,
            &[ErrorKind::Timeout, ErrorKind::Transient],
            "a create without an answer",
        );
        let found = done(bench.try_create(&spec, "lost").await, "creating again");
        bench.settle().await;
        let name = bench.name("lost");
        let all = bench.list(kind, &Filter::All).await;
        assert_eq!(
            all.iter().filter(|thing| thing.name == name).count(),
            1,
            "{kind}: one thing"
        );
        let ready = bench.ready(kind, &found.id).await;
        bench.delete(&ready).await;
    }
    Outcome::Held
}

/// Deleting again what is going or gone is no error, for every kind.
pub async fn deleting_twice_is_harmless(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let made = bench.create(&bench.spec(kind).await, "gone").await;
        done(bench.try_delete(&made).await, "deleting");
        done(bench.try_delete(&made).await, "deleting what is going");
        bench.gone(kind, &made.id).await;
        done(bench.try_delete(&made).await, "deleting what is gone");
    }
    Outcome::Held
}

/// Deleting an id that nothing ever had is no error, for every kind.
pub async fn deleting_what_never_was_is_harmless(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let made = bench.create(&bench.spec(kind).await, "there").await;
        let missing = [stranger(&made.id)];
        done(
            bench.provider.delete_all(kind, &missing).await,
            "deleting what never was",
        );
        assert!(
            bench.look(kind, &made.id).await.is_some(),
            "its neighbour stays"
        );
        bench.delete(&made).await;
    }
    Outcome::Held
}

/// Of several things that are deleted at once, one that cannot go does not keep the others, before
/// it or after it; each has its own outcome.
pub async fn what_stays_keeps_nothing_else(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Network, Subnet);
    let used = bench.ground().await.network.clone();
    let first = bench.create(&bench.network(), "first").await;
    let last = bench.create(&bench.network(), "last").await;
    let ids = [first.id, used.clone(), last.id];
    let outcomes = bench.provider.delete(Kind::Network, &ids).await;
    let told: Vec<_> = outcomes.iter().map(|one| &one.id).collect();
    assert_eq!(told, ids.iter().collect::<Vec<_>>());
    for outcome in outcomes {
        if outcome.id == used {
            refused(
                outcome.result,
                &[ErrorKind::Conflict],
                "deleting what is used",
            );
        } else {
            done(outcome.result, "deleting what nothing uses");
            bench.gone(Kind::Network, &outcome.id).await;
        }
    }
    assert!(bench.look(Kind::Network, &used).await.is_some());
    Outcome::Held
}
