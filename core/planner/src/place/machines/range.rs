//! What machines would cost if what was chosen for them runs out.

use rust_decimal::Decimal;

use super::{Allotment, Supply, permitted_zones};
use crate::place::Placer;
use crate::place::offers::shape;
use crate::stock::SIMILAR_MAX;

impl<'a> Placer<'a> {
    /// Adds to the range of the hourly cost: if every new machine of an allotment got the cheapest,
    /// or the dearest, of the places that an apply may fall back to.
    pub(super) fn fallback(&mut self, allotment: &Allotment<'a>, supply: &Supply<'a>) {
        if allotment.new == 0 {
            return;
        }
        let mut prices: Vec<Decimal> = Vec::new();
        for site in &allotment.sites {
            let Some(market) = supply.markets.get(*site) else {
                continue;
            };
            for zone in permitted_zones(allotment, market.facts()) {
                let offers = market.offers(zone).iter();
                let fit = offers.filter(|offer| market.fits(offer, allotment.machine).is_ok());
                prices.extend(fit.take(SIMILAR_MAX).filter_map(|o| shape(o).dollars()));
            }
        }
        let zones = allotment.places.values().flat_map(|zones| zones.values());
        let chosen = zones.flatten().filter_map(|share| share.shape.dollars());
        let (least, most) = (chosen.clone().min(), chosen.max());
        // What goes to hardware that is paid for may have to go to a cloud.
        let low = prices.iter().copied().min().into_iter().chain(least).min();
        let high = prices.iter().copied().max().into_iter().chain(most).max();
        let new = Decimal::from(allotment.new);
        if let (Some(low), Some(high)) = (low, high) {
            let now = most.unwrap_or_default();
            self.fallback.0 += (least.unwrap_or_default() - low).max(Decimal::ZERO) * new;
            self.fallback.1 += (high - now).max(Decimal::ZERO) * new;
        }
    }
}
