//! What can be done to a site of the world.

use clap::Subcommand;
use strat_sim::{Disturbance, Fault, Narrow, Pace, PlannedFault, SimControl};
use stratiform::model::{Bytes, CapacityKind, ErrorKind, Name, Scope};

use super::disturb::tell;
use super::find;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// What can be done to a site.
#[derive(Debug, Subcommand)]
pub(super) enum OnSite {
    /// Let machine types run short.
    Stock {
        /// The site.
        site: String,
        /// The machine type; without one, every one.
        #[arg(long = "type", value_name = "TYPE")]
        machine_type: Option<String>,
        /// The zone; without one, every one.
        #[arg(long)]
        zone: Option<Name>,
        /// How it is bought: on_demand, spot, reserved, owned; without one, every way.
        #[arg(long, value_parser = parse_capacity)]
        capacity: Option<CapacityKind>,
        /// How many more may be had; without one, any number again.
        #[arg(long)]
        left: Option<u64>,
    },
    /// Change the account's limit of virtual CPUs.
    Quota {
        /// The site.
        site: String,
        /// The family of machine types; without one, all machines together.
        #[arg(long)]
        family: Option<String>,
        /// The most virtual CPUs that may run; without one, the usual number again.
        cpu: Option<u64>,
    },
    /// Take a zone down.
    LoseZone {
        /// The site.
        site: String,
        /// The zone.
        zone: Name,
    },
    /// Bring a zone back.
    RestoreZone {
        /// The site.
        site: String,
        /// The zone.
        zone: Name,
    },
    /// Take the hosts of a zone out for a while: what is on them stays, and nobody can look at it.
    HostOff {
        /// The site.
        site: String,
        /// The zone.
        zone: Name,
    },
    /// Bring the hosts of a zone back.
    HostOn {
        /// The site.
        site: String,
        /// The zone.
        zone: Name,
    },
    /// Take the region down: no call is answered.
    LoseRegion {
        /// The site.
        site: String,
    },
    /// Bring the region back.
    RestoreRegion {
        /// The site.
        site: String,
    },
    /// Give whoever connects credentials of another account; without one, the right ones again.
    Account {
        /// The site.
        site: String,
        /// The other account.
        account: Option<String>,
    },
    /// Let calls, changes and lists take longer; what is not given is as the site's settings say again.
    Lag {
        /// The site.
        site: String,
        /// How many milliseconds a call takes.
        #[arg(long, value_name = "MS")]
        latency: Option<u64>,
        /// How many milliseconds it takes until a new machine is ready.
        #[arg(long, value_name = "MS")]
        create: Option<u64>,
        /// How many milliseconds it takes until a deleted machine is gone.
        #[arg(long, value_name = "MS")]
        delete: Option<u64>,
        /// How many milliseconds lists are behind what was written.
        #[arg(long, value_name = "MS")]
        lists: Option<u64>,
    },
    /// Let the cloud take less than it does; what is not given is the cloud's own limit again.
    Limits {
        /// The site.
        site: String,
        /// The most user data of a machine, such as `1KiB`.
        #[arg(long, value_name = "SIZE")]
        user_data: Option<Bytes>,
        /// The most disks of a machine, the one that it boots from among them.
        #[arg(long)]
        disks: Option<u32>,
        /// The largest disk or volume, such as `100GiB`.
        #[arg(long, value_name = "SIZE")]
        disk_size: Option<Bytes>,
        /// The most firewalls of a machine.
        #[arg(long)]
        firewalls: Option<u32>,
        /// The most rules of a firewall in one direction, one for each peer and range of ports.
        #[arg(long)]
        rules: Option<u32>,
    },
    /// Limit the calls a second of each operation; without a number, no more.
    Throttle {
        /// The site.
        site: String,
        /// How many.
        per_second: Option<u32>,
    },
    /// Lose a share of the answers to changing calls; without a number, no more.
    LoseAnswers {
        /// The site.
        site: String,
        /// From 0 to 1.
        share: Option<f64>,
    },
    /// Let the next calls fail.
    Fault {
        /// The site.
        site: String,
        /// As what: capacity, quota, throttled, unauthenticated, forbidden, transient, ...
        #[arg(long, value_parser = parse_error_kind, required_unless_present = "silent")]
        kind: Option<ErrorKind>,
        /// How far the failure reaches: call, offer, subnet, zone, region, account, cloud.
        #[arg(long, value_parser = parse_scope, default_value = "call")]
        scope: Scope,
        /// Of which operation, such as `create_machines`; without one, any that changes something.
        #[arg(long)]
        operation: Option<String>,
        /// How many calls.
        #[arg(long, default_value_t = 1)]
        times: u32,
        /// How many calls pass unharmed first.
        #[arg(long, default_value_t = 0)]
        after: u32,
        /// For how many seconds the caller is asked to wait.
        #[arg(long, value_name = "SECONDS", conflicts_with = "lose_answer")]
        retry_after: Option<u32>,
        /// Let the calls take effect, and only lose their answers.
        #[arg(long)]
        lose_answer: bool,
        /// Take the connections and answer nothing, ever.
        #[arg(long, conflicts_with_all = ["kind", "lose_answer", "retry_after"])]
        silent: bool,
    },
    /// End all outages, shortages and faults. Things stay as they are.
    Calm {
        /// The site.
        site: String,
    },
}

impl OnSite {
    pub(super) fn run(self, control: &SimControl, context: &Context) -> Result<Exit, Failure> {
        let (site, what) = self.disturbance();
        let region = find::region(control, &site)?;
        let touched = control
            .disturb(&region, &what)
            .map_err(|error| find::failed(&error))?;
        touched.iter().for_each(|thing| tell(context, thing));
        context.output.note(&format!("Done to {region}.\n"));
        Ok(Exit::Done)
    }

    fn disturbance(self) -> (String, Disturbance) {
        use Disturbance as D;
        match self {
            Self::Stock {
                site,
                machine_type,
                zone,
                capacity,
                left,
            } => {
                let what = D::SetStock {
                    machine_type,
                    zone,
                    capacity,
                    left,
                };
                (site, what)
            }
            Self::Quota { site, family, cpu } => {
                let cpu_limit = cpu;
                (site, D::SetQuota { family, cpu_limit })
            }
            Self::LoseZone { site, zone } => (site, D::LoseZone { zone }),
            Self::RestoreZone { site, zone } => (site, D::RestoreZone { zone }),
            Self::HostOff { site, zone } => (site, D::HideZone { zone }),
            Self::HostOn { site, zone } => (site, D::ShowZone { zone }),
            Self::LoseRegion { site } => (site, D::LoseRegion),
            Self::RestoreRegion { site } => (site, D::RestoreRegion),
            Self::Account { site, account } => (site, D::SwitchAccount { account }),
            Self::Lag {
                site,
                latency,
                create,
                delete,
                lists,
            } => {
                let pace = Pace {
                    latency_ms: latency,
                    create_ms: create,
                    delete_ms: delete,
                    consistency_ms: lists,
                };
                (site, D::SetPace(pace))
            }
            Self::Limits {
                site,
                user_data,
                disks,
                disk_size,
                firewalls,
                rules,
            } => {
                let limits = Narrow {
                    user_data,
                    disks,
                    disk_size,
                    firewalls,
                    rules,
                };
                (site, D::SetLimits(limits))
            }
            Self::Throttle { site, per_second } => (site, D::Throttle { per_second }),
            Self::LoseAnswers { site, share } => (site, D::LoseAnswers { share }),
            Self::Fault {
                site,
                kind,
                scope,
                operation,
                times,
                after,
                retry_after,
                lose_answer,
                silent: _,
            } => {
                let fault = match kind {
                    None => Fault::Silence,
                    Some(kind) if lose_answer => Fault::LoseAnswer { kind },
                    Some(kind) => Fault::Fail {
                        kind,
                        scope,
                        retry_after_ms: retry_after.map(|seconds| u64::from(seconds) * 1_000),
                    },
                };
                let planned = PlannedFault {
                    operation,
                    fault,
                    times,
                    after,
                };
                (site, D::Inject(planned))
            }
            Self::Calm { site } => (site, D::Calm),
        }
    }
}

fn parse_capacity(word: &str) -> Result<CapacityKind, String> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| "there are: on_demand, spot, reserved, owned".to_owned())
}

fn parse_scope(word: &str) -> Result<Scope, String> {
    serde_json::from_value(serde_json::Value::String(word.to_owned()))
        .map_err(|_| "there are: call, offer, subnet, zone, region, account, cloud".to_owned())
}

fn parse_error_kind(word: &str) -> Result<ErrorKind, String> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|_| {
        "there are: not_found, already_exists, conflict, precondition, throttled, capacity, quota, \
         unauthenticated, forbidden, invalid, unsupported, timeout, transient, internal"
            .to_owned()
    })
}
