//! Messages over a pair of streams, each in a thread of its own.

use std::io::{BufRead, ErrorKind, Write};
use std::thread::JoinHandle;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use lsp_server::Message;

use crate::ServeError;

/// The most messages that wait to be handled; then the client waits.
const WAITING_MAX: usize = 1024;

/// What came from the client.
pub(crate) enum Incoming {
    Message(Message),
    /// What is no message: why.
    Malformed(String),
    /// The stream failed.
    Failed(std::io::Error),
}

/// Both streams.
pub(crate) struct Transport {
    pub(crate) incoming: Receiver<Incoming>,
    pub(crate) outgoing: Sender<Message>,
    writer: JoinHandle<std::io::Result<()>>,
}

impl Transport {
    pub(crate) fn start(
        mut input: impl BufRead + Send + 'static,
        mut output: impl Write + Send + 'static,
    ) -> Self {
        let (to_server, incoming) = bounded(WAITING_MAX);
        let (outgoing, to_client) = unbounded::<Message>();
        // It ends with the stream, or at the first message that nobody takes any more.
        std::thread::spawn(move || {
            loop {
                let message = match Message::read(&mut input) {
                    Ok(Some(message)) => Incoming::Message(message),
                    Ok(None) => return,
                    // The frame was read, or a line of its head: the next one may be whole.
                    Err(error) if error.kind() == ErrorKind::InvalidData => {
                        Incoming::Malformed(error.to_string())
                    }
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => return,
                    Err(error) => Incoming::Failed(error),
                };
                let is_last = matches!(message, Incoming::Failed(_));
                if to_server.send(message).is_err() || is_last {
                    return;
                }
            }
        });
        let writer = std::thread::spawn(move || {
            for message in to_client {
                message.write(&mut output)?;
            }
            Ok(())
        });
        Self {
            incoming,
            outgoing,
            writer,
        }
    }

    /// Writes what is still to be written. The reader is left to end by itself: it may wait for input.
    pub(crate) fn finish(self) -> Result<(), ServeError> {
        let Self {
            outgoing, writer, ..
        } = self;
        drop(outgoing);
        let written = writer.join().unwrap_or(Ok(()));
        written.map_err(ServeError::Write)
    }
}
