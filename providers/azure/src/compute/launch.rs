//! Making machines: one call each, on the condition that there is none of the name.
//!
//! A machine's interface, its public address and its disks are made by the same call, and go with it: so
//! one call makes all or nothing, and a repetition makes no second one (`If-None-Match: *`). A flexible
//! scale set would make many by one call, but under names of its own, and would make another machine for
//! one that is deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use strat_model::{
    CapacityKind, Digest, Error, ErrorKind, ImageRef, Kind, MachineSpec, Resource, ResourceId,
    ResourceState, Result, Spec,
};
use strat_provider::{CreateMachines, MachineBatch, Stamp};

use super::disks;
use super::machine::{power, state};
use crate::arm::Call;
use crate::capabilities::{CREATE_BATCH, USER_DATA_MAX};
use crate::error::{Said, gone, if_there, refuse};
use crate::images::{Plan, Source};
use crate::names::{ASG, InNetwork, NSG, Place, VM, zone_number};
use crate::observe::some_at_once;
use crate::provider::{AzureProvider, made_by};
use crate::tags::{self, ADDRESS_OF, DISKS, KEYPAIR, Tags};
use crate::wire::{Thing, Vm};

/// The permission that making machines takes.
pub(crate) const WRITE: &str = "Microsoft.Compute/virtualMachines/write";
pub(crate) const DELETE: &str = "Microsoft.Compute/virtualMachines/delete";

/// The version of the network's API by which the parts of a machine are made.
const NETWORK_API: &str = "2022-11-01";
/// How often a create is begun anew because what had the name went.
const TURNS_MAX: u32 = 3;

/// All that a batch says, but for what is each machine's own.
struct Launch<'a> {
    request: CreateMachines<'a>,
    group: String,
    zones: Vec<String>,
    image: Source,
    plan: Option<Plan>,
    subnet: InNetwork,
    rules: Place,
    key: Option<String>,
    whole: Spec<ResourceId>,
}

impl AzureProvider {
    /// Makes machines, some at once; each that is not made says why.
    pub(crate) async fn launch(&self, request: CreateMachines<'_>) -> Result<MachineBatch> {
        check_names(request.names)?;
        self.check_limits(&Spec::Machine(request.spec.clone()))?;
        check_user_data(request.spec)?;
        let launch = self.prepare(request).await?;
        let each = request.names.iter();
        let each = each.map(|name| self.launch_one(&launch, name)).collect();
        let outcomes = some_at_once(each).await;
        let (mut created, mut why) = (Vec::with_capacity(outcomes.len()), None);
        for outcome in outcomes {
            match outcome {
                Ok(machine) => created.push(machine),
                // Nobody knows what became of one: the whole is asked for again, which harms none.
                Err(error) if error.kind().is_retryable() => return Err(error),
                Err(error) => why = why.or(Some(error)),
            }
        }
        match why {
            Some(why) if created.is_empty() => Err(why),
            shortfall => Ok(MachineBatch { created, shortfall }),
        }
    }

    /// Checks a request, and looks up what its calls say.
    async fn prepare<'a>(&self, request: CreateMachines<'a>) -> Result<Launch<'a>> {
        let spec = request.spec;
        let unknown = || {
            refuse(
                ErrorKind::Invalid,
                format!("there is no zone {} here", spec.zone),
            )
        };
        let zone = zone_number(&self.settings.region, &spec.zone).ok_or_else(unknown)?;
        let missing = || gone(Kind::Subnet, &spec.subnet);
        let subnet = InNetwork::of_id(&spec.subnet).ok_or_else(missing)?;
        if !self.has_subnet(&subnet).await? {
            return Err(missing());
        }
        let image = match &spec.image {
            ImageRef::Named { id, .. } | ImageRef::Managed(id) => id,
        };
        let source = Source::parse(image.as_str());
        let image =
            source.ok_or_else(|| refuse(ErrorKind::Invalid, format!("`{image}` is no image")))?;
        let key = match &spec.keypair {
            None => None,
            Some(id) => {
                let keypair = self.get_keypair(id).await?;
                let keypair = keypair.ok_or_else(|| gone(Kind::Keypair, id))?;
                match keypair.resource.spec {
                    Spec::Keypair(spec) => Some(spec.public_key),
                    _ => None,
                }
            }
        };
        Ok(Launch {
            group: self.group_for(request.mark).await?,
            zones: zone.into_iter().collect(),
            plan: self.plan_of(&image).await?,
            image,
            rules: self.ensure_rules(&subnet.network).await?,
            subnet,
            key,
            whole: Spec::Machine(spec.clone()),
            request,
        })
    }

    async fn launch_one(&self, launch: &Launch<'_>, name: &str) -> Result<Resource> {
        let (at, mark) = (Place::new(&launch.group, name), launch.request.mark);
        let stamp = Stamp::new(launch.request.token, name, &launch.whole);
        let body = self.body(launch, &at, &stamp)?;
        let put = Call::new(WRITE, Method::PUT, self.path(VM, &at), VM.version);
        let put = put.create_only().carrying(body);
        for _ in 0..TURNS_MAX {
            match self.send(&put).await {
                Ok(answer) => match self.settle(&put, answer).await {
                    Ok(()) => {
                        let seen = self.get_machine(&at.id()).await?;
                        let seen = seen.ok_or_else(|| gone(Kind::Machine, &at.id()))?;
                        return made_by(&stamp, seen, mark);
                    }
                    Err(error) if error.kind().is_retryable() => return Err(error),
                    Err(error) => {
                        // It never ran, and Azure keeps what it could not make under the name.
                        self.bury(&at).await?;
                        return Err(error);
                    }
                },
                Err(error) if error.kind() == ErrorKind::Precondition => {
                    if let Some(there) = self.join(&at, &stamp, launch).await? {
                        return Ok(there);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        let message = format!("the name {name} is taken by what comes and goes");
        Err(refuse(ErrorKind::Conflict, message))
    }

    /// What has the name already: this create's machine, which may still be under way; `None` for one
    /// that was never made and is gone now.
    async fn join(
        &self,
        at: &Place,
        stamp: &Stamp,
        launch: &Launch<'_>,
    ) -> Result<Option<Resource>> {
        let Some(mut vm) = self.read_vm(at).await? else {
            return Ok(None);
        };
        if state(&vm.properties) == ResourceState::Pending {
            // What it comes to is told by the machine itself: whose it is, is looked at below.
            let look = Call::new(WRITE, Method::PUT, self.path(VM, at), VM.version);
            let again = Call::new(
                super::machine::READ,
                Method::GET,
                self.path(VM, at),
                VM.version,
            );
            let ended = self.settle(&look, self.send(&again).await?).await;
            match ended {
                Err(error) if error.kind().is_retryable() => return Err(error),
                _ => {}
            }
            match self.read_vm(at).await? {
                Some(seen) => vm = seen,
                None => return Ok(None),
            }
        }
        let owner = tags::mark(&vm.tags).map(|mark| mark.owner);
        let is_ours = owner.as_ref() == Some(&launch.request.mark.owner);
        let unborn = power(vm.properties.instance_view.as_ref()).is_none();
        if is_ours && unborn && state(&vm.properties) == ResourceState::Failed {
            let why = failure(&vm);
            self.bury(at).await?;
            return match why {
                // This create's own, which failed after its caller had gone.
                Some(why) if tags::get(&vm.tags, tags::MADE).as_deref() == Some(&stamp.text()) => {
                    Err(why)
                }
                _ => Ok(None),
            };
        }
        match self.see_machine(&vm).await? {
            Some(seen) => made_by(stamp, seen, launch.request.mark).map(Some),
            None => Ok(None),
        }
    }

    /// Deletes a machine that was never made, with what was made for it.
    async fn bury(&self, at: &Place) -> Result<()> {
        let delete = Call::new(DELETE, Method::DELETE, self.path(VM, at), VM.version);
        if_there(self.done(&delete).await).map(|_| ())
    }

    fn body(&self, launch: &Launch<'_>, at: &Place, stamp: &Stamp) -> Result<Value> {
        let (spec, mark) = (launch.request.spec, launch.request.mark);
        let mut tags = tags::of_new(mark, &spec.labels, &stamp.text(), &self.self_of(&at.id()))?;
        if !spec.disks.is_empty() {
            tags::set(&mut tags, DISKS, &disks::note(&spec.disks));
        }
        if let Some(keypair) = &spec.keypair {
            tags::set(&mut tags, KEYPAIR, keypair.as_str());
        }
        tags::check(&tags)?;
        let mut storage = disks::of_new(&spec.disks, &at.name);
        storage["imageReference"] = launch.image.reference();
        let mut body = json!({
            "location": self.settings.region,
            "tags": tags,
            "properties": {
                "hardwareProfile": { "vmSize": spec.machine_type },
                "storageProfile": storage,
                "osProfile": self.system(launch, at),
                "networkProfile": {
                    "networkApiVersion": NETWORK_API,
                    "networkInterfaceConfigurations": [self.interface(launch, at)],
                },
            },
        });
        if !launch.zones.is_empty() {
            body["zones"] = json!(launch.zones);
        }
        if let Some(plan) = &launch.plan {
            body["plan"] = plan.write();
        }
        if spec.capacity == CapacityKind::Spot {
            // One that Azure wants back is deleted: a stopped one would keep its name and cost its disks.
            // https://learn.microsoft.com/azure/virtual-machines/spot-vms
            body["properties"]["priority"] = json!("Spot");
            body["properties"]["evictionPolicy"] = json!("Delete");
            body["properties"]["billingProfile"] = json!({ "maxPrice": -1 });
        }
        Ok(body)
    }

    /// Its name, who may log in, and what it does at its first boot. Azure makes no machine without a
    /// password or a key: one without a key pair gets a key that nobody has the other half of.
    fn system(&self, launch: &Launch<'_>, at: &Place) -> Value {
        let user = &self.settings.ssh_user;
        let key = launch.key.clone().unwrap_or_else(|| nobodys_key(&at.id()));
        let mut system = json!({
            "computerName": at.name,
            "adminUsername": user,
            "linuxConfiguration": {
                "disablePasswordAuthentication": true,
                "ssh": { "publicKeys": [{
                    "path": format!("/home/{user}/.ssh/authorized_keys"),
                    "keyData": key,
                }] },
            },
        });
        let data = launch.request.spec.user_data.as_ref();
        if let Some(text) = data.and_then(strat_model::UserData::as_text) {
            system["customData"] = json!(STANDARD.encode(text));
        }
        system
    }

    fn interface(&self, launch: &Launch<'_>, at: &Place) -> Value {
        let firewalls = launch
            .request
            .spec
            .firewalls
            .iter()
            .filter_map(Place::of_id);
        let firewalls: Vec<Value> = firewalls
            .map(|one| json!({ "id": self.path(ASG, &one) }))
            .collect();
        let mut own = json!({
            "primary": true,
            "subnet": { "id": self.subnet_path(&launch.subnet) },
        });
        if !firewalls.is_empty() {
            own["applicationSecurityGroups"] = json!(firewalls);
        }
        if self.settings.public_ips {
            let mut tags = Tags::new();
            tags::set(&mut tags, ADDRESS_OF, at.id().as_str());
            own["publicIPAddressConfiguration"] = json!({
                "name": format!("{}_ip", at.name),
                "sku": { "name": "Standard" },
                "tags": tags,
                "properties": { "deleteOption": "Delete", "publicIPAllocationMethod": "Static" },
            });
        }
        json!({
            "name": format!("{}_nic", at.name),
            "properties": {
                "primary": true,
                "deleteOption": "Delete",
                "networkSecurityGroup": { "id": self.path(NSG, &launch.rules) },
                "ipConfigurations": [{ "name": "main", "properties": own }],
            },
        })
    }
}

/// What a machine that could not be made says of it.
fn failure(vm: &Thing<Vm>) -> Option<Error> {
    let view = vm.properties.instance_view.as_ref()?;
    let mut statuses = view.statuses.iter();
    let code = statuses.find_map(|one| one.code.strip_prefix("ProvisioningState/failed/"))?;
    let message = format!("the machine {} could not be made: {code}", vm.name);
    let said = Said::new(code, message);
    Some(said.into_error(WRITE, 0))
}

fn check_names(names: &[String]) -> Result<()> {
    let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
    if !names.is_empty() && names.len() <= CREATE_BATCH as usize && distinct.len() == names.len() {
        return Ok(());
    }
    let message = format!(
        "a call makes 1 to {CREATE_BATCH} machines with a name each, not {}",
        distinct.len()
    );
    Err(refuse(ErrorKind::Invalid, message))
}

fn check_user_data(spec: &MachineSpec<ResourceId>) -> Result<()> {
    let Some(data) = &spec.user_data else {
        return Ok(());
    };
    let invalid = |message: String| Err(refuse(ErrorKind::Invalid, message));
    match data.as_text() {
        None => invalid("the user data has places not filled in".to_owned()),
        Some(text) if text.len() as u64 > USER_DATA_MAX => invalid(format!(
            "the user data is longer than {USER_DATA_MAX} bytes"
        )),
        Some(_) => Ok(()),
    }
}

/// A public key in OpenSSH's form whose 32 bytes are a digest: nobody has a private key to it.
fn nobodys_key(id: &ResourceId) -> String {
    let digest = Digest::of_parts(["nobody's key", id.as_str()]);
    let mut blob = Vec::with_capacity(51);
    let seed: Vec<u8> = digest.as_str().bytes().take(32).collect();
    for part in [b"ssh-ed25519".as_slice(), &seed] {
        blob.extend(u32::try_from(part.len()).unwrap_or_default().to_be_bytes());
        blob.extend(part);
    }
    format!("ssh-ed25519 {}", STANDARD.encode(blob))
}
