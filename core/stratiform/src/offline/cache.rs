//! What sites answered before, on disk.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use strat_model::{Digest, SiteFacts, SiteSpec};

use super::{FactsSource, OfflineFacts};
use crate::Error;

/// The version of the files.
const FORMAT_VERSION: u32 = 1;

/// What sites answered before: a folder with one file a site. It may be deleted at any time. It has
/// what a site sells and can do, and no setting of it, so no name of a credential either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferCache(PathBuf);

/// A file.
#[derive(Serialize, Deserialize)]
struct File {
    format_version: u32,
    site: String,
    provider: String,
    region: Option<String>,
    as_of: Timestamp,
    facts: SiteFacts,
}

impl OfferCache {
    /// The cache below a user's folder for caches, such as `~/.cache`.
    #[must_use]
    pub fn below(caches: &Path) -> Self {
        Self(caches.join("stratiform").join("offers"))
    }

    /// The file of a site. Two sites share one only if they are the same: of one name, provider,
    /// region and settings.
    #[must_use]
    pub fn path(&self, site: &SiteSpec) -> PathBuf {
        let settings = serde_json::to_string(&site.settings).unwrap_or_default();
        let zones: Vec<&str> = site.zones.iter().map(strat_model::Name::as_str).collect();
        let digest = Digest::of_parts([
            site.provider.as_str(),
            site.region.as_deref().unwrap_or_default(),
            &zones.join(","),
            &settings,
        ]);
        let digest = digest.as_str().get(..16).unwrap_or_default();
        self.0.join(format!("{}-{digest}.json", site.name))
    }

    /// What a site answered before; `None` if it was never asked, or what is there is damaged or
    /// of another version.
    ///
    /// # Errors
    /// If the file is there and cannot be read.
    pub fn read(&self, site: &SiteSpec) -> Result<Option<OfflineFacts>, Error> {
        let path = self.path(site);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::file(path, "read")(error)),
        };
        // What another version wrote, or something broke, is as good as none: it is a cache.
        let file = serde_json::from_slice::<File>(&text).ok();
        let Some(file) = file.filter(|file| file.format_version == FORMAT_VERSION) else {
            return Ok(None);
        };
        Ok(Some(OfflineFacts {
            facts: file.facts,
            source: FactsSource::Cache,
            as_of: Some(file.as_of),
        }))
    }

    /// Remembers what a site answered, whole or not at all. Says where.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn write(
        &self,
        site: &SiteSpec,
        facts: SiteFacts,
        as_of: Timestamp,
    ) -> Result<PathBuf, Error> {
        let path = self.path(site);
        let file = File {
            format_version: FORMAT_VERSION,
            site: site.name.to_string(),
            provider: site.provider.clone(),
            region: site.region.clone(),
            as_of,
            facts,
        };
        let write = || strat_engine::files::replace(&path, &serde_json::to_vec(&file)?);
        write().map_err(Error::file(&path, "written"))?;
        Ok(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(settings: serde_json::Value) -> SiteSpec {
        SiteSpec {
            region: Some("us-east-1".to_owned()),
            labels: Default::default(),
            settings: serde_json::from_value(settings).expect("settings"),
            ..SiteSpec::new("east".parse().expect("a name"), "sim")
        }
    }

    fn facts() -> SiteFacts {
        let facts = serde_json::json!({
            "capabilities": crate::offline::tests::capabilities(),
            "zones": ["a"], "offers": [], "free": null, "quotas": [], "images": {},
        });
        serde_json::from_value(facts).expect("facts")
    }

    #[test]
    fn it_remembers_by_site_and_settings_and_tells_no_setting() {
        let dir = tempfile::tempdir().expect("a folder");
        let cache = OfferCache::below(dir.path());
        let east = site(serde_json::json!({ "profile": "hush-hush" }));
        assert_eq!(cache.read(&east).expect("none yet"), None);
        let at = Timestamp::UNIX_EPOCH;
        let path = cache.write(&east, facts(), at).expect("written");
        let back = cache.read(&east).expect("read").expect("there");
        assert_eq!((back.facts, back.as_of), (facts(), Some(at)));
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(!text.contains("hush-hush") && !path.to_string_lossy().contains("hush"));
        let other = site(serde_json::json!({ "profile": "another" }));
        assert_eq!(cache.read(&other).expect("read"), None);
        let names = std::fs::read_dir(path.parent().expect("a folder")).expect("a folder");
        assert_eq!(names.count(), 1, "nothing partial is left");
    }

    #[test]
    fn what_another_version_wrote_or_something_broke_is_as_good_as_none() {
        let dir = tempfile::tempdir().expect("a folder");
        let cache = OfferCache::below(dir.path());
        let east = site(serde_json::json!({}));
        let at = Timestamp::UNIX_EPOCH;
        let path = cache.write(&east, facts(), at).expect("written");
        let text = std::fs::read_to_string(&path).expect("text");
        let newer = text.replace(r#""format_version":1"#, r#""format_version":99"#);
        assert_ne!(newer, text);
        for text in [newer.as_str(), &text[..text.len() / 2], ""] {
            std::fs::write(&path, text).expect("written");
            assert_eq!(cache.read(&east).expect("no error"), None);
        }
        cache.write(&east, facts(), at).expect("made whole again");
        assert!(cache.read(&east).expect("read").is_some());
    }
}
