//! What finds no place, and why.

use std::fmt;

use serde::Serialize;
use strat_model::{Diagnostic, LocalAddr, Name};

/// Something that finds no place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unplaced {
    /// What.
    pub addr: LocalAddr,
    /// Why.
    pub reason: NoPlace,
    /// Why not at each site where it might have been.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sites: Vec<SiteRefusal>,
    /// The same for people, tied to the text that asks for it. Its code is the reason's word.
    #[serde(skip)]
    pub finding: Diagnostic,
}

/// Why something finds no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoPlace {
    /// No permitted site has room for it, or sells it now.
    NoCapacity,
    /// No permitted site sells anything that large.
    ImpossibleSize,
    /// No site is permitted.
    NoSite,
    /// No permitted site has the zone.
    UnknownZone,
    /// No permitted site sells the machine type.
    UnknownMachineType,
    /// The site does not have the image.
    UnknownImage,
    /// The site's provider has nothing of the kind.
    UnsupportedKind,
    /// There is no address range left for it.
    ExhaustedCidr,
    /// It is there already and cannot become smaller.
    CannotShrink,
    /// It is there already and cannot be moved.
    CannotMove,
    /// The cloud where it is to be does not take one of its labels.
    BadLabel,
    /// It is larger, or has more of something, than the cloud where it is to be takes.
    BeyondLimit,
    /// What it is made of is in different networks.
    OtherNetwork,
    /// The site cannot give a subnet the way to the internet that it asks for.
    UnsupportedInternet,
    /// It is to be reached from the internet, and its subnet has no way in.
    NotPublic,
}

impl NoPlace {
    /// Whether it is what the thing itself asks for, whatever else of the topology may be wrong.
    #[must_use]
    pub const fn is_of_itself(self) -> bool {
        match self {
            Self::ImpossibleSize
            | Self::UnknownZone
            | Self::UnknownMachineType
            | Self::UnknownImage
            | Self::UnsupportedKind
            | Self::BadLabel
            | Self::UnsupportedInternet
            | Self::BeyondLimit => true,
            Self::NoCapacity
            | Self::NoSite
            | Self::OtherNetwork
            | Self::NotPublic
            | Self::ExhaustedCidr
            | Self::CannotShrink
            | Self::CannotMove => false,
        }
    }

    /// The word of it, which is also the finding's code.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NoCapacity => "no_capacity",
            Self::ImpossibleSize => "impossible_size",
            Self::NoSite => "no_site",
            Self::UnknownZone => "unknown_zone",
            Self::UnknownMachineType => "unknown_machine_type",
            Self::UnknownImage => "unknown_image",
            Self::UnsupportedKind => "unsupported_kind",
            Self::ExhaustedCidr => "exhausted_cidr",
            Self::CannotShrink => "cannot_shrink",
            Self::CannotMove => "cannot_move",
            Self::BadLabel => "bad_label",
            Self::BeyondLimit => "beyond_limit",
            Self::OtherNetwork => "other_network",
            Self::UnsupportedInternet => "unsupported_internet",
            Self::NotPublic => "not_public",
        }
    }
}

/// Why a site has no place for one more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SiteRefusal {
    /// The site.
    pub site: Name,
    /// Why.
    pub why: WhyNot,
    /// The same for people, with the amounts.
    pub text: String,
}

/// What keeps a machine from a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum WhyNot {
    /// The site does not have the zone.
    NoZone,
    /// The site does not sell the machine type.
    NotSold,
    /// Nothing that the site sells is that large.
    TooLarge,
    /// The site sells nothing.
    SellsNothing,
    /// Nothing that the site sells has all that is asked for.
    NothingFits,
    /// The site's capacity or quota is used up.
    Full,
    /// Every zone has a machine already that this one must not share a zone with.
    ZonesTaken,
    /// What can be there does not make up for the loss of another site.
    Survival,
    /// The site is left out.
    LeftOut,
    /// The site has not all the labels that are required.
    Labels,
    /// It is larger, or has more of something, than the site's cloud takes.
    Limit,
    /// Its volume is at the site, in a zone where it may not run.
    Volume,
}

/// `east: it sells nothing`.
impl fmt::Display for SiteRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.site, self.text)
    }
}

impl Unplaced {
    pub(super) fn new(addr: &LocalAddr, reason: NoPlace, finding: Diagnostic) -> Self {
        debug_assert_eq!(reason.as_str(), finding.code, "one word for one reason");
        Self {
            addr: addr.clone(),
            reason,
            sites: Vec::new(),
            finding,
        }
    }
}
