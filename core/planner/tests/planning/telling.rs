//! What is said of a choice, and of what would have to give way where there is none.

use std::collections::BTreeMap;

use strat_model::*;
use strat_planner::*;

use crate::choosing::{fleet, refused};
use crate::common::*;

#[test]
fn a_price_above_the_most_is_refused_and_the_finding_says_what_would_do() {
    let intent = fleet(2, |web| {
        web.placement.sites = vec![name("east")];
        web.placement.max_price = "0.15 USD".parse().ok();
    });
    let finding = refused(&intent, &facts());
    assert_eq!(finding.code, "no_capacity");
    let help = finding.help.expect("help");
    assert!(
        help.starts_with("raise `max_price` to \"0.20 USD\" (medium at east)"),
        "{help}"
    );
}

#[test]
fn what_is_too_large_is_refused_and_the_finding_says_what_would_do() {
    let intent = fleet(2, |web| {
        web.placement.sites = vec![name("east")];
        web.size = Size::AtLeast {
            cpu: 3,
            memory: Bytes::gib(4),
        };
        web.hardware.cpu_max = Some(3);
    });
    let help = refused(&intent, &facts()).help.expect("help");
    assert!(
        help.starts_with("raise `cpu_max` to 4 (medium at east)"),
        "{help}"
    );
}

#[test]
fn too_little_room_says_how_much_more_it_takes() {
    let intent = fleet(20, |web| web.placement.sites = vec![name("dc1")]);
    let finding = refused(&intent, &facts());
    assert!(
        finding
            .message
            .starts_with("4 of 20 machines of machines.web"),
        "{}",
        finding.message
    );
    let help = finding.help.expect("help");
    // 20 of 4 CPUs and 16 GiB on 64 CPUs and 256 GiB.
    assert!(
        help.starts_with("give dc1 16 more CPUs of capacity and 64GiB more memory of capacity"),
        "{help}"
    );
    assert!(help.contains("lower `count` to 16"), "{help}");
    assert!(help.contains("permit another site: east, west"), "{help}");
}

#[test]
fn an_explanation_names_what_was_chosen_and_what_was_not() {
    let intent = fleet(20, |web| {
        web.placement.sites = vec![name("dc1"), name("east"), name("west")];
        web.placement.max_price = "0.30 USD".parse().ok();
    });
    let explained = explain(
        &intent,
        &facts(),
        &empty(),
        &local("machines.web"),
        &PlaceOptions::default(),
    )
    .expect("known");
    let lines: Vec<String> = explained
        .sites
        .iter()
        .map(|site| format!("{} x{}: {}", site.site, site.count, site.why))
        .collect();
    assert_eq!(
        lines,
        [
            "dc1 x16: as many as fit: it has 0 CPUs free and one needs 4",
            "east x4: what had no room before it in order",
            "west x0: those before it in order have room",
        ]
    );
    let east = &explained.sites[1];
    assert_eq!(east.offers[0].why, "chosen");
    assert_eq!(
        east.rejected,
        BTreeMap::from([
            ("above `max_price`".to_owned(), 3),
            ("too small".to_owned(), 3)
        ])
    );
    assert!(
        explain(
            &intent,
            &facts(),
            &empty(),
            &local("machines.nobody"),
            &PlaceOptions::default()
        )
        .is_none()
    );
}

/// Who gets a public address is the cloud's doing, and is said of what is made there.
#[test]
fn machines_that_get_a_public_address_are_told() {
    let intent = fleet(2, |web| web.placement.sites = vec![name("east")]);
    let desired = place(&intent, &facts(), &empty()).expect("a place");
    for is_public in [false, true] {
        let mut facts = facts();
        for site in facts.values_mut() {
            site.capabilities.public_ips = is_public;
        }
        let plan = diff(&desired, &empty(), &facts, None, &DiffOptions::default());
        for change in &plan.changes {
            let expected = is_public && change.kind == Kind::Machine;
            assert_eq!(change.public_ips, expected, "{}", change.addr);
        }
        assert!(plan.changes.iter().any(|one| one.kind == Kind::Machine));
    }
}
