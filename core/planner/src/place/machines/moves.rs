//! Moving what could stay, where that saves enough.

use rust_decimal::Decimal;
use strat_model::CapacityKind;

use super::{Allotment, Share, Supply, demand, layout};
use crate::allot::allot;

/// Places a fleet anew if that saves at least its `move_threshold` of what it costs where it is.
/// Nothing is moved where a price is not known.
pub(super) fn reconsider<'a>(allotment: &mut Allotment<'a>, supply: &mut Supply<'a>) {
    let Some(threshold) = allotment.machine.placement.move_threshold else {
        return;
    };
    // What is new was placed best already, and what is missing is told.
    let settled = allotment.missing == 0 && allotment.new < allotment.machine.count;
    let (true, Some(now)) = (settled && allotment.pin.is_none(), hourly(allotment)) else {
        return;
    };
    let before = (supply.rooms.clone(), supply.addresses.clone());
    for share in &allotment.shares {
        let (place, counted) = ((share.site, share.zone), (share.count, false));
        supply.count(allotment.machine, place, &share.shape, counted);
    }
    let mut trial = [Allotment {
        machine: allotment.machine,
        sites: allotment.sites.clone(),
        pin: None,
        zones: allotment.zones.clone(),
        shares: Vec::new(),
        missing: allotment.machine.count,
        new: 0,
        moved: None,
        is_scaled: false,
    }];
    let demands = demand::demands(&mut trial, supply);
    layout::lay_out(&mut trial, &demands, &allot(&demands.problem), supply);
    let [trial] = trial;
    let saved = hourly(&trial).map(|then| now - then);
    let enough = now * Decimal::from(threshold) / Decimal::ONE_HUNDRED;
    match saved {
        Some(saved) if trial.missing == 0 && saved > Decimal::ZERO && saved >= enough => {
            let percent = (saved * Decimal::ONE_HUNDRED / now).round();
            allotment.moved = Some(format!(
                "moving saves {percent} % of the price, and `move_threshold` is {threshold} %"
            ));
            allotment.new = new_in(allotment, &trial);
            allotment.shares = trial.shares;
        }
        _ => (supply.rooms, supply.addresses) = before,
    }
}

/// What a fleet costs an hour in US dollars; our own hardware without a price is paid for.
fn hourly(allotment: &Allotment<'_>) -> Option<Decimal> {
    let mut shares = allotment.shares.iter();
    shares.try_fold(Decimal::ZERO, |sum, share| {
        let owned = share.shape.capacity == CapacityKind::Owned;
        let price = share.shape.dollars().or(owned.then_some(Decimal::ZERO))?;
        Some(sum + price * Decimal::from(share.count))
    })
}

/// How many machines of `after` are not there before.
fn new_in(before: &Allotment<'_>, after: &Allotment<'_>) -> u32 {
    let new = |share: &Share<'_>| {
        let old = before.shares_in(share.site, share.zone).iter();
        let same = old.filter(|old| old.shape.is_same(&share.shape));
        share.count.saturating_sub(same.map(|old| old.count).sum())
    };
    after.shares.iter().map(new).sum()
}
