//! Volumes and buckets.

use strat_model::{
    BucketSpec, Bytes, ErrorKind, Field, Kind, Resource, ResourceId, Spec, VolumeSpec,
};

use super::{bench, passed_over};
use crate::bench::{done, refused};
use crate::specs::labels;
use crate::{Bench, Harness, Outcome};
use strat_provider::ProviderExt as _;

async fn attached_to(bench: &Bench<'_>, volume: &ResourceId) -> Option<ResourceId> {
    match bench.ready(Kind::Volume, volume).await.spec {
        Spec::Volume(volume) => volume.attach,
        _ => None,
    }
}

/// A volume in the zone of a machine, and the machine.
async fn pair(bench: &Bench<'_>, word: &str) -> (Resource, Resource) {
    let machine = bench.running(&format!("{word}-host")).await;
    let volume = bench
        .create(&Spec::Volume(bench.volume().await), word)
        .await;
    (volume, machine)
}

/// A volume is made unattached whatever its spec says. Attaching and detaching it twice is
/// harmless; attaching it to another machine meanwhile is a conflict.
pub async fn a_volume_attaches_and_detaches(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Volume, Machine);
    let storage = &*bench.provider;
    let (one, two) = (bench.running("one").await, bench.running("two").await);
    let spec = VolumeSpec {
        attach: Some(one.id.clone()),
        ..bench.volume().await
    };
    let volume = bench.create(&Spec::Volume(spec), "disk").await;
    assert_eq!(
        attached_to(&bench, &volume.id).await,
        None,
        "made unattached"
    );
    for _ in 0..2 {
        done(
            storage.attach_volume(&volume.id, &one.id).await,
            "attaching",
        );
        assert_eq!(
            attached_to(&bench, &volume.id).await.as_ref(),
            Some(&one.id)
        );
    }
    let other = storage.attach_volume(&volume.id, &two.id).await;
    refused(
        other,
        &[ErrorKind::Conflict],
        "attaching what another machine has",
    );
    for _ in 0..2 {
        done(storage.detach_volume(&volume.id).await, "detaching");
        assert_eq!(attached_to(&bench, &volume.id).await, None);
    }
    Outcome::Held
}

/// A volume cannot be deleted while it is attached.
pub async fn an_attached_volume_stays(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Volume, Machine);
    let (volume, machine) = pair(&bench, "disk").await;
    done(
        bench.provider.attach_volume(&volume.id, &machine.id).await,
        "attaching",
    );
    let gone = bench.try_delete(&volume).await;
    refused(gone, &[ErrorKind::Conflict], "deleting an attached volume");
    assert_eq!(attached_to(&bench, &volume.id).await, Some(machine.id));
    done(bench.provider.detach_volume(&volume.id).await, "detaching");
    attached_to(&bench, &volume.id).await;
    bench.delete(&volume).await;
    Outcome::Held
}

/// A volume moves from one machine to another of its zone.
pub async fn a_volume_moves_between_machines(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Volume, Machine);
    let storage = &*bench.provider;
    let (volume, one) = pair(&bench, "disk").await;
    let two = bench.running("two").await;
    for machine in [&one, &two, &one] {
        done(storage.detach_volume(&volume.id).await, "detaching");
        attached_to(&bench, &volume.id).await;
        done(
            storage.attach_volume(&volume.id, &machine.id).await,
            "attaching",
        );
        assert_eq!(
            attached_to(&bench, &volume.id).await.as_ref(),
            Some(&machine.id)
        );
    }
    Outcome::Held
}

/// A volume cannot be attached to a machine of another zone.
pub async fn a_volume_attaches_only_in_its_zone(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Volume, Machine);
    let Some(elsewhere) = bench.zones().await.into_iter().nth(1) else {
        return passed_over("the site has one zone");
    };
    let machine = bench.running("host").await;
    let spec = VolumeSpec {
        zone: elsewhere,
        ..bench.volume().await
    };
    let volume = bench.create(&Spec::Volume(spec), "disk").await;
    let storage = &*bench.provider;
    let attached = storage.attach_volume(&volume.id, &machine.id).await;
    let kinds = [ErrorKind::Invalid, ErrorKind::Conflict];
    refused(attached, &kinds, "attaching over a border of zones");
    assert_eq!(attached_to(&bench, &volume.id).await, None);
    Outcome::Held
}

/// Updating a volume neither attaches nor detaches it, whatever its spec says.
pub async fn a_volume_update_attaches_nothing(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Volume, Machine);
    let (volume, machine) = pair(&bench, "disk").await;
    let mut wanted = bench.volume().await;
    wanted.attach = Some(machine.id.clone());
    bench
        .update(&volume, &Spec::Volume(wanted.clone()), &[])
        .await;
    assert_eq!(attached_to(&bench, &volume.id).await, None);
    done(
        bench.provider.attach_volume(&volume.id, &machine.id).await,
        "attaching",
    );
    attached_to(&bench, &volume.id).await;
    wanted.attach = None;
    bench.update(&volume, &Spec::Volume(wanted), &[]).await;
    assert_eq!(attached_to(&bench, &volume.id).await, Some(machine.id));
    Outcome::Held
}

/// A volume grows, attached or not, and stays attached; it never shrinks.
pub async fn a_volume_grows_and_never_shrinks(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Volume, Machine);
    if !bench.can_change(Kind::Volume, Field::Size).await {
        return passed_over("a volume's size cannot be changed in place");
    }
    let (volume, machine) = pair(&bench, "disk").await;
    let base = bench.volume().await;
    let sized = |gib| VolumeSpec {
        size: Bytes::gib(gib),
        ..base.clone()
    };
    bench
        .update(&volume, &Spec::Volume(sized(9)), &[Field::Size])
        .await;
    let grown = bench.ready(Kind::Volume, &volume.id).await;
    bench.check_spec(&grown, &Spec::Volume(sized(9)));
    done(
        bench.provider.attach_volume(&volume.id, &machine.id).await,
        "attaching",
    );
    attached_to(&bench, &volume.id).await;
    bench
        .update(&volume, &Spec::Volume(sized(10)), &[Field::Size])
        .await;
    let mut wanted = sized(10);
    wanted.attach = Some(machine.id);
    let grown = bench.ready(Kind::Volume, &volume.id).await;
    bench.check_spec(&grown, &Spec::Volume(wanted));
    let smaller = Spec::Volume(sized(8));
    let shrunk = bench.try_update(&volume, &smaller, &[Field::Size]).await;
    refused(
        shrunk,
        &[ErrorKind::Invalid, ErrorKind::Unsupported],
        "making a volume smaller",
    );
    Outcome::Held
}

/// Deleting a machine detaches its volumes and deletes none.
pub async fn a_deleted_machine_lets_its_volumes_go(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Volume, Machine);
    let (volume, machine) = pair(&bench, "disk").await;
    done(
        bench.provider.attach_volume(&volume.id, &machine.id).await,
        "attaching",
    );
    attached_to(&bench, &volume.id).await;
    bench.delete(&machine).await;
    assert_eq!(attached_to(&bench, &volume.id).await, None);
    bench.delete(&volume).await;
    Outcome::Held
}

/// Versioning is switched on and off in place.
pub async fn versioning_changes_in_place(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Bucket);
    if !bench.can_change(Kind::Bucket, Field::Versioning).await {
        return passed_over("versioning cannot be changed in place");
    }
    let bucket = bench.create(&bench.spec(Kind::Bucket).await, "store").await;
    for versioning in [true, false] {
        let wanted = Spec::Bucket(BucketSpec {
            versioning,
            labels: labels(),
        });
        bench.update(&bucket, &wanted, &[Field::Versioning]).await;
        let seen = bench.ready(Kind::Bucket, &bucket.id).await;
        bench.check_spec(&seen, &wanted);
    }
    Outcome::Held
}

/// A bucket cannot be deleted while there is anything in it.
pub async fn a_bucket_with_objects_stays(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Bucket);
    let bucket = bench.create(&bench.spec(Kind::Bucket).await, "store").await;
    if !harness.fill_bucket(&bucket.id, true).await {
        return passed_over("the harness puts nothing into buckets");
    }
    let gone = bench.try_delete(&bucket).await;
    refused(
        gone,
        &[ErrorKind::Conflict],
        "deleting a bucket with objects",
    );
    assert!(
        harness.fill_bucket(&bucket.id, false).await,
        "the harness takes it out again"
    );
    bench.delete(&bucket).await;
    Outcome::Held
}

/// A bucket says whether it is empty, and is emptied call by call.
pub async fn a_full_bucket_is_emptied(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness, Bucket);
    if bench.provider.contents().is_none() {
        return passed_over("the provider empties no buckets");
    }
    let bucket = bench.create(&bench.spec(Kind::Bucket).await, "store").await;
    let says = async |expected: &str| {
        let seen = bench.ready(Kind::Bucket, &bucket.id).await;
        let empty = seen.attributes.get(Resource::EMPTY).map(String::as_str);
        assert_eq!(empty, Some(expected));
    };
    says("true").await;
    if !harness.fill_bucket(&bucket.id, true).await {
        return passed_over("the harness puts nothing into buckets");
    }
    says("false").await;
    let mut removed = 0;
    // A call may find nothing left to do: that what is not an object is gone too.
    for _ in 0..5 {
        let portion = bench.provider.empty_bucket(&bucket.id).await;
        let portion = portion.expect("it is emptied");
        removed += portion.removed;
        if !portion.left {
            break;
        }
    }
    assert!(removed > 0, "there was an object in it");
    says("true").await;
    bench.delete(&bucket).await;
    let gone = bench.provider.empty_bucket(&bucket.id).await;
    assert!(!gone.expect("what is not there is empty").left);
    Outcome::Held
}
