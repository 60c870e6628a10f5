//! Making machines: what is asked for is checked, then each gets a host and an address, and is
//! defined; then it is finished.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;

use strat_model::{
    Bytes, CapacityKind, DiskClass, Error, ErrorKind, ImageRef, Kind, MachineSpec, ResourceId,
    Result, Scope, Spec,
};
use strat_provider::MachineBatch;

use super::domain::{Blueprint, Plug, disk_name, free_mac};
use super::ground::{Ground, Spot};
use crate::config::{DirectBoot, Firmware};
use crate::error::fail;
use crate::host::{Guest, Host, MachineBody};
use crate::images::ImageBody;
use crate::network::{Net, subnet_body};
use crate::provider::OwnedCreate;
use crate::site::{Site, USER_DATA_MAX, flexible_size};
use crate::thing::{Phase, Thing, machine_uuid, taken};

/// The smallest boot disk, for an image that has none.
const BLANK: Bytes = Bytes(64 << 20);

/// What a batch of machines is made of, checked.
#[derive(Debug)]
pub(super) struct Order<'a> {
    pub(super) spec: &'a MachineSpec<ResourceId>,
    pub(super) subnet: Net,
    pub(super) image: Image,
    pub(super) public_key: Option<String>,
}

/// An image, as a boot disk needs it.
#[derive(Debug, Clone)]
pub(super) enum Image {
    /// Of the site's settings.
    Named {
        disk: Option<String>,
        format: String,
        boot: Option<DirectBoot>,
    },
    /// Of the topology's own.
    Managed(Box<Thing<ImageBody>>),
}

impl Image {
    pub(super) const fn boot(&self) -> Option<&DirectBoot> {
        match self {
            Self::Named { boot, .. } => boot.as_ref(),
            Self::Managed(_) => None,
        }
    }
}

/// A machine that is defined, and its host's place in the site's list.
type Placed = (usize, Guest);

/// A volume that was made for a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) pool: String,
    pub(super) volume: String,
}

impl Site {
    pub(super) fn create_machines(
        &self,
        request: &OwnedCreate<MachineSpec<ResourceId>>,
        names: &[String],
    ) -> Result<MachineBatch> {
        let order = self.check_order(&request.spec, names)?;
        let (placed, mut shortfall) = self.place(request, names, &order)?;
        let outcomes: Vec<_> = std::thread::scope(|scope| {
            let finish = |(host, guest): &Placed| self.finish(&self.hosts[*host], guest, &order);
            // A few at a time: each is a QEMU that starts, and a host has other things to do.
            let mut outcomes = Vec::with_capacity(placed.len());
            for few in placed.chunks(4) {
                let threads: Vec<_> = few
                    .iter()
                    .map(|one| scope.spawn(move || finish(one)))
                    .collect();
                let broken = || {
                    Err(fail(
                        ErrorKind::Internal,
                        "a thread for a machine broke off",
                    ))
                };
                outcomes.extend(
                    threads
                        .into_iter()
                        .map(|thread| thread.join().unwrap_or_else(|_| broken())),
                );
            }
            outcomes
        });
        let mut created = Vec::new();
        for ((host, guest), outcome) in placed.into_iter().zip(outcomes) {
            match outcome {
                Ok(machine) => created.push(machine),
                // Nobody knows how far it came. Whoever repeats the call finds it by its name.
                Err(error) if error.kind().is_retryable() => return Err(error),
                Err(error) => {
                    self.delete_machine(&self.hosts[host], guest)?;
                    shortfall.get_or_insert(error);
                }
            }
        }
        match shortfall {
            Some(error) if created.is_empty() => Err(error),
            shortfall => Ok(MachineBatch { created, shortfall }),
        }
    }

    fn check_order<'a>(
        &self,
        spec: &'a MachineSpec<ResourceId>,
        names: &[String],
    ) -> Result<Order<'a>> {
        let invalid = |message: String| Err(fail(ErrorKind::Invalid, message));
        let max = self.capabilities.create_batch as usize;
        if names.is_empty() || names.len() > max {
            return invalid(format!(
                "a call makes 1 to {max} machines, not {}",
                names.len()
            ));
        }
        if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
            return invalid("two machines have one name".to_owned());
        }
        self.check_zone(&spec.zone)?;
        let size = flexible_size(&spec.machine_type);
        if size != Some((spec.cpu, spec.memory)) || spec.capacity != CapacityKind::Owned {
            let message = format!(
                "`{}` is no size of a machine of our own with {} CPUs and {}",
                spec.machine_type, spec.cpu, spec.memory
            );
            return Err(fail(ErrorKind::Invalid, message).with_scope(Scope::Offer));
        }
        if let Some(data) = &spec.user_data {
            match data.as_text() {
                None => return invalid("the user data has places not filled in".to_owned()),
                Some(text) if text.len() as u64 > USER_DATA_MAX => {
                    return invalid(format!(
                        "the user data is longer than {}",
                        Bytes(USER_DATA_MAX)
                    ));
                }
                Some(_) => {}
            }
        }
        let subnet = self.need_subnet(spec.subnet.as_str())?;
        let network = subnet_body(&subnet).map_or("", |(network, _)| network);
        self.check_firewalls(spec.firewalls.iter(), network)?;
        let public_key = match &spec.keypair {
            Some(id) => Some(self.need_keypair(id)?.body.public_key),
            None => None,
        };
        let image = self.image(&spec.image)?;
        Ok(Order {
            spec,
            subnet,
            image,
            public_key,
        })
    }

    fn image(&self, image: &ImageRef<ResourceId>) -> Result<Image> {
        let (ImageRef::Named { id, .. } | ImageRef::Managed(id)) = image;
        if let Some(source) = self.named_image(id) {
            let source = source.clone();
            return Ok(Image::Named {
                disk: source.disk,
                format: source.format,
                boot: source.boot,
            });
        }
        match self.image_things()?.remove(id.as_str()) {
            Some(thing) if thing.phase == Phase::Made => Ok(Image::Managed(Box::new(thing))),
            Some(_) => Err(fail(
                ErrorKind::Conflict,
                format!("the image {id} is not whole"),
            )),
            None => Err(fail(
                ErrorKind::Invalid,
                format!("there is no image {id} at {}", self.name),
            )),
        }
    }

    /// Gives each machine a host and an address, and defines it, so that all others can see that.
    /// What is there already is taken as it is.
    fn place(
        &self,
        request: &OwnedCreate<MachineSpec<ResourceId>>,
        names: &[String],
        order: &Order<'_>,
    ) -> Result<(Vec<Placed>, Option<Error>)> {
        let spec = Spec::Machine(request.spec.clone());
        let digest = request.digest(&spec);
        let _placement = self.lock_placement();
        let guests = self.guests()?;
        let elsewhere = self.noted(Kind::Machine)?;
        let mut ground = Ground::new(self, order, &guests, &request.mark.addr, &elsewhere)?;
        let (mut placed, mut shortfall) = (Vec::new(), None);
        let mut macs: BTreeSet<String> = guests
            .iter()
            .flat_map(|(_, guest)| guest.macs.clone())
            .collect();
        for name in names {
            let mut birth = request.birth(Kind::Machine, &spec, &digest, self.now());
            birth.name = name;
            if let Some((host, guest)) = guests.iter().find(|(_, guest)| guest.name == *name) {
                match &guest.thing {
                    Some(thing) => thing.check_repeated(birth)?,
                    None => return Err(taken(Kind::Machine, name)),
                }
                if let Some(Thing {
                    phase: Phase::Leaving { .. },
                    ..
                }) = &guest.thing
                {
                    return Err(fail(
                        ErrorKind::Conflict,
                        format!("the machine `{name}` is being deleted"),
                    ));
                }
                placed.push((self.index_of(host), guest.clone()));
                continue;
            }
            if elsewhere.iter().any(|note| note.name == *name) {
                return Err(taken(Kind::Machine, name));
            }
            if shortfall.is_some() {
                continue;
            }
            let Spot { host, ip, gpus } = match ground.spot(order) {
                Ok(spot) => spot,
                Err(error) => {
                    shortfall = Some(error);
                    continue;
                }
            };
            if let Err(error) = self.hosts[host].check_filters_hold() {
                shortfall = Some(error);
                continue;
            }
            self.enroll(&request.mark.owner, &self.hosts[host])?;
            let uuid = machine_uuid(name, request.token.as_str());
            let mac = free_mac(&uuid, &macs);
            macs.insert(mac.clone());
            let body = body_of(order.spec, ip, mac);
            let thing = Thing::new(birth, Phase::Making, body);
            let on = &self.hosts[host];
            self.note_machine(on, &uuid, &thing)?;
            placed.push((host, self.define_machine(on, &uuid, &thing, order, &gpus)?));
        }
        Ok((placed, shortfall))
    }

    fn index_of(&self, host: &Host) -> usize {
        self.hosts
            .iter()
            .position(|other| other.name() == host.name())
            .unwrap_or(0)
    }

    fn define_machine(
        &self,
        host: &Host,
        uuid: &str,
        thing: &Thing<MachineBody>,
        order: &Order<'_>,
        gpus: &[usize],
    ) -> Result<Guest> {
        let traits = host.traits()?;
        let mut plugs = Vec::new();
        if !traits.offers("test") {
            for (index, part) in self.parts(&thing.name, &thing.body).into_iter().enumerate() {
                let pool = self.pool_named(host, &part.pool)?;
                let is_seed = part.volume.ends_with(SEED);
                plugs.push(Plug {
                    path: pool.path_of(&part.volume),
                    is_file: pool.has_files,
                    format: if is_seed || !pool.has_files {
                        "raw"
                    } else {
                        "qcow2"
                    }
                    .to_owned(),
                    target: disk_name("vd", index),
                    serial: is_seed.then(|| "cidata".to_owned()),
                    writable: !is_seed,
                    cache: self.settings.disk_cache,
                });
            }
        }
        if self.settings.firmware == Firmware::Uefi && order.image.boot().is_some() {
            tracing::debug!("a kernel that is booted directly needs no UEFI");
        }
        let blueprint = Blueprint {
            name: &thing.name,
            uuid,
            domain_type: host.domain_type(self.settings.accel)?,
            traits,
            firmware: if order.image.boot().is_some() {
                Firmware::Bios
            } else {
                self.settings.firmware
            },
            settings: &self.settings,
            cpu: order.spec.cpu,
            memory: order.spec.memory,
            boot: order.image.boot(),
            disks: &plugs,
            gpus: gpus.iter().map(|at| &host.gpus()[*at]).collect(),
            subnet: order.spec.subnet.as_str(),
            mac: &thing.body.mac,
        };
        let mut xml = blueprint.xml();
        thing.put_into(&mut xml)?;
        host.define_guest(&xml)
    }

    /// The volumes that belong to a machine, in the order of its disks: the boot disk, others,
    /// the seed.
    pub(super) fn parts(&self, name: &str, body: &MachineBody) -> Vec<Part> {
        let classes = body.disks.iter().map(|disk| disk.class);
        // A machine that asks for no disk has the image's own size.
        let classes: Vec<_> = if body.disks.is_empty() {
            vec![DiskClass::default()]
        } else {
            classes.collect()
        };
        let disk = |(index, class): (usize, DiskClass)| Part {
            pool: self.pool_name(class).to_owned(),
            volume: format!("{name}.disk{index}"),
        };
        let seed = Part {
            pool: self.settings.pool.clone(),
            volume: format!("{name}{SEED}"),
        };
        classes
            .into_iter()
            .enumerate()
            .map(disk)
            .chain([seed])
            .collect()
    }

    /// The names of those volumes.
    pub(crate) fn parts_of(&self, name: &str, body: &MachineBody) -> Vec<String> {
        self.parts(name, body)
            .into_iter()
            .map(|part| part.volume)
            .collect()
    }

    /// The size of a machine's boot disk before the image has its say.
    pub(super) fn boot_size(body: &MachineBody) -> Option<Bytes> {
        body.disks.first().map(|disk| disk.size)
    }

    pub(super) const fn blank() -> Bytes {
        BLANK
    }
}

/// The ending of a seed's name.
pub(super) const SEED: &str = ".seed";

fn body_of(spec: &MachineSpec<ResourceId>, ip: Ipv4Addr, mac: String) -> MachineBody {
    let (ImageRef::Named { id: image, .. } | ImageRef::Managed(image)) = &spec.image;
    MachineBody {
        machine_type: spec.machine_type.clone(),
        image: image.to_string(),
        subnet: spec.subnet.to_string(),
        firewalls: spec.firewalls.iter().map(ToString::to_string).collect(),
        keypair: spec.keypair.as_ref().map(ToString::to_string),
        disks: spec.disks.clone(),
        ip: Some(ip),
        mac,
        boot_size: None,
    }
}

impl Host {
    /// Defines a machine.
    fn define_guest(&self, xml: &crate::xml::Element) -> Result<Guest> {
        use crate::error::Explain as _;
        let name = xml.text_at(&["name"]).unwrap_or_default().to_owned();
        let uuid = xml.text_at(&["uuid"]).unwrap_or_default();
        let defined = self.connect()?.define_domain_xml(&xml.to_string());
        defined.on(self, || format!("defining the machine {name}"))?;
        self.guest(uuid)?
            .ok_or_else(|| crate::error::missing(format!("machine {name}")))
    }
}
