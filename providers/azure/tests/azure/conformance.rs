//! The provider keeps the contract.

use strat_conformance::conformance;

use crate::harness::Azure;

conformance!(arm, Azure::start().await);

#[test]
fn the_page_on_changes_says_what_azure_says() {
    strat_conformance::table::check(&[strat_conformance::table::Column {
        name: "Azure".to_owned(),
        kinds: strat_azure::capabilities(None).kinds,
        changes: strat_azure::changes(),
    }]);
}
