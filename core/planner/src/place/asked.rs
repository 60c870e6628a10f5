//! What is asked for of a machine's hardware, in words.

use strat_model::{MachineIntent, Size};

/// What was asked for, in words: the note beside the type that it became. What runs keeps its type
/// while this stays the same.
pub(super) fn request(machine: &MachineIntent) -> String {
    let mut text = match &machine.size {
        Size::AtLeast { cpu, memory } => format!("cpu={cpu} memory={memory}"),
        Size::Type(name) => return format!("type={name}"),
    };
    let hardware = &machine.hardware;
    let mut add = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            text.push_str(&format!(" {name}={value}"));
        }
    };
    add("cpu_max", hardware.cpu_max.map(|most| most.to_string()));
    add(
        "memory_max",
        hardware.memory_max.map(|most| most.to_string()),
    );
    add("arch", hardware.arch.clone());
    add(
        "gpus",
        (hardware.gpus > 0).then(|| hardware.gpus.to_string()),
    );
    add("gpu", hardware.gpu.clone());
    add("burstable", hardware.burstable.map(|is| is.to_string()));
    text
}

/// All of a machine that [`Market::choices`] looks at, in words.
pub(super) fn asked(machine: &MachineIntent) -> String {
    let spot = machine.placement.spot.share_percent > 0;
    match machine.placement.max_price {
        Some(most) => format!("{} spot={spot} max_price={most}", request(machine)),
        None if spot => format!("{} spot", request(machine)),
        None => request(machine),
    }
}
