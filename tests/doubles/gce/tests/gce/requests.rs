//! What the double refuses that a good client never sends, what it notes, and what can be arranged.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use strat_gce::{Gce, Options};

use crate::support::{PROJECT, ask, ask_at, peers, start};

const ZONE: &str = "europe-west1-b";

fn global(rest: &str) -> String {
    format!("/compute/v1/projects/{PROJECT}/global/{rest}")
}

fn zonal(rest: &str) -> String {
    format!("/compute/v1/projects/{PROJECT}/zones/{ZONE}/{rest}")
}

/// A request that the double answers.
async fn send(gce: &Gce, http: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let answer = ask(gce, http, path, body.as_ref()).await;
    answer.unwrap_or_else(|| panic!("no answer to {http} {path}"))
}

/// A change, until it is done.
async fn done(gce: &Gce, http: &str, path: &str, body: Option<Value>) -> Value {
    let (status, operation) = send(gce, http, path, body).await;
    assert_eq!(status, 200, "{operation}");
    let link = operation["selfLink"].as_str().expect("a link");
    let path = link.trim_start_matches("https://www.googleapis.com");
    let (_, operation) = send(gce, "POST", &format!("{path}/wait"), None).await;
    assert_eq!(operation["status"], "DONE");
    operation
}

fn network(name: &str) -> Value {
    json!({ "name": name, "autoCreateSubnetworks": false })
}

fn machine(name: &str) -> Value {
    json!({
        "name": name,
        "machineType": format!("zones/{ZONE}/machineTypes/e2-small"),
        "labels": { "owner": "us" },
        "disks": [{ "boot": true, "autoDelete": true, "initializeParams": {
            "sourceImage": "projects/debian-cloud/global/images/family/debian-12",
        } }],
        "networkInterfaces": [{ "subnetwork": "regions/europe-west1/subnetworks/sub" }],
    })
}

async fn with_subnet() -> Gce {
    let gce = start().await;
    done(&gce, "POST", &global("networks"), Some(network("net"))).await;
    let path = format!("/compute/v1/projects/{PROJECT}/regions/europe-west1/subnetworks");
    let body =
        json!({ "name": "sub", "network": "global/networks/net", "ipCidrRange": "10.0.0.0/29" });
    done(&gce, "POST", &path, Some(body)).await;
    gce
}

#[tokio::test]
async fn what_the_description_does_not_know_is_refused_with_its_path_and_noted() {
    let gce = start().await;
    let with = |name: &str, value: Value| {
        let mut body = network("net");
        body[name] = value;
        Some(body)
    };
    let networks = global("networks");
    let cases = [
        (
            "POST",
            networks.clone(),
            with("colour", json!("red")),
            "body.colour: no such field",
        ),
        (
            "POST",
            networks.clone(),
            with("id", json!("7")),
            "body.id: is output only",
        ),
        (
            "POST",
            networks.clone(),
            with("subnetworks", json!([])),
            "body.subnetworks: is output",
        ),
        (
            "POST",
            networks.clone(),
            with("mtu", json!("large")),
            "body.mtu: \"large\" is no",
        ),
        (
            "POST",
            networks.clone(),
            with("name", json!("Net")),
            "body.name: `Net` does not match",
        ),
        (
            "POST",
            networks.clone(),
            with("name", json!("net\n")),
            "body.name: `net\n` does not",
        ),
        (
            "POST",
            networks.clone(),
            with("name", Value::Null),
            "body.name: missing",
        ),
        (
            "POST",
            networks.clone(),
            with("routingConfig", json!({ "routingMode": "BEST" })),
            "body.routingConfig.routingMode: `BEST` is none of its values",
        ),
        (
            "POST",
            format!("{networks}?colour=red"),
            Some(network("net")),
            "query.colour: no such",
        ),
        (
            "GET",
            format!("{networks}?maxResults=many"),
            None,
            "query.maxResults: `many` is no",
        ),
        (
            "GET",
            format!("{networks}?filter=a&filter=b"),
            None,
            "query.filter: given twice",
        ),
        (
            "GET",
            networks.clone(),
            Some(json!({ "name": "net" })),
            "body: this method takes none",
        ),
        (
            "GET",
            format!("{networks}/Net"),
            None,
            "path.network: `Net` does not match",
        ),
        (
            "POST",
            zonal("instances/a/deleteAccessConfig?accessConfig=b"),
            None,
            "query.networkInterface: missing",
        ),
        (
            "POST",
            zonal("instances"),
            Some(json!({ "name": "a", "disks": [{ "index": 1 }] })),
            "body.disks[0].index: is output only",
        ),
        (
            "GET",
            global("clusters"),
            None,
            "Compute Engine has no such method",
        ),
        (
            "PUT",
            networks.clone(),
            Some(network("net")),
            "Compute Engine has no such method",
        ),
    ];
    for (index, (http, path, body, why)) in cases.into_iter().enumerate() {
        let (status, answer) = send(&gce, http, &path, body).await;
        assert!(matches!(status, 400 | 404), "{why}: {answer}");
        let message = answer["error"]["message"].as_str().expect("a message");
        assert!(message.contains(why), "{why} in: {message}");
        let noted = gce.violations();
        assert_eq!(noted.len(), index + 1, "{noted:#?}");
        assert!(noted[index].contains(why), "{}", noted[index]);
    }
    assert!(
        gce.paths(PROJECT, "networks").is_empty(),
        "nothing was made"
    );
}

#[tokio::test]
async fn what_the_double_has_not_is_told_as_that() {
    let gce = start().await;
    for path in [global("snapshots"), global("networks?fields=items")] {
        let (status, answer) = send(&gce, "GET", &path, None).await;
        assert_eq!(
            (status, &answer["error"]["errors"][0]["reason"]),
            (501, &json!("notImplemented"))
        );
    }
    assert!(gce.violations().is_empty(), "the description knows them");
}

#[tokio::test]
async fn a_missing_description_says_what_installs_it() {
    let nowhere = Options::new("/nowhere", PROJECT);
    let why = Gce::start(&nowhere).await.expect_err("there is none");
    assert!(why.contains("run scripts/peers/gcp once"), "{why}");
}

#[tokio::test]
async fn an_operation_takes_as_many_looks_as_a_test_says() {
    let gce = start().await;
    gce.set_polls("networks.insert", 3);
    let body = Some(network("slow"));
    let (_, operation) = send(&gce, "POST", &global("networks"), body).await;
    assert_eq!(operation["status"], "PENDING");
    let path = global(&format!(
        "operations/{}",
        operation["name"].as_str().expect("a name")
    ));
    let mut seen = Vec::new();
    for _ in 0..3 {
        let (_, operation) = send(&gce, "GET", &path, None).await;
        seen.push(operation["status"].clone());
    }
    assert_eq!(seen, ["RUNNING", "RUNNING", "DONE"]);
    // Nobody looks at the operation: its target's own state shows how far it is.
    let (_, first) = send(&gce, "DELETE", &global("networks/slow"), None).await;
    assert_eq!(first["status"], "PENDING");
    let (status, _) = send(&gce, "GET", &global("networks/slow"), None).await;
    assert_eq!(status, 404, "one look was enough");
}

#[tokio::test]
async fn a_request_id_is_good_for_its_window() {
    let gce = start().await;
    let token = "requestId=0a1b2c3d-0000-4000-8000-000000000001";
    let path = format!("{}?{token}", global("networks"));
    let first = done(&gce, "POST", &path, Some(network("net"))).await;
    let (_, second) = send(&gce, "POST", &path, Some(network("net"))).await;
    assert_eq!(first["id"], second["id"]);
    // One that is used for something else is the caller's fault.
    let (status, _) = send(&gce, "POST", &path, Some(network("other"))).await;
    assert_eq!(status, 400);
    let noted = gce.violations();
    assert!(
        noted[0].contains("compute.networks.insert of shop-1/net, and now"),
        "{noted:?}"
    );
    gce.forget_requests();
    let (status, answer) = send(&gce, "POST", &path, Some(network("net"))).await;
    assert_eq!(
        (status, &answer["error"]["errors"][0]["reason"]),
        (409, &json!("alreadyExists"))
    );
}

#[tokio::test]
async fn a_subnet_is_full_when_its_addresses_are_and_gets_them_back() {
    let gce = with_subnet().await;
    // A range of eight has four for machines.
    for name in ["a", "b", "c", "d"] {
        let operation = done(&gce, "POST", &zonal("instances"), Some(machine(name))).await;
        assert!(operation["error"].is_null(), "{operation}");
    }
    let operation = done(&gce, "POST", &zonal("instances"), Some(machine("e"))).await;
    assert_eq!(
        operation["error"]["errors"][0]["code"],
        "IP_SPACE_EXHAUSTED"
    );
    done(&gce, "DELETE", &zonal("instances/a"), None).await;
    let operation = done(&gce, "POST", &zonal("instances"), Some(machine("e"))).await;
    assert!(operation["error"].is_null(), "{operation}");
    let (_, seen) = send(&gce, "GET", &zonal("instances/e"), None).await;
    assert_eq!(seen["networkInterfaces"][0]["networkIP"], "10.0.0.2");
    assert!(gce.flaws().is_empty(), "{:#?}", gce.flaws());
}

#[tokio::test]
async fn a_machine_that_cannot_be_made_leaves_nothing_and_takes_nothing_away() {
    let gce = with_subnet().await;
    let disk = |name: &str| json!({ "name": name, "sizeGb": "10" });
    for name in ["data", "taken"] {
        done(&gce, "POST", &zonal("disks"), Some(disk(name))).await;
    }
    let before = gce.paths(PROJECT, "disks");
    // A disk that is to be made has the name of one that is there.
    let operation = done(&gce, "POST", &zonal("instances"), Some(machine("taken"))).await;
    assert_eq!(
        operation["error"]["errors"][0]["code"],
        "RESOURCE_ALREADY_EXISTS"
    );
    // The zone is out of machines: the new disk goes, though it would stay with the machine.
    gce.leave_stock("e2-small", ZONE, 0);
    let mut body = machine("web");
    body["disks"][0]["autoDelete"] = json!(false);
    let data = json!({ "source": format!("zones/{ZONE}/disks/data"), "deviceName": "data" });
    body["disks"].as_array_mut().expect("disks").push(data);
    let operation = done(&gce, "POST", &zonal("instances"), Some(body)).await;
    assert_eq!(
        operation["error"]["errors"][0]["code"],
        "ZONE_RESOURCE_POOL_EXHAUSTED"
    );
    assert_eq!(gce.paths(PROJECT, "disks"), before);
    assert!(gce.paths(PROJECT, "instances").is_empty());
    // No address is lost either.
    gce.restock();
    done(&gce, "POST", &zonal("instances"), Some(machine("web"))).await;
    let (_, seen) = send(&gce, "GET", &zonal("instances/web"), None).await;
    assert_eq!(seen["networkInterfaces"][0]["networkIP"], "10.0.0.2");
}

#[tokio::test]
async fn a_copy_has_the_labels_and_is_another_thing() {
    let gce = with_subnet().await;
    done(&gce, "POST", &zonal("instances"), Some(machine("web"))).await;
    let path = format!("projects/{PROJECT}/zones/{ZONE}/instances/web");
    let copy = gce.copy(&path, "twin").expect("a copy");
    let (first, second) = (
        gce.thing(&path).expect("it"),
        gce.thing(&copy).expect("its copy"),
    );
    assert_eq!(first["labels"], second["labels"]);
    assert_eq!(first["labelFingerprint"], second["labelFingerprint"]);
    let own = |field: &Value, other: &Value| assert_ne!(field, other);
    own(&first["id"], &second["id"]);
    own(&first["disks"][0]["source"], &second["disks"][0]["source"]);
    let ip = |thing: &Value| thing["networkInterfaces"][0]["networkIP"].clone();
    own(&ip(&first), &ip(&second));
    assert!(gce.edit(&copy, |fields| {
        fields.remove("labels");
    }));
    assert_eq!(gce.thing(&copy).expect("it")["labels"], Value::Null);
    assert!(gce.remove(&copy));
    assert_eq!(gce.paths(PROJECT, "instances"), [path]);
}

#[tokio::test]
async fn permissions_are_what_a_test_grants() {
    let gce = start().await;
    let wanted = json!({ "permissions": ["compute.networks.create", "compute.networks.get"] });
    let path = format!("/v1/projects/{PROJECT}:testIamPermissions");
    let (_, all) = send(&gce, "POST", &path, Some(wanted.clone())).await;
    assert_eq!(all, wanted);
    gce.grant_only(Some(&["compute.networks.get"]));
    let (_, some) = send(&gce, "POST", &path, Some(wanted)).await;
    assert_eq!(some, json!({ "permissions": ["compute.networks.get"] }));
    let (status, answer) = send(&gce, "POST", &global("networks"), Some(network("net"))).await;
    assert_eq!(
        (status, &answer["error"]["errors"][0]["reason"]),
        (403, &json!("forbidden"))
    );
    let message = answer["error"]["message"].as_str().expect("a message");
    assert!(message.contains("'compute.networks.create'"), "{message}");
    let calls = gce.take_calls();
    let last = calls.last().expect("a call");
    assert_eq!(
        (last.id.as_str(), last.status),
        ("compute.networks.insert", 403)
    );
    assert_eq!(last.body, Some(network("net")));
}

#[tokio::test]
async fn the_command_serves_until_its_input_ends() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_strat-gce"))
        .args(["--project", PROJECT, "--peers"])
        .arg(peers())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut line = String::new();
    let mut told = BufReader::new(child.stdout.take().expect("a pipe"));
    told.read_line(&mut line).expect("its endpoint");
    let authority = line.trim().trim_start_matches("http://");
    let path = format!("/compute/v1/projects/{PROJECT}/zones/{ZONE}");
    let answer = ask_at(authority, "GET", &path, None).await;
    let (status, zone) = answer.expect("an answer");
    assert_eq!((status, &zone["name"]), (200, &json!(ZONE)));
    drop(child.stdin.take());
    assert!(child.wait().expect("it ends").success());
}

#[tokio::test]
async fn a_lost_answer_took_effect() {
    let gce = start().await;
    gce.lose("networks.insert", 1);
    let body = network("net");
    assert!(
        ask(&gce, "POST", &global("networks"), Some(&body))
            .await
            .is_none()
    );
    let (status, _) = send(&gce, "GET", &global("networks/net"), None).await;
    assert_eq!(status, 200);
}
