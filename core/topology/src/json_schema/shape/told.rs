//! What attributes take, for people.

use super::Shape;

impl Shape {
    /// What it takes, in words.
    pub(crate) fn in_words(self) -> String {
        match self {
            Self::Any => "any value".to_owned(),
            Self::Text => "a text".to_owned(),
            Self::Bool => "`true` or `false`".to_owned(),
            Self::Number => "a number".to_owned(),
            Self::NumberOr(word) => format!("a number, or `\"{word}\"`"),
            Self::Whole(from, to) => format!("a whole number from {from} to {to}"),
            Self::Size => "a size such as `\"16GiB\"`".to_owned(),
            Self::Duration => "a time such as `\"5m\"`".to_owned(),
            Self::Wave => "a number, or a share such as `\"25%\"`".to_owned(),
            Self::OneOf(words) => format!("one of `\"{}\"`", words.join("\"`, `\"")),
            Self::Ipv4Range => "an IPv4 range such as `\"10.20.0.0/16\"`".to_owned(),
            Self::Sha256 => "a SHA-256 of 64 hexadecimal digits".to_owned(),
            Self::Texts => "a list of texts".to_owned(),
            Self::Site => "a site, such as `site.east`".to_owned(),
            Self::Sites => "a list of sites, such as `[site.east]`".to_owned(),
            Self::Reference(keyword) => format!("a reference such as `{keyword}.name`"),
            Self::References(keyword) => {
                format!("a list of references such as `[{keyword}.name]`")
            }
            Self::Peers => {
                "`\"internet\"`, a range, a firewall or a network, or a list of these".to_owned()
            }
            Self::Ends => {
                "`\"internet\"`, a range, an address, machines such as `machines.web`, or a list of these"
                    .to_owned()
            }
            Self::Ports => "a port, a range such as `\"5432-5433\"`, or a list of these".to_owned(),
            Self::Labels => "a map of texts".to_owned(),
            Self::Capacity => {
                "an object such as `{ cpu = 64, memory = \"256GiB\", disk = \"4TiB\" }`".to_owned()
            }
            Self::Money => "an amount such as `\"500 USD\"`".to_owned(),
            Self::Weights => "a map of sites' names to whole numbers".to_owned(),
            Self::ForEach => "a map, or a set of texts".to_owned(),
            Self::Type => "a type such as `list(number)`".to_owned(),
            Self::Blocks => "a list of references such as `[machine.db]`".to_owned(),
            Self::Renamed => {
                "a name such as `volume.data`, `site.east` or `topology.shop`".to_owned()
            }
        }
    }

    /// The words that it takes, in quotes, besides others where it takes those.
    pub(crate) fn words(self) -> &'static [&'static str] {
        match self {
            Self::OneOf(words) => words,
            Self::NumberOr("measured") => &["measured"],
            Self::Peers | Self::Ends => &["internet"],
            _ => &[],
        }
    }

    /// Whether it takes `true` and `false`.
    pub(crate) const fn is_bool(self) -> bool {
        matches!(self, Self::Bool)
    }

    /// The first words of the references that it is meant for.
    pub(crate) fn refers_to(self) -> &'static [&'static str] {
        match self {
            Self::Site | Self::Sites => &["site"],
            Self::Peers => &["firewall", "network"],
            Self::Ends => &["machine", "machines", "network"],
            Self::Blocks | Self::Renamed => NOUNS,
            Self::Reference(keyword) | Self::References(keyword) => NOUNS
                .iter()
                .position(|noun| *noun == keyword)
                .map_or(&[], |at| &NOUNS[at..=at]),
            _ => &[],
        }
    }

    /// Whether a text in it, or a key of it, is a site's name.
    pub(crate) const fn names_sites(self) -> bool {
        matches!(self, Self::Site | Self::Sites | Self::Weights)
    }
}

/// The words of all nouns.
const NOUNS: &[&str] = &{
    let mut words = [""; strat_model::Noun::ALL.len()];
    let mut at = 0;
    while at < words.len() {
        words[at] = strat_model::Noun::ALL[at].as_str();
        at += 1;
    }
    words
};
