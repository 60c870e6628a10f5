//! The peers: those of each provider's own tests.

#[path = "../../../../../providers/libvirt/tests/libvirt/support/bystanders.rs"]
pub(crate) mod bystanders;
#[expect(dead_code, reason = "the provider's own tests use more of it")]
#[path = "../../../../../providers/aws/tests/aws/filter/mod.rs"]
pub(crate) mod filter;
#[expect(dead_code, reason = "the provider's own tests use more of it")]
#[path = "../../../../../providers/aws/tests/aws/moto.rs"]
pub(crate) mod moto;
#[expect(dead_code, reason = "the provider's own tests use more of it")]
#[path = "../../../../../providers/libvirt/tests/libvirt/support/peer.rs"]
pub(crate) mod peer;

use std::path::{Path, PathBuf};
use std::process::Command;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::{Duration, OffsetDateTime};

/// The token that the double of Azure takes.
#[derive(Debug)]
pub(crate) struct Token;

#[async_trait]
impl TokenCredential for Token {
    async fn get_token(
        &self,
        _: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        let end = OffsetDateTime::now_utc() + Duration::hours(1);
        Ok(AccessToken::new(strat_arm::TOKEN, end))
    }
}

/// The folder that the scripts in `scripts/peers` install into.
#[expect(
    clippy::disallowed_methods,
    reason = "tests look where the peers were installed"
)]
pub(crate) fn peers() -> PathBuf {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let home = || variable("HOME").expect("a home folder").join(".cache");
    let cache = || variable("XDG_CACHE_HOME").unwrap_or_else(home);
    variable("STRAT_PEERS_DIR").unwrap_or_else(|| cache().join("stratiform/peers"))
}

/// Does something at AWS with the vendor's own client for Python.
pub(crate) fn at_aws(port: u16, command: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hybrid/aws.py");
    let output = Command::new(moto::python())
        .arg(script)
        .arg(format!("http://127.0.0.1:{port}"))
        .arg(command)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command}: {errors}");
}
