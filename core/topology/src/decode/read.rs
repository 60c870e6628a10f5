//! Arguments as the model's types.

use std::str::FromStr;

use ipnet::Ipv4Net;
use strat_model::{Bytes, DiskClass, LocalAddr, Name, Noun};

use super::item::Arg;
use crate::ast::{Expr, ExprKind};
use crate::eval::Evaluator;
use crate::notation::{self, Notation};
use crate::report::{Failed, Outcome, suggest};
use crate::span::Span;
use crate::value::{Ref, Value, text_of};

/// The finding for a value of the wrong type.
pub(super) fn wrong(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    wants: &str,
    help: Option<String>,
) -> Failed {
    let found = arg.value.describe();
    ev.fail(
        arg.span,
        "wrong_type",
        format!("`{}` is {wants}, not {found}", arg.name),
        format!("expected {wants}, found {found}"),
        help,
    )
}

/// The finding for a value that is out of bounds.
pub(super) fn bad(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    code: &str,
    message: impl Into<String>,
    help: &str,
) -> Failed {
    ev.fail(
        arg.span,
        code,
        message,
        "not possible",
        Some(help.to_owned()),
    )
}

pub(super) fn text(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<String> {
    match &arg.value {
        Value::String(_) | Value::Number(_) | Value::Bool(_) => {}
        _ => return Err(wrong(ev, arg, "a string", None)),
    }
    let text = text_of(&arg.value);
    Ok(text.as_deref().unwrap_or_default().to_owned())
}

pub(super) fn bool(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<bool> {
    let bool = arg.value.to_bool();
    bool.ok_or_else(|| wrong(ev, arg, "true or false", None))
}

pub(super) fn int(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<i64> {
    let int = arg.value.to_int();
    int.ok_or_else(|| match &arg.value {
        Value::Number(number) => {
            let message = format!("`{}` is a whole number, not {number}", arg.name);
            ev.fail(arg.span, "wrong_type", message, "not whole", None)
        }
        _ => wrong(ev, arg, "a whole number", None),
    })
}

/// A size such as `16GiB`.
pub(super) fn size(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Bytes> {
    let Value::String(text) = &arg.value else {
        let help = arg
            .value
            .to_int()
            .map(|n| format!("say of what: `\"{n}GiB\"`"));
        return Err(wrong(ev, arg, "a size such as `\"16GiB\"`", help));
    };
    let size = Bytes::from_str(text);
    size.map_err(|error| {
        ev.fail(
            arg.span,
            "bad_size",
            error.to_string(),
            "not a size",
            Some(
                "write a number and a unit: `KiB`, `MiB`, `GiB`, `TiB`, or `kB`, `MB`, `GB`, `TB`"
                    .to_owned(),
            ),
        )
    })
}

/// A size that is not nothing.
pub(super) fn positive_size(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Bytes> {
    let size = size(ev, arg)?;
    if size.0 == 0 {
        let message = format!("`{}` is {size}", arg.name);
        return Err(bad(
            ev,
            arg,
            "impossible_size",
            message,
            "use a size above zero",
        ));
    }
    Ok(size)
}

pub(super) fn class(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<DiskClass> {
    let text = text(ev, arg)?;
    choice(ev, arg, &text, &["hdd", "ssd", "nvme"])?;
    text.parse().map_err(|_| Failed)
}

/// One of some words.
pub(super) fn choice(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    text: &str,
    words: &[&str],
) -> Outcome<usize> {
    if let Some(at) = words.iter().position(|word| *word == text) {
        return Ok(at);
    }
    let help = suggest(text, "use one of", words.iter().copied());
    Err(ev.fail(
        arg.span,
        "bad_choice",
        format!("`{}` cannot be `{text}`", arg.name),
        "not one of the choices",
        help,
    ))
}

/// The range of a network.
pub(super) fn cidr(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Ipv4Net> {
    let text = text(ev, arg)?;
    let Ok(net) = Ipv4Net::from_str(&text) else {
        return Err(ev.fail(
            arg.span,
            "bad_cidr",
            format!("`{text}` is not an IPv4 range"),
            "not a range",
            Some("write an address and a prefix length: `10.20.0.0/16`".to_owned()),
        ));
    };
    if net.trunc() != net {
        return Err(ev.fail(
            arg.span,
            "bad_cidr",
            format!("`{text}` has bits set beyond its prefix"),
            "host bits are set",
            Some(format!("did you mean `{}`?", net.trunc())),
        ));
    }
    Ok(net)
}

pub(super) fn name(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Name> {
    let text = text(ev, arg)?;
    Name::new(text)
        .map_err(|error| ev.fail(arg.span, "bad_name", error.to_string(), "not a name", None))
}

pub(super) fn names(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Vec<Name>> {
    each(ev, arg, "a list of names", name)
}

/// Every item of a list, read by `read`.
pub(super) fn each<T>(
    ev: &mut Evaluator<'_>,
    arg: &Arg<'_>,
    wants: &str,
    read: fn(&mut Evaluator<'_>, &Arg<'_>) -> Outcome<T>,
) -> Outcome<Vec<T>> {
    let Value::List(items) = &arg.value else {
        return Err(wrong(
            ev,
            arg,
            wants,
            Some("put it in brackets: `[…]`".to_owned()),
        ));
    };
    let mut all = Vec::with_capacity(items.len());
    let exprs = match arg.expr.map(|expr| &expr.kind) {
        Some(ExprKind::List(exprs)) if exprs.len() == items.len() => Some(exprs),
        _ => None,
    };
    let mut result = Ok(());
    for (at, item) in items.iter().enumerate() {
        let expr = exprs.map(|exprs| &exprs[at]);
        let arg = Arg {
            name: arg.name,
            value: item.clone(),
            span: expr.map_or(arg.span, |expr| expr.span),
            expr,
        };
        match read(ev, &arg) {
            Ok(item) => all.push(item),
            Err(failed) => result = Err(failed),
        }
    }
    result.map(|()| all)
}

/// The place of an entry of a map that is written out: its key and value.
pub(super) fn entry(arg: &Arg<'_>, key: &str) -> Option<Span> {
    let ExprKind::Object(pairs) = &arg.expr?.kind else {
        return None;
    };
    let is = |expr: &Expr| matches!(&expr.kind, ExprKind::Literal(value) if text_of(value).as_deref() == Some(key));
    let (key, value) = pairs.iter().find(|(own, _)| is(own))?;
    Some(key.span.to(value.span))
}

/// A site, by reference or by name.
pub(super) fn site(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Name> {
    match &arg.value {
        Value::Ref(Ref::Site(name)) => Ok(name.clone()),
        Value::String(text) => match ev.program.sites.get_key_value(&**text) {
            Some((name, _)) => Ok(name.clone()),
            None => {
                let names = ev.program.sites.keys().map(Name::as_str);
                let help = unquoted(ev, arg, text).or_else(|| suggest(text, "there are", names));
                Err(ev.fail(
                    arg.span,
                    "unknown_reference",
                    format!("there is no site `{text}`"),
                    "no such site",
                    help,
                ))
            }
        },
        _ => Err(wrong(
            ev,
            arg,
            "a site",
            Some("write `site.name`".to_owned()),
        )),
    }
}

/// Sites in order of preference, each once.
pub(super) fn sites(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Vec<Name>> {
    let sites = each(ev, arg, "a list of sites", site)?;
    if sites.is_empty() {
        let message = format!("`{}` names no site", arg.name);
        return Err(bad(ev, arg, "no_sites", message, "name at least one"));
    }
    for (at, site) in sites.iter().enumerate() {
        if sites[..at].contains(site) {
            let message = format!("`{}` names the site `{site}` twice", arg.name);
            return Err(bad(ev, arg, "duplicate_site", message, "name each once"));
        }
    }
    Ok(sites)
}

/// What to write for a reference that stands in quotes.
fn unquoted(ev: &Evaluator<'_>, arg: &Arg<'_>, text: &str) -> Option<String> {
    let (word, name) = text.split_once('.')?;
    let known = match Noun::parse(word) {
        Some(noun) => ev.program.thing(noun, name).is_some(),
        None => word == "site" && ev.program.sites.contains_key(name),
    };
    let file = ev.files.origin(arg.span).file;
    known.then(|| match notation::of(&file) {
        Notation::Hcl => format!("a reference stands without quotes: `{text}`"),
        _ => format!("a reference is written `\"${{{text}}}\"`"),
    })
}

/// A reference to one instance of a block of `noun`.
pub(super) fn thing(ev: &mut Evaluator<'_>, arg: &Arg<'_>, noun: Noun) -> Outcome<LocalAddr> {
    match &arg.value {
        Value::Ref(Ref::Thing { addr, .. }) if addr.noun == noun => Ok(addr.as_ref().clone()),
        value => {
            let word = noun.as_str();
            let article = if matches!(noun, Noun::Address | Noun::Image) {
                "an"
            } else {
                "a"
            };
            let first = match value {
                Value::List(items) => items.first(),
                Value::Map(items) => items.values().next(),
                _ => None,
            };
            let help = match first {
                Some(Value::Ref(Ref::Thing { addr, .. })) if addr.noun == noun => {
                    format!("the block has several instances; name one, such as `{addr}`")
                }
                _ => match value {
                    Value::String(text) => unquoted(ev, arg, text),
                    Value::Ref(Ref::Thing { addr, .. }) if addr.noun == Noun::Machines => {
                        Some(format!("the machines of a fleet are interchangeable: nothing can be said of one; declare a `{word}`"))
                    }
                    _ => None,
                }
                .unwrap_or_else(|| format!("write `{word}.name`")),
            };
            let wants = match noun {
                Noun::Machines => "a fleet".to_owned(),
                _ => format!("{article} {word}"),
            };
            Err(wrong(ev, arg, &wants, Some(help)))
        }
    }
}

macro_rules! things {
    ($($function:ident $noun:ident),+) => {$(
        pub(super) fn $function(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<LocalAddr> {
            thing(ev, arg, Noun::$noun)
        }
    )+};
}
things!(network Network, subnet Subnet, firewall Firewall, keypair Keypair, machine Machine);

pub(super) fn firewalls(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Vec<LocalAddr>> {
    each(ev, arg, "a list of firewalls", firewall)
}
