//! What a call may fail with.

use std::fmt;
use std::io;

use super::sys;

/// A failed call: libvirt's own error, or that of the way to it.
#[derive(Debug, Clone)]
pub(crate) struct Error {
    code: u32,
    message: String,
    /// Whether it is of the way to the daemon, not of what was asked of it.
    of_connection: bool,
}

impl Error {
    /// What a daemon answered. `domain` says which part of libvirt it comes from.
    pub(super) fn told(code: u32, domain: i32, message: String) -> Self {
        Self {
            code,
            message,
            of_connection: [sys::VIR_FROM_RPC, sys::VIR_FROM_REMOTE].contains(&domain),
        }
    }

    /// One of the way to the daemon.
    pub(super) fn broken(message: impl Into<String>) -> Self {
        Self {
            code: sys::VIR_ERR_RPC,
            message: message.into(),
            of_connection: true,
        }
    }

    /// One of the way to the daemon, of which somebody told this much. What says that it is refused is no
    /// failure that passes.
    pub(super) fn of_way(message: impl Into<String>) -> Self {
        let broken = Self::broken(message);
        let said = broken.message.to_ascii_lowercase();
        let code = match said.find("permission denied") {
            // `ssh` adds the ways that it tried: `Permission denied (publickey)`.
            Some(at) if said[at..].starts_with("permission denied (publickey") => {
                sys::VIR_ERR_AUTH_FAILED
            }
            Some(_) => sys::VIR_ERR_ACCESS_DENIED,
            None => broken.code,
        };
        Self { code, ..broken }
    }

    /// What this client cannot do.
    pub(super) fn unsupported(message: impl Into<String>) -> Self {
        Self {
            code: sys::VIR_ERR_NO_SUPPORT,
            message: message.into(),
            of_connection: false,
        }
    }

    /// libvirt's number of it (`virErrorNumber`).
    pub(crate) const fn code(&self) -> u32 {
        self.code
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) const fn is_of_connection(&self) -> bool {
        self.of_connection
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::broken(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_that_is_refused_is_told_from_one_that_is_broken() {
        for (said, code) in [
            (
                "/run/libvirt/libvirt-sock: Permission denied (os error 13)",
                sys::VIR_ERR_ACCESS_DENIED,
            ),
            (
                "Failed to connect socket to '/run/libvirt/libvirt-sock': Permission denied",
                sys::VIR_ERR_ACCESS_DENIED,
            ),
            (
                "strat@kvm1: Permission denied (publickey,password).",
                sys::VIR_ERR_AUTH_FAILED,
            ),
            (
                "ssh: connect to host kvm1 port 22: Connection refused",
                sys::VIR_ERR_RPC,
            ),
        ] {
            let error = Error::of_way(said);
            assert_eq!(error.code(), code, "{said}");
            assert!(error.is_of_connection(), "{said}");
        }
    }
}
