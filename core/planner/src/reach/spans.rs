//! Sets of IPv4 addresses.

use ipnet::Ipv4Net;

/// Some IPv4 addresses: sorted ranges, both ends included, that neither meet nor touch.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Spans(Vec<(u32, u32)>);

/// The ranges that the internet does not route, but for those that are for documentation.
/// <https://www.iana.org/assignments/iana-ipv4-special-registry/>
const NOT_PUBLIC: [&str; 12] = [
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "224.0.0.0/4",
    "240.0.0.0/4",
    "255.255.255.255/32",
];

impl Spans {
    /// Every address.
    pub(super) fn all() -> Self {
        Self(vec![(0, u32::MAX)])
    }

    /// The addresses that the internet routes. The ranges for documentation are among them: examples use
    /// them for somebody on the internet.
    pub(super) fn public() -> Self {
        let taken = NOT_PUBLIC.iter().filter_map(|text| text.parse().ok());
        Self::all().without(&Self::of(taken))
    }

    /// The addresses of some ranges.
    pub(super) fn of(ranges: impl IntoIterator<Item = Ipv4Net>) -> Self {
        let ends = |range: Ipv4Net| (u32::from(range.network()), u32::from(range.broadcast()));
        Self::joined(ranges.into_iter().map(ends).collect())
    }

    fn joined(mut ranges: Vec<(u32, u32)>) -> Self {
        ranges.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(ranges.len());
        for (first, last) in ranges {
            match joined.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => joined.push((first, last)),
            }
        }
        Self(joined)
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is in both.
    pub(super) fn and(&self, other: &Self) -> Self {
        let mut both = Vec::new();
        for (a_first, a_last) in &self.0 {
            for (b_first, b_last) in &other.0 {
                let (first, last) = (*a_first.max(b_first), *a_last.min(b_last));
                if first <= last {
                    both.push((first, last));
                }
            }
        }
        Self::joined(both)
    }

    /// What is here and not there.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut left = Vec::new();
        for (first, last) in &self.0 {
            let mut next = Some(*first);
            for (gone_first, gone_last) in &other.0 {
                let Some(from) = next else { break };
                if gone_last < &from || gone_first > last {
                    continue;
                }
                if *gone_first > from {
                    left.push((from, gone_first - 1));
                }
                next = gone_last.checked_add(1).filter(|next| next <= last);
            }
            left.extend(next.map(|from| (from, *last)));
        }
        Self(left)
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        !self.and(other).is_empty()
    }

    /// One address for each part of these that none of the ranges cuts: what depends on the ranges alone
    /// is the same for all addresses of a part.
    pub(super) fn samples(&self, ranges: &[Ipv4Net]) -> Vec<u32> {
        let mut starts: Vec<u32> = self.0.iter().map(|(first, _)| *first).collect();
        for range in ranges {
            starts.push(u32::from(range.network()));
            starts.extend(u32::from(range.broadcast()).checked_add(1));
        }
        starts.sort_unstable();
        starts.dedup();
        starts.retain(|at| self.has(*at));
        starts
    }

    fn has(&self, at: u32) -> bool {
        let after = self.0.partition_point(|(first, _)| *first <= at);
        after > 0 && self.0[after - 1].1 >= at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(ranges: &[&str]) -> Spans {
        Spans::of(ranges.iter().map(|text| text.parse().expect("a range")))
    }

    #[test]
    fn what_is_taken_away_is_gone_and_nothing_else() {
        let left = spans(&["10.0.0.0/8"]).without(&spans(&["10.0.0.0/9"]));
        assert_eq!(left, spans(&["10.128.0.0/9"]));
        let all = Spans::all().without(&spans(&["0.0.0.0/0"]));
        assert!(all.is_empty());
        let middle = spans(&["10.0.0.0/24"]).without(&spans(&["10.0.0.64/26"]));
        assert_eq!(middle, spans(&["10.0.0.0/26", "10.0.0.128/25"]));
        assert!(!Spans::public().meets(&spans(&["10.0.0.0/8", "255.255.255.255/32"])));
        assert!(Spans::public().meets(&spans(&["203.0.113.7/32"])));
    }

    #[test]
    fn each_part_that_no_range_cuts_has_one_sample() {
        let ranges: Vec<Ipv4Net> = ["10.0.0.64/26", "10.0.0.64/32", "192.168.0.0/16"]
            .iter()
            .map(|text| text.parse().expect("a range"))
            .collect();
        let samples = spans(&["10.0.0.0/24"]).samples(&ranges);
        let told: Vec<String> = samples
            .iter()
            .map(|at| std::net::Ipv4Addr::from(*at).to_string())
            .collect();
        assert_eq!(told, ["10.0.0.0", "10.0.0.64", "10.0.0.65", "10.0.0.128"]);
    }
}
