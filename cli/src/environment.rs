//! What is read from the environment, besides the colours.

use std::collections::BTreeMap;

/// `STRAT_VAR_name=value` gives a variable a value: so a secret is on no command line.
const VAR_PREFIX: &str = "STRAT_VAR_";

/// The variables of a topology that the environment gives.
pub(crate) fn vars() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix(VAR_PREFIX)?.to_owned();
            Some((name, value.to_str()?.to_owned()))
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}
