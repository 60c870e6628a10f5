//! The bytes of a volume, on their way in or out: parts of one call's stream.

use std::sync::Mutex;

use super::error::Error;
use super::link::{CONTINUE, OK, Pending};

/// An open stream. One that is dropped before it is finished is broken off.
#[derive(Debug)]
pub(crate) struct Stream {
    /// `None` once it is over.
    call: Mutex<Option<Pending>>,
}

impl Stream {
    /// The stream of a call that was answered.
    pub(super) fn of(call: Pending) -> Result<Self, Error> {
        call.reply()?;
        Ok(Self {
            call: Mutex::new(Some(call)),
        })
    }

    fn with<T>(&self, work: impl FnOnce(&Pending) -> Result<T, Error>) -> Result<T, Error> {
        let mut call = self
            .call
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let pending = call.as_ref();
        let pending = pending.ok_or_else(|| Error::broken("the stream is over"))?;
        let done = work(pending);
        if done.is_err() {
            *call = None;
        }
        done
    }

    /// Sends bytes, all of them; at most 256 KiB, which every libvirt takes.
    pub(crate) fn send(&self, part: &[u8]) -> Result<(), Error> {
        self.with(|call| {
            // The daemon may have given up already.
            if let Some(Err(error)) = call.early_part() {
                return Err(error);
            }
            call.send(CONTINUE, part)
        })
    }

    /// Waits for bytes; none at the end.
    pub(crate) fn receive(&self) -> Result<Vec<u8>, Error> {
        self.with(Pending::part)
    }

    /// Ends the stream, and waits until the daemon has everything.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        self.with(|call| {
            call.send(OK, &[])?;
            call.part()
        })?;
        self.close();
        Ok(())
    }

    /// Breaks it off.
    pub(crate) fn abort(&self) {
        let _ = self.with(|call| {
            call.abort()?;
            call.part()
        });
        self.close();
    }

    fn close(&self) {
        let mut call = self
            .call
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        *call = None;
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let _ = self.with(Pending::abort);
    }
}
