//! One request to Azure Resource Manager: what it is about, and what it is called.

use serde_json::Value;

use crate::id::Id;
use crate::kinds::{self, GROUP, Kind, PLAIN};
use crate::refusal::Refusal;
use crate::server::Received;
use crate::world::Fields;

/// What a path leads to.
#[derive(Debug, Clone)]
pub(crate) enum Route {
    Subscriptions,
    Subscription,
    Locations,
    Thing(Id, &'static Kind),
    /// All of a kind in a subscription, in a group or of a parent.
    List(Id, &'static Kind),
    /// Something that a thing does, or a part of it that is only read.
    Action(Id, &'static Kind, String),
    /// Things of all kinds in a subscription or a group.
    Resources(Id),
    Providers(Vec<String>),
    Result(String),
    Permissions(Id),
    Locks(Id, Option<String>),
    Tags(Id),
    Skus,
    /// Of a provider and a location: usages, images, operations.
    Located(String, String, Vec<String>),
    NameAvailability,
    Agreement([String; 3]),
}

/// A request, read and understood.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    pub(crate) http: &'a str,
    pub(crate) asked: &'a Received,
    pub(crate) subscription: String,
    pub(crate) route: Route,
    /// For example `Microsoft.Compute/virtualMachines/write`: the action of Azure's roles, with
    /// `list` instead of `read` where several things are read.
    pub(crate) id: String,
    pub(crate) version: &'a str,
    pub(crate) body: Fields,
}

impl<'a> Call<'a> {
    pub(crate) fn parse(asked: &'a Received, body: Option<Value>) -> Result<Self, Refusal> {
        let words: Vec<&str> = asked
            .path
            .split('/')
            .filter(|word| !word.is_empty())
            .collect();
        let subscription = words.get(1).copied().unwrap_or_default().to_owned();
        let route = route(&asked.path, &words).ok_or_else(|| Refusal::no_such_type(&asked.path))?;
        let http = match asked.http.as_str() {
            "HEAD" => "GET",
            http => http,
        };
        let id = name(&route, http, &words);
        let body = match body {
            Some(Value::Object(fields)) => fields,
            _ => Fields::new(),
        };
        Ok(Self {
            http,
            asked,
            subscription,
            route,
            id,
            version: asked.query("api-version").unwrap_or_default(),
            body,
        })
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        self.asked.query(name)
    }

    /// The action that a role has to permit.
    pub(crate) fn action(&self) -> String {
        match self.id.strip_suffix("/list") {
            Some(start) => format!("{start}/read"),
            None => self.id.clone(),
        }
    }

    pub(crate) fn is_write(&self) -> bool {
        self.http != "GET" && !matches!(self.route, Route::NameAvailability)
    }

    /// The thing that is asked for or changed, or the scope of what is listed.
    pub(crate) fn scope(&self) -> Id {
        match &self.route {
            Route::Thing(id, _)
            | Route::List(id, _)
            | Route::Action(id, _, _)
            | Route::Resources(id)
            | Route::Permissions(id)
            | Route::Locks(id, _)
            | Route::Tags(id) => id.clone(),
            _ => Id::new(format!("/subscriptions/{}", self.subscription)),
        }
    }

    pub(crate) fn kind(&self) -> Option<&'static Kind> {
        match &self.route {
            Route::Thing(_, kind) | Route::List(_, kind) | Route::Action(_, kind, _) => Some(kind),
            _ => None,
        }
    }

    /// The namespace that must be registered for this call.
    pub(crate) fn namespace(&self) -> Option<&str> {
        match &self.route {
            Route::Located(namespace, _, _) => Some(namespace),
            Route::Skus => Some("Microsoft.Compute"),
            Route::NameAvailability => Some("Microsoft.Storage"),
            _ => self.kind().map(|kind| kind.namespace),
        }
    }

    /// Holds the version against those of the type.
    /// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-apiversion>
    pub(crate) fn check_version(&self) -> Result<(), Refusal> {
        if self.version.is_empty() {
            let message =
                "The api-version query parameter (?api-version=) is required for all requests.";
            return Err(Refusal::new(400, "MissingApiVersionParameter", message));
        }
        let (kind, versions) = match (&self.route, self.kind()) {
            (_, Some(kind)) => (kind.word().to_owned(), kind.versions),
            (route, None) => {
                let name = match route {
                    Route::Subscriptions | Route::Subscription | Route::Locations => {
                        "subscriptions".to_owned()
                    }
                    Route::Resources(_) | Route::Result(_) => "resources".to_owned(),
                    Route::Providers(_) => "providers".to_owned(),
                    Route::Permissions(_) => "permissions".to_owned(),
                    Route::Locks(_, _) => "locks".to_owned(),
                    Route::Tags(_) => "tags".to_owned(),
                    Route::Skus => "skus".to_owned(),
                    Route::NameAvailability => "checkNameAvailability".to_owned(),
                    Route::Agreement(_) => "agreements".to_owned(),
                    Route::Located(namespace, _, _) => format!("locations/{namespace}"),
                    Route::Thing(_, _) | Route::List(_, _) | Route::Action(_, _, _) => {
                        String::new()
                    }
                };
                let found = PLAIN
                    .iter()
                    .find(|(plain, _)| plain.eq_ignore_ascii_case(&name));
                let versions = found.map_or(&[] as &[&str], |(_, versions)| versions);
                (
                    name.split('/').next().unwrap_or_default().to_owned(),
                    versions,
                )
            }
        };
        if versions.contains(&self.version) {
            return Ok(());
        }
        let (version, known) = (self.version, versions.join(", "));
        let is_of_manager = self
            .namespace()
            .is_none_or(|space| space == GROUP.namespace);
        let refusal = match is_of_manager {
            true => {
                let message = format!(
                    "The api-version '{version}' is invalid. The supported versions are '{known}'."
                );
                Refusal::new(400, "InvalidApiVersionParameter", message)
            }
            false => {
                let message = format!(
                    "No registered resource provider found for location '' and API version \
                     '{version}' for type '{kind}'. The supported api-versions are '{known}'."
                );
                Refusal::new(400, "NoRegisteredProviderFound", message)
            }
        };
        Err(refusal)
    }
}

fn same(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

fn route(path: &str, words: &[&str]) -> Option<Route> {
    if !same(words.first()?, "subscriptions") {
        return None;
    }
    if words.len() == 1 {
        return Some(Route::Subscriptions);
    }
    if let Some(route) = extension(words) {
        return Some(route);
    }
    let scope = Id::new(format!("/subscriptions/{}", words[1]));
    let rest = &words[2..];
    match rest {
        [] => Some(Route::Subscription),
        [word] if same(word, "locations") => Some(Route::Locations),
        [word] if same(word, "resources") => Some(Route::Resources(scope)),
        [word] if same(word, "resourceGroups") => Some(Route::List(scope, &GROUP)),
        [word, id] if same(word, "operationresults") => Some(Route::Result((*id).to_owned())),
        [word, rest @ ..] if same(word, "providers") => provider(&scope, rest),
        [word, group, rest @ ..] if same(word, "resourceGroups") => {
            let group = scope.child(&format!("resourceGroups/{group}"));
            match rest {
                [] => Some(Route::Thing(group, &GROUP)),
                [word] if same(word, "resources") => Some(Route::Resources(group)),
                [word, namespace, rest @ ..] if same(word, "providers") => {
                    in_group(path, &group, namespace, rest)
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// What can be asked about any scope.
fn extension(words: &[&str]) -> Option<Route> {
    let at = words.iter().rposition(|word| same(word, "providers"))?;
    let scope = || Id::new(format!("/{}", words[..at].join("/")));
    match &words[at + 1..] {
        [space, word] if same(space, "Microsoft.Authorization") && same(word, "permissions") => {
            Some(Route::Permissions(scope()))
        }
        [space, word, rest @ ..]
            if same(space, "Microsoft.Authorization") && same(word, "locks") && rest.len() < 2 =>
        {
            let name = rest.first().map(|name| (*name).to_owned());
            Some(Route::Locks(scope(), name))
        }
        [space, word, name]
            if same(space, "Microsoft.Resources")
                && same(word, "tags")
                && same(name, "default") =>
        {
            Some(Route::Tags(scope()))
        }
        _ => None,
    }
}

fn provider(scope: &Id, rest: &[&str]) -> Option<Route> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match rest {
        [] | [_] => Some(Route::Providers(owned(rest))),
        [_, word] if same(word, "register") => Some(Route::Providers(owned(rest))),
        [space, word] if same(space, "Microsoft.Compute") && same(word, "skus") => {
            Some(Route::Skus)
        }
        [space, word]
            if same(space, "Microsoft.Storage") && same(word, "checkNameAvailability") =>
        {
            Some(Route::NameAvailability)
        }
        [space, word, location, rest @ ..] if same(word, "locations") && !rest.is_empty() => {
            let mut known = kinds::NAMESPACES.iter();
            let space = known.find(|known| same(known, space))?;
            Some(Route::Located(
                (*space).to_owned(),
                (*location).to_owned(),
                owned(rest),
            ))
        }
        [
            space,
            "offerTypes",
            kind,
            "publishers",
            publisher,
            "offers",
            offer,
            "plans",
            plan,
            "agreements",
            "current",
        ] if same(space, "Microsoft.MarketplaceOrdering") && same(kind, "virtualmachine") => Some(
            Route::Agreement([publisher, offer, plan].map(|word| (*word).to_owned())),
        ),
        [space, kind] => kinds::find(space, &[kind]).map(|kind| Route::List(scope.clone(), kind)),
        _ => None,
    }
}

fn in_group(path: &str, group: &Id, namespace: &str, rest: &[&str]) -> Option<Route> {
    let types: Vec<&str> = rest.iter().step_by(2).copied().collect();
    let id = || Id::new(path);
    if rest.len().is_multiple_of(2) {
        return kinds::find(namespace, &types).map(|kind| Route::Thing(id(), kind));
    }
    if let Some(kind) = kinds::find(namespace, &types) {
        let parent = match types.len() {
            1 => group.clone(),
            _ => {
                let at = path.trim_end_matches('/').rfind('/')?;
                Id::new(&path[..at])
            }
        };
        return Some(Route::List(parent, kind));
    }
    let (action, types) = types.split_last()?;
    let kind = kinds::find(namespace, types)?;
    let at = path.trim_end_matches('/').rfind('/')?;
    Some(Route::Action(
        Id::new(&path[..at]),
        kind,
        (*action).to_owned(),
    ))
}

/// The name of a call.
fn name(route: &Route, http: &str, words: &[&str]) -> String {
    let verb = match http {
        "GET" => "read",
        "PUT" | "PATCH" => "write",
        "DELETE" => "delete",
        _ => "action",
    };
    let of_kind = |kind: &Kind| match kind.word() {
        "resourceGroups" => "Microsoft.Resources/subscriptions/resourceGroups".to_owned(),
        "containers" => "Microsoft.Storage/storageAccounts/blobServices/containers".to_owned(),
        _ => kind.name(),
    };
    match route {
        Route::Subscriptions => "Microsoft.Resources/subscriptions/list".to_owned(),
        Route::Subscription => "Microsoft.Resources/subscriptions/read".to_owned(),
        Route::Locations => "Microsoft.Resources/subscriptions/locations/read".to_owned(),
        Route::Thing(_, kind) => format!("{}/{verb}", of_kind(kind)),
        Route::List(_, kind) => format!("{}/list", of_kind(kind)),
        Route::Action(_, kind, action) => format!("{}/{action}/{verb}", of_kind(kind)),
        Route::Resources(id) if id.group().is_empty() => {
            "Microsoft.Resources/subscriptions/resources/list".to_owned()
        }
        Route::Resources(_) => {
            "Microsoft.Resources/subscriptions/resourceGroups/resources/list".to_owned()
        }
        Route::Providers(words) => match words.get(1) {
            Some(_) => format!("{}/register/action", words[0]),
            None => "Microsoft.Resources/subscriptions/providers/read".to_owned(),
        },
        Route::Result(_) => "Microsoft.Resources/subscriptions/operationresults/read".to_owned(),
        Route::Permissions(_) => "Microsoft.Authorization/permissions/read".to_owned(),
        Route::Locks(_, _) => format!("Microsoft.Authorization/locks/{verb}"),
        Route::Tags(_) => format!("Microsoft.Resources/tags/{verb}"),
        Route::Skus => "Microsoft.Compute/skus/list".to_owned(),
        Route::NameAvailability => "Microsoft.Storage/checknameavailability/read".to_owned(),
        Route::Agreement(_) => {
            let name =
                "Microsoft.MarketplaceOrdering/offerTypes/publishers/offers/plans/agreements";
            format!("{name}/{verb}")
        }
        Route::Located(namespace, _, rest) => {
            let types: Vec<&str> = rest.iter().step_by(2).map(String::as_str).collect();
            debug_assert!(words.len() > 2, "a provider is below a subscription");
            let verb = match rest.first().map(String::as_str) {
                Some("usages") => "list",
                _ => "read",
            };
            format!("{namespace}/locations/{}/{verb}", types.join("/"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(http: &str, path: &str) -> String {
        let asked = Received {
            http: http.to_owned(),
            path: path.to_owned(),
            ..Received::default()
        };
        Call::parse(&asked, None).map_or_else(|refusal| refusal.code, |call| call.id)
    }

    #[test]
    fn calls_are_named_by_the_action_of_a_role() {
        let group = "/subscriptions/s/resourceGroups/g";
        for (http, rest, name) in [
            (
                "PUT",
                "",
                "Microsoft.Resources/subscriptions/resourceGroups/write",
            ),
            (
                "GET",
                "/resources",
                "Microsoft.Resources/subscriptions/resourceGroups/resources/list",
            ),
            (
                "DELETE",
                "/providers/microsoft.network/virtualnetworks/n/subnets/a",
                "Microsoft.Network/virtualNetworks/subnets/delete",
            ),
            (
                "GET",
                "/providers/Microsoft.Network/virtualNetworks/n/subnets",
                "Microsoft.Network/virtualNetworks/subnets/list",
            ),
            (
                "POST",
                "/providers/Microsoft.Compute/virtualMachines/v/start",
                "Microsoft.Compute/virtualMachines/start/action",
            ),
            (
                "PATCH",
                "/providers/Microsoft.Compute/disks/d/providers/Microsoft.Resources/tags/default",
                "Microsoft.Resources/tags/write",
            ),
            (
                "GET",
                "/providers/Microsoft.Web/sites/a",
                "InvalidResourceType",
            ),
        ] {
            assert_eq!(named(http, &format!("{group}{rest}")), name, "{rest}");
        }
    }
}
