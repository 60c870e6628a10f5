//! Asking new machines whether they do their work, before old ones go.

use std::net::IpAddr;
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use jiff::Timestamp;
use strat_model::{ErrorKind, HealthAddress, HealthCheck, Resource, ResourceId, ResourceState};
use strat_planner::StepId;

use super::context::Failure;
use super::step::StepRun;
use super::wait::Until;
use crate::health::Question;
use crate::{StopLevel, lock};

/// How many machines are asked at once.
const AT_ONCE: usize = 64;

impl StepRun<'_, '_> {
    /// Asks machines again and again until all are healthy. One that is not in time fails the step.
    pub(super) async fn probe(
        &mut self,
        made: &[StepId],
        ids: &[ResourceId],
        health: Option<&HealthCheck>,
    ) -> Result<(), Failure> {
        let mut all = ids.to_vec();
        {
            let known = lock(&self.context.made);
            all.extend(made.iter().flat_map(|id| known.get(id)).flatten().cloned());
        }
        let Some(health) = health else {
            self.wait(&all, &Until::Ready).await?;
            return Ok(());
        };
        self.rest(all.len());
        let stop = &self.context.run.stop;
        let this = &*self;
        let asking = async {
            let mut asked = Vec::new();
            for id in &all {
                asked.push(this.until_healthy(id, health));
            }
            let mut asked = stream::iter(asked).buffer_unordered(AT_ONCE);
            while let Some(answer) = asked.next().await {
                answer?;
            }
            Ok(())
        };
        tokio::select! {
            biased;
            done = asking => done,
            () = stop.reached(StopLevel::Finish) => Err(Failure::Abandoned),
        }
    }

    async fn until_healthy(&self, id: &ResourceId, health: &HealthCheck) -> Result<(), Failure> {
        let run = &self.context.run;
        let patience = Duration::from_millis(health.timeout_ms);
        let pause = Duration::from_millis(health.interval_ms);
        let deadline = run.clock.now().checked_add(patience);
        let deadline = deadline.unwrap_or(Timestamp::MAX);
        loop {
            let why = match self.ask(id, health, pause).await? {
                Ok(()) => return Ok(()),
                Err(why) => why,
            };
            if run.clock.now() >= deadline {
                let what = format!(
                    "machine {id} is not healthy after {} s: {why}; no machine of {} is deleted \
                     for it",
                    patience.as_secs_f64(),
                    self.step.addr.local
                );
                let help = "see why it does not answer, then apply again";
                return Err(self.error(ErrorKind::Timeout, what).with_help(help).into());
            }
            run.clock.sleep(pause).await;
        }
    }

    /// Asks once; what it gives is why the machine is not healthy.
    async fn ask(
        &self,
        id: &ResourceId,
        health: &HealthCheck,
        patience: Duration,
    ) -> Result<Result<(), String>, Failure> {
        let (site, kind) = (&self.step.site, self.step.kind);
        let read = self
            .context
            .read(site, kind, std::slice::from_ref(id))
            .await;
        let read = read.map_err(|error| error.with_addr(&self.step.addr))?;
        let Some(machine) = read.into_iter().flatten().next() else {
            return Ok(Err("it is not there any more".to_owned()));
        };
        if machine.state != ResourceState::Ready {
            return Ok(Err(format!("it is {}", machine.state.as_str())));
        }
        let address = match address(&machine, health.address) {
            Ok(address) => address,
            Err(why) => return Ok(Err(why)),
        };
        let question = Question {
            address,
            port: health.port,
            path: health.path.clone(),
            patience,
        };
        let answer = self.context.run.health.ask(&question).await;
        Ok(answer.map_err(|why| format!("{question}: {why}")))
    }
}

/// The address at which a machine is asked.
fn address(machine: &Resource, which: HealthAddress) -> Result<IpAddr, String> {
    let (attribute, word) = match which {
        HealthAddress::Private => ("private_ip", "private"),
        HealthAddress::Public => ("public_ip", "public"),
    };
    let text = machine.attributes.get(attribute);
    let text = text.ok_or_else(|| format!("it has no {word} address"))?;
    text.parse()
        .map_err(|_| format!("its {word} address `{text}` is none"))
}
