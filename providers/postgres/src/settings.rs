//! The settings of a `lease` block.

use std::net::IpAddr;
use std::path::PathBuf;

use strat_model::LeaseSpec;
use strat_provider::{SettingError, SettingsReader};

/// What a `lease` block says, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    /// The server's name or address, or the folder of its socket.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) dbname: String,
    /// The schema of the table.
    pub(crate) schema: String,
    /// Who we are there; `PGUSER`, or the name of the process's user, if it is not said.
    pub(crate) user: Option<String>,
    pub(crate) tls: TlsMode,
    /// Who signed the server's certificate, instead of those whom the system trusts.
    pub(crate) root_cert: Option<PathBuf>,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TlsMode {
    /// Not at all.
    Disable,
    /// By TLS, with a certificate of the server's name that is trusted.
    VerifyFull,
}

const KNOWN: [&str; 7] = [
    "dbname",
    "host",
    "port",
    "schema",
    "sslmode",
    "sslrootcert",
    "user",
];

/// PostgreSQL's port.
const PORT: u16 = 5432;

impl Settings {
    /// Reads the block, or says all that is wrong with it.
    pub(crate) fn parse(spec: &LeaseSpec) -> Result<Self, Vec<SettingError>> {
        let mut reader = SettingsReader::of_lease(spec);
        let host = host(&mut reader);
        let settings = Self {
            tls: tls_mode(&mut reader, &host),
            host,
            port: port(&mut reader),
            dbname: needed(&mut reader, "dbname", "dbname = \"stratiform\""),
            schema: schema(&mut reader),
            user: reader.text("user"),
            root_cert: reader.text("sslrootcert").map(PathBuf::from),
        };
        if settings.root_cert.is_some() && settings.tls == TlsMode::Disable && reader.is_ok() {
            let help = "add `sslmode = \"verify-full\"`, or remove it";
            reader.fail("sslrootcert", "no certificate is looked at", help);
        }
        let credentials = "set `PGPASSWORD`, or write it into the file of passwords that \
                           PostgreSQL's own programs read, `~/.pgpass` or `PGPASSFILE`";
        reader.unknown("a lease in PostgreSQL", &KNOWN, credentials);
        reader.finish(settings)
    }

    /// Where it is, for people.
    pub(crate) fn place(&self) -> String {
        let Self {
            host, port, dbname, ..
        } = self;
        format!("PostgreSQL {host}:{port}/{dbname}")
    }
}

/// A setting that must be the same for all who run the topology, and so stands in it.
fn needed(reader: &mut SettingsReader<'_, LeaseSpec>, name: &str, example: &str) -> String {
    if reader.value(name).is_none() {
        let help = format!("add `{example}`: it is the same for all who apply the topology");
        let message = "a lease in PostgreSQL needs it";
        reader.fail(name, message, help.as_str());
    }
    reader.text(name).unwrap_or_default()
}

fn host(reader: &mut SettingsReader<'_, LeaseSpec>) -> String {
    let host = needed(reader, "host", "host = \"db.example\"");
    if host.contains("://") || host.contains('@') || host.contains('=') {
        // It may hold a password, so it is not repeated.
        let help = "write `host`, `port`, `dbname` and `user` one by one";
        reader.fail("host", "it is the server's name alone", help);
    } else if host.contains(',') {
        let help = "name one address that always leads to the primary: a lease that was had at one \
                    server, another one need not know";
        reader.fail("host", "it is one server", help);
    }
    host
}

fn port(reader: &mut SettingsReader<'_, LeaseSpec>) -> u16 {
    let help = "write a number, such as `5432`";
    match reader.get_or_help::<u16>("port", Some(help)) {
        Some(0) => {
            reader.fail("port", "there is no port 0", help);
            PORT
        }
        port => port.unwrap_or(PORT),
    }
}

fn schema(reader: &mut SettingsReader<'_, LeaseSpec>) -> String {
    let schema = reader.text("schema");
    let schema = schema.unwrap_or_else(|| "public".to_owned());
    let is_word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let begins_well = schema.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if !begins_well || !schema.chars().all(is_word) || schema.len() > 63 {
        let message = format!("`{schema}` is no plain name of a schema");
        let help = "use lower-case letters, digits and `_`";
        reader.fail("schema", message, help);
    }
    schema
}

/// Whether nobody can listen in between: a socket's folder, or this very host.
fn is_here(host: &str) -> bool {
    let address = host.parse::<IpAddr>();
    host.starts_with('/') || host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
}

fn tls_mode(reader: &mut SettingsReader<'_, LeaseSpec>, host: &str) -> TlsMode {
    let usual = if is_here(host) {
        TlsMode::Disable
    } else {
        TlsMode::VerifyFull
    };
    let unchecked = ["allow", "prefer", "require", "verify-ca"];
    let Some(word) = reader.text("sslmode") else {
        return usual;
    };
    match word.as_str() {
        "disable" => TlsMode::Disable,
        "verify-full" => TlsMode::VerifyFull,
        word if unchecked.contains(&word) => {
            let message = format!("with `{word}` anybody may answer in the server's place");
            let help = "write `verify-full`, with `sslrootcert` if its certificate is of your own \
                        authority; or `disable`";
            reader.fail("sslmode", message, help);
            usual
        }
        word => {
            let message = format!("`{word}` is none of the words that it may be");
            reader.fail("sslmode", message, "write `verify-full` or `disable`");
            usual
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn spec(settings: Value) -> LeaseSpec {
        let Value::Object(settings) = settings else {
            panic!("settings are an object")
        };
        LeaseSpec {
            store: "postgres".to_owned(),
            settings,
            origin: None,
        }
    }

    #[test]
    fn settings_are_read_and_a_server_elsewhere_is_verified() {
        let read = Settings::parse(&spec(json!({
            "host": "db.example", "dbname": "strat", "user": "ci", "port": 6432, "schema": "ops",
            "sslrootcert": "ca.pem",
        })));
        let read = read.expect("right");
        assert_eq!(read.place(), "PostgreSQL db.example:6432/strat");
        assert_eq!(read.tls, TlsMode::VerifyFull);
        assert_eq!(read.schema, "ops");
        for here in ["localhost", "127.0.0.2", "::1", "/run/postgresql"] {
            let read = Settings::parse(&spec(json!({ "host": here, "dbname": "strat" })));
            let read = read.expect("right");
            assert_eq!((read.tls, read.port), (TlsMode::Disable, PORT), "{here}");
            assert_eq!(read.schema, "public");
        }
        let open = json!({ "host": "db.example", "dbname": "strat", "sslmode": "disable" });
        let open = Settings::parse(&spec(open)).expect("right");
        assert_eq!(open.tls, TlsMode::Disable);
    }

    #[test]
    fn all_that_is_wrong_is_said_with_help_and_no_password_is_repeated() {
        let wrong = |settings| {
            let errors = Settings::parse(&spec(settings)).expect_err("wrong");
            let told = errors.iter().map(|error| {
                let help = error.help.as_deref().unwrap_or_default();
                format!("{}: {} | {help}", error.attribute, error.message)
            });
            told.collect::<Vec<_>>()
        };
        let told = wrong(json!({
            "host": "postgres://me:hush@db/x", "port": 0, "schema": "Ops", "sslmode": "require",
            "password": "hush", "databse": "x",
        }));
        let wanted = [
            "host: it is the server's name alone",
            "sslmode: with `require` anybody may answer",
            "port: there is no port 0",
            "dbname: a lease in PostgreSQL needs it | add `dbname = \"stratiform\"`",
            "schema: `Ops` is no plain name",
            "databse: a lease in PostgreSQL has no such setting",
            "password: a topology file never holds a credential | set `PGPASSWORD`",
        ];
        assert_eq!(told.len(), wanted.len(), "{told:#?}");
        for (told, wanted) in told.iter().zip(wanted) {
            assert!(told.starts_with(wanted), "{told} is not {wanted}");
            assert!(!told.contains("hush"), "{told}");
        }
        let told = wrong(json!({ "host": "a,b", "dbname": "x", "sslmode": "full" }));
        assert!(told[0].starts_with("host: it is one server"), "{told:?}");
        assert!(told[1].contains("none of the words"), "{told:?}");
        let told = wrong(json!({ "host": "localhost", "dbname": "x", "sslrootcert": "ca.pem" }));
        assert!(told[0].contains("no certificate is looked at"), "{told:?}");
        let told = wrong(json!({ "dbname": "x" }));
        assert!(told[0].contains("the same for all who apply"), "{told:?}");
    }
}
