//! What somebody else makes in the world.

use clap::Args;
use strat_sim::{Disturbance, RegionKey, SimControl};
use stratiform::model::{Kind, Resource, Spec};

use super::disturb::tell;
use super::find;
use super::status::parse_kind;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// The most things that one command makes.
const MOST: i64 = 10_000;

/// Make things that no topology owns.
///
/// What they are makes sense where they are: a machine is the smallest that is sold, in the first subnet
/// unless --subnet names another. So a subnet, a quota or owned hardware is filled up by hand.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat sim make east bucket theirs
  strat sim make east machine theirs --count 11 --subnet subnet.app@east/us-east-1a")]
pub(super) struct Make {
    /// The site.
    site: String,
    /// What kind.
    #[arg(value_parser = parse_kind)]
    kind: Kind,
    /// The name; of several, with a number behind it.
    name: String,
    /// How many.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=MOST))]
    count: u32,
    /// The subnet of machines, by its address, id or name.
    #[arg(long, value_name = "WHICH")]
    subnet: Option<String>,
}

impl Make {
    pub(super) fn run(self, control: &SimControl, context: &Context) -> Result<Exit, Failure> {
        let region = find::region(control, &self.site)?;
        let spec = control.plausible(&region, self.kind);
        let mut spec = spec.map_err(|error| find::failed(&error))?;
        if let Some(which) = &self.subnet {
            let subnet = subnet(control, &region, which)?;
            let Spec::Machine(machine) = &mut spec else {
                return Err(Failure::new(format!("a {} is in no subnet", self.kind)));
            };
            if let Some(zone) = subnet.zone() {
                machine.zone = zone.clone();
            }
            machine.subnet = subnet.id;
        }
        for number in 1..=self.count {
            let name = match self.count {
                1 => self.name.clone(),
                _ => format!("{}-{number}", self.name),
            };
            let create = Disturbance::Create {
                name,
                spec: Box::new(spec.clone()),
                mark: None,
            };
            let made = control.disturb(&region, &create);
            let made = made.map_err(|error| find::failed(&error))?;
            made.iter().for_each(|thing| tell(context, thing));
        }
        Ok(Exit::Done)
    }
}

/// The subnet of a region that is meant.
fn subnet(control: &SimControl, region: &RegionKey, which: &str) -> Result<Resource, Failure> {
    let found = find::things(control, which, Some(Kind::Subnet))?;
    let here = found.into_iter().find(|(at, _)| at == region);
    here.map(|(_, subnet)| subnet)
        .ok_or_else(|| Failure::new(format!("the subnet `{which}` is not in {region}")))
}
