//! What a command is doing: a span for each part of the work, none inside another.

/// The target of the spans that say what a command is doing; their names say what that is. None
/// holds any data.
pub const PHASE_TARGET: &str = "strat::phase";

/// The span of one part of the work.
macro_rules! phase {
    ($name:literal) => {
        tracing::info_span!(target: crate::PHASE_TARGET, $name)
    };
}

pub(crate) use phase;
