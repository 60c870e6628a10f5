//! Making machines: one `bulkInsert` for a batch, one `insert` for one.

use std::collections::{BTreeMap, BTreeSet};

use google_cloud_compute_v1::model::{
    AccessConfig, AttachedDisk, BulkInsertInstanceResource,
    BulkInsertInstanceResourcePerInstanceProperties, Instance, InstanceProperties, Metadata,
    NetworkInterface, Operation, Scheduling, Tags, access_config, scheduling,
};
use strat_model::{
    CapacityKind, Error, ErrorKind, ImageRef, MachineSpec, Resource, ResourceId, Result, Scope,
    Spec,
};
use strat_provider::{CreateMachines, MachineBatch};

use super::disks;
use super::machine::{KEYPAIR, MEMBERS, members};
use crate::capabilities::{CREATE_BATCH, USER_DATA_MAX};
use crate::error::{failed, gone, of_operation, refuse};
use crate::labels::{self, DISK_OF, MADE, NAME, Raw};
use crate::metadata::{self, Entries};
use crate::names::{Zonal, google_name, last};
use crate::observe::{PAGE_MAX, filter_names};
use crate::operations::{LIVES_MAX, RequestId as _, Stamp, is_done};
use crate::provider::{GcpProvider, Seen, made_by};

/// The permission that making machines takes.
const ACTION: &str = "compute.instances.create";

/// Runs the user data of a machine whose image has no cloud-init, as Google's Debian images, once: a
/// start-up script, which Google's own agent runs at every start.
///
/// <https://cloud.google.com/compute/docs/instances/startup-scripts/linux>
const RUN_ONCE: &str = "#!/bin/sh
# Runs the user data once, where cloud-init does not.
command -v cloud-init >/dev/null 2>&1 && exit 0
done=/var/lib/stratiform-user-data
[ -e \"$done\" ] && exit 0
url=http://metadata.google.internal/computeMetadata/v1/instance/attributes/user-data
curl -fsS -H 'Metadata-Flavor: Google' \"$url\" >\"$done.new\" || exit 1
chmod 700 \"$done.new\" && mv \"$done.new\" \"$done\" && exec \"$done\"
";

/// All that a batch says, but for the names.
struct Launch<'a> {
    spec: &'a MachineSpec<ResourceId>,
    image: String,
    labels: Raw,
    disk_labels: Raw,
    entries: Entries,
}

impl GcpProvider {
    /// Makes machines.
    ///
    /// # Behavior
    /// - One call for the whole batch, which makes as many as there are to be had.
    /// - What stands under the names afterwards is what was made; the operation of each that is
    ///   missing says why.
    pub(crate) async fn launch(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        let names = self.check_names(request.names)?;
        let whole = Spec::Machine(request.spec.clone());
        let stamp = Stamp::new(request.token, &names.join(" "), &whole);
        let launch = self.prepare(&request, &names, &stamp).await?;
        let (mut missing, mut last) = (names.clone(), None);
        let mut there = BTreeMap::new();
        for life in 0..LIVES_MAX {
            let begun = self.begin(&launch, &missing, &stamp, life).await;
            // A call that was just taken is not done yet: one that is has been answered before.
            let replayed = begun.as_ref().is_ok_and(is_done);
            let outcome = match begun {
                Ok(operation) => self.finish(&launch, operation).await,
                Err(error) => Err(error),
            };
            let outcome = match outcome {
                Err(error) if is_lost(&error) => return Err(error),
                outcome => outcome,
            };
            let taken = |error: &Error| error.kind() == ErrorKind::AlreadyExists;
            let taken = outcome.as_ref().is_err_and(taken);
            for seen in self
                .under_names(launch.spec.zone.as_str(), &missing)
                .await?
            {
                let machine = made_by(&stamp, seen, request.mark)?;
                there.insert(machine.id.clone(), machine);
            }
            missing.retain(|name| {
                !there.contains_key(&Zonal::new(launch.spec.zone.as_str(), name).id())
            });
            let why = outcome.unwrap_or_else(Some);
            last = why.or(last);
            // Names that are taken are members of this batch, made before: the others are still to be
            // made. What Google remembers of a request may be over, and then the next is one more try.
            if missing.is_empty() || !(taken || replayed) {
                break;
            }
        }
        answer(&names, launch.spec, there, last)
    }

    /// The names as Google has them.
    fn check_names(&self, asked: &[String]) -> Result<Vec<String>> {
        let distinct: BTreeSet<&String> = asked.iter().collect();
        if asked.is_empty() || asked.len() > CREATE_BATCH as usize || distinct.len() < asked.len() {
            let message = format!(
                "a call makes 1 to {CREATE_BATCH} machines with a name each, not {}",
                distinct.len()
            );
            return Err(refuse(ErrorKind::Invalid, message));
        }
        Ok(asked.iter().map(|name| google_name(name)).collect())
    }

    /// Checks a request, and works out what its call says.
    async fn prepare<'a>(
        &self,
        request: &CreateMachines<'a>,
        names: &[String],
        stamp: &Stamp,
    ) -> Result<Launch<'a>> {
        let (spec, mark) = (request.spec, request.mark);
        let mut all = labels::of_new(mark, &spec.labels);
        labels::set(&mut all, MADE, &stamp.text());
        if let ([asked], [name]) = (request.names, names)
            && asked != name
        {
            labels::set(&mut all, NAME, asked);
        }
        labels::check(&all)?;
        let mut disk_labels = Raw::new();
        labels::set(&mut disk_labels, DISK_OF, &mark.owner.named().to_string());
        let mut entries = user_data(spec)?;
        entries.insert(MEMBERS.to_owned(), members(spec.zone.as_str(), names));
        if !spec.disks.is_empty() {
            entries.insert(disks::DISKS.to_owned(), disks::note(&spec.disks));
        }
        if let Some(id) = &spec.keypair {
            let keypair = self.get_keypair(id).await?;
            let keypair = keypair.ok_or_else(|| gone(strat_model::Kind::Keypair, id))?;
            if let Spec::Keypair(key) = &keypair.resource.spec {
                let user = &self.settings.ssh_user;
                let line = format!("{user}:{} {user}", key.public_key);
                entries.insert("ssh-keys".to_owned(), line);
            }
            entries.insert(KEYPAIR.to_owned(), id.to_string());
        }
        let image = match &spec.image {
            ImageRef::Named { id, .. } | ImageRef::Managed(id) => id.to_string(),
        };
        Ok(Launch {
            spec,
            image,
            labels: all,
            disk_labels,
            entries,
        })
    }

    /// Sends the call.
    async fn begin(
        &self,
        launch: &Launch<'_>,
        names: &[String],
        stamp: &Stamp,
        life: u32,
    ) -> Result<Operation> {
        let zone = launch.spec.zone.as_str();
        let request_id = stamp.request_id(&format!("launch {}", names.join(" ")), life);
        let sent = if let [name] = names {
            let call = self
                .access
                .instances
                .insert()
                .set_project(&self.settings.project);
            let call = call.set_zone(zone).set_request_id(request_id);
            call.set_body(self.instance(launch, name)?).send().await
        } else {
            let each = |name: &String| {
                (
                    name.clone(),
                    BulkInsertInstanceResourcePerInstanceProperties::new(),
                )
            };
            let count = i64::try_from(names.len()).unwrap_or(i64::MAX);
            let body = BulkInsertInstanceResource::new()
                .set_count(count)
                .set_min_count(1)
                .set_per_instance_properties(names.iter().map(each))
                .set_instance_properties(self.properties(launch)?);
            let call = self
                .access
                .instances
                .bulk_insert()
                .set_project(&self.settings.project);
            call.set_zone(zone)
                .set_request_id(request_id)
                .set_body(body)
                .send()
                .await
        };
        sent.map_err(failed(ACTION))
    }

    /// Waits for the operation, and for those of its machines: why one of them was not made, if it was
    /// not.
    async fn finish(&self, launch: &Launch<'_>, operation: Operation) -> Result<Option<Error>> {
        let group = operation.operation_group_id.clone();
        let ended = self.settle(ACTION, operation).await;
        let Some(group) = group else {
            return ended.map(|_| None);
        };
        let failed_member = self.member_error(launch.spec.zone.as_str(), &group).await?;
        match (ended, failed_member) {
            (Ok(_), why) => Ok(why),
            // What a machine failed with says more than that some did.
            (Err(_), Some(why)) => Ok(Some(why)),
            (Err(error), None) => Err(error),
        }
    }

    /// What the first of a group's operations failed with.
    async fn member_error(&self, zone: &str, group: &str) -> Result<Option<Error>> {
        let mut page = None::<String>;
        loop {
            let call = self
                .access
                .zone_operations
                .list()
                .set_project(&self.settings.project);
            let call = call
                .set_zone(zone)
                .set_max_results(PAGE_MAX)
                .set_filter(format!("operationGroupId = \"{group}\""))
                .set_or_clear_page_token(page.clone());
            let answer = call
                .send()
                .await
                .map_err(failed("compute.zoneOperations.list"))?;
            let members = answer.items.iter();
            let members = members.filter(|one| one.operation_type.as_deref() == Some("insert"));
            if let Some(why) = members.filter_map(|one| of_operation(ACTION, one)).next() {
                return Ok(Some(why));
            }
            let next = answer.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() || next == page {
                return Ok(None);
            }
            page = next;
        }
    }

    /// What stands under these names in a zone.
    async fn under_names(&self, zone: &str, names: &[String]) -> Result<Vec<Seen>> {
        if let [name] = names {
            let id = Zonal::new(zone, name).id();
            return Ok(self.get_machine(&id).await?.into_iter().collect());
        }
        let call = self
            .access
            .instances
            .list()
            .set_project(&self.settings.project);
        let call = call.set_zone(zone).set_max_results(PAGE_MAX);
        let answer = call.set_filter(filter_names(names)).send().await;
        let answer = answer.map_err(failed("compute.instances.list"))?;
        let mut found = Vec::with_capacity(answer.items.len());
        for instance in &answer.items {
            found.extend(self.report_machine(instance).await?);
        }
        Ok(found)
    }

    fn instance(&self, launch: &Launch<'_>, name: &str) -> Result<Instance> {
        let zone = launch.spec.zone.as_str();
        let disks = self.disks(launch, |kind| self.zonal(zone, "diskTypes", kind))?;
        let machine_type = self.zonal(zone, "machineTypes", &launch.spec.machine_type);
        Ok(Instance::new()
            .set_name(name)
            .set_machine_type(machine_type)
            .set_disks(disks)
            .set_network_interfaces([self.interface(launch.spec)])
            .set_labels(launch.labels.clone())
            .set_metadata(Metadata::new().set_items(metadata::write(&launch.entries)))
            .set_tags(tags(launch.spec))
            .set_or_clear_scheduling(scheduling_of(launch.spec.capacity)))
    }

    /// The same for a batch, where the machine type is named and not referred to.
    fn properties(&self, launch: &Launch<'_>) -> Result<InstanceProperties> {
        let zone = launch.spec.zone.as_str();
        let disks = self.disks(launch, |kind| self.zonal(zone, "diskTypes", kind))?;
        Ok(InstanceProperties::new()
            .set_machine_type(&launch.spec.machine_type)
            .set_disks(disks)
            .set_network_interfaces([self.interface(launch.spec)])
            .set_labels(launch.labels.clone())
            .set_metadata(Metadata::new().set_items(metadata::write(&launch.entries)))
            .set_tags(tags(launch.spec))
            .set_or_clear_scheduling(scheduling_of(launch.spec.capacity)))
    }

    fn disks(
        &self,
        launch: &Launch<'_>,
        path: impl Fn(&str) -> String,
    ) -> Result<Vec<AttachedDisk>> {
        let of = (launch.spec.machine_type.as_str(), launch.image.as_str());
        disks::of_new(&launch.spec.disks, of, &launch.disk_labels, path)
    }

    fn interface(&self, spec: &MachineSpec<ResourceId>) -> NetworkInterface {
        let interface = NetworkInterface::new()
            .set_subnetwork(self.regional("subnetworks", spec.subnet.as_str()));
        if !self.settings.public_ips {
            return interface;
        }
        let way = AccessConfig::new()
            .set_name("external-nat")
            .set_type(access_config::Type::OneToOneNat);
        interface.set_access_configs([way])
    }
}

/// Whether nobody knows what became of a call: nothing is looked at before it is repeated.
fn is_lost(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::Timeout | ErrorKind::Transient | ErrorKind::Throttled
    )
}

/// The machines in the order of their names, and why there are fewer, if there are.
fn answer(
    names: &[String],
    spec: &MachineSpec<ResourceId>,
    mut there: BTreeMap<ResourceId, Resource>,
    why: Option<Error>,
) -> Result<MachineBatch> {
    let ids = names
        .iter()
        .map(|name| Zonal::new(spec.zone.as_str(), name).id());
    let created: Vec<Resource> = ids.filter_map(|id| there.remove(&id)).collect();
    let short = || {
        let message = "Google made fewer machines than were asked for";
        refuse(ErrorKind::Capacity, message).with_scope(Scope::Offer)
    };
    if created.len() == names.len() {
        return Ok(MachineBatch {
            created,
            shortfall: None,
        });
    }
    let why = why.unwrap_or_else(short);
    if created.is_empty() {
        return Err(why);
    }
    Ok(MachineBatch {
        created,
        shortfall: Some(why),
    })
}

/// The entries of the user data.
fn user_data(spec: &MachineSpec<ResourceId>) -> Result<Entries> {
    let Some(data) = &spec.user_data else {
        return Ok(Entries::new());
    };
    let invalid = |message: String| Err(refuse(ErrorKind::Invalid, message));
    let Some(text) = data.as_text() else {
        return invalid("the user data has places not filled in".to_owned());
    };
    if text.len() as u64 > USER_DATA_MAX {
        return invalid(format!(
            "the user data is longer than {} KiB",
            USER_DATA_MAX >> 10
        ));
    }
    let mut entries = Entries::from([("user-data".to_owned(), text.to_owned())]);
    if text.starts_with("#!") {
        entries.insert("startup-script".to_owned(), RUN_ONCE.to_owned());
    }
    Ok(entries)
}

fn tags(spec: &MachineSpec<ResourceId>) -> Tags {
    Tags::new().set_items(spec.firewalls.iter().map(|id| last(id.as_str()).to_owned()))
}

/// Spot machines are deleted when Google wants them back: a stopped one would keep its name and cost
/// its disks.
///
/// <https://cloud.google.com/compute/docs/instances/spot>
fn scheduling_of(capacity: CapacityKind) -> Option<Scheduling> {
    let spot = Scheduling::new()
        .set_provisioning_model(scheduling::ProvisioningModel::Spot)
        .set_instance_termination_action(scheduling::InstanceTerminationAction::Delete)
        .set_on_host_maintenance(scheduling::OnHostMaintenance::Terminate)
        .set_automatic_restart(false);
    (capacity == CapacityKind::Spot).then_some(spot)
}
