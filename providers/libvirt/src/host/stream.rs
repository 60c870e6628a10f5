//! Bytes into and out of volumes.

use std::io::Read;

use strat_model::{ErrorKind, Result};

use super::Host;
use crate::error::{Explain as _, fail};
use crate::rpc::StorageVol;

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
        let stream = volume.upload(length).on(self, doing)?;
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
                    stream.abort();
                    return Err(error);
                }
            };
            stream.send(&buffer[..read]).on(self, doing)?;
            left -= read as u64;
        }
        stream.finish().on(self, doing)
    }

    /// Reads a volume into `to`, bit by bit; `to` must not ask the same host for anything.
    pub(crate) fn download(
        &self,
        volume: &StorageVol,
        to: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<()> {
        let doing = || "reading a volume".to_owned();
        let stream = volume.download(0).on(self, doing)?;
        loop {
            let part = stream.receive().on(self, doing)?;
            if part.is_empty() {
                return stream.finish().on(self, doing);
            }
            if let Err(error) = to(&part) {
                stream.abort();
                return Err(error);
            }
        }
    }
}
