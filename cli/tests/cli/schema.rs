//! The schemas that the command writes.

use serde_json::Value;

use crate::support::Shop;

#[test]
fn every_schema_is_written() {
    let shop = Shop::new();
    for (what, title) in [
        ("topology", "A Stratiform topology"),
        ("plan", "A Stratiform plan"),
        ("journal", "A line of a Stratiform journal"),
        ("show", "What there is of a Stratiform topology"),
        ("offers", "What Stratiform's sites sell"),
        ("reach", "Whether traffic may pass in a Stratiform topology"),
        ("apply", "What became of a Stratiform apply"),
        ("apply-events", "What happens in a Stratiform apply"),
        ("error", "A failure of a Stratiform command"),
        (
            "burst-status",
            "The status of a Stratiform controller of bursts",
        ),
        ("burst-decision", "A decision of a Stratiform burst"),
    ] {
        let schema: Value = shop.json(&["schema", what]);
        assert_eq!(schema["title"], title);
        let draft = "https://json-schema.org/draft/2020-12/schema";
        assert_eq!(schema["$schema"], draft);
    }
    let usual = shop.ok(&["schema"]).stdout;
    assert_eq!(usual, shop.ok(&["schema", "topology"]).stdout);
}

#[test]
fn another_schema_is_refused() {
    let done = Shop::new().run(&["schema", "inventory"]);
    assert_ne!(done.code, Some(0));
    assert!(
        done.stderr.contains(
            "topology, plan, journal, show, offers, reach, apply, apply-events, error, burst-status"
        ),
        "{done}"
    );
}
