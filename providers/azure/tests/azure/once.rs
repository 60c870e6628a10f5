//! Exactly once: what repeats, what gets lost, and what Azure could not make but keeps.

use strat_arm::Recorded;
use strat_conformance::Bench;
use strat_model::{
    Bytes, CapacityKind, DiskClass, ErrorKind, Kind, Labels, MachineSpec, NetworkSpec, ResourceId,
    Spec, SubnetSpec, VolumeSpec,
};
use strat_provider::{Filter, ProviderExt as _};

use crate::harness::{Azure, ZONE, machine_spec, thing};

/// A small machine in a network and subnet of its own.
pub(crate) async fn machine(bench: &Bench<'_>) -> MachineSpec<ResourceId> {
    let network = Spec::Network(NetworkSpec {
        cidr: "10.6.0.0/16".parse().expect("a range"),
        labels: Labels::new(),
    });
    let network = bench.create(&network, "net").await.id;
    let subnet = Spec::Subnet(SubnetSpec {
        network,
        cidr: "10.6.0.0/20".parse().expect("a range"),
        zone: None,
        internet: None,
        labels: Labels::new(),
    });
    let subnet = bench.create(&subnet, "sub").await.id;
    let images = bench.provider.public_images().await.expect("images");
    let image = images.get("debian-12", Some("x86_64")).expect("an image");
    machine_spec(&subnet, image)
}

pub(crate) fn volume() -> Spec<ResourceId> {
    Spec::Volume(VolumeSpec {
        size: Bytes::gib(20),
        class: DiskClass::Ssd,
        zone: ZONE.parse().expect("a zone"),
        attach: None,
        labels: Labels::new(),
    })
}

async fn count(bench: &Bench<'_>, kind: Kind) -> usize {
    bench.list(kind, &Filter::Owner(bench.owner())).await.len()
}

fn writes<'c>(calls: &'c [Recorded], word: &str) -> Vec<&'c Recorded> {
    let meant = calls
        .iter()
        .filter(|call| call.id.ends_with(word) && call.http == "PUT");
    meant.collect()
}

#[tokio::test]
async fn a_fleet_whose_answer_got_lost_is_not_made_twice() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let spec = machine(&bench).await;
    azure.arm.lose("virtualMachines/write", 2);
    let lost = bench
        .create_batch(&spec, 5, "fleet")
        .await
        .expect_err("no answer");
    assert_eq!(lost.kind(), ErrorKind::Transient, "{lost}");
    let again = bench
        .create_batch(&spec, 5, "fleet")
        .await
        .expect("the same fleet");
    assert_eq!((again.created.len(), again.shortfall.is_none()), (5, true));
    assert_eq!(count(&bench, Kind::Machine).await, 5);
    let again = bench
        .create_batch(&spec, 5, "fleet")
        .await
        .expect("the same fleet");
    assert_eq!(again.created.len(), 5);
    assert_eq!(azure.arm.ids("networkInterfaces").len(), 5);
}

#[tokio::test]
async fn what_azure_could_not_make_leaves_nothing_behind_and_the_name_is_free_again() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let spec = machine(&bench).await;
    azure.arm.leave_stock("*", "*", 0);
    let none = bench
        .create_batch(&spec, 2, "late")
        .await
        .expect_err("none left");
    assert_eq!(none.kind(), ErrorKind::Capacity, "{none}");
    for word in [
        "virtualMachines",
        "networkInterfaces",
        "disks",
        "publicIPAddresses",
    ] {
        assert_eq!(azure.arm.ids(word), Vec::<String>::new());
    }
    azure.arm.restock();
    let late = bench
        .create_batch(&spec, 2, "late")
        .await
        .expect("there are some now");
    assert_eq!(late.created.len(), 2);
}

#[tokio::test]
async fn an_operation_that_outlives_its_caller_is_found_again() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let spec = machine(&bench).await;
    // What is made once for a network is there already.
    bench
        .create_batch(&spec, 1, "first")
        .await
        .expect("a machine");
    azure.arm.take_calls();
    azure.arm.hold_operations(true);
    {
        let create = bench.create_batch(&spec, 1, "slow");
        let begun = async {
            while writes(&azure.arm.take_calls(), "virtualMachines/write").is_empty() {
                tokio::task::yield_now().await;
            }
        };
        // The caller gives up while Azure is at it.
        tokio::select! {
            made = create => panic!("nothing is done yet: {made:?}"),
            () = begun => {}
        }
    }
    azure.arm.hold_operations(false);
    azure.arm.take_calls();
    let found = bench
        .create_batch(&spec, 1, "slow")
        .await
        .expect("found again");
    assert_eq!(
        (found.created.len(), count(&bench, Kind::Machine).await),
        (1, 2)
    );
}

#[tokio::test]
async fn machines_are_made_on_condition_and_nothing_that_is_there_is_put_again() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let spec = machine(&bench).await;
    bench
        .create_batch(&spec, 2, "fleet")
        .await
        .expect("a fleet");
    let disk = bench.create(&volume(), "disk").await;
    let calls = azure.arm.take_calls();
    assert_eq!(writes(&calls, "virtualMachines/write").len(), 2);
    assert_eq!(writes(&calls, "disks/write").len(), 1);
    bench
        .create_batch(&spec, 2, "fleet")
        .await
        .expect("the same fleet");
    assert_eq!(bench.create(&volume(), "disk").await.id, disk.id);
    let calls = azure.arm.take_calls();
    let refused = writes(&calls, "virtualMachines/write");
    assert!(
        refused.len() == 2 && refused.iter().all(|call| call.status == 412),
        "{refused:#?}"
    );
    for word in [
        "disks/write",
        "virtualNetworks/write",
        "networkSecurityGroups/write",
    ] {
        assert!(writes(&calls, word).is_empty(), "{word}");
    }
}

#[tokio::test]
async fn a_spot_machine_is_one_and_leaves_nothing_when_azure_wants_it_back() {
    let azure = Azure::start().await;
    let bench = Bench::new(&azure).await;
    let plain = machine(&bench).await;
    let spec = Spec::Machine(MachineSpec {
        // Sizes of the series B are never sold as spot.
        machine_type: "Standard_D2s_v5".to_owned(),
        cpu: 2,
        memory: Bytes::gib(8),
        capacity: CapacityKind::Spot,
        ..plain
    });
    let made = bench.create(&spec, "spot").await;
    bench.ready(Kind::Machine, &made.id).await;
    let path = thing("Microsoft.Compute/virtualMachines", &made.name);
    let properties = azure.arm.thing(&path).expect("a machine")["properties"].clone();
    assert_eq!(properties["priority"], "Spot", "{properties}");
    assert_eq!(properties["evictionPolicy"], "Delete", "{properties}");
    assert_eq!(properties["billingProfile"]["maxPrice"], -1, "{properties}");

    let endpoint = azure.arm.endpoint();
    let url = format!("{endpoint}{path}/simulateEviction?api-version=2026-04-01");
    let evicted = azure.client().post(url).bearer_auth(strat_arm::TOKEN);
    let evicted = evicted.send().await.expect("an answer");
    assert_eq!(evicted.status().as_u16(), 204, "{evicted:?}");
    bench.gone(Kind::Machine, &made.id).await;
    for of in ["networkInterfaces", "disks", "publicIPAddresses"] {
        assert_eq!(azure.arm.ids(of), Vec::<String>::new());
    }
}
