//! Machines, fleets and key pairs.

use std::collections::BTreeSet;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use strat_model::{
    Bytes, Diagnostic, DiskSpec, KeypairIntent, LocalAddr, MachineIntent, Noun, Shared, Size,
    TemplatePart, UserData,
};

use super::item::{Arg, Item};
use super::nested::repeated;
use super::placement::{ceiling, hardware, placement};
use super::read;
use super::rollout::rollout;
use crate::eval::{Evaluator, SharedUserData};
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::{Value, part_bytes, text_of};

/// The most virtual CPUs that one machine may ask for.
const MAX_CPU: i64 = 4096;
/// The most memory that one machine may ask for.
const MAX_MEMORY: Bytes = Bytes(64 << 40);
/// The most machines of one fleet.
const MAX_FLEET: i64 = 1_000_000;

pub(super) fn machine(item: &mut Item<'_, '_>) -> Outcome<MachineIntent> {
    let common = item.common();
    let count = match item.thing.noun {
        Noun::Machines => item.required("count", fleet),
        _ => Ok(1),
    };
    let size = size(item);
    let hardware = hardware(item);
    let image = item.required("image", image);
    let subnet = item.required("subnet", read::subnet);
    let public_ip = item.optional("public_ip", read::bool);
    let firewalls = item.optional("firewalls", read::firewalls);
    let keypair = item.optional("keypair", read::keypair);
    let user_data = user_data(item);
    let disks = disks(item);
    let placement = placement(item);
    let rollout = rollout(item);
    let (size, hardware) = (size?, hardware?);
    let firewalls = firewalls?.unwrap_or_default().into_iter();
    let firewalls: Shared<BTreeSet<_>> = firewalls.collect();
    ceiling(item, &size, &hardware)?;
    Ok(MachineIntent {
        common: common?,
        count: count?,
        size,
        hardware,
        image: image?,
        subnet: subnet?,
        public_ip: public_ip?,
        firewalls: firewalls.or_last(&mut item.ev.shared.firewalls),
        keypair: keypair?,
        user_data: user_data?,
        disks: disks?,
        placement: placement?.into(),
        rollout: rollout?,
    })
}

fn fleet(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u32> {
    let number = read::int(ev, arg)?;
    let count = Some(number).filter(|n| (0..=MAX_FLEET).contains(n));
    if number == 0 {
        let origin = ev.files.origin(arg.span);
        ev.report(
            Diagnostic::warning("empty_fleet", "this fleet has no machines")
                .at(&origin, "0 machines")
                .help("that is fine to switch a fleet off; otherwise use a number above zero"),
        );
    }
    count.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
        let message = format!("`count` is {number}");
        read::bad(
            ev,
            arg,
            "bad_count",
            message,
            "use a whole number from 0 to 1000000",
        )
    })
}

fn size(item: &mut Item<'_, '_>) -> Outcome<Size> {
    let cpu = item.optional("cpu", cpu);
    let memory = item.optional("memory", memory);
    let machine_type = item.optional("machine_type", read::text);
    let (cpu, memory, machine_type) = (cpu?, memory?, machine_type?);
    let (block, schema) = (&item.thing.block, item.thing.schema());
    if ["cpu", "memory", "machine_type"]
        .iter()
        .any(|name| schema.misspelt(block, name))
    {
        return Err(Failed);
    }
    let finding = match (cpu, memory, machine_type) {
        (Some(cpu), Some(memory), None) => return Ok(Size::AtLeast { cpu, memory }),
        (None, None, Some(machine_type)) => return Ok(Size::Type(machine_type)),
        (None, None, None) => {
            Diagnostic::error("missing_size", "nothing says how large this machine is")
                .at(&item.origin(""), "needs a size")
                .help("add `cpu = 2` and `memory = \"4GiB\"`, or a cloud's own `machine_type`")
        }
        (_, _, Some(_)) => Diagnostic::error(
            "two_sizes",
            "the size is given twice: by `machine_type` and by `cpu` and `memory`",
        )
        .at(&item.origin("machine_type"), "this says it all")
        .help("keep one of the two"),
        (Some(_), None, None) => {
            Diagnostic::error("missing_attribute", "`cpu` needs `memory` beside it")
                .at(&item.origin("cpu"), "only half of a size")
                .help("add `memory = \"4GiB\"`")
        }
        (None, Some(_), None) => {
            Diagnostic::error("missing_attribute", "`memory` needs `cpu` beside it")
                .at(&item.origin("memory"), "only half of a size")
                .help("add `cpu = 2`")
        }
    };
    Err(item.report(finding))
}

pub(super) fn cpu(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u32> {
    let number = read::int(ev, arg)?;
    let cpu = Some(number).filter(|n| (1..=MAX_CPU).contains(n));
    cpu.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
        let message = format!("no machine has {number} CPUs");
        read::bad(
            ev,
            arg,
            "impossible_size",
            message,
            "use a whole number from 1 to 4096",
        )
    })
}

pub(super) fn memory(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Bytes> {
    let memory = read::size(ev, arg)?;
    if memory.0 == 0 || memory > MAX_MEMORY {
        let message = format!("no machine has {memory} of memory");
        let help = "use a size above zero and up to 64TiB";
        return Err(read::bad(ev, arg, "impossible_size", message, help));
    }
    Ok(memory)
}

fn image(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Result<String, LocalAddr>> {
    match &arg.value {
        Value::String(name) if !name.is_empty() => Ok(Ok(name.as_ref().to_owned())),
        Value::String(_) => Err(read::bad(
            ev,
            arg,
            "bad_name",
            "the image's name is empty",
            "write `\"debian-12\"`",
        )),
        Value::Ref(_) => read::thing(ev, arg, Noun::Image).map(Err),
        _ => {
            let help = "write `\"debian-12\"`, or `image.name` for one of your own".to_owned();
            Err(read::wrong(ev, arg, "an image", Some(help)))
        }
    }
}

/// User data may be sensitive and may wait for an apply: neither is shown.
fn user_data(item: &mut Item<'_, '_>) -> Outcome<Option<UserData>> {
    let Some(arg) = item.raw("user_data")? else {
        return Ok(None);
    };
    let value = arg.value.revealed();
    if let Value::Unknown(unknown) = &value {
        return match &unknown.parts {
            Some(parts) => in_places(item, arg.span, parts).map(Some),
            None => {
                let cause = unknown.cause.clone();
                Err(too_late(item, &cause, arg.span))
            }
        };
    }
    match (text_of(&value), &value) {
        (Some(text), Value::String(_) | Value::Number(_) | Value::Bool(_)) => {
            plain_text(item, arg.span, &text).map(Some)
        }
        _ => {
            let arg = Arg { value, ..arg };
            let help =
                "for a map write `yamlencode(…)`, or `templatefile(…)` for a file".to_owned();
            Err(read::wrong(item.ev, &arg, "a string", Some(help)))
        }
    }
}

/// User data of text alone: made once where instances have the very same.
fn plain_text(item: &mut Item<'_, '_>, span: Span, text: &Arc<str>) -> Outcome<UserData> {
    if let Some((known, user_data)) = &item.ev.shared.plain_user_data
        && Arc::ptr_eq(known, text)
    {
        return Ok(user_data.clone());
    }
    item.ev.made(text.len(), span)?;
    let user_data = UserData::text(text.as_ref());
    item.ev.shared.plain_user_data = Some((Arc::clone(text), user_data.clone()));
    Ok(user_data)
}

/// User data with places in it: made once where instances have the very same.
fn in_places(
    item: &mut Item<'_, '_>,
    span: Span,
    parts: &Arc<Vec<TemplatePart>>,
) -> Outcome<UserData> {
    let shared = item.ev.shared.user_data.take();
    let same = shared.filter(|shared| Arc::ptr_eq(&shared.parts, parts));
    if same.is_none() {
        let bytes = parts.iter().map(part_bytes).sum();
        item.ev.made(bytes, span)?;
    }
    let shared = same.unwrap_or_else(|| {
        let user_data = UserData::new(parts.as_ref().clone());
        SharedUserData {
            parts: Arc::clone(parts),
            waits_for: user_data.references().map(|(of, _)| of.clone()).collect(),
            user_data,
        }
    });
    let own = shared.waits_for.contains(item.addr());
    let user_data = shared.user_data.clone();
    item.ev.shared.user_data = Some(shared);
    if own {
        own_address(item, &span, parts)?;
    }
    Ok(user_data)
}

/// What user data cannot wait for: a value that something has to be made of.
fn too_late(item: &mut Item<'_, '_>, cause: &str, span: Span) -> Failed {
    let fleet = cause.starts_with("machines.");
    let help = if fleet {
        "a fleet's members come and go, so no user data can list them; name `machine`s, or let it ask at boot".to_owned()
    } else {
        format!(
            "it can only be put into the text as it is, `${{{cause}}}`: no function, condition or encoding can work on it yet"
        )
    };
    item.ev.fail(
        span,
        "known_after_apply",
        format!("`user_data` is made of `{cause}`, which is known only after apply"),
        "known only after apply",
        Some(help),
    )
}

/// A machine does not know its own address before it boots.
fn own_address(item: &mut Item<'_, '_>, span: &Span, parts: &[TemplatePart]) -> Outcome<()> {
    let own = parts.iter().find_map(|part| match part {
        TemplatePart::Attribute { of, attribute } if of == item.addr() => Some(attribute.clone()),
        _ => None,
    });
    let Some(attribute) = own else { return Ok(()) };
    let addr = item.addr().clone();
    Err(item.ev.fail(
        *span,
        "reference_cycle",
        format!("the user data of `{addr}` needs the machine's own `{attribute}`"),
        "known only once the machine is there",
        Some("let the machine ask its cloud's metadata service at boot".to_owned()),
    ))
}

fn disks(item: &mut Item<'_, '_>) -> Outcome<Vec<DiskSpec>> {
    let mut disks = Vec::new();
    for block in &repeated(item, &["disk"])? {
        let size = item.of_nested_required(block, "size", read::positive_size);
        let class = item.of_nested(block, "class", read::class);
        disks.push(DiskSpec {
            size: size?,
            class: class?.unwrap_or_default(),
        });
    }
    Ok(disks)
}

pub(super) fn keypair(item: &mut Item<'_, '_>) -> Outcome<KeypairIntent> {
    let common = item.common();
    let public_key = item.required("public_key", public_key);
    Ok(KeypairIntent {
        common: common?,
        public_key: public_key?,
    })
}

/// The types of keys that OpenSSH still takes.
const KEY_TYPES: [&str; 7] = [
    "ssh-ed25519",
    "ssh-rsa",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
];

/// A public key in OpenSSH's one-line form (`sshd(8)`, AUTHORIZED_KEYS FILE FORMAT). The text of
/// what is refused is not repeated: it may be a private key.
fn public_key(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<String> {
    let text = read::text(ev, arg)?;
    let why = match well_formed(text.trim()) {
        Ok(key) => return Ok(key),
        Err(why) => why,
    };
    let help = "give the content of the `.pub` file, such as `file(\"id_ed25519.pub\")`";
    let _: Failed = read::bad(
        ev,
        arg,
        "bad_public_key",
        format!("this is not a public key: {why}"),
        help,
    );
    Err(Failed)
}

fn well_formed(text: &str) -> Result<String, &'static str> {
    if text.contains("PRIVATE KEY") {
        return Err("it is a private key, which must never stand here");
    }
    if text.lines().count() > 1 {
        return Err("it has more than one line");
    }
    let mut words = text.split_whitespace();
    let (Some(kind), Some(body)) = (words.next(), words.next()) else {
        return Err("it has no key after its type");
    };
    if !KEY_TYPES.contains(&kind) {
        return Err("it does not begin with a type such as `ssh-ed25519`");
    }
    let Ok(bytes) = STANDARD.decode(body) else {
        return Err("the key is not base64");
    };
    // RFC 4253, 6.6: the blob begins with the length and the name of its type.
    let named = bytes
        .get(4..4 + kind.len())
        .is_some_and(|name| name == kind.as_bytes());
    if !named || bytes.len() < 4 + kind.len() + 4 {
        return Err("the key does not match its type, or is cut off");
    }
    Ok(format!("{kind} {body}"))
}
