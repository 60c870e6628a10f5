//! What the blocks about traffic say.

use super::shape::Shape::{Ends, OneOf, Ports, Text};
use super::words::Row;

const FROM: &str = "Who sends: machines, fleets, `internet`, ranges, networks.";
const TO: &str = "Who receives: machines, fleets, `internet`, ranges, networks.";
const PROTOCOL: &str = "Which protocol; `tcp` if ports are given, else any.";
const PORT: &str = "The port that is meant, or a range of them.";
const MESSAGE: &str = "What is said where it does not hold.";
const PROTOCOLS: &[&str] = &["tcp", "udp", "icmp", "any"];

/// By block and attribute.
pub(super) const REACHES: &[Row] = &[
    ("assert_reach", "from", Ends, FROM),
    ("assert_reach", "to", Ends, TO),
    ("assert_reach", "protocol", OneOf(PROTOCOLS), PROTOCOL),
    ("assert_reach", "port", Ports, PORT),
    (
        "assert_reach",
        "ports",
        Ports,
        "The ports that have to pass, all of them; some, if left out.",
    ),
    ("assert_reach", "message", Text, MESSAGE),
    ("refuse_reach", "from", Ends, FROM),
    ("refuse_reach", "to", Ends, TO),
    ("refuse_reach", "protocol", OneOf(PROTOCOLS), PROTOCOL),
    ("refuse_reach", "port", Ports, PORT),
    (
        "refuse_reach",
        "ports",
        Ports,
        "The ports of which none may pass; any, if left out.",
    ),
    ("refuse_reach", "message", Text, MESSAGE),
];
