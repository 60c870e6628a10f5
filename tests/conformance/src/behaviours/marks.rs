//! Marks come back exactly as they were written.

use strat_model::{Digest, ErrorKind, Field, Kind, Mark, Resource};
use strat_provider::ProviderExt;

use super::{bench, passed_over};
use crate::bench::done;
use crate::{Bench, Harness, Outcome};

/// The mark survives on a thing of every kind, read by id and in the owner's list.
async fn survives(bench: &Bench<'_>, word: &str, mark_of: impl Fn(Kind) -> Mark) {
    for kind in bench.kinds() {
        let spec = bench.spec(kind).await;
        let mark = mark_of(kind);
        let (name, token) = (bench.name(word), bench.token(word));
        let made = bench.provider.create(&spec, &name, &mark, &token).await;
        let made = done(made, "creating");
        let ready = bench.ready(kind, &made.id).await;
        assert_eq!(ready.mark, Some(mark.clone()), "{kind}: by id");
        bench.settle().await;
        let marked = |item: &strat_model::Resource| item.id == made.id && item.mark == ready.mark;
        bench.listed(kind, |items| items.iter().any(marked)).await;
        bench.delete(&ready).await;
    }
}

/// An address with every awkward character, and one of full length, come back.
pub async fn awkward_addresses_survive(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let long = "n".repeat(63);
    for (word, tail) in [
        ("awkward", "db[\"a/b@c \\\"q\\\"\"]@x/zone-1".to_owned()),
        ("long", format!("{long}[\"{}\"]@{long}", "k".repeat(60))),
    ] {
        survives(&bench, word, |kind| Mark {
            addr: format!("{kind}.{tail}").parse().expect("an address"),
            ..bench.mark(kind, word)
        })
        .await;
    }
    Outcome::Held
}

/// Protection is part of the mark: it is set at creation, and lifted and set by an update.
pub async fn protection_can_be_set_and_lifted(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let spec = bench.spec(kind).await;
        let mut mark = bench.mark(kind, "safe");
        mark.protect = true;
        let (name, token) = (bench.name("safe"), bench.token("safe"));
        let made = bench.provider.create(&spec, &name, &mark, &token).await;
        let made = bench.ready(kind, &done(made, "creating").id).await;
        assert_eq!(made.mark, Some(mark.clone()));
        for protect in [false, true] {
            mark.protect = protect;
            let updated = bench
                .provider
                .update(&made.id, &made.spec, &[].into(), &mark)
                .await;
            assert_eq!(
                done(updated, "updating").mark,
                Some(mark.clone()),
                "{kind}: {protect}"
            );
            let seen = bench
                .look(kind, &made.id)
                .await
                .and_then(|thing| thing.mark);
            assert_eq!(seen, Some(mark.clone()), "{kind}: {protect}");
        }
        bench.delete(&made).await;
    }
    Outcome::Held
}

/// What cannot be read back is kept as notes.
pub async fn notes_survive(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let digest = Digest::of(b"user data").short().to_owned();
    survives(&bench, "noted", |kind| {
        let mut mark = bench.mark(kind, "noted");
        mark.generation = 1_000_000;
        mark.notes.insert(Field::UserData, digest.clone());
        mark.notes.insert(Field::Image, "ubuntu-24.04".to_owned());
        mark.notes
            .insert(Field::Request, "cpu=4 memory=16GiB".to_owned());
        mark
    })
    .await;
    Outcome::Held
}

/// An update without fields writes the mark, also over another owner's, and changes nothing else.
pub async fn adopting_writes_only_the_mark(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let made = bench.create(&bench.spec(kind).await, "found").await;
        let mut mark = bench.mark(kind, "adopted");
        mark.owner = bench.namesake();
        let adopted = bench
            .provider
            .update(&made.id, &made.spec, &[].into(), &mark)
            .await;
        let adopted = done(adopted, "adopting");
        assert_eq!(
            (&adopted.id, &adopted.mark),
            (&made.id, &Some(mark.clone()))
        );
        let seen = bench.look(kind, &made.id).await.expect("it is there");
        assert_eq!(
            (&seen.spec, &seen.mark),
            (&made.spec, &Some(mark)),
            "{kind}"
        );
        bench.delete(&made).await;
    }
    Outcome::Held
}

/// A mark is taken off and put back, and nothing else changes by it; taken off twice is as once.
pub async fn a_mark_is_taken_off_and_put_back(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let made = bench.create(&bench.spec(kind).await, "let-go").await;
        let made = bench.ready(kind, &made.id).await;
        for _ in 0..2 {
            let released = bench.provider.release(&made.id, &made.spec).await;
            let released = match released {
                Err(error) if error.kind() == ErrorKind::Unsupported => {
                    bench.delete(&made).await;
                    return passed_over("the provider cannot take marks off");
                }
                released => done(released, "releasing"),
            };
            assert_eq!((&released.id, &released.mark), (&made.id, &None), "{kind}");
            let seen = bench.look(kind, &made.id).await.expect("it is there");
            assert_eq!((&seen.spec, &seen.mark), (&made.spec, &None), "{kind}");
        }
        bench.settle().await;
        let gone = |items: &[Resource]| items.iter().all(|item| item.id != made.id);
        bench.listed(kind, gone).await;
        let mark = bench.mark(kind, "let-go");
        let fields = [].into();
        let back = bench
            .provider
            .update(&made.id, &made.spec, &fields, &mark)
            .await;
        assert_eq!(done(back, "adopting").mark, Some(mark), "{kind}");
        bench.delete(&made).await;
    }
    Outcome::Held
}
