//! Every method reaches its own, under its own name, and the layers stand in order.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use strat_model::{ErrorKind, Kind, ResourceId, Result};
use strat_provider::layers::{Call, Effect, Flaws, Layer, Layered, Next};
use strat_provider::{
    Create, Kept, LeaseKey, LeaseVersion, Outcome, Provider, ProviderExt, Shutdown, Sought,
    gather_facts,
};

use crate::fake::{Fake, create_network, error, list, mark, specs, token};

/// Notes its letter and the operation, before and after.
#[derive(Debug)]
struct Note {
    letter: char,
    notes: Arc<Mutex<Vec<String>>>,
}

#[async_trait]
impl Layer for Note {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        let note = |what: &str| {
            let text = format!("{}{what}{}", self.letter, call.operation);
            self.notes.lock().expect("notes").push(text);
        };
        note(">");
        let result = next.run().await;
        note("<");
        result
    }
}

#[tokio::test]
async fn layers_run_from_the_outermost_in() {
    let notes = Arc::new(Mutex::new(Vec::new()));
    let layer = |letter| -> Arc<dyn Layer> {
        Arc::new(Note {
            letter,
            notes: Arc::clone(&notes),
        })
    };
    let provider = Layered::new(Fake::ok(), vec![layer('a'), layer('b')]);
    list(&provider).await.expect("a page");
    assert_eq!(
        *notes.lock().expect("notes"),
        ["a>list", "b>list", "b<list", "a<list"]
    );
}

/// Checks what calls say of themselves, and notes their names.
#[derive(Debug, Default)]
struct Census(Mutex<Vec<&'static str>>);

#[async_trait]
impl Layer for Census {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        let is_create = call.operation.starts_with("create_");
        let is_update = call.operation.starts_with("update_");
        let is_write = is_create
            || is_update
            || [
                "start_", "stop_", "delete_", "attach_", "detach_", "empty_", "make_", "replace_",
                "prove_",
            ]
            .iter()
            .any(|verb| call.operation.starts_with(verb));
        assert_eq!(call.effect == Effect::Write, is_write, "{call:?}");
        assert_eq!(call.addr.is_some(), is_create || is_update, "{call:?}");
        if let (true, Some(kind)) = (is_write, call.kind) {
            assert!(call.operation.contains(kind.as_str()), "{call:?}");
        }
        self.0.lock().expect("census").push(call.operation);
        next.run().await
    }
}

#[tokio::test]
async fn every_method_reaches_its_own() {
    let fake = Fake::ok();
    let census = Arc::new(Census::default());
    let provider = Layered::new(Arc::clone(&fake) as _, vec![Arc::clone(&census) as _]);
    let id = ResourceId::from("id-1");
    let ids = [id.clone(), id.clone()];

    provider.identity().await.expect("identity");
    provider.check_permissions().await.expect("permissions");
    for spec in specs() {
        let made = provider
            .create(&spec, "core", &mark(), &token())
            .await
            .expect("create");
        assert_eq!(made.spec, spec);
        let changed = provider
            .update(&id, &spec, &BTreeSet::new(), &mark())
            .await
            .expect("update");
        assert_eq!(changed.spec, spec);
        let deleted = provider.delete(spec.kind(), &ids[..1]).await;
        Outcome::all_done(deleted).expect("delete");
    }
    let request = Create {
        spec: &specs()[6],
        name: "core",
        mark: &mark(),
        token: &token(),
    };
    provider.compute().create(request).await.expect("create");
    let started = provider.start_machines(&ids[..1]).await;
    Outcome::all_done(started).expect("start");
    let stopped = provider.stop_machines(&ids[..1], Shutdown::Ask).await;
    Outcome::all_done(stopped).expect("stop");
    provider.attach_volume(&id, &id).await.expect("attach");
    provider.detach_volume(&id).await.expect("detach");
    provider.empty_bucket(&id).await.expect("empty");
    let addrs = [mark().addr];
    let sought = Sought {
        names: &[],
        addrs: &addrs,
    };
    let found = provider.find_all(Kind::Network, sought).await;
    assert_eq!(found.expect("find").len(), 1);
    let got = provider.get_all(Kind::Network, &ids).await.expect("get");
    assert_eq!(got.len(), 2);
    list(&provider).await.expect("list");
    gather_facts(&provider).await.expect("facts");
    let leases = provider.leases().expect("leases");
    let (key, version) = (LeaseKey::of("a", "b"), LeaseVersion("1".to_owned()));
    let kept = Kept {
        text: "{}".to_owned(),
        version: version.clone(),
    };
    leases.places().await.expect("places");
    leases.missing().await.expect("missing");
    leases.make().await.expect("make");
    leases.read(&key).await.expect("read");
    leases
        .replace(&key, "{}", Some(&version))
        .await
        .expect("replace");
    leases.prove(&key, &kept).await.expect("prove");

    assert_eq!(fake.done(), *census.0.lock().expect("census"));
    let different: BTreeSet<_> = fake.done().into_iter().collect();
    assert_eq!(different.len(), 49, "{different:?}");
}

#[tokio::test]
async fn an_error_says_which_call_it_is_of() {
    let provider = Layered::new(Fake::failing([error(ErrorKind::Quota)]), Vec::new());
    let error = create_network(&provider).await.expect_err("an error");
    assert_eq!(error.operation(), Some("create_network"));
    assert_eq!(error.provider(), Some("fake"));
    assert_eq!(error.addr(), Some(&mark().addr));
    assert_eq!(error.request_id(), Some("r-1"));
}

/// Claims success without making the call.
#[derive(Debug)]
struct Liar;

#[async_trait]
impl Layer for Liar {
    async fn around(&self, _: &Call<'_>, _: Next<'_>) -> Result<Flaws> {
        Ok(Flaws::none())
    }
}

#[tokio::test]
async fn a_layer_cannot_invent_an_answer() {
    let provider = Layered::new(Fake::ok(), vec![Arc::new(Liar)]);
    let error = list(&provider).await.expect_err("no answer");
    assert_eq!(error.kind(), ErrorKind::Internal);
}
