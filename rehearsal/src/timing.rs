//! How fast a copy is.

use serde::Serialize;
use strat_sim::{Behaviour, SimFactory};
use stratiform::model::{SiteFacts, SiteSpec};

/// How long things take at a copy of a site, in milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Timing {
    /// How long a call takes.
    pub call_ms: u64,
    /// How long until a new machine is ready; other slow things take a third of it.
    pub create_ms: u64,
    /// How long until a deleted machine is gone; other slow things take a third of it.
    pub delete_ms: u64,
    /// Whether these numbers are assumed, for want of a site that tells its own.
    pub assumed: bool,
}

/// Round numbers, neither measured nor promised by any vendor: a call in a fifth of a second, a
/// machine in half a minute.
const ASSUMED: Timing = Timing {
    call_ms: 200,
    create_ms: 30_000,
    delete_ms: 30_000,
    assumed: true,
};

/// How a copy behaves: a simulated site as its settings say, any other as is assumed.
pub(crate) fn behaviour(site: &SiteSpec, facts: &SiteFacts) -> (Behaviour, Timing) {
    if site.provider == "sim"
        && let Ok(behaviour) = SimFactory::behaviour_of(site)
    {
        let timing = Timing {
            call_ms: behaviour.latency_ms,
            create_ms: behaviour.create_ms,
            delete_ms: behaviour.delete_ms,
            assumed: false,
        };
        return (behaviour, timing);
    }
    let behaviour = Behaviour {
        latency_ms: ASSUMED.call_ms,
        create_ms: ASSUMED.create_ms,
        delete_ms: ASSUMED.delete_ms,
        consistency_ms: facts.capabilities.consistency_window_ms,
        ..Behaviour::instant()
    };
    (behaviour, ASSUMED)
}
