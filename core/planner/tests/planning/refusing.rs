//! What one thing refuses stops nothing else.

use super::*;

/// What finds no place stops what is asked for, and nothing else.
#[test]
fn what_has_no_place_and_was_not_asked_for_is_left_alone() {
    let mut intent = shop();
    let world = realise(&placed(&intent, &empty()));
    intent.volumes[0].size = Bytes::gib(100);
    intent.machines[1].count += 1;
    let fleet = intent.machines[1].common.addr.clone();
    let options = |target: LocalAddr| PlaceOptions {
        targets: vec![Target::Local(target)],
        ..PlaceOptions::default()
    };
    let asked = options(fleet.clone());
    let desired = place_with(&intent, &facts(), &world, &asked).expect("the fleet has a place");
    let diff_options = DiffOptions {
        targets: asked.targets,
        ..DiffOptions::default()
    };
    let plan = diff(&desired, &world, &facts(), None, &diff_options);
    assert_eq!(
        (plan.changes.len(), plan.summary.create),
        (1, 1),
        "{:?}",
        lines(&plan)
    );
    assert_eq!(plan.changes[0].addr.local, fleet);
    let volume = intent.volumes[0].common.addr.to_string();
    let held = plan.withheld.iter().find(|held| held.what == volume);
    assert!(
        held.is_some_and(|held| held.why.contains("cannot shrink")),
        "{:?}",
        plan.withheld
    );
    // Nothing of it goes either, if everything is compared.
    let all = diff(&desired, &world, &facts(), None, &DiffOptions::default());
    assert_eq!(
        all.summary.delete + all.summary.replace,
        0,
        "{:?}",
        lines(&all)
    );
    let asked = options(intent.volumes[0].common.addr.clone());
    place_with(&intent, &facts(), &world, &asked).expect_err("it cannot shrink");
}

/// What somebody changed by hand and cannot be changed back stops nothing else: not the rest of the
/// volume, and not the rest of the topology.
#[test]
fn a_volume_that_was_grown_by_hand_stays_so_and_the_rest_goes_on() {
    let mut intent = shop();
    let mut world = realise(&placed(&intent, &empty()));
    let volumes = world
        .sites
        .values_mut()
        .flat_map(|site| &mut site.resources);
    for thing in volumes {
        if let Spec::Volume(volume) = &mut thing.spec {
            volume.size = Bytes::gib(400);
            volume.labels.clear();
        }
    }
    let plan = plan_of(&intent, &world);
    let [one] = plan.refused.as_slice() else {
        panic!("{:#?}", plan.refused);
    };
    assert_eq!(
        (one.addr.to_string().as_str(), one.cause),
        ("volume.db@dc1", Cause::Drift)
    );
    assert_eq!(one.fields.len(), 1, "{:#?}", one.fields);
    assert_eq!(one.fields[0].field, Field::Size);
    let labels: Vec<_> = plan
        .changes
        .iter()
        .flat_map(|change| &change.fields)
        .collect();
    assert!(
        labels.iter().all(|change| change.field == Field::Labels),
        "{labels:#?}"
    );
    assert_eq!(plan.summary.delete + plan.summary.replace, 0);
    intent.machines[1].count += 1;
    let plan = plan_of(&intent, &world);
    assert_eq!((plan.summary.create, plan.refused.len()), (1, 1));
}

/// Some clouds make a subnet wider while machines are in it. Whoever did that does not lose the machines:
/// neither the subnet nor anything in it is made anew, and the rest of the subnet is mended.
#[test]
fn a_subnet_that_was_made_wider_by_hand_stays_so_and_so_does_all_in_it() {
    for wider in [1, 2] {
        let mut intent = shop();
        intent.subnets[0].newbits = 6;
        let mut world = realise(&placed(&intent, &empty()));
        let range = |thing: &Resource| match &thing.spec {
            Spec::Subnet(subnet) => Some(subnet.cidr),
            _ => None,
        };
        // Of those that have room to become so, the first.
        let site = world.sites.values_mut().find_map(|site| {
            let all: Vec<_> = site.resources.iter().filter_map(range).collect();
            let alone = |was: &Ipv4Net| {
                let prefix = was.prefix_len() - wider;
                let wide = Ipv4Net::new_assert(was.network(), prefix).trunc();
                let inside = all.iter().filter(|one| wide.contains(*one));
                (inside.count() == 1).then_some((*was, wide))
            };
            let (was, wide) = all.iter().find_map(alone)?;
            let mut things = site.resources.iter_mut();
            let thing = things.find(|thing| range(thing) == Some(was))?;
            Some((thing, was, wide))
        });
        let (thing, was, wide) = site.expect("a subnet with room");
        let addr = thing.mark.as_ref().expect("a mark").addr.clone();
        if let Spec::Subnet(subnet) = &mut thing.spec {
            subnet.cidr = wide;
            subnet.labels.clear();
        }
        let plan = plan_of(&intent, &world);
        let [one] = plan.refused.as_slice() else {
            panic!("{:#?} {:#?}", plan.refused, lines(&plan));
        };
        assert_eq!((&one.addr, one.cause), (&addr, Cause::Drift));
        assert_eq!(one.fields.len(), 1, "{:#?}", one.fields);
        assert_eq!(one.fields[0].field, Field::Cidr);
        assert_eq!(one.fields[0].after, serde_json::json!(was));
        let summary = &plan.summary;
        let others = summary.delete + summary.replace + summary.create;
        assert_eq!(others, 0, "{wide} {:#?}", lines(&plan));
        // Another size in the topology is another subnet, as ever.
        let changed = intent.subnets.iter_mut();
        let mut changed = changed.filter(|one| one.common.addr == addr.local);
        changed.next().expect("it").newbits += 1;
        let plan = plan_of(&intent, &world);
        assert!(plan.summary.replace > 0, "{:#?}", lines(&plan));
    }
}
