//! The provider keeps the contract.

use strat_conformance::conformance;

use crate::harness::Google;

conformance!(gce, Google::start().await);

#[test]
fn the_page_on_changes_says_what_google_cloud_says() {
    strat_conformance::table::check(&[strat_conformance::table::Column {
        name: "Google Cloud".to_owned(),
        kinds: strat_gcp::capabilities(None).kinds,
        changes: strat_gcp::changes(),
    }]);
}
