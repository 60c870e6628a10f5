//! Updates change what they name, and nothing else.

use strat_model::{ErrorKind, Field, Kind};

use super::bench;
use super::reading::stranger;
use crate::bench::{done, refused};
use crate::specs::unusual_labels;
use crate::{Bench, Harness, Outcome};

/// The kinds whose labels can be changed in place.
async fn relabelled(bench: &Bench<'_>) -> Vec<Kind> {
    let mut kinds = Vec::new();
    for kind in bench.kinds() {
        if bench.can_change(kind, Field::Labels).await {
            kinds.push(kind);
        }
    }
    kinds
}

/// Labels are added, changed and taken away in place, and the mark is written with them.
pub async fn labels_change_in_place(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in relabelled(&bench).await {
        let spec = bench.spec(kind).await;
        let made = bench.create(&spec, "labelled").await;
        let mut wanted = made.spec.clone();
        wanted.labels_mut().remove("suite");
        wanted
            .labels_mut()
            .insert("tier".to_owned(), "gold".to_owned());
        let updated = bench.update(&made, &wanted, &[Field::Labels]).await;
        assert_eq!(
            updated.mark.as_ref().map(|mark| mark.generation),
            Some(2),
            "{kind}"
        );
        let seen = bench.ready(kind, &made.id).await;
        assert_eq!(seen.spec.labels(), wanted.labels(), "{kind}");
        assert_eq!(seen.spec, wanted, "{kind}: nothing but the labels changed");
        assert_eq!(seen.mark, updated.mark, "{kind}");
        bench.settle().await;
        let same = |item: &strat_model::Resource| item.fingerprint() == seen.fingerprint();
        bench.listed(kind, |items| items.iter().any(same)).await;
        bench.delete(&seen).await;
    }
    Outcome::Held
}

/// Labels of letters that are not plain, long ones and empty ones, come back as they were.
pub async fn unusual_labels_survive(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in relabelled(&bench).await {
        let mut spec = bench.spec(kind).await;
        *spec.labels_mut() = unusual_labels();
        let made = bench.create(&spec, "unusual").await;
        assert_eq!(made.spec.labels(), &unusual_labels(), "{kind}");
        bench.delete(&made).await;
    }
    Outcome::Held
}

/// The same update again changes nothing further.
pub async fn updates_converge(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in relabelled(&bench).await {
        let made = bench.create(&bench.spec(kind).await, "steady").await;
        let mut wanted = made.spec.clone();
        wanted
            .labels_mut()
            .insert("tier".to_owned(), "gold".to_owned());
        bench.update(&made, &wanted, &[Field::Labels]).await;
        let once = bench.ready(kind, &made.id).await;
        bench.update(&made, &wanted, &[Field::Labels]).await;
        let twice = bench.ready(kind, &made.id).await;
        assert_eq!(once, twice, "{kind}");
        bench.delete(&twice).await;
    }
    Outcome::Held
}

/// What is not there cannot be updated, and is not made by it.
pub async fn updating_what_is_gone_is_not_found(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let mut made = bench.create(&bench.spec(kind).await, "there").await;
        let kept = made.clone();
        made.id = stranger(&made.id);
        let spec = made.spec.clone();
        let missing = bench.try_update(&made, &spec, &[Field::Labels]).await;
        refused(
            missing,
            &[ErrorKind::NotFound],
            "updating what is not there",
        );
        assert!(bench.look(kind, &made.id).await.is_none());
        done(bench.try_delete(&kept).await, "deleting");
        bench.gone(kind, &kept.id).await;
    }
    Outcome::Held
}
