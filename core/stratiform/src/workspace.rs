//! A topology that was read and checked; nothing was called yet.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use strat_engine::LeasePolicy;
use strat_model::{Diagnostic, Intent, Name, Owner, Severity, SiteFacts};
use strat_planner::{Source, Unplaced, check_address_space};
use strat_provider::{Clock, ConnectContext, Registry, SkippingClock};
use strat_topology::{Evaluated, Inputs, SourceFile, Sources, Topology};

use crate::phase::phase;
use crate::targets::nearest;
use crate::{Error, KnownOffers, StateDir, offline, sites, unpaid};

/// A topology with values for its variables, and the providers that there are.
#[derive(Debug, Clone)]
pub struct Workspace {
    path: PathBuf,
    inputs: Inputs,
    sources: Sources,
    evaluated: Evaluated,
    warnings: Vec<Diagnostic>,
    public_vars: Vec<String>,
    /// The variables that have no value, where that stops nothing.
    unset: Vec<String>,
    registry: Registry,
    without: BTreeSet<Name>,
    /// Where its journal is, if not beside it.
    state: Option<StateDir>,
    lock_timeout: Duration,
}

impl Workspace {
    /// Reads and checks the topology in a file or folder. Calls no cloud.
    ///
    /// # Errors
    /// If it cannot be read, or is wrong: then with everything that is wrong with it.
    pub fn load(path: &Path, inputs: Inputs, registry: Registry) -> Result<Self, Error> {
        Self::load_for(Needs::All, path, inputs, registry)
    }

    /// As [`Workspace::load`], for who needs no more than the sites, whose the things are, and the
    /// outputs: who looks at what is there, or deletes all of it. A variable without a value stops
    /// nothing then, unless one of those needs it.
    ///
    /// # Errors
    /// As [`Workspace::load`].
    pub fn load_sites(path: &Path, inputs: Inputs, registry: Registry) -> Result<Self, Error> {
        Self::load_for(Needs::Sites, path, inputs, registry)
    }

    fn load_for(
        needs: Needs,
        path: &Path,
        inputs: Inputs,
        registry: Registry,
    ) -> Result<Self, Error> {
        let (workspace, errors) = Self::read(needs, path, inputs, registry)?;
        if errors.is_empty() {
            return Ok(workspace);
        }
        Err(workspace.wrong(errors))
    }

    /// As [`Workspace::load`], and places what is at sites that need no network for it, so that
    /// everything that can be known to be wrong without one is told at once; and whether budgets of bursts
    /// can pay the fewest machines.
    ///
    /// # Errors
    /// As [`Workspace::load`]; [`Error::NoPlace`] where the topology is right and finds no place.
    pub async fn validate(path: &Path, inputs: Inputs, registry: Registry) -> Result<Self, Error> {
        let (mut workspace, mut errors) = Self::read(Needs::All, path, inputs, registry)?;
        let unplaced = workspace.look_further(&mut errors).await?;
        match (errors.is_empty(), unplaced.is_empty()) {
            (true, true) => Ok(workspace),
            (true, false) => Err(workspace.no_place(unplaced)),
            (false, _) => Err(workspace.wrong(errors)),
        }
    }

    /// As [`Workspace::validate`], of text that is at hand, such as that of files which are open in an
    /// editor: the topology as far as it can be evaluated, with every error and warning. `path` is where
    /// it would be read from.
    ///
    /// # Errors
    /// [`Error::Topology`] if it cannot be parsed.
    pub async fn examine(
        path: &Path,
        sources: &Sources,
        inputs: Inputs,
        registry: Registry,
    ) -> Result<(Self, Vec<Diagnostic>), Error> {
        let (mut workspace, mut findings) =
            Self::read_sources(Needs::All, path, sources, inputs, registry)?;
        let unplaced = workspace.look_further(&mut findings).await?;
        findings.extend(unplaced.into_iter().map(|one| one.finding));
        findings.extend(workspace.warnings.iter().cloned());
        Ok((workspace, findings))
    }

    /// What finds no place though nothing else is wrong, at sites that need no network to tell. What else
    /// those tell is added to the errors.
    async fn look_further(&mut self, errors: &mut Vec<Diagnostic>) -> Result<Vec<Unplaced>, Error> {
        let facts = self.facts_without_network().await?;
        let unplaced = self.unplaced(&facts);
        errors.extend(self.unpaid(facts));
        if errors.is_empty() && unplaced.is_empty() && !self.intent().reaches.is_empty() {
            let checked = self.check_reach().await?;
            errors.extend(checked.broken);
            self.warnings.extend(checked.undecided);
        }
        if errors.is_empty() {
            return Ok(unplaced);
        }
        // What is wrong elsewhere may be why the others find no place.
        let own = unplaced.into_iter().filter(|one| one.reason.is_of_itself());
        errors.extend(own.map(|one| one.finding));
        Ok(Vec::new())
    }

    /// What each site sells, as far as that can be told without a network.
    ///
    /// # Errors
    /// If no temporary folder can be made.
    pub async fn offers_without_network(&self) -> Result<BTreeMap<Name, KnownOffers>, Error> {
        let (place, context) = nowhere()?;
        let offers = offline::offers(self, &context).await;
        drop(place);
        Ok(offers)
    }

    /// The topology as far as it can be read and evaluated, and all errors of that.
    fn read(
        needs: Needs,
        path: &Path,
        inputs: Inputs,
        registry: Registry,
    ) -> Result<(Self, Vec<Diagnostic>), Error> {
        let sources = phase!("read").in_scope(|| Sources::load(path))?;
        Self::read_sources(needs, path, &sources, inputs, registry)
    }

    fn read_sources(
        needs: Needs,
        path: &Path,
        sources: &Sources,
        inputs: Inputs,
        registry: Registry,
    ) -> Result<(Self, Vec<Diagnostic>), Error> {
        let topology = phase!("parse").in_scope(|| Topology::parse(sources));
        let topology = topology.map_err(|diagnostics| Error::Topology {
            diagnostics,
            sources: with_files(sources, &inputs.var_files),
        })?;
        let (evaluated, found, unset) = phase!("evaluate").in_scope(|| match needs {
            Needs::Sites => topology.check_sites(&inputs),
            Needs::All => {
                let (evaluated, found) = topology.check(&inputs);
                (evaluated, found, Vec::new())
            }
        });
        let is_error = |finding: &Diagnostic| finding.severity == Severity::Error;
        let (mut errors, mut warnings): (Vec<_>, Vec<_>) = found.into_iter().partition(is_error);
        errors.extend(sites::check(&evaluated, &registry));
        for finding in check_address_space(&evaluated.intent) {
            match finding.severity {
                Severity::Error => errors.push(finding),
                Severity::Warning => warnings.push(finding),
            }
        }
        let public_vars = topology
            .variables()
            .into_iter()
            .filter(|variable| !variable.sensitive)
            .map(|variable| variable.name)
            .collect();
        let workspace = Self {
            path: path.to_owned(),
            sources: with_files(sources, &inputs.var_files),
            inputs,
            evaluated,
            warnings,
            public_vars,
            unset,
            registry,
            without: BTreeSet::new(),
            state: None,
            lock_timeout: Duration::ZERO,
        };
        Ok((workspace, errors))
    }

    /// Errors, and the warnings, as what is wrong with the topology.
    fn wrong(self, mut errors: Vec<Diagnostic>) -> Error {
        errors.extend(self.warnings);
        Error::Topology {
            diagnostics: errors,
            sources: self.sources,
        }
    }

    /// The same without some sites, as if they were permitted nowhere: they are not connected,
    /// observed or written to. What runs there is placed elsewhere where that is permitted; what
    /// can be nowhere else is withheld. It is how one says that a site is lost for good or for long.
    ///
    /// # Errors
    /// [`Error::NoSuchSite`] if the topology has no such site, [`Error::NothingLeft`] if it has no
    /// other.
    pub fn leaving_out(mut self, without: BTreeSet<Name>) -> Result<Self, Error> {
        let sites = &self.evaluated.intent.sites;
        if let Some(site) = without.iter().find(|site| !sites.contains_key(*site)) {
            return Err(Error::NoSuchSite {
                nearest: nearest(site.as_str(), sites.keys().map(ToString::to_string)),
                site: site.clone(),
            });
        }
        if without.len() == sites.len() && !without.is_empty() {
            return Err(Error::NothingLeft);
        }
        self.without = without;
        Ok(self)
    }

    /// The same topology over other providers, with its journal and lease elsewhere: to try
    /// something on copies of its sites. The providers take the settings as they are.
    #[must_use]
    pub fn elsewhere(&self, registry: Registry, state: StateDir) -> Self {
        Self {
            registry,
            state: Some(state),
            ..self.clone()
        }
    }

    /// The same, which waits this long for a site that another process keeps locked when it connects.
    #[must_use]
    pub fn waiting_for_locks(self, lock_timeout: Duration) -> Self {
        Self {
            lock_timeout,
            ..self
        }
    }

    /// How long a site is waited for that another process keeps locked.
    pub(crate) const fn lock_timeout(&self) -> Duration {
        self.lock_timeout
    }

    /// The sites that are left out.
    #[must_use]
    pub fn left_out(&self) -> &BTreeSet<Name> {
        &self.without
    }

    /// Reads files of variables' values.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn read_var_files(paths: &[PathBuf]) -> Result<Vec<SourceFile>, Error> {
        let read = |path: &PathBuf| SourceFile::read(path).map_err(Error::from);
        paths.iter().map(read).collect()
    }

    /// Where it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The text that findings point into.
    #[must_use]
    pub fn sources(&self) -> &Sources {
        &self.sources
    }

    /// What is worth a look and stops nothing.
    #[must_use]
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// The variables that have no value, where that stops nothing.
    #[must_use]
    pub fn unset_variables(&self) -> &[String] {
        &self.unset
    }

    /// What the topology asks for.
    #[must_use]
    pub fn intent(&self) -> &Intent {
        &self.evaluated.intent
    }

    /// The evaluated topology.
    #[must_use]
    pub fn evaluated(&self) -> &Evaluated {
        &self.evaluated
    }

    /// Whose the things are.
    #[must_use]
    pub fn owner(&self) -> &Owner {
        &self.evaluated.intent.owner
    }

    /// The providers that there are.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The folder of the topology.
    #[must_use]
    pub fn base_dir(&self) -> PathBuf {
        let dir = self.sources.base_dir();
        if dir.as_os_str().is_empty() {
            PathBuf::from(".")
        } else {
            dir.to_owned()
        }
    }

    /// Where the journal and the lease are.
    #[must_use]
    pub fn state(&self) -> StateDir {
        let env = self.inputs.env.as_ref();
        let beside = || StateDir::beside(&self.base_dir()).of_env(env);
        self.state.clone().unwrap_or_else(beside)
    }

    /// Whether it is the same topology over copies of its sites: see [`Workspace::elsewhere`].
    pub(crate) const fn is_elsewhere(&self) -> bool {
        self.state.is_some()
    }

    /// How long leases last.
    #[must_use]
    pub fn lease_policy(&self) -> LeasePolicy {
        LeasePolicy::default()
    }

    /// What a saved plan remembers of where it came from. No sensitive variable is in it.
    pub(crate) fn source(&self) -> Source {
        let vars = self.inputs.vars.iter();
        Source {
            path: absolute(&self.path),
            vars: vars
                .filter(|(name, _)| self.public_vars.contains(name))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            var_files: self
                .inputs
                .var_files
                .iter()
                .map(|file| absolute(Path::new(&*file.name)))
                .collect(),
            env: self.inputs.env.clone(),
        }
    }

    /// What factories may use.
    pub(crate) fn context(&self, clock: Arc<dyn Clock>) -> ConnectContext {
        ConnectContext {
            base_dir: self.base_dir(),
            clock,
        }
    }

    /// The facts of those sites that need no network to tell.
    pub(crate) async fn facts_without_network(&self) -> Result<BTreeMap<Name, SiteFacts>, Error> {
        let (place, context) = nowhere()?;
        let facts = sites::offline_facts(self, &context).await;
        drop(place);
        Ok(facts)
    }

    /// What finds no place at sites of which something is known.
    fn unplaced(&self, facts: &BTreeMap<Name, SiteFacts>) -> Vec<Unplaced> {
        if facts.is_empty() {
            return Vec::new();
        }
        let nothing = strat_model::Inventory::default();
        let placed = strat_planner::place(self.intent(), facts, &nothing);
        placed.err().unwrap_or_default()
    }

    /// The budgets of bursts that cannot pay the fewest machines, by the prices that sites tell without a
    /// network, and those that are built in.
    fn unpaid(&self, mut facts: BTreeMap<Name, SiteFacts>) -> Vec<Diagnostic> {
        for name in unpaid::sites_that_matter(self.intent()) {
            let site = self.intent().sites.get(name);
            if let (false, Some(site)) = (facts.contains_key(name), site) {
                let known = offline::of_snapshot(self, site);
                facts.extend(known.map(|known| (name.clone(), known.facts)));
            }
        }
        unpaid::unpaid(self.intent(), &facts)
    }

    /// Checks that do not hold, as an error.
    pub(crate) fn broken(&self, diagnostics: Vec<Diagnostic>) -> Error {
        Error::Topology {
            diagnostics,
            sources: self.sources.clone(),
        }
    }

    /// What finds no place, as an error.
    pub(crate) fn no_place(&self, unplaced: Vec<Unplaced>) -> Error {
        Error::NoPlace {
            unplaced,
            sources: self.sources.clone(),
        }
    }
}

/// What of a topology must be right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Needs {
    /// All of it.
    All,
    /// The sites, whose the things are, and the outputs.
    Sites,
}

/// A place of its own for what connects, so that checking leaves nothing behind beside the topology. It
/// is there as long as the folder is held.
fn nowhere() -> Result<(tempfile::TempDir, ConnectContext), Error> {
    let place = tempfile::tempdir().map_err(Error::file(std::env::temp_dir(), "written"))?;
    let context = ConnectContext {
        base_dir: place.path().to_owned(),
        clock: Arc::new(SkippingClock::system()),
    };
    Ok((place, context))
}

/// The path from wherever the plan is applied.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// The topology's text and that of the files of variables, for findings in either.
fn with_files(sources: &Sources, files: &[SourceFile]) -> Sources {
    sources.clone().with_values(files)
}
