//! Storage pools and their volumes.

use std::sync::Arc;

use super::error::Error;
use super::link::Link;
use super::network::NamedId;
use super::procedure as p;
use super::stream::Stream;
use super::wire::{Decode, Encode, Uuid};

/// How a volume is named in calls: its pool, its name, its key.
pub(super) type VolumeId = (String, String, String);

/// A storage pool, running or not.
#[derive(Debug, Clone)]
pub(crate) struct StoragePool {
    link: Arc<Link>,
    id: NamedId,
}

/// How large a pool or a volume is, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct StorageInfo {
    pub(crate) capacity: u64,
}

impl StoragePool {
    pub(super) const fn new(link: Arc<Link>, id: NamedId) -> Self {
        Self { link, id }
    }

    fn name(&self) -> (&str, Uuid) {
        (&self.id.0, self.id.1)
    }

    fn call<R: Decode>(&self, procedure: u32, args: impl Encode) -> Result<R, Error> {
        self.link.call(procedure, &(self.name(), args))
    }

    fn volume(&self, id: VolumeId) -> StorageVol {
        let link = Arc::clone(&self.link);
        StorageVol { link, id }
    }

    pub(crate) fn is_active(&self) -> Result<bool, Error> {
        self.call(p::STORAGE_POOL_IS_ACTIVE, ())
    }

    pub(crate) fn build(&self, flags: u32) -> Result<(), Error> {
        self.call(p::STORAGE_POOL_BUILD, flags)
    }

    pub(crate) fn create(&self, flags: u32) -> Result<(), Error> {
        self.call(p::STORAGE_POOL_CREATE, flags)
    }

    pub(crate) fn autostart(&self) -> Result<bool, Error> {
        self.call(p::STORAGE_POOL_GET_AUTOSTART, ())
    }

    pub(crate) fn set_autostart(&self, autostart: bool) -> Result<(), Error> {
        self.call(p::STORAGE_POOL_SET_AUTOSTART, autostart)
    }

    pub(crate) fn xml_desc(&self, flags: u32) -> Result<String, Error> {
        self.call(p::STORAGE_POOL_GET_XML_DESC, flags)
    }

    pub(crate) fn refresh(&self, flags: u32) -> Result<(), Error> {
        self.call(p::STORAGE_POOL_REFRESH, flags)
    }

    pub(crate) fn info(&self) -> Result<StorageInfo, Error> {
        // State, capacity; what is allocated and what is free is not asked for.
        let (_, capacity) = self.call::<(u32, u64)>(p::STORAGE_POOL_GET_INFO, ())?;
        Ok(StorageInfo { capacity })
    }

    pub(crate) fn list_all_volumes(&self) -> Result<Vec<StorageVol>, Error> {
        let args = (1_u32, 0_u32);
        let all = self.call::<Vec<VolumeId>>(p::STORAGE_POOL_LIST_ALL_VOLUMES, args)?;
        Ok(all.into_iter().map(|id| self.volume(id)).collect())
    }

    pub(crate) fn lookup_storage_vol_by_name(&self, name: &str) -> Result<StorageVol, Error> {
        let id = self.call(p::STORAGE_VOL_LOOKUP_BY_NAME, name)?;
        Ok(self.volume(id))
    }

    pub(crate) fn create_volume(&self, xml: &str) -> Result<StorageVol, Error> {
        let id = self.call(p::STORAGE_VOL_CREATE_XML, (xml, 0_u32))?;
        Ok(self.volume(id))
    }

    /// A volume with the content of another one.
    pub(crate) fn create_volume_from(
        &self,
        xml: &str,
        from: &StorageVol,
    ) -> Result<StorageVol, Error> {
        let args = (xml, from.borrowed(), 0_u32);
        let id = self.call(p::STORAGE_VOL_CREATE_XML_FROM, args)?;
        Ok(self.volume(id))
    }
}

/// A volume of a pool.
#[derive(Debug, Clone)]
pub(crate) struct StorageVol {
    link: Arc<Link>,
    id: VolumeId,
}

impl StorageVol {
    fn borrowed(&self) -> (&str, &str, &str) {
        let (pool, name, key) = &self.id;
        (pool, name, key)
    }

    fn call<R: Decode>(&self, procedure: u32, args: impl Encode) -> Result<R, Error> {
        self.link.call(procedure, &(self.borrowed(), args))
    }

    pub(crate) fn name(&self) -> &str {
        &self.id.1
    }

    pub(crate) fn info(&self) -> Result<StorageInfo, Error> {
        let (_, capacity) = self.call::<(u32, u64)>(p::STORAGE_VOL_GET_INFO, ())?;
        Ok(StorageInfo { capacity })
    }

    pub(crate) fn xml_desc(&self, flags: u32) -> Result<String, Error> {
        self.call(p::STORAGE_VOL_GET_XML_DESC, flags)
    }

    pub(crate) fn delete(&self, flags: u32) -> Result<(), Error> {
        self.call(p::STORAGE_VOL_DELETE, flags)
    }

    pub(crate) fn resize(&self, capacity: u64, flags: u32) -> Result<(), Error> {
        self.call(p::STORAGE_VOL_RESIZE, (capacity, flags))
    }

    fn open(&self, procedure: u32, length: u64) -> Result<Stream, Error> {
        let args = (self.borrowed(), 0_u64, length, 0_u32);
        Stream::of(self.link.start(procedure, &args)?)
    }

    /// A stream into it, from its beginning, of so many bytes; 0 is all that comes.
    pub(crate) fn upload(&self, length: u64) -> Result<Stream, Error> {
        self.open(p::STORAGE_VOL_UPLOAD, length)
    }

    /// A stream of its bytes, from its beginning, of so many; 0 is all.
    pub(crate) fn download(&self, length: u64) -> Result<Stream, Error> {
        self.open(p::STORAGE_VOL_DOWNLOAD, length)
    }
}
