//! New lineages.

use strat_model::Lineage;

/// A lineage that no topology has yet, from the system's source of chance.
#[must_use]
pub fn new_lineage() -> Lineage {
    let mut rng = fastrand::Rng::new();
    Lineage::draw(|below| rng.u32(..below))
}
