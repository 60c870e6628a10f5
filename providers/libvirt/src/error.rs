//! What libvirt's errors mean.

use strat_model::{Error, ErrorKind};

use crate::host::Host;
use crate::rpc::sys;

/// The name of the provider.
pub(crate) const PROVIDER: &str = "libvirt";

/// libvirt's codes, their names, and what they mean. What is not here is `Internal`.
///
/// The codes are those of `virErrorNumber`: <https://libvirt.org/html/libvirt-virterror.html>.
const TABLE: &[(u32, &str, ErrorKind)] = &[
    (
        sys::VIR_ERR_NO_DOMAIN,
        "VIR_ERR_NO_DOMAIN",
        ErrorKind::NotFound,
    ),
    (
        sys::VIR_ERR_NO_NETWORK,
        "VIR_ERR_NO_NETWORK",
        ErrorKind::NotFound,
    ),
    (
        sys::VIR_ERR_NO_STORAGE_POOL,
        "VIR_ERR_NO_STORAGE_POOL",
        ErrorKind::NotFound,
    ),
    (
        sys::VIR_ERR_NO_STORAGE_VOL,
        "VIR_ERR_NO_STORAGE_VOL",
        ErrorKind::NotFound,
    ),
    (
        sys::VIR_ERR_NO_NWFILTER,
        "VIR_ERR_NO_NWFILTER",
        ErrorKind::NotFound,
    ),
    (
        sys::VIR_ERR_NO_NODE_DEVICE,
        "VIR_ERR_NO_NODE_DEVICE",
        ErrorKind::NotFound,
    ),
    (
        sys::VIR_ERR_NO_INTERFACE,
        "VIR_ERR_NO_INTERFACE",
        ErrorKind::NotFound,
    ),
    (
        sys::VIR_ERR_DEVICE_MISSING,
        "VIR_ERR_DEVICE_MISSING",
        ErrorKind::NotFound,
    ),
    (
        sys::VIR_ERR_DOM_EXIST,
        "VIR_ERR_DOM_EXIST",
        ErrorKind::AlreadyExists,
    ),
    (
        sys::VIR_ERR_NETWORK_EXIST,
        "VIR_ERR_NETWORK_EXIST",
        ErrorKind::AlreadyExists,
    ),
    (
        sys::VIR_ERR_STORAGE_VOL_EXIST,
        "VIR_ERR_STORAGE_VOL_EXIST",
        ErrorKind::AlreadyExists,
    ),
    (
        sys::VIR_ERR_RESOURCE_BUSY,
        "VIR_ERR_RESOURCE_BUSY",
        ErrorKind::Conflict,
    ),
    (
        sys::VIR_ERR_OPERATION_INVALID,
        "VIR_ERR_OPERATION_INVALID",
        ErrorKind::Conflict,
    ),
    (
        sys::VIR_ERR_AUTH_FAILED,
        "VIR_ERR_AUTH_FAILED",
        ErrorKind::Unauthenticated,
    ),
    (
        sys::VIR_ERR_AUTH_CANCELLED,
        "VIR_ERR_AUTH_CANCELLED",
        ErrorKind::Unauthenticated,
    ),
    (
        sys::VIR_ERR_AUTH_UNAVAILABLE,
        "VIR_ERR_AUTH_UNAVAILABLE",
        ErrorKind::Unauthenticated,
    ),
    (
        sys::VIR_ERR_OPERATION_DENIED,
        "VIR_ERR_OPERATION_DENIED",
        ErrorKind::Forbidden,
    ),
    (
        sys::VIR_ERR_ACCESS_DENIED,
        "VIR_ERR_ACCESS_DENIED",
        ErrorKind::Forbidden,
    ),
    (
        sys::VIR_ERR_OPERATION_TIMEOUT,
        "VIR_ERR_OPERATION_TIMEOUT",
        ErrorKind::Timeout,
    ),
    (
        sys::VIR_ERR_XML_ERROR,
        "VIR_ERR_XML_ERROR",
        ErrorKind::Invalid,
    ),
    (
        sys::VIR_ERR_XML_DETAIL,
        "VIR_ERR_XML_DETAIL",
        ErrorKind::Invalid,
    ),
    (
        sys::VIR_ERR_XML_INVALID_SCHEMA,
        "VIR_ERR_XML_INVALID_SCHEMA",
        ErrorKind::Invalid,
    ),
    (
        sys::VIR_ERR_INVALID_ARG,
        "VIR_ERR_INVALID_ARG",
        ErrorKind::Invalid,
    ),
    (
        sys::VIR_ERR_INVALID_MAC,
        "VIR_ERR_INVALID_MAC",
        ErrorKind::Invalid,
    ),
    (
        sys::VIR_ERR_NO_SUPPORT,
        "VIR_ERR_NO_SUPPORT",
        ErrorKind::Unsupported,
    ),
    (
        sys::VIR_ERR_CONFIG_UNSUPPORTED,
        "VIR_ERR_CONFIG_UNSUPPORTED",
        ErrorKind::Unsupported,
    ),
    (
        sys::VIR_ERR_ARGUMENT_UNSUPPORTED,
        "VIR_ERR_ARGUMENT_UNSUPPORTED",
        ErrorKind::Unsupported,
    ),
    (
        sys::VIR_ERR_OPERATION_UNSUPPORTED,
        "VIR_ERR_OPERATION_UNSUPPORTED",
        ErrorKind::Unsupported,
    ),
    (
        sys::VIR_ERR_NO_CONNECT,
        "VIR_ERR_NO_CONNECT",
        ErrorKind::Transient,
    ),
    (
        sys::VIR_ERR_INVALID_CONN,
        "VIR_ERR_INVALID_CONN",
        ErrorKind::Transient,
    ),
    (
        sys::VIR_ERR_UNKNOWN_HOST,
        "VIR_ERR_UNKNOWN_HOST",
        ErrorKind::Transient,
    ),
    (sys::VIR_ERR_RPC, "VIR_ERR_RPC", ErrorKind::Transient),
    // The host's own system refused something; a connection's failures are told apart below.
    (
        sys::VIR_ERR_SYSTEM_ERROR,
        "VIR_ERR_SYSTEM_ERROR",
        ErrorKind::Internal,
    ),
    (
        sys::VIR_ERR_GNUTLS_ERROR,
        "VIR_ERR_GNUTLS_ERROR",
        ErrorKind::Transient,
    ),
    (sys::VIR_ERR_LIBSSH, "VIR_ERR_LIBSSH", ErrorKind::Transient),
];

/// The row of a code.
fn row(code: u32) -> (ErrorKind, String) {
    match TABLE.iter().find(|(known, ..)| *known == code) {
        Some((_, name, kind)) => (*kind, (*name).to_owned()),
        None => (ErrorKind::Internal, format!("virErrorNumber {code}")),
    }
}

/// Whether libvirt says that a thing is not there.
pub(crate) fn is_missing(error: &crate::rpc::Error) -> bool {
    row(error.code()).0 == ErrorKind::NotFound
}

/// Whether the host's libvirt has no such call.
pub(crate) fn is_unsupported(error: &crate::rpc::Error) -> bool {
    row(error.code()).0 == ErrorKind::Unsupported
}

/// Whether the host refuses this to whoever asks.
pub(crate) fn is_refusal(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Forbidden | ErrorKind::Unauthenticated
    )
}

/// What a failed call to libvirt on `host` comes to. `doing` says what was tried, as in
/// "starting the machine x".
pub(crate) fn explain(host: &Host, doing: &str, error: &crate::rpc::Error) -> Error {
    let (mut kind, code) = row(error.code());
    let dead = host.forget_if_dead();
    // A connection that broke in the middle of a call: what the call did is not known. Another
    // thread may have replaced it already; then the error's origin tells.
    if (dead || error.is_of_connection()) && kind == ErrorKind::Internal {
        kind = ErrorKind::Transient;
    }
    let message = format!("{doing} on {}: {}", host.name(), error.message().trim());
    Error::new(kind, message)
        .with_provider(PROVIDER)
        .with_code(code)
}

/// The name of an error's code.
pub(crate) fn code_of(error: &crate::rpc::Error) -> String {
    row(error.code()).1
}

/// What it comes to that there is no connection.
pub(crate) fn refused(doing: &str, error: &crate::rpc::Error) -> Error {
    let (kind, code) = row(error.code());
    // Whatever else it says, without a connection nothing is known of the host.
    let kind = match kind {
        ErrorKind::Unauthenticated
        | ErrorKind::Forbidden
        | ErrorKind::Invalid
        | ErrorKind::Unsupported => kind,
        _ => ErrorKind::Transient,
    };
    let told = Error::new(kind, format!("{doing}: {}", error.message().trim()))
        .with_provider(PROVIDER)
        .with_code(code);
    match kind {
        ErrorKind::Forbidden => told.with_help(
            "let the user who connects into the group that owns the socket on that host (`libvirt` as a rule), \
             or name one who is in it in the `uri`: `qemu+ssh://USER@HOST/system`",
        ),
        ErrorKind::Unauthenticated => told.with_help(
            "give the host the key of the user who connects, or name the key in the `uri`: \
             `qemu+ssh://USER@HOST/system?keyfile=FILE`",
        ),
        _ => told,
    }
}

/// Says on which host, and in doing what, a call to libvirt failed.
pub(crate) trait Explain<T> {
    /// The same outcome with an error of ours.
    fn on(self, host: &Host, doing: impl FnOnce() -> String) -> strat_model::Result<T>;

    /// The same, but `None` where the thing is not there.
    fn found(self, host: &Host, doing: impl FnOnce() -> String) -> strat_model::Result<Option<T>>;
}

impl<T> Explain<T> for Result<T, crate::rpc::Error> {
    fn on(self, host: &Host, doing: impl FnOnce() -> String) -> strat_model::Result<T> {
        self.map_err(|error| explain(host, &doing(), &error))
    }

    fn found(self, host: &Host, doing: impl FnOnce() -> String) -> strat_model::Result<Option<T>> {
        match self {
            Ok(value) => Ok(Some(value)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(explain(host, &doing(), &error)),
        }
    }
}

/// The outcome of an operation that was not a call to libvirt, as one of this provider's.
pub(crate) fn told<T>(
    operation: &'static str,
    outcome: strat_model::Result<T>,
) -> strat_model::Result<T> {
    outcome.map_err(|error| error.with_operation(operation).with_provider(PROVIDER))
}

/// An error of this provider's own.
pub(crate) fn fail(kind: ErrorKind, message: impl Into<String>) -> Error {
    Error::new(kind, message).with_provider(PROVIDER)
}

/// A thing that is not there.
pub(crate) fn missing(what: impl std::fmt::Display) -> Error {
    fail(ErrorKind::NotFound, format!("there is no {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_one_row() {
        for (code, name, kind) in TABLE {
            assert_eq!(
                TABLE.iter().filter(|(other, ..)| other == code).count(),
                1,
                "{name}"
            );
            assert_eq!(row(*code), (*kind, (*name).to_owned()));
        }
        assert_eq!(row(0).0, ErrorKind::Internal);
    }

    #[test]
    fn what_is_passing_may_be_repeated_and_nothing_else() {
        for (_, name, kind) in TABLE {
            let passing = matches!(kind, ErrorKind::Transient | ErrorKind::Timeout);
            assert_eq!(kind.is_retryable(), passing, "{name}");
        }
    }
}
