//! What may be done to a world behind its users' backs, as data.

use serde::{Deserialize, Serialize};
use strat_model::{
    Bytes, CapacityKind, Direction, FirewallRule, Kind, Mark, Name, ResourceId, Spec,
};

use crate::{Narrow, Pace, PlannedFault};

/// One thing done to a region behind its users' backs.
///
/// `which` is an id, or a name that only one thing of the kind has.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Disturbance {
    /// Somebody deletes a thing by hand, under the same rules as everybody.
    Delete {
        /// What kind.
        kind: Kind,
        /// Which one.
        which: String,
    },
    /// Somebody switches a machine off.
    StopMachine {
        /// Which one.
        which: String,
    },
    /// A machine hangs: from now on it does not shut down when it is asked to.
    HangMachine {
        /// Which one.
        which: String,
    },
    /// A machine breaks for good.
    BreakMachine {
        /// Which one.
        which: String,
    },
    /// The cloud ends a machine by itself, and says why, as AWS does with one that cannot start.
    EndMachine {
        /// Which one.
        which: String,
        /// Why, in the cloud's words.
        why: String,
    },
    /// Somebody resizes a machine by hand.
    ResizeMachine {
        /// Which one.
        which: String,
        /// A machine type on sale in its zone, or a flexible one on owned hardware.
        machine_type: String,
    },
    /// Somebody makes a volume larger, or smaller.
    ResizeVolume {
        /// Which one.
        which: String,
        /// Its new size.
        size: Bytes,
    },
    /// Somebody detaches a volume.
    DetachVolume {
        /// Which one.
        which: String,
    },
    /// Somebody puts objects into a bucket, or takes them out.
    FillBucket {
        /// Which one.
        which: String,
        /// How many objects it holds from now on.
        objects: u64,
    },
    /// Somebody sets the mark of a thing to another, or takes it away.
    SetMark {
        /// What kind.
        kind: Kind,
        /// Which one.
        which: String,
        /// The new mark; `None` is none.
        mark: Option<Box<Mark>>,
    },
    /// Somebody calls a thing otherwise.
    Rename {
        /// What kind.
        kind: Kind,
        /// Which one.
        which: String,
        /// Its new name.
        name: String,
    },
    /// Somebody writes the mark of one thing to another, as if that were it.
    Forge {
        /// What kind.
        kind: Kind,
        /// Whose mark.
        which: String,
        /// To which one it is written.
        to: String,
    },
    /// Somebody makes another like it ("launch more like this", a clone, a volume restored from a
    /// snapshot), with all that people can see of it: its name, labels and mark.
    Clone {
        /// What kind: a machine or a volume.
        kind: Kind,
        /// Which one.
        which: String,
    },
    /// Lists do not show a thing for some time; who reads it by its id sees it.
    Forget {
        /// What kind.
        kind: Kind,
        /// Which one.
        which: String,
        /// For how long, in milliseconds.
        for_ms: u64,
    },
    /// Nothing shows a thing for some time, not even a read by its id, as right after it was made.
    Vanish {
        /// What kind.
        kind: Kind,
        /// Which one.
        which: String,
        /// For how long, in milliseconds.
        for_ms: u64,
    },
    /// Somebody sets a label of a thing, or takes it away.
    SetLabel {
        /// What kind.
        kind: Kind,
        /// Which one.
        which: String,
        /// The label.
        key: String,
        /// Its new value; `None` takes it away.
        value: Option<String>,
    },
    /// Somebody adds a rule to a firewall, in place of one of its name and direction.
    SetRule {
        /// Which firewall.
        which: String,
        /// The rule.
        rule: Box<FirewallRule<ResourceId>>,
    },
    /// Somebody takes a rule away from a firewall.
    DeleteRule {
        /// Which firewall.
        which: String,
        /// The rule's name.
        rule: Name,
        /// The rule's direction.
        direction: Direction,
    },
    /// Somebody makes a thing, which no topology owns unless a mark is given.
    Create {
        /// Its name.
        name: String,
        /// What it is; see [`super::SimControl::plausible`].
        spec: Box<Spec<ResourceId>>,
        /// Its mark.
        mark: Option<Box<Mark>>,
    },
    /// An offer, or all of them, runs short.
    SetStock {
        /// The machine type; `None` is every one.
        machine_type: Option<String>,
        /// The zone; `None` is every one.
        zone: Option<Name>,
        /// How it is bought; `None` is every way.
        capacity: Option<CapacityKind>,
        /// How many more may be had; `None` is without bound.
        left: Option<u64>,
    },
    /// The account's limit changes.
    SetQuota {
        /// The family; `None` is all machines together.
        family: Option<String>,
        /// The most virtual CPUs that may run; `None` is the usual number.
        cpu_limit: Option<u64>,
    },
    /// A zone goes down: its machines are `Failed`, and nothing more can be had there.
    LoseZone {
        /// Which one.
        zone: Name,
    },
    /// A zone comes back as it was.
    RestoreZone {
        /// Which one.
        zone: Name,
    },
    /// The hosts of a zone are taken out for a while: what is on them stays as it is, and nobody can look
    /// at it or touch it. Lists break off, and reads of what is there fail.
    HideZone {
        /// Which one.
        zone: Name,
    },
    /// They are back, with everything as it was.
    ShowZone {
        /// Which one.
        zone: Name,
    },
    /// The region goes down: no call is answered.
    LoseRegion,
    /// The region comes back as it was.
    RestoreRegion,
    /// Whoever connects from now on has credentials of another account, as with a profile mixed up;
    /// `None` are the right ones.
    SwitchAccount {
        /// The account.
        account: Option<String>,
    },
    /// Calls, changes and lists take longer or shorter; what is not said is as the site's settings say.
    SetPace(Pace),
    /// It takes less of something than its cloud does; what is not said is as the cloud takes it.
    SetLimits(Narrow),
    /// Calls are limited.
    Throttle {
        /// How many a second each operation takes; `None` is what the site's settings say.
        per_second: Option<u32>,
    },
    /// Answers get lost on the way back.
    LoseAnswers {
        /// The share, from 0 to 1; `None` is what the site's settings say.
        share: Option<f64>,
    },
    /// The next calls fail.
    Inject(PlannedFault),
    /// Outages, shortages and planned faults are over. Things stay as they are.
    Calm,
}
