//! `strat schema`

use clap::{Args, ValueEnum};

use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Write the JSON Schema of a topology, a plan, the journal, an answer, or what bursts say and record.
///
/// A topology in JSON or YAML is completed and checked by editors that know its schema: name it
/// with a key `$schema`, or in YAML with a comment `# yaml-language-server: $schema=…`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat schema > topology.schema.json
  strat schema plan > plan.schema.json
  strat schema apply-events > apply-events.schema.json
  strat schema journal | jq .oneOf[].properties.record.const")]
pub(crate) struct Schema {
    /// Of what.
    #[arg(value_enum, default_value_t, value_name = "WHAT")]
    what: What,
}

/// What has a schema.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum What {
    /// A file of a topology, in JSON or YAML.
    #[default]
    Topology,
    /// What `strat plan --json`, `strat plan --out` and `strat drift --json` write.
    Plan,
    /// A line of `journal.jsonl`, in the folder `.stratiform`.
    Journal,
    /// What `strat show --json` writes.
    Show,
    /// What `strat offers --json` writes.
    Offers,
    /// What `strat reach --json` writes.
    Reach,
    /// What `strat apply --json` writes, and `destroy`, `adopt` and `release` likewise.
    Apply,
    /// A line of what `strat apply --json --stream` writes.
    ApplyEvents,
    /// What every command writes that was asked for JSON and fails.
    Error,
    /// What `strat burst status --json` writes.
    BurstStatus,
    /// What `strat burst explain --json` writes under `record`.
    BurstDecision,
}

impl What {
    const fn schema(self) -> &'static str {
        match self {
            Self::Topology => include_str!("../../../schemas/topology.schema.json"),
            Self::Plan => include_str!("../../../schemas/plan.schema.json"),
            Self::Journal => include_str!("../../../schemas/journal.schema.json"),
            Self::Show => include_str!("../../../schemas/show.schema.json"),
            Self::Offers => include_str!("../../../schemas/offers.schema.json"),
            Self::Reach => include_str!("../../../schemas/reach.schema.json"),
            Self::Apply => include_str!("../../../schemas/apply.schema.json"),
            Self::ApplyEvents => include_str!("../../../schemas/apply-events.schema.json"),
            Self::Error => include_str!("../../../schemas/error.schema.json"),
            Self::BurstStatus => include_str!("../../../schemas/burst-status.schema.json"),
            Self::BurstDecision => include_str!("../../../schemas/burst-decision.schema.json"),
        }
    }
}

impl Schema {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        context.output.data(self.what.schema())?;
        Ok(Exit::Done)
    }
}
