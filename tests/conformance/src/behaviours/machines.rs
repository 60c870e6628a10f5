//! Machines: batches, shortages, sizes, what they are made of.

use std::collections::BTreeSet;

use ipnet::Ipv4Net;
use strat_model::{
    Bytes, DiskClass, DiskSpec, ErrorKind, Field, ImageRef, Kind, MachineSpec, NetworkSpec,
    Prefixes, ResourceId, ResourceState, Scope, Shared, Spec, SubnetSpec, UserData,
};

use super::reading::stranger;
use super::{bench, passed_over};
use crate::bench::{done, refused};
use crate::specs::labels;
use crate::{Bench, Harness, Outcome};
use strat_provider::ProviderExt as _;

/// One call makes a whole batch, each machine with a name of its own.
pub async fn a_batch_makes_them_all(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let count = bench
        .provider
        .capabilities()
        .create_batch
        .min(harness.machines_max());
    let spec = bench.machine().await;
    let batch = done(
        bench.create_batch(&spec, count, "fleet").await,
        "creating a batch",
    );
    assert!(batch.shortfall.is_none(), "{:?}", batch.shortfall);
    let names: BTreeSet<_> = batch.created.iter().map(|m| m.name.clone()).collect();
    let wanted: BTreeSet<_> = (0..count)
        .map(|n| bench.name(&format!("fleet-{n}")))
        .collect();
    assert_eq!(names, wanted);
    let ids: BTreeSet<_> = batch.created.iter().map(|m| m.id.clone()).collect();
    assert_eq!(ids.len(), count as usize, "each is a machine of its own");
    let mut addresses = BTreeSet::new();
    for id in &ids {
        let machine = bench.ready(Kind::Machine, id).await;
        bench.check_spec(&machine, &Spec::Machine(spec.clone()));
        assert_eq!(machine.mark, Some(bench.mark(Kind::Machine, "fleet")));
        addresses.insert(machine.attributes.get("private_ip").cloned());
    }
    assert_eq!(
        addresses.len(),
        count as usize,
        "each has an address of its own"
    );
    Outcome::Held
}

/// Where there is room for some of a batch, those are made, and the answer says why no more.
pub async fn a_partial_batch_says_so(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    if bench.provider.capabilities().create_batch < 2 {
        return passed_over("the cloud makes one machine a call");
    }
    let spec = bench.machine().await;
    if !harness.leave_stock(&spec.machine_type, &spec.zone, 1).await {
        return passed_over("the harness cannot limit the stock");
    }
    let batch = done(
        bench.create_batch(&spec, 2, "some").await,
        "creating two of one",
    );
    assert_eq!(batch.created.len(), 1);
    let why = batch.shortfall.expect("the answer says why");
    assert_eq!(
        (why.kind(), why.scope()),
        (ErrorKind::Capacity, Scope::Offer),
        "{why}"
    );
    bench.ready(Kind::Machine, &batch.created[0].id).await;
    Outcome::Held
}

/// An offer that is out of stock is a matter of capacity, and reaches no further than the offer.
pub async fn a_stock_out_is_capacity(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let spec = bench.machine().await;
    if !harness.leave_stock(&spec.machine_type, &spec.zone, 0).await {
        return passed_over("the harness cannot limit the stock");
    }
    let none = bench.create_batch(&spec, 1, "none").await;
    let error = refused(none, &[ErrorKind::Capacity], "buying what is out of stock");
    assert_eq!(error.scope(), Scope::Offer, "{error}");
    Outcome::Held
}

/// An account at its limit is a matter of quota, never of capacity.
pub async fn a_full_quota_is_quota(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let spec = bench.machine().await;
    if !harness.leave_quota(0).await {
        return passed_over("the harness cannot limit the account");
    }
    let none = bench.create_batch(&spec, 1, "none").await;
    refused(none, &[ErrorKind::Quota], "buying more than is allowed");
    Outcome::Held
}

/// A machine's private address is in its subnet.
pub async fn machines_get_addresses_of_their_subnet(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let machine = bench.running("tenant").await;
    let ip = machine
        .attributes
        .get("private_ip")
        .expect("it has an address");
    let ip: std::net::Ipv4Addr = ip.parse().expect("an IPv4 address");
    let range = bench.ground().await.cidr;
    assert!(range.contains(&ip), "{ip} is in {range}");
    Outcome::Held
}

async fn refuses(
    bench: &Bench<'_>,
    spec: &MachineSpec<ResourceId>,
    kinds: &[ErrorKind],
    what: &str,
) {
    refused(bench.create_batch(spec, 1, "wrong").await, kinds, what);
    bench.settle().await;
    let filter = strat_provider::Filter::Owner(bench.owner());
    assert!(
        bench.list(Kind::Machine, &filter).await.is_empty(),
        "{what}: nothing is made"
    );
}

/// A machine type that is not sold is an invalid request, not a stock-out.
pub async fn an_unknown_size_is_invalid(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let spec = MachineSpec {
        machine_type: "no-such-size".to_owned(),
        ..bench.machine().await
    };
    let kinds = [ErrorKind::Invalid, ErrorKind::Unsupported];
    refuses(&bench, &spec, &kinds, "an unknown machine type").await;
    Outcome::Held
}

/// An image that is not there is an invalid request.
pub async fn an_unknown_image_is_invalid(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let mut spec = bench.machine().await;
    if let ImageRef::Named { id, .. } = &mut spec.image {
        *id = stranger(id);
    }
    let kinds = [ErrorKind::Invalid, ErrorKind::NotFound];
    refuses(&bench, &spec, &kinds, "an unknown image").await;
    Outcome::Held
}

/// A subnet that is not there is refused.
pub async fn an_unknown_subnet_is_refused(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let mut spec = bench.machine().await;
    spec.subnet = stranger(&spec.subnet);
    let kinds = [ErrorKind::Invalid, ErrorKind::NotFound];
    refuses(&bench, &spec, &kinds, "an unknown subnet").await;
    Outcome::Held
}

/// A deleted machine is going at once, then gone, and no list shows it as anything else for long.
pub async fn deleted_machines_go(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let machine = bench.running("leaver").await;
    done(bench.try_delete(&machine).await, "deleting");
    if let Some(seen) = bench.look(Kind::Machine, &machine.id).await {
        assert_eq!(seen.state, ResourceState::Deleting);
    }
    bench.gone(Kind::Machine, &machine.id).await;
    bench.listed(Kind::Machine, <[_]>::is_empty).await;
    Outcome::Held
}

/// Several machines, and one that never was, are deleted in one call.
pub async fn many_machines_go_in_one_call(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let most = bench
        .provider
        .capabilities()
        .ids_per_call
        .min(harness.machines_max());
    let mut ids = Vec::new();
    for n in 1..most.max(2) {
        ids.push(bench.running(&format!("leaver-{n}")).await.id);
    }
    if bench.provider.capabilities().ids_per_call as usize > ids.len() {
        ids.push(stranger(&ids[0]));
    }
    done(
        bench.provider.delete_all(Kind::Machine, &ids).await,
        "deleting them all",
    );
    for id in &ids {
        bench.gone(Kind::Machine, id).await;
    }
    done(
        bench.provider.delete_all(Kind::Machine, &ids).await,
        "deleting them again",
    );
    Outcome::Held
}

/// A machine's firewalls are changed in place.
pub async fn firewalls_change_in_place(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine, Firewall);
    if !bench.can_change(Kind::Machine, Field::Firewalls).await {
        return passed_over("a machine's firewalls cannot be changed in place");
    }
    let one = bench.create(&bench.spec(Kind::Firewall).await, "one").await;
    let two = bench.create(&bench.spec(Kind::Firewall).await, "two").await;
    let mut spec = bench.machine().await;
    spec.firewalls.insert(one.id.clone());
    let machine = bench.create(&Spec::Machine(spec.clone()), "wearer").await;
    for firewalls in [vec![&one, &two], vec![&two], vec![&one]] {
        spec.firewalls = firewalls.into_iter().map(|f| f.id.clone()).collect();
        let wanted = Spec::Machine(spec.clone());
        bench.update(&machine, &wanted, &[Field::Firewalls]).await;
        let seen = bench.ready(Kind::Machine, &machine.id).await;
        bench.check_spec(&seen, &wanted);
    }
    Outcome::Held
}

async fn with_user_data(bench: &Bench<'_>, length: u64) -> MachineSpec<ResourceId> {
    let head = "#cloud-config\n# ";
    let rest = usize::try_from(length).expect("a length") - head.len();
    MachineSpec {
        user_data: Some(UserData::text(format!("{head}{}", "x".repeat(rest)))),
        ..bench.machine().await
    }
}

/// User data of the size that the provider allows is taken, and never shown.
pub async fn user_data_of_full_size_is_taken(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let max = bench.provider.capabilities().user_data_max;
    let spec = Spec::Machine(with_user_data(&bench, max.0).await);
    let machine = bench.create(&spec, "full").await;
    bench.check_spec(&machine, &spec);
    Outcome::Held
}

/// More user data than the provider allows is an invalid request.
pub async fn too_much_user_data_is_invalid(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let max = bench.provider.capabilities().user_data_max;
    let spec = with_user_data(&bench, max.0 + 1).await;
    refuses(&bench, &spec, &[ErrorKind::Invalid], "too much user data").await;
    Outcome::Held
}

/// What is larger than the provider says, or has more of something, is refused: so that a plan that keeps
/// to its limits asks for nothing that it refuses, and one that does not is refused before.
pub async fn what_is_beyond_a_limit_is_refused(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Network, Subnet, Machine);
    let capabilities = bench.provider.capabilities().clone();
    let limits = capabilities.limits;
    let refused_whole = async |spec: Spec<ResourceId>, word: &str| {
        assert!(capabilities.beyond(&spec).is_some(), "{word} is beyond");
        let kinds = [ErrorKind::Invalid, ErrorKind::Conflict];
        refused(bench.try_create(&spec, word).await, &kinds, word);
    };
    let beyond = |prefixes: Prefixes| {
        let longer = Some(prefixes.longest + 1).filter(|prefix| *prefix <= 32);
        longer.map(|prefix| Ipv4Net::new_assert([10, 77, 9, 0].into(), prefix))
    };
    if let Some(cidr) = beyond(limits.network) {
        let labels = labels();
        refused_whole(Spec::Network(NetworkSpec { cidr, labels }), "small-net").await;
    }
    let network = bench.ground().await.network.clone();
    if let (Some(cidr), Spec::Subnet(subnet)) =
        (beyond(limits.subnet), bench.subnet(&network, 9).await)
    {
        refused_whole(Spec::Subnet(SubnetSpec { cidr, ..subnet }), "small-sub").await;
    }
    if limits.disk_max < Bytes(u64::MAX) {
        let disk = DiskSpec {
            size: Bytes(limits.disk_max.0 + (1 << 30)),
            class: DiskClass::Ssd,
        };
        let machine = MachineSpec {
            disks: vec![disk],
            ..bench.machine().await
        };
        refused_whole(Spec::Machine(machine), "vast-disk").await;
    }
    if limits.disks < 200 {
        let disk = DiskSpec {
            size: Bytes::gib(10),
            class: DiskClass::Ssd,
        };
        let machine = MachineSpec {
            disks: vec![disk; limits.disks as usize + 1],
            ..bench.machine().await
        };
        refused_whole(Spec::Machine(machine), "many-disks").await;
    }
    Outcome::Held
}

/// A machine that was switched off is `Stopped`, and starts again.
pub async fn stopped_machines_start(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let machine = bench.running("sleeper").await;
    if !harness.stop_machine(&machine.id).await {
        return passed_over("the harness cannot switch machines off");
    }
    bench
        .until("the machine is stopped", async || {
            let seen = bench
                .look(Kind::Machine, &machine.id)
                .await
                .expect("it is there");
            (seen.state == ResourceState::Stopped).then_some(())
        })
        .await;
    let ids = [machine.id.clone()];
    done(bench.start_all(&ids).await, "starting");
    let started = bench.ready(Kind::Machine, &machine.id).await;
    assert_eq!(
        started.fingerprint(),
        machine.fingerprint(),
        "it is the same machine"
    );
    Outcome::Held
}

/// Starting a machine that runs does nothing to it; starting one that is not there fails.
pub async fn running_machines_stay_as_they_are(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let machine = bench.running("runner").await;
    let ids = [machine.id.clone()];
    done(bench.start_all(&ids).await, "starting what runs");
    let seen = bench.look(Kind::Machine, &machine.id).await;
    assert_eq!(seen, Some(machine.clone()));
    let missing = [stranger(&machine.id)];
    let none = bench.start_all(&missing).await;
    refused(none, &[ErrorKind::NotFound], "starting what is not there");
    Outcome::Held
}

/// A machine's own disks are made with it, in their order.
pub async fn own_disks_are_made(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine);
    let disk = |gib, class| DiskSpec {
        size: Bytes::gib(gib),
        class,
    };
    let spec = Spec::Machine(MachineSpec {
        disks: vec![disk(20, DiskClass::Ssd), disk(12, DiskClass::Hdd)],
        ..bench.machine().await
    });
    let machine = bench.create(&spec, "disks").await;
    bench.check_spec(&machine, &spec);
    Outcome::Held
}

/// A machine with a key, firewalls and an image of the topology's own reads back whole, and the
/// key can be deleted before it.
pub async fn a_machine_of_everything(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Machine, Firewall, Keypair, Image);
    let keypair = bench.create(&bench.keypair(), "key").await;
    let firewall = bench
        .create(&bench.spec(Kind::Firewall).await, "wall")
        .await;
    let image = bench.create(&bench.spec(Kind::Image).await, "image").await;
    let spec = Spec::Machine(MachineSpec {
        image: ImageRef::Managed(image.id.clone()),
        firewalls: Shared::from([firewall.id.clone()]),
        keypair: Some(keypair.id.clone()),
        user_data: Some(UserData::text("#!/bin/sh\ntrue\n")),
        ..bench.machine().await
    });
    let machine = bench.create(&spec, "whole").await;
    bench.check_spec(&machine, &spec);
    bench.delete(&keypair).await;
    bench.ready(Kind::Machine, &machine.id).await;
    bench.delete(&machine).await;
    bench.delete(&image).await;
    Outcome::Held
}
