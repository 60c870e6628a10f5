//! Attaching volumes to machines, and detaching them.

use std::time::Duration;

use strat_model::{ErrorKind, ResourceId, Result};

use super::volumes::{Found, serial};
use crate::compute::{Plug, disk_name, disk_xml, machine_id};
use crate::error::{Explain as _, fail, missing};
use crate::host::{Event, Guest, Host, Patience, Watch};
use crate::rpc::sys;
use crate::site::Site;

/// How long a machine may take to let go of a disk.
const PATIENCE: Patience = Patience {
    pause: Duration::from_millis(100),
    times: 100,
};

impl Site {
    pub(super) fn attach_volume(&self, id: &ResourceId, machine: &ResourceId) -> Result<()> {
        let _placement = self.lock_placement();
        let mut found = self.need_volume(id)?;
        if let Some((host, guest)) = self.user_of(&found)? {
            if machine_id(host, &guest) == *machine {
                return Ok(());
            }
            return Err(fail(
                ErrorKind::Conflict,
                format!("the volume {id} is attached to {}", guest.name),
            ));
        }
        let (host, guest) = self.need_guest(machine)?;
        let here = &self.hosts[found.host];
        if host.zone() != here.zone() {
            let message = format!(
                "the volume {id} is in the zone {}, and the machine {} in {}",
                here.zone(),
                guest.name,
                host.zone()
            );
            return Err(fail(ErrorKind::Invalid, message));
        }
        self.drop_stale(&found)?;
        if host.name() != here.name() {
            found = self.carry(found, host)?;
        }
        if !found.thing.body.used {
            found.thing.body.used = true;
            self.put_volume(host, &found.thing)?;
        }
        let plug = self.plug(host, &found, &guest)?;
        let flags = impact(&guest);
        let doing = || format!("attaching the volume {id} to {}", guest.name);
        let domain = host
            .domain(&guest.uuid)?
            .ok_or_else(|| missing(format!("machine {machine}")))?;
        domain
            .attach_device_flags(&disk_xml(&plug).to_string(), flags)
            .on(host, doing)
    }

    pub(super) fn detach_volume(&self, id: &ResourceId) -> Result<()> {
        let _placement = self.lock_placement();
        let found = self.need_volume(id)?;
        let Some((host, guest)) = self.user_of(&found)? else {
            return Ok(());
        };
        if guest.running {
            host.listen();
        }
        let doing = || format!("detaching the volume {id} from {}", guest.name);
        let mut plug = self.plug(host, &found, &guest)?;
        if let Some(disk) = guest.disk(&plug.path) {
            plug.target.clone_from(&disk.target);
        }
        let domain = host
            .domain(&guest.uuid)?
            .ok_or_else(|| missing(format!("machine {}", guest.name)))?;
        let xml = disk_xml(&plug).to_string();
        let mut watch = host.watch(&guest.name);
        if let Err(error) = domain.detach_device_flags(&xml, impact(&guest)) {
            // After a crash it may be plugged in now and not at the next start, or the reverse.
            watch = host.watch(&guest.name);
            let now = guest.running
                && domain
                    .detach_device_flags(&xml, sys::VIR_DOMAIN_AFFECT_LIVE)
                    .is_ok();
            let next = domain
                .detach_device_flags(&xml, sys::VIR_DOMAIN_AFFECT_CONFIG)
                .is_ok();
            if !now && !next {
                return Err(crate::error::explain(host, &doing(), &error));
            }
        }
        await_release(host, &watch, &guest, &plug.path)
    }

    /// A volume as it is plugged into a machine, at the first place that is free.
    fn plug(&self, host: &Host, found: &Found, guest: &Guest) -> Result<Plug> {
        let pool = self.pool_named(host, &found.thing.body.pool)?;
        let body = &found.thing.body;
        let free = |target: &String| guest.disks.iter().all(|disk| disk.target != *target);
        let target = (0..256).map(|index| disk_name("sd", index)).find(free);
        let Some(target) = target else {
            let message = format!("the machine {} has no place for another volume", guest.name);
            return Err(fail(ErrorKind::Conflict, message));
        };
        Ok(Plug {
            path: pool.path_of(&body.volume),
            is_file: pool.has_files,
            format: pool.format_of(host, &body.volume)?,
            target,
            serial: Some(serial(&found.thing.name)),
            writable: true,
            cache: self.settings.disk_cache,
        })
    }

    fn need_volume(&self, id: &ResourceId) -> Result<Found> {
        self.volume_things()?
            .remove(id.as_str())
            .ok_or_else(|| missing(format!("volume {id}")))
    }
}

/// What a change of a machine reaches: what runs, and what will run.
const fn impact(guest: &Guest) -> u32 {
    if guest.running {
        sys::VIR_DOMAIN_AFFECT_LIVE | sys::VIR_DOMAIN_AFFECT_CONFIG
    } else {
        sys::VIR_DOMAIN_AFFECT_CONFIG
    }
}

/// Waits until a machine has let go of a disk, or refuses to.
fn await_release(host: &Host, watch: &Watch<'_>, guest: &Guest, path: &str) -> Result<()> {
    let alias = guest.disk(path).and_then(|disk| disk.alias.as_ref());
    let is_refusal = |event: &Event| match event {
        Event::Refused(device) => alias.is_none_or(|alias| alias == device),
        Event::Ended | Event::Released(_) => false,
    };
    let released = watch.until(PATIENCE, |told| {
        let now = host.guest(&guest.uuid)?;
        if now.is_none_or(|now| now.disk(path).is_none()) {
            return Ok(Some(()));
        }
        if told.iter().any(is_refusal) {
            let message = format!("the machine {} refuses to let go of {path}", guest.name);
            return Err(fail(ErrorKind::Conflict, message));
        }
        Ok(None)
    })?;
    released.ok_or_else(|| {
        let message = format!("the machine {} does not let go of {path}", guest.name);
        fail(ErrorKind::Conflict, message)
    })
}
