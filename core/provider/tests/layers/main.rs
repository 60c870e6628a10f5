//! The layers round a fake provider, on paused time.

mod chaos;
mod fake;
mod fence;
mod forward;
mod retry;
mod server;
mod throttle;
mod timeout;
mod trace;
