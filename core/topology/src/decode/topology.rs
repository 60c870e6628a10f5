//! The `topology` block.

use strat_model::{Lineage, Name, Owner};

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
    let lineage = Arg::at_root(ev, block, "lineage");
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
    let lineage = lineage?.map(|arg| lineage_of(ev, &arg)).transpose()?;
    let realm = in_env(ev, realm)?;
    let label = block.labels.first().ok_or(Failed)?;
    let topology = Name::new(&label.text).map_err(|_| Failed)?;
    Ok(Owner {
        realm,
        topology,
        lineage,
    })
}

/// The realm of an environment: its name, behind the topology's own realm if it has one.
fn in_env(ev: &mut Evaluator<'_>, realm: Option<Name>) -> Outcome<Option<Name>> {
    let Some(env) = ev.env.clone() else {
        return Ok(realm);
    };
    let Some(realm) = realm else {
        return Ok(Some(env));
    };
    let joined = Name::new(format!("{realm}-{env}")).map(Some);
    joined.map_err(|error| {
        let span = ev.program.topology.as_ref().map(|block| block.head);
        let message =
            format!("the realm `{realm}` and the environment `{env}` make no name: {error}");
        let help = "give the realm or the environment a shorter name".to_owned();
        ev.fail(
            span.unwrap_or_default(),
            "bad_name",
            message,
            "in this topology",
            Some(help),
        )
    })
}

fn lineage_of(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Lineage> {
    let text = read::text(ev, arg)?;
    Lineage::new(text).map_err(|why| {
        let help = "it is written once and never changed: bring it back from your repository, or \
                    take it out";
        read::bad(ev, arg, "bad_lineage", why.to_string(), help)
    })
}
