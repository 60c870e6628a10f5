//! Work with its progress shown, and Ctrl-C heard.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use stratiform::{Event, Stop};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::render::progress::Progress;

/// How long a run may take to end after the second Ctrl-C.
const GRACE: Duration = Duration::from_secs(2);

/// Runs `work` to its end, showing what happens.
pub(crate) async fn watch<T>(
    events: &mut UnboundedReceiver<Event>,
    progress: &mut Progress<'_>,
    work: impl Future<Output = T>,
) -> T {
    let mut work = pin!(work);
    loop {
        tokio::select! {
            biased;
            Some(event) = events.recv() => progress.on(&event),
            result = &mut work => {
                while let Ok(event) = events.try_recv() {
                    progress.on(&event);
                }
                return result;
            }
        }
    }
}

/// Runs `work`, which ends early by `stop`: at the first Ctrl-C after the calls in flight, at the
/// second at once. `None` if it did not even end then.
pub(crate) async fn stoppable<T>(stop: &Stop, work: impl Future<Output = T>) -> Option<T> {
    let mut work = pin!(work);
    for _ in 0..2 {
        tokio::select! {
            result = &mut work => return Some(result),
            () = interrupted() => stop.request(),
        }
    }
    tokio::time::timeout(GRACE, work).await.ok()
}

/// Returns at Ctrl-C, or when the system asks to end.
pub(crate) async fn interrupted() {
    let ctrl_c = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = ctrl_c => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    let ctrl_c = ctrl_c.await;
    if ctrl_c.is_err() {
        // Without signals there is nothing to wait for.
        std::future::pending::<()>().await;
    }
}

/// Returns when the system asks to read the settings again, by SIGHUP.
#[cfg(feature = "burst")]
pub(crate) async fn reload_asked() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut hangup) = signal(SignalKind::hangup())
            && hangup.recv().await.is_some()
        {
            return;
        }
    }
    std::future::pending::<()>().await;
}
