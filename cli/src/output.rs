//! The one place that writes to stdout and stderr.

use std::cell::{Cell, RefCell};
use std::io::{self, BufWriter, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};
use serde::Serialize;
use stratiform::Event;
use stratiform::answer::{Line, Told, Versioned};
use stratiform::provider::{Clock as _, TokioClock};

use crate::args::When;
use crate::failure::Failure;
use crate::render::visible::visible;

/// The width of what is no terminal: enough that nothing is broken for a pager or a log.
const WIDTH_WITHOUT_TERMINAL: usize = 120;

/// How many bytes of a document are gathered before they are written.
const WRITTEN_AT_ONCE: usize = 64 << 10;

/// Where text goes. Text is made with colours; they are taken out here where they do not belong.
///
/// A reader that has gone (`strat plan | head`) is no error: the rest is dropped.
#[derive(Debug)]
pub(crate) struct Output {
    stdout: RefCell<AutoStream<io::Stdout>>,
    stderr: RefCell<AutoStream<io::Stderr>>,
    stderr_color: bool,
    /// Whether something was written to stdout.
    has_data: Cell<bool>,
    /// Whether stdout has a line for each thing that happens, and the answer is the last one.
    streams: Cell<bool>,
    /// Whether what is no data is not told.
    quiet: Cell<bool>,
}

impl Output {
    /// Output with colours as asked for.
    pub(crate) fn new(color: When) -> Self {
        let choice = match color {
            When::Auto => ColorChoice::Auto,
            When::Always => ColorChoice::Always,
            When::Never => ColorChoice::Never,
        };
        let resolve = |auto| match choice {
            ColorChoice::Auto => auto,
            other => other,
        };
        let stdout = resolve(AutoStream::choice(&io::stdout()));
        let stderr = resolve(AutoStream::choice(&io::stderr()));
        Self {
            stdout: RefCell::new(AutoStream::new(io::stdout(), stdout)),
            stderr: RefCell::new(AutoStream::new(io::stderr(), stderr)),
            stderr_color: stderr != ColorChoice::Never,
            has_data: Cell::new(false),
            streams: Cell::new(false),
            quiet: Cell::new(false),
        }
    }

    /// Writes data to stdout: as it is, but on a terminal, where what hides is shown.
    ///
    /// # Errors
    /// If stdout cannot be written, for any other reason than that nobody reads it.
    pub(crate) fn data(&self, text: &str) -> Result<(), Failure> {
        self.has_data.set(true);
        let text = match self.stdout_is_terminal() {
            true => visible(text),
            false => text.into(),
        };
        let mut stdout = self.stdout.borrow_mut();
        let written = stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush());
        unless_gone(written)
    }

    /// Writes an answer to stdout as JSON, with the version of its form.
    ///
    /// # Errors
    /// As [`Output::data`].
    pub(crate) fn json(&self, answer: &impl Serialize) -> Result<(), Failure> {
        self.document(&Versioned::of(answer))
    }

    /// Writes one JSON document to stdout as it is made, with a newline at its end: one that says the
    /// version of its form by itself, or has none because all of its fields are the topology's own.
    ///
    /// # Errors
    /// As [`Output::data`].
    pub(crate) fn document(&self, value: &impl Serialize) -> Result<(), Failure> {
        self.has_data.set(true);
        let mut stdout = self.stdout.borrow_mut();
        let mut buffer = BufWriter::with_capacity(WRITTEN_AT_ONCE, &mut *stdout);
        let written = match serde_json::to_writer_pretty(&mut buffer, value) {
            Err(error) if !error.is_io() => {
                return Err(Failure::new("the answer has no JSON form").caused_by(&error));
            }
            Err(error) => Err(error.into()),
            Ok(()) => buffer.write_all(b"\n").and_then(|()| buffer.flush()),
        };
        unless_gone(written)
    }

    /// From now on, stdout has a line of JSON for each thing that happens.
    pub(crate) fn stream(&self) {
        self.streams.set(true);
    }

    /// Whether stdout has a line of JSON for each thing that happens.
    pub(crate) const fn streams(&self) -> bool {
        self.streams.get()
    }

    /// Writes a line of JSON, of this moment.
    ///
    /// # Errors
    /// As [`Output::data`].
    pub(crate) fn line(&self, told: Told<'_>) -> Result<(), Failure> {
        let line = Line::at(TokioClock::system().now(), told);
        let mut text = match serde_json::to_vec(&line) {
            Ok(text) => text,
            Err(error) => {
                return Err(Failure::new("the answer has no JSON form").caused_by(&error));
            }
        };
        text.push(b'\n');
        self.has_data.set(true);
        let mut stdout = self.stdout.borrow_mut();
        unless_gone(stdout.write_all(&text).and_then(|()| stdout.flush()))
    }

    /// Writes the line of what happens in a run, where lines are asked for.
    pub(crate) fn event(&self, event: &Event) {
        if self.streams() {
            // A line that cannot be written is told of with the last one, which cannot be either.
            let _ = self.line(Told::Event(event));
        }
    }

    /// Whether something was written to stdout.
    pub(crate) const fn has_data(&self) -> bool {
        self.has_data.get()
    }

    /// Writes to stderr what is no data; what hides in it is shown. If that fails there is nobody left
    /// to tell.
    pub(crate) fn note(&self, text: &str) {
        if self.quiet.get() {
            return;
        }
        let mut stderr = self.stderr.borrow_mut();
        let _ = stderr
            .write_all(visible(text).as_bytes())
            .and_then(|()| stderr.flush());
    }

    /// Does something that notes nothing.
    pub(crate) fn quietly<T>(&self, work: impl FnOnce() -> T) -> T {
        let before = self.quiet.replace(true);
        let done = work();
        self.quiet.set(before);
        done
    }

    /// Whether stdout is a terminal.
    #[expect(
        clippy::unused_self,
        reason = "all that is known of the streams is asked here"
    )]
    pub(crate) fn stdout_is_terminal(&self) -> bool {
        io::stdout().is_terminal()
    }

    /// Whether a person sits at stderr: progress bars and questions make sense.
    #[expect(
        clippy::unused_self,
        reason = "all that is known of the streams is asked here"
    )]
    pub(crate) fn stderr_is_terminal(&self) -> bool {
        io::stderr().is_terminal()
    }

    /// Whether stderr shows colours.
    pub(crate) const fn stderr_has_color(&self) -> bool {
        self.stderr_color
    }

    /// How many columns stdout has.
    pub(crate) fn width(&self) -> usize {
        if self.stdout_is_terminal() {
            columns()
        } else {
            WIDTH_WITHOUT_TERMINAL
        }
    }

    /// How many columns stderr has.
    pub(crate) fn stderr_width(&self) -> usize {
        if self.stderr_is_terminal() {
            columns()
        } else {
            WIDTH_WITHOUT_TERMINAL
        }
    }
}

/// How writing ended; that nobody reads is no error.
fn unless_gone(written: io::Result<()>) -> Result<(), Failure> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new("the output cannot be written").caused_by(&error))
        }
        _ => Ok(()),
    }
}

fn columns() -> usize {
    terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0).max(40))
}
