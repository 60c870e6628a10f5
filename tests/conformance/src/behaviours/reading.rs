//! What was made reads back, by id and in lists; nothing else does.

use std::collections::BTreeSet;

use strat_model::{Kind, ResourceId, ResourceState};
use strat_provider::{Filter, ProviderExt};

use super::{bench, passed_over};
use crate::bench::done;
use crate::{Bench, Harness, Outcome};

/// A thing of the kind reads back from its create, by id, and in the owner's list.
async fn reads_back(bench: &Bench<'_>, kind: Kind) -> Outcome {
    let spec = bench.spec(kind).await;
    let (mark, name) = (bench.mark(kind, "one"), bench.name("one"));
    let made = done(bench.try_create(&spec, "one").await, "creating");
    assert_eq!((made.kind(), &made.name), (kind, &name));
    assert_eq!(
        made.mark.as_ref(),
        Some(&mark),
        "the create answers with the mark"
    );

    let fresh = bench
        .look(kind, &made.id)
        .await
        .expect("it is there at once");
    assert_eq!(
        fresh.mark.as_ref(),
        Some(&mark),
        "the mark is there at once"
    );

    let ready = bench.ready(kind, &made.id).await;
    assert_eq!(
        (&ready.id, &ready.name, ready.mark.as_ref()),
        (&made.id, &name, Some(&mark))
    );
    bench.check_spec(&ready, &spec);
    for attribute in expected_attributes(kind) {
        assert!(
            ready.attributes.contains_key(*attribute),
            "a {kind} has its {attribute}"
        );
    }

    let listed = bench
        .listed(kind, |items| items.iter().any(|item| item.id == made.id))
        .await;
    let item = listed
        .into_iter()
        .find(|item| item.id == made.id)
        .expect("it was listed");
    assert_eq!((item.mark.as_ref(), &item.name), (Some(&mark), &name));
    bench.settle().await;
    let listed = bench
        .listed(kind, |items| items.iter().any(|item| item.id == made.id))
        .await;
    let item = listed
        .into_iter()
        .find(|item| item.id == made.id)
        .expect("it was listed");
    bench.check_spec(&item, &spec);
    assert_eq!(
        item.fingerprint(),
        ready.fingerprint(),
        "the list and the read by id agree"
    );

    bench.delete(&ready).await;
    bench
        .listed(kind, |items| items.iter().all(|item| item.id != made.id))
        .await;
    Outcome::Held
}

const fn expected_attributes(kind: Kind) -> &'static [&'static str] {
    match kind {
        Kind::Machine => &["private_ip"],
        Kind::Address => &["ip"],
        Kind::Bucket => &["url"],
        _ => &[],
    }
}

/// A network reads back as it was made, with its mark.
pub async fn networks_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Network), Kind::Network).await
}

/// A subnet reads back as it was made, with its mark.
pub async fn subnets_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Subnet), Kind::Subnet).await
}

/// A firewall reads back as it was made, with its mark.
pub async fn firewalls_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Firewall), Kind::Firewall).await
}

/// An address reads back as it was made, with its mark.
pub async fn addresses_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Address), Kind::Address).await
}

/// A key pair reads back as it was made, with its mark.
pub async fn keypairs_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Keypair), Kind::Keypair).await
}

/// An image reads back as it was made, with its mark.
pub async fn images_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Image), Kind::Image).await
}

/// A machine reads back as it was made, with its mark.
pub async fn machines_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Machine), Kind::Machine).await
}

/// A volume reads back as it was made, with its mark.
pub async fn volumes_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Volume), Kind::Volume).await
}

/// A bucket reads back as it was made, with its mark.
pub async fn buckets_read_back(harness: &dyn Harness) -> Outcome {
    reads_back(&bench!(harness, Bucket), Kind::Bucket).await
}

/// A kind that the provider does not have gives an empty list, no error.
pub async fn kinds_that_are_not_there_list_nothing(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let absent: Vec<_> = Kind::ALL
        .into_iter()
        .filter(|kind| !bench.has(*kind))
        .collect();
    for kind in &absent {
        assert!(bench.list(*kind, &Filter::All).await.is_empty());
    }
    if absent.is_empty() {
        return passed_over("the site has every kind");
    }
    Outcome::Held
}

/// A read by ids leaves out those that are not there, and gives the others.
pub async fn missing_ids_are_left_out(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        let spec = bench.spec(kind).await;
        let kept = bench.create(&spec, "kept").await;
        let none = bench.provider.get_all(kind, &[]).await;
        assert!(done(none, "reading nothing").is_empty());
        let ids = [kept.id.clone(), stranger(&kept.id)];
        let found = done(bench.provider.get_all(kind, &ids).await, "reading two ids");
        let found: Vec<_> = found.iter().map(|thing| &thing.id).collect();
        assert_eq!(found, [&kept.id], "of {ids:?}");
        bench.delete(&kept).await;
    }
    Outcome::Held
}

/// An id of the same form that nothing has: its last digit is another.
pub(super) fn stranger(id: &ResourceId) -> ResourceId {
    let mut text = id.to_string();
    let last = text.pop().unwrap_or_default();
    text.push(if last == '1' { '2' } else { '1' });
    ResourceId::from(text)
}

/// A list by owner shows what that owner has, and not what a namesake in another realm has.
pub async fn lists_show_only_the_owners_things(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench
        .kinds()
        .into_iter()
        .filter(|kind| *kind != Kind::Network)
    {
        let spec = bench.spec(kind).await;
        let mut theirs_spec = spec.clone();
        if let strat_model::Spec::Subnet(subnet) = &mut theirs_spec {
            subnet.cidr = crate::specs::range(2);
        }
        let ours = bench.create(&spec, "ours").await;
        let mut mark = bench.mark(kind, "theirs");
        mark.owner = bench.namesake();
        let (name, token) = (bench.name("theirs"), bench.token(&format!("theirs-{kind}")));
        let theirs = bench
            .provider
            .create(&theirs_spec, &name, &mark, &token)
            .await;
        let theirs = done(theirs, "creating for a namesake");
        let theirs = bench.ready(kind, &theirs.id).await;
        bench.settle().await;
        bench
            .listed(kind, |items| items.iter().any(|item| item.id == ours.id))
            .await;
        for (owner, shown, hidden) in [
            (bench.owner(), &ours, &theirs),
            (bench.namesake(), &theirs, &ours),
        ] {
            let items = bench.list(kind, &Filter::Owner(owner)).await;
            assert!(
                items.iter().any(|item| item.id == shown.id),
                "{kind}: its own is shown"
            );
            assert!(
                items.iter().all(|item| item.id != hidden.id),
                "{kind}: the other's is not"
            );
        }
        let all = bench.list(kind, &Filter::All).await;
        let both = [&ours.id, &theirs.id];
        assert!(
            both.iter().all(|id| all.iter().any(|item| item.id == **id)),
            "all shows both"
        );
        bench.delete(&theirs).await;
        bench.delete(&ours).await;
    }
    Outcome::Held
}

/// Where there are more things than fit a page, all of them are shown, each once.
pub async fn pages_show_everything_once(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Keypair);
    let Some(page) = harness.page_size() else {
        return passed_over("a page holds more things than a test should make");
    };
    let count = page * 2 + 1;
    let spec = bench.keypair();
    let mut ids = BTreeSet::new();
    for n in 0..count {
        ids.insert(bench.create(&spec, &format!("key-{n}")).await.id);
    }
    bench.settle().await;
    bench
        .listed(Kind::Keypair, |items| items.len() >= count)
        .await;
    let filter = Filter::Owner(bench.owner());
    let (mut seen, mut pages, mut next) = (BTreeSet::new(), 0, None);
    loop {
        let answer = bench
            .provider
            .observe()
            .list(Kind::Keypair, &filter, next.as_ref())
            .await;
        let answer = done(answer, "asking for a page");
        pages += 1;
        assert!(pages <= count + 1, "the list ends");
        for item in answer.items {
            assert!(seen.insert(item.id.clone()), "{} is shown twice", item.id);
        }
        next = answer.next;
        if next.is_none() {
            break;
        }
    }
    assert_eq!(seen, ids);
    assert!(
        pages >= 3,
        "{count} things are more than two pages of {page}"
    );
    Outcome::Held
}

/// What carries no mark is seen by no owner, and comes through everything unharmed.
pub async fn foreign_things_are_left_alone(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    if bench.has(Kind::Network) {
        bench.ground().await;
    }
    let mut foreign = Vec::new();
    for kind in bench.kinds() {
        let name = format!("foreign-{}-{kind}", bench.run);
        if let Some(id) = harness.make_foreign(kind, &name).await {
            foreign.push((
                kind,
                bench
                    .look(kind, &id)
                    .await
                    .expect("the foreign thing is there"),
            ));
        }
    }
    if foreign.is_empty() {
        return passed_over("the harness makes no foreign things");
    }
    if bench.has(Kind::Machine) {
        let machine = bench.running("ours").await;
        bench.delete(&machine).await;
    }
    bench.settle().await;
    for (kind, before) in &foreign {
        assert_eq!(before.mark, None);
        let ours = bench.list(*kind, &Filter::Owner(bench.owner())).await;
        assert!(
            ours.iter().all(|item| item.id != before.id),
            "no owner has it"
        );
        let all = bench.list(*kind, &Filter::All).await;
        assert!(
            all.iter().any(|item| item.id == before.id),
            "the list of all has it"
        );
        let after = bench
            .look(*kind, &before.id)
            .await
            .expect("it is still there");
        assert_eq!(after.fingerprint(), before.fingerprint());
        assert_ne!(after.state, ResourceState::Deleting);
    }
    for (_, thing) in foreign.iter().rev() {
        bench.delete(thing).await;
    }
    Outcome::Held
}
