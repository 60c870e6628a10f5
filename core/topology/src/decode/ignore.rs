//! What differences are left as they are.

use std::collections::BTreeSet;

use strat_model::{Field, Noun, Shared};

use super::item::{Arg, Item};
use super::read;
use crate::eval::Evaluator;
use crate::report::Outcome;

/// The attributes of a block whose differences can be ignored, and the fields that they become.
/// Sizes and places are not among them: room, prices and neighbours depend on those.
const fn known(noun: Noun) -> &'static [(&'static str, Field)] {
    match noun {
        Noun::Machine | Noun::Machines => &[
            ("labels", Field::Labels),
            ("image", Field::Image),
            ("user_data", Field::UserData),
            ("firewalls", Field::Firewalls),
            ("public_ip", Field::PublicIp),
            ("setup", Field::Setup),
        ],
        Noun::Volume => &[
            ("labels", Field::Labels),
            ("class", Field::Class),
            ("setup", Field::Setup),
        ],
        Noun::Bucket => &[
            ("labels", Field::Labels),
            ("versioning", Field::Versioning),
            ("setup", Field::Setup),
        ],
        Noun::Firewall => &[
            ("labels", Field::Labels),
            ("rules", Field::Rules),
            ("setup", Field::Setup),
        ],
        Noun::Subnet => &[
            ("labels", Field::Labels),
            ("internet", Field::Internet),
            ("setup", Field::Setup),
        ],
        _ => &[("labels", Field::Labels), ("setup", Field::Setup)],
    }
}

/// The fields that `ignore_changes` and `user_data_change` name.
pub(super) fn ignored(item: &mut Item<'_, '_>) -> Outcome<Shared<BTreeSet<Field>>> {
    let noun = item.thing.noun;
    let read = match noun {
        Noun::Machine | Noun::Machines => of_machine,
        Noun::Volume => of_volume,
        Noun::Bucket => of_bucket,
        Noun::Firewall => of_firewall,
        Noun::Subnet => of_subnet,
        _ => of_others,
    };
    let fields = item.optional("ignore_changes", read)?.unwrap_or_default();
    let mut fields: BTreeSet<Field> = fields.into_iter().collect();
    let of_user_data = match noun {
        Noun::Machine | Noun::Machines => item.optional("user_data_change", user_data_change)?,
        _ => None,
    };
    if of_user_data == Some(true) {
        fields.insert(Field::UserData);
    }
    Ok(fields.into())
}

/// A reader of the list of a kind of block.
macro_rules! lists {
    ($($function:ident of $noun:ident)*) => {$(
        fn $function(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Vec<Field>> {
            read::each(ev, arg, "a list of names of attributes", |ev, arg| {
                field(ev, arg, Noun::$noun)
            })
        }
    )*};
}

lists! {
    of_machine of Machine
    of_volume of Volume
    of_bucket of Bucket
    of_firewall of Firewall
    of_subnet of Subnet
    of_others of Network
}

fn field(ev: &mut Evaluator<'_>, arg: &Arg<'_>, noun: Noun) -> Outcome<Field> {
    let known = known(noun);
    let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
    let text = read::text(ev, arg)?;
    let at = read::choice(ev, arg, &text, &words)?;
    Ok(known[at].1)
}

/// Whether a change of user data is ignored.
fn user_data_change(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<bool> {
    let text = read::text(ev, arg)?;
    Ok(read::choice(ev, arg, &text, &["replace", "ignore"])? == 1)
}
