//! A model of what hosts note of each other, with hosts that come and go in every order: nothing is made
//! twice. What is decided there is decided by the provider's own [`is_enough`] and [`is_away`].

use std::collections::{BTreeMap, BTreeSet};

use super::notes::is_away;
use super::roster::is_enough;

/// A host: whether it is said to know, and its note of the one thing that there is.
#[derive(Debug, Clone, Default)]
struct Host {
    knows: bool,
    note: Option<(u64, usize)>,
    has_it: bool,
}

#[derive(Debug)]
struct Model {
    hosts: Vec<Host>,
    /// What was done, to be told.
    done: Vec<String>,
}

fn name(host: usize) -> String {
    format!("kvm{host}")
}

impl Model {
    fn new(count: usize) -> Self {
        Self {
            hosts: vec![Host::default(); count],
            done: Vec::new(),
        }
    }

    /// The newest notes that those who are up have, by the host that they speak of.
    fn notes(&self, up: &BTreeSet<usize>) -> BTreeMap<usize, u64> {
        let mut newest = BTreeMap::new();
        for (edition, at) in up.iter().filter_map(|host| self.hosts[*host].note) {
            let known = newest.entry(at).or_insert(edition);
            *known = edition.max(*known);
        }
        newest
    }

    fn next_edition(&self, up: &BTreeSet<usize>) -> u64 {
        self.notes(up).into_values().max().unwrap_or(0) + 1
    }

    fn write(&mut self, up: &BTreeSet<usize>, note: Option<(u64, usize)>) {
        for host in up {
            self.hosts[*host].note = note;
        }
    }

    /// One run while these are up, whoever runs it: the thing is made unless it is there or may be, or goes,
    /// or goes to another host.
    fn run(&mut self, up: &BTreeSet<usize>, choice: usize, cut: bool) {
        let all: BTreeSet<_> = (0..self.hosts.len()).map(name).collect();
        let knowing = up.iter().filter(|host| self.hosts[**host].knows);
        let knowing: BTreeSet<_> = knowing.map(|host| name(*host)).collect();
        if up.len() < self.hosts.len() && !is_enough(&all, &knowing) {
            return;
        }
        let found = up.iter().copied().find(|host| self.hosts[*host].has_it);
        let notes = self.notes(up);
        let mut away = notes.iter().filter(|(host, _)| !up.contains(host));
        let newest_away = away.by_ref().max_by_key(|(_, edition)| **edition);
        let newest_away = newest_away.map(|(host, edition)| (*edition, *host));
        let of_found = found.and_then(|host| notes.get(&host).copied());
        let counts_away = newest_away.filter(|(edition, _)| is_away(*edition, of_found));
        // Notes are brought up to date before anything is made, and then a host is one that knows.
        let note = match (found, newest_away) {
            (Some(host), _) => Some((self.next_edition(up), host)),
            (None, away) => away,
        };
        self.write(up, note);
        up.iter().for_each(|host| self.hosts[*host].knows = true);
        if counts_away.is_some() {
            return;
        }
        let here: Vec<usize> = up.iter().copied().collect();
        let to = here[choice % here.len()];
        match found {
            None => {
                self.write(up, Some((self.next_edition(up), to)));
                // Killed before it was made, or not.
                self.hosts[to].has_it = !cut;
                self.done.push(format!("{up:?}: made on {to}, cut {cut}"));
            }
            Some(from) if choice.is_multiple_of(3) => {
                self.hosts[from].has_it = false;
                if !cut {
                    self.write(up, None);
                }
                self.done
                    .push(format!("{up:?}: deleted on {from}, cut {cut}"));
            }
            Some(from) => {
                self.hosts[from].has_it = false;
                self.hosts[to].has_it = true;
                self.write(up, Some((self.next_edition(up), to)));
                self.done.push(format!("{up:?}: moved from {from} to {to}"));
            }
        }
    }
}

#[test]
fn whichever_hosts_come_and_go_nothing_is_made_twice() {
    let mut random = fastrand::Rng::with_seed(7);
    let (mut made_while_away, mut withheld) = (0, 0);
    for round in 0..4_000 {
        let count = 2 + round % 4;
        let mut model = Model::new(count);
        for _ in 0..12 {
            let is_up = |random: &mut fastrand::Rng| random.u8(..3) > 0;
            let up: BTreeSet<_> = (0..count).filter(|_| is_up(&mut random)).collect();
            if up.is_empty() {
                continue;
            }
            let before = model.done.len();
            model.run(&up, random.usize(..60), random.u8(..4) == 0);
            let there = model.hosts.iter().filter(|host| host.has_it).count();
            assert!(there <= 1, "{count} hosts: {:#?}", model.done);
            if up.len() < count {
                made_while_away += usize::from(model.done.len() > before);
                withheld += usize::from(model.done.len() == before);
            }
        }
    }
    assert!(
        made_while_away > 500 && withheld > 500,
        "{made_while_away} {withheld}"
    );
}
