//! Placement: every thing gets its site, zone, size and address range.

mod asked;
mod dependencies;
mod explain;
mod fit;
mod held;
mod limits;
mod lookups;
mod machines;
mod network;
mod offers;
mod storage;
mod unplaced;
mod without;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rust_decimal::Decimal;
use strat_model::{
    Addr, Common, Diagnostic, Digest, Field, Intent, Inventory, Kind, LocalAddr, Mark, Name,
    RolloutIntent, Shared, SiteFacts, Spec, VolumeSpec,
};

use crate::diff::field_value;
use crate::{Desired, Entry, Goal, InventoryIndex, Reason, Scale, Target, unseen};

pub use explain::{Chosen, Considered, Explanation, SiteExplanation};
pub use fit::cheapest_offer;
pub use machines::FleetPlace;
pub use unplaced::{NoPlace, SiteRefusal, Unplaced, WhyNot};

/// Chooses a place for everything, as far as it is not chosen by what runs already.
///
/// What runs stays where it is while that is permitted. What is new goes to the first permitted
/// site with room for it. A site without facts, or whose networks, subnets, machines or volumes were
/// seen in part, is blind: what may be there is withheld.
///
/// # Errors
/// All that finds no place, with the reasons.
pub fn place(
    intent: &Intent,
    facts: &BTreeMap<Name, SiteFacts>,
    inventory: &Inventory,
) -> Result<Desired, Vec<Unplaced>> {
    place_with(intent, facts, inventory, &PlaceOptions::default())
}

/// What is placed, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlaceOptions {
    /// Sites that count as permitted nowhere: what is left goes where else it may. What can only be
    /// there is withheld, and so is what has a volume that may be there. Nothing of those sites is
    /// looked at, whatever the facts and the inventory have of them.
    pub without: BTreeSet<Name>,
    /// What is asked for; empty is everything. Anything else that finds no place is withheld.
    pub targets: Vec<Target>,
    /// What decisions of bursts make of fleets.
    pub scales: BTreeMap<LocalAddr, Scale>,
    /// Subnets that take no more: what is in them stays, and nothing new gets its address there.
    pub full: BTreeSet<Addr>,
}

/// As [`place`], of parts, or without some sites.
///
/// # Errors
/// As [`place`], of what is asked for.
pub fn place_with(
    intent: &Intent,
    facts: &BTreeMap<Name, SiteFacts>,
    inventory: &Inventory,
    options: &PlaceOptions,
) -> Result<Desired, Vec<Unplaced>> {
    let without = &options.without;
    let index = InventoryIndex::new(inventory, &intent.owner);
    let mut facts = unseen::plannable(facts, inventory);
    if facts.keys().any(|site| without.contains(site)) {
        facts.to_mut().retain(|site, _| !without.contains(site));
    }
    let (intent, held) = held::counts(intent, &index, &options.scales);
    let intent = &*intent;
    let mut placer = Placer::new(intent, &facts, &index);
    placer.options = options;
    placer.leave_out();
    placer.leave_alone();
    placer.lookups();
    placer.networks();
    placer.machines();
    placer.firewalls();
    placer.keys_and_images();
    placer.storage();
    placer.dependencies();
    if placer.problems.is_empty() {
        let mut entries = placer.entries;
        if !options.targets.is_empty() {
            entries.retain(|addr, _| !placer.withheld.contains_key(&addr.local));
        }
        Ok(Desired {
            owner: intent.owner.clone(),
            entries,
            withheld: placer.withheld,
            budgets: intent.budgets.clone(),
            fallback: placer.fallback,
            gap: placer.gap.and_then(|gap| Decimal::try_from(gap).ok()),
            rollouts: rollouts(intent, &options.scales),
            full: options.full.clone(),
            held,
            scales: options.scales.clone(),
            given: lookups::given(&index),
        })
    } else {
        Err(placer.problems)
    }
}

/// Why a machine or fleet goes where [`place`] puts it: what was chosen, what was not, and why.
///
/// It looks at machines alone, so that it has an answer where other things find no place. `None` if
/// there is no such machine, or too little was seen to say. Of the options, which subnets are full
/// counts.
#[must_use]
pub fn explain(
    intent: &Intent,
    facts: &BTreeMap<Name, SiteFacts>,
    inventory: &Inventory,
    addr: &LocalAddr,
    options: &PlaceOptions,
) -> Option<Explanation> {
    let index = InventoryIndex::new(inventory, &intent.owner);
    let facts = unseen::plannable(facts, inventory);
    let (intent, _) = held::counts(intent, &index, &BTreeMap::new());
    let full = PlaceOptions {
        full: options.full.clone(),
        ..PlaceOptions::default()
    };
    let mut placer = Placer::new(&intent, &facts, &index);
    placer.options = &full;
    placer.explained = Some(addr.clone());
    placer.machines();
    placer.explanation
}

/// Where one more machine of a fleet could be, and how many there is room for: at the sites of its
/// placement that gave an answer, next to all that runs.
#[must_use]
pub fn fleet_places(
    intent: &Intent,
    facts: &BTreeMap<Name, SiteFacts>,
    inventory: &Inventory,
    addr: &LocalAddr,
) -> Vec<FleetPlace> {
    let index = InventoryIndex::new(inventory, &intent.owner);
    let facts = unseen::plannable(facts, inventory);
    let (intent, _) = held::counts(intent, &index, &BTreeMap::new());
    let mut placer = Placer::new(&intent, &facts, &index);
    placer.networks();
    placer.fleet_places(addr)
}

/// How blocks roll out. Those of decisions do not: their machines come and go each for itself.
fn rollouts(
    intent: &Intent,
    scales: &BTreeMap<LocalAddr, Scale>,
) -> BTreeMap<LocalAddr, RolloutIntent> {
    let machines = intent.machines.iter();
    machines
        .filter(|machine| !scales.contains_key(&machine.common.addr))
        .map(|machine| (machine.common.addr.clone(), machine.rollout.clone()))
        .collect()
}

static EVERYTHING: PlaceOptions = PlaceOptions {
    without: BTreeSet::new(),
    targets: Vec::new(),
    scales: BTreeMap::new(),
    full: BTreeSet::new(),
};

/// The work in progress of one [`place`].
struct Placer<'a> {
    intent: &'a Intent,
    facts: &'a BTreeMap<Name, SiteFacts>,
    index: &'a InventoryIndex<'a>,
    options: &'a PlaceOptions,
    entries: BTreeMap<Addr, Entry>,
    withheld: BTreeMap<LocalAddr, Reason>,
    problems: Vec<Unplaced>,
    /// The range of every placed subnet.
    subnets: BTreeMap<Addr, ipnet::Ipv4Net>,
    /// Which subnets hold machines that carry a firewall.
    carriers: BTreeMap<LocalAddr, BTreeSet<Addr>>,
    /// Firewalls whose machines may be where nobody can see.
    unsure: BTreeSet<LocalAddr>,
    /// How far, relative to the best, the machines' places may be from it.
    gap: Option<f64>,
    /// By how much, in US dollars an hour, fallbacks may lower and raise the cost.
    fallback: (Decimal, Decimal),
    /// The machine to explain, and its explanation.
    explained: Option<LocalAddr>,
    explanation: Option<Explanation>,
    /// Those of the goal before.
    last_firewalls: Shared<BTreeSet<Addr>>,
    last_notes: Shared<BTreeMap<Field, String>>,
}

impl<'a> Placer<'a> {
    fn new(
        intent: &'a Intent,
        facts: &'a BTreeMap<Name, SiteFacts>,
        index: &'a InventoryIndex<'a>,
    ) -> Self {
        Self {
            intent,
            facts,
            index,
            options: &EVERYTHING,
            entries: BTreeMap::new(),
            withheld: BTreeMap::new(),
            problems: Vec::new(),
            subnets: BTreeMap::new(),
            carriers: BTreeMap::new(),
            unsure: BTreeSet::new(),
            gap: Some(0.0),
            fallback: (Decimal::ZERO, Decimal::ZERO),
            explained: None,
            explanation: None,
            last_firewalls: Shared::new(),
            last_notes: Shared::new(),
        }
    }

    /// Notes what finds no place. What was not asked for is withheld, with what depends on it; but not a
    /// network without ranges, since too much is in it.
    fn refuse(&mut self, problem: Unplaced) {
        let targets = &self.options.targets;
        let is_meant = |target: &Target| target.may_cover(&problem.addr);
        if targets.is_empty()
            || targets.iter().any(is_meant)
            || problem.reason == NoPlace::ExhaustedCidr
        {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
            return;
        }
        let why = format!("it has no place: {}", problem.finding.message);
        self.withheld
            .entry(problem.addr)
            .or_insert_with(|| why.into());
    }

    /// The facts of a site; `None` when it gave no answer.
    fn facts(&self, site: &Name) -> Option<&'a SiteFacts> {
        self.facts.get(site)
    }

    /// Adds a thing of one goal, or says that its site has no such kind.
    fn add(&mut self, common: &Common, addr: Addr, spec: Spec<Addr>) {
        let goal = self.single_goal(&addr, spec);
        self.add_goals(common, addr, vec![Arc::new(goal)]);
    }

    fn single_goal(&self, addr: &Addr, spec: Spec<Addr>) -> Goal {
        let mut notes = self.notes(&addr.site, &spec);
        if self.was_never_attached(addr, &spec) {
            let note = VolumeSpec::<Addr>::NEVER_ATTACHED.to_owned();
            notes.insert(Field::Attach, note);
        }
        Goal {
            count: 1,
            notes: notes.into(),
            spec,
            price_hour: None,
        }
    }

    fn add_goals(&mut self, common: &Common, addr: Addr, goals: Vec<Arc<Goal>>) {
        let kind = addr.kind();
        let has = |facts: &SiteFacts| facts.capabilities.kinds.contains(&kind);
        if !self.facts(&addr.site).is_some_and(has) {
            self.refuse(unsupported(self.intent, common, &addr.site, kind));
            return;
        }
        self.check_labels(common, &addr);
        for goal in &goals {
            self.check_limits(common, &addr, &goal.spec);
        }
        let entry = Entry {
            goals,
            protect: common.protect,
            disposable: common.disposable,
            ignore: common.ignore.clone(),
            depends_on: Arc::default(),
            why: None,
        };
        self.entries.insert(addr, entry);
    }

    /// Says what of a thing is beyond what the cloud takes where it goes.
    fn check_limits(&mut self, common: &Common, addr: &Addr, spec: &Spec<Addr>) {
        let Some(capabilities) = self.facts(&addr.site).map(|facts| &facts.capabilities) else {
            return;
        };
        let of_network = || {
            let Spec::Subnet(subnet) = spec else {
                return None;
            };
            let has = self.subnets_of(&addr.site, &subnet.network);
            capabilities.limits.one_subnet_more(has)
        };
        let Some(beyond) = capabilities.beyond(spec).or_else(of_network) else {
            return;
        };
        let message = format!(
            "{} cannot be at {}: {}",
            common.addr, addr.site, beyond.message
        );
        let (attribute, help) = limits::attribute(addr.kind(), beyond.field);
        let finding = Diagnostic::error(NoPlace::BeyondLimit.as_str(), message)
            .at(common.origin(attribute), format!("not at {}", addr.site))
            .help(help);
        self.refuse(Unplaced::new(&common.addr, NoPlace::BeyondLimit, finding));
    }

    /// How many subnets a network is to have at a site, of those that have their place by now.
    fn subnets_of(&self, site: &Name, network: &Addr) -> usize {
        let subnets = self.entries.iter().filter(|(addr, entry)| {
            let of_it = |goal: &Arc<Goal>| match &goal.spec {
                Spec::Subnet(subnet) => subnet.network == *network,
                _ => false,
            };
            addr.site == *site && entry.goals.iter().any(of_it)
        });
        subnets.count()
    }

    /// Says which of a thing's labels the cloud where it goes does not take.
    fn check_labels(&mut self, common: &Common, addr: &Addr) {
        let Some(facts) = self.facts.get(&addr.site) else {
            return;
        };
        for (key, value) in common.labels.iter() {
            let Err(why) = facts.capabilities.labels.check(key, value) else {
                continue;
            };
            let message = format!(
                "the label `{key} = {value}` of {} is not one that {} takes: {why}",
                common.addr, addr.site
            );
            let finding = Diagnostic::error(NoPlace::BadLabel.as_str(), message)
                .at(common.origin("labels"), format!("not at {}", addr.site));
            self.refuse(Unplaced::new(&common.addr, NoPlace::BadLabel, finding));
        }
    }

    /// The notes for what this site's provider cannot read back, and of which labels are ours.
    fn notes(&self, site: &Name, spec: &Spec<Addr>) -> BTreeMap<Field, String> {
        let Some(facts) = self.facts(site) else {
            return BTreeMap::new();
        };
        let fields = facts.capabilities.unreadable.get(&spec.kind());
        let note = |field: &Field| {
            let value = field_value(spec, *field)?;
            Some((*field, Digest::of_json(&value).short().to_owned()))
        };
        let unreadable = fields.into_iter().flatten().filter_map(note);
        let labels = Mark::note_of_labels(spec.labels());
        let labels = labels.map(|note| (Field::Labels, note));
        unreadable.chain(labels).collect()
    }
}

fn unsupported(intent: &Intent, common: &Common, site: &Name, kind: Kind) -> Unplaced {
    let kinds = kind.plural();
    let provider = intent
        .sites
        .get(site)
        .map_or("?", |spec| spec.provider.as_str());
    let finding = Diagnostic::error(
        NoPlace::UnsupportedKind.as_str(),
        format!(
            "{} is to be at {site}, but that site (provider {provider}) has no {kinds}",
            common.addr
        ),
    )
    .at(common.origin("site"), format!("no {kinds} at {site}"))
    .help(format!("put it at a site whose provider has {kinds}"));
    Unplaced::new(&common.addr, NoPlace::UnsupportedKind, finding)
}
