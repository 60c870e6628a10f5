//! The texts of user data, which no plan and no journal ever holds.

use std::collections::BTreeMap;

use strat_model::{Error, ErrorKind, LocalAddr, Result, Spec, UserData};
use strat_planner::Desired;

/// User data by digest: what an execution needs besides the plan.
#[derive(Debug, Clone, Default)]
pub struct UserDataSource(BTreeMap<String, UserData>);

impl UserDataSource {
    /// Every user data of what is desired.
    #[must_use]
    pub fn of(desired: &Desired) -> Self {
        let goals = desired.entries.values().flat_map(|entry| &entry.goals);
        let mut source = Self::default();
        for goal in goals {
            if let Spec::Machine(spec) = &goal.spec
                && let Some(user_data) = &spec.user_data
            {
                source.insert(user_data.clone());
            }
        }
        source
    }

    /// Adds one. One that was read back from a file has a digest and no text, and is left out.
    pub fn insert(&mut self, user_data: UserData) {
        if !user_data.parts().is_empty() {
            self.0.insert(user_data.digest.clone(), user_data);
        }
    }

    /// What the user data of a digest waits for.
    pub(crate) fn references(&self, digest: &str) -> Vec<(&LocalAddr, &str)> {
        let template = self.0.get(digest);
        template.map_or(Vec::new(), |template| template.references().collect())
    }

    /// The text of a digest with every place filled in by `value`.
    ///
    /// # Errors
    /// `Precondition`, with why it cannot be had; never any of the text.
    pub(crate) fn resolve(
        &self,
        digest: &str,
        value: impl Fn(&LocalAddr, &str) -> Option<String>,
    ) -> Result<UserData> {
        let template = self.0.get(digest).ok_or_else(|| {
            let what = format!("the user data with the digest {digest} is not at hand");
            let help = "the topology has changed since the plan was made, so plan again";
            Error::new(ErrorKind::Precondition, what).with_help(help)
        })?;
        let mut unknown = None;
        let filled = template.resolve(|of, attribute| {
            let found = value(of, attribute);
            if found.is_none() {
                unknown = Some(format!("{of}.{attribute}"));
            }
            found
        });
        filled.ok_or_else(|| {
            let unknown = unknown.unwrap_or_default();
            let what = format!("the user data needs `{unknown}`, which is not known");
            Error::new(ErrorKind::Precondition, what)
        })
    }
}

impl FromIterator<UserData> for UserDataSource {
    fn from_iter<I: IntoIterator<Item = UserData>>(items: I) -> Self {
        let mut source = Self::default();
        items.into_iter().for_each(|item| source.insert(item));
        source
    }
}
