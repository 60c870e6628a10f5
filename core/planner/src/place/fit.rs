//! Whether a size that a site sells will do for a machine.

use rust_decimal::Decimal;
use strat_model::{Bytes, CapacityKind, MachineIntent, Offer, Size, USUAL_ARCH};

use super::offers::dollars;

/// Why an offer will not do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Unfit {
    /// It is another type than the one asked for.
    Type,
    Spot,
    Arch,
    Gpus,
    GpuModel,
    SpareGpus,
    Burstable,
    Steady,
    TooSmall,
    TooLarge,
    TooDear,
    UnknownPrice,
}

impl Unfit {
    /// The same for people, of many offers.
    pub(super) const fn why(self) -> &'static str {
        match self {
            Self::Type => "of another type",
            Self::Spot => "spot, where none is permitted",
            Self::Arch => "of another instruction set",
            Self::Gpus => "with too few accelerators",
            Self::GpuModel => "with another accelerator",
            Self::SpareGpus => "with accelerators that others may need",
            Self::Burstable => "burstable, which `burstable` excludes",
            Self::Steady => "not burstable, which `burstable` asks for",
            Self::TooSmall => "too small",
            Self::TooLarge => "too large",
            Self::TooDear => "above `max_price`",
            Self::UnknownPrice => "without a price, where `max_price` is set",
        }
    }
}

/// Whether an offer will do for a machine, at a site where what is chosen by size has this instruction set.
pub(super) fn fits(
    usual_arch: Option<&str>,
    offer: &Offer,
    machine: &MachineIntent,
) -> Result<(), Unfit> {
    let hardware = &machine.hardware;
    if offer.capacity == CapacityKind::Spot && machine.placement.spot.share_percent == 0 {
        return Err(Unfit::Spot);
    }
    match &machine.size {
        Size::Type(name) if offer.machine_type != *name => return Err(Unfit::Type),
        Size::Type(_) => {}
        Size::AtLeast { cpu, memory } => {
            let arch = hardware.arch.as_deref().or(usual_arch);
            if arch.is_some_and(|arch| offer.arch != arch) {
                return Err(Unfit::Arch);
            }
            if offer.gpus < hardware.gpus {
                return Err(Unfit::Gpus);
            }
            let same = |model: &String| {
                let has = offer.gpu.as_deref();
                has.is_some_and(|has| has.eq_ignore_ascii_case(model))
            };
            if hardware.gpu.as_ref().is_some_and(|model| !same(model)) {
                return Err(Unfit::GpuModel);
            }
            // Those of our own are for who asks for them; what a cloud sells has what it has.
            if offer.capacity == CapacityKind::Owned && offer.gpus > hardware.gpus {
                return Err(Unfit::SpareGpus);
            }
            match hardware.burstable {
                Some(false) if offer.burstable => return Err(Unfit::Burstable),
                Some(true) if !offer.burstable => return Err(Unfit::Steady),
                _ => {}
            }
            if offer.cpu < *cpu || offer.memory < *memory {
                return Err(Unfit::TooSmall);
            }
            let above = |most: Option<Bytes>| most.is_some_and(|most| offer.memory > most);
            if hardware.cpu_max.is_some_and(|most| offer.cpu > most) || above(hardware.memory_max) {
                return Err(Unfit::TooLarge);
            }
        }
    }
    if let Some(most) = machine.placement.max_price {
        match dollars(offer.price_hour) {
            Some(price) if price > most.amount => return Err(Unfit::TooDear),
            // Our own hardware is paid for.
            None if offer.capacity != CapacityKind::Owned => return Err(Unfit::UnknownPrice),
            _ => {}
        }
    }
    Ok(())
}

/// The instruction set of what is chosen by size: the usual one, if any of the offers has it.
pub(super) fn usual_arch(offers: &[Offer]) -> Option<&'static str> {
    let is_usual = |offer: &Offer| offer.arch == USUAL_ARCH;
    offers.iter().any(is_usual).then_some(USUAL_ARCH)
}

/// The cheapest of a site's offers that will do for a machine, whatever room there is; one whose price is
/// not known only where none has one.
#[must_use]
pub fn cheapest_offer<'o>(offers: &'o [Offer], machine: &MachineIntent) -> Option<&'o Offer> {
    let arch = usual_arch(offers);
    let fit = offers.iter().filter(|offer| {
        offer.capacity != CapacityKind::Reserved && fits(arch, offer, machine).is_ok()
    });
    fit.min_by_key(|offer| by_price(offer))
}

/// Cheapest first; without a price last.
pub(super) fn by_price(offer: &Offer) -> (bool, Option<Decimal>, u32, Bytes, &str) {
    let price = offer.price_hour.map(|price| price.amount);
    (
        price.is_none(),
        price,
        offer.cpu,
        offer.memory,
        offer.machine_type.as_str(),
    )
}
