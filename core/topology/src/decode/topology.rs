//! The `topology` block.

use strat_model::{Name, Owner};

use super::item::Arg;
use super::{labels as decode_labels, read};
use crate::eval::Evaluator;
use crate::report::{Failed, Outcome};
use crate::value::Value;

/// Reads the owner, and leaves the topology's labels with the evaluator.
pub(crate) fn owner(ev: &mut Evaluator<'_>) -> Outcome<Owner> {
    let program = ev.program;
    let block = program.topology.as_ref().ok_or(Failed)?;
    let realm = Arg::at_root(ev, block, "realm");
    let labels = Arg::at_root(ev, block, "labels");
    if let Ok(Some(labels)) = &labels
        && let Ok(decoded) = decode_labels::labels(ev, labels)
    {
        if decoded.len() > decode_labels::MAX_LABELS {
            let message = format!("{} labels are too many", decoded.len());
            let help = "every cloud takes 40, with those of a block";
            let _: Failed = read::bad(ev, labels, "bad_label", message, help);
        }
        ev.topology_labels = decoded;
        if let Value::Map(map) = &labels.value {
            ev.labels = map.as_ref().clone();
        }
    }
    let realm = realm?.map(|arg| read::name(ev, &arg)).transpose()?;
    let label = block.labels.first().ok_or(Failed)?;
    let topology = Name::new(&label.text).map_err(|_| Failed)?;
    Ok(Owner { realm, topology })
}
