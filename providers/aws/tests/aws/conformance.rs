//! The provider keeps the contract.

use strat_conformance::conformance;

use crate::harness::Moto;

conformance!(moto, Moto::start().await);

#[test]
fn the_page_on_changes_says_what_aws_says() {
    strat_conformance::table::check(&[strat_conformance::table::Column {
        name: "AWS".to_owned(),
        kinds: strat_aws::capabilities(None).kinds,
        changes: strat_aws::changes(),
    }]);
}
