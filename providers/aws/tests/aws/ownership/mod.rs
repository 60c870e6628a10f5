//! Whose a thing is, on AWS: tags that were stripped, copied, restored and forged, other accounts, and
//! another topology of the name. Each row of what the planner does with them, through whole applies.

mod rows;
pub(crate) mod shop;

use std::collections::BTreeSet;

use strat_model::{Kind, MissedState, Resource, ResourceId, Witness};
use stratiform::{Claims, Error, Mode};

use shop::{OURS, Shop, lines};

#[tokio::test]
async fn what_was_stripped_is_withheld_and_given_back() {
    let shop = Shop::applied("stripped").await;
    let things: Vec<Resource> = shop.things().await.into_values().flatten().collect();
    for thing in &things {
        shop.strip(thing).await;
    }
    let plan = shop.agreed(Mode::Apply, Claims::default()).await;
    let said = lines(&plan);
    assert!(plan.changes.is_empty(), "{said:#?}");
    // One line for each address: of a fleet, the first member that lost its mark is named.
    let of_fleet = |thing: &&Resource| {
        let mark = thing.mark.as_ref().expect("a mark");
        mark.addr.local.noun == strat_model::Noun::Machines
    };
    let told = |thing: &Resource| {
        let told = format!("{} is still there, but its mark is gone", thing.id);
        said.iter().any(|line| line.contains(&told))
    };
    let (members, others): (Vec<&Resource>, Vec<&Resource>) = things.iter().partition(of_fleet);
    assert!(members.iter().any(|thing| told(thing)), "{said:#?}");
    for thing in others {
        assert!(told(thing), "{}: {said:#?}", thing.id);
    }
    let claims = Claims {
        adopt_known: true,
        only_adopt: true,
        ..Claims::default()
    };
    shop.agreed(Mode::Apply, claims).await;
    let plan = shop.plan().await;
    assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    let before: BTreeSet<ResourceId> = things.into_iter().map(|thing| thing.id).collect();
    assert_eq!(shop.ids().await, before);
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn what_was_stripped_and_is_in_no_journal_is_found_by_its_name() {
    let shop = Shop::applied("nameless").await;
    let before = shop.ids().await;
    let things = shop.things().await.into_values().flatten();
    // Of several members of a fleet nobody could tell which is which.
    let of_one = |thing: &Resource| {
        let mark = thing.mark.as_ref().expect("a mark");
        mark.addr.local.noun != strat_model::Noun::Machines
    };
    let things: Vec<Resource> = things.filter(of_one).collect();
    for thing in &things {
        shop.strip(thing).await;
    }
    shop.forget();
    let plan = shop.agreed(Mode::Apply, Claims::default()).await;
    let said = lines(&plan);
    assert!(plan.changes.is_empty(), "{said:#?}");
    for Resource { id, .. } in &things {
        assert!(
            said.iter().any(|line| line.contains(id.as_str())),
            "{id}: {said:#?}"
        );
    }
    let adopt = things.into_iter().map(|thing| {
        let addr = thing.mark.expect("a mark").addr;
        (addr, Some(thing.id))
    });
    let claims = Claims {
        adopt: adopt.collect(),
        only_adopt: true,
        ..Claims::default()
    };
    shop.agreed(Mode::Apply, claims).await;
    assert_eq!(shop.ids().await, before);
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn a_copy_is_told_and_never_taken_for_the_thing() {
    for forgotten in [false, true] {
        let shop = Shop::applied(if forgotten { "copied" } else { "cloned" }).await;
        let before = shop.ids().await;
        let mut copies = BTreeSet::new();
        for addr in ["machine.db", "volume.data", "machines.web"] {
            copies.insert(ResourceId::from(shop.copy(&shop.at(addr).await).await));
        }
        if forgotten {
            shop.forget();
        }
        for _ in 0..2 {
            let plan = shop.agreed(Mode::Apply, Claims::default()).await;
            let said = lines(&plan);
            assert!(plan.changes.is_empty(), "{said:#?}");
            for copy in &copies {
                let told = |line: &String| line.contains(copy.as_str());
                assert!(said.iter().any(told), "{copy}: {said:#?}");
            }
        }
        let all: BTreeSet<ResourceId> = before.union(&copies).cloned().collect();
        assert_eq!(shop.ids().await, all);
        // A destroy takes what is ours, and leaves the copies and what they are in.
        let destroyed = shop.apply(Mode::Destroy, Claims::default()).await;
        let (plan, failures) = destroyed.expect("it is applied");
        let left = shop.ids().await;
        assert!(
            copies.is_subset(&left),
            "{left:?} {failures:?} {:#?}",
            lines(&plan)
        );
        let originals = left.difference(&copies).count();
        assert!(originals < before.len(), "{left:?}");
    }
}

#[tokio::test]
async fn of_a_volume_of_which_only_a_restored_copy_is_left_no_empty_one_is_made() {
    let shop = Shop::applied("restored").await;
    let volume = shop.at("volume.data").await;
    let copy = ResourceId::from(shop.copy(&volume).await);
    let ec2 = shop.moto.ec2().await;
    let id = volume.id.as_str();
    ec2.detach_volume()
        .volume_id(id)
        .instance_id(shop.at("machine.db").await.id.as_str())
        .send()
        .await
        .expect("detached");
    ec2.delete_volume()
        .volume_id(id)
        .send()
        .await
        .expect("deleted");
    for forgotten in [false, true] {
        if forgotten {
            shop.forget();
        }
        let plan = shop.agreed(Mode::Apply, Claims::default()).await;
        let said = lines(&plan);
        let touches = |change: &&stratiform::planner::Change| change.kind == Kind::Volume;
        assert_eq!(plan.changes.iter().find(touches), None, "{said:#?}");
        assert!(
            said.iter().any(|line| line.contains(copy.as_str())),
            "{said:#?}"
        );
    }
    let addr = volume.mark.expect("a mark").addr;
    let claims = Claims {
        adopt: vec![(addr, Some(copy.clone()))],
        only_adopt: true,
        ..Claims::default()
    };
    shop.agreed(Mode::Apply, claims).await;
    shop.agreed(Mode::Apply, Claims::default()).await;
    // From another computer, the mark itself says that it was adopted.
    shop.forget();
    let now = shop.at("volume.data").await;
    assert_eq!((now.id, now.witness), (copy, Witness::Held));
    let plan = shop.plan().await;
    assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn forged_tags_delete_nothing_and_take_nothing() {
    for forgotten in [false, true] {
        let shop = Shop::applied(if forgotten { "forged" } else { "faked" }).await;
        let db = shop.at("machine.db").await;
        let ec2 = shop.moto.ec2().await;
        let theirs = shop.copy(&db).await;
        let old = Some(shop.tags(&ResourceId::from(&theirs)).await);
        let call = ec2.delete_tags().resources(&theirs).set_tags(old);
        call.send().await.expect("it is somebody's");
        let forged = Some(shop.tags(&db.id).await);
        let call = ec2.create_tags().resources(&theirs).set_tags(forged);
        call.send().await.expect("forged");
        if forgotten {
            shop.forget();
        }
        let before = shop.ids().await;
        let plan = shop.agreed(Mode::Apply, Claims::default()).await;
        assert!(plan.changes.is_empty(), "{:#?}", lines(&plan));
        assert_eq!(shop.ids().await, before);
        let destroyed = shop.apply(Mode::Destroy, Claims::default()).await;
        destroyed.expect("it is applied");
        let left = shop.ids().await;
        assert!(left.contains(&ResourceId::from(&theirs)), "{left:?}");
        assert!(!left.contains(&db.id), "{left:?}");
    }
}

#[tokio::test]
async fn what_was_deleted_is_gone_only_once_a_read_by_id_says_so() {
    let shop = Shop::applied("deleted").await;
    let web = shop.at("machines.web").await;
    let ec2 = shop.moto.ec2().await;
    let call = ec2.terminate_instances().instance_ids(web.id.as_str());
    call.send().await.expect("terminated");
    let observed = shop.session().await.observe().await.expect("observes");
    let missed = observed
        .inventory
        .sites
        .values()
        .flat_map(|site| &site.missed);
    let missed: Vec<_> = missed.map(|one| (&one.id, &one.state)).collect();
    assert!(
        missed.is_empty() || missed == [(&web.id, &MissedState::Gone)],
        "{missed:?}"
    );
    let plan = shop.agreed(Mode::Apply, Claims::default()).await;
    assert_eq!(plan.summary.create, 1, "{:#?}", lines(&plan));
    let plan = shop.plan().await;
    assert!(lines(&plan).is_empty(), "{:#?}", lines(&plan));
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn credentials_of_another_account_are_refused() {
    let shop = Shop::applied("account").await;
    let before = shop.ids().await;
    // moto gives a session of a role the account that the role is in.
    let elsewhere = "assume_role = \"arn:aws:iam::222222222222:role/ops\"";
    shop.write(OURS, elsewhere);
    for mode in [Mode::Apply, Mode::Destroy] {
        let refused = shop.apply(mode, Claims::default()).await;
        let error = refused.expect_err("another account");
        let is_known = matches!(
            &error,
            Error::Account {
                is_pinned: false,
                ..
            }
        );
        assert!(is_known, "{error:?}");
    }
    shop.forget();
    shop.write(OURS, &format!("{elsewhere}\n  account = \"123456789012\""));
    let refused = shop.apply(Mode::Apply, Claims::default()).await;
    let error = refused.expect_err("another account");
    let is_pinned = matches!(
        &error,
        Error::Account {
            is_pinned: true,
            ..
        }
    );
    assert!(is_pinned, "{error:?}");
    shop.write(OURS, "account = \"123456789012\"");
    assert_eq!(shop.ids().await, before);
    shop.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn another_topology_of_the_name_is_a_stranger() {
    let first = Shop::applied("namesake").await;
    let before = first.ids().await;
    let second = Shop::new("namesake").await;
    second.write("bbbbbbbbbbbbbbbb", "");
    for mode in [Mode::Apply, Mode::Destroy] {
        let applied = second.apply(mode, Claims::default()).await;
        let (plan, _) = applied.expect("it is applied");
        let said = lines(&plan);
        let told = |line: &String| line.contains("another topology of this name");
        assert!(said.iter().any(told), "{said:#?}");
        let now = first.ids().await;
        assert!(before.is_subset(&now), "{:?}", before.difference(&now));
    }
    let plan = first.plan().await;
    assert!(plan.changes.is_empty(), "{:#?}", lines(&plan));
    first.agreed(Mode::Destroy, Claims::default()).await;
}

#[tokio::test]
async fn a_bucket_that_the_index_does_not_show_yet_is_read_by_its_name() {
    let shop = Shop::applied("late").await;
    shop.moto.filter.hold_index_back(true);
    for forgotten in [false, true] {
        if forgotten {
            shop.forget();
        }
        let plan = shop.agreed(Mode::Apply, Claims::default()).await;
        assert!(plan.changes.is_empty(), "{forgotten}: {:#?}", lines(&plan));
    }
    shop.moto.filter.hold_index_back(false);
    shop.agreed(Mode::Destroy, Claims::default()).await;
    assert!(shop.ids().await.is_empty());
}
