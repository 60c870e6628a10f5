//! PostgreSQL, started once for all tests of the program, and ended with it.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};
use strat_model::LeaseSpec;
use strat_postgres::PostgresFactory;
use strat_provider::{ConnectContext, LeaseStoreFactory, Leases, TokioClock};
use tokio_postgres::NoTls;

/// The script that installs and serves it.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/peers/postgres");

/// The password of its user `postgres`.
pub(crate) const PASSWORD: &str = "secret";

/// A running server.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) dir: PathBuf,
    // It ends when the other end of its standard input does.
    _child: Child,
}

impl Server {
    /// The server of all tests, each with a database of its own.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Server> = OnceLock::new();
        SHARED.get_or_init(Self::start)
    }

    fn start() -> Self {
        let port = std::net::TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let dir = std::env::temp_dir().join(format!("strat-postgres-{}", std::process::id()));
        let mut child = Command::new(SCRIPT)
            .arg("serve")
            .args([&dir, &PathBuf::from(port.to_string())])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("scripts/peers/postgres runs");
        let mut said = String::new();
        let out = child.stdout.take().expect("its output");
        let read = BufReader::new(out).read_line(&mut said);
        if read.is_err() || said.trim() != "ready" {
            let mut why = String::new();
            let error = child.stderr.take().expect("its output");
            let _ = BufReader::new(error).read_to_string(&mut why);
            panic!("PostgreSQL does not start; install it with scripts/peers/postgres\n{why}");
        }
        Self {
            port,
            dir,
            _child: child,
        }
    }

    /// A connection of the tests' own to a database.
    pub(crate) async fn client(&self, dbname: &str) -> tokio_postgres::Client {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).user("postgres");
        config.password(PASSWORD).dbname(dbname);
        let (client, connection) = config.connect(NoTls).await.expect("it answers");
        tokio::spawn(async move { drop(connection.await) });
        client
    }

    /// Runs statements in a database, one after the other.
    pub(crate) async fn run(&self, dbname: &str, statements: &[&str]) {
        let client = self.client(dbname).await;
        for statement in statements {
            let done = client.batch_execute(statement).await;
            done.unwrap_or_else(|error| panic!("{statement}: {error}"));
        }
    }

    /// A new database.
    pub(crate) async fn database(&self) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("strat{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.run("postgres", &[&format!("CREATE DATABASE {name}")])
            .await;
        name
    }

    /// The block of a lease in a database, without TLS unless `more` says so.
    pub(crate) fn spec(&self, dbname: &str, more: Value) -> LeaseSpec {
        let mut settings = json!({
            "host": "127.0.0.1", "port": self.port, "dbname": dbname, "user": "postgres",
        });
        if let (Value::Object(settings), Value::Object(more)) = (&mut settings, more) {
            settings.extend(more);
        }
        let Value::Object(settings) = settings else {
            unreachable!("it was written as an object")
        };
        LeaseSpec {
            store: "postgres".to_owned(),
            settings,
            origin: None,
        }
    }

    /// The settings of a connection whose certificate is verified.
    pub(crate) fn verified() -> Value {
        json!({ "sslmode": "verify-full", "sslrootcert": "ca.pem" })
    }

    /// The store of a block.
    pub(crate) async fn store(
        &self,
        factory: &PostgresFactory,
        spec: &LeaseSpec,
    ) -> Arc<dyn Leases> {
        factory.check(spec).expect("the settings are right");
        let context = ConnectContext {
            base_dir: self.dir.clone(),
            clock: Arc::new(TokioClock::system()),
        };
        factory.connect(spec, &context).await.expect("no call yet")
    }
}
