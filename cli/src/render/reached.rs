//! Whether traffic passes, hop by hop.

use stratiform::answer::{CrossingTold, FilePlace, HopTold, Reached, RuleTold};
use stratiform::model::{Direction, Peer};
use stratiform::planner::{Passage, Passes};

use super::reach::ports;
use super::style::{CREATE, DELETE, UPDATE, paint};

/// The answer: a part for each pair, a line for each hop, a line for each rule that admits.
pub(crate) fn reached(reached: &Reached) -> String {
    let crossings = reached.crossings.iter();
    let parts: Vec<String> = crossings.map(|one| crossing(one, reached)).collect();
    parts.join("\n")
}

fn crossing(crossing: &CrossingTold, reached: &Reached) -> String {
    let asked = ports(reached.asked.protocol, &reached.asked.ports);
    let passing = traffic(&crossing.traffic);
    // Without a port any will do: what is told is which.
    let is_open = reached.asked.ports.is_empty() && crossing.passes != Passes::No;
    let nothing = "nothing".to_owned();
    let (what, none) = match (is_open, asked == "anything") {
        (true, _) => (&passing, "does not pass"),
        (false, true) => (&nothing, "passes"),
        (false, false) => (&asked, "does not pass"),
    };
    let (word, style) = match crossing.passes {
        Passes::Yes => ("passes", CREATE),
        Passes::May => ("may pass", UPDATE),
        Passes::No => (none, DELETE),
    };
    let mut text = format!(
        "{} -> {}: {what} {}",
        crossing.from,
        crossing.to,
        paint(style, word)
    );
    if crossing.passes != Passes::No && passing != *what {
        text.push_str(&format!(" ({passing})"));
    }
    text.push('\n');
    for one in &crossing.hops {
        text.push_str(&hop(one, &asked));
    }
    if crossing.passes == Passes::No && crossing.hops.iter().all(|hop| hop.passes != Passes::No) {
        text.push_str(&format!("  {}\n", crossing.why));
    }
    text
}

fn hop(hop: &HopTold, asked: &str) -> String {
    let (word, style) = match hop.passes {
        Passes::Yes => ("yes", CREATE),
        Passes::May => ("may", UPDATE),
        Passes::No => ("no", DELETE),
    };
    let word = paint(style, format!("{word:<3}"));
    let mut text = format!("  {word} {:<8}{}", hop.at.as_str(), hop.why);
    let passing = traffic(&hop.traffic);
    if hop.passes == Passes::May && passing != asked {
        text.push_str(&format!(": {passing}"));
    }
    if hop.rules.is_empty() && !hop.places.is_empty() {
        let places: Vec<String> = hop.places.iter().map(place).collect();
        text.push_str(&format!("  ({})", places.join(", ")));
    }
    text.push('\n');
    for one in &hop.rules {
        text.push_str(&rule(one));
    }
    text
}

/// `firewall.db@dc1 ingress "postgres": from firewall.web@dc1, tcp 5432  (shop.hcl:86)`.
fn rule(told: &RuleTold) -> String {
    let rule = &told.rule;
    let peers: Vec<String> = rule.peers.iter().map(peer).collect();
    let way = match rule.direction {
        Direction::Ingress => "from",
        Direction::Egress => "to",
    };
    let place = told
        .place
        .as_ref()
        .map_or_else(String::new, |at| format!("  ({})", place(at)));
    format!(
        "               {} {} \"{}\": {way} {}, {}{place}\n",
        rule.firewall,
        rule.direction.as_str(),
        rule.rule,
        peers.join(", "),
        ports(rule.protocol, &rule.ports),
    )
}

fn peer(peer: &Peer<stratiform::model::Addr>) -> String {
    match peer {
        Peer::Internet => "internet".to_owned(),
        Peer::Cidr(range) => range.to_string(),
        Peer::Firewall(firewall) => firewall.to_string(),
    }
}

fn place(place: &FilePlace) -> String {
    match place.line {
        Some(line) => format!("{}:{line}", place.file),
        None => place.file.clone(),
    }
}

fn traffic(passages: &[Passage]) -> String {
    let passages = passages.iter().map(|one| ports(one.protocol, &one.ports));
    let all: Vec<String> = passages.collect();
    all.join("; ")
}
