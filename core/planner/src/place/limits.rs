//! What is said of a thing that is larger, or has more of something, than a cloud takes.

use strat_model::{Field, Kind};

/// The attribute of a block that asks for too much in a field, and what to do about it.
pub(super) const fn attribute(kind: Kind, field: Field) -> (&'static str, &'static str) {
    match (kind, field) {
        (Kind::Network, _) => (
            "site_prefix",
            "give each site a part of the network by `site_prefix`, or another `cidr`",
        ),
        (Kind::Subnet, Field::Network) => (
            "network",
            "join some of its subnets in one, or lay them into another network",
        ),
        (Kind::Subnet, _) => (
            "newbits",
            "use other `newbits`, another `site_prefix` or another `cidr` of the network",
        ),
        (Kind::Firewall, _) => (
            "ingress",
            "name wider ranges, or firewalls instead of ranges, or spread the rules over several \
             firewalls",
        ),
        (_, Field::Disks) => ("disk", "use other disks, or volumes of their own"),
        (_, Field::Firewalls) => ("firewalls", "join the rules of some of them in one"),
        (_, Field::UserData) => (
            "user_data",
            "let it fetch its longer part from a bucket, or put that into an image",
        ),
        (_, Field::Size) => ("size", "use another size"),
        _ => ("", "ask for less"),
    }
}
