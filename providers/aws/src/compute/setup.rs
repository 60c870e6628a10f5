//! What a machine is launched with beyond its fields, where somebody changed it: told, and made good.

use aws_sdk_ec2::types::{AttributeBooleanValue, HttpTokensState, Instance};
use strat_model::{Departure, Mark, Resource, ResourceId, Result};

use super::disks::OnMachine;
use crate::error::failed;
use crate::provider::AwsProvider;
use crate::setup::{CHECK, ENCRYPTION, PROFILE, TOKENS, VOLUMES};

/// Says what an instance of ours has that its launch did not give it, or would not give it now. `there` are
/// the volumes on it.
pub(super) fn tell(instance: &Instance, there: Option<&OnMachine>, machine: &mut Resource) {
    // What was found and adopted is as others launched it.
    if machine.mark.as_ref().is_none_or(Mark::is_adopted) {
        return;
    }
    let tokens = instance
        .metadata_options()
        .and_then(|options| options.http_tokens());
    if tokens == Some(&HttpTokensState::Optional) {
        machine.depart(TOKENS, &Departure::new("optional", "required"));
    }
    if instance.source_dest_check() == Some(false) {
        machine.depart(CHECK, &Departure::new("off", "on"));
    }
    let profile = instance
        .iam_instance_profile()
        .and_then(|profile| profile.arn());
    if let Some(profile) = profile.filter(|profile| !profile.is_empty()) {
        let why = "what runs there may rely on it; take it off with `aws ec2 \
                   disassociate-iam-instance-profile`, or ignore changes of `setup`";
        machine.depart(PROFILE, &Departure::new(profile, "none").staying(why));
    }
    let Some(there) = there else {
        return;
    };
    if let Some((_, first)) = there.unsealed.first() {
        let disks = there.unsealed.iter();
        let disks: Vec<String> = disks
            .map(|(id, one)| format!("{} on {id}", one.is))
            .collect();
        let why = "a disk is encrypted as it is made: make the machine anew to have it, set `encrypted` of \
                   the site to what is so, or ignore changes of `setup`";
        let departure = Departure::new(disks.join(", "), first.ought.as_str()).staying(why);
        machine.depart(ENCRYPTION, &departure);
    }
    if !there.strange.is_empty() {
        let why = "data may be on it; take it off with `aws ec2 detach-volume`, or ignore changes of \
                   `setup`";
        let ought = "none but those of the topology";
        let departure = Departure::new(there.strange.join(", "), ought).staying(why);
        machine.depart(VOLUMES, &departure);
    }
}

impl AwsProvider {
    /// Makes good what can be.
    pub(super) async fn set_up(&self, id: &ResourceId, machine: Resource) -> Result<Resource> {
        let departures = machine.departures();
        if departures.contains_key(TOKENS) {
            let call = self.ec2().modify_instance_metadata_options();
            let call = call
                .instance_id(id.as_str())
                .http_tokens(HttpTokensState::Required);
            let done = call.send().await;
            done.map_err(failed("ec2:ModifyInstanceMetadataOptions"))?;
        }
        if departures.contains_key(CHECK) {
            let on = AttributeBooleanValue::builder().value(true).build();
            let call = self.ec2().modify_instance_attribute();
            let call = call.instance_id(id.as_str()).source_dest_check(on);
            let done = call.send().await;
            done.map_err(failed("ec2:ModifyInstanceAttribute"))?;
        }
        Ok(machine.set_up())
    }
}
