//! The sites of a topology: their settings checked, then connected.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::silences::Silences;
use futures::future::join_all;
use strat_engine::{Event, EventSink, Problem, Sites};
use strat_model::{Diagnostic, Error, ErrorKind, Name, SiteCapacity, SiteFacts, SiteSpec};
use strat_provider::layers::{CallObserver, LayerPolicy, LayerStack, WriteGate};
use strat_provider::{ConnectContext, Provider, Registry, SettingError, gather_facts};
use strat_topology::Evaluated;

use crate::Workspace;
use crate::lease_store::{self, LeaseStore};
use crate::leases::in_one_line;

/// How long is paused between two tries to connect to a site that another process keeps locked.
const LOCK_PAUSE: Duration = Duration::from_secs(1);

/// Everything that is wrong with the `site` and `lease` blocks, as far as no cloud need be asked.
pub(crate) fn check(evaluated: &Evaluated, registry: &Registry) -> Vec<Diagnostic> {
    let mut findings = Vec::new();
    for site in evaluated.intent.sites.values() {
        match registry.get(&site.provider) {
            None => findings.push(unknown_provider(evaluated, site, registry)),
            Some(factory) => {
                let wrong = factory.check(site).err().unwrap_or_default();
                findings.extend(wrong.into_iter().map(|e| setting(evaluated, site, e)));
            }
        }
    }
    findings.extend(lease_store::check(evaluated, registry));
    findings
}

fn unknown_provider(evaluated: &Evaluated, site: &SiteSpec, registry: &Registry) -> Diagnostic {
    let names: Vec<&str> = registry.names().collect();
    let nearest = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(name, &site.provider), *name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 3)
        .min();
    let help = match nearest {
        Some((_, name)) => format!("did you mean `{name}`?"),
        None => format!("this program has: {}", names.join(", ")),
    };
    Diagnostic::error(
        "unknown_provider",
        format!("there is no provider `{}`", site.provider),
    )
    .at(
        evaluated.site_origin(&site.name, "provider").as_ref(),
        "not a provider of this program",
    )
    .help(help)
}

fn setting(evaluated: &Evaluated, site: &SiteSpec, error: SettingError) -> Diagnostic {
    let mut finding = Diagnostic::error(
        "site_setting",
        format!(
            "`{}` of the site `{}`: {}",
            error.attribute, site.name, error.message
        ),
    )
    .at(
        evaluated.site_origin(&site.name, &error.attribute).as_ref(),
        "",
    );
    finding.help = error.help;
    finding
}

/// Connects to every site at once, each behind the standard layers. A site that cannot be
/// connected is a problem; the others are whole. Sites that are left out are not even tried.
pub(crate) async fn connect(
    workspace: &Workspace,
    context: &ConnectContext,
    observers: Vec<Arc<dyn CallObserver>>,
    gates: &BTreeMap<Name, WriteGate>,
    store: Option<&LeaseStore>,
    events: &EventSink,
) -> (Sites, Vec<Problem>) {
    let mut stack = LayerStack::standard(
        LayerPolicy::default(),
        Arc::clone(&context.clock),
        fastrand::Rng::new(),
    );
    let silences = Arc::new(Silences::new(events.clone()));
    for observer in observers
        .into_iter()
        .chain([silences as Arc<dyn CallObserver>])
    {
        stack = stack.with_observer(observer);
    }
    let sites = workspace.intent().sites.values();
    let wanted = sites.filter(|site| !workspace.left_out().contains(&site.name));
    let connects = wanted.map(|site| {
        let keep = |provider: Arc<dyn Provider>| match store {
            Some(store) => store.keep_for(provider, site),
            None => provider,
        };
        async move {
            let connected = connect_one(workspace, site, context, events).await;
            (site, connected.map(keep))
        }
    });
    let (mut sites, mut problems) = (Sites::new(), Vec::new());
    for (site, connected) in join_all(connects).await {
        match connected {
            Ok(provider) => {
                let (gate, meter) = (gates.get(&site.name).cloned(), provider.meter());
                let wrapped = stack.wrap_gated(provider, &meter, gate);
                sites.insert(site.name.clone(), wrapped);
            }
            Err(error) => problems.push(Problem {
                site: site.name.clone(),
                kind: None,
                error: Arc::new(error),
            }),
        }
    }
    (sites, problems)
}

/// Connects to a site. One that another process keeps locked is waited for.
async fn connect_one(
    workspace: &Workspace,
    site: &SiteSpec,
    context: &ConnectContext,
    events: &EventSink,
) -> Result<Arc<dyn Provider>, Error> {
    let clock = &context.clock;
    let (begun, patience) = (clock.moment().elapsed, workspace.lock_timeout());
    let mut is_told = false;
    loop {
        let locked = match workspace.registry().connect(site, context).await {
            Err(error) if error.kind() == ErrorKind::Conflict => error,
            outcome => return outcome,
        };
        let left = patience.saturating_sub(clock.moment().elapsed.saturating_sub(begun));
        if left.is_zero() {
            return Err(locked);
        }
        if !is_told {
            let (name, why) = (&site.name, in_one_line(&locked));
            let message = format!(
                "site.{name}: {why}; waiting up to {} s for it",
                left.as_secs()
            );
            events.send(Event::Warning { message });
            is_told = true;
        }
        clock.sleep(LOCK_PAUSE.min(left)).await;
    }
}

/// What is known of the sites that need no network to tell, as if nothing were there yet: what
/// runs already must not count as room that is missing.
pub(crate) async fn offline_facts(
    workspace: &Workspace,
    context: &ConnectContext,
) -> BTreeMap<Name, SiteFacts> {
    let offline = workspace.intent().sites.values().filter(|site| {
        let factory = workspace.registry().get(&site.provider);
        factory.is_some_and(|factory| factory.is_offline())
    });
    let facts = offline.map(|site| async move {
        let provider = workspace.registry().connect(site, context).await.ok()?;
        let mut facts = gather_facts(&*provider).await.ok()?;
        facts.free = site.capacity.as_ref().map(SiteCapacity::pool);
        facts.quotas.iter_mut().for_each(|quota| quota.cpu_used = 0);
        Some((site.name.clone(), facts))
    });
    join_all(facts).await.into_iter().flatten().collect()
}
