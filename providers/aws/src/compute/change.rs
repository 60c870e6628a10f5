//! Changing, starting and ending machines.

use std::collections::BTreeSet;

use aws_sdk_ec2::types::AttributeValue;
use strat_model::{
    Error, ErrorKind, Field, Kind, MachineSpec, Resource, ResourceId, ResourceState, Result, Spec,
};
use strat_provider::{Observe as _, Outcome, Shutdown, Update};

use super::disks as own_disks;
use super::machine::Whole;
use crate::capabilities::IDS_PER_CALL;
use crate::error::{failed, gone, is_gone, refuse};
use crate::provider::{AwsProvider, filter};
use crate::tags::{self, DISKS, TagChange, Tags};

impl AwsProvider {
    pub(crate) async fn change_machine(
        &self,
        request: Update<'_, MachineSpec<ResourceId>>,
    ) -> Result<Resource> {
        let found = self.describe_machine(request.id).await?;
        let Whole {
            mut machine,
            tags,
            root,
            interfaces,
            disks,
        } = found.ok_or_else(|| gone(Kind::Machine, request.id))?;
        let mut grown = None;
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let change = tags::change(&tags, request.mark, labels)?;
        if request.fields.contains(&Field::MachineType)
            && let Spec::Machine(is) = &mut machine.spec
            && is.machine_type != request.spec.machine_type
        {
            // EC2 says the same; it is not asked what the answer to is known.
            if machine.state != ResourceState::Stopped {
                let message = format!("the machine {} must be off for this", request.id);
                return Err(refuse(ErrorKind::Conflict, message));
            }
            self.set_type(request.id, &request.spec.machine_type)
                .await?;
            is.machine_type.clone_from(&request.spec.machine_type);
            (is.cpu, is.memory) = (request.spec.cpu, request.spec.memory);
        }
        if request.fields.contains(&Field::Disks)
            && let Spec::Machine(is) = &mut machine.spec
            && is.disks != request.spec.disks
        {
            self.grow_disks(request.id, &root, &request.spec.disks)
                .await?;
            is.disks.clone_from(&request.spec.disks);
            grown = Some(own_disks::write(&request.spec.disks));
        }
        if request.fields.contains(&Field::Firewalls)
            && let Spec::Machine(is) = &mut machine.spec
            && is.firewalls != request.spec.firewalls
        {
            self.set_firewalls(request.id, &is.subnet, &request.spec.firewalls)
                .await?;
            is.firewalls.clone_from(&request.spec.firewalls);
        }
        if request.fields.contains(&Field::PublicIp)
            && let Spec::Machine(is) = &mut machine.spec
            && let (Some(asks), Some(first)) = (request.spec.public_ip, interfaces.first())
        {
            self.set_public_ip(first, asks).await?;
            is.public_ip = Some(asks);
            if !asks {
                machine.attributes.remove("public_ip");
            }
        }
        if request.fields.contains(&Field::Setup) {
            machine = self.set_up(request.id, machine).await?;
        }
        let mut marked = interfaces;
        marked.push(request.id.to_string());
        self.retag_all(&marked, &change).await?;
        // A disk carries no mark: it would be listed as a volume.
        self.retag_all(&disks, &change.of_labels()).await?;
        if let Some(grown) = grown {
            let noted = TagChange {
                set: Tags::from([(DISKS.to_owned(), grown)]),
                remove: BTreeSet::new(),
                after: Tags::new(),
            };
            self.retag(request.id.as_str(), &noted).await?;
        }
        machine.remark(tags::mark(&change.after));
        *machine.spec.labels_mut() = tags::labels(&change.after);
        Ok(machine)
    }

    /// Makes a machine that is off another type.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/change-instance-type-of-ebs-backed-instance.html>
    async fn set_type(&self, id: &ResourceId, machine_type: &str) -> Result<()> {
        let value = AttributeValue::builder().value(machine_type).build();
        let call = self.ec2().modify_instance_attribute();
        let set = call.instance_id(id.as_str()).instance_type(value).send();
        set.await
            .map(drop)
            .map_err(self.failed("ec2:ModifyInstanceAttribute"))
    }

    /// Gives the first interface of a machine a public address, or takes its own away, while it runs.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html>
    async fn set_public_ip(&self, interface: &str, asks: bool) -> Result<()> {
        let call = self.ec2().modify_network_interface_attribute();
        let call = call.network_interface_id(interface);
        let set = call.associate_public_ip_address(asks).send().await;
        set.map(drop)
            .map_err(self.failed("ec2:ModifyNetworkInterfaceAttribute"))
    }

    /// Sets the groups of a machine; for none, the default group of its network, since EC2 wants
    /// one.
    async fn set_firewalls(
        &self,
        id: &ResourceId,
        subnet: &ResourceId,
        firewalls: &BTreeSet<ResourceId>,
    ) -> Result<()> {
        let mut groups: Vec<String> = firewalls.iter().map(ToString::to_string).collect();
        if groups.is_empty() {
            groups.push(self.default_group(subnet).await?);
        }
        let call = self.ec2().modify_instance_attribute();
        let call = call.instance_id(id.as_str()).set_groups(Some(groups));
        let set = call.send().await;
        set.map(drop)
            .map_err(self.failed("ec2:ModifyInstanceAttribute"))
    }

    async fn default_group(&self, subnet: &ResourceId) -> Result<String> {
        let call = self.ec2().describe_subnets();
        let call = call.filters(filter("subnet-id", [subnet.as_str()]));
        let answer = call.send().await.map_err(failed("ec2:DescribeSubnets"))?;
        let network = answer.subnets().first().and_then(|subnet| subnet.vpc_id());
        let network = network.ok_or_else(|| gone(Kind::Subnet, subnet))?;
        let groups = self.groups_in(&ResourceId::from(network)).await?;
        let mut default = groups.iter().filter(|g| g.group_name() == Some("default"));
        let id = default.next().and_then(|group| group.group_id());
        let missing = || {
            refuse(
                ErrorKind::NotFound,
                format!("{network} has no default group"),
            )
        };
        id.map(str::to_owned).ok_or_else(missing)
    }

    /// `StartInstances` leaves those that run as they are.
    pub(super) async fn start(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        check_count(ids)?;
        all_or_each(ids, |ids| self.start_all(ids)).await
    }

    async fn start_all(&self, ids: &[ResourceId]) -> Result<()> {
        let ids = ids.iter().map(ToString::to_string).collect();
        let call = self.ec2().start_instances().set_instance_ids(Some(ids));
        let started = call.send().await;
        started.map(drop).map_err(failed("ec2:StartInstances"))
    }

    /// `StopInstances` leaves those that are off as they are. By force it still asks first, and cuts
    /// the power when that takes too long.
    ///
    /// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StopInstances.html>
    pub(super) async fn stop(&self, ids: &[ResourceId], how: Shutdown) -> Result<Vec<Outcome>> {
        check_count(ids)?;
        all_or_each(ids, |ids| self.stop_all(ids, how)).await
    }

    async fn stop_all(&self, ids: &[ResourceId], how: Shutdown) -> Result<()> {
        let ids = ids.iter().map(ToString::to_string).collect();
        let call = self.ec2().stop_instances().set_instance_ids(Some(ids));
        let force = (how == Shutdown::Cut).then_some(true);
        let stopped = call.set_force(force).send().await;
        stopped.map(drop).map_err(failed("ec2:StopInstances"))
    }

    /// Ends machines.
    pub(crate) async fn terminate(&self, ids: &[ResourceId]) -> Result<Vec<Outcome>> {
        check_count(ids)?;
        all_or_each(ids, |ids| self.terminate_known(ids)).await
    }

    /// Ends machines in one call. One id that is not there fails the whole call, so then those that
    /// are there are found and ended.
    async fn terminate_known(&self, ids: &[ResourceId]) -> Result<()> {
        match self.terminate_all(ids).await {
            Err(error) if is_gone(&error) => {}
            outcome => return outcome,
        }
        let there = self.get(Kind::Machine, ids).await?;
        let there = there
            .into_iter()
            .filter(|one| one.state != ResourceState::Deleting);
        let there: Vec<ResourceId> = there.map(|machine| machine.id).collect();
        if there.is_empty() {
            return Ok(());
        }
        self.terminate_all(&there).await
    }

    async fn terminate_all(&self, ids: &[ResourceId]) -> Result<()> {
        let words = ids.iter().map(ToString::to_string).collect();
        let call = self
            .ec2()
            .terminate_instances()
            .set_instance_ids(Some(words));
        call.send()
            .await
            .map_err(failed("ec2:TerminateInstances"))?;
        self.recent.ended(Kind::Machine, ids);
        Ok(())
    }
}

fn check_count(ids: &[ResourceId]) -> Result<()> {
    if ids.len() <= IDS_PER_CALL as usize {
        return Ok(());
    }
    let message = format!("a call takes at most {IDS_PER_CALL} ids, not {}", ids.len());
    Err(refuse(ErrorKind::Invalid, message))
}

/// Does the same to several machines in one call. EC2 refuses it whole where it refuses it for one,
/// such as one that is protected; then each is tried by itself.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_TerminateInstances.html>
async fn all_or_each<'i, F: Future<Output = Result<()>>>(
    ids: &'i [ResourceId],
    call: impl Fn(&'i [ResourceId]) -> F,
) -> Result<Vec<Outcome>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    match call(ids).await {
        Err(error) if ids.len() > 1 && is_of_one(&error) => {
            Ok(Outcome::of_each(ids, |id| call(std::slice::from_ref(id))).await)
        }
        Err(error) if ids.len() > 1 => Err(error),
        result => Ok(Outcome::of_all(ids, &result)),
    }
}

/// Whether what a call was refused for may be one of its things.
fn is_of_one(error: &Error) -> bool {
    let of_all = matches!(
        error.kind(),
        ErrorKind::Unauthenticated | ErrorKind::Internal
    );
    !of_all && !error.kind().is_retryable()
}
