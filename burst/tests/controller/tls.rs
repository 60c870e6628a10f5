//! The page over TLS, with certificates of both sides, on the loopback.

use std::net::SocketAddr;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use strat_burst::serve::{Access, Tls, TlsError, TlsFiles, serve};
use strat_burst::signals::Secret;
use tokio::net::{TcpListener, TcpStream};

/// Who issues certificates.
type Issuer = CertifiedIssuer<'static, KeyPair>;

fn issuer() -> Issuer {
    let mut params = CertificateParams::new(Vec::new()).expect("names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().expect("a key");
    CertifiedIssuer::self_signed(params, key).expect("a root")
}

/// A certificate and its key, in PEM.
fn issued(by: &Issuer, name: &str) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let params = CertificateParams::new(vec![name.to_owned()]).expect("names");
    let certificate = params.signed_by(&key, by).expect("a certificate");
    (certificate.pem(), key.serialize_pem())
}

fn write(folder: &Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("written");
    path
}

/// The files of a page that `server` certifies and that lets in whom `clients` certifies.
fn files(folder: &Path, server: &Issuer, clients: Option<&Issuer>) -> TlsFiles {
    let (certificate, key) = issued(server, "127.0.0.1");
    TlsFiles {
        certificate: write(folder, "page.pem", &certificate),
        key: write(folder, "page.key", &key),
        clients: clients.map(|clients| write(folder, "clients.pem", &clients.pem())),
    }
}

async fn served(folder: &Path, access: Access, tls: Tls) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let at = listener.local_addr().expect("an address");
    tokio::spawn(serve(listener, folder.to_owned(), access, Some(tls)));
    at
}

/// A client that trusts a root, and shows a certificate if it has one.
fn client(root: &Issuer, shows: Option<(String, String)>) -> reqwest::Client {
    // Whoever was first has set it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let root = reqwest::Certificate::from_pem(root.pem().as_bytes()).expect("a root");
    let builder = reqwest::Client::builder().tls_certs_only([root]);
    let builder = match shows {
        Some((certificate, key)) => {
            let both = format!("{certificate}{key}");
            builder.identity(reqwest::Identity::from_pem(both.as_bytes()).expect("both"))
        }
        None => builder,
    };
    builder.build().expect("a client")
}

async fn status(client: &reqwest::Client, at: SocketAddr, path: &str) -> Option<u16> {
    let asked = client.get(format!("https://{at}{path}")).send().await;
    asked.ok().map(|answer| answer.status().as_u16())
}

#[tokio::test]
async fn whoever_shows_the_right_certificate_sees_the_page_and_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let (server, clients, strangers) = (issuer(), issuer(), issuer());
    let tls = Tls::read(files(folder.path(), &server, Some(&clients))).expect("files");
    assert!(tls.asks_for_certificates());
    let at = served(folder.path(), Access::Certificate, tls).await;
    let known = client(&server, Some(issued(&clients, "ops")));
    assert_eq!(status(&known, at, "/").await, Some(200));
    // Nothing was recorded here yet, which is told to whoever may know.
    assert_eq!(status(&known, at, "/api/status").await, Some(404));
    for (who, shows) in [
        ("nobody", None),
        ("a stranger", Some(issued(&strangers, "ops"))),
        ("the page itself", Some(issued(&server, "ops"))),
    ] {
        let other = client(&server, shows);
        for path in ["/", "/healthz", "/metrics"] {
            assert_eq!(status(&other, at, path).await, None, "{who} sees {path}");
        }
    }
    // Who expects another is not led astray; and nothing is said without TLS.
    let astray = client(&strangers, Some(issued(&clients, "ops")));
    assert_eq!(status(&astray, at, "/").await, None);
    let plain = reqwest::Client::builder().build().expect("a client");
    assert!(plain.get(format!("http://{at}/")).send().await.is_err());
    // Who connects and says nothing holds nobody up.
    let _idle = TcpStream::connect(at).await.expect("connected");
    assert_eq!(status(&known, at, "/").await, Some(200));
}

#[tokio::test]
async fn a_token_goes_over_tls_and_its_cookie_never_without() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = issuer();
    let tls = Tls::read(files(folder.path(), &server, None)).expect("files");
    let access = Access::Token(Secret::new("t0psecret"));
    let at = served(folder.path(), access, tls).await;
    let asks = client(&server, None);
    assert_eq!(status(&asks, at, "/").await, Some(401));
    let answer = asks
        .get(format!("https://{at}/metrics"))
        .bearer_auth("t0psecret");
    assert_eq!(
        answer.send().await.expect("an answer").status().as_u16(),
        200
    );
    let never = reqwest::redirect::Policy::none();
    let root = reqwest::Certificate::from_pem(server.pem().as_bytes()).expect("a root");
    let stays = reqwest::Client::builder()
        .tls_certs_only([root])
        .redirect(never);
    let stays = stays.build().expect("a client");
    let answer = stays
        .get(format!("https://{at}/?token=t0psecret"))
        .send()
        .await;
    let answer = answer.expect("an answer");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text");
    assert!(cookie.ends_with("; Secure"), "{cookie}");
}

/// Certificates are short-lived where they are made by a program: a new one counts from the next connection
/// on, and one that is torn does not.
#[tokio::test]
async fn a_renewed_certificate_counts_and_a_torn_one_does_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (before, after) = (issuer(), issuer());
    let names = files(folder.path(), &before, None);
    let tls = Tls::read(names.clone()).expect("files");
    let at = served(folder.path(), Access::Anyone, tls).await;
    let both = |root: &Issuer| client(root, None);
    assert_eq!(status(&both(&before), at, "/").await, Some(200));
    let stamp = |seconds: u64| {
        for path in [&names.certificate, &names.key] {
            let file = std::fs::File::options()
                .append(true)
                .open(path)
                .expect("open");
            let at = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            file.set_modified(at).expect("a time");
        }
    };
    write(folder.path(), "page.pem", "-----BEGIN CERTIFICATE-----\n");
    stamp(1_000_000_000);
    assert_eq!(status(&both(&before), at, "/").await, Some(200));
    files(folder.path(), &after, None);
    stamp(2_000_000_000);
    assert_eq!(status(&both(&after), at, "/").await, Some(200));
    assert_eq!(status(&both(&before), at, "/").await, None);
}

#[test]
fn files_that_cannot_be_used_are_told_and_their_secrets_are_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = issuer();
    let good = files(folder.path(), &server, Some(&server));
    let (_, other_key) = issued(&server, "127.0.0.1");
    let other = write(folder.path(), "other.key", &other_key);
    let empty = write(folder.path(), "empty.pem", "");
    let missing = folder.path().join("nowhere.pem");
    let wrong = |change: &dyn Fn(&mut TlsFiles)| {
        let mut files = good.clone();
        change(&mut files);
        let error = Tls::read(files).expect_err("refused");
        let mut said = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(next) = cause {
            said = format!("{said}: {next}");
            cause = next.source();
        }
        let secret = other_key.lines().nth(1).expect("a line");
        assert!(!said.contains(secret), "{said}");
        (error, said)
    };
    let (error, said) = wrong(&|files| files.certificate = missing.clone());
    assert!(
        matches!(error, TlsError::Read { .. }) && said.contains("nowhere.pem"),
        "{said}"
    );
    for change in [
        &(|files: &mut TlsFiles| files.certificate = empty.clone()) as &dyn Fn(&mut TlsFiles),
        &|files| files.key = empty.clone(),
        &|files| files.key = files.certificate.clone(),
        &|files| files.clients = Some(empty.clone()),
    ] {
        let (error, said) = wrong(change);
        assert!(matches!(error, TlsError::Nothing { .. }), "{said}");
    }
    let (error, said) = wrong(&|files| files.key = other.clone());
    assert!(matches!(error, TlsError::Unusable(_)), "{said}");
}
