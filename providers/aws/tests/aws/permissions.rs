//! Which permission is missing: with IAM's checks on, by users that lack some.

use std::collections::BTreeSet;
use std::sync::Arc;

use aws_credential_types::Credentials;
use strat_model::ErrorKind;
use strat_provider::ProviderExt as _;
use strat_provider::{PermissionCheck, PermissionState, Provider};

use crate::filter::Filter;
use crate::harness::{connect, site};
use crate::iam::{Key, NOT_NEEDED_WITHOUT_SPOT, users};
use crate::moto;

/// The actions that only the simulation tells of.
fn is_s3(action: &str) -> bool {
    action.starts_with("s3:") && action != "s3:ListAllMyBuckets"
}

/// A site that uses everything but spot capacity.
async fn provider(filter: &Filter, key: &Key) -> Arc<dyn Provider> {
    let credentials = Credentials::new(&key.0, &key.1, None, None, "tests");
    let mut site = site(&format!("http://127.0.0.1:{}", filter.port));
    site.settings.insert("prices".to_owned(), "live".into());
    site.settings
        .insert("kms_key".to_owned(), "alias/shop".into());
    connect(&site, credentials).await
}

async fn checks(filter: &Filter, key: &Key) -> Vec<PermissionCheck> {
    let provider = provider(filter, key).await;
    provider.check_permissions().await.expect("permissions")
}

fn missing(checks: &[PermissionCheck]) -> BTreeSet<&str> {
    let missing = |check: &&PermissionCheck| matches!(check.state, PermissionState::Missing { .. });
    let names = checks.iter().filter(missing);
    names.map(|check| check.permission.as_str()).collect()
}

/// How many things of each kind there are, whoever made them.
async fn things(filter: &Filter, key: &Key) -> Vec<usize> {
    let provider = provider(filter, key).await;
    let mut counts = Vec::new();
    for kind in &provider.capabilities().kinds {
        let all = strat_provider::Filter::All;
        let list = strat_provider::ProviderExt::list_all(&*provider, *kind, &all).await;
        counts.push(list.expect("a list").len());
    }
    counts
}

#[tokio::test]
async fn what_is_missing_is_named_and_nothing_is_made() {
    let server = moto::Moto::start();
    let users = users(server.port);
    let filter = Filter::start(server.port).await;
    filter.set_prices(&[("t3.micro", "0.0120000000")]);
    let actions: BTreeSet<&str> = users.without.keys().map(String::as_str).collect();

    // Whatever only the simulation tells of is unknown, where that may not be asked.
    let before = things(&filter, &users.all).await;
    let all = checks(&filter, &users.all).await;
    let named: BTreeSet<&str> = all.iter().map(|check| check.permission.as_str()).collect();
    assert_eq!(named, actions);
    assert_eq!(
        missing(&all),
        BTreeSet::from(["iam:SimulatePrincipalPolicy"])
    );
    assert!(!all.iter().any(PermissionCheck::is_lacking), "{all:#?}");
    for check in all.iter().filter(|check| is_s3(&check.permission)) {
        let unknown = matches!(check.state, PermissionState::Unknown { .. });
        assert!(unknown, "{check:?}");
    }

    // With the simulation everything is known.
    filter.simulate_policy(actions.iter().map(ToString::to_string).collect());
    let all = checks(&filter, &users.all).await;
    let open = all
        .iter()
        .filter(|check| check.state != PermissionState::Granted);
    assert_eq!(open.count(), 0, "{all:#?}");

    // Half of the actions each; and no action more than those is said to be missing.
    for half in &users.half {
        let lacks: BTreeSet<&str> = half.lacks.iter().map(String::as_str).collect();
        let has = actions.difference(&lacks).map(ToString::to_string);
        filter.simulate_policy(has.collect());
        let told = checks(&filter, &half.key).await;
        let expect: BTreeSet<&str> = lacks
            .iter()
            // The filter answers for it, not moto.
            .filter(|action| **action != "iam:SimulatePrincipalPolicy")
            .copied()
            .collect();
        assert_eq!(missing(&told), expect);
        let lacking = told.iter().filter(|check| check.is_lacking());
        let lacking: BTreeSet<&str> = lacking.map(|check| check.permission.as_str()).collect();
        let needed = expect.into_iter();
        let needed = needed.filter(|action| !NOT_NEEDED_WITHOUT_SPOT.contains(action));
        assert_eq!(lacking, needed.collect());
    }

    // One action only.
    filter.simulate_policy(actions.iter().map(ToString::to_string).collect());
    let told = checks(&filter, &users.without["ec2:RunInstances"]).await;
    assert_eq!(missing(&told), BTreeSet::from(["ec2:RunInstances"]));
    assert_eq!(things(&filter, &users.all).await, before, "nothing is made");

    let wrong = (users.all.0.clone(), "wrong".to_owned());
    let refused = provider(&filter, &wrong).await.check_permissions().await;
    let refused = refused.expect_err("a wrong secret");
    assert_eq!(refused.kind(), ErrorKind::Unauthenticated, "{refused}");
}
