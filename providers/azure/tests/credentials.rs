//! Where a site's credentials come from, each way run for real: Microsoft's crate reads the environment of
//! the process, so each case is a process of its own, and everything that it asks is on the loopback.
//!
//! This program runs itself again for each case; what it is then to do is in [`CASE`].

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use strat_arm::{Arm, Options, TENANT};
use strat_azure::AzureFactory;
use strat_model::{Name, SiteSpec};
use strat_provider::{ConnectContext, ProviderFactory as _, TokioClock};

/// The site's settings and its folder, as JSON: this process is a case.
const CASE: &str = "STRAT_AZURE_CASE";
const SUBSCRIPTION: &str = "00000000-0000-4000-8000-00000000a2e0";
const OTHER_TENANT: &str = "33333333-aaaa-4bbb-8ccc-444444444444";
const OTHERS: &str = "00000000-0000-4000-8000-00000000a2e1";
const CLIENT: &str = "55555555-aaaa-4bbb-8ccc-666666666666";
/// What must never be told.
const HUSH: &str = "hush-hush";

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

/// A small server of tokens without TLS, as the platforms of machines have one.
struct Service {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

fn serve(at: (&str, u16)) -> Service {
    let listener = TcpListener::bind(at).expect("a port");
    let service = Service {
        port: listener.local_addr().expect("an address").port(),
        asked: Arc::default(),
    };
    let asked = Arc::clone(&service.asked);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who only looks whether anybody is there says nothing.
            let _ = answer(stream, &asked);
        }
    });
    service
}

/// <https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token>
fn answer(mut stream: TcpStream, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let mut request = Vec::new();
    for line in lines.by_ref() {
        let line = line?;
        if line.is_empty() {
            break;
        }
        request.push(line.to_lowercase());
    }
    let first = request.first().cloned().unwrap_or_default();
    if first.is_empty() {
        return Ok(());
    }
    let proof = request
        .iter()
        .any(|line| line == "metadata: true" || line == "x-identity-header: header");
    asked
        .lock()
        .expect("no panic")
        .push(format!("{first} {proof}"));
    let body = json!({
        "access_token": strat_arm::TOKEN, "expires_on": "4102444800", "resource": "any",
        "token_type": "Bearer", "client_id": CLIENT,
    })
    .to_string();
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What a case is run with.
struct Case<'a> {
    arm: &'a Arm,
    folder: &'a Path,
    settings: Value,
    subscription: &'a str,
    environment: Vec<(&'a str, String)>,
}

impl<'a> Case<'a> {
    fn new(arm: &'a Arm, folder: &'a Path, credentials: &str) -> Self {
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

    fn set(mut self, key: &str, value: &str) -> Self {
        self.settings[key] = json!(value);
        self
    }

    fn with(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.environment.push((name, value.into()));
        self
    }

    /// A service principal with a secret.
    fn principal(self, secret: &str) -> Self {
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

    async fn let_in(self, name: &str) -> Vec<Value> {
        let subscription = self.subscription;
        let (told, forms) = self.run().await;
        assert_eq!(told["told"]["account"], subscription, "{name}: {told}");
        forms
    }

    async fn refused(self, name: &str) -> String {
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
fn program(folder: &Path, name: &str, answer: &str) {
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

fn calls(folder: &Path, name: &str) -> String {
    std::fs::read_to_string(folder.join(format!("{name}.called"))).unwrap_or_default()
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

/// Runs a case in a network of its own, once a command was run there.
async fn isolated(case: &Case<'_>, setup: &str) -> Value {
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
