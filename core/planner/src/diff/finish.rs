//! From differences to a plan: what was asked for, counts, guard, cost, id.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use strat_model::{Addr, LocalAddr, Name, Noun, Spec};

use super::orphans::is_targeted;
use super::renames::renames;
use super::{DiffOptions, Differ, data, ends, tight};
use crate::cost::cost;
use crate::dependency::covers;
use crate::given::given;
use crate::left::{Reason, Refused};
use crate::plan::{Action, Change, Guard, Mode, Plan, Summary};
use crate::scale;
use crate::{Dependency, Edits, Goal};

impl Differ<'_> {
    /// Makes the plan.
    pub(super) fn finish(mut self, options: &DiffOptions) -> Plan {
        let mut changes = std::mem::take(&mut self.changes);
        self.adopt(&mut changes, &options.edits);
        if options.only_edits {
            changes.retain(|change| change.action == Action::Adopt);
        }
        if !options.targets.is_empty() {
            let kept = closure(&changes, options);
            let mut number = 0;
            changes.retain(|_| {
                number += 1;
                kept.contains(&(number - 1))
            });
        }
        scale::keep_only(&mut changes, &self.desired.scales);
        let mut refused = std::mem::take(&mut self.refused);
        let asked = |one: &Refused| {
            options
                .targets
                .iter()
                .any(|target| target.covers(&one.addr))
        };
        refused.retain(|one| !options.only_edits && (options.targets.is_empty() || asked(one)));
        refused.sort_by(|a, b| a.addr.cmp(&b.addr));
        let full = ends::without_room(&changes, self.desired, self.facts, self.index);
        let mut number = 0;
        changes.retain(|change| {
            number += 1;
            let why = full.get(&(number - 1));
            if let Some(why) = why {
                self.withheld.insert(Reason::from(why).of(&change.addr));
            }
            why.is_none()
        });
        self.hold_leaving(&mut changes);
        for change in &mut changes {
            let is_made = matches!(change.action, Action::Create | Action::Replace);
            let facts = self.facts.get(&change.site);
            let gets_one = |goal: &Arc<Goal>| match (&goal.spec, facts) {
                (Spec::Machine(machine), Some(facts)) => {
                    facts.capabilities.gives_public_ip(machine)
                }
                _ => false,
            };
            change.public_ips = is_made && change.goals.iter().any(gets_one);
        }
        // Stable, so that the groups of one fleet keep their order.
        changes.sort_by(|a, b| (&a.addr, a.action).cmp(&(&b.addr, b.action)));
        let mut order = tight::order(&changes, self.desired, self.facts, self.index);
        if self.hold_tight(&mut changes, &order) {
            order = tight::order(&changes, self.desired, self.facts, self.index);
        }
        tight::destroy_first(&mut changes, &order);
        let renames = renames(&changes, self.index);
        let data_loss = data::mark_losses(&mut changes, self.desired, self.index);
        let summary = summary(&changes, self.unchanged);
        let existing = u32::try_from(self.index.len()).unwrap_or(u32::MAX);
        let cost = cost(self.desired, self.index, self.facts);
        let mut plan = Plan {
            format_version: Plan::FORMAT_VERSION,
            id: String::new(),
            topology: self.desired.owner.clone(),
            mode: options.mode,
            source: None,
            tight: order.tight,
            crowded: order.crowded,
            rollouts: order.rollouts,
            held: self.desired.held.clone(),
            withheld: self.withheld(),
            refused,
            avoided: Vec::new(),
            data_loss,
            renames,
            lookups: match options.mode {
                Mode::Apply => given(self.index),
                Mode::Destroy => Vec::new(),
            },
            guard: guard(identities(&changes), existing, options),
            changes,
            summary,
            cost,
        };
        plan.id = self.plan_id(&plan);
        plan
    }

    /// Makes adoptions of the changes of things that a person said are the topology's. One that could
    /// only be made anew is left: nobody adopts a thing to lose it. What is renamed is compared with
    /// its real mark, which still has the old name.
    fn adopt(&mut self, changes: &mut Vec<Change>, edits: &Edits) {
        if edits.things.is_empty() {
            return;
        }
        changes.retain_mut(|change| {
            let mut edited = false;
            for target in &mut change.targets {
                let key = (change.site.clone(), target.id.clone());
                if let Some(edit) = edits.things.get(&key) {
                    target.fingerprint = edit.real.clone();
                    target.renamed_from.clone_from(&edit.former);
                    edited |= edit.former.is_none();
                }
            }
            match change.action {
                Action::Update if edited => {
                    change.action = Action::Adopt;
                    change.reason = if change.fields.is_empty() {
                        "it is as the topology says; its mark is written".to_owned()
                    } else {
                        "it becomes the topology's, and is made what that says".to_owned()
                    };
                }
                Action::Replace if edited => {
                    let fields = change.fields.iter().filter(|f| f.forces_replacement);
                    let fields: Vec<_> = fields.map(|f| f.field.as_str()).collect();
                    let why = format!(
                        "its {} is not what the topology says and cannot be changed in place; make \
                         the block like it, and adopt it then",
                        fields.join(", ")
                    );
                    self.withheld.insert(Reason::from(why).of(&change.addr));
                    return false;
                }
                _ => {}
            }
            true
        });
    }

    /// A digest of what is to be done, and of the moment at which the world was seen: so two plans
    /// that make the same thing at different times never share a token. It is not made of the digests
    /// of the marks, which take longer to compute: a plan that only makes things needs none.
    fn plan_id(&self, plan: &Plan) -> String {
        let mut content = DefaultHasher::new();
        plan.topology.hash(&mut content);
        plan.mode.hash(&mut content);
        for (site, inventory) in &self.inventory.sites {
            (site, inventory.observed_at).hash(&mut content);
        }
        // What people are shown of it, so that no two plans that read differently have one id.
        (&plan.summary, &plan.withheld, &plan.tight).hash(&mut content);
        format!("{:?}", plan.cost).hash(&mut content);
        if !plan.crowded.is_empty() {
            plan.crowded.hash(&mut content);
        }
        for one in &plan.lookups {
            (&one.addr, &one.id).hash(&mut content);
        }
        for one in &plan.refused {
            (&one.addr, &one.id, &one.why).hash(&mut content);
        }
        for change in &plan.changes {
            (&change.addr, change.action, change.count, &change.reason).hash(&mut content);
            for goal in &change.goals {
                (&goal.spec, &goal.notes).hash(&mut content);
            }
            for target in &change.targets {
                (&target.id, &target.fingerprint).hash(&mut content);
            }
        }
        format!("{:016x}", content.finish())
    }
}

/// The changes that were asked for, and those that they need: what their goals refer to.
fn closure(changes: &[Change], options: &DiffOptions) -> BTreeSet<usize> {
    let mut by_addr: FxHashMap<&Addr, Vec<usize>> = FxHashMap::default();
    let mut by_block: FxHashMap<(Noun, &Name), Vec<usize>> = FxHashMap::default();
    for (number, change) in changes.iter().enumerate() {
        by_addr.entry(&change.addr).or_default().push(number);
        let block = (change.addr.local.noun, &change.addr.local.name);
        by_block.entry(block).or_default().push(number);
    }
    // What many depend on is gone through once.
    let mut followed: FxHashSet<*const Dependency> = FxHashSet::default();
    let mut whole: FxHashSet<&LocalAddr> = FxHashSet::default();
    let asked = (0..changes.len()).filter(|n| is_targeted(&options.targets, &changes[*n].addr));
    let mut open: Vec<usize> = asked.collect();
    let mut kept = BTreeSet::new();
    while let Some(number) = open.pop() {
        if !kept.insert(number) {
            continue;
        }
        let change = &changes[number];
        let at = |addr: &Addr| by_addr.get(addr).into_iter().flatten();
        for goal in &change.goals {
            goal.spec.for_each_ref(|addr| open.extend(at(addr)));
        }
        let first = followed.insert(change.depends_on.as_ptr());
        for dependency in change.depends_on.iter().filter(|_| first) {
            match dependency {
                Dependency::One(addr) => open.extend(at(addr)),
                Dependency::All(all) if whole.insert(all) => {
                    let block = by_block.get(&(all.noun, &all.name));
                    let numbers = block.into_iter().flatten().copied();
                    open.extend(numbers.filter(|n| covers(all, &changes[*n].addr)));
                }
                Dependency::All(_) => {}
            }
        }
        // A delete that was asked for needs the deletes of what is in it; they are not known
        // here. The cloud refuses it then, and says what is in the way.
    }
    kept
}

fn summary(changes: &[Change], unchanged: u32) -> Summary {
    let mut summary = Summary {
        no_op: unchanged,
        ..Summary::default()
    };
    for change in changes {
        let slot = match change.action {
            Action::NoOp => &mut summary.no_op,
            Action::Create => &mut summary.create,
            Action::Adopt => &mut summary.adopt,
            Action::Update => &mut summary.update,
            Action::Replace => &mut summary.replace,
            Action::Delete => &mut summary.delete,
            Action::Forget => &mut summary.forget,
        };
        *slot += change.count;
    }
    summary
}

/// How many things go for good: those that are deleted, and those with an identity that are made
/// anew. Members of a fleet have none: what is made anew in their place, here or elsewhere, is as
/// good.
fn identities(changes: &[Change]) -> u32 {
    let is_fleet = |change: &Change| change.addr.local.noun == Noun::Machines;
    let mut fleets: FxHashMap<&LocalAddr, (u32, u32)> = FxHashMap::default();
    let mut gone = 0;
    for change in changes {
        match change.action {
            Action::Create if is_fleet(change) => {
                fleets.entry(&change.addr.local).or_default().0 += change.count;
            }
            Action::Delete if is_fleet(change) => {
                fleets.entry(&change.addr.local).or_default().1 += change.count;
            }
            Action::Delete => gone += change.count,
            Action::Replace if !is_fleet(change) => gone += change.count,
            _ => {}
        }
    }
    let members = fleets
        .into_values()
        .map(|(made, gone)| gone - made.min(gone));
    gone + members.sum::<u32>()
}

/// A plan that deletes a large share of what there is needs an explicit consent; `destroy` says in
/// its name that it does.
fn guard(deletes: u32, existing: u32, options: &DiffOptions) -> Option<Guard> {
    let too_many = deletes > options.delete_free
        && f64::from(deletes) > f64::from(existing) * options.delete_share_max;
    (options.mode == Mode::Apply && too_many).then_some(Guard { deletes, existing })
}
