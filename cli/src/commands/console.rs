//! `strat console`

use std::io::{BufRead as _, IsTerminal as _};

use clap::Args;
use stratiform::model::{Diagnostic, Inventory};
use stratiform::topology::{EXPRESSION, Inputs, SourceFile, Sources, Topology};

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::diagnostics::diagnostics;

/// Evaluate expressions of the topology language, one a line.
///
/// They may name everything that the topology declares: variables, locals, sites, blocks, modules.
/// What only an apply tells, such as an address, is asked of the sites; with --offline it is not known.
/// Nothing is changed. Without a topology in the current folder, functions and constants work.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat console
  strat console --expr 'cidrsubnet(\"10.0.0.0/16\", 4, 2)'
  strat console --expr 'machines.web.private_ips' --expr 'var.env'
  echo 'local.ports' | strat console --offline")]
pub(crate) struct Console {
    #[command(flatten)]
    topology: TopologyArgs,

    /// Evaluate this, and end; may be given more than once.
    #[arg(long, short, value_name = "EXPRESSION")]
    expr: Vec<String>,

    /// Ask no site what is there.
    #[arg(long)]
    offline: bool,
}

/// What expressions are asked of.
struct Asked<'a> {
    topology: Topology,
    inputs: Inputs,
    inventory: Option<Inventory>,
    context: &'a Context,
}

impl Console {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let asked = self.asked(context)?;
        if !self.expr.is_empty() {
            let mut all = true;
            for text in &self.expr {
                all &= asked.answer(text)?;
            }
            return Ok(if all { Exit::Done } else { Exit::Failed });
        }
        asked.lines()
    }

    fn asked<'a>(&self, context: &'a Context) -> Result<Asked<'a>, Failure> {
        let path = &self.topology.path;
        let is_default = path.as_os_str() == ".";
        if is_default && Sources::load(path).is_err() {
            let none = SourceFile::new("none.hcl", "topology \"none\" {}\n");
            let sources = Sources::from_files(path.clone(), vec![none]);
            let topology = Topology::parse(&sources).map_err(|_| Failure::new("no topology"))?;
            return Ok(Asked {
                topology,
                inputs: Inputs::default(),
                inventory: None,
                context,
            });
        }
        let inputs = context.inputs(path, &self.topology.vars)?;
        let workspace = context.load_sites(&self.topology)?;
        let topology = Topology::parse(workspace.sources());
        let topology = topology.map_err(|_| Failure::new("the topology changed meanwhile"))?;
        let inventory = match self.offline {
            true => None,
            false => Some(context.block_on(async {
                let (session, _events) = context.connect(workspace).await?;
                let seen = session.observe().await;
                let seen = seen.map_err(|error| context.failure(&error))?;
                context.tell_problems(&seen.problems);
                Ok(seen.inventory)
            })?),
        };
        Ok(Asked {
            topology,
            inputs,
            inventory,
            context,
        })
    }
}

impl Asked<'_> {
    /// Answers lines until there are no more.
    fn lines(&self) -> Result<Exit, Failure> {
        let input = std::io::stdin();
        let person = input.is_terminal();
        let prompt = || {
            if person {
                self.context.output.note("> ");
            }
        };
        if person {
            let hello = "An expression a line; `exit` or Ctrl-D ends.\n";
            self.context.output.note(hello);
        }
        prompt();
        let mut all = true;
        for line in input.lock().lines() {
            let line = line.map_err(|error| {
                Failure::new("the expressions cannot be read").caused_by(&error)
            })?;
            match line.trim() {
                "" => {}
                "exit" | "quit" => break,
                text => all &= self.answer(text)?,
            }
            prompt();
        }
        Ok(if all || person {
            Exit::Done
        } else {
            Exit::Failed
        })
    }

    /// Writes the value of an expression, or tells what is wrong with it; whether it has one.
    fn answer(&self, text: &str) -> Result<bool, Failure> {
        let answer = self
            .topology
            .ask(&self.inputs, self.inventory.as_ref(), text);
        match answer {
            Ok(value) => {
                self.context.output.data(&format!("{value}\n"))?;
                Ok(true)
            }
            Err(found) => {
                self.tell(&found, text);
                Ok(false)
            }
        }
    }

    fn tell(&self, found: &[Diagnostic], text: &str) {
        let file = SourceFile::new(EXPRESSION, text);
        let sources = Sources::from_files("", vec![file]);
        let told = diagnostics(found, &sources, self.context.look());
        self.context.output.note(&told);
    }
}
