//! Where a site's credentials come from, each way run for real: Microsoft's crate reads the environment of
//! the process, so each case is a process of its own, and everything that it asks is on the loopback.
//!
//! This program runs itself again for each case; what it is then to do is in [`case::CASE`].

mod case;
mod service;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use serde_json::{Value, json};
use strat_arm::{Arm, Options, TENANT};
use strat_azure::AzureFactory;
use strat_model::{Name, SiteSpec};
use strat_provider::{ConnectContext, ProviderFactory as _, TokioClock};

use crate::case::{CASE, CLIENT, Case, HUSH, SUBSCRIPTION, calls, isolated, program};
use crate::service::serve;

const OTHER_TENANT: &str = "33333333-aaaa-4bbb-8ccc-444444444444";
const OTHERS: &str = "00000000-0000-4000-8000-00000000a2e1";

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

/// A case: connects to the site, and tells who it is there, or why not.
async fn act(case: &str) {
    let case: Value = serde_json::from_str(case).expect("a case");
    if case["metadata"] == true {
        let service = serve(("169.254.169.254", 80));
        let told = connect(&case).await;
        say(&json!({ "told": told, "asked": service.asked() }).to_string());
        return;
    }
    say(&json!({ "told": connect(&case).await }).to_string());
}

async fn connect(case: &Value) -> Value {
    let site = SiteSpec {
        region: Some("westeurope".to_owned()),
        account: case["subscription"].as_str().map(str::to_owned),
        settings: case["settings"].as_object().expect("settings").clone(),
        ..SiteSpec::new(Name::new("here").expect("a name"), "azure")
    };
    let context = ConnectContext {
        base_dir: case["folder"].as_str().expect("a folder").into(),
        clock: Arc::new(TokioClock::system()),
    };
    let identity = async {
        let provider = AzureFactory::new().connect(&site, &context).await?;
        provider.identity().await
    };
    match identity.await {
        Ok(identity) => json!({ "account": identity.account, "principal": identity.principal }),
        Err(error) => {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            let all = format!("{error} {} {error:?}", source.unwrap_or_default());
            json!({ "kind": error.kind().as_str(), "error": all })
        }
    }
}

/// Each case, told by its name.
async fn all() {
    let arm = Arm::start(&Options::new(SUBSCRIPTION)).await;
    let arm = arm.expect("a double");
    arm.add_subscription_of(OTHER_TENANT, OTHERS);
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    std::fs::create_dir(folder.join("bin")).expect("a folder");
    std::fs::write(folder.join("root.pem"), arm.root_pem()).expect("written");
    environment(&arm, folder).await;
    say("a service principal in the environment ... ok");
    tenants(&arm, folder).await;
    say("two tenants ... ok");
    workload(&arm, folder).await;
    say("a workload's identity ... ok");
    clouds(&arm, folder).await;
    say("another cloud by its places ... ok");
    cli(&arm, folder).await;
    say("the command lines ... ok");
    platform(&arm, folder).await;
    say("a platform's identity ... ok");
    metadata(&arm, folder).await;
    say("a machine's identity ... ok");
}

async fn environment(arm: &Arm, folder: &Path) {
    let case = || Case::new(arm, folder, "environment");
    let forms = case().principal(HUSH).let_in("a principal").await;
    assert_eq!(forms.len(), 1, "one token is enough: {forms:?}");
    assert_eq!(forms[0]["path"], format!("/{TENANT}/oauth2/v2.0/token"));
    assert_eq!(forms[0]["form"]["client_id"], CLIENT);
    assert_eq!(
        forms[0]["form"]["scope"],
        "https://management.azure.com/.default"
    );
    let why = case().principal("wrong").refused("a wrong secret").await;
    assert!(why.contains("7000215"), "{why}");
    let why = case().refused("nobody").await;
    assert!(
        why.contains("the service principal in the environment is not there"),
        "{why}"
    );
    // Without a word about it, the environment comes first.
    let any = Case::new(arm, folder, "environment");
    let mut any = any.principal(HUSH);
    any.settings
        .as_object_mut()
        .expect("settings")
        .remove("credentials");
    assert_eq!(any.let_in("whatever there is").await.len(), 1);
}

/// A site is in the tenant that it names, and in no other.
async fn tenants(arm: &Arm, folder: &Path) {
    let case = || {
        let mut case = Case::new(arm, folder, "environment").principal(HUSH);
        case.subscription = OTHERS;
        case
    };
    let forms = case().set("tenant", OTHER_TENANT).let_in("theirs").await;
    assert_eq!(
        forms[0]["path"],
        format!("/{OTHER_TENANT}/oauth2/v2.0/token")
    );
    let why = case().refused("the other tenant").await;
    assert!(
        why.contains("wrong issuer") && why.contains("tenant"),
        "{why}"
    );
}

async fn workload(arm: &Arm, folder: &Path) {
    std::fs::write(folder.join("assertion"), HUSH).expect("written");
    let case = || {
        let file = folder.join("assertion").display().to_string();
        Case::new(arm, folder, "workload")
            .with("AZURE_TENANT_ID", TENANT)
            .with("AZURE_FEDERATED_TOKEN_FILE", file)
    };
    let forms = case().with("AZURE_CLIENT_ID", CLIENT).let_in("a pod").await;
    let form = &forms[0]["form"];
    assert_eq!(form["client_id"], CLIENT);
    assert_eq!(
        form["client_assertion_type"],
        "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    );
    // The block's own client goes before the environment's.
    let forms = case()
        .set("client", OTHER_TENANT)
        .let_in("another client")
        .await;
    assert_eq!(forms[0]["form"]["client_id"], OTHER_TENANT);
    let bare = Case::new(arm, folder, "workload");
    let why = bare.refused("no pod").await;
    assert!(
        why.contains("the workload's identity is not there"),
        "{why}"
    );
}

/// A cloud that is none of Microsoft's three by name: where tokens come from and whom they are for are
/// said in the block, and the environment counts for nothing.
async fn clouds(arm: &Arm, folder: &Path) {
    let mut case = Case::new(arm, folder, "environment")
        .principal(HUSH)
        .set("authority", &arm.endpoint())
        .set("audience", "https://management.example.com");
    case.environment
        .retain(|(name, _)| *name != "AZURE_AUTHORITY_HOST");
    let forms = case.let_in("a cloud of one's own").await;
    assert_eq!(
        forms[0]["form"]["scope"],
        "https://management.example.com/.default"
    );
    // Of the clouds that are known by name, whom tokens are for.
    for (cloud, scope) in [
        (
            "government",
            "https://management.usgovcloudapi.net/.default",
        ),
        ("china", "https://management.chinacloudapi.cn/.default"),
    ] {
        let case = Case::new(arm, folder, "environment")
            .principal(HUSH)
            .set("cloud", cloud)
            .set("authority", &arm.endpoint());
        let forms = case.let_in(cloud).await;
        assert_eq!(forms[0]["form"]["scope"], scope);
    }
}

async fn cli(arm: &Arm, folder: &Path) {
    let case = || Case::new(arm, folder, "cli");
    let why = case().refused("no command line").await;
    assert!(why.contains("there are no credentials"), "{why}");
    let token = |fields: &str| format!("echo '{{ {fields} }}'");
    let azd = format!(
        "\"token\": \"{}\", \"expiresOn\": \"2099-01-01T00:00:00Z\"",
        strat_arm::TOKEN
    );
    program(folder, "azd", &token(&azd));
    program(
        folder,
        "az",
        "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
    );
    case().let_in("azd").await;
    let az = format!(
        "\"accessToken\": \"{}\", \"expires_on\": 4070908800, \"tokenType\": \"Bearer\"",
        strat_arm::TOKEN
    );
    program(folder, "az", &token(&az));
    case().set("tenant", TENANT).let_in("az").await;
    let called = calls(folder, "az");
    assert!(
        called.contains(&format!(
            "account get-access-token -o json --scope https://management.azure.com/.default \
             --tenant {TENANT}"
        )),
        "{called}"
    );
    // Nothing in the environment, so the command line is next.
    let mut any = case();
    any.settings
        .as_object_mut()
        .expect("settings")
        .remove("credentials");
    any.let_in("whatever there is").await;
    for name in ["az", "azd"] {
        std::fs::remove_file(folder.join("bin").join(name)).expect("it goes");
    }
}

/// The identity of a platform that says in the environment where it gives tokens, such as App Service.
async fn platform(arm: &Arm, folder: &Path) {
    let service = serve(("127.0.0.1", 0));
    let place = format!("http://127.0.0.1:{}/msi/token", service.port);
    let case = Case::new(arm, folder, "managed")
        .set("client", CLIENT)
        .with("IDENTITY_ENDPOINT", place)
        .with("IDENTITY_HEADER", "header")
        // What is on this machine no proxy leads to.
        .with("HTTP_PROXY", "http://127.0.0.1:9");
    case.let_in("a platform").await;
    let asked = service.asked();
    let client = format!("client_id={CLIENT}");
    assert!(
        asked.len() == 1 && asked[0].contains(&client) && asked[0].ends_with("true"),
        "{asked:?}"
    );
    assert!(
        asked[0].contains("resource=https%3a%2f%2fmanagement.azure.com"),
        "{asked:?}"
    );
}

/// The identity of a machine in Azure, whose metadata service has one address for all: in a network of
/// its own, in which the loopback has that address. It must run as root, as the tests of libvirt must.
async fn metadata(arm: &Arm, folder: &Path) {
    let why = Case::new(arm, folder, "managed").with("HTTP_PROXY", "http://127.0.0.1:9");
    let why = isolated(&why, "true").await;
    let text = why["told"]["error"].as_str().unwrap_or_default();
    assert!(text.contains("this is no machine in Azure"), "{why}");
    let address = "ip address add 169.254.169.254/32 dev lo";
    let mut case = Case::new(arm, folder, "managed").with("HTTP_PROXY", "http://127.0.0.1:9");
    case.settings["metadata"] = json!(true);
    let told = isolated(&case, address).await;
    let asked = told["asked"].as_array().expect("what was asked");
    let asked = asked.iter().filter_map(Value::as_str);
    let asked: Vec<&str> = asked.collect();
    assert!(
        asked.len() == 1
            && asked[0].starts_with("get /metadata/identity/oauth2/token?api-version=")
            && asked[0].ends_with("true"),
        "{told}"
    );
    // The token was had; the double is not in that network.
    assert_eq!(told["told"]["kind"], "transient fault", "{told}");
}
