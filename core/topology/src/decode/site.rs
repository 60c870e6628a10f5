//! Sites.

use std::collections::BTreeMap;

use strat_model::{FlexSize, Name, SiteCapacity, SiteSpec};

use super::item::Arg;
use super::{labels, read};
use crate::ast::{Attribute, Block};
use crate::eval::{Evaluator, ROOT};
use crate::report::{Failed, Outcome, suggest};
use crate::value::{Value, to_plain_json, too_long_for_plain};

/// Endings of attributes that would hold a secret.
const SECRETS: [&str; 12] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secret_key",
    "access_key",
    "private_key",
    "api_key",
    "apikey",
    "token",
    "client_secret",
    "credentials_json",
];

/// Reads all sites whose provider can be told. What else is wrong with one is reported, and left out.
pub(super) fn sites(ev: &mut Evaluator<'_>) -> BTreeMap<Name, SiteSpec> {
    let program = ev.program;
    let sites = program.sites.iter();
    let sites = sites.map(|(name, block)| (name.clone(), site(ev, name, block)));
    sites
        .filter(|(_, site)| !site.provider.is_empty())
        .collect()
}

fn site(ev: &mut Evaluator<'_>, name: &Name, block: &Block) -> SiteSpec {
    let mut spec = SiteSpec {
        origin: Some(ev.files.origin(block.head)),
        ..SiteSpec::new(name.clone(), "")
    };
    for attribute in &block.body.attributes {
        // A failure has been reported.
        let _ = set(ev, &mut spec, attribute);
    }
    spec
}

fn set(ev: &mut Evaluator<'_>, spec: &mut SiteSpec, attribute: &Attribute) -> Outcome<()> {
    let word = &*attribute.name.text;
    if word == "for_each" {
        // The block was written out; this one could not be.
        return Err(Failed);
    }
    let known = [
        "provider", "region", "account", "zones", "capacity", "labels",
    ];
    let Some(name) = known.into_iter().find(|known| *known == word) else {
        let value = setting(ev, attribute, "a site")?;
        spec.settings.insert(word.to_owned(), value);
        return Ok(());
    };
    let span = attribute.value.span;
    let value = ev.eval(&attribute.value, &ROOT)?;
    let value = ev.plain(value, span, word)?;
    if value == Value::Null && name != "provider" {
        return Ok(());
    }
    let arg = Arg {
        name,
        value,
        span,
        expr: Some(&attribute.value),
    };
    match name {
        "provider" => spec.provider = read::text(ev, &arg)?,
        "region" => spec.region = Some(read::text(ev, &arg)?),
        "account" => spec.account = Some(read::text(ev, &arg)?),
        "labels" => spec.labels = labels::labels(ev, &arg)?,
        "zones" => spec.zones = zones(ev, &arg)?,
        _ => spec.capacity = Some(capacity(ev, &arg)?),
    }
    Ok(())
}

/// A setting that somebody else knows how to read: a provider, or a store of leases. `block` says
/// what it stands in.
pub(super) fn setting(
    ev: &mut Evaluator<'_>,
    attribute: &Attribute,
    block: &str,
) -> Outcome<serde_json::Value> {
    let word = &*attribute.name.text;
    secret(ev, attribute, block)?;
    let span = attribute.value.span;
    let value = ev.eval(&attribute.value, &ROOT)?;
    let value = ev.plain(value, span, word)?;
    if too_long_for_plain(&value).is_some() {
        return Err(ev.fail(
            span,
            "number_range",
            format!("the setting `{word}` holds a number with too many digits"),
            "would be rounded",
            Some("put it in quotes, so that it is text".to_owned()),
        ));
    }
    to_plain_json(&value).ok_or(Failed)
}

/// A topology is read by many people and lies in a repository.
fn secret(ev: &mut Evaluator<'_>, attribute: &Attribute, block: &str) -> Outcome<()> {
    let word = attribute.name.text.to_ascii_lowercase();
    if !is_secret(&word) {
        return Ok(());
    }
    Err(ev.fail(
        attribute.name.span,
        "secret_in_topology",
        format!("`{word}` would hold a secret: a topology names credentials, it never holds them"),
        format!("not allowed in {block}"),
        Some("name a profile, a role or an environment variable instead".to_owned()),
    ))
}

/// Whether an attribute of that name would hold a secret.
pub(crate) fn is_secret(name: &str) -> bool {
    let word = name.to_ascii_lowercase();
    let is = |secret: &str| {
        let rest = word.strip_suffix(secret);
        rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('_'))
    };
    SECRETS.into_iter().any(is)
}

fn zones(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Vec<Name>> {
    let zones = read::names(ev, arg)?;
    for (at, zone) in zones.iter().enumerate() {
        if zones[..at].contains(zone) {
            let message = format!("the zone `{zone}` is listed twice");
            return Err(read::bad(
                ev,
                arg,
                "duplicate_zone",
                message,
                "list each once",
            ));
        }
    }
    Ok(zones)
}

/// GPUs: how many there are of each model.
fn models(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<BTreeMap<String, u64>> {
    let help = "write `{ L4 = 2 }`: how many there are of each model";
    let Value::Map(map) = &arg.value else {
        return Err(read::wrong(
            ev,
            arg,
            "a map from models to numbers",
            Some(help.to_owned()),
        ));
    };
    let mut gpus = BTreeMap::new();
    for (model, value) in map.iter() {
        let one = Arg {
            name: "gpus",
            value: value.clone(),
            span: read::entry(arg, model).unwrap_or(arg.span),
            expr: None,
        };
        if !FlexSize::is_model(model) {
            let what =
                "a model is at most 32 letters, digits, `-` and `_`, a letter or digit first";
            return Err(read::bad(ev, &one, "impossible_size", what, help));
        }
        let count = read::int(ev, &one)?;
        match u64::try_from(count)
            .ok()
            .filter(|count| *count <= u64::from(u32::MAX))
        {
            Some(count) => gpus.insert(model.to_string(), count),
            None => {
                let what = "there are none, or more, but not less";
                return Err(read::bad(ev, &one, "impossible_size", what, help));
            }
        };
    }
    Ok(gpus)
}

fn capacity(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<SiteCapacity> {
    let Value::Map(map) = &arg.value else {
        let help = "write `{ cpu = 64, memory = \"256GiB\" }`".to_owned();
        return Err(read::wrong(
            ev,
            arg,
            "a map of `cpu`, `memory`, `disk` and `gpus`",
            Some(help),
        ));
    };
    let words = ["cpu", "memory", "disk", "gpus"];
    for key in map.keys() {
        if !words.contains(&&**key) {
            let help = suggest(key, "it has", words);
            let span = read::entry(arg, key).unwrap_or(arg.span);
            return Err(ev.fail(
                span,
                "unknown_attribute",
                format!("`capacity` has no `{key}`"),
                "in this capacity",
                help,
            ));
        }
    }
    let get = |name: &'static str| {
        let value = map.get(name).filter(|value| **value != Value::Null)?;
        Some(Arg {
            name,
            value: value.clone(),
            span: read::entry(arg, name).unwrap_or(arg.span),
            expr: None,
        })
    };
    let (Some(cpu), Some(memory)) = (get("cpu"), get("memory")) else {
        return Err(ev.fail(
            arg.span,
            "missing_attribute",
            "`capacity` needs `cpu` and `memory`",
            "one of them is missing",
            Some("write `{ cpu = 64, memory = \"256GiB\" }`".to_owned()),
        ));
    };
    let disk = get("disk").map(|disk| read::size(ev, &disk)).transpose();
    let gpus = get("gpus").map(|gpus| models(ev, &gpus)).transpose();
    let memory = read::positive_size(ev, &memory);
    let count = read::int(ev, &cpu)?;
    let count = u64::try_from(count).ok().filter(|n| *n > 0);
    let count = count.ok_or_else(|| {
        let help = "use a whole number above zero";
        read::bad(
            ev,
            &cpu,
            "impossible_size",
            "this capacity has no CPUs",
            help,
        )
    });
    Ok(SiteCapacity {
        cpu: count?,
        memory: memory?,
        disk: disk?,
        gpus: gpus?.unwrap_or_default(),
    })
}
