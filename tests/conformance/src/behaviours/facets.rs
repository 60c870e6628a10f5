//! What only some providers have, and what layers make of it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use strat_model::{Field, Kind, ResourceId};
use strat_provider::layers::{CallEvent, CallObserver, Layered, Phase, Reporter, Trace};
use strat_provider::{Create, CreateMachines, Filter, Provider, Shutdown, Sought, Update};

use super::{bench, passed_over};
use crate::bench::refused;
use crate::{Bench, Harness, Outcome};

/// Which facets a provider has.
fn facets(provider: &dyn Provider) -> [(&'static str, bool); 6] {
    [
        ("machines", provider.machines().is_some()),
        ("attachment", provider.attachment().is_some()),
        ("contents", provider.contents().is_some()),
        ("images", provider.images().is_some()),
        ("offers", provider.offers().is_some()),
        ("permissions", provider.permissions().is_some()),
    ]
}

/// What a provider says it can do, it has the facet for; and no facet comes or goes.
pub async fn facets_agree_with_capabilities(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let (provider, capabilities) = (&*bench.provider, bench.provider.capabilities());
    let before = facets(provider);
    let machines = provider.machines().is_some();
    assert!(
        machines || capabilities.create_batch == 1,
        "who makes machines one by one has batches of one"
    );
    assert!(
        bench.has(Kind::Machine) || !machines,
        "who has no machines has no facet for them"
    );
    let attaches = bench.has(Kind::Machine)
        && bench.has(Kind::Volume)
        && bench.can_change(Kind::Volume, Field::Attach).await;
    assert_eq!(provider.attachment().is_some(), attaches);
    let _ = provider.identity().await;
    assert_eq!(facets(provider), before);
    Outcome::Held
}

/// Notes the operations that begin.
#[derive(Debug, Default)]
struct Seen(Mutex<BTreeSet<&'static str>>);

impl CallObserver for Seen {
    fn on_event(&self, event: &CallEvent<'_>) {
        if let Phase::Started = event.phase {
            let mut seen = self.0.lock().expect("no observer panics");
            seen.insert(event.call.operation);
        }
    }
}

/// Layers have the facets of the provider inside, no more and no fewer, and no call of any of them
/// passes by a layer.
pub async fn layers_see_every_facet(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let seen = Arc::new(Seen::default());
    let reporter = Reporter::new(Arc::clone(&bench.clock), vec![Arc::clone(&seen) as _]);
    let layered = Layered::new(
        Arc::clone(&bench.provider),
        vec![Arc::new(Trace::new(reporter))],
    );
    assert_eq!(facets(&layered), facets(&*bench.provider));
    let mut expected = call_what_all_have(&bench, &layered).await;
    expected.extend(call_facets(&bench, &layered).await);
    let seen = seen.0.lock().expect("no observer panics").clone();
    let missed: Vec<_> = expected.difference(&seen).collect();
    assert!(missed.is_empty(), "the layers missed {missed:?}");
    Outcome::Held
}

/// Calls what every provider has. What comes of it is other behaviours' matter.
async fn call_what_all_have(bench: &Bench<'_>, layered: &Layered) -> BTreeSet<&'static str> {
    let kind = bench.kinds()[0];
    let missing = ResourceId::from("missing-1");
    let observe = layered.observe();
    let _ = layered.identity().await;
    let _ = observe
        .list(kind, &Filter::Owner(bench.owner()), None)
        .await;
    let _ = observe.get(kind, &[]).await;
    let _ = observe.find(kind, Sought::default()).await;
    let mut expected = BTreeSet::from(["identity", "list", "get", "find"]);
    let services = [
        (layered.network(), Kind::Network),
        (layered.compute(), Kind::Keypair),
        (layered.storage(), Kind::Bucket),
    ];
    for (service, kind) in services {
        let (mark, token) = (bench.mark(kind, "seen"), bench.token("seen"));
        let spec = match kind {
            Kind::Network => bench.network(),
            Kind::Keypair => bench.keypair(),
            _ => bench.spec(Kind::Bucket).await,
        };
        let create = Create {
            spec: &spec,
            name: &bench.name("seen"),
            mark: &mark,
            token: &token,
        };
        let _ = service.create(create).await;
        let update = Update {
            id: &missing,
            spec: &spec,
            fields: &BTreeSet::new(),
            mark: Some(&mark),
        };
        let _ = service.update(update).await;
        let _ = service.delete(kind, &[]).await;
        let names = kind.operations();
        expected.extend([names.create, names.update, names.delete]);
    }
    expected
}

/// Calls every facet that there is, in ways without an effect.
async fn call_facets(bench: &Bench<'_>, layered: &Layered) -> BTreeSet<&'static str> {
    let missing = ResourceId::from("missing-1");
    let mut expected = BTreeSet::new();
    if let Some(machines) = layered.machines() {
        let spec = bench.machine().await;
        let none = CreateMachines {
            spec: &spec,
            names: &[],
            mark: &bench.mark(Kind::Machine, "seen"),
            token: &bench.token("none"),
        };
        let _ = machines.create_machines(none).await;
        let _ = machines.start_machines(&[]).await;
        let _ = machines.stop_machines(&[], Shutdown::Ask).await;
        expected.extend(["create_machines", "start_machines", "stop_machines"]);
    }
    if let Some(attachment) = layered.attachment() {
        let _ = attachment.attach_volume(&missing, &missing).await;
        let _ = attachment.detach_volume(&missing).await;
        expected.extend(["attach_volume", "detach_volume"]);
    }
    if let Some(contents) = layered.contents() {
        let _ = contents.empty_bucket(&missing).await;
        expected.insert("empty_bucket");
    }
    if let Some(images) = layered.images() {
        let _ = images.public_images().await;
        expected.insert("public_images");
    }
    if let Some(offers) = layered.offers() {
        let _ = offers.zones().await;
        let _ = offers.list_offers().await;
        let _ = offers.free().await;
        let _ = offers.quotas().await;
        expected.extend(["zones", "list_offers", "free", "quotas"]);
    }
    if let Some(permissions) = layered.permissions() {
        let _ = permissions.check_permissions().await;
        expected.insert("check_permissions");
    }
    expected
}

/// A kind that the site does not have is refused as unsupported.
pub async fn kinds_that_are_not_there_are_refused(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    let alone = [
        Kind::Network,
        Kind::Address,
        Kind::Keypair,
        Kind::Image,
        Kind::Bucket,
    ];
    let lacking: Vec<_> = alone.into_iter().filter(|kind| !bench.has(*kind)).collect();
    for kind in &lacking {
        let made = bench.try_create(&bench.spec(*kind).await, "never").await;
        refused(made, &[strat_model::ErrorKind::Unsupported], "making it");
    }
    if lacking.is_empty() {
        return passed_over("the site has every kind that stands alone");
    }
    Outcome::Held
}
