//! Finishing a machine that is defined: its disks, its seed, its address, its filter, and the
//! switch. Every step finds what it did before, so that whoever repeats a create goes on where the
//! last one broke off.

use std::collections::BTreeSet;

use strat_model::{Bytes, ErrorKind, Resource, Result};

use super::create::{Image, Order, SEED};
use crate::config::Uplink;
use crate::error::fail;
use crate::host::{Guest, Host, NewVolume, Pool};
use crate::network::subnet_body;
use crate::seed::{Addressing, Seed};
use crate::site::Site;
use crate::thing::Phase;

impl Site {
    pub(super) fn finish(&self, host: &Host, guest: &Guest, order: &Order<'_>) -> Result<Resource> {
        let Some(mut thing) = guest.thing.clone() else {
            return Err(fail(
                ErrorKind::Internal,
                format!("the machine {} lost its mark", guest.name),
            ));
        };
        if thing.phase == Phase::Made {
            return Ok(self.machine_of(host, guest));
        }
        if !host.traits()?.offers("test") {
            self.ensure_subnet(host, &order.subnet)?;
            let boot_size = self.make_disks(host, guest, order)?;
            thing.body.boot_size = thing.body.boot_size.or(boot_size);
            self.make_seed(host, guest, order)?;
            let body = &thing.body;
            let _definitions = self.lock_definitions();
            if let Some(ip) = body.ip {
                host.reserve_address(&body.subnet, &body.mac, ip, true)?;
            }
            self.refresh_filters(&body.firewalls, &BTreeSet::from([guest.name.clone()]))?;
        }
        self.power_on(host, guest)?;
        thing.phase = Phase::Made;
        self.write_thing(host, guest, &thing)?;
        let fresh = host.guest(&guest.uuid)?;
        Ok(self.machine_of(host, fresh.as_ref().unwrap_or(guest)))
    }

    /// Makes the disks, and says how large the first is.
    fn make_disks(&self, host: &Host, guest: &Guest, order: &Order<'_>) -> Result<Option<Bytes>> {
        let Some(body) = guest.body() else {
            return Ok(None);
        };
        let mut boot_size = None;
        let parts = self.parts(&guest.name, body);
        for (index, part) in parts
            .iter()
            .filter(|part| !part.volume.ends_with(SEED))
            .enumerate()
        {
            let pool = self.pool_named(host, &part.pool)?;
            if index == 0 {
                self.make_boot_disk(host, &pool, &part.volume, Self::boot_size(body), order)?;
                if let Some(volume) = pool.volume(host, &part.volume)? {
                    boot_size = Some(pool.size_of(host, &volume)?);
                }
            } else {
                let capacity = body.disks.get(index).map(|disk| disk.size.0);
                pool.make(
                    host,
                    &NewVolume {
                        name: &part.volume,
                        capacity,
                        format: "qcow2",
                        backing: None,
                    },
                )?;
            }
        }
        Ok(boot_size)
    }

    /// Makes a boot disk: a layer over the image where the pool has files, else a copy.
    fn make_boot_disk(
        &self,
        host: &Host,
        pool: &Pool,
        name: &str,
        size: Option<Bytes>,
        order: &Order<'_>,
    ) -> Result<()> {
        let blank = |size: Bytes| {
            pool.make(
                host,
                &NewVolume {
                    name,
                    capacity: Some(size.0),
                    format: "qcow2",
                    backing: None,
                },
            )
        };
        let (image_pool, volume, format) = match &order.image {
            Image::Named { disk: None, .. } => {
                blank(size.unwrap_or(Self::blank()))?;
                return Ok(());
            }
            Image::Named {
                disk: Some(path),
                format,
                ..
            } if path.starts_with('/') => {
                if !pool.has_files {
                    let message = format!(
                        "the image {path} is a path on the hosts, and a disk in the pool {} of \
                         block devices is a copy of a volume",
                        pool.name
                    );
                    let into = &self.settings.pool;
                    let help = format!("put the image into the pool {into} and name it there");
                    return Err(fail(ErrorKind::Invalid, message).with_help(help));
                }
                let capacity = size.map(|size| size.0);
                pool.make(
                    host,
                    &NewVolume {
                        name,
                        capacity,
                        format: "qcow2",
                        backing: Some((path, format)),
                    },
                )?;
                return Ok(());
            }
            Image::Named {
                disk: Some(volume),
                format,
                ..
            } => (self.pool(host)?, volume.clone(), format.clone()),
            Image::Managed(thing) => {
                let body = &thing.body;
                let image_pool = self.pool_named(host, &body.pool)?;
                self.ensure_volume(host, &body.pool, &body.volume)?;
                (image_pool, body.volume.clone(), body.format.clone())
            }
        };
        let mut found = image_pool.volume(host, &volume)?;
        if found.is_none() {
            // It may have been put there by hand a moment ago.
            image_pool.refresh(host)?;
            found = image_pool.volume(host, &volume)?;
        }
        let Some(found) = found else {
            let message = format!(
                "the host {} has no volume {volume} in the pool {}",
                host.name(),
                image_pool.name
            );
            return Err(fail(ErrorKind::Invalid, message));
        };
        let own = image_pool.size_of(host, &found)?;
        let capacity = size.map_or(own, |size| size.max(own));
        if pool.has_files && image_pool.has_files {
            let path = image_pool.path_of(&volume);
            let backing = Some((path.as_str(), format.as_str()));
            pool.make(
                host,
                &NewVolume {
                    name,
                    capacity: Some(capacity.0),
                    format: "qcow2",
                    backing,
                },
            )?;
        } else {
            pool.clone_of(host, name, &found, capacity.0)?;
        }
        Ok(())
    }

    fn make_seed(&self, host: &Host, guest: &Guest, order: &Order<'_>) -> Result<()> {
        let Some(body) = guest.body() else {
            return Ok(());
        };
        let subnet = subnet_body(&order.subnet).map(|(_, cidr)| cidr);
        let addressing = match (&self.settings.uplink, body.ip, subnet) {
            (Uplink::Bridge { gateway, .. }, Some(ip), Some(subnet)) => Addressing::Static {
                ip,
                subnet,
                gateway: gateway.or_else(|| subnet.hosts().next()).unwrap_or(ip),
                dns: self.settings.dns.clone(),
            },
            _ => Addressing::Dhcp,
        };
        let seed = Seed {
            instance_id: &guest.uuid,
            hostname: &guest.name,
            public_key: order.public_key.as_deref(),
            user_data: order
                .spec
                .user_data
                .as_ref()
                .and_then(strat_model::UserData::as_text),
            mac: &body.mac,
            addressing: &addressing,
        };
        let name = format!("{}{SEED}", guest.name);
        // A machine that runs already reads its seed: it was whole then.
        if guest.running {
            return Ok(());
        }
        self.pool(host)?.put_bytes(host, &name, &seed.image()?)
    }
}
