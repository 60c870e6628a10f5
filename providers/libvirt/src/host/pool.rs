//! Storage pools and their volumes.

use std::io::Cursor;
use std::sync::PoisonError;
use std::time::Duration;

use strat_model::{Bytes, ErrorKind, Result};

use super::Host;
use crate::error::{Explain as _, fail};
use crate::rpc::{StoragePool, StorageVol};
use crate::xml::Element;

/// How often a pool is tried that another program may be making, and how long is waited between.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(100);

/// A storage pool that runs.
#[derive(Debug)]
pub(crate) struct Pool {
    handle: StoragePool,
    pub(crate) name: String,
    /// Whether its volumes are files, which can be layers over others.
    pub(crate) has_files: bool,
    /// The folder that its volumes are in.
    target: String,
}

/// How large a volume is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VolumeInfo {
    pub(crate) name: String,
    /// What a guest sees.
    pub(crate) capacity: Bytes,
}

/// A volume to be made.
#[derive(Debug, Clone)]
pub(crate) struct NewVolume<'a> {
    pub(crate) name: &'a str,
    /// What a guest sees; `None` takes the backing file's.
    pub(crate) capacity: Option<u64>,
    pub(crate) format: &'a str,
    /// The file it is a layer over, and that one's format.
    pub(crate) backing: Option<(&'a str, &'a str)>,
}

impl Host {
    /// The pool of a name, started.
    pub(crate) fn pool(&self, name: &str) -> Result<Pool> {
        match self.find_pool(name)? {
            Some(pool) => Ok(pool),
            None => {
                let message = format!("the host {} has no storage pool `{name}`", self.name());
                Err(fail(ErrorKind::Invalid, message))
            }
        }
    }

    /// The pool of a name, started; a folder at `path` is made one if there is none.
    pub(crate) fn pool_at(&self, name: &str, path: &str) -> Result<Pool> {
        // Several lists ask for it at once: one of them makes it, and the others find it whole.
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        match self.find_pool(name) {
            Ok(Some(pool)) => return Ok(pool),
            Ok(None) => self.define_folder(name, path)?,
            // Another program may have defined it a moment ago, and not made its folder yet.
            Err(error) if !self.is_folder(name)? => return Err(error),
            Err(_) => {}
        }
        // It may be making it now, and has each step refused that it is in the middle of.
        let mut outcome = self.start_folder(name);
        for _ in 0..TRIES {
            if outcome.is_ok() {
                break;
            }
            std::thread::sleep(PAUSE);
            outcome = self.start_folder(name);
        }
        outcome
    }

    /// Defines the pool of a folder, unless somebody did.
    fn define_folder(&self, name: &str, path: &str) -> Result<()> {
        let target = Element::new("target").holding(Element::leaf("path", path));
        let xml = Element::new("pool")
            .with("type", "dir")
            .holding(Element::leaf("name", name))
            .holding(target);
        let connection = self.connect()?;
        match connection.define_storage_pool_xml(&xml.to_string()) {
            Err(error) if connection.lookup_storage_pool_by_name(name).is_err() => {
                let doing = format!("making the storage pool {name}");
                Err(crate::error::explain(self, &doing, &error))
            }
            _ => Ok(()),
        }
    }

    /// Whether a pool is one that we may make: a folder.
    fn is_folder(&self, name: &str) -> Result<bool> {
        let doing = || format!("reading the storage pool {name}");
        let pool = self.connect()?.lookup_storage_pool_by_name(name);
        let xml = pool.and_then(|pool| pool.xml_desc(0)).on(self, doing)?;
        Ok(Element::parse(&xml)?.get("type") == Some("dir"))
    }

    /// Makes the folder of a pool, and starts it, now and whenever the host starts.
    fn start_folder(&self, name: &str) -> Result<Pool> {
        let doing = || format!("making the storage pool {name}");
        let pool = self.connect()?.lookup_storage_pool_by_name(name);
        let handle = pool.on(self, doing)?;
        if !handle.is_active().on(self, doing)? {
            handle.build(0).on(self, doing)?;
        }
        if !handle.autostart().on(self, doing)? {
            handle.set_autostart(true).on(self, doing)?;
        }
        self.find_pool(name)?
            .ok_or_else(|| crate::error::missing(format!("storage pool {name}")))
    }

    fn find_pool(&self, name: &str) -> Result<Option<Pool>> {
        let doing = || format!("opening the storage pool {name}");
        let connection = self.connect()?;
        let Some(handle) = connection
            .lookup_storage_pool_by_name(name)
            .found(self, doing)?
        else {
            return Ok(None);
        };
        if !handle.is_active().on(self, doing)? {
            // Two threads may start it at once; one of them is told that it runs.
            if let Err(error) = handle.create(0)
                && !handle.is_active().unwrap_or(false)
            {
                return Err(crate::error::explain(self, &doing(), &error));
            }
        }
        let xml = Element::parse(&handle.xml_desc(0).on(self, doing)?)?;
        let kind = xml.get("type").unwrap_or_default();
        let has_files = matches!(kind, "dir" | "fs" | "netfs");
        let target = xml
            .text_at(&["target", "path"])
            .unwrap_or_default()
            .to_owned();
        Ok(Some(Pool {
            handle,
            name: name.to_owned(),
            has_files,
            target,
        }))
    }
}

impl Pool {
    /// The names of all volumes.
    pub(crate) fn names(&self, host: &Host) -> Result<Vec<String>> {
        let doing = || format!("listing the storage pool {}", self.name);
        let volumes = self.handle.list_all_volumes().on(host, doing)?;
        Ok(volumes
            .iter()
            .map(|volume| volume.name().to_owned())
            .collect())
    }

    /// All volumes but what Stratiform notes in small ones, and how large they are.
    pub(crate) fn volumes(&self, host: &Host) -> Result<Vec<VolumeInfo>> {
        let doing = || format!("listing the storage pool {}", self.name);
        let mut volumes = Vec::new();
        for volume in self.handle.list_all_volumes().on(host, doing)? {
            let name = volume.name().to_owned();
            if is_notes(&name) {
                continue;
            }
            // One that vanished since it was listed is not there.
            if let Some(info) = volume.info().found(host, doing)? {
                volumes.push(VolumeInfo {
                    name,
                    capacity: Bytes(info.capacity),
                });
            }
        }
        volumes.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(volumes)
    }

    /// How large the pool is.
    pub(crate) fn capacity(&self, host: &Host) -> Result<Bytes> {
        let info = self
            .handle
            .info()
            .on(host, || format!("measuring the storage pool {}", self.name))?;
        Ok(Bytes(info.capacity))
    }

    /// Has libvirt look at what is there: files may have come by another way.
    pub(crate) fn refresh(&self, host: &Host) -> Result<()> {
        self.handle.refresh(0).on(host, || {
            format!("refreshing the storage pool {}", self.name)
        })
    }

    /// A volume, if it is there.
    pub(crate) fn volume(&self, host: &Host, name: &str) -> Result<Option<StorageVol>> {
        self.handle
            .lookup_storage_vol_by_name(name)
            .found(host, || format!("looking for the volume {name}"))
    }

    /// The path on the host that a volume has, or would have.
    pub(crate) fn path_of(&self, name: &str) -> String {
        format!("{}/{name}", self.target.trim_end_matches('/'))
    }

    /// How large a volume is to a guest.
    pub(crate) fn size_of(&self, host: &Host, volume: &StorageVol) -> Result<Bytes> {
        let info = volume.info().on(host, || {
            format!("measuring a volume of the pool {}", self.name)
        })?;
        Ok(Bytes(info.capacity))
    }

    /// How large a volume is to a guest, if it is there: it may be deleted while it is looked at.
    pub(crate) fn size_if_there(&self, host: &Host, name: &str) -> Result<Option<Bytes>> {
        let Some(volume) = self.volume(host, name)? else {
            return Ok(None);
        };
        let info = volume
            .info()
            .found(host, || format!("measuring the volume {name}"))?;
        Ok(info.map(|info| Bytes(info.capacity)))
    }

    /// The format of a volume.
    pub(crate) fn format_of(&self, host: &Host, name: &str) -> Result<String> {
        let doing = || format!("reading the volume {name}");
        let Some(volume) = self.volume(host, name)? else {
            return Err(crate::error::missing(format!(
                "volume {name} on {}",
                host.name()
            )));
        };
        let xml = Element::parse(&volume.xml_desc(0).on(host, doing)?)?;
        let format = xml
            .at(&["target", "format"])
            .and_then(|format| format.get("type"));
        Ok(format
            .filter(|_| self.has_files)
            .unwrap_or("raw")
            .to_owned())
    }

    /// Makes a volume; one of that name that is there already is taken as it is.
    pub(crate) fn make(&self, host: &Host, new: &NewVolume<'_>) -> Result<StorageVol> {
        match self.volume(host, new.name)? {
            Some(volume) => Ok(volume),
            None => self.make_new(host, new),
        }
    }

    /// Makes a volume; one of that name that is there already is `AlreadyExists`.
    pub(crate) fn make_new(&self, host: &Host, new: &NewVolume<'_>) -> Result<StorageVol> {
        let format = if self.has_files { new.format } else { "raw" };
        let target = Element::new("target").holding(Element::new("format").with("type", format));
        let mut xml = Element::new("volume").holding(Element::leaf("name", new.name));
        if let Some(capacity) = new.capacity {
            xml = xml.holding(Element::leaf("capacity", capacity).with("unit", "bytes"));
        }
        if self.has_files {
            xml = xml.holding(Element::leaf("allocation", 0));
        }
        xml = xml.holding(target);
        if let Some((path, format)) = new.backing {
            let backing = Element::new("backingStore")
                .holding(Element::leaf("path", path))
                .holding(Element::new("format").with("type", format));
            xml = xml.holding(backing);
        }
        self.handle
            .create_volume(&xml.to_string())
            .on(host, || format!("making the volume {}", new.name))
    }

    /// Makes a volume with the content of another one.
    pub(crate) fn clone_of(
        &self,
        host: &Host,
        name: &str,
        from: &StorageVol,
        capacity: u64,
    ) -> Result<StorageVol> {
        if let Some(volume) = self.volume(host, name)? {
            return Ok(volume);
        }
        let xml = Element::new("volume")
            .holding(Element::leaf("name", name))
            .holding(Element::leaf("capacity", capacity).with("unit", "bytes"))
            .holding(Element::new("target").holding(Element::new("format").with("type", "raw")));
        self.handle
            .create_volume_from(&xml.to_string(), from)
            .on(host, || format!("cloning the volume {name}"))
    }

    /// Makes a volume that holds these bytes; one of that name is overwritten.
    pub(crate) fn put_bytes(&self, host: &Host, name: &str, bytes: &[u8]) -> Result<()> {
        self.remove(host, name)?;
        let length = bytes.len() as u64;
        let new = NewVolume {
            name,
            capacity: Some(length),
            format: "raw",
            backing: None,
        };
        let volume = self.make(host, &new)?;
        host.upload(&volume, length, &mut Cursor::new(bytes))
    }

    /// Deletes a volume. One that is not there is deleted already.
    pub(crate) fn remove(&self, host: &Host, name: &str) -> Result<()> {
        if let Some(volume) = self.volume(host, name)? {
            volume
                .delete(0)
                .found(host, || format!("deleting the volume {name}"))?;
        }
        Ok(())
    }

    /// Makes a volume larger.
    pub(crate) fn resize(&self, host: &Host, name: &str, to: Bytes) -> Result<()> {
        match self.volume(host, name)? {
            Some(volume) => volume
                .resize(to.0, 0)
                .on(host, || format!("growing the volume {name}")),
            None => Err(crate::error::missing(format!(
                "volume {name} on {}",
                host.name()
            ))),
        }
    }
}

/// Whether a volume is one of the small ones in which Stratiform notes something.
fn is_notes(name: &str) -> bool {
    super::sidecar::is_document(name)
        || crate::leases::is_lease(name)
        || crate::site::is_roster(name)
        || crate::site::is_of_pools(name)
}
