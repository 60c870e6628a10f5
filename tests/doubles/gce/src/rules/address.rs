//! Static addresses. <https://cloud.google.com/compute/docs/reference/rest/v1/addresses>

use serde_json::json;

use super::{Begun, check_labels, remove};
use crate::call::{Call, default};
use crate::kinds::Key;
use crate::quota;
use crate::refusal::Refusal;
use crate::render::public_addresses;
use crate::world::World;

pub(super) fn insert(world: &mut World, call: &Call<'_>, key: Key) -> Result<Begun, Refusal> {
    let mut fields = call.body.clone();
    check_labels(&json!(fields.get("labels")))?;
    default(&mut fields, "addressType", json!("EXTERNAL"));
    default(&mut fields, "networkTier", json!("PREMIUM"));
    default(&mut fields, "ipVersion", json!("IPV4"));
    if fields["addressType"] != "EXTERNAL" || fields["ipVersion"] != "IPV4" {
        let message = "the double has only external IPv4 addresses";
        return Err(Refusal::new(501, "notImplemented", message));
    }
    if fields.contains_key("address") {
        let why = "Promoting an address in use is not something that the double does.";
        return Err(Refusal::invalid("resource.address", "", why));
    }
    let failure = quota::room(world, &key, "STATIC_ADDRESSES", 1.0).err();
    let address = world.public_address();
    fields.insert("address".to_owned(), json!(address));
    fields.insert("status".to_owned(), json!("RESERVING"));
    world.put(&key, fields);
    Begun::made(key, failure, "RESERVED")
}

pub(super) fn delete(world: &World, key: Key) -> Result<Begun, Refusal> {
    let address = world.thing(&key)?.get("address").cloned();
    let uses = |fields| public_addresses(fields).any(|one| Some(one) == address.as_ref());
    let user = world.first(&key.project, "instances", uses);
    match user {
        Some(user) => Err(Refusal::in_use("address", &key.path(), &user.path())),
        None => remove(key),
    }
}
