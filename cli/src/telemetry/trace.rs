//! A trace as trace viewers read it.
//!
//! The form is that of Chrome's "Trace Event Format": an array of events with times in
//! microseconds. Each site is a process of its own in the viewer, each operation a track in it;
//! calls that overlap are apart, because each has an id. The parts of the work are in a process of
//! their own.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Map, Value, json};
use stratiform::PHASE_TARGET;
use tokio::time::Instant;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// The number of the process that stands for the command itself.
const OWN: usize = 0;

/// A trace file that is being written. Clones write the same one.
#[derive(Debug, Clone)]
pub(super) struct TraceFile(Arc<Mutex<Writer>>);

#[derive(Debug)]
struct Writer {
    file: BufWriter<File>,
    start: Instant,
    /// The sites, in the order in which they were first called; their process is one more.
    sites: Vec<String>,
    /// The first error, told at the end.
    failed: Option<io::Error>,
}

/// A span on its way.
struct Open {
    began: Instant,
    fields: Fields,
}

/// What a span or event says.
#[derive(Debug, Default)]
struct Fields(Map<String, Value>);

impl TraceFile {
    /// Makes the file.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) fn create(path: &Path) -> io::Result<Self> {
        let mut file = BufWriter::new(File::create(path)?);
        file.write_all(b"[\n")?;
        Ok(Self(Arc::new(Mutex::new(Writer {
            file,
            start: Instant::now(),
            sites: Vec::new(),
            failed: None,
        }))))
    }

    /// Ends the file.
    ///
    /// # Errors
    /// If anything of it could not be written.
    pub(super) fn finish(&self) -> io::Result<()> {
        let mut writer = self.writer();
        let end = process_name(OWN, "strat");
        writeln!(writer.file, "{end}\n]")?;
        writer.file.flush()?;
        writer.failed.take().map_or(Ok(()), Err)
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Writer {
    fn event(&mut self, event: &Value) {
        if let Err(why) = writeln!(self.file, "{event},") {
            self.failed.get_or_insert(why);
        }
    }

    /// The process of a site.
    fn process(&mut self, site: Option<&Value>) -> usize {
        let Some(site) = site.and_then(Value::as_str) else {
            return OWN;
        };
        if let Some(at) = self.sites.iter().position(|known| known == site) {
            return at + 1;
        }
        self.sites.push(site.to_owned());
        let process = self.sites.len();
        self.event(&process_name(process, &format!("site {site}")));
        process
    }

    /// A time in the trace.
    fn micros(&self, at: Instant) -> u64 {
        u64::try_from(at.duration_since(self.start).as_micros()).unwrap_or(u64::MAX)
    }
}

fn process_name(process: usize, name: &str) -> Value {
    json!({ "ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": { "name": name } })
}

impl Fields {
    fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let text = format!("{value:?}");
        self.0.insert(field.name().to_owned(), text.into());
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TraceFile {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            let mut fields = Fields::default();
            attributes.record(&mut fields);
            let began = Instant::now();
            span.extensions_mut().insert(Open { began, fields });
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let Some(Open { began, fields }) = span.extensions_mut().remove() else {
            return;
        };
        let mut writer = self.writer();
        let (from, to) = (writer.micros(began), writer.micros(Instant::now()));
        let pid = writer.process(fields.get("site"));
        if pid == OWN {
            let target = span.metadata().target();
            let category = if target == PHASE_TARGET {
                "phase"
            } else {
                "strat"
            };
            writer.event(&json!({
                "ph": "X", "name": span.name(), "cat": category, "pid": pid, "tid": 0,
                "ts": from, "dur": to - from, "args": fields.0,
            }));
            return;
        }
        let name = fields.get("operation").and_then(Value::as_str);
        let name = name.unwrap_or(span.name()).to_owned();
        let id = format!("{:#x}", id.into_u64());
        let event = |phase: &str, at: u64, args: Map<String, Value>| {
            json!({
                "ph": phase, "name": name, "cat": "call", "id": id, "pid": pid, "tid": 0,
                "ts": at, "args": args,
            })
        };
        writer.event(&event("b", from, fields.0));
        writer.event(&event("e", to, Map::new()));
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if *event.metadata().level() > Level::DEBUG {
            return;
        }
        let mut said = Fields::default();
        event.record(&mut said);
        let what = said.0.remove("message");
        let span = context.event_span(event);
        let extensions = span.as_ref().map(|span| span.extensions());
        let open = extensions.as_ref().and_then(|of| of.get::<Open>());
        let mut writer = self.writer();
        let pid = writer.process(open.and_then(|open| open.fields.get("site")));
        let at = writer.micros(Instant::now());
        writer.event(&json!({
            "ph": "i", "s": "p", "name": what, "cat": "event", "pid": pid, "tid": 0, "ts": at,
            "args": said.0,
        }));
    }
}
