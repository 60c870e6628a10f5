//! What PostgreSQL's errors are here.
//!
//! <https://www.postgresql.org/docs/current/errcodes-appendix.html>

use std::error::Error as StdError;

use strat_model::{Error, ErrorKind};
use tokio_postgres::error::SqlState;

/// What to do about a password that is missing or wrong.
const PASSWORD: &str = "set `PGPASSWORD`, or write the password into `~/.pgpass` or the file that \
                        `PGPASSFILE` names, which nobody else may read";

/// By `SQLSTATE`, or by the two characters of its class: the kind, and what to do.
const KINDS: [(&str, ErrorKind, Option<&str>); 14] = [
    // A connection broke off, or was never made.
    ("08", ErrorKind::Transient, None),
    // The role, its password, or `pg_hba.conf` says no.
    ("28", ErrorKind::Unauthenticated, Some(PASSWORD)),
    // Another transaction wrote the same row, at an isolation level that says so.
    ("40001", ErrorKind::Precondition, None),
    ("40", ErrorKind::Transient, None),
    // The database is not there. Not `NotFound`, which says that the table is missing.
    (
        "3D000",
        ErrorKind::Invalid,
        Some("create the database, or correct `dbname`"),
    ),
    (
        "3F000",
        ErrorKind::Invalid,
        Some("create the schema, or correct `schema`"),
    ),
    (
        "25006",
        ErrorKind::Transient,
        Some("lead `host` to the primary: this server takes no writes"),
    ),
    ("42P01", ErrorKind::NotFound, None),
    (
        "42501",
        ErrorKind::Forbidden,
        Some("grant the role SELECT, INSERT and UPDATE on the table, and USAGE on its schema"),
    ),
    // Too many connections, no disk, no memory.
    ("53", ErrorKind::Transient, None),
    // A lock was not had in the time that the server allows.
    ("55P03", ErrorKind::Transient, None),
    // A statement took longer than the server allows.
    ("57014", ErrorKind::Timeout, None),
    // The server starts or stops.
    ("57", ErrorKind::Transient, None),
    ("58", ErrorKind::Transient, None),
];

/// The error of a call, told of the `operation` that it was for.
pub(crate) fn failed(operation: &str) -> impl Fn(tokio_postgres::Error) -> Error + '_ {
    move |error| {
        let Some(answer) = error.as_db_error() else {
            return without_answer(operation, error);
        };
        let code = answer.code().code().to_owned();
        let found = KINDS.iter().find(|(prefix, ..)| code.starts_with(prefix));
        let (kind, help) = found.map_or((ErrorKind::Internal, None), |row| (row.1, row.2));
        let message = format!("PostgreSQL: {operation}: {}", answer.message());
        told(kind, message, help).with_code(code)
    }
}

fn told(kind: ErrorKind, message: String, help: Option<&str>) -> Error {
    let error = Error::new(kind, message).with_provider("postgres");
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

/// Whether an error says that something is there already: of two that make a table at once, one is
/// told either.
pub(crate) fn is_there_already(error: &tokio_postgres::Error) -> bool {
    let known = [SqlState::DUPLICATE_TABLE, SqlState::UNIQUE_VIOLATION];
    error.code().is_some_and(|code| known.contains(code))
}

/// An error that the server did not say: the way to it is broken, or closed to us.
fn without_answer(operation: &str, error: tokio_postgres::Error) -> Error {
    let mut message = format!("PostgreSQL: {operation}: {error}");
    let (kind, help) = if is_of_certificate(&error) {
        let help = "see that the certificate is of the name in `host`, and that `sslrootcert` names \
                    its authority";
        (ErrorKind::Invalid, Some(help))
    } else {
        // There is no public way to tell these apart but their words.
        let cause = error.source().map(ToString::to_string);
        match (error.to_string().as_str(), cause.as_deref()) {
            (_, Some("password missing")) => {
                message = "PostgreSQL: the server wants a password, and there is none".to_owned();
                (ErrorKind::Unauthenticated, Some(PASSWORD))
            }
            ("authentication error", _) => (ErrorKind::Unauthenticated, Some(PASSWORD)),
            (_, Some("server does not support TLS")) => {
                let help = "turn `ssl` on at the server, or write `sslmode = \"disable\"`";
                (ErrorKind::Invalid, Some(help))
            }
            _ => (ErrorKind::Transient, None),
        }
    };
    told(kind, message, help).with_source(error)
}

/// Whether the server's certificate was not believed.
fn is_of_certificate(error: &tokio_postgres::Error) -> bool {
    let mut next = error.source();
    while let Some(cause) = next {
        let io = cause.downcast_ref::<std::io::Error>();
        let inner = io.and_then(std::io::Error::get_ref);
        let tls = inner.and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let tls = tls.or_else(|| cause.downcast_ref::<rustls::Error>());
        if let Some(rustls::Error::InvalidCertificate(_)) = tls {
            return true;
        }
        next = cause.source();
    }
    false
}
