//! What happens, for logs and observers.

use async_trait::async_trait;
use jiff::Timestamp;
use strat_model::Result;
use tracing::{Instrument, debug, debug_span, field, info, trace};

use super::flaws::error_in;
use super::{Call, CallEvent, Ending, Flaws, Layer, Next, Phase, Reporter};

/// Wraps a call in a span and reports its start and its end, also when the caller stops waiting.
///
/// Logged are names, addresses, ids, durations, kinds of errors, vendors' codes and request ids;
/// never a spec, user data, a credential or a vendor's free text, which may quote any of them.
#[derive(Debug)]
pub struct Trace {
    reporter: Reporter,
}

impl Trace {
    /// Reports to `reporter`.
    #[must_use]
    pub fn new(reporter: Reporter) -> Self {
        Self { reporter }
    }
}

#[async_trait]
impl Layer for Trace {
    async fn around(&self, call: &Call<'_>, next: Next<'_>) -> Result<Flaws> {
        let span = debug_span!(
            "call",
            provider = %call.provider,
            site = %call.site,
            api = %call.api.as_str(),
            operation = %call.operation,
            effect = %call.effect.as_str(),
            kind = call.kind.map(field::display),
            addr = call.addr.map(field::display),
            id = call.id.map(field::display),
            items = call.items,
        );
        async {
            self.reporter.emit(call, Phase::Started);
            let mut end = End {
                reporter: &self.reporter,
                call,
                start: self.reporter.clock().now(),
                ending: Ending::Cancelled,
            };
            let result = next.run().await;
            if let Some(error) = error_in(&result) {
                debug!(
                    code = error.code(),
                    request_id = error.request_id(),
                    scope = ?error.scope(),
                    "the call failed"
                );
            }
            end.ending = ending(call, &result);
            result
        }
        .instrument(span)
        .await
    }
}

fn ending(call: &Call<'_>, result: &Result<Flaws>) -> Ending {
    let Some(error) = error_in(result) else {
        return Ending::Done;
    };
    let kind = error.kind();
    match result {
        Ok(flaws) if flaws.len() < call.items as usize => Ending::Partial(kind),
        Ok(_) | Err(_) => Ending::Failed(kind),
    }
}

/// Reports the end of a call when dropped: there is no way past it.
struct End<'a> {
    reporter: &'a Reporter,
    call: &'a Call<'a>,
    start: Timestamp,
    ending: Ending,
}

impl Drop for End<'_> {
    fn drop(&mut self) {
        let phase = Phase::Finished {
            ending: self.ending,
            took: self.reporter.since(self.start),
        };
        self.reporter.emit(self.call, phase);
    }
}

/// Writes one event to the log. The span says which call it is of.
pub(super) fn log(event: &CallEvent<'_>) {
    let attempt = event.call.attempt();
    match event.phase {
        Phase::Started => trace!("started"),
        Phase::Waited { wait } => trace!(attempt, ?wait, "waited for a permit"),
        Phase::Throttled { rate } => debug!(attempt, rate, "the cloud throttles"),
        Phase::Silent { waited } => debug!(attempt, ?waited, "no answer yet"),
        Phase::Retrying { error, wait } => info!(
            attempt,
            ?wait,
            operation = event.call.operation,
            site = %event.call.site,
            kind = error.kind().as_str(),
            code = error.code(),
            request_id = error.request_id(),
            "retrying"
        ),
        Phase::Finished { ending, took } => match ending {
            Ending::Done => debug!(attempt, ?took, "done"),
            Ending::Failed(kind) => debug!(attempt, ?took, kind = kind.as_str(), "failed"),
            Ending::Partial(kind) => {
                debug!(attempt, ?took, kind = kind.as_str(), "done in part");
            }
            Ending::Cancelled => debug!(attempt, ?took, "cancelled"),
        },
    }
}
