//! Refusals that EC2 explains only in an encoded message.

use strat_conformance::Bench;
use strat_model::{ErrorKind, NetworkSpec, Spec};

use crate::harness::Moto;

const DENIED: &str = r#"{"allowed":false,"explicitDeny":true,
    "matchedStatements":{"items":[{"statementId":"NoNetworks","effect":"DENY"}]},
    "failures":{"items":[]},
    "context":{"principal":{"arn":"arn:aws:iam::123456789012:user/ci"},"action":"ec2:CreateVpc",
    "resource":"arn:aws:ec2:eu-central-1:123456789012:vpc/*","conditions":{"items":[]}}}"#;

#[tokio::test]
async fn a_refusal_is_decoded_where_that_is_allowed_and_else_kept() {
    let moto = Moto::start().await;
    let bench = Bench::new(&moto).await;
    let network = Spec::Network(NetworkSpec {
        cidr: "10.6.0.0/16".parse().expect("a range"),
        labels: strat_model::Labels::new(),
    });
    moto.filter.deny("CreateVpc", DENIED, true);
    let refused = bench.try_create(&network, "net").await.expect_err("denied");
    assert_eq!(refused.kind(), ErrorKind::Forbidden);
    let why = "the statement `NoNetworks` denies `ec2:CreateVpc` on \
               arn:aws:ec2:eu-central-1:123456789012:vpc/*";
    assert!(refused.message().ends_with(why), "{refused}");
    assert!(
        refused
            .help()
            .is_some_and(|help| help.contains("does not help"))
    );
    assert_eq!(refused.code(), Some("UnauthorizedOperation"));

    moto.filter.deny("CreateVpc", DENIED, false);
    let refused = bench.try_create(&network, "net").await.expect_err("denied");
    assert!(!refused.to_string().contains("NoNetworks"), "{refused}");
    let help = refused.help().unwrap_or_default();
    assert!(help.contains("allow `ec2:CreateVpc`"), "{help}");
    let mut kept = std::error::Error::source(&refused);
    let mut told = String::new();
    while let Some(source) = kept {
        told += &source.to_string();
        kept = source.source();
    }
    assert!(told.contains("--encoded-message ZW5jb2RlZA_-"), "{told}");
}
