//! Names, ids and paths of things on Google Cloud.
//!
//! A thing's id is its name; what is in a zone has the zone before it: `europe-west3-a/shop-db-1`. So
//! one name in two zones is two things, and whatever refers to a thing by its path can be read back
//! without another call.

use strat_model::{Digest, ErrorKind, Name, ResourceId, Result};

use crate::error::refuse;

/// The longest name of a thing.
///
/// <https://cloud.google.com/compute/docs/naming-resources#resource-name-format>
pub(crate) const NAME_MAX: usize = 63;

/// How many digits of its digest end a name that was shortened.
const DIGITS: usize = 8;

/// Whether a text is a name that Compute Engine takes: `[a-z]([-a-z0-9]{0,61}[a-z0-9])?`.
pub(crate) fn is_name(text: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let bytes = text.as_bytes();
    !text.is_empty()
        && text.len() <= NAME_MAX
        && bytes[0].is_ascii_lowercase()
        && bytes.iter().all(|byte| is_inner(*byte))
        && !text.ends_with('-')
}

/// What a thing of this name is called there: the name, where that is one; else what is left of it
/// and a digest of it.
pub(crate) fn google_name(name: &str) -> String {
    if is_name(name) {
        return name.to_owned();
    }
    with_digest(name, name)
}

/// The name of what belongs to a thing: as much of that thing's name as fits, and a digest of what
/// sets it apart.
pub(crate) fn with_digest(name: &str, apart: &str) -> String {
    let plain = name.chars().map(|c| match c {
        'a'..='z' | '0'..='9' => c,
        'A'..='Z' => c.to_ascii_lowercase(),
        _ => '-',
    });
    let kept: String = plain.take(NAME_MAX - DIGITS - 1).collect();
    let kept = kept.trim_matches('-');
    let head = if kept.starts_with(|c: char| c.is_ascii_lowercase()) {
        kept.to_owned()
    } else {
        format!("n{}", kept.chars().skip(1).collect::<String>())
    };
    let digest = Digest::of_parts(["name", name, apart]);
    format!("{head}-{}", &digest.as_str()[..DIGITS])
}

/// What is in a zone: the zone and the name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Zonal {
    pub(crate) zone: String,
    pub(crate) name: String,
}

impl Zonal {
    pub(crate) fn new(zone: &str, name: &str) -> Self {
        Self {
            zone: zone.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Reads an id; `None` for one that nothing in a zone can have.
    pub(crate) fn of_id(id: &ResourceId) -> Option<Self> {
        let (zone, name) = id.as_str().split_once('/')?;
        (is_name(zone) && is_name(name)).then(|| Self::new(zone, name))
    }

    /// Reads the path that refers to a thing in a zone, such as
    /// `https://…/projects/p/zones/europe-west3-a/instances/web-1`.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let mut parts = path.rsplit('/');
        let (name, _, zone, scope) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        (scope == "zones").then(|| Self::new(zone, name))
    }

    pub(crate) fn id(&self) -> ResourceId {
        ResourceId::from(format!("{}/{}", self.zone, self.name))
    }
}

/// The last part of a path: the name of what it refers to.
pub(crate) fn last(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A zone as the model has it.
pub(crate) fn zone_of(text: &str) -> Result<Name> {
    Name::new(last(text)).map_err(|_| refuse(ErrorKind::Internal, format!("`{text}` is no zone")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_becomes_one_that_google_takes_and_stays_apart() {
        let long = "n".repeat(80);
        let longer = "n".repeat(81);
        let names = [
            "web-1", "web-1-", "Web_1", "1st", "-", "", &long, &longer, "ü",
        ];
        let made: Vec<String> = names.iter().map(|name| google_name(name)).collect();
        assert_eq!(made[0], "web-1");
        for (index, name) in made.iter().enumerate() {
            assert!(is_name(name), "{name}");
            assert!(!made[..index].contains(name), "{made:?}");
        }
    }

    #[test]
    fn paths_and_ids_name_the_zone() {
        let path = "https://www.googleapis.com/compute/v1/projects/p/zones/z-a/instances/web";
        let zonal = Zonal::of_path(path).expect("in a zone");
        assert_eq!(Zonal::of_id(&zonal.id()), Some(Zonal::new("z-a", "web")));
        assert_eq!(Zonal::of_path("projects/p/regions/r/addresses/a"), None);
        assert_eq!(last(path), "web");
    }
}
