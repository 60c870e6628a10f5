//! Passwords of the environment, as PostgreSQL's own programs read them.

use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::json;
use strat_model::ErrorKind;
use strat_postgres::PostgresFactory;
use strat_provider::LeaseKey;

use crate::server::{PASSWORD, Server};

/// Says, to a process that this test starts, on which port the server is.
const PORT: &str = "STRAT_POSTGRES_PORT";

/// What comes of reading a lease with whatever the environment says.
async fn outcome(port: u16) -> Result<(), ErrorKind> {
    let spec = strat_model::LeaseSpec {
        store: "postgres".to_owned(),
        settings: json!({ "host": "127.0.0.1", "port": port, "dbname": "postgres" })
            .as_object()
            .expect("an object")
            .clone(),
        origin: None,
    };
    let context = strat_provider::ConnectContext {
        base_dir: std::env::temp_dir(),
        clock: std::sync::Arc::new(strat_provider::TokioClock::system()),
    };
    let factory = PostgresFactory::new();
    let store = strat_provider::LeaseStoreFactory::connect(&factory, &spec, &context).await;
    let store = store.expect("no call yet");
    let read = store.read(&LeaseKey::of("shop", "here")).await;
    read.map(drop).map_err(|error| error.kind())
}

/// A process has one environment, so this test starts itself anew for each.
#[tokio::test]
#[expect(
    clippy::disallowed_methods,
    reason = "the test is about the environment"
)]
async fn they_come_from_variables_or_a_file() {
    if let Ok(port) = std::env::var(PORT) {
        let outcome = outcome(port.parse().expect("a port")).await;
        assert_eq!(outcome, Ok(()));
        return;
    }
    let server = Server::shared();
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("pgpass");
    std::fs::write(&file, format!("127.0.0.1:*:*:postgres:{PASSWORD}\n")).expect("a file");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("a mode");
    let file = file.to_string_lossy().into_owned();
    let cases: [(&[(&str, &str)], bool); 4] = [
        (&[("PGPASSWORD", PASSWORD)], true),
        (&[("PGPASSFILE", &file)], true),
        (&[("PGPASSWORD", "wrong"), ("PGPASSFILE", &file)], false),
        (&[], false),
    ];
    for (variables, connects) in cases {
        let mut again = Command::new(std::env::current_exe().expect("this program"));
        again.args(["--exact", "environment::they_come_from_variables_or_a_file"]);
        again.env_remove("PGPASSWORD").env_remove("PGPASSFILE");
        again.env("HOME", folder.path()).env("PGUSER", "postgres");
        again.env(PORT, server.port.to_string());
        again.envs(variables.iter().copied());
        let done = again.output().expect("it runs");
        let told = String::from_utf8_lossy(&done.stdout);
        assert_eq!(done.status.success(), connects, "{variables:?}: {told}");
        let why = told.contains("Err(Unauthenticated)");
        assert!(connects || why, "{variables:?}: {told}");
    }
}
