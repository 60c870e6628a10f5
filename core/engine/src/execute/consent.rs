//! What was agreed to by name.

use std::collections::BTreeSet;

use strat_model::{Addr, Name, ResourceId};

/// What was agreed to by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consent {
    /// The real things whose data may go for good, by site and id.
    data: BTreeSet<(Name, ResourceId)>,
    /// The machines whose power may be cut.
    power: BTreeSet<Addr>,
}

impl Consent {
    /// Consent to the loss of some things' data.
    pub fn to_lose(things: impl IntoIterator<Item = (Name, ResourceId)>) -> Self {
        Self {
            data: things.into_iter().collect(),
            power: BTreeSet::new(),
        }
    }

    /// The same, and consent to cut the power of machines that do not shut down in time.
    #[must_use]
    pub fn and_to_cut(self, machines: impl IntoIterator<Item = Addr>) -> Self {
        Self {
            power: machines.into_iter().collect(),
            ..self
        }
    }

    /// Whether the data of a thing may go.
    #[must_use]
    pub fn may_lose(&self, site: &Name, id: &ResourceId) -> bool {
        self.data.contains(&(site.clone(), id.clone()))
    }

    /// Whether the power of a machine may be cut.
    #[must_use]
    pub fn may_cut(&self, machine: &Addr) -> bool {
        self.power.contains(machine)
    }
}
