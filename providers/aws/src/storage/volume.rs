//! Volumes: EBS.

use aws_sdk_ec2::types::{ResourceType, Volume, VolumeAttachmentState, VolumeState, VolumeType};
use jiff::Timestamp;
use strat_model::{
    Attributes, Bytes, Departure, DiskSpec, Error, ErrorKind, Field, Kind, Mark, Name, Resource,
    ResourceId, ResourceState, Result, Spec, VolumeSpec, Witness,
};
use strat_provider::{Create, Update};

use super::class;
use super::encryption;
use crate::config::Settings;
use crate::error::{failed, gone, is_gone, lacking, refuse, unless_gone};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::provider::AwsProvider;
use crate::setup::{ENCRYPTION, OPERATIONS, THROUGHPUT};
use crate::tags::{self, DISK_OF, SIZE, Tags};

type Wanted = VolumeSpec<ResourceId>;

/// How many device names are tried for an attachment.
const DEVICES_TRIED: u32 = 8;

impl AwsProvider {
    pub(crate) async fn make_volume(&self, request: Create<'_, Wanted>) -> Result<Resource> {
        let spec = request.spec;
        let gib = class::gib(spec.size)?;
        let kind = class::volume_type(spec.class, gib, false);
        let mut tags = tags::of_new(request.name, request.mark, &spec.labels, None)?;
        note_size(&mut tags, spec.size);
        tags::check(&tags)?;
        let call = self
            .ec2()
            .create_volume()
            .client_token(request.token.as_str())
            .availability_zone(spec.zone.as_str())
            .size(gib)
            .set_iops(class::iops(&kind, gib))
            .volume_type(kind)
            .set_encrypted(self.settings.encrypt())
            .set_kms_key_id(self.settings.kms_key.clone())
            .tag_specifications(tags::specification(ResourceType::Volume, &tags));
        let answer = call.send().await.map_err(failed("ec2:CreateVolume"))?;
        let id = answer
            .volume_id()
            .ok_or_else(|| lacking("ec2:CreateVolume", "id"))?;
        let made = Resource {
            id: ResourceId::from(id),
            name: request.name.to_owned(),
            mark: Some(request.mark.clone()),
            witness: Witness::Held,
            state: state_of(answer.state()),
            spec: Spec::Volume(VolumeSpec {
                attach: None,
                ..spec.clone()
            }),
            attributes: attributes(id),
            created: answer
                .create_time()
                .and_then(|t| Timestamp::from_second(t.secs()).ok()),
        };
        self.recent.made(&made);
        Ok(made)
    }

    pub(crate) async fn change_volume(&self, request: Update<'_, Wanted>) -> Result<Resource> {
        let (mut volume, mut before) = self.one_volume(request.id).await?;
        let changes = |field| request.fields.contains(&field);
        if let Spec::Volume(is) = &mut volume.spec
            && (changes(Field::Size) || changes(Field::Class))
        {
            let now = DiskSpec {
                size: is.size,
                class: is.class,
            };
            let then = DiskSpec {
                size: if changes(Field::Size) {
                    request.spec.size
                } else {
                    is.size
                },
                class: if changes(Field::Class) {
                    request.spec.class
                } else {
                    is.class
                },
            };
            self.modify_volume(request.id, &now, &then, false).await?;
            (is.size, is.class) = (then.size, then.class);
        }
        if changes(Field::Setup) {
            volume = self.set_rates(request.id, volume).await?;
        }
        let labels = request.fields.contains(&Field::Labels);
        let labels = labels.then_some(&request.spec.labels);
        let mut change = tags::change(&before, request.mark, labels)?;
        if request.fields.contains(&Field::Size) {
            note_size(&mut change.after, request.spec.size);
            let noted = change
                .after
                .get(SIZE)
                .filter(|size| before.get(SIZE) != Some(*size));
            change
                .set
                .extend(noted.map(|size| (SIZE.to_owned(), size.clone())));
            if before.remove(SIZE).is_some() && !change.after.contains_key(SIZE) {
                change.remove.insert(SIZE.to_owned());
            }
        }
        self.retag(request.id.as_str(), &change).await?;
        volume.remark(tags::mark(&change.after));
        *volume.spec.labels_mut() = tags::labels(&change.after);
        Ok(volume)
    }

    /// Brings a volume to a size and class, in one call: EBS counts calls. Operations come with the
    /// type and size.
    pub(crate) async fn modify_volume(
        &self,
        id: &ResourceId,
        is: &DiskSpec,
        to: &DiskSpec,
        boots: bool,
    ) -> Result<()> {
        let (now, then) = (class::gib(is.size)?, class::gib(to.size)?);
        if then < now {
            let message = format!(
                "the volume {id} cannot shrink from {} to {}",
                is.size, to.size
            );
            return Err(refuse(ErrorKind::Invalid, message));
        }
        if then == now && is.class == to.class {
            return Ok(());
        }
        let kind = class::volume_type(to.class, then, boots);
        if is.class != to.class && kind == VolumeType::Standard {
            let message = format!("the volume {id} cannot become magnetic");
            return Err(refuse(ErrorKind::Unsupported, message));
        }
        let iops = class::iops(&kind, then);
        let other = (is.class != to.class).then_some(kind);
        let call = self.ec2().modify_volume().volume_id(id.as_str());
        let call = call.set_size((then > now).then_some(then));
        let sent = call.set_volume_type(other).set_iops(iops).send().await;
        sent.map_err(|error| busy(self.failed("ec2:ModifyVolume")(error)))?;
        self.recent.grown(id, to.size);
        Ok(())
    }

    /// Has a volume do what it was made to do.
    async fn set_rates(&self, id: &ResourceId, volume: Resource) -> Result<Resource> {
        let call = self.ec2().describe_volumes().volume_ids(id.as_str());
        let answer = call.send().await.map_err(failed("ec2:DescribeVolumes"))?;
        let seen = answer.volumes().first();
        let kind = seen.and_then(|seen| Some((seen.volume_type()?, seen.size()?)));
        if let Some((kind, gib)) = kind.filter(|_| volume.departs()) {
            let (iops, throughput) = rates(kind, gib);
            let call = self.ec2().modify_volume().volume_id(id.as_str());
            let sent = call.set_iops(iops).set_throughput(throughput).send().await;
            sent.map_err(|error| busy(self.failed("ec2:ModifyVolume")(error)))?;
        }
        Ok(volume.set_up())
    }

    /// Attaches a volume under a device name that follows from its id; the next ones are tried
    /// while that is taken.
    pub(super) async fn attach(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        for attempt in 0..DEVICES_TRIED {
            let call = self
                .ec2()
                .attach_volume()
                .volume_id(id.as_str())
                .instance_id(machine.as_str())
                .device(device(id, attempt));
            match call.send().await.map_err(self.failed("ec2:AttachVolume")) {
                Ok(_) => return Ok(()),
                Err(error) if error.code() == Some("VolumeInUse") => {
                    return self.unless_attached_to(id, machine, error).await;
                }
                Err(error) if is_device_taken(&error) => {}
                Err(error) => return Err(error),
            }
        }
        let message = format!("no device name of {machine} is free for {id}");
        Err(refuse(ErrorKind::Conflict, message))
    }

    async fn unless_attached_to(
        &self,
        id: &ResourceId,
        machine: &ResourceId,
        error: Error,
    ) -> Result<()> {
        let (volume, _) = self.one_volume(id).await?;
        match volume.spec {
            Spec::Volume(spec) if spec.attach.as_ref() == Some(machine) => Ok(()),
            _ => Err(error),
        }
    }

    pub(super) async fn detach(&self, id: &ResourceId) -> Result<()> {
        let (volume, _) = self.one_volume(id).await?;
        let Spec::Volume(VolumeSpec {
            attach: Some(machine),
            ..
        }) = volume.spec
        else {
            return Ok(());
        };
        let call = self.ec2().detach_volume().volume_id(id.as_str());
        let call = call.instance_id(machine.as_str());
        match call.send().await.map_err(failed("ec2:DetachVolume")) {
            Ok(_) => Ok(()),
            // Somebody was faster: what is not attached is said to be in the wrong state.
            Err(error) if error.kind() == ErrorKind::Conflict || is_gone(&error) => {
                let (volume, _) = self.one_volume(id).await?;
                match volume.spec {
                    Spec::Volume(spec) if spec.attach.is_none() => Ok(()),
                    _ => Err(error),
                }
            }
            Err(error) => Err(error),
        }
    }

    pub(crate) async fn end_volume(&self, id: &ResourceId) -> Result<()> {
        let call = self.ec2().delete_volume().volume_id(id.as_str());
        let ended = call.send().await.map_err(failed("ec2:DeleteVolume"));
        unless_gone(ended.map(drop))?;
        self.recent.ended(Kind::Volume, std::slice::from_ref(id));
        Ok(())
    }

    pub(crate) async fn scan_volumes(&self, scan: Scan<'_>) -> Result<Found> {
        let (found, next) = self.describe_volumes(scan).await?;
        // A disk that goes with its machine is part of the machine.
        let own = found
            .into_iter()
            .filter(|(_, tags)| !tags.contains_key(DISK_OF));
        let items = own.map(|(volume, _)| volume).collect();
        Ok(Found { items, next })
    }

    async fn describe_volumes(
        &self,
        scan: Scan<'_>,
    ) -> Result<(Vec<(Resource, Tags)>, Option<String>)> {
        let call = self
            .ec2()
            .describe_volumes()
            .set_filters(Some(scan.filters("volume-id")))
            .set_next_token(scan.token())
            .max_results(PAGE_MAX);
        let answer = call.send().await.map_err(failed("ec2:DescribeVolumes"))?;
        let found = answer.volumes().iter().filter_map(|volume| {
            let (mut resource, tags) = report(volume)?;
            tell(&self.settings, volume, &mut resource);
            Some((resource, tags))
        });
        let found = found.collect();
        Ok((found, answer.next_token().map(str::to_owned)))
    }

    async fn one_volume(&self, id: &ResourceId) -> Result<(Resource, Tags)> {
        let found = self.describe_volumes(Scan::Ids(std::slice::from_ref(id)));
        let found = found.await?.0.into_iter().next();
        found.ok_or_else(|| gone(Kind::Volume, id))
    }
}

/// Says what there is to wait for, where EBS does not change a volume now.
fn busy(error: Error) -> Error {
    match error.code() {
        Some("VolumeModificationRateExceeded") => error.with_help(
            "EBS changes a volume four times in 24 hours at most; apply again later: the rest of the \
             plan does not wait for it",
        ),
        Some("IncorrectModificationState") => error.with_help(
            "the last change of this volume is not done yet, which takes from minutes to hours; apply \
             again then",
        ),
        _ => error,
    }
}

/// Device names for attached volumes: `/dev/xvdb[a-z]` and `/dev/xvdc[a-z]`, which no own disk has.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html>
fn device(id: &ResourceId, attempt: u32) -> String {
    let start = id.as_str().bytes().fold(0_u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(byte))
    });
    let place = start.wrapping_add(attempt) % 52;
    let letter = char::from(b'a' + u8::try_from(place % 26).unwrap_or(0));
    let bank = if place < 26 { 'b' } else { 'c' };
    format!("/dev/xvd{bank}{letter}")
}

/// Whether a volume is attached under a name that [`device`] gives it: by us, and not by hand.
pub(crate) fn is_device_of(id: &ResourceId, name: &str) -> bool {
    (0..DEVICES_TRIED).any(|attempt| device(id, attempt) == name)
}

/// "Invalid value '/dev/…' for unixDevice. Attachment point /dev/… is already in use".
fn is_device_taken(error: &Error) -> bool {
    error.code() == Some("InvalidParameterValue") && error.message().contains("already in use")
}

/// Notes a size that is not a whole number of GiB.
fn note_size(tags: &mut Tags, size: Bytes) {
    if size == Bytes::gib(size.ceil_gib()) {
        tags.remove(SIZE);
    } else {
        tags.insert(SIZE.to_owned(), size.0.to_string());
    }
}

fn state_of(state: Option<&VolumeState>) -> ResourceState {
    match state {
        Some(VolumeState::Creating) => ResourceState::Pending,
        Some(VolumeState::Deleting | VolumeState::Deleted) => ResourceState::Deleting,
        Some(VolumeState::Error) => ResourceState::Failed,
        _ => ResourceState::Ready,
    }
}

/// Whether a volume was made empty, as ours are: what is restored from a snapshot or copied from another
/// volume, with that one's tags (`CopyTags` of Data Lifecycle Manager, AWS Backup), says from what.
///
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Volume.html>
fn witness(volume: &Volume, mark: Option<&Mark>, id: &ResourceId) -> Witness {
    let filled = |from: Option<&str>| from.filter(|from| !from.is_empty()).map(str::to_owned);
    let made_of = filled(volume.snapshot_id()).or_else(|| filled(volume.source_volume_id()));
    Witness::judge(mark, id, |_| match made_of {
        None => Witness::Held,
        Some(from) => Witness::Refuted {
            why: format!("it was made from {from}, and ours are made empty"),
        },
    })
}

/// What a volume is paid to do, as it was made: operations a second and MiB a second, where its type is
/// sold by them. `None` for what is not chosen.
fn rates(kind: &VolumeType, gib: i32) -> (Option<i32>, Option<i32>) {
    match kind {
        // https://docs.aws.amazon.com/ebs/latest/userguide/general-purpose.html: the baseline.
        VolumeType::Gp3 => (Some(3_000), Some(125)),
        kind => (class::iops(kind, gib), None),
    }
}

/// Says of a volume that we made what it is paid to do, where somebody changed that, and that it is not
/// encrypted as its site has it.
fn tell(settings: &Settings, volume: &Volume, resource: &mut Resource) {
    let made = resource
        .mark
        .as_ref()
        .is_some_and(|mark| !mark.is_adopted());
    let (Some(kind), Some(gib), true) = (volume.volume_type(), volume.size(), made) else {
        return;
    };
    if let Some(departure) = encryption::departure(settings, volume) {
        let why = "a volume is encrypted as it is made: make it anew once its data is elsewhere, set \
                   `encrypted` of the site to what is so, or ignore changes of `setup`";
        resource.depart(ENCRYPTION, &departure.staying(why));
    }
    let (iops, throughput) = rates(kind, gib);
    let told = [
        (OPERATIONS, volume.iops(), iops),
        (THROUGHPUT, volume.throughput(), throughput),
    ];
    for (what, is, ought) in told {
        // An endpoint beside AWS's own may not say it.
        let (Some(is), Some(ought)) = (is.filter(|is| *is > 0), ought) else {
            continue;
        };
        if is != ought {
            resource.depart(what, &Departure::new(is.to_string(), ought.to_string()));
        }
    }
}

/// Where a machine finds the volume, whatever else is attached and in which order: udev names a disk by its
/// model and serial number, and the serial number of an EBS volume on an instance of the Nitro system is its
/// id without the hyphen. An instance of the Xen system has no such link.
///
/// <https://docs.aws.amazon.com/ebs/latest/userguide/identify-nvme-ebs-device.html>
fn attributes(id: &str) -> Attributes {
    let serial = id.replace('-', "");
    let device = format!("/dev/disk/by-id/nvme-Amazon_Elastic_Block_Store_{serial}");
    Attributes::from([("device".to_owned(), device)])
}

fn report(volume: &Volume) -> Option<(Resource, Tags)> {
    if volume.state() == Some(&VolumeState::Deleted) {
        return None;
    }
    let tags = tags::read(volume.tags());
    let size = Bytes::gib(u64::try_from(volume.size()?).ok()?);
    let noted = tags.get(SIZE).and_then(|size| size.parse().ok()).map(Bytes);
    let noted = noted.filter(|noted| noted.ceil_gib() == size.ceil_gib());
    let held = volume
        .attachments()
        .iter()
        .find(|attachment| attachment.state() != Some(&VolumeAttachmentState::Detached));
    let id = ResourceId::from(volume.volume_id()?);
    let mark = tags::mark(&tags);
    let resource = Resource {
        name: tags.get(tags::NAME).cloned().unwrap_or_default(),
        witness: witness(volume, mark.as_ref(), &id),
        id,
        mark,
        state: state_of(volume.state()),
        spec: Spec::Volume(VolumeSpec {
            size: noted.unwrap_or(size),
            class: class::of(volume.volume_type()?),
            zone: Name::new(volume.availability_zone()?).ok()?,
            attach: held
                .and_then(|held| held.instance_id())
                .map(ResourceId::from),
            labels: tags::labels(&tags),
        }),
        attributes: attributes(volume.volume_id()?),
        created: volume
            .create_time()
            .and_then(|t| Timestamp::from_second(t.secs()).ok()),
    };
    Some((resource, tags))
}
