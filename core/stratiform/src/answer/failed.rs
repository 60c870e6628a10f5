//! What is told of a command that did not do its work, and of what is wrong with a topology.

use serde::Serialize;
use serde_json::Value;
use strat_model::{ErrorView, Severity};

/// A command that did not do its work.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failed<'a> {
    /// Always `false`.
    #[cfg_attr(feature = "schema", schemars(extend("const" = false)))]
    pub success: bool,
    /// All that is told of it.
    pub error: &'a ErrorView,
    /// What is wrong with the topology, where that is the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<&'a [Finding]>,
    /// The machines that find no place, and why, where that is the matter.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<Value>>"))]
    pub unplaced: Option<&'a Value>,
}

/// What is wrong with a topology, or worth a look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// A stable word for it, such as `unknown_attribute`.
    pub code: String,
    /// One sentence, without a full stop.
    pub message: String,
    /// Where; the first is the main one. Empty where no text is to blame.
    pub labels: Vec<FindingLabel>,
    /// What to do next.
    pub help: Option<String>,
}

/// A place in a file of the topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FindingLabel {
    /// The file, as it was named.
    pub file: String,
    /// The line, from 1; `None` for a file whose text is not shown.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// The first byte, from 0.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
    /// What is the matter there.
    pub text: String,
}

/// What came of checking a topology.
#[derive(Debug, Clone, Serialize)]
pub struct Validated {
    /// Whether it can be planned.
    pub valid: bool,
    /// What is wrong with it, or worth a look.
    pub diagnostics: Vec<Finding>,
}
