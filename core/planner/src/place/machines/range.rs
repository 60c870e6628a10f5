//! What machines would cost if what was chosen for them runs out.

use rust_decimal::Decimal;
use rustc_hash::FxHashMap;
use strat_model::Name;

use super::{Allotment, Supply, permitted_zones};
use crate::place::Placer;
use crate::place::asked::asked;
use crate::place::offers::dollars;
use crate::stock::SIMILAR_MAX;

/// The least and the greatest price, by all that they hang on.
pub(super) type Ranges<'a> = FxHashMap<Asked<'a>, (Option<Decimal>, Option<Decimal>)>;

/// What was asked for, where, and in which zone alone.
type Asked<'a> = (String, Vec<&'a Name>, Option<Name>);

impl<'a> Placer<'a> {
    /// Adds to the range of the hourly cost: if every new machine of an allotment got the cheapest,
    /// or the dearest, of the places that an apply may fall back to.
    pub(super) fn fallback(
        &mut self,
        allotment: &Allotment<'a>,
        supply: &Supply<'a>,
        known: &mut Ranges<'a>,
    ) {
        if allotment.new == 0 {
            return;
        }
        let machine = allotment.machine;
        let pin = allotment.pin.as_ref().map(|(_, zone)| zone.clone());
        let zone = pin.or_else(|| machine.placement.zone.clone());
        let key = (asked(machine), allotment.sites.clone(), zone);
        let range = known.entry(key).or_insert_with(|| range(allotment, supply));
        let shares = allotment.shares.iter();
        let chosen = shares.filter_map(|share| share.shape.dollars());
        let (least, most) = (chosen.clone().min(), chosen.max());
        // What goes to hardware that is paid for may have to go to a cloud.
        let low = range.0.into_iter().chain(least).min();
        let high = range.1.into_iter().chain(most).max();
        let new = Decimal::from(allotment.new);
        if let (Some(low), Some(high)) = (low, high) {
            let now = most.unwrap_or_default();
            self.fallback.0 += (least.unwrap_or_default() - low).max(Decimal::ZERO) * new;
            self.fallback.1 += (high - now).max(Decimal::ZERO) * new;
        }
    }
}

fn range(allotment: &Allotment<'_>, supply: &Supply<'_>) -> (Option<Decimal>, Option<Decimal>) {
    let mut prices: Vec<Decimal> = Vec::new();
    for site in &allotment.sites {
        let Some(market) = supply.markets.get(*site) else {
            continue;
        };
        for zone in permitted_zones(allotment, market.facts()) {
            let offers = market.offers(zone).iter();
            let fit = offers.filter(|offer| market.fits(offer, allotment.machine).is_ok());
            prices.extend(
                fit.take(SIMILAR_MAX)
                    .filter_map(|offer| dollars(offer.price_hour)),
            );
        }
    }
    (prices.iter().min().copied(), prices.iter().max().copied())
}
