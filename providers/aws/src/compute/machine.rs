//! Machines as EC2 reports them.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_ec2::types::{
    GroupIdentifier, Instance, InstanceLifecycleType, InstanceStateName, Reservation,
};
use jiff::Timestamp;
use strat_model::{
    Attributes, CapacityKind, ImageRef, Kind, MachineSpec, Mark, Name, Resource, ResourceId,
    ResourceState, Result, Spec, Witness,
};

use super::disks::{self, OnMachine};
use super::{names, reason, setup};
use crate::error::failed;
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::offers::TypeSize;
use crate::provider::{AwsProvider, filter};
use crate::tags::{self, DISKS, OWNER, Tags};

/// The states that a list shows: a terminated instance stays visible for an hour and is gone.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>
const LISTED: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// What is known beside an instance's own description.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) sizes: BTreeMap<String, TypeSize>,
    pub(super) disks: BTreeMap<String, OnMachine>,
}

impl AwsProvider {
    pub(crate) async fn scan_machines(&self, scan: Scan<'_>) -> Result<Found> {
        let mut filters = scan.filters("instance-id");
        if !matches!(scan, Scan::Ids(_)) {
            filters.push(filter("instance-state-name", LISTED));
        }
        let call = self
            .ec2()
            .describe_instances()
            .set_filters(Some(filters))
            .set_next_token(scan.token())
            .max_results(PAGE_MAX);
        let answer = call.send().await.map_err(failed("ec2:DescribeInstances"))?;
        let next = answer.next_token().map(str::to_owned);
        let reservations = answer.reservations.unwrap_or_default();
        let instances: Vec<Instance> = reservations
            .into_iter()
            .flat_map(|reservation| reservation.instances.unwrap_or_default())
            .collect();
        let mut items = self.report_all(&instances).await?;
        if let Scan::Ids(ids) = scan {
            // EC2 shows what is over for an hour. Who asks for one is told why AWS ended it, and not that
            // somebody did.
            let died = instances
                .iter()
                .filter(|one| is_terminated(one) && reason::died(one));
            let died = died.filter_map(|one| report(one, &Beside::default()));
            items.extend(died.map(|(machine, _)| machine));
            // What is seen, if only as terminated, is not merely not seen yet.
            let seen: BTreeSet<&str> = instances.iter().filter_map(Instance::instance_id).collect();
            let unseen = ids.iter().filter(|id| !seen.contains(id.as_str()));
            let unseen: Vec<ResourceId> = unseen.cloned().collect();
            self.recent.complete(Kind::Machine, &unseen, &mut items);
            let known: Vec<ResourceId> = items.iter().map(|item| item.id.clone()).collect();
            self.recent.complete(Kind::Machine, &known, &mut items);
        }
        Ok(Found { items, next })
    }

    /// Reports instances, with one more call for types that are new, one for own disks, if any
    /// machine has some, and one for those of the rest that are not encrypted as they are to be; of few
    /// machines both are one.
    pub(super) async fn report_all(&self, instances: &[Instance]) -> Result<Vec<Resource>> {
        let live: Vec<&Instance> = instances.iter().filter(|i| !is_terminated(i)).collect();
        let types = live.iter().filter_map(|i| i.instance_type());
        let types: BTreeSet<String> = types.map(|kind| kind.as_str().to_owned()).collect();
        let with_disks = live.iter().filter(|instance| {
            let asked = || instance.tags().iter().any(|tag| tag.key() == Some(DISKS));
            !is_pending(instance) && (asked() || has_more(instance))
        });
        let with_disks: Vec<&str> = with_disks.filter_map(|i| i.instance_id()).collect();
        let rest = live.iter().filter(|one| !is_pending(one) && is_ours(one));
        let rest = rest.filter_map(|instance| instance.instance_id());
        let looked_at: BTreeSet<&str> = with_disks.iter().copied().collect();
        let rest: BTreeSet<&str> = rest.filter(|id| !looked_at.contains(id)).collect();
        let disks = self.disks_beside(&looked_at, &rest).await?;
        let beside = Beside {
            sizes: self.sizes(&types).await?,
            disks,
        };
        let reported = live.iter().filter_map(|instance| report(instance, &beside));
        Ok(reported.map(|(machine, _)| machine).collect())
    }

    /// One machine, and what of it no field says.
    pub(super) async fn describe_machine(&self, id: &ResourceId) -> Result<Option<Whole>> {
        let call = self.ec2().describe_instances();
        let call = call.filters(filter("instance-id", [id.as_str()]));
        let answer = call.send().await.map_err(failed("ec2:DescribeInstances"))?;
        let mut instances = answer
            .reservations()
            .iter()
            .flat_map(Reservation::instances);
        let Some(instance) = instances.next().filter(|i| !is_terminated(i)) else {
            return Ok(None);
        };
        let machine = self.report_all(std::slice::from_ref(instance)).await?;
        let interfaces = instance.network_interfaces().iter();
        let disks = instance.block_device_mappings().iter();
        let disks = disks.filter_map(|disk| disk.ebs());
        let own = disks.filter(|disk| disk.delete_on_termination() == Some(true));
        let owned = |id: &str| id.to_owned();
        Ok(machine.into_iter().next().map(|machine| Whole {
            machine,
            tags: tags::read(instance.tags()),
            root: instance.root_device_name().unwrap_or_default().to_owned(),
            interfaces: interfaces
                .filter_map(|one| one.network_interface_id().map(owned))
                .collect(),
            disks: own.filter_map(|disk| disk.volume_id().map(owned)).collect(),
        }))
    }
}

/// A machine with what of it no field says.
pub(super) struct Whole {
    pub(super) machine: Resource,
    pub(super) tags: Tags,
    /// The device of its root disk.
    pub(super) root: String,
    /// The ids of its network interfaces.
    pub(super) interfaces: Vec<String>,
    /// The ids of the volumes that end with it.
    pub(super) disks: Vec<String>,
}

fn state_name(instance: &Instance) -> Option<&InstanceStateName> {
    instance.state().and_then(|state| state.name())
}

fn is_terminated(instance: &Instance) -> bool {
    state_name(instance) == Some(&InstanceStateName::Terminated)
}

fn is_pending(instance: &Instance) -> bool {
    state_name(instance) == Some(&InstanceStateName::Pending)
}

fn state_of(instance: &Instance) -> ResourceState {
    match state_name(instance) {
        Some(InstanceStateName::Running) => ResourceState::Ready,
        // While it stops it still runs, and may write.
        Some(InstanceStateName::Stopped) => ResourceState::Stopped,
        Some(InstanceStateName::ShuttingDown | InstanceStateName::Terminated) => {
            ResourceState::Deleting
        }
        _ => ResourceState::Pending,
    }
}

/// A machine and its tags; `None` for what lacks what every instance has.
pub(super) fn report(instance: &Instance, beside: &Beside) -> Option<(Resource, Tags)> {
    let tags = tags::read(instance.tags());
    let id = instance.instance_id()?;
    let index = usize::try_from(instance.ami_launch_index().unwrap_or(0)).unwrap_or(0);
    let id = ResourceId::from(id);
    let mark = tags::mark(&tags);
    let mut resource = Resource {
        name: names::read(&tags, index),
        witness: witness(instance, mark.as_ref(), &id),
        id,
        mark,
        state: state_of(instance),
        spec: Spec::Machine(spec_of(instance, &tags, beside)?),
        attributes: attributes(instance),
        created: created(instance),
    };
    let there = beside.disks.get(resource.id.as_str());
    setup::tell(instance, there, &mut resource);
    Some((resource, tags))
}

/// Whether the launch that made an instance is the one that its mark names: "launch more like this", an
/// autoscaling group and a restored image copy tags, and none of them can choose another's token.
fn witness(instance: &Instance, mark: Option<&Mark>, id: &ResourceId) -> Witness {
    Witness::judge(mark, id, |token| {
        let launched = instance.client_token().unwrap_or_default();
        // A later launch with the same token, or a part of one, has a word behind it: see `launch`.
        let rest = launched.strip_prefix(token);
        if rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('-')) {
            return Witness::Held;
        }
        Witness::Refuted {
            why: "the launch that made it is not the one that its mark names".to_owned(),
        }
    })
}

fn spec_of(instance: &Instance, tags: &Tags, beside: &Beside) -> Option<MachineSpec<ResourceId>> {
    let machine_type = instance.instance_type()?.as_str().to_owned();
    let size = beside.sizes.get(&machine_type).cloned().unwrap_or_default();
    // A machine without a firewall has the network's default group, which is nobody's.
    let own = groups(instance).iter();
    let own = own.filter(|group| group.group_name() != Some("default"));
    let asked = disks::asked(tags);
    let root = instance.root_device_name().unwrap_or_default();
    let disks = match instance.instance_id().and_then(|id| beside.disks.get(id)) {
        // Without disks that were asked for, what its image brings is no field.
        Some(seen) if !asked.is_empty() && !seen.own.is_empty() => {
            disks::actual(&asked, &seen.own, root)
        }
        _ => asked,
    };
    let zone = instance.placement().and_then(|p| p.availability_zone());
    Some(MachineSpec {
        machine_type,
        cpu: size.cpu,
        memory: size.memory,
        capacity: match instance.instance_lifecycle() {
            Some(InstanceLifecycleType::Spot) => CapacityKind::Spot,
            _ => CapacityKind::OnDemand,
        },
        zone: Name::new(zone?).ok()?,
        image: ImageRef::Named {
            name: String::new(),
            id: ResourceId::from(instance.image_id().unwrap_or_default()),
        },
        subnet: ResourceId::from(instance.subnet_id().unwrap_or_default()),
        firewalls: own
            .filter_map(|group| group.group_id())
            .map(ResourceId::from)
            .collect(),
        keypair: instance
            .key_name()
            .filter(|key| !key.is_empty())
            .map(ResourceId::from),
        user_data: None,
        disks,
        public_ip: Some(
            instance
                .public_ip_address()
                .is_some_and(|ip| !ip.is_empty()),
        ),
        labels: tags::labels(tags),
    })
}

/// Whether a machine carries the mark of some topology.
fn is_ours(instance: &Instance) -> bool {
    instance.tags().iter().any(|tag| tag.key() == Some(OWNER))
}

/// Whether anything beside its first disk is attached to a machine of ours.
fn has_more(instance: &Instance) -> bool {
    is_ours(instance) && instance.block_device_mappings().len() > 1
}

/// The groups of a machine, which are those of its first interface.
fn groups(instance: &Instance) -> &[GroupIdentifier] {
    match (instance.security_groups(), instance.network_interfaces()) {
        ([], [first, ..]) => first.groups(),
        (groups, _) => groups,
    }
}

/// When it was made: when its first interface came. Its launch time is that of its latest start.
fn created(instance: &Instance) -> Option<Timestamp> {
    let mut interfaces = instance.network_interfaces().iter();
    let attached = interfaces.find_map(|one| one.attachment()?.attach_time());
    let time = attached.or_else(|| instance.launch_time())?;
    Timestamp::from_second(time.secs()).ok()
}

fn attributes(instance: &Instance) -> Attributes {
    let filled = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
    let pairs = [
        ("private_ip", filled(instance.private_ip_address())),
        ("public_ip", filled(instance.public_ip_address())),
    ];
    let known = pairs
        .into_iter()
        .filter_map(|(key, ip)| Some((key.to_owned(), ip?)));
    let mut attributes: Attributes = known.collect();
    // Of one that runs it says why it was off before.
    if state_of(instance) == ResourceState::Deleting {
        attributes.extend(reason::attributes(instance));
    }
    if is_terminated(instance) {
        attributes.insert(Resource::ENDED.to_owned(), "true".to_owned());
    }
    attributes
}
