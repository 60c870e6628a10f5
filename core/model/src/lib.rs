//! The nouns of Stratiform.
//!
//! Everything here is plain data: addresses, specs, what a provider reports, errors and units.
//! Nothing in this crate reads a clock, a file or the network.

mod addr;
pub mod burst;
mod capabilities;
mod change;
mod departure;
mod diagnostic;
mod error;
mod flex;
mod images;
mod intent;
mod inventory;
mod kind;
mod labels;
mod limits;
mod lookup;
mod mark;
mod moves;
mod name;
mod offer;
mod owner;
mod reach;
mod resource;
mod rollout;
#[cfg(feature = "schema")]
pub mod schema;
mod shared;
mod site;
mod spec;
mod texts;
mod token;
mod units;
mod witness;

pub use addr::{Addr, AddrParseError, Key, LocalAddr, Noun};
pub use capabilities::{
    Capabilities, Idempotency, InternetWays, MarkStore, ReservedAddresses, ReservedShare, Sizing,
    SubnetScope,
};
pub use change::{
    ChangeRules, Changes, LiveFields, Loss, Means, Transition, only_grow, public_ip, resize,
};
pub use departure::Departure;
pub use diagnostic::{Diagnostic, Label, Origin, Severity};
pub use error::{Error, ErrorKind, ErrorView, FailureKind, Scope};
pub use flex::FlexSize;
pub use images::{PublicImages, USUAL_ARCH};
pub use intent::{
    AddressIntent, AttachIntent, BucketIntent, BudgetIntent, Common, FirewallIntent,
    HardwareIntent, ImageIntent, Intent, KeypairIntent, MachineIntent, NetworkIntent, Origins,
    PlacementIntent, Preference, RuleIntent, Size, SpotIntent, Spread, SubnetIntent, VolumeIntent,
};
pub use inventory::{Coverage, Inventory, Missed, MissedState, SiteInventory};
pub use kind::{Kind, Operations, Service};
pub use labels::{LabelRules, merged_labels, own_labels};
pub use limits::{Beyond, ClassSizes, Limits, Prefixes};
pub use lookup::{Found, LookedUp, LookupBy, LookupIntent};
pub use mark::{Digest, Mark, MarkOrigin};
pub use moves::Moves;
pub use name::{Name, NameError};
pub use offer::{CapacityKind, Offer, Pool, Quota, SiteFacts};
pub use owner::{Lineage, LineageError, Owner, OwnerError};
pub use reach::{Asked, AskedError, End, EndError, ReachIntent, ReachWants};
pub use resource::{Attributes, Fingerprint, Resource, ResourceId, ResourceState};
pub use rollout::{HealthAddress, HealthCheck, RolloutIntent, Wave};
pub use shared::Shared;
pub use site::{LeaseSpec, SiteCapacity, SiteSpec};
pub use spec::{
    AddressSpec, BucketSpec, Direction, DiskClass, DiskSpec, Field, FirewallRule, FirewallSpec,
    ImageRef, ImageSpec, Internet, KeypairSpec, Labels, MachineSpec, NetworkSpec, Peer, PortRange,
    Protocol, Spec, SubnetSpec, TemplatePart, UserData, VolumeSpec,
};
pub use texts::Texts;
pub use token::Token;
pub use units::{Bytes, Currency, Money, UnitError};
pub use witness::Witness;

/// The `Result` of this workspace's provider-facing calls.
pub type Result<T, E = Error> = std::result::Result<T, E>;
