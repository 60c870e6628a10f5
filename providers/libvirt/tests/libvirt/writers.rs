//! One writer on hosts of one's own: folders that apply one topology at once.

use futures::future::join_all;
use strat_conformance::{Round, rounds};

use crate::crash::{COUNT, blocks, check_machines, files};
use crate::support;
use crate::support::peer::Peer;
use crate::support::slots::Pair;
use crate::support::topology::Topology;

/// Deletes the leases that earlier rounds left, so that nobody ever had one.
fn forget_leases(host: &Peer) {
    let pools = host.connect().list_all_storage_pools(0).expect("the pools");
    let volumes = pools
        .iter()
        .flat_map(|pool| pool.list_all_volumes(0).expect("the volumes"));
    for volume in volumes {
        let name = volume.name().expect("a name");
        if name.starts_with("lease-") {
            volume.delete(0).expect("it goes");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_or_four_fresh_folders_at_once_nothing_is_made_twice() {
    let pair = Pair::take();
    let host = &pair.hosts()[0];
    let site = support::site(&[host], false, serde_json::json!({}));
    let clean = files(host);
    let text = blocks(COUNT);
    for round in 0..rounds(2) {
        let _told = Round(round);
        forget_leases(host);
        let count = if round % 2 == 0 { 2 } else { 4 };
        let images = "images = { debian-12 = \"debian-12.img\" }";
        let folders: Vec<Topology> = (0..count).map(|_| Topology::new(&[host], images)).collect();
        for failures in join_all(folders.iter().map(|folder| folder.try_apply(&text))).await {
            let failures = failures.unwrap_or_else(|error| panic!("{error:#?}"));
            assert!(failures.is_empty(), "{failures:#?}");
        }
        check_machines("at once", host, &folders[0], &site, clean.clone()).await;
        for folder in &folders {
            folder.apply(&text).await;
        }
        check_machines("again", host, &folders[count - 1], &site, clean.clone()).await;
        folders[0].apply("").await;
        assert_eq!(files(host), clean);
    }
}
