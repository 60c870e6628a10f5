//! One case: a process of its own, its settings and its environment.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use strat_arm::{Arm, TENANT};

/// The site's settings and its folder, as JSON: this process is a case.
pub(crate) const CASE: &str = "STRAT_AZURE_CASE";
pub(crate) const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000a2e0";
pub(crate) const CLIENT: &str = "55555555-aaaa-4bbb-8ccc-666666666666";
/// What must never be told.
pub(crate) const HUSH: &str = "hush-hush";

/// What a case is run with.
pub(crate) struct Case<'a> {
    pub(crate) arm: &'a Arm,
    pub(crate) folder: &'a Path,
    pub(crate) settings: Value,
    pub(crate) subscription: &'a str,
    pub(crate) environment: Vec<(&'a str, String)>,
}

impl<'a> Case<'a> {
    pub(crate) fn new(arm: &'a Arm, folder: &'a Path, credentials: &str) -> Self {
        let settings = json!({
            "endpoint": arm.endpoint(), "root_certificates": "root.pem", "credentials": credentials,
        });
        Self {
            arm,
            folder,
            settings,
            subscription: SUBSCRIPTION,
            environment: vec![("AZURE_AUTHORITY_HOST", arm.endpoint())],
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

    /// A service principal with a secret.
    pub(crate) fn principal(self, secret: &str) -> Self {
        self.with("AZURE_TENANT_ID", TENANT)
            .with("AZURE_CLIENT_ID", CLIENT)
            .with("AZURE_CLIENT_SECRET", secret)
    }

    /// What is told, and what the double was asked for tokens by it.
    async fn run(self) -> (Value, Vec<Value>) {
        self.arm.take_calls();
        let case = json!({
            "settings": self.settings, "subscription": self.subscription, "folder": self.folder,
        });
        let mut command = Command::new(std::env::current_exe().expect("this program"));
        // Nothing of who runs the tests: no one of theirs is asked.
        command.env_clear().env(CASE, case.to_string());
        command.env("PATH", self.folder.join("bin"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        let told = told(command).await;
        let calls = self.arm.take_calls().into_iter();
        let forms = calls.filter(|call| call.id == "token");
        let forms = forms.map(|call| json!({ "path": call.path, "form": call.body }));
        (told, forms.collect())
    }

    pub(crate) async fn let_in(self, name: &str) -> Vec<Value> {
        let subscription = self.subscription;
        let (told, forms) = self.run().await;
        assert_eq!(told["told"]["account"], subscription, "{name}: {told}");
        forms
    }

    pub(crate) async fn refused(self, name: &str) -> String {
        let (told, _) = self.run().await;
        assert_eq!(told["told"]["kind"], "not authenticated", "{name}: {told}");
        let text = told["told"]["error"].as_str().unwrap_or_default();
        assert!(!text.contains(HUSH), "{name}: {text}");
        text.to_owned()
    }
}

/// What a process of ours tells in its last line.
async fn told(mut command: Command) -> Value {
    let output = tokio::task::spawn_blocking(move || command.output());
    let output = output.await.expect("no panic").expect("it runs");
    let (out, errors) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(output.status.success(), "{errors}");
    let last = out.lines().last().unwrap_or_default();
    serde_json::from_str(last).unwrap_or_else(|_| panic!("{out} {errors}"))
}

/// A program for `PATH`, which notes how it was called.
pub(crate) fn program(folder: &Path, name: &str, answer: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    let at = folder.join("bin").join(name);
    let noted = folder.join(format!("{name}.called"));
    let text = format!(
        "#!/bin/sh\necho \"$@\" >> '{}'\n{answer}\n",
        noted.display()
    );
    std::fs::write(&at, text).expect("a program");
    std::fs::set_permissions(&at, std::fs::Permissions::from_mode(0o755)).expect("it may run");
}

pub(crate) fn calls(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(format!("{name}.called"))).unwrap_or_default()
}

/// Runs a case in a network of its own, once a command was run there.
pub(crate) async fn isolated(case: &Case<'_>, setup: &str) -> Value {
    let mut settings = case.settings.clone();
    let metadata = settings
        .as_object_mut()
        .expect("settings")
        .remove("metadata");
    let said = json!({
        "settings": settings, "subscription": case.subscription, "folder": case.folder,
        "metadata": metadata.is_some(),
    });
    let this = std::env::current_exe().expect("this program");
    let mut command = Command::new("unshare");
    command
        .args(["--net", "sh", "-c"])
        .arg(format!(
            "ip link set lo up && {setup} && exec '{}'",
            this.display()
        ))
        .env(CASE, said.to_string())
        .envs(case.environment.iter().map(|(name, value)| (name, value)));
    told(command).await
}
