//! `strat doctor`

use std::collections::BTreeMap;
use std::time::Duration;

use clap::Args;
use futures::future::join_all;
use serde_json::{Value, json};
use stratiform::Session;
use stratiform::engine::look;
use stratiform::model::Name;
use stratiform::provider::ProviderExt as _;
use stratiform::provider::{PermissionCheck, PermissionState, Provider};

use super::unlock::told;
use crate::args::TopologyArgs;
use crate::context::{Context, Exit};
use crate::failure::Failure;
use crate::render::style::{CREATE, DELETE, UPDATE, paint};

/// How many permissions that nothing is known of are named in one line.
const NAMED_MAX: usize = 4;

/// Check that everything is in place: the topology, the sites, who we are there and which
/// permissions are missing, the state folder.
///
/// Nothing is made or changed. Fails if something is not as it should be.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  strat doctor
  strat doctor shop.hcl
  strat doctor --json | jq -r '.sites[] | .site as $s | .permissions[]
                               | select(.state == \"missing\") | \"\\($s) \\(.permission)\"'")]
pub(crate) struct Doctor {
    #[command(flatten)]
    topology: TopologyArgs,
    /// Write what was found as JSON.
    #[arg(long)]
    json: bool,
}

/// One thing that was looked at.
enum Finding {
    Good(String),
    Warning(String),
    Bad(Failure),
}

/// What was found at a site.
struct SiteReport {
    findings: Vec<Finding>,
    json: Value,
}

impl Doctor {
    pub(crate) fn run(self, context: &Context) -> Result<Exit, Failure> {
        let workspace = context.load_sites(&self.topology)?;
        let owner = workspace.owner().to_string();
        let named = workspace.owner().named();
        let mut findings = vec![match workspace.unset_variables() {
            [] => Finding::Good(format!("the topology `{named}` is valid")),
            unset => Finding::Warning(format!(
                "the topology `{named}` was looked at as far as it needs no value of `{}`",
                unset.join("`, `")
            )),
        }];
        let mut sites = Vec::new();
        context.block_on(async {
            let (session, _events) = context.connect(workspace).await?;
            for site in look_at_sites(&session).await {
                findings.extend(site.findings);
                sites.push(site.json);
            }
            let silent: Vec<&str> = sites
                .iter()
                .filter(|site| !site["error"].is_null())
                .filter_map(|site| site["site"].as_str())
                .collect();
            let answered = |site: &Name| !silent.contains(&site.as_str());
            findings.extend(leases(&session, answered).await);
            findings.push(journal(&session));
            Ok(())
        })?;
        let bad = findings.iter().any(|f| matches!(f, Finding::Bad(_)));
        if self.json {
            let findings: Vec<_> = findings.iter().map(Finding::to_json).collect();
            context.output.json(&json!({
                "topology": owner, "ok": !bad, "findings": findings, "sites": sites,
            }))?;
        } else {
            let text: String = findings.iter().map(Finding::to_text).collect();
            context.output.data(&text)?;
        }
        Ok(if bad { Exit::Failed } else { Exit::Done })
    }
}

impl Finding {
    fn to_text(&self) -> String {
        match self {
            Self::Good(text) => format!("{} {text}\n", paint(CREATE, "ok  ")),
            Self::Warning(text) => format!("{} {text}\n", paint(UPDATE, "look")),
            Self::Bad(failure) => {
                let help = failure.view.help.as_ref();
                let help = help.map_or_else(String::new, |help| format!("\n     help: {help}"));
                format!("{} {}{help}\n", paint(DELETE, "bad "), failure.view)
            }
        }
    }

    fn to_json(&self) -> Value {
        match self {
            Self::Good(text) => json!({ "state": "ok", "message": text }),
            Self::Warning(text) => json!({ "state": "look", "message": text }),
            Self::Bad(failure) => json!({
                "state": "bad",
                "message": failure.view.message,
                "help": failure.view.help,
                "error": failure.view,
            }),
        }
    }
}

/// Whether each site answers, who we are there, and what we may.
async fn look_at_sites(session: &Session) -> Vec<SiteReport> {
    let unreachable = session.unreachable().iter().map(|problem| SiteReport {
        findings: vec![failed(&problem.site, &*problem.error)],
        json: json!({ "site": problem.site, "error": problem.error.view() }),
    });
    let sites = session.sites().iter();
    let asked = sites.map(|(site, provider)| look_at_site(site, &**provider));
    unreachable.chain(join_all(asked).await).collect()
}

async fn look_at_site(site: &Name, provider: &dyn Provider) -> SiteReport {
    let identity = match provider.identity().await {
        Ok(identity) => identity,
        Err(error) => {
            return SiteReport {
                findings: vec![failed(site, &error)],
                json: json!({
                    "site": site, "provider": provider.name(), "error": error.view(),
                }),
            };
        }
    };
    let mut findings = vec![Finding::Good(format!(
        "{site} ({}): {} in {}",
        provider.name(),
        identity.principal,
        identity.account
    ))];
    let permissions = match provider.check_permissions().await {
        Ok(checks) => {
            findings.extend(permissions(site, &checks));
            checks.iter().map(permission_json).collect()
        }
        Err(error) => {
            findings.push(failed(site, &error));
            Value::Null
        }
    };
    let json = json!({
        "site": site,
        "provider": provider.name(),
        "account": identity.account,
        "principal": identity.principal,
        "permissions": permissions,
    });
    SiteReport { findings, json }
}

fn failed(site: &Name, error: &(dyn std::error::Error + 'static)) -> Finding {
    let mut failure = Failure::of(error);
    failure.view.message = format!("{site}: {}", failure.view.message);
    Finding::Bad(failure)
}

/// What is to be said of a site's permissions: each that is missing by itself, the rest in a line.
fn permissions(site: &Name, checks: &[PermissionCheck]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut granted = 0;
    let mut unknown: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in checks {
        let name = &check.permission;
        match (&check.state, &check.without) {
            (PermissionState::Granted, _) => granted += 1,
            (PermissionState::Missing { why }, None) => {
                let message = format!("{site}: the permission `{name}` is missing: {why}");
                let help = format!("allow `{name}` to the identity that this site uses");
                findings.push(Finding::Bad(Failure::new(message).help(help)));
            }
            (PermissionState::Missing { .. }, Some(without)) => {
                let message = format!("{site}: `{name}` is not allowed; without it, {without}");
                findings.push(Finding::Warning(message));
            }
            (PermissionState::Unknown { why }, _) => unknown.entry(why).or_default().push(name),
        }
    }
    for (why, names) in unknown {
        let mut list = names[..names.len().min(NAMED_MAX)].join(", ");
        if names.len() > NAMED_MAX {
            list = format!("{list} and {} more", names.len() - NAMED_MAX);
        }
        let message = format!("{site}: whether it may {list} is not known: {why}");
        findings.push(Finding::Warning(message));
    }
    if granted > 0 {
        let message = format!(
            "{site}: {granted} of {} permissions are there",
            checks.len()
        );
        findings.insert(0, Finding::Good(message));
    }
    findings
}

fn permission_json(check: &PermissionCheck) -> Value {
    let (state, why) = match &check.state {
        PermissionState::Granted => ("granted", None),
        PermissionState::Missing { why } => ("missing", Some(why)),
        PermissionState::Unknown { why } => ("unknown", Some(why)),
    };
    json!({
        "permission": check.permission,
        "state": state,
        "needed": check.without.is_none(),
        "without": check.without,
        "why": why,
    })
}

/// Who holds the leases of the folder and of the sites that answered.
async fn leases(session: &Session, answered: impl Fn(&Name) -> bool) -> Vec<Finding> {
    let folder = session.folder_lease(Duration::ZERO);
    let mut findings: Vec<Finding> = lease_store(session, &answered).await.into_iter().collect();
    let is_bad = |finding: &Finding| matches!(finding, Finding::Bad(_));
    let (places, problems) = match findings.iter().any(is_bad) {
        // Each site would say the same.
        true => Default::default(),
        false => session.lease_places(answered).await,
    };
    let is_told = findings.len();
    let spots = places.into_iter().map(|place| place.spot);
    for spot in std::iter::once(folder).chain(spots) {
        match look(&spot, &**session.clock()).await {
            Ok(None) => {}
            Ok(Some(found)) => findings.push(Finding::Warning(told(&found, &spot.place))),
            Err(error) => findings.push(Finding::Bad(Failure::told(error.view()))),
        }
    }
    let unread = problems.iter();
    findings.extend(unread.map(|problem| failed(&problem.site, &*problem.error)));
    if findings.len() == is_told && !findings.iter().any(is_bad) {
        findings.push(Finding::Good("nobody holds a lease".to_owned()));
    }
    findings
}

/// Whether the store answers in which the topology keeps its leases, if it names one.
async fn lease_store(session: &Session, answered: impl Fn(&Name) -> bool) -> Option<Finding> {
    let place = session.lease_store()?;
    let mut sites = session.sites().iter().filter(|(site, _)| answered(site));
    let leases = sites.next()?.1.leases()?;
    Some(match leases.missing().await {
        Ok(None) => Finding::Good(format!("leases are kept in {place}")),
        Ok(Some(what)) => Finding::Warning(format!(
            "leases are to be kept in {what}, which is not there yet; the next apply makes it"
        )),
        Err(error) => {
            let mut failure = Failure::of(&error);
            failure.view.message =
                format!("leases cannot be kept in {place}: {}", failure.view.message);
            Finding::Bad(failure)
        }
    })
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
