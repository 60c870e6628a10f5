//! Who may see the page of bursts, as the command line says it.

use std::path::Path;

use strat_burst::serve::{Access, Tls, TlsFiles};

use super::run::Run;
use super::running::secret;
use super::serve::Serve;
use crate::failure::Failure;

/// The files that were named.
pub(super) struct Guards<'a> {
    token: Option<&'a Path>,
    certificate: Option<&'a Path>,
    key: Option<&'a Path>,
    clients: Option<&'a Path>,
}

impl<'a> Guards<'a> {
    pub(super) fn of_run(args: &'a Run) -> Self {
        Self {
            token: args.token_file.as_deref(),
            certificate: args.tls_cert.as_deref(),
            key: args.tls_key.as_deref(),
            clients: args.client_ca.as_deref(),
        }
    }

    pub(super) fn of_serve(args: &'a Serve) -> Self {
        Self {
            token: args.token_file.as_deref(),
            certificate: args.tls_cert.as_deref(),
            key: args.tls_key.as_deref(),
            clients: args.client_ca.as_deref(),
        }
    }

    /// Reads them. Beyond this machine, somebody has to prove who they are.
    pub(super) fn read(&self, beyond: bool) -> Result<(Access, Option<Tls>), Failure> {
        let tls = match (self.certificate, self.key) {
            (Some(certificate), Some(key)) => {
                let files = TlsFiles {
                    certificate: certificate.to_owned(),
                    key: key.to_owned(),
                    clients: self.clients.map(Path::to_owned),
                };
                Some(Tls::read(files).map_err(|error| Failure::of(&error))?)
            }
            _ => None,
        };
        let access = match (self.token, self.clients) {
            (Some(path), _) => Access::Token(secret(path)?),
            (None, Some(_)) => Access::Certificate,
            (None, None) if beyond => {
                let what = "beyond this machine nothing is served to whoever asks";
                return Err(Failure::new(what).help(
                    "write a token into a file, and name it: --token-file FILE; or ask for certificates: --client-ca FILE",
                ));
            }
            (None, None) => Access::Anyone,
        };
        Ok((access, tls))
    }
}
