//! What is left where one site, or one zone, is lost.

use std::collections::BTreeMap;

use strat_model::burst::Survive;

use crate::inputs::Place;

/// How many machines count in each of the places that may be lost at once.
#[derive(Debug, Clone)]
pub(crate) struct Spread {
    by: Option<Survive>,
    at: BTreeMap<(String, String), u32>,
}

impl Spread {
    pub(crate) fn new(by: Option<Survive>) -> Self {
        let at = BTreeMap::new();
        Self { by, at }
    }

    /// Whether anything is to be survived.
    pub(crate) fn is_kept(&self) -> bool {
        self.by.is_some()
    }

    /// The loss that costs most: a site, or a zone of one.
    pub(crate) fn worst(&self) -> Option<String> {
        let fullest = self.at.iter().max_by_key(|(_, count)| **count);
        fullest.map(|((site, zone), _)| match zone.as_str() {
            "" => site.clone(),
            zone => format!("{zone} of {site}"),
        })
    }

    fn key(&self, place: (&str, &str)) -> (String, String) {
        let (site, zone) = place;
        let zone = match self.by {
            Some(Survive::Zone) => zone,
            Some(Survive::Site) | None => "",
        };
        (site.to_owned(), zone.to_owned())
    }

    pub(crate) fn add(&mut self, site: &str, zone: &str) {
        let key = self.key((site, zone));
        *self.at.entry(key).or_default() += 1;
    }

    pub(crate) fn take(&mut self, place: &Place) {
        let key = self.key((&place.site, &place.zone));
        if let Some(count) = self.at.get_mut(&key) {
            *count = count.saturating_sub(1);
        }
    }

    /// Whether two places are lost together.
    pub(crate) fn same(&self, a: (&str, &str), b: (&str, &str)) -> bool {
        self.key(a) == self.key(b)
    }

    /// All of them.
    pub(crate) fn all(&self) -> u32 {
        self.at.values().sum()
    }

    fn most(&self) -> u32 {
        self.at.values().copied().max().unwrap_or(0)
    }

    /// How many are lost at worst.
    pub(crate) fn lost(&self) -> u32 {
        match self.by {
            Some(_) => self.most(),
            None => 0,
        }
    }

    /// How many are left after the worst loss.
    pub(crate) fn left(&self) -> u32 {
        self.all() - self.lost()
    }

    /// How many are in what may be lost together with a place.
    pub(crate) fn beside(&self, site: &str, zone: &str) -> u32 {
        let key = self.key((site, zone));
        self.at.get(&key).copied().unwrap_or(0)
    }

    /// Whether one more at a place is one more after the worst loss.
    pub(crate) fn gains(&self, site: &str, zone: &str) -> bool {
        self.by.is_none() || self.beside(site, zone) < self.most()
    }

    /// How many there are more than it takes for so many to be left after the worst loss.
    pub(crate) fn surplus(&self, want: u32) -> u32 {
        let mut without = self.clone();
        let mut surplus = 0;
        while let Some(fullest) = without.at.values_mut().max().filter(|count| **count > 0) {
            *fullest -= 1;
            if without.left() < want {
                break;
            }
            surplus += 1;
        }
        surplus
    }

    /// Whether one less at a place leaves as many as are wanted after the worst loss.
    pub(crate) fn spares(&self, place: &Place, want: u32) -> bool {
        let mut without = self.clone();
        without.take(place);
        without.left() >= want
    }
}
