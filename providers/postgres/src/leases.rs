//! The table of leases.

use std::time::Duration;

use async_trait::async_trait;
use strat_model::{Digest, Error, ErrorKind, Result};
use strat_provider::{Kept, LeaseKey, LeaseVersion, Leases};
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Row};

use crate::connection::Server;
use crate::error::{failed, is_there_already};

/// No text's.
const NEVER: &str = "never";

type Parameter<'a> = (&'a (dyn ToSql + Sync), Type);

/// Leases in a table: one row each. A row's version is a digest of its text, which a nonce in the
/// text keeps from coming back. Nothing is ever deleted.
#[derive(Debug)]
pub struct PostgresLeases {
    server: Server,
    /// The table, with its schema: what `search_path` says is no matter.
    table: String,
}

fn text(value: &(dyn ToSql + Sync)) -> Parameter<'_> {
    (value, Type::TEXT)
}

impl PostgresLeases {
    pub(crate) fn new(server: Server) -> Self {
        let table = format!("{}.stratiform_leases", server.settings.schema);
        Self { server, table }
    }

    /// The statement that makes the table.
    fn create(&self) -> String {
        format!(
            "CREATE TABLE IF NOT EXISTS {} (key text PRIMARY KEY, version text NOT NULL, record \
             text NOT NULL)",
            self.table
        )
    }

    async fn rows(
        &self,
        operation: &str,
        statement: &str,
        values: &[Parameter<'_>],
    ) -> Result<Vec<Row>> {
        let client = self.server.take().await?;
        let rows = client.query_typed(statement, values).await;
        self.answered(client, rows.map_err(failed(operation)))
    }

    /// How many rows a statement wrote.
    async fn written(
        &self,
        operation: &str,
        statement: &str,
        values: &[Parameter<'_>],
    ) -> Result<u64> {
        let client = self.server.take().await?;
        let rows = client.execute_typed(statement, values).await;
        self.answered(client, rows.map_err(failed(operation)))
    }

    /// Keeps a connection on which an answer came.
    fn answered<T>(&self, client: Client, answer: Result<T>) -> Result<T> {
        let works =
            |error: &Error| !matches!(error.kind(), ErrorKind::Transient | ErrorKind::Timeout);
        if answer.as_ref().err().is_none_or(works) {
            self.server.give_back(client);
        }
        answer
    }

    async fn put(&self, key: &LeaseKey, record: &str, seen: Option<&str>) -> Result<LeaseVersion> {
        let version = Digest::of(record.as_bytes()).as_str().to_owned();
        let (key, table) = (key.as_str(), &self.table);
        let written = match seen {
            None => {
                let insert = format!(
                    "INSERT INTO {table} (key, version, record) VALUES ($1, $2, $3) ON CONFLICT \
                     (key) DO NOTHING"
                );
                let values = [text(&key), text(&version), text(&record)];
                self.written("take a lease", &insert, &values).await?
            }
            Some(seen) => {
                let update = format!(
                    "UPDATE {table} SET version = $2, record = $3 WHERE key = $1 AND version = $4"
                );
                let values = [text(&key), text(&version), text(&record), text(&seen)];
                self.written("write a lease", &update, &values).await?
            }
        };
        match written {
            0 => {
                let message = "PostgreSQL: the lease was written since";
                Err(Error::new(ErrorKind::Precondition, message))
            }
            _ => Ok(LeaseVersion(version)),
        }
    }

    /// Refuses a server that may forget what it answered.
    async fn keeps_its_word(&self) -> Result<()> {
        // Servers that only speak PostgreSQL's protocol may not have a setting: then it is null.
        let ask = "SELECT current_setting('fsync', true), \
                   current_setting('synchronous_commit', true)";
        let rows = self.rows("ask for settings", ask, &[]).await?;
        let is_off = |at: usize| {
            let row = rows.first();
            let word = row.and_then(|row| row.try_get::<_, Option<String>>(at).ok().flatten());
            word.is_some_and(|word| word == "off")
        };
        let names = ["fsync", "synchronous_commit"];
        let Some(off) = names.iter().enumerate().find(|(at, _)| is_off(*at)) else {
            return Ok(());
        };
        let name = off.1;
        let message = format!("with `{name} = off` the server forgets leases when it crashes");
        let help = format!("turn `{name}` on, for this database or role at least");
        Err(Error::new(ErrorKind::Unsupported, message).with_help(help))
    }
}

#[async_trait]
impl Leases for PostgresLeases {
    async fn places(&self) -> Result<Vec<String>> {
        Ok(vec![self.server.settings.place()])
    }

    async fn missing(&self) -> Result<Option<String>> {
        let ask = "SELECT to_regclass($1) IS NOT NULL";
        let rows = self
            .rows("look for the table", ask, &[text(&self.table)])
            .await?;
        let row = rows.first();
        let is_there = row.is_some_and(|row| row.try_get(0).unwrap_or(false));
        let place = self.server.settings.place();
        Ok((!is_there).then(|| format!("the table `{}` in {place}", self.table)))
    }

    async fn make(&self) -> Result<()> {
        // Who may not make tables may still use one that somebody else made.
        if self.missing().await?.is_none() {
            return Ok(());
        }
        let client = self.server.take().await?;
        let create = self.create();
        let made = match client.batch_execute(&create).await {
            Err(error) if is_there_already(&error) => Ok(()),
            Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => {
                let help = format!("let somebody who may make it do so: `{create}`");
                let message = format!("PostgreSQL: {} may not be made", self.table);
                let forbidden = Error::new(ErrorKind::Forbidden, message).with_help(help);
                Err(forbidden.with_provider("postgres").with_source(error))
            }
            made => made.map_err(failed("make the table")),
        };
        self.answered(client, made)
    }

    async fn read(&self, key: &LeaseKey) -> Result<Option<Kept>> {
        let ask = format!("SELECT record, version FROM {} WHERE key = $1", self.table);
        let key = key.as_str();
        let values = [text(&key)];
        let rows = match self.rows("read a lease", &ask, &values).await {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            rows => rows?,
        };
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let column = |at: usize| row.try_get(at).map_err(failed("read a lease"));
        Ok(Some(Kept {
            text: column(0)?,
            version: LeaseVersion(column(1)?),
        }))
    }

    async fn replace(
        &self,
        key: &LeaseKey,
        text: &str,
        seen: Option<&LeaseVersion>,
    ) -> Result<LeaseVersion> {
        self.put(key, text, seen.map(|version| version.0.as_str()))
            .await
    }

    async fn prove(&self, key: &LeaseKey, kept: &Kept) -> Result<bool> {
        self.keeps_its_word().await?;
        for seen in [None, Some(NEVER)] {
            match self.put(key, &kept.text, seen).await {
                Err(error) if error.kind() == ErrorKind::Precondition => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    let message = "this server takes conditions of writes and ignores them";
                    return Err(Error::new(ErrorKind::Unsupported, message));
                }
            }
        }
        Ok(true)
    }

    fn lag(&self) -> Duration {
        Duration::ZERO
    }
}
