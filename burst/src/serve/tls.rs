//! TLS for the page: a certificate of its own, and those of whoever may see it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use tokio_rustls::TlsAcceptor;

/// The files that a page is served with over TLS. They are read again once they were changed, so that
/// certificates can be renewed while it runs.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate and those that lead to its root, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
    /// The roots of the certificates that whoever looks at the page has to show, in PEM; `None`: no
    /// certificate is asked for.
    pub clients: Option<PathBuf>,
}

/// Why TLS is not possible.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A file cannot be read.
    #[error("{what} cannot be read from {path}")]
    Read {
        /// What it is to have.
        what: &'static str,
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A file has none of what it is to have.
    #[error("there is no {what} in {path}")]
    Nothing {
        /// What it is to have.
        what: &'static str,
        /// The file.
        path: String,
    },
    /// What the files have does not go together, or is not what it is to be.
    #[error("the certificates cannot be used")]
    Unusable(#[source] rustls::Error),
    /// There is none whom the roots of clients would let in.
    #[error("the roots of clients cannot be used")]
    Clients(#[source] rustls::server::VerifierBuilderError),
}

/// What connections are accepted with.
pub struct Tls {
    files: TlsFiles,
    known: Mutex<Known>,
}

struct Known {
    changed: Vec<Option<SystemTime>>,
    acceptor: TlsAcceptor,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls")
            .field("files", &self.files)
            .finish_non_exhaustive()
    }
}

impl Tls {
    /// Reads the files.
    ///
    /// # Errors
    /// If one cannot be read, or what they have does not go together.
    pub fn read(files: TlsFiles) -> Result<Self, TlsError> {
        let known = Known {
            changed: files.changed(),
            acceptor: files.acceptor()?,
        };
        Ok(Self {
            files,
            known: Mutex::new(known),
        })
    }

    /// Whether whoever connects has to show a certificate.
    #[must_use]
    pub const fn asks_for_certificates(&self) -> bool {
        self.files.clients.is_some()
    }

    /// What the next connection is accepted with. Files that cannot be used leave the last ones.
    pub(super) fn acceptor(&self) -> TlsAcceptor {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = self.files.changed();
        if changed != known.changed {
            match self.files.acceptor() {
                Ok(acceptor) => known.acceptor = acceptor,
                Err(error) => {
                    let why = crate::signals::in_one_line(&error);
                    tracing::warn!(%why, "changed certificates are not used, and the last ones are");
                }
            }
            known.changed = changed;
        }
        known.acceptor.clone()
    }
}

impl TlsFiles {
    fn changed(&self) -> Vec<Option<SystemTime>> {
        let files = [
            Some(&self.certificate),
            Some(&self.key),
            self.clients.as_ref(),
        ];
        let changed = |path: &PathBuf| std::fs::metadata(path).ok()?.modified().ok();
        files.into_iter().flatten().map(changed).collect()
    }

    fn acceptor(&self) -> Result<TlsAcceptor, TlsError> {
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let chain = certificates("a certificate", &self.certificate)?;
        let key = private_key(&self.key)?;
        let config = ServerConfig::builder_with_provider(Arc::clone(&ring))
            .with_safe_default_protocol_versions()
            .map_err(TlsError::Unusable)?;
        let config = match &self.clients {
            None => config.with_no_client_auth(),
            Some(path) => {
                let mut roots = RootCertStore::empty();
                for root in certificates("a root of clients", path)? {
                    roots.add(root).map_err(TlsError::Unusable)?;
                }
                let clients = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), ring);
                config.with_client_cert_verifier(clients.build().map_err(TlsError::Clients)?)
            }
        };
        let mut config = config
            .with_single_cert(chain, key)
            .map_err(TlsError::Unusable)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(TlsAcceptor::from(Arc::new(config)))
    }
}

fn read(what: &'static str, path: &Path) -> Result<Vec<u8>, TlsError> {
    std::fs::read(path).map_err(|source| TlsError::Read {
        what,
        path: path.display().to_string(),
        source,
    })
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = read(what, path)?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) | Err(_) => Err(TlsError::Nothing {
            what,
            path: path.display().to_string(),
        }),
    }
}

/// The error says nothing of what the file has: that is a secret.
fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let what = "a private key";
    let text = read(what, path)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|_| TlsError::Nothing {
        what,
        path: path.display().to_string(),
    })
}
