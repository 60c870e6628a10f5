//! Where machines may run, and what their hardware must be.

use std::collections::BTreeMap;

use strat_model::{
    Bytes, Currency, Diagnostic, HardwareIntent, Money, Name, PlacementIntent, Preference,
    SpotIntent, Spread,
};

use super::item::{Arg, Item};
use super::{labels, read};
use crate::ast::Block;
use crate::eval::Evaluator;
use crate::report::{Outcome, suggest};
use crate::value::Value;

/// The most accelerators that one machine may ask for.
const MAX_GPUS: i64 = 64;
/// The largest weight, unit and base: that of a fleet.
const MAX_NUMBER: i64 = 1_000_000;

pub(super) fn hardware(item: &mut Item<'_, '_>) -> Outcome<HardwareIntent> {
    let arch = item.optional("arch", arch);
    let cpu_max = item.optional("cpu_max", super::compute::cpu);
    let memory_max = item.optional("memory_max", super::compute::memory);
    let gpus = item.optional("gpus", gpus);
    let gpu = item.optional("gpu", read::text);
    let burstable = item.optional("burstable", read::bool);
    let gpu = gpu?.filter(|model| !model.is_empty());
    Ok(HardwareIntent {
        arch: arch?,
        cpu_max: cpu_max?,
        memory_max: memory_max?,
        // Who names a model wants one.
        gpus: gpus?.unwrap_or(u32::from(gpu.is_some())),
        gpu,
        burstable: burstable?,
    })
}

/// Without `sites` the list is empty here, and becomes that of the subnet's network later.
pub(super) fn placement(item: &mut Item<'_, '_>) -> Outcome<PlacementIntent> {
    let Some(block) = item.thing.block.body.blocks("placement").next() else {
        return Ok(PlacementIntent {
            unit: 1,
            ..PlacementIntent::default()
        });
    };
    let sites = item.nested(block, "sites", read::sites);
    let require = item.nested(block, "require", labels::labels);
    let zone = item.nested(block, "zone", read::name);
    let spread = item.nested(block, "spread", spread);
    let prefer = item.nested(block, "prefer", prefer);
    let weights = item.nested(block, "weights", weights);
    let max_price = item.nested(block, "max_price", max_price);
    let spot = spot(item, block);
    let survive = item.nested(block, "survive", survive);
    let unit = item.nested(block, "unit", positive);
    let move_threshold = item.nested(block, "move_threshold", percent);
    let anti_affinity = item.nested(block, "anti_affinity", read::name);
    let placement = PlacementIntent {
        sites: sites?.unwrap_or_default(),
        require: require?.unwrap_or_default(),
        zone: zone?,
        spread: spread?.unwrap_or_default(),
        prefer: prefer?.unwrap_or_default(),
        weights: weights?.unwrap_or_default(),
        max_price: max_price?,
        spot: spot?,
        survive: survive?.unwrap_or(false),
        unit: unit?.unwrap_or(1),
        move_threshold: move_threshold?,
        anti_affinity: anti_affinity?,
    };
    agree(item, block, &placement)?;
    Ok(placement)
}

/// What cannot stand together.
fn agree(item: &mut Item<'_, '_>, block: &Block, placement: &PlacementIntent) -> Outcome<()> {
    let mut refuse = |attribute: &str, message: &str, help: &str| {
        let span = block.body.attribute(attribute).map(|a| a.value.span);
        let origin = item.ev.files.origin(span.unwrap_or(block.head));
        let finding = Diagnostic::error("conflicting_placement", message)
            .at(&origin, "not together")
            .help(help);
        Err(item.ev.report(finding))
    };
    let weighted = placement.prefer == Preference::Balance;
    if !placement.weights.is_empty() && !weighted {
        return refuse(
            "weights",
            "`weights` say how a fleet is balanced, and this one is not",
            "add `prefer = \"balance\"`, or take `weights` out",
        );
    }
    if placement.move_threshold.is_some() && placement.prefer == Preference::Order {
        return refuse(
            "move_threshold",
            "a fleet that goes to the first site with room is never moved for its price",
            "add `prefer = \"cost\"`, or take `move_threshold` out",
        );
    }
    if placement.move_threshold.is_some() && placement.survive {
        return refuse(
            "move_threshold",
            "`move_threshold` and `survive` cannot both be had: a fleet that must survive a loss stays where it is",
            "take one of the two out",
        );
    }
    if placement.spot.on_demand_base > 0 && placement.spot.share_percent == 0 {
        return refuse(
            "on_demand_base",
            "`on_demand_base` says how many are never spot, and none is",
            "add `spot_percent`, or take `on_demand_base` out",
        );
    }
    let one = item.thing.noun == strat_model::Noun::Machine;
    for (attribute, given) in [
        ("survive", placement.survive),
        ("unit", placement.unit > 1),
        ("weights", !placement.weights.is_empty()),
        ("on_demand_base", placement.spot.on_demand_base > 0),
        ("move_threshold", placement.move_threshold.is_some()),
    ] {
        if one && given {
            return refuse(
                attribute,
                &format!("`{attribute}` is for fleets: a `machine` is one, and keeps its place"),
                "write `machines` with a `count`, or take it out",
            );
        }
    }
    Ok(())
}

fn spot(item: &mut Item<'_, '_>, block: &Block) -> Outcome<SpotIntent> {
    let share_percent = item.nested(block, "spot_percent", percent);
    let on_demand_base = item.nested(block, "on_demand_base", number);
    Ok(SpotIntent {
        share_percent: share_percent?.unwrap_or(0),
        on_demand_base: on_demand_base?.unwrap_or(0),
    })
}

fn arch(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<String> {
    let text = read::text(ev, arg)?;
    // What Go, Debian and Google call them.
    match text.as_str() {
        "amd64" | "x86-64" => return Ok("x86_64".to_owned()),
        "arm64" => return Ok("aarch64".to_owned()),
        _ => {}
    }
    read::choice(ev, arg, &text, &["x86_64", "aarch64"])?;
    Ok(text)
}

fn spread(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Spread> {
    let text = read::text(ev, arg)?;
    let choices = [Spread::None, Spread::Zone];
    let at = read::choice(ev, arg, &text, &["none", "zone"])?;
    Ok(choices[at])
}

fn prefer(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Preference> {
    let text = read::text(ev, arg)?;
    let choices = [
        Preference::Order,
        Preference::Owned,
        Preference::Cost,
        Preference::Balance,
    ];
    let at = read::choice(ev, arg, &text, &["order", "owned", "cost", "balance"])?;
    Ok(choices[at])
}

fn bounded(ev: &mut Evaluator<'_>, arg: &Arg<'_>, least: i64, most: i64) -> Outcome<u32> {
    let number = read::int(ev, arg)?;
    let fits = Some(number).filter(|n| (least..=most).contains(n));
    fits.and_then(|n| u32::try_from(n).ok()).ok_or_else(|| {
        let message = format!("`{}` is {number}", arg.name);
        let help = format!("use a whole number from {least} to {most}");
        read::bad(ev, arg, "bad_number", message, &help)
    })
}

fn percent(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u32> {
    bounded(ev, arg, 0, 100)
}

fn number(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u32> {
    bounded(ev, arg, 0, MAX_NUMBER)
}

fn positive(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u32> {
    bounded(ev, arg, 1, MAX_NUMBER)
}

fn gpus(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u32> {
    bounded(ev, arg, 0, MAX_GPUS)
}

fn survive(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<bool> {
    Ok(bounded(ev, arg, 0, 1)? == 1)
}

/// An amount of US dollars, which is what the offers are in.
pub(super) fn dollars(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Money> {
    let text = read::text(ev, arg)?;
    let money: Option<Money> = text.parse().ok();
    let money = money.filter(|money| !money.amount.is_sign_negative());
    match money {
        Some(money) if money.currency == Currency::Usd => Ok(money),
        Some(money) => {
            let message = format!("`{}` is in {}", arg.name, money.currency);
            let help = "the clouds' prices are in US dollars: write `\"500 USD\"`";
            Err(read::bad(ev, arg, "bad_money", message, help))
        }
        None => {
            let message = format!("`{text}` is not an amount of money");
            let help = "write the amount and the currency: `\"500 USD\"`";
            Err(read::bad(ev, arg, "bad_money", message, help))
        }
    }
}

fn max_price(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Money> {
    dollars(ev, arg)
}

fn weights(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<BTreeMap<Name, u32>> {
    let Value::Map(map) = &arg.value else {
        let help = "write `{ east = 2, west = 1 }`".to_owned();
        return Err(read::wrong(
            ev,
            arg,
            "a map of sites to numbers",
            Some(help),
        ));
    };
    let mut weights = BTreeMap::new();
    let mut result = Ok(());
    for (key, value) in map.iter() {
        let span = read::entry(arg, key).unwrap_or(arg.span);
        let Some((name, _)) = ev.program.sites.get_key_value(&**key) else {
            let names = ev.program.sites.keys().map(Name::as_str);
            let help = suggest(key, "there are", names);
            let message = format!("there is no site `{key}`");
            result = Err(ev.fail(span, "unknown_reference", message, "no such site", help));
            continue;
        };
        let own = Arg {
            name: "weights",
            value: value.clone(),
            span,
            expr: None,
        };
        match number(ev, &own) {
            Ok(weight) => {
                weights.insert(name.clone(), weight);
            }
            Err(failed) => result = Err(failed),
        }
    }
    result?;
    if weights.values().all(|weight| *weight == 0) {
        let message = "no site has any weight";
        let help = "give at least one site a number above zero";
        return Err(read::bad(ev, arg, "bad_number", message, help));
    }
    Ok(weights)
}

/// The ceiling's least amount of memory is checked with the size that it bounds.
pub(super) fn ceiling(
    item: &mut Item<'_, '_>,
    size: &strat_model::Size,
    hardware: &HardwareIntent,
) -> Outcome<()> {
    let strat_model::Size::AtLeast { cpu, memory } = size else {
        for name in ["arch", "cpu_max", "memory_max", "gpus", "gpu", "burstable"] {
            if item.thing.attribute(name).is_some() {
                let finding = Diagnostic::error(
                    "two_sizes",
                    format!("`{name}` stands beside `machine_type`, which says it already"),
                )
                .at(&item.origin(name), "the type settles this")
                .help("keep one of the two");
                return Err(item.report(finding));
            }
        }
        return Ok(());
    };
    let low = |name: &'static str, least: String| {
        Diagnostic::error(
            "impossible_size",
            format!("`{name}` is below the least that is asked for, {least}"),
        )
        .help(format!("raise `{name}`, or ask for less"))
    };
    if hardware.cpu_max.is_some_and(|most| most < *cpu) {
        let finding = low("cpu_max", format!("{cpu} CPUs")).at(&item.origin("cpu_max"), "too low");
        return Err(item.report(finding));
    }
    let below = |most: Bytes| most < *memory;
    if hardware.memory_max.is_some_and(below) {
        let finding =
            low("memory_max", memory.to_string()).at(&item.origin("memory_max"), "too low");
        return Err(item.report(finding));
    }
    Ok(())
}
