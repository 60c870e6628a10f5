//! What an identity may do.

use std::fmt::Debug;

use async_trait::async_trait;
use strat_model::Result;

/// Tells what the identity in use may do.
#[async_trait]
pub trait Permissions: Debug + Send + Sync {
    /// Which of the permissions that work at this site may need the identity in use has.
    ///
    /// # Behavior
    /// - Nothing is made, changed or deleted, and no planned thing is used up: the cloud is asked
    ///   in ways that have no effect.
    /// - What cannot be asked so is [`Unknown`](PermissionState::Unknown), and says why.
    /// - Sorted by permission, each once. Empty where the provider knows of none.
    ///
    /// # Errors
    /// `Unauthenticated` where nobody is known at all.
    async fn check_permissions(&self) -> Result<Vec<PermissionCheck>>;
}

/// One permission at a site, and whether the identity in use has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermissionCheck {
    /// The permission in the cloud's own words, such as `ec2:RunInstances`.
    pub permission: String,
    /// What is so without it, where work goes on without it; `None` where it is needed.
    pub without: Option<String>,
    /// Whether it is there.
    pub state: PermissionState,
}

/// Whether a permission is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PermissionState {
    /// It is.
    Granted,
    /// It is not.
    Missing {
        /// What the cloud said.
        why: String,
    },
    /// The cloud does not tell without the thing being done.
    Unknown {
        /// Why not.
        why: String,
    },
}

impl PermissionCheck {
    /// Whether it is needed and not there.
    #[must_use]
    pub const fn is_lacking(&self) -> bool {
        self.without.is_none() && matches!(self.state, PermissionState::Missing { .. })
    }
}
