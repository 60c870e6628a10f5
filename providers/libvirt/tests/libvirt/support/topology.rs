//! A topology on the hosts of a test, applied as `strat` would.

use std::path::Path;
use std::time::Duration;

use strat_libvirt::LibvirtFactory;
use strat_model::{Kind, Owner, Resource};
use strat_provider::{Filter, ProviderExt, Registry};
use stratiform::{ApplyOptions, Claims, Inputs, PlanOptions, RunOptions, Session, Workspace};
use tempfile::TempDir;

use super::peer::Peer;

/// A topology's folder.
pub(crate) struct Topology {
    folder: TempDir,
    site: String,
    settings: String,
    /// What stands in its `topology` block.
    head: &'static str,
}

impl Topology {
    /// A topology at a site of these hosts, all in one zone. `settings` are further attributes of
    /// the site.
    pub(crate) fn new(hosts: &[&Peer], settings: &str) -> Self {
        let uris: Vec<_> = hosts.iter().map(|host| host.uri()).collect();
        let settings = format!("  reserve = \"0B\"\n{settings}");
        Self::of(&[("rack1", &uris)], &settings)
    }

    /// The same, of hosts that these URIs reach, by zone.
    pub(crate) fn of(zones: &[(&str, &[String])], settings: &str) -> Self {
        let mut number = 0;
        let mut host = |uri: &String| {
            number += 1;
            format!("{{ name = \"kvm{number}\", uri = \"{uri}\" }}")
        };
        let zone = |(zone, uris): &(&str, &[String])| {
            let hosts: Vec<_> = uris.iter().map(&mut host).collect();
            format!("{zone} = [{}]", hosts.join(", "))
        };
        let zones: Vec<_> = zones.iter().map(zone).collect();
        let folder = tempfile::tempdir().expect("a folder");
        let mut topology = Self {
            folder,
            site: String::new(),
            settings: settings.to_owned(),
            head: "",
        };
        topology.set_hosts(&zones.join(", "));
        topology
    }

    /// The same, with something in its `topology` block.
    pub(crate) fn with_head(mut self, head: &'static str) -> Self {
        self.site = self.site.replace(
            "topology \"lab\" {}",
            &format!("topology \"lab\" {{ {head} }}"),
        );
        self.head = head;
        self
    }

    /// From now on the site has these hosts: what stands in `hosts = { … }`.
    pub(crate) fn set_hosts(&mut self, hosts: &str) {
        let (settings, head) = (&self.settings, self.head);
        self.site = format!(
            "topology \"lab\" {{{head}}}\n\
             site \"dc1\" {{\n  provider = \"libvirt\"\n  hosts = {{ {hosts} }}\n  accel = \"tcg\"\n\
             overcommit = {{ cpu = 64, disk = 100 }}\n  pool_path = \"{}\"\n{settings}\n}}\n",
            Peer::POOL_PATH
        );
    }

    /// From now on the site's block says something else.
    pub(crate) fn set(&mut self, before: &str, after: &str) {
        assert!(self.site.contains(before), "{}", self.site);
        self.site = self.site.replace(before, after);
    }

    /// The folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Connects to the site, with the rest of the topology as given.
    async fn session(&self, blocks: &str) -> Result<Session, stratiform::Error> {
        let text = format!("{}\n{blocks}", self.site);
        std::fs::write(self.folder().join("lab.hcl"), text).expect("a file");
        let registry = Registry::new().with(LibvirtFactory::new());
        let workspace = Workspace::load(self.folder(), Inputs::default(), registry);
        let workspace = workspace.unwrap_or_else(|error| panic!("{error:#?}"));
        Session::connect(workspace).await
    }

    /// Applies; gives what failed.
    pub(crate) async fn try_apply(&self, blocks: &str) -> Result<Vec<String>, stratiform::Error> {
        self.try_claiming(blocks, Claims::default()).await
    }

    /// Applies what a person said of things; gives what failed.
    pub(crate) async fn try_claiming(
        &self,
        blocks: &str,
        claims: Claims,
    ) -> Result<Vec<String>, stratiform::Error> {
        let session = self.session(blocks).await?;
        let options = RunOptions {
            lock_timeout: Duration::from_secs(1800),
            ..RunOptions::new("test")
        };
        let run = session.begin(&options).await?;
        let outcome = async {
            let options = PlanOptions {
                claims,
                ..PlanOptions::default()
            };
            let planned = run.plan(&options).await?;
            let changes = planned.saved.plan.changes.iter().map(|change| &change.addr);
            let wanted = planned.desired.entries.keys();
            let machines = changes.chain(wanted);
            let machines = machines.filter(|addr| addr.kind() == Kind::Machine);
            let options = ApplyOptions {
                allow_deletes: true,
                force_stop: machines.cloned().collect(),
                execute: stratiform::engine::ExecuteOptions {
                    // Most guests of these tests have nothing that would shut them down.
                    stop_deadline: Duration::from_secs(2),
                    ..Default::default()
                },
                allow_data_loss: stratiform::AllowDataLoss::all_of(&planned.saved),
                ..ApplyOptions::default()
            };
            run.apply(&planned, &options).await
        };
        let outcome = outcome.await;
        run.end().await?;
        let reports = outcome?.reports;
        let failures = reports
            .iter()
            .flat_map(stratiform::engine::Report::failures);
        Ok(failures.map(|(_, error)| error.to_string()).collect())
    }

    /// Applies, and finds nothing left to do.
    pub(crate) async fn apply(&self, blocks: &str) {
        let failures = self
            .try_apply(blocks)
            .await
            .unwrap_or_else(|error| panic!("{error:#?}"));
        assert!(failures.is_empty(), "the apply fails: {failures:#?}");
        let session = self
            .session(blocks)
            .await
            .unwrap_or_else(|error| panic!("{error:#?}"));
        let planned = session
            .plan(&PlanOptions::default())
            .await
            .unwrap_or_else(|error| panic!("{error:#?}"));
        assert!(
            planned.saved.plan.is_empty(),
            "nothing is left to do: {:#?}",
            planned.saved.plan.changes
        );
    }

    /// What differs, field by field: the address, the field, what is and what is to be.
    pub(crate) async fn differences(&self, blocks: &str) -> Vec<String> {
        let session = self.session(blocks).await;
        let session = session.unwrap_or_else(|error| panic!("{error:#?}"));
        let planned = session.plan(&PlanOptions::default()).await;
        let plan = planned
            .unwrap_or_else(|error| panic!("{error:#?}"))
            .saved
            .plan;
        let told = plan.changes.iter().flat_map(|change| {
            assert_eq!(
                change.cause,
                stratiform::planner::Cause::Drift,
                "{change:#?}"
            );
            let fields = change.fields.iter();
            fields.map(|one| format!("{} {} {} {}", change.addr, one.field, one.before, one.after))
        });
        told.collect()
    }

    /// What would be done, as a person reads it: changes, and what is withheld and why.
    pub(crate) async fn plan(&self, blocks: &str) -> (Vec<String>, Vec<String>) {
        let planned = self.try_plan(blocks).await;
        planned.unwrap_or_else(|error| panic!("{error}"))
    }

    /// The same, or why there is no plan.
    pub(crate) async fn try_plan(
        &self,
        blocks: &str,
    ) -> Result<(Vec<String>, Vec<String>), String> {
        let told = |error: stratiform::Error| format!("{error:#?}");
        let session = self.session(blocks).await.map_err(told)?;
        let planned = session.plan(&PlanOptions::default()).await;
        let plan = planned.map_err(told)?.saved.plan;
        let changes = plan.changes.iter();
        let changes = changes.map(|one| format!("{} {}", one.action.as_str(), one.addr));
        let withheld = plan.withheld.iter();
        let withheld = withheld.map(|one| format!("{}: {}", one.what, one.why));
        Ok((changes.collect(), withheld.collect()))
    }

    /// Forgets all that is known in the folder, as a pipeline's fresh one does.
    pub(crate) fn forget(&self) {
        std::fs::remove_dir_all(self.folder().join(".stratiform")).expect("it was applied");
    }

    /// What the topology has of a kind.
    pub(crate) async fn list(&self, site: &strat_model::SiteSpec, kind: Kind) -> Vec<Resource> {
        let owner: Owner = "lab".parse().expect("an owner");
        let provider = super::connect(site).await;
        provider
            .list_all(kind, &Filter::Owner(owner))
            .await
            .expect("a list")
    }
}
