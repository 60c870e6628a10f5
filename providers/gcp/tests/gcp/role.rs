//! The least role of docs/gcp-role.yaml: that each permission which is left out is told by its name.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU8, Ordering};

use strat_conformance::Bench;
use strat_model::{Error, Kind, Resource, ResourceId, Spec};
use strat_provider::{Filter, PermissionState, ProviderExt as _};

use crate::harness::Google;

/// The permissions of the least role.
pub(crate) fn role() -> BTreeSet<String> {
    let role = include_str!("../../../../docs/gcp-role.yaml");
    let lines = role.lines().filter_map(|line| line.strip_prefix("- "));
    lines.map(str::to_owned).collect()
}

/// What a call is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Make,
    List,
    Delete,
}

/// A small thing of any kind; of subnets, each in the next range.
async fn spec(bench: &Bench<'_>, kind: Kind) -> Spec<ResourceId> {
    static NEXT: AtomicU8 = AtomicU8::new(20);
    let mut spec = bench.spec(kind).await;
    if let Spec::Subnet(subnet) = &mut spec {
        let next = NEXT.fetch_add(1, Ordering::Relaxed);
        subnet.cidr = format!("10.77.{next}.0/24").parse().expect("a range");
    }
    spec
}

/// Does one thing.
async fn act(
    bench: &Bench<'_>,
    act: Act,
    kind: Kind,
    (thing, to_be): (&Resource, &Spec<ResourceId>),
    word: &str,
) -> Result<(), Error> {
    match act {
        Act::Make => bench.try_create(to_be, word).await.map(|_| ()),
        Act::List => {
            let filter = Filter::Owner(bench.owner());
            bench.provider.list_all(kind, &filter).await.map(|_| ())
        }
        Act::Delete => bench.try_delete(thing).await,
    }
}

#[tokio::test]
async fn each_permission_that_is_left_out_is_told_by_its_name() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    let (mut named, mut spared) = (BTreeSet::new(), BTreeSet::new());
    for kind in bench.kinds() {
        for what in [Act::Make, Act::List, Act::Delete] {
            // What it needs, as the double sees it.
            let made = spec(&bench, kind).await;
            let thing = bench
                .create(&made, &format!("{kind}-{what:?}").to_lowercase())
                .await;
            let word = format!("{kind}-{what:?}-0").to_lowercase();
            let to_be = spec(&bench, kind).await;
            google.gce.take_needed();
            act(&bench, what, kind, (&thing, &to_be), &word)
                .await
                .expect("with all of them");
            for (index, permission) in google.gce.take_needed().into_iter().enumerate() {
                let word = format!("{kind}-{what:?}-without-{index}").to_lowercase();
                let thing = bench
                    .create(&spec(&bench, kind).await, &format!("{word}-is"))
                    .await;
                let to_be = spec(&bench, kind).await;
                google.gce.deny(&permission);
                let told = act(&bench, what, kind, (&thing, &to_be), &word).await;
                google.gce.allow(&permission);
                match told {
                    Err(error) => {
                        let text = format!("{error} {}", error.help().unwrap_or_default());
                        assert!(
                            text.contains(&permission),
                            "{permission}: {what:?} {kind}: {text}"
                        );
                        named.insert(permission);
                    }
                    Ok(()) => {
                        spared.insert(format!("{permission} ({what:?} {kind})"));
                    }
                }
            }
        }
    }
    // A bucket of which nobody knows whether it is empty is told so; and a machine whose operation cannot
    // be waited for is seen by its name.
    let goes_on = [
        "compute.zoneOperations.get (Make machine)",
        "storage.objects.list (List bucket)",
        "storage.objects.list (Make bucket)",
    ];
    assert!(spared.iter().eq(goes_on.iter()), "{spared:#?}");
    assert!(
        named.is_subset(&role()),
        "{:?}",
        named.difference(&role()).collect::<Vec<_>>()
    );
    assert!(named.len() > 30, "{named:?}");
}

#[tokio::test]
async fn each_permission_of_the_role_that_is_missing_is_told() {
    let google = Google::start().await;
    let bench = Bench::new(&google).await;
    for permission in role() {
        google.gce.deny(&permission);
        let checks = bench.provider.check_permissions().await.expect("checks");
        let missing = checks.iter();
        let missing =
            missing.filter(|check| matches!(check.state, PermissionState::Missing { .. }));
        let missing: Vec<&str> = missing.map(|check| check.permission.as_str()).collect();
        assert_eq!(missing, [permission.as_str()]);
        google.gce.allow(&permission);
    }
}
