//! How requests travel: by the proxies and with the certificates that the environment names, as the
//! AWS tools have it.
//!
//! - `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, in either case
//!   (<https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-proxy.html>). An endpoint on this
//!   machine itself is asked directly whatever they say: a proxy reaches another one.
//! - `AWS_CA_BUNDLE`, a file of PEM certificates that are trusted instead of the system's
//!   (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-gen-config.html>).
//!
//! FIPS and dual-stack endpoints (`AWS_USE_FIPS_ENDPOINT`, `AWS_USE_DUALSTACK_ENDPOINT`, or the profile's
//! settings of these names) are the SDK's own.

use std::error::Error as StdError;
use std::path::{Path, PathBuf};

use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore, rustls_provider::CryptoMode};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use strat_model::{Error, ErrorKind, Result};
use strat_provider::is_loopback;

/// The variable that names the certificates to trust.
const BUNDLE: &str = "AWS_CA_BUNDLE";

/// A client of requests to an endpoint, `None` being AWS's own.
///
/// # Errors
/// `Invalid` if the file of certificates cannot be read, or has none.
pub fn http_client(endpoint: Option<&str>) -> Result<SharedHttpClient> {
    let trust = match bundle() {
        Some(path) => trust_only(&path)?,
        None => TrustStore::default(),
    };
    let tls = TlsContext::builder().with_trust_store(trust).build();
    let tls = tls.map_err(|error| {
        Error::new(ErrorKind::Invalid, "no TLS can be set up").with_source(error)
    })?;
    let proxies = match endpoint.is_some_and(is_loopback) {
        true => ProxyConfig::disabled(),
        false => ProxyConfig::from_env(),
    };
    Ok(
        Builder::new().build_with_connector_fn(move |settings, parts| {
            let mut connector = Connector::builder()
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(tls.clone())
                .proxy_config(proxies.clone());
            connector.set_connector_settings(settings.cloned());
            if let Some(parts) = parts {
                connector.set_sleep_impl(parts.sleep_impl());
            }
            connector.build()
        }),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "what the AWS tools read of the environment"
)]
fn bundle() -> Option<PathBuf> {
    let path = std::env::var_os(BUNDLE).filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

/// Trusts the certificates of a file of PEM, and no others.
fn trust_only(path: &Path) -> Result<TrustStore> {
    let wrong = |why: &str| {
        let message = format!("{BUNDLE} names {}, {why}", path.display());
        let help = format!("name a file of PEM certificates, or unset {BUNDLE}");
        Error::new(ErrorKind::Invalid, message).with_help(help)
    };
    let text = std::fs::read(path);
    let text = text.map_err(|error| wrong("which cannot be read").with_source(error))?;
    // The connector panics over a certificate that it cannot use. Bundles have such ones; they are
    // left out here, as the connector leaves out the system's own.
    let mut usable = blocks(&text).filter(|block| is_usable(block)).peekable();
    if usable.peek().is_none() {
        return Err(wrong("which has no certificate that can be trusted"));
    }
    Ok(usable.fold(TrustStore::empty(), |store, block| {
        store.with_pem_certificate(block)
    }))
}

fn is_usable(block: &[u8]) -> bool {
    CertificateDer::from_pem_slice(block)
        .is_ok_and(|certificate| RootCertStore::empty().add(certificate).is_ok())
}

/// The blocks of a file of PEM, each with its last line.
fn blocks(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    const END: &[u8] = b"-----END CERTIFICATE-----";
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = rest.windows(END.len()).position(|part| part == END)? + END.len();
        let (block, after) = rest.split_at(end);
        rest = after;
        Some(block)
    })
}

/// What to do about a proxy that does not do its work.
pub const PROXIES: &str = "see `HTTPS_PROXY` and `HTTP_PROXY` in the environment; `NO_PROXY` lists what is asked \
                           directly";

/// What a proxy did with a request, if it was that which failed.
///
/// The words are those of `hyper-util`'s `TunnelError`, whose type is private.
pub fn refused_by_proxy(error: &(dyn StdError + 'static)) -> Option<&'static str> {
    const TOLD: [(&str, &str); 3] = [
        (
            "proxy authorization required",
            "the proxy wants to know who asks (407)",
        ),
        ("unexpected end of file", "the proxy closed the connection"),
        ("unsuccessful", "the proxy refused the connection"),
    ];
    let mut next = Some(error);
    while let Some(error) = next {
        let text = error.to_string();
        if let Some((_, text)) = text.split_once("tunnel error: ") {
            let told = TOLD.iter().find(|(word, _)| text.contains(word));
            return Some(told.map_or("the proxy cannot be reached", |(_, told)| told));
        }
        next = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_that_is_none_is_told() {
        let dir = tempfile::tempdir().expect("a folder");
        let file = dir.path().join("roots.pem");
        let error = trust_only(&file).expect_err("it is not there");
        assert!(error.message().contains("AWS_CA_BUNDLE"), "{error}");
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for text in ["", "no PEM\n", broken] {
            std::fs::write(&file, text).expect("written");
            let error = trust_only(&file).expect_err("no certificate");
            assert!(
                error.help().is_some_and(|help| help.contains("PEM")),
                "{error}"
            );
        }
    }
}
