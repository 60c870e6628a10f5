//! One connection: calls go out, and one thread reads what comes back.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{self, Read as _, Write as _};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::error::Error;
use super::transport::{Process, Transport};
use super::wire::{Decode, Encode};

/// `REMOTE_PROGRAM` and its version.
const REMOTE: (u32, u32) = (0x2000_8086, 1);
/// `KEEPALIVE_PROGRAM` and its version; its messages are a ping and its answer.
const KEEPALIVE: (u32, u32) = (0x6b65_6570, 1);
const PING: u32 = 1;
const PONG: u32 = 2;

/// `virNetMessageType`.
const CALL: u32 = 0;
const REPLY: u32 = 1;
const MESSAGE: u32 = 2;
const STREAM: u32 = 3;

/// `virNetMessageStatus`.
pub(super) const OK: u32 = 0;
const ERROR: u32 = 1;
pub(super) const CONTINUE: u32 = 2;

/// The bytes before a payload: its length, and six words.
const HEADER: usize = 28;
/// The longest message, `VIR_NET_MESSAGE_MAX` and its length.
const MESSAGE_MAX: usize = (32 << 20) + 4;
/// How long nothing may come before a sign of life is asked for, and how often that may be in vain.
const QUIET: Duration = Duration::from_secs(5);
const MISSED_MAX: u32 = 4;
/// How many calls are on their way at once. A daemon takes five of one client (`max_client_requests`);
/// with more it does not read on, nor answer when it is asked for a sign of life.
const CALLS_MAX: u32 = 4;
/// How many messages of one call are kept that nobody took yet; the thread that reads waits then.
const KEPT: usize = 16;

/// What is done with what a daemon tells unasked: the procedure and its payload; `None` at the end of
/// the connection.
pub(super) type Sink = Box<dyn Fn(Option<(u32, &[u8])>) + Send>;

/// A connection. It ends with this.
pub(super) struct Link {
    shared: Arc<Shared>,
}

struct Shared {
    way: UnixStream,
    /// Held while a message is written.
    writing: Mutex<()>,
    state: Mutex<State>,
    /// How many calls are on their way.
    calls: Mutex<u32>,
    answered: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of the newest call.
    serial: u32,
    /// Who waits for the answers to which call.
    waiting: BTreeMap<u32, SyncSender<Answer>>,
    /// Why the connection is over.
    broken: Option<Error>,
}

/// A message that answers a call.
#[derive(Debug)]
struct Answer {
    kind: u32,
    status: u32,
    payload: Vec<u8>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").finish_non_exhaustive()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        let _ = self.shared.way.shutdown(Shutdown::Both);
    }
}

impl Link {
    /// A connection over a way that is open.
    pub(super) fn over(transport: Transport, sink: Sink) -> Result<Self, Error> {
        let Transport { stream, process } = transport;
        stream.set_read_timeout(Some(QUIET))?;
        let shared = Arc::new(Shared {
            way: stream,
            writing: Mutex::default(),
            state: Mutex::default(),
            calls: Mutex::default(),
            answered: Condvar::new(),
        });
        let reader = Arc::clone(&shared);
        let builder = std::thread::Builder::new().name("libvirt-link".to_owned());
        builder.spawn(move || reader.read(process, &sink))?;
        Ok(Self { shared })
    }

    pub(super) fn is_alive(&self) -> bool {
        self.shared.state().broken.is_none()
    }

    /// Calls a procedure, and waits for its answer.
    pub(super) fn call<R: Decode>(&self, procedure: u32, args: &impl Encode) -> Result<R, Error> {
        let pending = self.start(procedure, args)?;
        let reply = pending.reply()?;
        R::decode(&mut reply.as_slice())
    }

    /// Calls a procedure that opens a stream besides its answer.
    pub(super) fn start(&self, procedure: u32, args: &impl Encode) -> Result<Pending, Error> {
        let turn = Turn::take(&self.shared);
        let (sender, inbox) = sync_channel(KEPT);
        let mut state = self.shared.state();
        if let Some(error) = &state.broken {
            return Err(error.clone());
        }
        state.serial += 1;
        let serial = state.serial;
        state.waiting.insert(serial, sender);
        drop(state);
        let pending = Pending {
            shared: Arc::clone(&self.shared),
            procedure,
            serial,
            inbox,
            early: Mutex::default(),
            turn: Mutex::new(Some(turn)),
        };
        let mut payload = Vec::new();
        args.encode(&mut payload);
        pending.write(CALL, OK, &payload)?;
        Ok(pending)
    }
}

/// The right to have a call on its way.
struct Turn(Arc<Shared>);

impl Turn {
    /// Waits for it.
    fn take(shared: &Arc<Shared>) -> Self {
        let calls = shared.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let too_many = |calls: &mut u32| *calls >= CALLS_MAX;
        let calls = shared.answered.wait_while(calls, too_many);
        *calls.unwrap_or_else(PoisonError::into_inner) += 1;
        Self(Arc::clone(shared))
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *self.0.calls.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
        self.0.answered.notify_one();
    }
}

/// A call that was made.
pub(super) struct Pending {
    shared: Arc<Shared>,
    procedure: u32,
    serial: u32,
    inbox: Receiver<Answer>,
    /// What came of the stream before the call's own answer, which another thread of the daemon sends.
    early: Mutex<VecDeque<Answer>>,
    /// Until that answer.
    turn: Mutex<Option<Turn>>,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("procedure", &self.procedure)
            .finish_non_exhaustive()
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.shared.state().waiting.remove(&self.serial);
    }
}

impl Pending {
    fn early(&self) -> MutexGuard<'_, VecDeque<Answer>> {
        self.early.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Result<Answer, Error> {
        self.inbox.recv().map_err(|_| self.shared.broken())
    }

    /// Waits for the call's own answer.
    pub(super) fn reply(&self) -> Result<Vec<u8>, Error> {
        let answer = loop {
            match self.next() {
                Ok(part) if part.kind == STREAM => self.early().push_back(part),
                answer => break answer,
            }
        };
        drop(
            self.turn
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        answer?.read()
    }

    /// Waits for the next part of the stream.
    pub(super) fn part(&self) -> Result<Vec<u8>, Error> {
        let early = self.early().pop_front();
        early.map_or_else(|| self.next(), Ok)?.read()
    }

    /// A part of the stream that is there already, if one is.
    pub(super) fn early_part(&self) -> Option<Result<Vec<u8>, Error>> {
        let early = self.early().pop_front();
        let part = early.or_else(|| self.inbox.try_recv().ok());
        part.map(Answer::read)
    }

    /// Sends a part of a stream, or with another status its end.
    pub(super) fn send(&self, status: u32, part: &[u8]) -> Result<(), Error> {
        self.write(STREAM, status, part)
    }

    /// Breaks a stream off.
    pub(super) fn abort(&self) -> Result<(), Error> {
        self.write(STREAM, ERROR, &[])
    }

    fn write(&self, kind: u32, status: u32, payload: &[u8]) -> Result<(), Error> {
        let head = [self.procedure, kind, self.serial, status];
        let writing = self.shared.writing();
        let written = self.shared.write(&writing, REMOTE, head, payload);
        written.map_err(|_| self.shared.broken())
    }
}

impl Answer {
    fn read(self) -> Result<Vec<u8>, Error> {
        if self.status != ERROR {
            return Ok(self.payload);
        }
        // The rest of `remote_error` is of no use.
        type Head = (i32, i32, Option<String>);
        let (code, domain, message) = Head::decode(&mut self.payload.as_slice())?;
        let message = message.unwrap_or_else(|| "libvirt does not say why".to_owned());
        let code = u32::try_from(code).unwrap_or_default();
        Err(Error::told(code, domain, message))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn broken(&self) -> Error {
        let broken = self.state().broken.clone();
        broken.unwrap_or_else(|| Error::broken("the connection to libvirt broke off"))
    }

    /// Writes a message. `head` is the procedure, the type, the serial and the status.
    fn write(
        &self,
        _writing: &MutexGuard<'_, ()>,
        (program, version): (u32, u32),
        [procedure, kind, serial, status]: [u32; 4],
        payload: &[u8],
    ) -> io::Result<()> {
        let length = u32::try_from(HEADER + payload.len()).map_err(io::Error::other)?;
        let mut bytes = Vec::with_capacity(HEADER + payload.len());
        (length, program, version, procedure).encode(&mut bytes);
        (kind, serial, status).encode(&mut bytes);
        bytes.extend(payload);
        (&self.way).write_all(&bytes)
    }

    /// Reads until the connection ends, and tells everybody.
    fn read(&self, process: Option<Process>, sink: &Sink) {
        let mut why = self.read_messages(sink);
        let _ = self.way.shutdown(Shutdown::Both);
        if let Some(said) = process.map(Process::end).filter(|said| !said.is_empty()) {
            why = Error::of_way(said);
        }
        let mut state = self.state();
        state.broken = Some(why);
        state.waiting.clear();
        drop(state);
        sink(None);
    }

    fn read_messages(&self, sink: &Sink) -> Error {
        let (mut came, mut missed) = (Vec::new(), 0);
        let mut buffer = vec![0; 64 << 10];
        loop {
            match (&self.way).read(&mut buffer) {
                Ok(0) => return Error::broken("libvirt's daemon closed the connection"),
                Ok(count) => {
                    came.extend(&buffer[..count]);
                    missed = 0;
                }
                Err(error) if is_timeout(&error) && missed < MISSED_MAX => {
                    missed += 1;
                    self.ping();
                }
                Err(error) if is_timeout(&error) => {
                    return Error::broken("the host gives no sign of life");
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.into(),
            }
            loop {
                match split(&mut came) {
                    Ok(Some(message)) => self.take(&message, sink),
                    Ok(None) => break,
                    Err(error) => return error,
                }
            }
        }
    }

    /// Asks for a sign of life; who writes at the moment is asking for one too.
    fn ping(&self) {
        if let Ok(writing) = self.writing.try_lock() {
            let _ = self.write(&writing, KEEPALIVE, [PING, MESSAGE, 0, OK], &[]);
        }
    }

    /// Gives a message to whom it is for.
    fn take(&self, message: &Message, sink: &Sink) {
        let payload = message.payload();
        match (message.program, message.kind) {
            (program, MESSAGE) if program == KEEPALIVE.0 && message.procedure == PING => {
                let writing = self.writing();
                let _ = self.write(&writing, KEEPALIVE, [PONG, MESSAGE, 0, OK], &[]);
            }
            (_, REPLY | STREAM) => {
                let waiting = self.state().waiting.get(&message.serial).cloned();
                if let Some(waiting) = waiting {
                    let status = message.status;
                    let payload = payload.to_vec();
                    // Nobody waits any more: it is dropped.
                    let kind = message.kind;
                    let _ = waiting.send(Answer {
                        kind,
                        status,
                        payload,
                    });
                }
            }
            (program, MESSAGE) if program == REMOTE.0 => sink(Some((message.procedure, payload))),
            _ => {}
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    )
}

/// A message as it came.
struct Message {
    program: u32,
    procedure: u32,
    kind: u32,
    serial: u32,
    status: u32,
    bytes: Vec<u8>,
}

impl Message {
    fn payload(&self) -> &[u8] {
        &self.bytes[HEADER..]
    }
}

/// The first message of what came, if it is whole.
fn split(came: &mut Vec<u8>) -> Result<Option<Message>, Error> {
    if came.len() < HEADER {
        return Ok(None);
    }
    type Header = ((u32, u32, u32, u32), (u32, u32, u32));
    let header = Header::decode(&mut came.as_slice())?;
    let ((length, program, _, procedure), (kind, serial, status)) = header;
    let length = length as usize;
    if !(HEADER..=MESSAGE_MAX).contains(&length) {
        return Err(Error::broken("what answers is not libvirt"));
    }
    if came.len() < length {
        return Ok(None);
    }
    let rest = came.split_off(length);
    Ok(Some(Message {
        program,
        procedure,
        kind,
        serial,
        status,
        bytes: std::mem::replace(came, rest),
    }))
}

#[cfg(test)]
mod tests;
