//! Where a site's credentials come from, each way run for real: Google's crate reads the environment of the
//! process, so each case is a process of its own, and everything that it asks is on the loopback.
//!
//! This program runs itself again for each case; what it is then to do is in [`case::CASE`].

mod case;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::sync::Arc;

use serde_json::{Value, json};
use strat_gce::{Gce, Options, REFRESH, Recorded, SUBJECT};
use strat_gcp::GcpFactory;
use strat_model::{Name, SiteSpec};
use strat_provider::{ConnectContext, ProviderFactory as _, TokioClock};

use crate::case::{CASE, Case, PROJECT};

/// The service account of the file of a key.
const SHOP: &str = "shop@my-project.iam.gserviceaccount.com";
/// One that others act as.
const ADMIN: &str = "admin@my-project.iam.gserviceaccount.com";
const GOOGLE: &str = "https://www.googleapis.com/auth/cloud-platform";

fn main() -> ExitCode {
    // `cargo test` asks every program of tests what it has.
    if std::env::args().any(|argument| argument == "--list") {
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    match variable(CASE) {
        Some(case) => runtime.block_on(act(&case)),
        None => runtime.block_on(all()),
    }
    ExitCode::SUCCESS
}

#[expect(
    clippy::disallowed_methods,
    reason = "credentials are found by the environment"
)]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn say(text: &str) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// Where Google's client for Python is.
fn peers() -> PathBuf {
    let own =
        || PathBuf::from(variable("HOME").unwrap_or_default()).join(".cache/stratiform/peers");
    let peers = variable("STRAT_PEERS_DIR").map_or_else(own, PathBuf::from);
    peers.join("gcp")
}

/// A case: connects to the site, and tells who it is there, or why not.
async fn act(case: &str) {
    let case: Value = serde_json::from_str(case).expect("a case");
    let site = SiteSpec {
        region: Some("europe-west4".to_owned()),
        account: Some(PROJECT.to_owned()),
        settings: case["settings"].as_object().expect("settings").clone(),
        ..SiteSpec::new(Name::new("here").expect("a name"), "gcp")
    };
    let context = ConnectContext {
        base_dir: case["folder"].as_str().expect("a folder").into(),
        clock: Arc::new(TokioClock::system()),
    };
    let identity = async {
        let provider = GcpFactory::new().connect(&site, &context).await?;
        // By the SDK's clients, and by our own for what the SDK has no client for.
        let permissions = provider.permissions().expect("they are told");
        permissions.check_permissions().await?;
        provider.identity().await
    };
    let told = match identity.await {
        Ok(identity) => json!({ "account": identity.account, "principal": identity.principal }),
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let all = format!("{error} {} {error:?}", source.unwrap_or_default());
            json!({ "kind": error.kind().as_str(), "error": all })
        }
    };
    say(&told.to_string());
}

/// Each case, told by its name.
async fn all() {
    let gce = Gce::start(&Options::new(peers(), PROJECT)).await;
    let gce = gce.expect("a double");
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    key(&["make", &path(folder, "shop.json"), SHOP], "");
    gce.let_in(PROJECT, &[SHOP, ADMIN, "user", "subject", "machine"]);
    service_account(&gce, folder).await;
    say("the file of a service account ... ok");
    unfit(&gce, folder).await;
    say("files that are none ... ok");
    workload(&gce, folder).await;
    say("a workload's identity ... ok");
    impersonation(&gce, folder).await;
    say("a service account that is acted as ... ok");
    default(&gce, folder).await;
    say("application default credentials ... ok");
    strangers(&gce, folder).await;
    say("credentials of somebody else ... ok");
    assert_eq!(gce.violations(), Vec::<String>::new());
}

fn path(folder: &Path, name: &str) -> String {
    folder.join(name).display().to_string()
}

fn write(folder: &Path, name: &str, json: &Value) {
    std::fs::write(folder.join(name), json.to_string()).expect("written");
}

/// Has Google's own library make a key, or read tokens.
fn key(arguments: &[&str], input: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/credentials/key.py");
    let mut child = Command::new(peers().join("bin/python"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Google's client for Python is there: run scripts/peers/gcp once");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(input.as_bytes()).expect("it is read");
    drop(pipe);
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{arguments:?}: the trace is above");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The calls of a service.
fn of<'c>(calls: &'c [Recorded], id: &str) -> Vec<&'c Recorded> {
    calls.iter().filter(|call| call.id == id).collect()
}

/// The tokens with which the project's things were asked for.
fn tokens(calls: &[Recorded]) -> Vec<&str> {
    let ours = [
        "compute.projects.get",
        "cloudresourcemanager.projects.testIamPermissions",
    ];
    let asked = calls.iter().filter(|call| ours.contains(&call.id.as_str()));
    let tokens = asked.map(|call| call.authorization.as_deref().expect("a token"));
    let tokens: Vec<_> = tokens
        .filter_map(|text| text.strip_prefix("Bearer "))
        .collect();
    assert_eq!(tokens.len(), 2, "{calls:#?}");
    assert_eq!(
        tokens[0], tokens[1],
        "one set of credentials for all clients"
    );
    tokens
}

/// A token that the account signed itself, for Google and for an hour; nobody else is asked for one.
async fn service_account(gce: &Gce, folder: &Path) {
    let case = Case::new(gce, folder).set("credentials", "shop.json");
    let calls = case.let_in("a key", SHOP).await;
    assert_eq!(calls.len(), 2, "{calls:#?}");
    let token = tokens(&calls)[0];
    let claims = key(&["read", &path(folder, "shop.json")], token);
    let claims: Value = serde_json::from_str(&claims).expect("Google's library takes the token");
    assert_eq!(
        (&claims["iss"], &claims["sub"], &claims["scope"]),
        (&json!(SHOP), &json!(SHOP), &json!(GOOGLE))
    );
    // Without a word of the site's, a place without TLS is told nothing.
    let why = Case::new(gce, folder)
        .refused("nobody", "not authenticated")
        .await;
    assert!(why.contains("invalid authentication credentials"), "{why}");
}

async fn unfit(gce: &Gce, folder: &Path) {
    std::fs::write(folder.join("broken.json"), REFRESH).expect("written");
    write(
        folder,
        "other.json",
        &json!({ "type": "gdch", "key": REFRESH }),
    );
    write(
        folder,
        "half.json",
        &json!({ "type": "service_account", "client_id": REFRESH }),
    );
    for (file, word) in [
        ("none.json", "cannot be read"),
        ("broken.json", "is no JSON"),
        ("other.json", "no type that is known here"),
        ("half.json", "something is missing in it"),
    ] {
        let case = Case::new(gce, folder).set("credentials", file);
        let why = case.refused(file, "not authenticated").await;
        assert!(why.contains(word) && why.contains(file), "{why}");
    }
}

/// What another provider of identities says of a workload, given for Google's token; and that for a service
/// account's, where the file says so.
async fn workload(gce: &Gce, folder: &Path) {
    std::fs::write(folder.join("subject"), SUBJECT).expect("written");
    let pool =
        "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/ci/providers/ci";
    let mut file = json!({
        "type": "external_account",
        "audience": pool,
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": format!("{}/v1/token", gce.endpoint()),
        "credential_source": { "file": path(folder, "subject") },
    });
    write(folder, "ci.json", &file);
    let case = || Case::new(gce, folder).set("credentials", "ci.json");
    let calls = case()
        .let_in("a workload", "the credentials in ci.json")
        .await;
    let exchanged = of(&calls, "sts.token");
    assert_eq!(exchanged.len(), 1, "one token is enough: {calls:#?}");
    let form = exchanged[0].body.as_ref().expect("a form");
    assert_eq!(
        (&form["audience"], &form["subject_token"], &form["scope"]),
        (&json!(pool), &json!(SUBJECT), &json!(GOOGLE))
    );
    tokens(&calls);
    file["service_account_impersonation_url"] = json!(format!(
        "{}/v1/projects/-/serviceAccounts/{ADMIN}:generateAccessToken",
        gce.endpoint()
    ));
    write(folder, "ci.json", &file);
    let calls = case().let_in("a workload as an account", ADMIN).await;
    assert_eq!(of(&calls, "iamcredentials.generateAccessToken").len(), 1);
    std::fs::write(folder.join("subject"), "of yesterday").expect("written");
    let why = case()
        .refused("a subject of yesterday", "not authenticated")
        .await;
    assert!(why.contains("The subject token is not valid"), "{why}");
}

fn user(gce: &Gce) -> Value {
    json!({
        "type": "authorized_user", "client_id": "gcloud", "client_secret": "known to all",
        "refresh_token": REFRESH, "token_uri": format!("{}/token", gce.endpoint()),
    })
}

/// By the site's setting, with whatever credentials; and by a file that says so itself.
async fn impersonation(gce: &Gce, folder: &Path) {
    write(folder, "user.json", &user(gce));
    for (file, asked) in [("shop.json", 3), ("user.json", 4)] {
        let case = || {
            let case = Case::new(gce, folder).set("credentials", file);
            case.set("impersonate", ADMIN)
        };
        let calls = case().let_in(file, ADMIN).await;
        assert_eq!(calls.len(), asked, "{calls:#?}");
        let acted = of(&calls, "iamcredentials.generateAccessToken");
        let ours = acted[0].authorization.as_deref();
        assert!(ours.is_some_and(|ours| !ours.ends_with(tokens(&calls)[0])));
        gce.deny("iam.serviceAccounts.getAccessToken");
        let why = case()
            .refused("may not act as it", "not authenticated")
            .await;
        assert!(why.contains("iam.serviceAccounts.getAccessToken"), "{why}");
        gce.allow("iam.serviceAccounts.getAccessToken");
    }
    let place = format!("/v1/projects/-/serviceAccounts/{ADMIN}:generateAccessToken");
    let file = json!({
        "type": "impersonated_service_account",
        "service_account_impersonation_url": format!("{}{place}", gce.endpoint()),
        "source_credentials": user(gce),
    });
    write(folder, "admin.json", &file);
    let case = Case::new(gce, folder).set("credentials", "admin.json");
    let calls = case.let_in("a file that acts as an account", ADMIN).await;
    let got = of(&calls, "oauth2.token");
    assert_eq!(got.len(), 1, "{calls:#?}");
}

/// What the environment, the gcloud tool and the machine have, in this order.
async fn default(gce: &Gce, folder: &Path) {
    const ANY: &str = "application default credentials";
    let case = || Case::new(gce, folder).set("credentials", "default");
    let metadata = gce.endpoint().trim_start_matches("http://").to_owned();
    let machine = || case().with("GCE_METADATA_HOST", &metadata);
    let calls = machine().let_in("a machine", ANY).await;
    assert_eq!(of(&calls, "metadata.token").len(), 1, "{calls:#?}");
    let gcloud = folder.join(".config/gcloud");
    std::fs::create_dir_all(&gcloud).expect("a folder");
    write(&gcloud, "application_default_credentials.json", &user(gce));
    let calls = machine().let_in("whoever logged in", ANY).await;
    assert_eq!(of(&calls, "oauth2.token").len(), 1, "{calls:#?}");
    let named = machine().with("GOOGLE_APPLICATION_CREDENTIALS", path(folder, "shop.json"));
    let calls = named.let_in("the environment's", ANY).await;
    assert_eq!(calls.len(), 2, "{calls:#?}");
    std::fs::remove_dir_all(gcloud).expect("it goes");
    let why = case().refused("nobody", "not authenticated").await;
    assert!(why.contains("there are no credentials"), "{why}");
}

/// Credentials that are good, of somebody who may not.
async fn strangers(gce: &Gce, folder: &Path) {
    key(
        &[
            "make",
            &path(folder, "other.json"),
            "other@elsewhere.iam.gserviceaccount.com",
        ],
        "",
    );
    let case = Case::new(gce, folder).set("credentials", "other.json");
    let why = case.refused("a stranger", "forbidden").await;
    assert!(why.contains("compute.projects.get"), "{why}");
}
