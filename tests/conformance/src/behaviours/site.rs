//! What is known of a site before anything is made there.

use std::collections::{BTreeMap, BTreeSet};

use strat_model::Sizing;
use strat_provider::{Filter, PermissionCheck, PermissionState, ProviderExt as _};

use super::{bench, passed_over};
use crate::bench::done;
use crate::{Harness, Outcome};

/// One cheap call says who we are.
pub async fn identity_is_known(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let identity = done(bench.provider.identity().await, "asking who we are");
    assert!(!identity.account.is_empty() && !identity.principal.is_empty());
    assert!(!bench.provider.name().is_empty());
    Outcome::Held
}

/// Permissions are told by name, each once; whoever runs this lacks none; and asking makes nothing.
pub async fn permissions_are_told(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let provider = &*bench.provider;
    let count = async || {
        let mut things = BTreeMap::new();
        for kind in bench.kinds() {
            let list = done(
                provider.list_all(kind, &Filter::Owner(bench.owner())).await,
                "listing",
            );
            things.insert(kind, list.len());
        }
        things
    };
    let before = count().await;
    let checks = done(provider.check_permissions().await, "asking what we may");
    if checks.is_empty() {
        return passed_over("no permission is needed");
    }
    let names: Vec<_> = checks.iter().map(|check| &check.permission).collect();
    assert!(names.is_sorted() && names.iter().collect::<BTreeSet<_>>().len() == names.len());
    assert!(names.iter().all(|name| !name.is_empty()));
    let lacking: Vec<_> = checks.iter().filter(|check| check.is_lacking()).collect();
    assert!(lacking.is_empty(), "{lacking:#?}");
    let granted = |check: &&PermissionCheck| check.state == PermissionState::Granted;
    assert!(checks.iter().any(|check| granted(&check)), "{checks:#?}");
    assert_eq!(count().await, before);
    Outcome::Held
}

/// The limits make sense.
pub async fn capabilities_are_sane(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let capabilities = bench.provider.capabilities();
    assert!(capabilities.create_batch >= 1 && capabilities.ids_per_call >= 1);
    assert!(!capabilities.kinds.is_empty(), "a site has something");
    if let Sizing::Flexible {
        max_cpu,
        max_memory,
    } = capabilities.sizing
    {
        assert!(max_cpu > 0 && max_memory.0 > 0);
    }
    Outcome::Held
}

/// There is a zone, and they are sorted.
pub async fn zones_are_sorted(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let zones = bench.zones().await;
    assert!(!zones.is_empty(), "a site has a zone");
    assert!(
        zones.windows(2).all(|pair| pair[0] < pair[1]),
        "sorted, each once: {zones:?}"
    );
    Outcome::Held
}

/// Where sizes are listed, there are some: sorted, each once, in the site's zones, with a price
/// that is no less than nothing, and no GPU's model without a GPU.
pub async fn offers_are_sorted_and_plausible(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let zones = bench.zones().await;
    let offers = done(bench.provider.list_offers().await, "asking for offers");
    if bench.provider.capabilities().sizing == Sizing::Catalogue {
        assert!(
            !offers.is_empty(),
            "a site with a catalogue has something in it"
        );
    }
    for pair in offers.windows(2) {
        let [one, next] = [&pair[0], &pair[1]].map(|o| (&o.zone, &o.machine_type, o.capacity));
        assert!(one < next, "{one:?} is before {next:?}");
    }
    for offer in offers {
        assert!(
            zones.contains(&offer.zone),
            "{offer:?} is in a zone of the site"
        );
        assert!(
            offer.cpu > 0 && offer.memory.0 > 0 && !offer.family.is_empty(),
            "{offer:?}"
        );
        assert!(
            offer.gpu.is_none() || offer.gpus > 0,
            "a model, and none of it: {offer:?}"
        );
        assert!(
            offer
                .price_hour
                .is_none_or(|price| !price.amount.is_sign_negative()),
            "{offer:?}"
        );
    }
    Outcome::Held
}

/// What a machine adds is counted in the quotas that are about it.
pub async fn quotas_count_what_runs(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let quotas = async || done(bench.provider.quotas().await, "asking for quotas");
    let before = quotas().await;
    if before.is_empty() {
        return passed_over("the site tells of no quotas");
    }
    let offer = bench.offer().await;
    bench.running("counted").await;
    let counted = |quotas: &[strat_model::Quota]| -> u64 {
        let about = quotas
            .iter()
            .filter(|q| q.family.as_ref().is_none_or(|f| *f == offer.family));
        about.map(|quota| quota.cpu_used).sum()
    };
    bench
        .until("the quotas count the machine", async || {
            (counted(&quotas().await) > counted(&before)).then_some(())
        })
        .await;
    Outcome::Held
}

/// Where there is a bound on the hardware, a machine uses some of it and gives it back.
pub async fn free_hardware_is_bounded(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let free = async || done(bench.provider.free().await, "asking for the free hardware");
    let Some(before) = free().await else {
        return passed_over("no bound on the hardware is known");
    };
    let machine = bench.running("user").await;
    let during = free().await.expect("a bound stays known");
    assert!(during.cpu < before.cpu && during.memory < before.memory);
    bench.delete(&machine).await;
    assert_eq!(free().await, Some(before));
    Outcome::Held
}

/// The usual systems have an image.
pub async fn public_images_have_the_usual_names(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let images = done(bench.provider.public_images().await, "asking for images");
    let id = images.get("debian-12", None).expect("there is a debian-12");
    assert!(!id.as_str().is_empty());
    Outcome::Held
}
