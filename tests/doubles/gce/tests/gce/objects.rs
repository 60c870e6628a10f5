//! Objects of Cloud Storage by requests of our own: what Google's client for Python does not send.

use serde_json::{Value, json};
use strat_gce::Gce;

use crate::support::{PROJECT, ask, start};

async fn send(gce: &Gce, http: &str, path: &str, body: Option<Value>) -> (u16, Value) {
    let answer = ask(gce, http, path, body.as_ref()).await;
    answer.unwrap_or_else(|| panic!("no answer to {http} {path}"))
}

async fn with_bucket() -> Gce {
    let gce = start().await;
    let path = format!("/storage/v1/b?project={PROJECT}");
    let body = json!({ "name": "store", "location": "europe-west1" });
    let (status, bucket) = send(&gce, "POST", &path, Some(body)).await;
    assert_eq!((status, &bucket["locationType"]), (200, &json!("region")));
    gce
}

/// Writes an object whose content is JSON.
async fn write(gce: &Gce, name: &str, query: &str, content: Value) -> (u16, Value) {
    let path = format!("/upload/storage/v1/b/store/o?uploadType=media&name={name}{query}");
    send(gce, "POST", &path, Some(content)).await
}

fn reason(answer: &Value) -> &Value {
    &answer["error"]["errors"][0]["reason"]
}

#[tokio::test]
async fn an_object_is_written_under_a_condition_on_its_generation() {
    let gce = with_bucket().await;
    let (_, first) = write(
        &gce,
        "lease%2Fone",
        "&ifGenerationMatch=0",
        json!({ "holder": "a" }),
    )
    .await;
    let generation = first["generation"]
        .as_str()
        .expect("a generation")
        .to_owned();
    let (status, answer) = write(&gce, "lease%2Fone", "&ifGenerationMatch=0", json!({})).await;
    assert_eq!((status, reason(&answer)), (412, &json!("conditionNotMet")));
    let next = format!("&ifGenerationMatch={generation}");
    let (_, second) = write(&gce, "lease%2Fone", &next, json!({ "holder": "b" })).await;
    assert_ne!(second["generation"], first["generation"]);
    let object = "/storage/v1/b/store/o/lease%2Fone";
    let (_, content) = send(&gce, "GET", &format!("{object}?alt=media"), None).await;
    assert_eq!(content, json!({ "holder": "b" }));
    let generation = second["generation"].as_str().expect("a generation");
    let same = format!("{object}?ifGenerationNotMatch={generation}");
    assert_eq!(send(&gce, "GET", &same, None).await, (304, Value::Null));
    let gone = format!(
        "{object}?generation={}",
        first["generation"].as_str().expect("it")
    );
    let (status, answer) = send(&gce, "GET", &gone, None).await;
    assert_eq!(
        (status, reason(&answer)),
        (404, &json!("notFound")),
        "no versions are kept"
    );
    let other = format!("{object}?ifGenerationMatch=1");
    assert_eq!(send(&gce, "DELETE", &other, None).await.0, 412);
    assert_eq!(send(&gce, "DELETE", object, None).await, (204, Value::Null));
    assert_eq!(send(&gce, "DELETE", object, None).await.0, 404);
    assert!(gce.violations().is_empty() && gce.flaws().is_empty());
}

#[tokio::test]
async fn objects_are_listed_page_by_page() {
    let gce = with_bucket().await;
    for name in ["a/1", "a/2", "a/3", "b/1"] {
        assert_eq!(
            write(&gce, &name.replace('/', "%2F"), "", json!({}))
                .await
                .0,
            200
        );
    }
    let (mut names, mut token) = (Vec::new(), String::new());
    loop {
        let path = format!("/storage/v1/b/store/o?prefix=a%2F&maxResults=2{token}");
        let (_, page) = send(&gce, "GET", &path, None).await;
        let items = page["items"].as_array().expect("items");
        names.extend(items.iter().map(|item| item["name"].clone()));
        let Some(next) = page["nextPageToken"].as_str() else {
            break;
        };
        token = format!("&pageToken={}", next.replace('=', "%3D"));
    }
    assert_eq!(names, ["a/1", "a/2", "a/3"]);
}

#[tokio::test]
async fn writing_over_an_object_takes_the_permission_to_delete_it() {
    let gce = with_bucket().await;
    gce.grant_only(Some(&["storage.objects.create"]));
    assert_eq!(write(&gce, "one", "", json!({})).await.0, 200);
    let (status, answer) = write(&gce, "one", "", json!({})).await;
    assert_eq!((status, reason(&answer)), (403, &json!("forbidden")));
    let message = answer["error"]["message"].as_str().expect("a message");
    assert!(
        message.contains("Permission 'storage.objects.delete' denied"),
        "{message}"
    );
}

#[tokio::test]
async fn an_upload_of_another_kind_is_refused_and_noted() {
    let gce = with_bucket().await;
    let path = "/upload/storage/v1/b/store/o?uploadType=resumable&name=one";
    let (status, answer) = send(&gce, "POST", path, Some(json!({}))).await;
    assert_eq!(status, 400, "{answer}");
    assert_eq!(gce.violations().len(), 1);
}
