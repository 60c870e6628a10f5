//! `strat doctor`

use clap::Args;
use futures::future::join_all;
use stratiform::Session;
use stratiform::engine::LeaseStore as _;

use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::style::{CREATE, DELETE, UPDATE, paint};

/// Check that everything is in place: the topology, the sites, the credentials, the state folder.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat doctor
  strat doctor shop.hcl")]
pub(crate) struct Doctor {
    #[command(flatten)]
    topology: TopologyArgs,
}

/// One thing that was looked at.
enum Finding {
    Good(String),
    Warning(String),
    Bad(Failure),
}

impl Doctor {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load(&self.topology)?;
        let mut findings = vec![Finding::Good(format!(
            "the topology `{}` is valid",
            workspace.owner()
        ))];
        context.block_on(async {
            let (session, _events) = context.connect(workspace).await?;
            findings.extend(sites(&session).await);
            findings.push(lease(&session).await);
            findings.push(journal(&session));
            Ok(())
        })?;
        let mut bad = false;
        for finding in findings {
            let text = match finding {
                Finding::Good(text) => format!("{} {text}\n", paint(CREATE, "ok  ")),
                Finding::Warning(text) => format!("{} {text}\n", paint(UPDATE, "look")),
                Finding::Bad(failure) => {
                    bad = true;
                    let help = failure
                        .help
                        .map_or_else(String::new, |help| format!("\n     help: {help}"));
                    format!("{} {}{help}\n", paint(DELETE, "bad "), failure.message)
                }
            };
            context.output.data(&text)?;
        }
        Ok(if bad { Exit::Failed } else { Exit::Done })
    }
}

/// Whether each site answers, and who we are there.
async fn sites(session: &Session) -> Vec<Finding> {
    let unreachable = session.unreachable().iter().map(|problem| {
        let mut failure = Failure::of(&*problem.error);
        failure.message = format!("{}: {}", problem.site, failure.message);
        Finding::Bad(failure)
    });
    let asked = session.sites().iter().map(|(site, provider)| async move {
        match provider.identity().await {
            Ok(identity) => Finding::Good(format!(
                "{site} ({}): {} in {}",
                provider.name(),
                identity.principal,
                identity.account
            )),
            Err(error) => {
                let mut failure = Failure::of(&error);
                failure.message = format!("{site}: {}", failure.message);
                Finding::Bad(failure)
            }
        }
    });
    unreachable.chain(join_all(asked).await).collect()
}

async fn lease(session: &Session) -> Finding {
    match session.lease().current().await {
        Ok(None) => Finding::Good("nobody holds the lease".to_owned()),
        Ok(Some(lease)) => Finding::Warning(format!(
            "{} runs `{}` since {:.0} and holds the lease",
            lease.holder.who(),
            lease.holder.command,
            lease.holder.since
        )),
        Err(error) => Finding::Bad(Failure::of(&error)),
    }
}

fn journal(session: &Session) -> Finding {
    match session.journal() {
        Err(error) => Finding::Bad(Failure::of_library(&error)),
        Ok(journal) => match journal.pending().len() {
            0 => Finding::Good("the journal is whole; nothing was interrupted".to_owned()),
            n => Finding::Warning(format!(
                "an interrupted run left {n} calls open; the next apply finds out what came of them"
            )),
        },
    }
}
