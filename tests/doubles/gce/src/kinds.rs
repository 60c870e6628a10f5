//! What is common between the kinds of things: where they lie, what they are called.

use std::collections::BTreeMap;

/// Where in a project a thing lies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// The project itself: zones and regions.
    Project,
    Global,
    Region(String),
    Zone(String),
}

impl Scope {
    /// As it stands in a path, with the slash after it.
    pub(crate) fn prefix(&self) -> String {
        match self {
            Self::Project => String::new(),
            Self::Global => "global/".to_owned(),
            Self::Region(name) => format!("regions/{name}/"),
            Self::Zone(name) => format!("zones/{name}/"),
        }
    }

    /// The scope that a call's path names.
    pub(crate) fn of(path: &BTreeMap<String, String>) -> Self {
        match (path.get("zone"), path.get("region")) {
            (Some(zone), _) => Self::Zone(zone.clone()),
            (None, Some(region)) => Self::Region(region.clone()),
            (None, None) => Self::Global,
        }
    }
}

/// A kind of thing.
#[derive(Debug)]
pub(crate) struct Kind {
    /// Its word in paths, and the resource of its methods.
    pub(crate) collection: &'static str,
    /// The word of its `kind` field, after `compute#`; lists add `List`.
    pub(crate) word: &'static str,
    /// Whether it has labels.
    pub(crate) has_labels: bool,
    /// What it is called in "The … resource is already being used".
    pub(crate) noun: &'static str,
}

const fn kind(
    collection: &'static str,
    word: &'static str,
    has_labels: bool,
    noun: &'static str,
) -> Kind {
    Kind {
        collection,
        word,
        has_labels,
        noun,
    }
}

/// Every kind that the double has.
pub(crate) static KINDS: [Kind; 12] = [
    kind("projects", "project", false, "project"),
    kind("zones", "zone", false, "zone"),
    kind("regions", "region", false, "region"),
    kind("machineTypes", "machineType", false, "machine type"),
    kind("diskTypes", "diskType", false, "disk type"),
    kind("images", "image", true, "image"),
    kind("networks", "network", false, "network"),
    kind("subnetworks", "subnetwork", false, "subnetwork"),
    kind("firewalls", "firewall", false, "firewall"),
    kind("addresses", "address", true, "address"),
    kind("disks", "disk", true, "disk"),
    kind("instances", "instance", true, "instance"),
];

/// The kind of a collection.
pub(crate) fn of_collection(collection: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.collection == collection)
}

/// Which thing: its kind, where it lies, and its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) project: String,
    pub(crate) collection: &'static str,
    pub(crate) scope: Scope,
    pub(crate) name: String,
}

/// What every link begins with.
pub(crate) const LINK: &str = "https://www.googleapis.com/compute/v1/";

impl Key {
    pub(crate) fn new(project: &str, collection: &'static str, scope: Scope, name: &str) -> Self {
        Self {
            project: project.to_owned(),
            collection,
            scope,
            name: name.to_owned(),
        }
    }

    /// Its path, from `projects/` on.
    pub(crate) fn path(&self) -> String {
        let Self {
            project,
            collection,
            scope,
            name,
        } = self;
        match *collection {
            "projects" => format!("projects/{project}"),
            _ => format!("projects/{project}/{}{collection}/{name}", scope.prefix()),
        }
    }

    /// Its full link.
    pub(crate) fn link(&self) -> String {
        format!("{LINK}{}", self.path())
    }

    pub(crate) fn kind(&self) -> &'static Kind {
        of_collection(self.collection).expect("a key is of a kind")
    }

    /// The thing that a full or partial URL names. A project is taken from `home` where the URL has
    /// none.
    pub(crate) fn parse(url: &str, home: &str) -> Option<Self> {
        let hosts = [
            LINK,
            "https://compute.googleapis.com/compute/v1/",
            "http://www.googleapis.com/compute/v1/",
        ];
        let rest = hosts.iter().find_map(|host| url.strip_prefix(host));
        let mut words: Vec<&str> = rest.unwrap_or(url).split('/').collect();
        let mut project = home;
        if let ["projects", name, ..] = words[..] {
            project = name;
            words.drain(..2);
        }
        let (scope, rest) = match &words[..] {
            ["zones" | "regions", _] => (Scope::Project, &words[..]),
            ["global", rest @ ..] => (Scope::Global, rest),
            ["zones", zone, rest @ ..] => (Scope::Zone((*zone).to_owned()), rest),
            ["regions", region, rest @ ..] => (Scope::Region((*region).to_owned()), rest),
            _ => return None,
        };
        let (collection, name) = match rest {
            [collection, name] => (*collection, (*name).to_owned()),
            ["images", "family", family] => ("images", format!("family/{family}")),
            _ => return None,
        };
        let kind = of_collection(collection)?;
        let is_named = !name.is_empty() && !project.is_empty();
        is_named.then(|| Self::new(project, kind.collection, scope, &name))
    }
}

/// The region of a zone: its name without the letter at its end.
pub(crate) fn region_of(zone: &str) -> &str {
    zone.rsplit_once('-').map_or(zone, |(region, _)| region)
}
