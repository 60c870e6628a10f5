//! What every store promises, and what goes wrong on the way to this one.

use std::sync::Arc;

use serde_json::json;
use strat_conformance::leases::{self, LeaseBench};
use strat_model::ErrorKind;
use strat_postgres::PostgresFactory;
use strat_provider::{Kept, LeaseKey, Leases, TokioClock};

use crate::server::{PASSWORD, Server};

fn factory() -> PostgresFactory {
    PostgresFactory::with_password(PASSWORD)
}

fn bench(store: &dyn Leases) -> LeaseBench<'_> {
    LeaseBench {
        store,
        clock: Arc::new(TokioClock::system()),
        run: "run".to_owned(),
    }
}

fn key() -> LeaseKey {
    LeaseKey::of("shop", "here")
}

#[tokio::test]
async fn what_every_store_promises() {
    let server = Server::shared();
    let dbname = server.database().await;
    for (run, more) in [("open", json!({})), ("verified", Server::verified())] {
        let store = server.store(&factory(), &server.spec(&dbname, more)).await;
        let bench = LeaseBench {
            run: run.to_owned(),
            ..bench(&*store)
        };
        leases::a_place_is_said(&bench).await;
        leases::of_many_at_once_one_takes_it(&bench).await;
        leases::only_the_newest_version_is_followed(&bench).await;
        leases::keys_are_apart(&bench).await;
        leases::conditions_are_proved(&bench).await;
    }
}

#[tokio::test]
async fn at_stricter_isolation_one_of_many_writes_all_the_same() {
    let server = Server::shared();
    let dbname = server.database().await;
    let strict =
        format!("ALTER DATABASE {dbname} SET default_transaction_isolation = 'serializable'");
    server.run("postgres", &[&strict]).await;
    let store = server
        .store(&factory(), &server.spec(&dbname, json!({})))
        .await;
    leases::of_many_at_once_one_takes_it(&bench(&*store)).await;
    leases::only_the_newest_version_is_followed(&bench(&*store)).await;
}

#[tokio::test]
async fn the_table_is_made_once_by_however_many() {
    let server = Server::shared();
    let dbname = server.database().await;
    let spec = server.spec(&dbname, json!({}));
    let (one, other) = (
        server.store(&factory(), &spec).await,
        server.store(&factory(), &spec).await,
    );
    let missing = one.missing().await.expect("it answers").expect("missing");
    let wanted = format!(
        "the table `public.stratiform_leases` in PostgreSQL 127.0.0.1:{}/{dbname}",
        server.port
    );
    assert_eq!(missing, wanted);
    assert_eq!(one.read(&key()).await.expect("nothing yet"), None);
    let error = one.replace(&key(), "{}", None).await.expect_err("no table");
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    let both = tokio::join!(one.make(), other.make());
    for made in [both.0, both.1] {
        made.expect("made, or there already");
    }
    assert_eq!(other.missing().await.expect("it answers"), None);
    other.replace(&key(), "{}", None).await.expect("free");
}

#[tokio::test]
async fn a_role_that_may_not_make_the_table_is_told_what_to_ask_for() {
    let server = Server::shared();
    let dbname = server.database().await;
    let role = format!("{dbname}_ci");
    let statements = [
        format!("CREATE ROLE {role} LOGIN PASSWORD 'own'"),
        "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned(),
    ];
    server
        .run(&dbname, &statements.each_ref().map(String::as_str))
        .await;
    let spec = server.spec(&dbname, json!({ "user": role }));
    let own = PostgresFactory::with_password("own");
    let store = server.store(&own, &spec).await;
    let error = store.make().await.expect_err("not allowed");
    assert_eq!(error.kind(), ErrorKind::Forbidden, "{error}");
    let help = error.help().expect("help").to_owned();
    let (_, create) = help.split_once('`').expect("the statement");
    let create = create.trim_end_matches('`');
    let grant = format!("GRANT SELECT, INSERT, UPDATE ON public.stratiform_leases TO {role}");
    server.run(&dbname, &[create, &grant]).await;
    // Now it is there, and may be used by who may not make it.
    store.make().await.expect("made already");
    leases::only_the_newest_version_is_followed(&bench(&*store)).await;
}

#[tokio::test]
async fn a_server_that_forgets_is_refused() {
    let server = Server::shared();
    let dbname = server.database().await;
    let forget = format!("ALTER DATABASE {dbname} SET synchronous_commit = off");
    server.run("postgres", &[&forget]).await;
    let store = server
        .store(&factory(), &server.spec(&dbname, json!({})))
        .await;
    store.make().await.expect("made");
    let text = "{}".to_owned();
    let version = store.replace(&key(), &text, None).await.expect("free");
    let error = store.prove(&key(), &Kept { text, version }).await;
    let error = error.expect_err("it forgets");
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.to_string().contains("synchronous_commit = off"),
        "{error}"
    );
}

#[tokio::test]
async fn a_connection_that_was_cut_is_replaced() {
    let server = Server::shared();
    let dbname = server.database().await;
    let store = server
        .store(&factory(), &server.spec(&dbname, json!({})))
        .await;
    store.make().await.expect("made");
    let version = store
        .replace(&key(), "{\"n\":1}", None)
        .await
        .expect("free");
    let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
               WHERE datname = current_database() AND pid <> pg_backend_pid()";
    let client = server.client(&dbname).await;
    let cut = client.query(cut, &[]).await.expect("cut");
    assert!(!cut.is_empty(), "a connection is kept for the next call");
    // It may be noticed before the next call, or by it; then by no later one.
    let second = store.replace(&key(), "{\"n\":2}", Some(&version)).await;
    if let Err(error) = second {
        assert_eq!(error.kind(), ErrorKind::Transient, "{error}");
        let again = store.replace(&key(), "{\"n\":2}", Some(&version)).await;
        again.expect("on a connection of its own");
    }
    let kept = store.read(&key()).await.expect("it answers");
    assert_eq!(kept.expect("kept").text, "{\"n\":2}");
}

#[tokio::test]
async fn what_is_wrong_on_the_way_is_told_with_help_and_without_the_password() {
    let server = Server::shared();
    let dbname = server.database().await;
    let strangers = Server::verified();
    let cases = [
        (
            PostgresFactory::with_password("guess-4711"),
            json!({}),
            ErrorKind::Unauthenticated,
            "PGPASSWORD",
        ),
        (
            factory(),
            json!({ "dbname": "nowhere" }),
            ErrorKind::Invalid,
            "create the database",
        ),
        // The certificate is of 127.0.0.1.
        (
            factory(),
            json!({ "host": "localhost", "sslmode": "verify-full", "sslrootcert": "ca.pem" }),
            ErrorKind::Invalid,
            "the name in `host`",
        ),
        // And of an authority that the system does not know.
        (
            factory(),
            json!({ "sslmode": "verify-full" }),
            ErrorKind::Invalid,
            "`sslrootcert` names its authority",
        ),
    ];
    for (factory, more, kind, help) in cases {
        let told = more.to_string();
        let store = server.store(&factory, &server.spec(&dbname, more)).await;
        let error = store.read(&key()).await.expect_err(&told);
        assert_eq!(error.kind(), kind, "{told}: {error:?}");
        let said = error.help().unwrap_or_default();
        assert!(said.contains(help), "{told}: {said}");
        let whole = format!("{error:?} {factory:?} {store:?}");
        assert!(!whole.contains("4711"), "{whole}");
    }
    let store = server
        .store(&factory(), &server.spec(&dbname, strangers))
        .await;
    assert_eq!(store.read(&key()).await.expect("verified"), None);
}
