//! What can be done to things of the world.

use std::collections::BTreeSet;

use clap::{Args, Subcommand};
use strat_sim::{Disturbance, SimControl};
use stratiform::model::{
    Bytes, Direction, FirewallRule, Kind, Name, Peer, PortRange, Protocol, Resource,
};

use super::find;
use super::status::parse_kind;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Which things.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// An address, an id or a name.
    which: String,

    /// All that are meant, not only the first.
    #[arg(long)]
    all: bool,
}

/// What can be done to a thing.
#[derive(Debug, Subcommand)]
pub(super) enum On {
    /// Delete a machine by hand.
    DeleteMachine(Which),
    /// Delete a thing by hand, under the cloud's own rules.
    Delete {
        #[command(flatten)]
        which: Which,
        /// Its kind, where an id or name alone is not clear.
        #[arg(long, value_parser = parse_kind)]
        kind: Option<Kind>,
    },
    /// Switch a machine off.
    Stop(Which),
    /// Let a machine hang, so that it does not shut down when it is asked to.
    Hang(Which),
    /// Break a machine for good.
    Break(Which),
    /// Let the cloud end a machine by itself, and say why.
    EndMachine {
        #[command(flatten)]
        which: Which,
        /// Why, in the cloud's words.
        #[arg(default_value = "Server.InternalError: Internal error on launch")]
        why: String,
    },
    /// Resize a machine.
    ResizeMachine {
        #[command(flatten)]
        which: Which,
        /// The machine type.
        #[arg(value_name = "TYPE")]
        machine_type: String,
    },
    /// Resize a volume.
    ResizeVolume {
        #[command(flatten)]
        which: Which,
        /// The new size, such as `300GiB`.
        size: Bytes,
    },
    /// Detach a volume from its machine.
    Detach(Which),
    /// Put objects into a bucket, or take them out.
    FillBucket {
        #[command(flatten)]
        which: Which,
        /// How many it holds from now on.
        objects: u64,
    },
    /// Set a label of a thing; without a value, take it away.
    Label {
        #[command(flatten)]
        which: Which,
        /// The label.
        key: String,
        /// Its new value.
        value: Option<String>,
    },
    /// Take a thing's ownership mark away.
    Unmark(Which),
    /// Call a thing otherwise.
    Rename {
        #[command(flatten)]
        which: Which,
        /// Its new name.
        name: String,
    },
    /// Make another like a machine or volume, with its name, labels and ownership mark.
    Clone(Which),
    /// Restore a volume from a snapshot of it, with its tags: another volume like it.
    Restore(Which),
    /// Write a thing's ownership mark to another.
    Forge {
        #[command(flatten)]
        which: Which,
        /// The other, by its id or name.
        to: String,
    },
    /// Let lists not show a thing for a while; who reads it by its id sees it.
    Forget {
        #[command(flatten)]
        which: Which,
        /// For how many minutes.
        #[arg(long, default_value_t = 20)]
        minutes: u32,
        /// Let reads by its id not see it, either.
        #[arg(long)]
        reads: bool,
    },
    /// Add a rule to a firewall, in place of one of its name.
    AddRule {
        #[command(flatten)]
        which: Which,
        /// The rule's name.
        rule: Name,
        /// A port or range, such as `8080` or `5432-5433`; without one, all.
        #[arg(long)]
        port: Vec<PortRange>,
        /// Whom it admits: a range of addresses; without one, the internet.
        #[arg(long)]
        from: Option<String>,
    },
    /// Take a rule away from a firewall.
    DeleteRule {
        #[command(flatten)]
        which: Which,
        /// The rule's name.
        rule: Name,
        /// An outward rule.
        #[arg(long)]
        egress: bool,
    },
}

impl On {
    pub(super) fn run(self, control: &SimControl, context: &Context) -> Result<Exit, Failure> {
        let (which, kind) = self.subject();
        let mut found = find::things(control, &which.which, kind)?;
        if !which.all {
            found.truncate(1);
        }
        for (region, thing) in found {
            let what = self.disturbance(&thing)?;
            let touched = control
                .disturb(&region, &what)
                .map_err(|error| find::failed(&error))?;
            tell(context, touched.first().unwrap_or(&thing));
        }
        Ok(Exit::Done)
    }

    /// What is meant, and of which kind it can only be.
    fn subject(&self) -> (&Which, Option<Kind>) {
        match self {
            Self::Delete { which, kind } => (which, *kind),
            Self::Label { which, .. }
            | Self::Unmark(which)
            | Self::Clone(which)
            | Self::Rename { which, .. }
            | Self::Forge { which, .. }
            | Self::Forget { which, .. } => (which, None),
            Self::Restore(which) => (which, Some(Kind::Volume)),
            Self::DeleteMachine(which)
            | Self::Stop(which)
            | Self::Hang(which)
            | Self::Break(which)
            | Self::EndMachine { which, .. }
            | Self::ResizeMachine { which, .. } => (which, Some(Kind::Machine)),
            Self::ResizeVolume { which, .. } | Self::Detach(which) => (which, Some(Kind::Volume)),
            Self::FillBucket { which, .. } => (which, Some(Kind::Bucket)),
            Self::AddRule { which, .. } | Self::DeleteRule { which, .. } => {
                (which, Some(Kind::Firewall))
            }
        }
    }

    fn disturbance(&self, thing: &Resource) -> Result<Disturbance, Failure> {
        use Disturbance as D;
        let (kind, which) = (thing.kind(), thing.id.to_string());
        Ok(match self {
            Self::DeleteMachine(_) | Self::Delete { .. } => D::Delete { kind, which },
            Self::Stop(_) => D::StopMachine { which },
            Self::Hang(_) => D::HangMachine { which },
            Self::Break(_) => D::BreakMachine { which },
            Self::EndMachine { why, .. } => D::EndMachine {
                which,
                why: why.clone(),
            },
            Self::ResizeMachine { machine_type, .. } => D::ResizeMachine {
                which,
                machine_type: machine_type.clone(),
            },
            Self::ResizeVolume { size, .. } => D::ResizeVolume { which, size: *size },
            Self::Detach(_) => D::DetachVolume { which },
            Self::FillBucket { objects, .. } => D::FillBucket {
                which,
                objects: *objects,
            },
            Self::Label { key, value, .. } => D::SetLabel {
                kind,
                which,
                key: key.clone(),
                value: value.clone(),
            },
            Self::Unmark(_) => D::SetMark {
                kind,
                which,
                mark: None,
            },
            Self::Rename { name, .. } => D::Rename {
                kind,
                which,
                name: name.clone(),
            },
            Self::Clone(_) | Self::Restore(_) => D::Clone { kind, which },
            Self::Forge { to, .. } => D::Forge {
                kind,
                which,
                to: to.clone(),
            },
            Self::Forget { minutes, reads, .. } => {
                let for_ms = u64::from(*minutes) * 60_000;
                match reads {
                    true => D::Vanish {
                        kind,
                        which,
                        for_ms,
                    },
                    false => D::Forget {
                        kind,
                        which,
                        for_ms,
                    },
                }
            }
            Self::AddRule {
                rule, port, from, ..
            } => D::SetRule {
                which,
                rule: Box::new(ingress(rule, port, from.as_deref())?),
            },
            Self::DeleteRule { rule, egress, .. } => D::DeleteRule {
                which,
                rule: rule.clone(),
                direction: if *egress {
                    Direction::Egress
                } else {
                    Direction::Ingress
                },
            },
        })
    }
}

pub(super) fn tell(context: &Context, thing: &Resource) {
    let addr = thing
        .mark
        .as_ref()
        .map_or_else(String::new, |mark| format!(" ({})", mark.addr));
    context.output.note(&format!(
        "{} {}{addr}: {}\n",
        thing.kind(),
        thing.id,
        thing.state.as_str()
    ));
}

fn ingress(
    name: &Name,
    ports: &[PortRange],
    from: Option<&str>,
) -> Result<FirewallRule<stratiform::model::ResourceId>, Failure> {
    let peer = match from {
        None => Peer::Internet,
        Some(cidr) => Peer::Cidr(cidr.parse().map_err(|_| {
            Failure::new(format!("`{cidr}` is no range of addresses"))
                .help("write it like 10.0.0.0/8")
        })?),
    };
    Ok(FirewallRule {
        name: name.clone(),
        direction: Direction::Ingress,
        peers: BTreeSet::from([peer]),
        protocol: Protocol::Tcp,
        ports: ports.iter().copied().collect(),
    })
}
