//! How disks and volumes are encrypted: as the site's settings have it. It is chosen when one is made, and
//! never changed: <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption.html>.

use aws_sdk_ec2::types::Volume;
use strat_model::Departure;

use crate::config::Settings;

impl Settings {
    /// What a call that makes a disk says. Never `false`: what comes from an encrypted snapshot cannot be
    /// had otherwise, and EC2 refuses the word.
    pub(crate) fn encrypt(&self) -> Option<bool> {
        self.encrypted.then_some(true)
    }

    /// The key, where it can be compared with the ARN that EC2 tells: an alias says nothing of its key.
    fn known_key(&self) -> Option<&str> {
        let key = self.kms_key.as_deref()?;
        (!key.starts_with("alias/") && !key.contains(":alias/")).then_some(key)
    }

    /// Whether a disk may be encrypted and yet not as it is to be.
    pub(crate) fn minds_keys(&self) -> bool {
        self.known_key().is_some()
    }
}

/// How a disk or volume of ours is encrypted, where that is not as its site has it. `None` also where a
/// server beside AWS's own says nothing of it.
pub(crate) fn departure(settings: &Settings, volume: &Volume) -> Option<Departure> {
    if !settings.encrypted {
        return None;
    }
    let ought = match &settings.kms_key {
        Some(key) => format!("with {key}"),
        None => "with the account's key".to_owned(),
    };
    let is = match (
        volume.encrypted()?,
        volume.kms_key_id(),
        settings.known_key(),
    ) {
        (false, ..) => "none".to_owned(),
        (true, Some(is), Some(key)) if is != key && !is.ends_with(&format!("/{key}")) => {
            format!("with {is}")
        }
        (true, ..) => return None,
    };
    Some(Departure::new(is, ought))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";

    #[test]
    fn a_key_is_compared_by_its_id_and_an_alias_is_not() {
        let volume = |encrypted: bool, key: Option<&str>| {
            let volume = Volume::builder().encrypted(encrypted);
            volume.set_kms_key_id(key.map(str::to_owned)).build()
        };
        let other = ARN.replace("1234abcd", "ffffffff");
        let is = |of: serde_json::Value, volume: &Volume| {
            departure(&Settings::of_test(&of), volume).map(|departure| departure.is)
        };
        let none = Some("none".to_owned());
        assert_eq!(is(json!({}), &volume(false, None)), none);
        assert_eq!(
            is(json!({ "encrypted": false }), &volume(false, None)),
            None
        );
        assert_eq!(
            is(json!({}), &volume(true, Some(&other))),
            None,
            "anybody's"
        );
        let id = json!({ "kms_key": "1234abcd-12ab-34cd-56ef-1234567890ab" });
        assert_eq!(is(id.clone(), &volume(true, Some(ARN))), None);
        let with = Some(format!("with {other}"));
        assert_eq!(is(id, &volume(true, Some(&other))), with);
        assert_eq!(
            is(json!({ "kms_key": ARN }), &volume(true, Some(&other))),
            with
        );
        let alias = json!({ "kms_key": "alias/shop" });
        assert_eq!(is(alias, &volume(true, Some(&other))), None, "nobody knows");
        assert_eq!(is(json!({}), &Volume::builder().build()), None, "not told");
    }
}
