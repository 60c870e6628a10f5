//! Who may see the page of bursts, as the command line says it.

use std::path::PathBuf;

use clap::Args;

/// The files that guard the page.
#[derive(Debug, Args)]
pub(super) struct Guards {
    /// A file with the token that is asked for before anything is served.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The page's certificate in PEM, with those that lead to its root: it is served over TLS.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The private key of that certificate, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// The roots, in PEM, of the certificates that whoever looks at the page has to show.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    client_ca: Option<PathBuf>,
}

#[cfg(feature = "burst")]
mod reading {
    use strat_burst::serve::{Access, Tls, TlsFiles};

    use super::Guards;
    use crate::commands::burst::running::secret;
    use crate::failure::Failure;

    impl Guards {
        /// Reads them. Beyond this machine, somebody has to prove who they are.
        pub(in crate::commands::burst) fn read(
            &self,
            beyond: bool,
        ) -> Result<(Access, Option<Tls>), Failure> {
            let tls = match (&self.tls_cert, &self.tls_key) {
                (Some(certificate), Some(key)) => {
                    let files = TlsFiles {
                        certificate: certificate.clone(),
                        key: key.clone(),
                        clients: self.client_ca.clone(),
                    };
                    Some(Tls::read(files).map_err(|error| Failure::of(&error))?)
                }
                _ => None,
            };
            let access = match (&self.token_file, &self.client_ca) {
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
}
