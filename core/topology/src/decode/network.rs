//! Networks, subnets and addresses.

use strat_model::{
    AddressIntent, AttachIntent, Diagnostic, Internet, LocalAddr, Name, NetworkIntent, SubnetIntent,
};

use super::item::{Arg, Item};
use super::read;
use crate::eval::Evaluator;
use crate::report::Outcome;

/// The longest prefix of a subnet: what AWS, Azure and Google all take (`/28`).
pub(super) const MAX_SUBNET_PREFIX: u8 = 28;

pub(super) fn network(item: &mut Item<'_, '_>) -> Outcome<NetworkIntent> {
    let common = item.common();
    let cidr = item.required("cidr", read::cidr);
    let site_prefix = item.optional("site_prefix", prefix);
    let sites = item.required("sites", read::sites);
    let network = NetworkIntent {
        common: common?,
        cidr: cidr?,
        site_prefix: site_prefix?,
        sites: sites?,
    };
    slices(item, &network)?;
    Ok(network)
}

fn prefix(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u8> {
    let number = read::int(ev, arg)?;
    let prefix = u8::try_from(number)
        .ok()
        .filter(|p| *p <= MAX_SUBNET_PREFIX);
    prefix.ok_or_else(|| {
        let message = format!("`{}` is {number}", arg.name);
        read::bad(
            ev,
            arg,
            "bad_prefix",
            message,
            "use a whole number up to 28",
        )
    })
}

/// Every site must get a slice.
fn slices(item: &mut Item<'_, '_>, network: &NetworkIntent) -> Outcome<()> {
    let sites = network.sites.len();
    let whole = network.cidr.prefix_len();
    let cidr = network.cidr;
    let Some(prefix) = network.site_prefix else {
        if sites == 1 {
            return Ok(());
        }
        let fits = whole.saturating_add(bits(sites)).max(whole + 1);
        let finding = Diagnostic::error(
            "missing_attribute",
            format!("this network spans {sites} sites, so it needs a `site_prefix`"),
        )
        .at(&item.origin("sites"), "several sites")
        .help(format!(
            "add `site_prefix = {fits}`: the prefix length of each site's slice of {cidr}"
        ));
        return Err(item.report(finding));
    };
    if prefix < whole {
        let finding = Diagnostic::error(
            "bad_prefix",
            format!("a site's slice (/{prefix}) would be larger than the whole network ({cidr})"),
        )
        .at(
            &item.origin("site_prefix"),
            "shorter than the network's own prefix",
        )
        .help(format!("use a prefix from {whole} to {MAX_SUBNET_PREFIX}"));
        return Err(item.report(finding));
    }
    let slices = 1_u64 << (prefix - whole);
    if slices < sites as u64 {
        let finding = Diagnostic::error(
            "exhausted_cidr",
            format!("{cidr} has {slices} slices of /{prefix}, and there are {sites} sites"),
        )
        .at(&item.origin("site_prefix"), "too few slices")
        .at(&item.origin("cidr"), "of this range")
        .help(format!(
            "use `site_prefix = {}` or longer, or a larger range",
            whole + bits(sites)
        ));
        return Err(item.report(finding));
    }
    Ok(())
}

/// How many bits tell `n` things apart.
fn bits(n: usize) -> u8 {
    let bits = usize::BITS - n.saturating_sub(1).leading_zeros();
    u8::try_from(bits).unwrap_or(u8::MAX)
}

pub(super) fn subnet(item: &mut Item<'_, '_>) -> Outcome<SubnetIntent> {
    let common = item.common();
    let network = item.required("network", read::network);
    let newbits = item.required("newbits", newbits);
    let internet = item.optional("internet", internet);
    Ok(SubnetIntent {
        common: common?,
        network: network?,
        newbits: newbits?,
        internet: internet?,
    })
}

fn internet(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<Internet> {
    let text = read::text(ev, arg)?;
    let words = Internet::ALL.map(Internet::as_str);
    let at = read::choice(ev, arg, &text, &words)?;
    Ok(Internet::ALL[at])
}

fn newbits(ev: &mut Evaluator<'_>, arg: &Arg<'_>) -> Outcome<u8> {
    let number = read::int(ev, arg)?;
    let bits = u8::try_from(number)
        .ok()
        .filter(|n| *n <= MAX_SUBNET_PREFIX);
    bits.ok_or_else(|| {
        let message = format!("`newbits` is {number}");
        read::bad(
            ev,
            arg,
            "bad_prefix",
            message,
            "use a whole number from 0 to 28",
        )
    })
}

pub(super) fn address(item: &mut Item<'_, '_>) -> Outcome<AddressIntent> {
    let common = item.common();
    let target = target(item, false);
    Ok(AddressIntent {
        common: common?,
        target: target?,
    })
}

/// `attach`, or `site` with perhaps a `zone`.
pub(super) fn target(item: &mut Item<'_, '_>, zoned: bool) -> Outcome<AttachIntent> {
    let attach: Outcome<Option<LocalAddr>> = item.optional("attach", read::machine);
    let site: Outcome<Option<Name>> = item.optional("site", read::site);
    let zone = if zoned {
        item.optional("zone", read::name)
    } else {
        Ok(None)
    };
    let word = item.thing.noun.as_str();
    match (attach?, site?, zone?) {
        (Some(machine), None, None) => Ok(AttachIntent::Machine(machine)),
        (None, Some(site), zone) => Ok(AttachIntent::Site { site, zone }),
        (Some(_), None, Some(_)) => {
            let finding = Diagnostic::error(
                "attach_and_site",
                "what is attached to a machine is in the machine's zone",
            )
            .at(&item.origin("zone"), "one of the two")
            .at(&item.origin("attach"), "the other")
            .help("remove `zone`");
            Err(item.report(finding))
        }
        (Some(_), Some(_), _) => {
            let finding = Diagnostic::error(
                "attach_and_site",
                format!("this {word} has both `attach` and `site`"),
            )
            .at(&item.origin("site"), "one of the two")
            .at(&item.origin("attach"), "the other")
            .help("keep `attach` for a machine, `site` to let it wait for one");
            Err(item.report(finding))
        }
        (None, None, _) => {
            let finding = Diagnostic::error(
                "attach_or_site",
                format!("nothing says where this {word} is"),
            )
            .at(&item.origin(""), "needs `attach` or `site`")
            .help("add `attach = machine.…`, or `site = site.…` to let it wait for one");
            Err(item.report(finding))
        }
    }
}
