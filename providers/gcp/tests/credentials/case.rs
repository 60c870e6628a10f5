//! One case: a process of its own, its settings and its environment.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use strat_gce::{Gce, Recorded};

/// The site's settings and its folder, as JSON: this process is a case.
pub(crate) const CASE: &str = "STRAT_GCP_CASE";
pub(crate) const PROJECT: &str = "my-project";

/// What a case is run with.
pub(crate) struct Case<'a> {
    gce: &'a Gce,
    folder: &'a Path,
    pub(crate) settings: Value,
    environment: Vec<(&'a str, String)>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(gce: &'a Gce, folder: &'a Path) -> Self {
        Self {
            gce,
            folder,
            settings: json!({ "endpoint": gce.endpoint() }),
            environment: Vec::new(),
        }
    }

    pub(crate) fn set(mut self, key: &str, value: &str) -> Self {
        self.settings[key] = json!(value);
        self
    }

    pub(crate) fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// What is told, and what the double was asked by it.
    async fn run(self) -> (Value, Vec<Recorded>) {
        self.gce.take_calls();
        let case = json!({ "settings": self.settings, "folder": self.folder });
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        // Nothing of who runs the tests: no one of theirs is asked.
        command.env_clear().env(CASE, case.to_string());
        command.env("HOME", self.folder);
        // Whoever would look for a machine's metadata finds nobody there.
        command.env("GCE_METADATA_HOST", "127.0.0.1:9");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let output = tokio::task::spawn_blocking(move || command.output());
        let output = output.await.expect("no panic").expect("it runs");
        let (out, errors) = (
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        );
        assert!(output.status.success(), "{errors}");
        let last = out.lines().last().unwrap_or_default();
        let told = serde_json::from_str(last).unwrap_or_else(|_| panic!("{out} {errors}"));
        (told, self.gce.take_calls())
    }

    /// It is let in as somebody.
    pub(crate) async fn let_in(self, name: &str, principal: &str) -> Vec<Recorded> {
        let (told, calls) = self.run().await;
        let wanted = json!({ "account": PROJECT, "principal": principal });
        assert_eq!(told, wanted, "{name}");
        calls
    }

    /// It is not, for a kind of error, whose whole text this gives.
    pub(crate) async fn refused(self, name: &str, kind: &str) -> String {
        let folder = self.folder;
        let (told, _) = self.run().await;
        assert_eq!(told["kind"], kind, "{name}: {told}");
        let text = told["error"].as_str().unwrap_or_default().to_owned();
        for secret in secrets(folder) {
            assert!(!text.contains(&secret), "{name}: {text}");
        }
        text
    }
}

/// What must never be told.
fn secrets(folder: &Path) -> Vec<String> {
    let key = std::fs::read_to_string(folder.join("shop.json")).expect("a key");
    let key: Value = serde_json::from_str(&key).expect("JSON");
    let key = key["private_key"].as_str().expect("a key");
    let lines = key.lines().filter(|line| !line.starts_with("---"));
    let of_key = lines.map(str::to_owned);
    let others = [strat_gce::REFRESH, strat_gce::SUBJECT, "ya29."];
    of_key.chain(others.map(str::to_owned)).collect()
}
