//! What a burst needs of a run: to look without waiting, to change fleets alone, and to lead.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use strat_engine::{
    Claim, FileLeases, Holder, LeaseError, LeaseGuard, LeasePolicy, Observation, Spot, take,
};
use strat_model::LocalAddr;
use strat_planner::{FleetPlace, Scale, Target, fleet_places};
use strat_provider::LeaseKey;

use crate::{Error, PlanOptions, Planned, Run, Session};

impl Run<'_> {
    /// Looks at everything as it is: what is still being made is not waited for.
    pub async fn observe_now(&self) -> Observation {
        self.observe().await
    }

    /// Plans what decisions of bursts make of fleets, from an observation of this run: machines that
    /// are made and what they need, those that go by name, and what is noted of their draining. What
    /// else the topology asks for is left to [`Run::plan`].
    ///
    /// # Errors
    /// If what a fleet needs finds no place.
    pub async fn plan_scales(
        &self,
        observation: Observation,
        scales: BTreeMap<LocalAddr, Scale>,
    ) -> Result<Planned, Error> {
        let options = PlanOptions {
            targets: scales.keys().cloned().map(Target::Local).collect(),
            scales,
            // The decision knows what ran out, and says when to try again.
            ignore_stock_outs: true,
            ..PlanOptions::default()
        };
        self.session
            .plan_looking(observation, &self.journal, &options)
            .await
    }
}

impl Session {
    /// Where one more machine of a fleet could be, by an observation. What ran out lately is in it, too.
    #[must_use]
    pub fn fleet_places(&self, observation: &Observation, addr: &LocalAddr) -> Vec<FleetPlace> {
        let (facts, seen) = (&observation.facts, &observation.inventory);
        fleet_places(self.workspace().intent(), facts, seen, addr)
    }

    /// Takes the lease of who leads in a matter that several programs could do, such as `burst`: a
    /// lease of its own, beside those of runs, kept where the topology's are. Nobody waits for it.
    ///
    /// It is kept in the topology's store; without one, at the first of its sites, by name, that
    /// keeps leases; and where none does, in the folder.
    ///
    /// # Errors
    /// [`LeaseError::Held`] if another leads; and if a site that comes first gave no answer, since
    /// nobody knows then who does.
    pub async fn lead(&self, matter: &str, holder: &Holder) -> Result<LeaseGuard, Error> {
        let spot = self.leader_spot(matter).await?;
        let term = spot.store.term().map(LeasePolicy::of_term);
        let claim = Claim {
            holder: holder.clone(),
            policy: term.unwrap_or_else(|| self.workspace().lease_policy()),
            folder: None,
            may_make: true,
        };
        let taken = take(&spot, &claim, Duration::ZERO, self.clock(), self.events());
        Ok(taken.await?)
    }

    /// Who leads in a matter, as its lease says; `None` if nobody does. Takes nothing.
    ///
    /// # Errors
    /// As [`Session::lead`], without the first.
    pub async fn leader_spot(&self, matter: &str) -> Result<Spot, Error> {
        let owner = self.workspace().owner().to_string();
        for (name, provider) in self.sites() {
            let silent = self.unreachable().iter().find(|one| one.site < *name);
            if let (Some(silent), None) = (silent, self.lease_store()) {
                return Err(Error::Site {
                    site: silent.site.clone(),
                    source: Arc::clone(&silent.error),
                });
            }
            let spots = self.lease_spots(name, provider).await;
            let spots = spots.map_err(|error| Error::Site {
                site: name.clone(),
                source: Arc::new(error),
            })?;
            if let Some(spot) = spots.into_iter().next() {
                let key = LeaseKey::of(&format!("{owner}/{matter}"), spot.key.place());
                let place = format!("the lead in `{matter}`, at {}", spot.place);
                return Ok(Spot { key, place, ..spot });
            }
        }
        let dir = self.workspace().state().path().join(matter);
        Ok(Spot {
            place: format!("`{}`", dir.display()),
            store: Arc::new(FileLeases::new(&dir, Duration::ZERO)),
            key: LeaseKey::of("folder", matter),
            window: Duration::ZERO,
        })
    }
}

/// Whether an error says that another leads.
#[must_use]
pub fn is_led_by_another(error: &Error) -> bool {
    let held = |error: &LeaseError| {
        matches!(
            error,
            LeaseError::Held { .. } | LeaseError::HeldBySomebody { .. }
        )
    };
    matches!(error, Error::Lease(error) if held(error))
}
