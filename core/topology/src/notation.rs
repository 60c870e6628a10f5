//! Which notation a file is in.

/// A notation of topologies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Notation {
    Hcl,
    Yaml,
    Json,
}

/// The notation of a file, by the ending of its name; HCL unless it says otherwise.
pub(crate) fn of(name: &str) -> Notation {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    if ending.eq_ignore_ascii_case("json") {
        Notation::Json
    } else if ending.eq_ignore_ascii_case("yaml") || ending.eq_ignore_ascii_case("yml") {
        Notation::Yaml
    } else {
        Notation::Hcl
    }
}
