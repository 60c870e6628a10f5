//! Buckets and leases over Azurite, Microsoft's own emulator of blobs, which the double's accounts lead to.
//!
//! It is given bearer tokens over TLS, as Azure is: of a token it holds whom it is for, who gave it and
//! how long it is good (`--oauth basic`), and not what it allows. It keeps no versions of blobs, and knows
//! no version of the API that is newer than itself, which it is told not to mind.

use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use strat_arm::{Blobs, Certificate};
use strat_conformance::{Bench, Outcome, behaviours};
use strat_model::{BucketSpec, Kind, Labels, Resource, Spec};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::harness::{Azure, peers};

/// The account that Azurite has: all accounts of the double lead to it.
const ACCOUNT: &str = "devstoreaccount1";

/// A running Azurite. It ends with this.
pub(crate) struct Azurite {
    base: String,
    pub(crate) token: String,
    certificate: Certificate,
    _child: Child,
    _folder: tempfile::TempDir,
}

/// A token as Microsoft's would be, but for its signature, which Azurite has no key for.
fn token() -> String {
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let now = azure_core::time::OffsetDateTime::now_utc().unix_timestamp();
    let claims = json!({
        "aud": "https://storage.azure.com",
        "iss": format!("https://sts.windows.net/{}/", strat_arm::TENANT),
        "nbf": now - 60, "iat": now - 60, "exp": now + 3600,
    });
    let head = json!({ "alg": "RS256", "typ": "JWT" });
    format!("{}.{}.c2lnbmVk", part(head), part(claims))
}

impl Azurite {
    pub(crate) async fn start() -> Self {
        let program = peers().join("azurite/node_modules/azurite/dist/src/blob/main.js");
        assert!(
            program.is_file(),
            "Azurite is not installed: run scripts/peers/azure once"
        );
        let certificate = strat_arm::certificate().expect("a certificate");
        let folder = tempfile::tempdir().expect("a folder");
        let (certificates, key) = (
            folder.path().join("cert.pem"),
            folder.path().join("key.pem"),
        );
        std::fs::write(&certificates, &certificate.certificate).expect("written");
        std::fs::write(&key, &certificate.key).expect("written");
        let mut child = Command::new("node")
            .arg(program)
            .args(["--blobHost", "127.0.0.1", "--blobPort", "0"])
            .args([
                "--inMemoryPersistence",
                "--skipApiVersionCheck",
                "--disableTelemetry",
            ])
            .args(["--oauth", "basic", "--silent"])
            .arg("--cert")
            .arg(certificates)
            .arg("--key")
            .arg(key)
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("node starts");
        let told = child.stdout.take().expect("its words");
        let mut lines = BufReader::new(told).lines();
        let address = loop {
            let line = lines.next_line().await.expect("its words");
            let line = line.expect("it says where it listens");
            if let Some((_, address)) = line.split_once("successfully listens on ") {
                break address.trim().to_owned();
            }
        };
        // Whoever does not read on stops it.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self {
            base: format!("{address}/{ACCOUNT}"),
            token: token(),
            certificate,
            _child: child,
            _folder: folder,
        }
    }

    pub(crate) fn root(&self) -> &str {
        &self.certificate.root
    }

    /// What leads a double's accounts here.
    pub(crate) fn blobs(&self) -> Blobs {
        let root = reqwest::Certificate::from_pem(self.root().as_bytes()).expect("a root");
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().tls_certs_merge([root]).build();
        let (client, base, token) = (
            client.expect("a client"),
            self.base.clone(),
            self.token.clone(),
        );
        Blobs::new(format!("{base}/"), move |name| {
            let url = format!("{base}/{name}?restype=container");
            let request = client.put(url).bearer_auth(&token);
            let request = request.header("x-ms-version", "2025-11-05");
            async move {
                let answer = request.send().await.expect("an answer");
                let status = answer.status().as_u16();
                assert!([201, 409].contains(&status), "{answer:?}");
            }
        })
    }
}

/// Runs behaviours of the suite, each with a site of its own over one Azurite; all of them hold.
macro_rules! hold {
    ($azurite:expr; $($group:ident: [$($name:ident)*])*) => {
        $($({
            let azure = Azure::start_with(Some($azurite)).await;
            let outcome = behaviours::$group::$name(&azure).await;
            assert_eq!(outcome, Outcome::Held, stringify!($name));
            let calls = azure.arm.take_calls();
            let own = calls.iter().find(|call| call.id.starts_with("blobs/"));
            assert_eq!(own, None, "blobs are Azurite's alone");
        })*)*
    };
}

#[tokio::test]
async fn buckets_and_leases_keep_the_contract_over_azurite() {
    let azurite = Azurite::start().await;
    hold! {
        &azurite;
        reading: [buckets_read_back]
        storage: [versioning_changes_in_place a_bucket_with_objects_stays a_full_bucket_is_emptied]
        leases: [
            a_place_is_said of_many_at_once_one_takes_it only_the_newest_version_is_followed
            keys_are_apart conditions_are_proved
        ]
    }
    a_bucket_of_all_sorts_is_emptied(&azurite).await;
    a_token_for_somebody_else_is_refused(&azurite).await;
}

/// More objects than one call takes out, names that an address has to write otherwise, and snapshots.
async fn a_bucket_of_all_sorts_is_emptied(azurite: &Azurite) {
    let azure = Azure::start_with(Some(azurite)).await;
    let bench = Bench::new(&azure).await;
    let spec = Spec::Bucket(BucketSpec {
        versioning: false,
        labels: Labels::new(),
    });
    let bucket = bench.create(&spec, "store").await;
    let odd = [
        "a%20b/%C3%BC.txt",
        "100%25%26%3C.txt",
        "deep/er/still%23%3F",
    ]
    .map(str::to_owned);
    let many = (0..100).map(|number| format!("many/{number:03}"));
    let names: Vec<String> = many.chain(odd).collect();
    for some in names.chunks(10) {
        let puts = some
            .iter()
            .map(|name| azure.blob(&bucket.id, Method::PUT, name, "x"));
        for put in join_all(puts).await {
            assert_eq!(put.status().as_u16(), 201, "{put:?}");
        }
    }
    for name in ["many/000", "many/001", "deep/er/still%23%3F"] {
        for _ in 0..2 {
            let snapshot = format!("{name}?comp=snapshot");
            let made = azure.blob(&bucket.id, Method::PUT, &snapshot, "").await;
            assert_eq!(made.status().as_u16(), 201, "{name}: {made:?}");
        }
    }
    let seen = bench.ready(Kind::Bucket, &bucket.id).await;
    assert_eq!(seen.attributes[Resource::EMPTY], "false");
    let contents = bench.provider.contents().expect("it empties buckets");
    let (mut removed, mut calls) = (0, 0);
    loop {
        let portion = contents
            .empty_bucket(&bucket.id)
            .await
            .expect("it is emptied");
        removed += portion.removed;
        calls += 1;
        assert!(calls < 10, "{removed} removed, and it does not end");
        if !portion.left {
            break;
        }
    }
    assert!(
        removed >= names.len() as u64,
        "{removed} of {}",
        names.len()
    );
    assert!(calls > 1, "a call takes out a hundred");
    let seen = bench.ready(Kind::Bucket, &bucket.id).await;
    assert_eq!(seen.attributes[Resource::EMPTY], "true");
    bench.delete(&bucket).await;
}

/// The audience of our token is held by Azurite: one for the resource manager is none for blobs.
async fn a_token_for_somebody_else_is_refused(azurite: &Azurite) {
    let mut azure = Azure::start_with(Some(azurite)).await;
    azure.forget_blob_token();
    let provider = azure.connect(&azure.site()).await;
    let leases = provider.leases().expect("leases");
    leases.make().await.expect("an account");
    let place = leases.places().await.expect("places").remove(0);
    let key = strat_provider::LeaseKey::of("shop", &place);
    let refused = leases.read(&key).await.expect_err("no token for blobs");
    assert_eq!(
        refused.kind(),
        strat_model::ErrorKind::Unauthenticated,
        "{refused}"
    );
}
