//! In which portions the machines of one block give way to others.

use strat_model::{Name, ResourceState};

use crate::InventoryIndex;
use crate::plan::{Action, Change, TargetRef};

/// The changes of one block, with their numbers in the plan.
pub(crate) type Group<'a> = Vec<(usize, &'a Change)>;

/// The portions of one block's machines, in order.
#[derive(Debug, Default)]
pub(crate) struct Waves<'a> {
    /// What goes without a successor, before all else: there are more than are wanted.
    pub(crate) surplus: Vec<Going<'a>>,
    /// What is made, and what goes for it.
    pub(crate) waves: Vec<Portion<'a>>,
}

/// One wave.
#[derive(Debug, Default)]
pub(crate) struct Portion<'a> {
    pub(crate) make: Vec<Making>,
    pub(crate) go: Vec<Going<'a>>,
}

/// Machines of one goal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Making {
    /// The change's number.
    pub(crate) change: usize,
    /// The goal's number in the change.
    pub(crate) goal: usize,
    pub(crate) count: u32,
}

/// Machines that one change deletes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Going<'a> {
    /// The change's number.
    pub(crate) change: usize,
    pub(crate) targets: Vec<&'a TargetRef>,
}

/// One machine that goes: its site, its change, itself.
type Goes<'a> = (&'a Name, usize, &'a TargetRef);

/// Splits a block's changes into waves in which at most `size` machines give way to as many.
///
/// Replacements come first, each beside its own successor; then what goes in one place and comes in
/// another, in the order of the plan. What comes in addition comes with the first wave; of what goes
/// without a successor, what does not run goes first.
pub(crate) fn split<'a>(
    group: &[(usize, &'a Change)],
    size: u32,
    index: &InventoryIndex<'_>,
) -> Waves<'a> {
    let (mut make, mut go) = (Vec::new(), Vec::new());
    for replaced in [true, false] {
        let from = go.len();
        for (number, change) in group {
            if (change.action == Action::Replace) == replaced {
                make.extend(makes(*number, change));
                go.extend(goes(*number, change));
            }
        }
        if !replaced {
            // What does not run is what is missed least.
            go[from..].sort_by_key(|(site, _, target)| !runs(index, site, target));
        }
    }
    let size = usize::try_from(size.max(1)).unwrap_or(usize::MAX);
    let pairs = make.len().min(go.len());
    let growth = make.split_off(pairs);
    let surplus = go.split_off(pairs);
    let mut waves: Vec<Portion<'a>> = make
        .chunks(size)
        .zip(go.chunks(size))
        .map(|(make, go)| Portion {
            make: together(make),
            go: going(go),
        })
        .collect();
    if !growth.is_empty() {
        if waves.is_empty() {
            waves.push(Portion::default());
        }
        waves[0].make.extend(together(&growth));
    }
    Waves {
        surplus: going(&surplus),
        waves,
    }
}

/// Every machine that a change makes, one by one: its change and goal.
fn makes(number: usize, change: &Change) -> Vec<(usize, usize)> {
    let goals = change.goals.iter().enumerate();
    let all = goals.flat_map(|(goal, what)| {
        let count = usize::try_from(what.count).unwrap_or(usize::MAX);
        std::iter::repeat_n((number, goal), count)
    });
    match change.action {
        Action::Create | Action::Replace => all.collect(),
        Action::NoOp | Action::Adopt | Action::Update | Action::Delete | Action::Forget => {
            Vec::new()
        }
    }
}

/// Every machine that a change deletes, in the order of the goals of their successors.
fn goes(number: usize, change: &Change) -> Vec<Goes<'_>> {
    if !matches!(change.action, Action::Delete | Action::Replace) {
        return Vec::new();
    }
    let mut targets: Vec<&TargetRef> = change.targets.iter().collect();
    targets.sort_by_key(|target| target.goal);
    let targets = targets.into_iter();
    targets
        .map(|target| (&change.site, number, target))
        .collect()
}

fn runs(index: &InventoryIndex<'_>, site: &Name, target: &TargetRef) -> bool {
    let found = index.by_id(site, &target.id);
    found.is_some_and(|found| found.state == ResourceState::Ready)
}

fn together(make: &[(usize, usize)]) -> Vec<Making> {
    make.chunk_by(|a, b| a == b)
        .map(|same| Making {
            change: same[0].0,
            goal: same[0].1,
            count: u32::try_from(same.len()).unwrap_or(u32::MAX),
        })
        .collect()
}

fn going<'a>(go: &[Goes<'a>]) -> Vec<Going<'a>> {
    go.chunk_by(|a, b| a.1 == b.1)
        .map(|same| Going {
            change: same[0].1,
            targets: same.iter().map(|(_, _, target)| *target).collect(),
        })
        .collect()
}
