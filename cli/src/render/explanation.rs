//! Why machines go where they go, for people.

use std::fmt::Write as _;

use stratiform::model::Money;
use stratiform::planner::{Explanation, SiteExplanation};

use super::style::{BOLD, CREATE, DIM, UPDATE, paint};
use super::table::table;
use super::wrap::words;

/// The whole explanation, in lines of at most `width` columns where words allow.
pub(crate) fn explanation(explanation: &Explanation, width: usize) -> String {
    let mut text = String::new();
    let addr = paint(BOLD, &explanation.addr);
    let _ = writeln!(text, "{addr} goes by: {}.\n", explanation.prefer);
    if explanation.chosen.is_empty() {
        let _ = writeln!(text, "  It is nowhere.\n");
    } else {
        let headings = [
            "site",
            "zone",
            "machine type",
            "capacity",
            "count",
            "price/hour",
        ];
        let rows = explanation.chosen.iter().map(|chosen| {
            vec![
                chosen.site.to_string(),
                chosen.zone.to_string(),
                chosen.machine_type.clone(),
                chosen.capacity.as_str().to_owned(),
                chosen.count.to_string(),
                price(chosen.price_hour),
            ]
        });
        for line in table(&headings, rows, None).lines() {
            let _ = writeln!(text, "  {line}");
        }
        text.push('\n');
    }
    if explanation.missing > 0 {
        let line = format!("{} find no place.", explanation.missing);
        let _ = writeln!(text, "{}\n", paint(UPDATE, line));
    }
    if let Some(moved) = &explanation.moved {
        let _ = writeln!(text, "It is moved: {moved}.\n");
    }
    for each in &explanation.sites {
        site(&mut text, each, width);
    }
    text
}

fn site(text: &mut String, site: &SiteExplanation, width: usize) {
    let sign = if site.count > 0 {
        paint(CREATE, "+")
    } else {
        paint(DIM, "-")
    };
    let line = format!("{}: {}, {}", site.site, site.count, site.why);
    let mut lines = words(&line, width.saturating_sub(2)).into_iter();
    if let Some(first) = lines.next() {
        let _ = writeln!(text, "{sign} {first}");
    }
    for line in lines {
        let _ = writeln!(text, "  {line}");
    }
    if !site.offers.is_empty() {
        let rows = site.offers.iter().map(|offer| {
            vec![
                offer.machine_type.clone(),
                offer.zone.to_string(),
                offer.capacity.as_str().to_owned(),
                price(offer.price_hour),
                offer.why.clone(),
            ]
        });
        let headings = ["offer", "zone", "capacity", "price/hour", ""];
        for line in table(&headings, rows, None).lines() {
            let _ = writeln!(text, "    {}", line.trim_end());
        }
    }
    if !site.rejected.is_empty() {
        let counts = site.rejected.iter();
        let counts: Vec<_> = counts.map(|(why, n)| format!("{n} {why}")).collect();
        let line = format!("passed over: {}", counts.join(", "));
        for line in words(&line, width.saturating_sub(4)) {
            let _ = writeln!(text, "    {}", paint(DIM, line));
        }
    }
}

fn price(price: Option<Money>) -> String {
    price.map_or_else(|| "unknown".to_owned(), |price| price.to_string())
}
