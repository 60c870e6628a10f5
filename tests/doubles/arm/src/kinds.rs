//! The kinds of resources, and what differs between them.
//!
//! Versions: the folders of <https://github.com/Azure/azure-rest-api-specs> that are generally
//! available, and those that Microsoft's clients of the pinned wheels ask for.

/// What a PUT does with fields that it leaves out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Put {
    /// They are as in a new one: Microsoft.Network, resource groups.
    Replaces,
    /// They stay as they are: Microsoft.Compute, Microsoft.Storage.
    Merges,
}

/// One kind of resource.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) namespace: &'static str,
    /// The words of its type: `virtualNetworks`, `subnets`.
    pub(crate) types: &'static [&'static str],
    pub(crate) versions: &'static [&'static str],
    pub(crate) put: Put,
    /// Whether it has a location and tags, and is listed with its group.
    pub(crate) is_tracked: bool,
    /// Whether it has an entity tag, which `If-Match` is held against.
    pub(crate) has_etag: bool,
    /// Whether `If-None-Match: *` makes a PUT create only.
    pub(crate) creates_only: bool,
    /// Whether its PUT is answered with an operation.
    pub(crate) is_slow: bool,
}

const COMPUTE: &[&str] = &[
    "2023-09-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-04-01",
    "2026-04-01",
];
const DISKS: &[&str] = &["2023-10-02", "2024-03-02", "2025-01-02", "2026-03-02"];
const NETWORK: &[&str] = &[
    "2023-05-01",
    "2023-09-01",
    "2023-11-01",
    "2024-01-01",
    "2024-03-01",
    "2024-05-01",
    "2024-07-01",
    "2024-10-01",
    "2025-01-01",
    "2026-03-01",
];
const STORAGE: &[&str] = &[
    "2023-01-01",
    "2023-05-01",
    "2024-01-01",
    "2025-01-01",
    "2025-06-01",
    "2026-09-01",
];
/// The versions of resource groups and of lists over all kinds.
pub(crate) const RESOURCES: &[&str] = &[
    "2021-04-01",
    "2022-09-01",
    "2024-03-01",
    "2024-07-01",
    "2024-11-01",
    "2025-03-01",
    "2025-04-01",
];
/// The versions of what is no kind of its own, by its type.
pub(crate) const PLAIN: [(&str, &[&str]); 12] = [
    ("subscriptions", &["2020-01-01", "2021-01-01", "2022-12-01"]),
    ("resources", RESOURCES),
    ("providers", RESOURCES),
    ("tags", RESOURCES),
    ("permissions", &["2015-07-01", "2018-07-01", "2022-04-01"]),
    ("locks", &["2016-09-01", "2020-05-01"]),
    ("agreements", &["2021-01-01"]),
    ("skus", &["2019-04-01", "2021-07-01"]),
    ("locations/Microsoft.Compute", COMPUTE),
    ("locations/Microsoft.Network", NETWORK),
    ("locations/Microsoft.Storage", STORAGE),
    ("checkNameAvailability", STORAGE),
];

const fn kind(
    namespace: &'static str,
    types: &'static [&'static str],
    versions: &'static [&'static str],
    put: Put,
) -> Kind {
    Kind {
        namespace,
        types,
        versions,
        put,
        is_tracked: types.len() == 1,
        has_etag: matches!(put, Put::Replaces),
        creates_only: false,
        is_slow: true,
    }
}

const fn network(types: &'static [&'static str]) -> Kind {
    kind("Microsoft.Network", types, NETWORK, Put::Replaces)
}

/// Resource groups.
pub(crate) static GROUP: Kind = Kind {
    has_etag: false,
    is_slow: false,
    ..kind(
        "Microsoft.Resources",
        &["resourceGroups"],
        RESOURCES,
        Put::Replaces,
    )
};

/// Every kind besides resource groups.
static KINDS: [Kind; 13] = [
    network(&["virtualNetworks"]),
    network(&["virtualNetworks", "subnets"]),
    network(&["networkSecurityGroups"]),
    network(&["networkSecurityGroups", "securityRules"]),
    network(&["applicationSecurityGroups"]),
    network(&["publicIPAddresses"]),
    network(&["networkInterfaces"]),
    Kind {
        has_etag: true,
        creates_only: true,
        ..kind(
            "Microsoft.Compute",
            &["virtualMachines"],
            COMPUTE,
            Put::Merges,
        )
    },
    kind("Microsoft.Compute", &["disks"], DISKS, Put::Merges),
    Kind {
        is_slow: false,
        ..kind(
            "Microsoft.Compute",
            &["sshPublicKeys"],
            COMPUTE,
            Put::Merges,
        )
    },
    kind(
        "Microsoft.Storage",
        &["storageAccounts"],
        STORAGE,
        Put::Merges,
    ),
    Kind {
        is_slow: false,
        ..kind(
            "Microsoft.Storage",
            &["storageAccounts", "blobServices"],
            STORAGE,
            Put::Replaces,
        )
    },
    Kind {
        is_slow: false,
        ..kind(
            "Microsoft.Storage",
            &["storageAccounts", "blobServices", "containers"],
            STORAGE,
            Put::Merges,
        )
    },
];

impl Kind {
    /// Its type as ARM shows it: `Microsoft.Network/virtualNetworks/subnets`.
    pub(crate) fn name(&self) -> String {
        format!("{}/{}", self.namespace, self.types.join("/"))
    }

    /// The last word of its type, which no two kinds share.
    pub(crate) fn word(&self) -> &'static str {
        self.types.last().copied().unwrap_or_default()
    }

    pub(crate) fn is_network(&self) -> bool {
        self.namespace == "Microsoft.Network"
    }
}

/// The kind of a type.
pub(crate) fn find(namespace: &str, types: &[&str]) -> Option<&'static Kind> {
    let is_it = |kind: &&Kind| {
        kind.namespace.eq_ignore_ascii_case(namespace)
            && kind.types.len() == types.len()
            && kind
                .types
                .iter()
                .zip(types)
                .all(|(a, b)| a.eq_ignore_ascii_case(b))
    };
    KINDS.iter().find(is_it)
}

/// The kind of the last word of its type.
pub(crate) fn of_word(word: &str) -> Option<&'static Kind> {
    let mut all = std::iter::once(&GROUP).chain(&KINDS);
    all.find(|kind| kind.word().eq_ignore_ascii_case(word))
}

/// The namespaces that there are.
pub(crate) const NAMESPACES: [&str; 6] = [
    "Microsoft.Resources",
    "Microsoft.Authorization",
    "Microsoft.Compute",
    "Microsoft.Network",
    "Microsoft.Storage",
    "Microsoft.MarketplaceOrdering",
];

/// The types of a namespace, with their versions.
pub(crate) fn of_namespace(namespace: &str) -> impl Iterator<Item = &'static Kind> {
    KINDS
        .iter()
        .filter(move |kind| kind.namespace.eq_ignore_ascii_case(namespace))
}
