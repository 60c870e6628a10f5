//! The protocol's corners, on libvirt's own mock driver `test:///default`.
//! A host's libvirtd has it, as it has QEMU.

use crate::support;
use crate::support::slots::Pair;

use serde_json::json;
use strat_libvirt::LibvirtFactory;
use strat_model::{
    BucketSpec, ErrorKind, Kind, Mark, Name, NetworkSpec, ResourceId, SiteSpec, Spec, Token,
};
use strat_provider::{Filter, ProviderExt, ProviderFactory};

fn site(uri: &str) -> SiteSpec {
    let serde_json::Value::Object(settings) = json!({ "hosts": { "rack1": [uri] } }) else {
        unreachable!("it was written as an object")
    };
    SiteSpec {
        settings,
        ..SiteSpec::new(Name::new("dc1").expect("a name"), "libvirt")
    }
}

fn mark(kind: Kind, owner: &str) -> Mark {
    Mark {
        owner: owner.parse().expect("an owner"),
        addr: format!("{kind}.x@dc1").parse().expect("an address"),
        spec: "0".to_owned(),
        generation: 1,
        origin: None,
        protect: false,
        disposable: false,
        notes: strat_model::Shared::new(),
    }
}

fn network(cidr: &str) -> Spec<ResourceId> {
    Spec::Network(NetworkSpec {
        cidr: cidr.parse().expect("a range"),
        labels: strat_model::Labels::new(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_duplicates_and_lookups_behave() {
    let pair = Pair::take();
    let provider = support::connect(&site(&pair.hosts()[0].mock_uri())).await;
    let mark_of = mark(Kind::Network, "lab");
    let token = Token::derive("p", &mark_of.addr, 1, 1, 0, "");
    let spec = network("10.5.0.0/16");
    let made = provider
        .create(&spec, "lab-core", &mark_of, &token)
        .await
        .expect("made");
    let again = provider
        .create(&spec, "lab-core", &mark_of, &token)
        .await
        .expect("the same");
    assert_eq!(made, again);
    let other = provider
        .create(&network("10.6.0.0/16"), "lab-core", &mark_of, &token)
        .await;
    assert_eq!(
        other.expect_err("another spec").kind(),
        ErrorKind::Precondition
    );
    let theirs = provider
        .create(&spec, "lab-core", &mark(Kind::Network, "else/lab"), &token)
        .await;
    assert_eq!(
        theirs.expect_err("another owner").kind(),
        ErrorKind::AlreadyExists
    );

    let all = provider
        .list_all(Kind::Network, &Filter::All)
        .await
        .expect("a list");
    let foreign = all
        .iter()
        .find(|network| network.mark.is_none())
        .expect("the mock's own network");
    assert_eq!(foreign.name, "default");
    let ours = provider
        .list_all(
            Kind::Network,
            &Filter::Owner("lab".parse().expect("an owner")),
        )
        .await
        .expect("a list");
    assert_eq!(ours.len(), 1);
    for _ in 0..2 {
        provider
            .delete_all(Kind::Network, std::slice::from_ref(&made.id))
            .await
            .expect("deleted");
    }
    let left = provider
        .list_all(Kind::Network, &Filter::All)
        .await
        .expect("a list");
    assert_eq!(left.len(), all.len() - 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn foreign_machines_are_seen_and_counted() {
    let pair = Pair::take();
    let provider = support::connect(&site(&pair.hosts()[0].mock_uri())).await;
    let machines = provider
        .list_all(Kind::Machine, &Filter::All)
        .await
        .expect("a list");
    assert_eq!(
        machines.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(),
        ["test"]
    );
    assert!(machines[0].mark.is_none());
    let none = provider
        .list_all(
            Kind::Machine,
            &Filter::Owner("lab".parse().expect("an owner")),
        )
        .await;
    assert!(none.expect("a list").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn buckets_are_refused_in_words() {
    let pair = Pair::take();
    let provider = support::connect(&site(&pair.hosts()[0].mock_uri())).await;
    assert!(!provider.capabilities().kinds.contains(&Kind::Bucket));
    let spec = Spec::Bucket(BucketSpec {
        versioning: false,
        labels: strat_model::Labels::new(),
    });
    let mark = mark(Kind::Bucket, "lab");
    let token = Token::derive("p", &mark.addr, 1, 1, 0, "");
    let error = provider
        .create(&spec, "b", &mark, &token)
        .await
        .expect_err("no buckets");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("no object store"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_site_without_a_host_that_answers_is_an_error() {
    let context = strat_provider::ConnectContext {
        base_dir: std::env::temp_dir(),
        clock: std::sync::Arc::new(strat_provider::TokioClock::system()),
    };
    let site = site("qemu:///system?socket=/nonexistent/libvirt-sock");
    let error = LibvirtFactory::new()
        .connect(&site, &context)
        .await
        .expect_err("nobody is there");
    assert_eq!(error.kind(), ErrorKind::Transient);
    assert!(
        error.to_string().contains("/nonexistent/libvirt-sock"),
        "{error}"
    );
}
