//! A checker of explicit states: every interleaving, the shortest counterexample first.

use std::fmt::Debug;
use std::hash::Hash;

use rustc_hash::FxHashMap;

/// What can be checked: where it begins, what can happen, and what must never be.
pub(crate) trait Model {
    type State: Copy + Eq + Hash + Debug;
    type Action: Copy + Debug;

    fn first(&self) -> Self::State;

    /// Everything that can happen in a state, and what it leads to.
    fn next(&self, state: &Self::State) -> Vec<(Self::Action, Self::State)>;

    /// What is wrong with a state, if anything is.
    fn wrong(&self, state: &Self::State) -> Option<&'static str>;
}

/// What came of a check.
#[derive(Debug)]
pub(crate) struct Checked {
    /// How many different states were seen.
    pub(crate) states: usize,
    /// The longest of the shortest ways to a state.
    pub(crate) depth: usize,
    /// The shortest way to a state that must never be, and what is wrong with it.
    pub(crate) fault: Option<(&'static str, Vec<String>)>,
}

/// No model here has more states.
const STATES_MAX: usize = 400_000;

/// Goes through all states, nearest first.
pub(crate) fn check<M: Model>(model: &M) -> Checked {
    let first = model.first();
    // How each state was first come to.
    let mut from = FxHashMap::default();
    from.insert(first, None::<(M::State, M::Action)>);
    let (mut layer, mut depth) = (vec![first], 0);
    while !layer.is_empty() {
        let mut later = Vec::new();
        for state in layer {
            for (action, next) in model.next(&state) {
                if from.contains_key(&next) {
                    continue;
                }
                from.insert(next, Some((state, action)));
                if let Some(wrong) = model.wrong(&next) {
                    let fault = Some((wrong, way(&from, next)));
                    let states = from.len();
                    return Checked {
                        states,
                        depth,
                        fault,
                    };
                }
                later.push(next);
            }
        }
        assert!(from.len() < STATES_MAX, "too many states: {}", from.len());
        depth += usize::from(!later.is_empty());
        layer = later;
    }
    Checked {
        states: from.len(),
        depth,
        fault: None,
    }
}

fn way<S: Copy + Eq + Hash, A: Copy + Debug>(
    from: &FxHashMap<S, Option<(S, A)>>,
    end: S,
) -> Vec<String> {
    let mut steps = Vec::new();
    let mut at = end;
    while let Some(Some((before, action))) = from.get(&at) {
        steps.push(format!("{action:?}"));
        at = *before;
    }
    steps.reverse();
    steps
}
