//! One real thing of the simulated cloud, as it is stored.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{
    Attributes, ImageRef, Kind, Mark, Resource, ResourceId, ResourceState, Spec, Token, Witness,
};

/// The stored form of a thing. What it looks like is a function of this and the time.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Thing {
    pub(crate) id: ResourceId,
    /// Counts what was made in its region, from 0.
    pub(crate) serial: u64,
    pub(crate) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<Mark>,
    pub(crate) spec: Spec<ResourceId>,
    #[serde(default, skip_serializing_if = "strat_model::Texts::is_empty")]
    pub(crate) attributes: Attributes,
    pub(crate) created: Timestamp,
    /// Until then it is pending.
    pub(crate) ready_at: Timestamp,
    /// Since then it is gone; until then, and with this set, it is being deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) gone_at: Option<Timestamp>,
    /// A token that made it is remembered until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) remembered_until: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) stopped: bool,
    /// Whether a machine that is off became another type since it ran.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) resized: bool,
    /// Whether a machine does not shut down when it is asked to.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) hangs: bool,
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) failed: bool,
    /// The digest of the request that made it.
    pub(crate) request: String,
    /// The token of that request; a copy has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) token: Option<Token>,
    /// Whether it was copied from another, with what that one had.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) copied: bool,
    /// Whether the site that it was observed at vouched for its mark, in a copy of that site.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) vouched: bool,
    /// How many objects are in a bucket.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) objects: u64,
    /// What lists show instead of the truth, for a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) stale: Option<Stale>,
}

/// What lists show of a thing until they have caught up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Stale {
    pub(crate) until: Timestamp,
    pub(crate) view: StaleView,
}

/// In what way a list is behind.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum StaleView {
    /// It does not show the thing.
    Absent,
    /// Nor does a read by its id.
    Nowhere,
    /// It shows the thing without its mark.
    Unmarked,
    /// It shows what the thing was before the last change.
    Before(Box<Before>),
}

/// What a thing was.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Before {
    pub(crate) mark: Option<Mark>,
    pub(crate) spec: Spec<ResourceId>,
    pub(crate) deleting: bool,
}

fn is_false(value: &bool) -> bool {
    !*value
}

fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Thing {
    pub(crate) const fn kind(&self) -> Kind {
        self.spec.kind()
    }

    /// Whether it is gone for good.
    pub(crate) fn is_gone(&self, now: Timestamp) -> bool {
        self.gone_at.is_some_and(|at| at <= now)
    }

    /// Whether it is there and not on its way out.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.gone_at.is_none()
    }

    /// When nothing at all depends on it any more; `None` while it is not being deleted.
    pub(crate) fn forgotten_at(&self) -> Option<Timestamp> {
        let gone = self.gone_at?;
        let listed = self.stale.as_ref().map_or(gone, |stale| stale.until);
        Some(gone.max(listed).max(self.remembered_until.unwrap_or(gone)))
    }

    /// Where it is in its life; `down` says that its zone is.
    pub(crate) fn state(&self, now: Timestamp, down: bool) -> ResourceState {
        if self.gone_at.is_some() {
            ResourceState::Deleting
        } else if self.failed || (down && self.kind() == Kind::Machine) {
            ResourceState::Failed
        } else if now < self.ready_at {
            ResourceState::Pending
        } else if self.stopped {
            ResourceState::Stopped
        } else {
            ResourceState::Ready
        }
    }

    /// The address of a machine within its subnet.
    pub(crate) fn private_ip(&self) -> Option<Ipv4Addr> {
        self.attributes.get("private_ip")?.parse().ok()
    }

    /// What the cloud itself knows of where it comes from, beside its mark.
    ///
    /// Each profile keeps it where its cloud does: AWS in a launch's client token and in what a volume
    /// was made from, Google and Azure in the id, owned hardware in the UUID. A copy has none of ours
    /// in any of them. Of AWS's other kinds none can be copied with its tags.
    fn witness(&self) -> Witness {
        if self.vouched && self.mark.is_some() {
            Witness::Held
        } else if self.copied || matches!(self.kind(), Kind::Machine | Kind::Volume) {
            let token = self.token.as_ref().map(Token::as_str);
            Witness::by_token(self.mark.as_ref(), &self.id, token)
        } else {
            Witness::by_mark(self.mark.as_ref(), &self.id)
        }
    }

    /// What a fresh read reports; what cannot be read back is emptied.
    pub(crate) fn report(&self, now: Timestamp, down: bool) -> Resource {
        let mut attributes = self.attributes.clone();
        if self.kind() == Kind::Bucket {
            let empty = (self.objects == 0).to_string();
            attributes.insert(Resource::EMPTY.to_owned(), empty);
        }
        Resource {
            id: self.id.clone(),
            name: self.name.clone(),
            mark: self.mark.clone(),
            witness: self.witness(),
            state: self.state(now, down),
            spec: readable(self.spec.clone()),
            attributes,
            created: Some(self.created),
        }
    }

    /// Whether not even a read by its id shows it now.
    pub(crate) fn is_nowhere(&self, now: Timestamp) -> bool {
        let stale = self.stale.as_ref().filter(|stale| now < stale.until);
        stale.is_some_and(|stale| matches!(stale.view, StaleView::Nowhere))
    }

    /// What a list reports, which may be behind.
    pub(crate) fn report_listed(&self, now: Timestamp, down: bool) -> Option<Resource> {
        let stale = self.stale.as_ref().filter(|stale| now < stale.until);
        let Some(stale) = stale else {
            return (!self.is_gone(now)).then(|| self.report(now, down));
        };
        let mut resource = self.report(now, down);
        match &stale.view {
            StaleView::Absent | StaleView::Nowhere => return None,
            StaleView::Unmarked => resource.mark = None,
            StaleView::Before(before) => {
                resource.mark.clone_from(&before.mark);
                resource.spec = readable(before.spec.clone());
                if !before.deleting && resource.state == ResourceState::Deleting {
                    resource.state = ResourceState::Ready;
                }
            }
        }
        Some(resource)
    }

    /// The owners under whose name a list may show it, of whatever lineage.
    pub(crate) fn owners(&self) -> impl Iterator<Item = strat_model::Owner> {
        let before = self.stale.as_ref().and_then(|stale| match &stale.view {
            StaleView::Before(before) => before.mark.as_ref(),
            StaleView::Absent | StaleView::Nowhere | StaleView::Unmarked => None,
        });
        self.mark
            .iter()
            .chain(before)
            .map(|mark| mark.owner.named())
    }
}

fn readable(mut spec: Spec<ResourceId>) -> Spec<ResourceId> {
    if let Spec::Machine(machine) = &mut spec {
        let id = match &machine.image {
            ImageRef::Named { id, .. } | ImageRef::Managed(id) => id.clone(),
        };
        machine.image = ImageRef::Named {
            name: String::new(),
            id,
        };
    }
    spec
}
