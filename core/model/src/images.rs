//! Images by neutral name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ResourceId;

/// The instruction set that is meant where none is asked for and a site sells several.
pub const USUAL_ARCH: &str = "x86_64";

/// Stands for every instruction set of a site.
const ANY: &str = "any";

/// A site's current images by neutral name (`debian-12`), and under each name by the instruction
/// set they are built for: `x86_64` or `aarch64`, as in [`crate::Offer::arch`].
///
/// A site whose images fit all that it sells, or that does not tell, collects them from pairs of
/// name and id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PublicImages(BTreeMap<String, BTreeMap<String, ResourceId>>);

impl PublicImages {
    /// Adds the image of a name for one instruction set, or, with `None`, for every one. One that
    /// was there is replaced.
    pub fn insert(&mut self, name: impl Into<String>, arch: Option<&str>, id: ResourceId) {
        let images = self.0.entry(name.into()).or_default();
        images.insert(arch.unwrap_or(ANY).to_owned(), id);
    }

    /// The image of a name that runs on `arch`. Where `arch` is not known, the usual one.
    #[must_use]
    pub fn get(&self, name: &str, arch: Option<&str>) -> Option<&ResourceId> {
        let images = self.0.get(name)?;
        match arch {
            Some(arch) => images.get(arch).or_else(|| images.get(ANY)),
            None => {
                let usual = images.get(ANY).or_else(|| images.get(USUAL_ARCH));
                usual.or_else(|| images.values().next())
            }
        }
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The ids of all of them.
    pub fn ids(&self) -> impl Iterator<Item = &ResourceId> {
        self.0.values().flat_map(BTreeMap::values)
    }

    /// The instruction sets that a name has images for, sorted; none where one fits all.
    pub fn archs(&self, name: &str) -> impl Iterator<Item = &str> {
        let images = self.0.get(name).into_iter().flatten();
        images
            .map(|(arch, _)| arch.as_str())
            .filter(|arch| *arch != ANY)
    }
}

impl FromIterator<(String, ResourceId)> for PublicImages {
    fn from_iter<I: IntoIterator<Item = (String, ResourceId)>>(images: I) -> Self {
        let mut all = Self::default();
        for (name, id) in images {
            all.insert(name, None, id);
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_found_for_its_instruction_set_only() {
        let mut images: PublicImages = [("any-os".to_owned(), ResourceId::from("img-any"))]
            .into_iter()
            .collect();
        images.insert("debian-12", Some("aarch64"), ResourceId::from("img-arm"));
        let check = |name, arch, expect: Option<&str>| {
            let found = images.get(name, arch).map(ResourceId::as_str);
            assert_eq!(found, expect, "{name} {arch:?}");
        };
        check("debian-12", Some("aarch64"), Some("img-arm"));
        check("debian-12", Some("x86_64"), None);
        check("debian-12", None, Some("img-arm"));
        check("any-os", Some("riscv64"), Some("img-any"));
        check("any-os", None, Some("img-any"));
        check("nothing", None, None);

        images.insert("debian-12", Some(USUAL_ARCH), ResourceId::from("img-x86"));
        let usual = images.get("debian-12", None).map(ResourceId::as_str);
        assert_eq!(usual, Some("img-x86"));
        assert_eq!(
            images.archs("debian-12").collect::<Vec<_>>(),
            ["aarch64", "x86_64"]
        );
        assert_eq!(images.archs("any-os").count(), 0);
        let text = serde_json::to_string(&images).expect("JSON");
        assert_eq!(
            serde_json::from_str::<PublicImages>(&text).expect("images"),
            images
        );
    }
}
