//! One writer on hosts of one's own: folders that apply one topology at once.

use crate::crash::{COUNT, blocks, check_machines, files};
use crate::support;
use crate::support::slots::Pair;
use crate::support::topology::Topology;

#[tokio::test(flavor = "multi_thread")]
async fn of_two_folders_at_once_nothing_is_made_twice() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let site = support::site(&[host], false, serde_json::json!({}));
    let clean = files(host);
    let folders =
        [(); 2].map(|()| Topology::new(&[host], "images = { debian-12 = \"debian-12.img\" }"));
    let text = blocks(COUNT);
    let applies = tokio::join!(folders[0].try_apply(&text), folders[1].try_apply(&text));
    for failures in [applies.0, applies.1] {
        let failures = failures.unwrap_or_else(|error| panic!("{error:#?}"));
        assert!(failures.is_empty(), "{failures:#?}");
    }
    check_machines("two at once", host, &folders[0], &site, clean.clone()).await;
    for folder in &folders {
        folder.apply(&text).await;
    }
    check_machines("again", host, &folders[1], &site, clean.clone()).await;
    folders[0].apply("").await;
    assert_eq!(files(host), clean);
}
