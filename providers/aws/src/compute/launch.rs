//! Making machines: one `RunInstances` for a batch.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use aws_sdk_ec2::types::{
    HttpTokensState, Instance, InstanceInterruptionBehavior, InstanceMarketOptionsRequest,
    InstanceMetadataOptionsRequest, InstanceNetworkInterfaceSpecification, InstanceType,
    MarketType, Placement, ResourceType, SpotInstanceType, SpotMarketOptions, TagSpecification,
};
use base64::Engine as _;
use strat_model::{
    CapacityKind, Error, ErrorKind, ImageRef, MachineSpec, Resource, ResourceId, ResourceState,
    Result, Spec, Witness,
};
use strat_provider::{CreateMachines, MachineBatch};

use super::machine::{Beside, report};
use super::{disks, names};
use crate::capabilities::CREATE_BATCH;
use crate::error::{failed, refuse};
use crate::provider::{AwsProvider, filter};
use crate::tags::{self, DISK_OF, DISKS, Tags};

/// How many launches of ended machines a token may have behind it.
const LIVES_MAX: u32 = 3;

/// Tokens whose whole batch was refused for want of capacity or quota, so that a repetition goes
/// on with the part that there is, not with the whole.
#[derive(Debug, Default)]
pub(crate) struct Shortened(Mutex<BTreeSet<String>>);

impl Shortened {
    fn contains(&self, token: &str) -> bool {
        let tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.contains(token)
    }

    fn insert(&self, token: &str) {
        let mut tokens = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tokens.insert(token.to_owned());
    }
}

/// All that a launch says, but for how many and with which token.
struct Launch<'a> {
    spec: &'a MachineSpec<ResourceId>,
    count: i32,
    tags: Tags,
    disk_tags: Tags,
    interface_tags: Tags,
    user_data: Option<String>,
    mappings: Vec<aws_sdk_ec2::types::BlockDeviceMapping>,
}

impl AwsProvider {
    /// Makes machines.
    ///
    /// # Behavior
    /// - One `RunInstances` for the whole batch. Only when AWS has not so many, or the account may
    ///   not have so many, a second one for as many as there are, with a token derived from the
    ///   first.
    /// - A token whose machines were ended answers with them while EC2 still shows them. Later EC2
    ///   only says `IdempotentInstanceTerminated`; then a token derived from it is used.
    pub(crate) async fn launch(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        let launch = self.prepare(&request).await?;
        let token = request.token;
        let mut last = None;
        for life in 1..=LIVES_MAX {
            let word = match life {
                1 => token.to_string(),
                life => format!("{token}-life{life}"),
            };
            match self.launch_with(&launch, &word).await {
                Ok((instances, why)) => return self.answer(&request, &instances, why).await,
                Err(error) if error.code() == Some("IdempotentInstanceTerminated") => {
                    let ended = self.launched_with(&word).await?;
                    if !ended.is_empty() {
                        return self.answer(&request, &ended, None).await;
                    }
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| refuse(ErrorKind::Internal, "no launch was tried")))
    }

    /// All of the batch, or what there is of it and why it is not all.
    async fn launch_with(
        &self,
        launch: &Launch<'_>,
        token: &str,
    ) -> Result<(Vec<Instance>, Option<Error>)> {
        let part = format!("{token}-part");
        let mut short = None;
        if !self.shortened.contains(token) {
            match self.run(launch, launch.count, token).await {
                Err(error) if launch.count > 1 && is_short(&error) => short = Some(error),
                outcome => return outcome.map(|instances| (instances, None)),
            }
            self.shortened.insert(token);
        }
        let instances = self.run(launch, 1, &part).await?;
        let missing = usize::try_from(launch.count).unwrap_or(0) > instances.len();
        let why = || {
            refuse(
                ErrorKind::Capacity,
                "AWS made fewer machines than were asked for",
            )
        };
        Ok((instances, missing.then(|| short.unwrap_or_else(why))))
    }

    async fn run(&self, launch: &Launch<'_>, at_least: i32, token: &str) -> Result<Vec<Instance>> {
        let spec = launch.spec;
        let image = match &spec.image {
            ImageRef::Named { id, .. } | ImageRef::Managed(id) => id,
        };
        let call = self
            .ec2()
            .run_instances()
            .client_token(token)
            .image_id(image.as_str())
            .instance_type(InstanceType::from(spec.machine_type.as_str()))
            .min_count(at_least)
            .max_count(launch.count)
            .placement(
                Placement::builder()
                    .availability_zone(spec.zone.as_str())
                    .build(),
            )
            .network_interfaces(Self::interface(spec))
            .metadata_options(imds_v2())
            .set_key_name(spec.keypair.as_ref().map(ToString::to_string))
            .set_user_data(launch.user_data.clone())
            .set_instance_market_options(market(spec.capacity))
            .set_block_device_mappings(
                (!launch.mappings.is_empty()).then(|| launch.mappings.clone()),
            )
            .set_tag_specifications(Some(specifications(launch)));
        let answer = call.send().await.map_err(self.failed("ec2:RunInstances"))?;
        Ok(answer.instances.unwrap_or_default())
    }

    /// The one network interface. Public addresses are asked for here, so that a subnet needs no
    /// call of its own to give them.
    fn interface(spec: &MachineSpec<ResourceId>) -> InstanceNetworkInterfaceSpecification {
        let groups = spec.firewalls.iter().map(ToString::to_string);
        let groups: Vec<String> = groups.collect();
        InstanceNetworkInterfaceSpecification::builder()
            .device_index(0)
            .subnet_id(spec.subnet.as_str())
            .associate_public_ip_address(spec.public_ip == Some(true))
            .delete_on_termination(true)
            .set_groups((!groups.is_empty()).then_some(groups))
            .build()
    }

    /// Checks a request, and works out what its launch says.
    async fn prepare<'a>(&self, request: &CreateMachines<'a>) -> Result<Launch<'a>> {
        let invalid = |message: String| Err(refuse(ErrorKind::Invalid, message));
        let (spec, asked) = (request.spec, request.names);
        let distinct: BTreeSet<&String> = asked.iter().collect();
        if asked.is_empty() || asked.len() > CREATE_BATCH as usize || distinct.len() < asked.len() {
            let count = distinct.len();
            return invalid(format!(
                "a call makes 1 to {CREATE_BATCH} machines with a name each, not {count}"
            ));
        }
        let user_data = match &spec.user_data {
            None => None,
            Some(data) => match data.as_text() {
                None => return invalid("the user data has places not filled in".to_owned()),
                Some(text) if text.len() > 16 << 10 => {
                    return invalid("the user data is longer than 16 KiB".to_owned());
                }
                Some(text) => Some(base64::engine::general_purpose::STANDARD.encode(text)),
            },
        };
        let name = names::common_name(asked);
        let mut tags = tags::of_new(&name, request.mark, &spec.labels, None)?;
        let interface_tags = tags.clone();
        tags.extend(names::write(asked)?);
        if !spec.disks.is_empty() {
            tags.insert(DISKS.to_owned(), disks::write(&spec.disks));
        }
        let mut mappings = Vec::new();
        if self.settings.encrypted || !spec.disks.is_empty() {
            let image = match &spec.image {
                ImageRef::Named { id, .. } | ImageRef::Managed(id) => id,
            };
            let image = self.disks_of_image(image).await?;
            mappings = disks::mappings(&spec.disks, &image, &self.settings)?;
        }
        tags::check(&tags)?;
        let mut disk_tags: Tags = spec.labels.clone().into_iter().collect();
        disk_tags.insert(tags::NAME.to_owned(), name);
        disk_tags.insert(DISK_OF.to_owned(), request.mark.owner.named().to_string());
        Ok(Launch {
            spec,
            count: i32::try_from(asked.len()).unwrap_or(i32::MAX),
            tags,
            disk_tags,
            interface_tags,
            user_data,
            mappings,
        })
    }

    /// The instances of an earlier launch, ended ones too.
    async fn launched_with(&self, token: &str) -> Result<Vec<Instance>> {
        let call = self.ec2().describe_instances();
        let call = call.filters(filter("client-token", [token]));
        let answer = call.send().await.map_err(failed("ec2:DescribeInstances"))?;
        let reservations = answer.reservations.unwrap_or_default().into_iter();
        let instances = reservations.flat_map(|one| one.instances.unwrap_or_default());
        Ok(instances.collect())
    }

    /// What a launch made. Its answer may lag in what it says of tags, disks and firewalls; those
    /// are as they were asked for.
    async fn answer(
        &self,
        request: &CreateMachines<'_>,
        instances: &[Instance],
        shortfall: Option<Error>,
    ) -> Result<MachineBatch> {
        let kinds = BTreeSet::from([request.spec.machine_type.clone()]);
        let beside = Beside {
            sizes: self.sizes(&kinds).await?,
            ..Beside::default()
        };
        let one = |instance: &Instance| {
            let (mut machine, tags) = report(instance, &beside)?;
            let index = usize::try_from(instance.ami_launch_index().unwrap_or(0)).ok()?;
            if let Some(name) = request.names.get(index) {
                name.clone_into(&mut machine.name);
            }
            if tags.is_empty() {
                machine.mark = Some(request.mark.clone());
                machine.witness = Witness::Held;
            }
            if let Spec::Machine(spec) = &mut machine.spec {
                spec.disks.clone_from(&request.spec.disks);
                spec.firewalls.clone_from(&request.spec.firewalls);
                spec.keypair.clone_from(&request.spec.keypair);
                spec.capacity = request.spec.capacity;
                spec.labels.clone_from(&request.spec.labels);
            }
            Some(machine)
        };
        let created: Vec<Resource> = instances.iter().filter_map(one).collect();
        let live = created
            .iter()
            .filter(|one| one.state != ResourceState::Deleting);
        live.for_each(|machine| self.recent.made(machine));
        Ok(MachineBatch { created, shortfall })
    }
}

/// Whether a smaller batch may pass where this one did not.
fn is_short(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Capacity | ErrorKind::Quota)
}

fn specifications(launch: &Launch<'_>) -> Vec<TagSpecification> {
    vec![
        tags::specification(ResourceType::Instance, &launch.tags),
        tags::specification(ResourceType::Volume, &launch.disk_tags),
        tags::specification(ResourceType::NetworkInterface, &launch.interface_tags),
    ]
}

/// Instance metadata only with a session: version 2.
fn imds_v2() -> InstanceMetadataOptionsRequest {
    InstanceMetadataOptionsRequest::builder()
        .http_tokens(HttpTokensState::Required)
        .build()
}

fn market(capacity: CapacityKind) -> Option<InstanceMarketOptionsRequest> {
    let spot = SpotMarketOptions::builder()
        .spot_instance_type(SpotInstanceType::OneTime)
        .instance_interruption_behavior(InstanceInterruptionBehavior::Terminate);
    match capacity {
        CapacityKind::Spot => Some(
            InstanceMarketOptionsRequest::builder()
                .market_type(MarketType::Spot)
                .spot_options(spot.build())
                .build(),
        ),
        CapacityKind::OnDemand | CapacityKind::Reserved | CapacityKind::Owned => None,
    }
}
