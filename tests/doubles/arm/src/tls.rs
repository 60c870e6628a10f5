//! TLS on the loopback: a root that is made at start, and a certificate by it.

use std::fmt;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

/// A certificate for servers on the loopback, all in PEM: the root that a client has to trust, the
/// certificate by it, and its key.
#[derive(Clone)]
pub struct Certificate {
    /// The root.
    pub root: String,
    /// The certificate.
    pub certificate: String,
    /// The certificate's key.
    pub key: String,
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").finish_non_exhaustive()
    }
}

/// Makes a root and a certificate for another server on the loopback.
///
/// # Errors
/// What is wrong with the machine's source of randomness.
pub fn certificate() -> Result<Certificate, String> {
    let (root, certificate, key) =
        certificates().map_err(|error| format!("certificates: {error}"))?;
    Ok(Certificate {
        root,
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    })
}

/// The root as PEM, and what a server is set up with.
pub(crate) fn identity() -> Result<(String, Arc<ServerConfig>), String> {
    let (root, certificate, key) =
        certificates().map_err(|error| format!("certificates: {error}"))?;
    let chain = vec![certificate.der().clone()];
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let config = config.map_err(|error| format!("TLS: {error}"))?;
    Ok((root, Arc::new(config)))
}

fn certificates() -> Result<(String, rcgen::Certificate, KeyPair), rcgen::Error> {
    let mut of_root = CertificateParams::new(Vec::new())?;
    of_root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    of_root.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let name = "Root of a double of Azure";
    of_root.distinguished_name.push(DnType::CommonName, name);
    let root_key = KeyPair::generate()?;
    let root = of_root.self_signed(&root_key)?;
    let issuer = Issuer::new(of_root, root_key);
    let names = ["127.0.0.1", "localhost"].map(str::to_owned);
    let mut of_server = CertificateParams::new(names)?;
    // Python's `ssl` wants to find the issuer's key.
    of_server.use_authority_key_identifier_extension = true;
    let key = KeyPair::generate()?;
    let certificate = of_server.signed_by(&key, &issuer)?;
    Ok((root.pem(), certificate, key))
}
