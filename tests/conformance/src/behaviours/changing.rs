//! What a provider says that a change takes is what it then does.

use std::collections::BTreeSet;

use strat_model::{
    Bytes, DiskClass, DiskSpec, ErrorKind, Field, Kind, Means, Resource, ResourceId, ResourceState,
    Spec,
};
use strat_provider::{Outcome as Each, ProviderExt as _, Shutdown};

use super::bench;
use crate::bench::{done, refused};
use crate::{Bench, Harness, Outcome};

/// Each field of each kind, from what is to what is wanted: what is said to be live is changed while
/// the thing is in use; what is said to stop a machine is refused while it runs, and done once it is
/// off, after which it starts as the same machine; what is said to be made anew, or refused, is not
/// changed.
pub async fn a_change_takes_what_is_said(harness: &dyn Harness) -> Outcome {
    let bench = bench!(harness);
    for kind in bench.kinds() {
        for (number, (field, from, to)) in edits(&bench, kind).await.iter().enumerate() {
            one(&bench, &format!("changing-{number}"), *field, (from, to)).await;
        }
    }
    Outcome::Held
}

async fn one(
    bench: &Bench<'_>,
    word: &str,
    field: Field,
    (from, to): (&Spec<ResourceId>, &Spec<ResourceId>),
) {
    let kind = from.kind();
    let what = format!("the {field} of a {kind}");
    let made = bench.create(from, word).await;
    let made = bench.ready(kind, &made.id).await;
    let changes = bench.provider.changes();
    let takes = changes.change(&made, &to.without_refs(), &BTreeSet::from([field]));
    match takes.means {
        Means::Live => {
            bench.update(&made, to, &[field]).await;
            let seen = bench.ready(kind, &made.id).await;
            assert_eq!(seen.state, ResourceState::Ready, "{what} changes in use");
            bench.check_spec(&seen, to);
        }
        Means::Restart | Means::Deallocate => {
            let running = bench.try_update(&made, to, &[field]).await;
            let kinds = [ErrorKind::Conflict, ErrorKind::Precondition];
            refused(running, &kinds, &format!("changing {what} while it runs"));
            let seen = bench.ready(kind, &made.id).await;
            assert_eq!(seen.spec, made.spec, "{what}, while it runs");
            switch_off(bench, &made).await;
            bench.update(&made, to, &[field]).await;
            done(
                bench.start_all(std::slice::from_ref(&made.id)).await,
                "starting",
            );
            let seen = bench.ready(kind, &made.id).await;
            bench.check_spec(&seen, to);
        }
        Means::Recreate | Means::Refused { .. } => {
            let updated = bench.try_update(&made, to, &[field]).await;
            let kinds = [ErrorKind::Unsupported, ErrorKind::Invalid];
            refused(updated, &kinds, &format!("changing {what} in place"));
            let seen = bench.ready(kind, &made.id).await;
            assert_eq!(seen.spec, made.spec, "{what}");
        }
    }
    bench.delete(&made).await;
}

async fn switch_off(bench: &Bench<'_>, machine: &Resource) {
    let ids = [machine.id.clone()];
    let outcomes = bench.provider.stop_machines(&ids, Shutdown::Cut).await;
    done(Each::all_done(outcomes), "cutting the power");
    bench
        .until("the machine is off", async || {
            let seen = bench.look(Kind::Machine, &machine.id).await;
            let seen = seen.expect("it is there");
            (seen.state == ResourceState::Stopped).then_some(())
        })
        .await;
}

/// What is asked for in place of what is there.
async fn edits(bench: &Bench<'_>, kind: Kind) -> Vec<(Field, Spec<ResourceId>, Spec<ResourceId>)> {
    let from = bench.spec(kind).await;
    let mut labelled = from.clone();
    labelled
        .labels_mut()
        .insert("tier".to_owned(), "gold".to_owned());
    let mut edits = vec![(Field::Labels, from.clone(), labelled)];
    let mut to = from.clone();
    match &mut to {
        Spec::Keypair(spec) => {
            spec.public_key = "ssh-ed25519 \
                AAAAC3NzaC1lZDI1NTE5AAAAIJ9fKq1D1dR5N8T0nF2eJ4F1yZ5Xv0aQ7b8d3h6k2m9Q"
                .to_owned();
            edits.push((Field::PublicKey, from, to));
        }
        Spec::Bucket(spec) => {
            spec.versioning = !spec.versioning;
            edits.push((Field::Versioning, from, to));
        }
        Spec::Volume(spec) => {
            let size = spec.size;
            spec.size = Bytes(size.0 * 2);
            edits.push((Field::Size, from.clone(), to.clone()));
            edits.push((Field::Size, to.clone(), from.clone()));
            if let Spec::Volume(spec) = &mut to {
                (spec.size, spec.class) = (size, DiskClass::Nvme);
            }
            edits.push((Field::Class, from, to));
        }
        Spec::Machine(spec) => {
            if let Some(offer) = bench.other_offer().await {
                spec.machine_type = offer.machine_type;
                (spec.cpu, spec.memory) = (offer.cpu, offer.memory);
                edits.push((Field::MachineType, from.clone(), to));
            }
            let of = |gib: u64| {
                let mut sized = from.clone();
                if let Spec::Machine(spec) = &mut sized {
                    spec.disks = vec![DiskSpec {
                        size: Bytes::gib(gib),
                        class: DiskClass::Ssd,
                    }];
                }
                sized
            };
            edits.push((Field::Disks, of(10), of(12)));
            edits.push((Field::Disks, of(12), of(10)));
        }
        Spec::Network(_)
        | Spec::Subnet(_)
        | Spec::Firewall(_)
        | Spec::Address(_)
        | Spec::Image(_) => {}
    }
    edits
}
