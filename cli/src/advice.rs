//! What to do on the command line about findings of the library, which knows neither options nor
//! how this program is built.

use std::collections::BTreeMap;

use stratiform::model::Diagnostic;
use stratiform::topology::{Sources, Topology};

/// The providers that a build of this program may have, and the feature that brings each.
const PROVIDERS: [(&str, &str); 4] = [
    ("aws", "aws"),
    ("azure", "azure"),
    ("gcp", "gcp"),
    ("libvirt", "libvirt"),
];

/// What to do about a finding: in the words of the command line, where the library can only say what
/// is missing.
pub(crate) fn help(finding: &Diagnostic, sources: &Sources) -> Option<String> {
    let word = finding.message.split('`').nth(1);
    let own = word.and_then(|word| match &*finding.code {
        "missing_variable" => Some(missing(word, variables(sources).get(word) == Some(&true))),
        "unknown_provider" => provider(word),
        _ => None,
    });
    own.or_else(|| finding.help.clone())
}

/// The variables of a topology, as far as it can be read at all, and whether each is sensitive.
pub(crate) fn variables(sources: &Sources) -> BTreeMap<String, bool> {
    let topology = Topology::parse(sources);
    let variables = topology
        .map(|topology| topology.variables())
        .unwrap_or_default();
    let variables = variables.into_iter();
    variables
        .map(|variable| (variable.name, variable.sensitive))
        .collect()
}

fn missing(name: &str, sensitive: bool) -> String {
    match sensitive {
        true => format!(
            "set STRAT_VAR_{name} in the environment: so it is on no command line; or name a file \
             that is in no repository: --var-file secrets.vars.hcl"
        ),
        false => format!(
            "give it one: --var {name}=…, STRAT_VAR_{name} in the environment, or a line in \
             `shop.auto.vars.hcl` beside the topology; or add a `default`"
        ),
    }
}

/// How to come by a provider that this build lacks.
fn provider(name: &str) -> Option<String> {
    if let Some((_, feature)) = PROVIDERS.iter().find(|(own, _)| *own == name) {
        return Some(format!(
            "this build has no `{name}`; build one that does, from the project's folder: `cargo \
             install --path cli --features {feature}`, or with all of them: --features \
             aws,azure,gcp,libvirt,postgres. `strat providers` lists what a build has"
        ));
    }
    let other = match name {
        "hashicorp/aws" | "amazon" => "aws",
        "azurerm" => "azure",
        "google" | "google-beta" => "gcp",
        "kvm" | "qemu" => "libvirt",
        _ => return None,
    };
    Some(format!("it is called `{other}` here"))
}
