//! What the attributes of machines are, in words and in shape.

use super::shape::Shape::*;
use super::words::{CLASSES, Row};

/// By block and attribute.
pub(super) const MACHINES: &[Row] = &[
    (
        "machine",
        "cpu",
        Whole(1, 4096),
        "At least so many virtual CPUs; with `memory`.",
    ),
    (
        "machine",
        "memory",
        Size,
        "At least so much memory; with `cpu`.",
    ),
    (
        "machine",
        "machine_type",
        Text,
        "A cloud's own type, instead of `cpu` and `memory`.",
    ),
    (
        "machine",
        "arch",
        OneOf(&["x86_64", "aarch64", "amd64", "arm64"]),
        "The instruction set; `x86_64` where the site has it, if left out.",
    ),
    (
        "machine",
        "cpu_max",
        Whole(1, 4096),
        "At most so many virtual CPUs.",
    ),
    ("machine", "memory_max", Size, "At most so much memory."),
    (
        "machine",
        "gpus",
        Whole(0, 64),
        "At least so many accelerators; 1 if `gpu` is given.",
    ),
    (
        "machine",
        "gpu",
        Text,
        "The accelerator's model, such as `T4`.",
    ),
    (
        "machine",
        "burstable",
        Bool,
        "Whether it must be of a burstable type, or must not; either, if left out.",
    ),
    (
        "machine",
        "image",
        Text,
        "A neutral name such as `debian-12`, or `${image.name}`.",
    ),
    (
        "machine",
        "subnet",
        Reference("subnet"),
        "Where its addresses come from.",
    ),
    (
        "machine",
        "public_ip",
        Bool,
        "Whether it has a public address of its own; only in a public subnet.",
    ),
    (
        "machine",
        "firewalls",
        References("firewall"),
        "Who may reach it.",
    ),
    (
        "machine",
        "keypair",
        Reference("keypair"),
        "Who may log in.",
    ),
    (
        "machine",
        "user_data",
        Text,
        "What it does at its first boot.",
    ),
    (
        "machine",
        "user_data_change",
        OneOf(&["replace", "ignore"]),
        "What a change of `user_data` does to machines that run; `replace` if left out.",
    ),
    (
        "machines",
        "count",
        Whole(0, 1_000_000),
        "How many machines the fleet has.",
    ),
    ("disk", "size", Size, "Its size."),
    (
        "disk",
        "class",
        OneOf(CLASSES),
        "What it is made of; `ssd` if left out.",
    ),
    (
        "placement",
        "sites",
        Sites,
        "Where it may run, in order of preference; the network's, if left out.",
    ),
    ("placement", "zone", Text, "The one zone that will do."),
    (
        "placement",
        "spread",
        OneOf(&["none", "zone"]),
        "`zone` lays a fleet out evenly over the zones; `none` if left out.",
    ),
    (
        "placement",
        "require",
        Labels,
        "Labels that a site must have, such as `{ residency = \"eu\" }`.",
    ),
    (
        "placement",
        "prefer",
        OneOf(&["order", "owned", "cost", "balance"]),
        "Which of the permitted places is best; `order` if left out.",
    ),
    (
        "placement",
        "weights",
        Weights,
        "With `balance`: each site's share, relative to the others; 1 where left out.",
    ),
    (
        "placement",
        "max_price",
        Money,
        "The most that a new machine may cost an hour.",
    ),
    (
        "placement",
        "spot_percent",
        Whole(0, 100),
        "So many in a hundred may be spot capacity; none if left out.",
    ),
    (
        "placement",
        "on_demand_base",
        Whole(0, 1_000_000),
        "So many of the fleet are never spot, and do not count for `spot_percent`.",
    ),
    (
        "placement",
        "survive",
        Whole(0, 1),
        "1: any one site (or zone, at a single site) may be lost and the whole count is still there.",
    ),
    (
        "placement",
        "unit",
        Whole(1, 1_000_000),
        "The machines of a site come in multiples of this.",
    ),
    (
        "placement",
        "move_threshold",
        Whole(0, 100),
        "What moving must save, in percent, before what runs is moved; never if left out.",
    ),
    (
        "placement",
        "anti_affinity",
        Text,
        "Machines with the same word here never share a zone.",
    ),
];
