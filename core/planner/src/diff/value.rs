//! Specs as JSON, field by field: what plans show and notes digest.

use serde::Serialize;
use serde_json::{Map, Value, json};
use strat_model::{DiskSpec, Field, ImageRef, Resource, Spec};

/// A field of a spec as JSON; `None` for a field that the kind has not. References stand as `R`
/// serialises, sizes as text, user data by its digest.
pub(crate) fn field_value<R: Ord + Serialize>(spec: &Spec<R>, field: Field) -> Option<Value> {
    if field == Field::Labels {
        return Some(json!(spec.labels()));
    }
    let value = match (spec, field) {
        (Spec::Network(spec), Field::Cidr) => json!(spec.cidr),
        (Spec::Subnet(spec), Field::Network) => json!(spec.network),
        (Spec::Subnet(spec), Field::Cidr) => json!(spec.cidr),
        (Spec::Subnet(spec), Field::Zone) => json!(spec.zone),
        (Spec::Subnet(spec), Field::Internet) => json!(spec.internet),
        (Spec::Firewall(spec), Field::Network) => json!(spec.network),
        (Spec::Firewall(spec), Field::Rules) => json!(spec.rules),
        (Spec::Address(spec), Field::Attach) => json!(spec.attach),
        (Spec::Keypair(spec), Field::PublicKey) => json!(spec.public_key),
        (Spec::Image(spec), Field::Source) => json!(spec.source),
        (Spec::Image(spec), Field::Sha256) => json!(spec.sha256),
        (Spec::Machine(spec), Field::MachineType) => json!(spec.machine_type),
        (Spec::Machine(spec), Field::Cpu) => json!(spec.cpu),
        (Spec::Machine(spec), Field::Memory) => json!(spec.memory.to_string()),
        (Spec::Machine(spec), Field::Capacity) => json!(spec.capacity),
        (Spec::Machine(spec), Field::Zone) => json!(spec.zone),
        (Spec::Machine(spec), Field::Image) => match &spec.image {
            ImageRef::Named { name, .. } => json!(name),
            ImageRef::Managed(image) => json!(image),
        },
        (Spec::Machine(spec), Field::Subnet) => json!(spec.subnet),
        (Spec::Machine(spec), Field::PublicIp) => json!(spec.public_ip),
        (Spec::Machine(spec), Field::Firewalls) => json!(spec.firewalls),
        (Spec::Machine(spec), Field::Keypair) => json!(spec.keypair),
        (Spec::Machine(spec), Field::UserData) => {
            json!(
                spec.user_data
                    .as_ref()
                    .map(|data| format!("digest {}", data.digest))
            )
        }
        (Spec::Machine(spec), Field::Disks) => spec.disks.iter().map(disk).collect(),
        (Spec::Volume(spec), Field::Size) => json!(spec.size.to_string()),
        (Spec::Volume(spec), Field::Class) => json!(spec.class),
        (Spec::Volume(spec), Field::Zone) => json!(spec.zone),
        (Spec::Volume(spec), Field::Attach) => json!(spec.attach),
        (Spec::Bucket(spec), Field::Versioning) => json!(spec.versioning),
        _ => return None,
    };
    Some(value)
}

fn disk(disk: &DiskSpec) -> Value {
    json!({ "size": disk.size.to_string(), "class": disk.class })
}

/// The fields that a kind's spec has, in the order in which they are shown.
pub(super) const fn fields_of<R: Ord>(spec: &Spec<R>) -> &'static [Field] {
    match spec {
        Spec::Network(_) => &[Field::Cidr, Field::Labels],
        Spec::Subnet(_) => &[
            Field::Network,
            Field::Cidr,
            Field::Zone,
            Field::Internet,
            Field::Labels,
        ],
        Spec::Firewall(_) => &[Field::Network, Field::Rules, Field::Labels],
        Spec::Address(_) => &[Field::Attach, Field::Labels],
        Spec::Keypair(_) => &[Field::PublicKey, Field::Labels],
        Spec::Image(_) => &[Field::Source, Field::Sha256, Field::Labels],
        Spec::Machine(_) => &[
            Field::MachineType,
            Field::Cpu,
            Field::Memory,
            Field::Capacity,
            Field::Zone,
            Field::Image,
            Field::Subnet,
            Field::PublicIp,
            Field::Firewalls,
            Field::Keypair,
            Field::UserData,
            Field::Disks,
            Field::Labels,
        ],
        Spec::Volume(_) => &[
            Field::Size,
            Field::Class,
            Field::Zone,
            Field::Attach,
            Field::Labels,
        ],
        Spec::Bucket(_) => &[Field::Versioning, Field::Labels],
    }
}

/// The fields of a spec that hold nothing but values of their own: no references, and no labels, which
/// are compared apart.
pub(super) fn plain_fields<R: Ord>(spec: &Spec<R>) -> impl Iterator<Item = Field> + use<R> {
    let fields = fields_of(spec).iter().copied();
    fields.filter(|field| *field != Field::Labels && !field.is_reference())
}

/// A whole spec as one flat JSON object.
pub(crate) fn spec_value<R: Ord + Serialize>(spec: &Spec<R>) -> Map<String, Value> {
    let fields = fields_of(spec).iter();
    let pairs =
        fields.filter_map(|field| Some((field.as_str().to_owned(), field_value(spec, *field)?)));
    pairs.filter(|(_, value)| !value.is_null()).collect()
}

/// A thing as it is, with addresses for the ids that are known and notes for what cannot be read.
pub(super) fn named(
    resource: &Resource,
    name: impl Fn(&strat_model::ResourceId) -> String,
) -> Spec<String> {
    let spec = resource
        .spec
        .try_map_refs(|id| Ok::<_, std::convert::Infallible>(name(id)));
    let mut spec = match spec {
        Ok(spec) => spec,
        Err(never) => match never {},
    };
    if let (Spec::Machine(machine), Some(mark)) = (&mut spec, &resource.mark)
        && let Some(note) = mark.notes.get(&Field::Image)
        && let ImageRef::Named { name, .. } = &mut machine.image
    {
        name.clone_from(note);
    }
    spec
}

/// A thing as it is, as one flat JSON object.
pub(super) fn resource_value(
    resource: &Resource,
    name: impl Fn(&strat_model::ResourceId) -> String,
) -> Map<String, Value> {
    let mut value = spec_value(&named(resource, name));
    let note = resource
        .mark
        .as_ref()
        .and_then(|mark| mark.notes.get(&Field::UserData));
    if let Some(note) = note {
        value.insert("user_data".to_owned(), json!(format!("digest {note}")));
    }
    value
}
