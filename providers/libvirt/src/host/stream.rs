//! Bytes into and out of volumes.

use std::io::Read;

use strat_model::{ErrorKind, Result};
use virt::storage_vol::StorageVol;
use virt::stream::Stream;

use super::Host;
use crate::error::{Explain as _, fail};

/// How much goes into one message; libvirt's own limit for stream data is 256 KiB.
const CHUNK: usize = 256 << 10;

impl Host {
    /// Fills a volume from a reader; `length` bytes, no more and no less.
    pub(crate) fn upload(
        &self,
        volume: &StorageVol,
        length: u64,
        from: &mut dyn Read,
    ) -> Result<()> {
        let doing = || "filling a volume".to_owned();
        let connection = self.connect()?;
        let stream = Stream::new(&connection, 0).on(self, doing)?;
        volume.upload(&stream, 0, length, 0).on(self, doing)?;
        let mut buffer = vec![0; CHUNK];
        let mut left = length;
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
            let read = from.read(&mut buffer[..want]);
            let read = match read {
                Ok(0) => Err(fail(
                    ErrorKind::Precondition,
                    "a file became shorter while it was read",
                )),
                Ok(n) => Ok(n),
                Err(error) => {
                    Err(fail(ErrorKind::Internal, "a file cannot be read").with_source(error))
                }
            };
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    let _ = stream.abort();
                    return Err(error);
                }
            };
            let mut sent = 0;
            while sent < read {
                let n = stream.send(&buffer[sent..read]).on(self, doing)?;
                sent += usize::try_from(n).unwrap_or(0);
            }
            left -= read as u64;
        }
        stream.finish().on(self, doing)
    }

    /// Reads a volume from its beginning, at most `length` bytes, into `to` bit by bit.
    pub(crate) fn download(
        &self,
        volume: &StorageVol,
        length: u64,
        to: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let doing = || "reading a volume".to_owned();
        let connection = self.connect()?;
        let stream = Stream::new(&connection, 0).on(self, doing)?;
        volume.download(&stream, 0, length, 0).on(self, doing)?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let n = stream.recv(&mut buffer).on(self, doing)?;
            match usize::try_from(n) {
                Ok(0) => break,
                Ok(n) => {
                    if let Err(error) = to(&buffer[..n]) {
                        let _ = stream.abort();
                        return Err(error);
                    }
                }
                Err(_) => return Err(fail(ErrorKind::Transient, "a stream broke off")),
            }
        }
        stream.finish().on(self, doing)
    }
}
