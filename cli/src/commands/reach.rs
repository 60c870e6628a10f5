//! `strat reach`

use clap::{Args, ValueEnum};
use stratiform::answer::Reached;
use stratiform::model::{Asked, AskedError, End, EndError, PortRange, Protocol};
use stratiform::planner::{Passes, Question};

use crate::args::{PathArgs, TopologyArgs};
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render;

/// Say whether traffic may pass from one place to another, and what decides it.
///
/// The topology alone answers: no site is asked. What stands between is told hop by hop: the way that
/// packets take, what the firewalls of the machine that sends let out, what those of the machine that
/// receives let in, with each rule's place in the file. A fleet counts as being at every site of its
/// placement, and is answered for each.
///
/// The exit code is 0 where it passes, 2 where it does not or not all of it, and 1 on an error.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat reach machines.web machine.db:5432
  strat reach internet machine.db             # which ports pass at all
  strat reach machines.web@aws machine.db@dc1:tcp/5432
  strat reach 203.0.113.7 machine.bastion:22
  strat reach machine.db internet:udp/53
  strat reach --json machines.web machine.db:5432 | jq '.crossings[] | {from, to, passes, why}'")]
pub(crate) struct Reach {
    /// Who sends: a machine or fleet (`machines.web`, `machines.web@aws`), `internet`, a range or an address.
    #[arg(value_name = "FROM")]
    from: String,

    /// Who receives, and at which port: `5432`, `8000-8099`, `tcp/5432`, `udp/53`, `icmp`. Without one any
    /// port will do, and the answer says which pass.
    #[arg(value_name = "TO[:PORT]")]
    to: String,

    /// The protocol, where the port does not say it.
    #[arg(long, value_enum, value_name = "PROTOCOL")]
    protocol: Option<ProtocolArg>,

    /// Write the answer as JSON.
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    topology: PathArgs,
}

/// A protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ProtocolArg {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
    /// ICMP, which has no ports.
    Icmp,
}

impl From<ProtocolArg> for Protocol {
    fn from(protocol: ProtocolArg) -> Self {
        match protocol {
            ProtocolArg::Tcp => Self::Tcp,
            ProtocolArg::Udp => Self::Udp,
            ProtocolArg::Icmp => Self::Icmp,
        }
    }
}

impl Reach {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let question = self.question()?;
        let workspace = context.load(&TopologyArgs::from(self.topology))?;
        let reached = context.block_on(async {
            let anywhere = workspace.anywhere().await;
            let reached = anywhere.and_then(|anywhere| workspace.reach(&anywhere, &question));
            reached.map_err(|error| context.failure(&error))
        })?;
        if self.json {
            context.output.json(&reached)?;
        } else {
            context.output.data(&render::reached::reached(&reached))?;
        }
        Ok(exit(&reached))
    }

    fn question(&self) -> Result<Question, Failure> {
        let from = self.from.parse::<End>().map_err(|error| no_end(&error))?;
        let (to, asked) = end_and_port(&self.to)?;
        let asked = match (self.protocol.map(Protocol::from), asked) {
            (None, asked) => asked.unwrap_or(Asked::ANYTHING),
            (Some(protocol), None) => Asked {
                protocol,
                ports: Default::default(),
            },
            (Some(protocol), Some(asked)) => with_protocol(&self.to, protocol, asked)?,
        };
        Ok(Question { from, to, asked })
    }
}

/// `machine.db:5432`: the end, and what follows its last colon. An IPv6 address has colons of its own.
fn end_and_port(text: &str) -> Result<(End, Option<Asked>), Failure> {
    let whole = text.parse::<End>();
    let (end, port) = match (&whole, text.rsplit_once(':')) {
        (Ok(_), _) | (Err(_), None) => {
            return whole.map(|end| (end, None)).map_err(|error| no_end(&error));
        }
        (Err(_), Some(parts)) => parts,
    };
    let end = end.parse::<End>().map_err(|error| no_end(&error))?;
    let asked = port
        .parse::<Asked>()
        .map_err(|error: AskedError| Failure::of(&error))?;
    Ok((end, Some(asked)))
}

fn with_protocol(text: &str, protocol: Protocol, asked: Asked) -> Result<Asked, Failure> {
    let has_ports = |ports: &std::collections::BTreeSet<PortRange>| !ports.is_empty();
    let says_another =
        asked.protocol != protocol && (text.contains('/') || !has_ports(&asked.ports));
    if says_another {
        return Err(
            Failure::new(format!("`{text}` names another protocol than --protocol"))
                .help("say it once"),
        );
    }
    if protocol == Protocol::Icmp && has_ports(&asked.ports) {
        return Err(Failure::new("icmp has no ports").help("leave the port out"));
    }
    Ok(Asked { protocol, ..asked })
}

fn no_end(error: &EndError) -> Failure {
    Failure::of(error)
}

fn exit(reached: &Reached) -> Exit {
    match reached.passes {
        Passes::Yes => Exit::Done,
        Passes::May | Passes::No => Exit::Refused,
    }
}
