//! Where leases are kept.

use strat_model::LeaseSpec;

use super::item::Arg;
use super::{read, site};
use crate::eval::Evaluator;

/// Reads the `lease` block, if there is one and its store can be told. What is wrong is reported.
pub(super) fn lease(ev: &mut Evaluator<'_>) -> Option<LeaseSpec> {
    let block = ev.program.lease()?;
    let store = Arg::required_at_root(ev, block, "store");
    let store = store.and_then(|arg| read::text(ev, &arg));
    let mut settings = serde_json::Map::new();
    for attribute in &block.body.attributes {
        let word = &*attribute.name.text;
        if word == "store" {
            continue;
        }
        // A failure has been reported.
        if let Ok(value) = site::setting(ev, attribute, "a lease") {
            settings.insert(word.to_owned(), value);
        }
    }
    Some(LeaseSpec {
        store: store.ok()?,
        settings,
        origin: Some(ev.files.origin(block.head)),
    })
}
