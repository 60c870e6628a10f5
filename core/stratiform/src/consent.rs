//! Consent, by name, to the loss of data.

use std::fmt;
use std::str::FromStr;

use strat_engine::Consent;
use strat_model::{Addr, LocalAddr, Name, ResourceId};
use strat_planner::{DataLoss, Mode};

use crate::{Error, SavedPlan};

/// Consent to the loss of some data: `volume.db@dc1`, of one real thing `volume.db@dc1=vol-1`, or
/// for a whole `destroy` the topology's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowDataLoss {
    /// Of what is at one address.
    Thing {
        /// The address, with its site.
        addr: Addr,
        /// The only real thing there that is meant; `None`: the one that the plan shows.
        id: Option<ResourceId>,
    },
    /// Of everything that a `destroy` of the topology of this name deletes.
    Topology(Name),
}

/// Why a text is no consent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "write it as an address with its site (`volume.db@dc1`), with or without `=ID`, or, for a destroy, as the topology's name; there are no patterns"
)]
pub struct AllowDataLossError;

impl FromStr for AllowDataLoss {
    type Err = AllowDataLossError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(addr) = text.parse() {
            return Ok(Self::Thing { addr, id: None });
        }
        // A key in an address may hold an equals sign.
        for (at, _) in text.match_indices('=') {
            if let (Ok(addr), id) = (text[..at].parse(), &text[at + 1..])
                && !id.is_empty()
            {
                let id = Some(ResourceId::from(id));
                return Ok(Self::Thing { addr, id });
            }
        }
        match (text.parse::<LocalAddr>(), Name::new(text)) {
            // What is at every site of an address is not one thing.
            (Err(_), Ok(name)) => Ok(Self::Topology(name)),
            _ => Err(AllowDataLossError),
        }
    }
}

impl fmt::Display for AllowDataLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Thing { addr, id: None } => write!(f, "{addr}"),
            Self::Thing { addr, id: Some(id) } => write!(f, "{addr}={id}"),
            Self::Topology(name) => write!(f, "{name}"),
        }
    }
}

impl AllowDataLoss {
    /// The names that a plan needs, each bound to its real thing.
    #[must_use]
    pub fn all_of(saved: &SavedPlan) -> Vec<Self> {
        let losses = saved.plan.data_loss.iter();
        let one = |loss: &DataLoss| Self::Thing {
            addr: loss.addr.clone(),
            id: Some(loss.id.clone()),
        };
        losses.map(one).collect()
    }

    fn covers(&self, loss: &DataLoss, whole_destroy: Option<&Name>) -> bool {
        match self {
            Self::Thing { addr, id } => {
                *addr == loss.addr && id.as_ref().is_none_or(|id| *id == loss.id)
            }
            Self::Topology(name) => whole_destroy == Some(name),
        }
    }
}

/// The argument of `strat apply` that agrees to a loss, as a shell takes it.
#[must_use]
pub fn argument(loss: &DataLoss) -> String {
    format!("--allow-data-loss {}", quoted(&loss.addr))
}

/// An address as a shell takes it.
#[must_use]
pub fn quoted(addr: &Addr) -> String {
    let addr = addr.to_string();
    match addr.contains(['"', '[', '\'']) {
        true => format!("'{}'", addr.replace('\'', r"'\''")),
        false => addr,
    }
}

/// The topology's name, where it is consent to all that a plan destroys: to a whole `destroy`, and
/// to nothing else.
#[must_use]
pub fn whole_destroy(saved: &SavedPlan) -> Option<&Name> {
    let whole = saved.plan.mode == Mode::Destroy && saved.targets.is_empty();
    whole.then_some(&saved.plan.topology.topology)
}

/// What of a plan's loss of data was not agreed to.
#[must_use]
pub fn not_agreed(saved: &SavedPlan, allowed: &[AllowDataLoss]) -> Vec<DataLoss> {
    let whole = whole_destroy(saved);
    let agreed = |loss: &DataLoss| allowed.iter().any(|one| one.covers(loss, whole));
    let losses = saved.plan.data_loss.iter();
    losses.filter(|loss| !agreed(loss)).cloned().collect()
}

/// The real things whose data may go: those of this plan, by their ids. What a later round of the
/// same apply finds at the same address is not among them.
pub(crate) fn consent(saved: &SavedPlan, allowed: &[AllowDataLoss]) -> Result<Consent, Error> {
    let losses = not_agreed(saved, allowed);
    if !losses.is_empty() {
        let topology = whole_destroy(saved).cloned();
        return Err(Error::DataLoss { losses, topology });
    }
    let losses = saved.plan.data_loss.iter();
    let things = losses.map(|loss| (loss.addr.site.clone(), loss.id.clone()));
    Ok(Consent::to_lose(things))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read() {
        let thing = |addr: &str, id: Option<&str>| AllowDataLoss::Thing {
            addr: addr.parse().expect(addr),
            id: id.map(ResourceId::from),
        };
        for (text, want) in [
            ("volume.db@dc1", thing("volume.db@dc1", None)),
            ("volume.db@dc1=vol-1", thing("volume.db@dc1", Some("vol-1"))),
            (
                r#"machine.db["a=b"]@dc1=i=1"#,
                thing(r#"machine.db["a=b"]@dc1"#, Some("i=1")),
            ),
            (
                "shop",
                AllowDataLoss::Topology("shop".parse().expect("name")),
            ),
        ] {
            let read: AllowDataLoss = text.parse().expect(text);
            assert_eq!(read, want);
            assert_eq!(read.to_string(), text);
        }
        for text in ["", "volume.*@dc1", "volume.db", "volume.db@dc1=", "*"] {
            assert_eq!(
                text.parse::<AllowDataLoss>(),
                Err(AllowDataLossError),
                "{text}"
            );
        }
    }
}
