//! Layers round a provider: retry, throttle, timeout, trace, chaos.
