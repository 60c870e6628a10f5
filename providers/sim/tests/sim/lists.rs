//! Lists and marks lag behind writes; reads by id never do.

use std::collections::BTreeSet;

use strat_model::Kind;
use strat_provider::{Filter, Provider, ProviderExt};
use strat_sim::{Behaviour, Profile};

use crate::common::{make, mark, network, pass, site, world};

const WINDOW_MS: u64 = 1000;

fn late(profile: Profile) -> std::sync::Arc<dyn Provider> {
    let behaviour = Behaviour {
        consistency_ms: WINDOW_MS,
        ..Behaviour::instant()
    };
    world()
        .connect(site(profile).behaving(behaviour))
        .expect("a site")
}

/// How many things the list shows, how many of them with a mark, and how many the owner has.
async fn seen(provider: &dyn Provider) -> (usize, usize, usize) {
    let owner = Filter::Owner("shop".parse().expect("an owner"));
    let all = provider
        .list_all(Kind::Network, &Filter::All)
        .await
        .expect("all");
    let ours = provider
        .list_all(Kind::Network, &owner)
        .await
        .expect("ours");
    (
        all.len(),
        all.iter().filter(|thing| thing.mark.is_some()).count(),
        ours.len(),
    )
}

#[tokio::test(start_paused = true)]
async fn new_things_and_their_marks_are_listed_late() {
    for profile in Profile::ALL {
        let here = late(profile);
        assert_eq!(here.capabilities().consistency_window_ms, WINDOW_MS);
        let mut ids = Vec::new();
        for n in 0..40 {
            ids.push(make(&*here, network(), &format!("net-{n}")).await.id);
        }
        let (all, marked, ours) = seen(&*here).await;
        assert!(
            ours < all && all < 40 && marked == ours,
            "{profile}: {all} {marked} {ours}"
        );
        let fresh = here.get_all(Kind::Network, &ids).await.expect("by id");
        assert!(fresh.len() == 40 && fresh.iter().all(|thing| thing.mark.is_some()));
        pass(WINDOW_MS).await;
        assert_eq!(seen(&*here).await, (40, 40, 40), "{profile}");
    }
}

#[tokio::test(start_paused = true)]
async fn deleted_things_are_listed_for_a_while() {
    let here = late(Profile::Aws);
    let mut ids = Vec::new();
    for n in 0..40 {
        ids.push(make(&*here, network(), &format!("net-{n}")).await.id);
    }
    pass(WINDOW_MS).await;
    here.delete_all(Kind::Network, &ids).await.expect("deleted");
    pass(1).await;
    let (all, ..) = seen(&*here).await;
    assert!(all > 5, "some of the dead are still shown: {all}");
    assert!(
        here.get_all(Kind::Network, &ids)
            .await
            .expect("by id")
            .is_empty()
    );
    pass(WINDOW_MS).await;
    assert_eq!(seen(&*here).await, (0, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn an_old_mark_is_shown_for_a_while() {
    let here = late(Profile::Gcp);
    let mut things = Vec::new();
    for n in 0..40 {
        things.push(make(&*here, network(), &format!("net-{n}")).await);
    }
    pass(WINDOW_MS).await;
    let mut other = mark("network.other@here");
    other.owner = "elsewhere/shop".parse().expect("an owner");
    for thing in &things {
        let changed = here
            .update(&thing.id, &thing.spec, &BTreeSet::new(), &other)
            .await;
        assert_eq!(changed.expect("adopted").mark.as_ref(), Some(&other));
    }
    let (all, _, ours) = seen(&*here).await;
    assert!(
        all == 40 && ours > 5 && ours < 35,
        "{ours} still look like ours"
    );
    pass(WINDOW_MS).await;
    assert_eq!(seen(&*here).await, (40, 40, 0));
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_and_calls_give_the_same_world() {
    let run = |seed| async move {
        let world = strat_sim::World::in_memory(seed, crate::common::clock());
        let behaviour = Behaviour {
            consistency_ms: WINDOW_MS,
            lost_answers: 0.3,
            faults: 0.2,
            ..Behaviour::instant()
        };
        let here = world
            .connect(site(Profile::Aws).behaving(behaviour))
            .expect("a site");
        let mut story = Vec::new();
        for n in 0..30 {
            let (mark, token) = (
                mark("network.net@here"),
                crate::common::token(&n.to_string()),
            );
            let made = here
                .create(&network(), &format!("net-{n}"), &mark, &token)
                .await;
            story.push(made.map_or_else(|e| e.to_string(), |thing| thing.id.to_string()));
        }
        story.push(format!(
            "{:?}",
            here.list_all(Kind::Network, &Filter::All).await.ok()
        ));
        story
    };
    assert_eq!(run(5).await, run(5).await);
    assert_ne!(run(5).await, run(6).await);
}
