//! One conformance suite, run on every provider.
//!
//! Each promise of the provider contract is one async function in [`behaviours`], written once
//! against `&dyn Provider` and chosen by what the provider says it can do, never by its name.
//! A provider's test file says how to reach it, as a [`Harness`], and then has one line:
//!
//! ```ignore
//! strat_conformance::conformance!(moto, MotoHarness::start().await);
//! ```
//!
//! That makes one test per behaviour. The expression is evaluated anew in each, within a tokio
//! runtime of one thread. What was made is deleted afterwards, also after a failure.
//!
//! # When a behaviour does not apply
//!
//! A kind that the provider has is always tested. A behaviour is passed over, and the reason
//! printed, only where the provider lacks what it is about (no addresses, no tokens) or where the
//! harness cannot arrange the circumstance (a stock-out, a lost answer).
//!
//! # Against real servers
//!
//! Nothing here depends on a clock that can be moved: every wait polls, with a deadline, on the
//! harness's clock. Counts are small unless a capability is the point.

pub mod behaviours;
mod bench;
mod harness;
pub mod leases;
mod rounds;
mod run;
mod specs;
pub mod table;

pub use bench::Bench;
pub use harness::{Harness, OutsideRows, Partners};
pub use rounds::{Round, rounds};
pub use run::{Outcome, block_on, judge};

/// Makes one test per behaviour, in a module of this name, for the harness of this expression.
#[macro_export]
macro_rules! conformance {
    ($module:ident, $harness:expr) => {
        mod $module {
            use super::*;
            $crate::conformance_tests! {
                $harness;
                site: [
                    identity_is_known permissions_are_told capabilities_are_sane zones_are_sorted
                    offers_are_sorted_and_plausible quotas_count_what_runs free_hardware_is_bounded
                    public_images_have_the_usual_names
                ]
                facets: [
                    facets_agree_with_capabilities layers_see_every_facet
                    kinds_that_are_not_there_are_refused
                ]
                finding: [
                    things_are_found_by_name_and_address machines_of_a_batch_are_found
                    unmarked_things_are_found_by_name
                ]
                reading: [
                    networks_read_back subnets_read_back firewalls_read_back addresses_read_back
                    keypairs_read_back images_read_back machines_read_back volumes_read_back
                    buckets_read_back kinds_that_are_not_there_list_nothing
                    missing_ids_are_left_out lists_show_only_the_owners_things
                    pages_show_everything_once foreign_things_are_left_alone
                ]
                repeating: [
                    a_repeated_create_makes_nothing_new
                    a_token_is_not_for_another_spec a_name_is_not_for_another_owner
                    a_repeated_batch_makes_nothing_new an_old_token_makes_no_new_machine
                    a_lost_answer_is_found_again deleting_twice_is_harmless
                    deleting_what_never_was_is_harmless what_stays_keeps_nothing_else
                ]
                marks: [
                    awkward_addresses_survive protection_can_be_set_and_lifted notes_survive
                    adopting_writes_only_the_mark a_mark_is_taken_off_and_put_back
                ]
                updating: [
                    labels_change_in_place unusual_labels_survive updates_converge
                    updating_what_is_gone_is_not_found
                ]
                changing: [a_change_takes_what_is_said]
                outside: [
                    what_is_changed_outside_is_seen what_is_upset_outside_is_told_and_made_good
                ]
                network: [
                    a_network_with_a_subnet_stays a_subnet_with_a_machine_stays
                    a_firewall_on_a_machine_stays a_firewall_in_a_rule_stays
                    rules_change_one_by_one a_rule_may_name_firewalls
                    subnets_span_what_they_should a_subnet_lies_within_its_network
                    subnets_do_not_overlap an_address_moves an_attached_address_can_be_given_back
                ]
                internet: [
                    a_subnet_has_the_way_that_it_asks_for a_way_that_is_not_there_is_not_offered
                    machines_have_public_addresses_where_they_ask
                ]
                machines: [
                    a_batch_makes_them_all a_partial_batch_says_so a_stock_out_is_capacity
                    a_full_quota_is_quota machines_get_addresses_of_their_subnet
                    an_unknown_size_is_invalid an_unknown_image_is_invalid
                    an_unknown_subnet_is_refused deleted_machines_go many_machines_go_in_one_call
                    firewalls_change_in_place user_data_of_full_size_is_taken
                    too_much_user_data_is_invalid what_is_beyond_a_limit_is_refused stopped_machines_start
                    running_machines_stay_as_they_are own_disks_are_made
                    a_machine_of_everything
                ]
                leases: [
                    a_place_is_said of_many_at_once_one_takes_it
                    only_the_newest_version_is_followed keys_are_apart conditions_are_proved
                ]
                storage: [
                    a_volume_attaches_and_detaches an_attached_volume_stays
                    a_volume_moves_between_machines a_volume_attaches_only_in_its_zone
                    a_volume_update_attaches_nothing a_volume_grows_and_never_shrinks
                    a_deleted_machine_lets_its_volumes_go versioning_changes_in_place
                    a_bucket_with_objects_stays a_full_bucket_is_emptied
                ]
            }
        }
    };
}

/// The tests of [`conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($harness:expr; $($group:ident: [$($name:ident)*])*) => {
        $($($crate::conformance_test!($group, $name, $harness);)*)*
    };
}

/// One test of [`conformance!`].
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_test {
    ($group:ident, $name:ident, $harness:expr) => {
        #[test]
        fn $name() {
            $crate::block_on(async {
                let harness = $harness;
                let behaviour = $crate::behaviours::$group::$name(&harness);
                $crate::judge(stringify!($name), &harness, behaviour).await;
            });
        }
    };
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_behaviour_is_run() {
        let list = include_str!("lib.rs");
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/behaviours");
        let files = std::fs::read_dir(folder).expect("the folder of behaviours");
        let files = files.map(|file| file.expect("a file").path());
        let files = files.filter(|file| !file.ends_with("mod.rs"));
        let texts = files.map(|file| std::fs::read_to_string(file).expect("a source"));
        let texts: Vec<String> = texts.collect();
        let functions = texts.iter().flat_map(|text| text.lines());
        let functions =
            functions.filter_map(|line| line.strip_prefix("pub async fn ")?.split('(').next());
        // Those of leases are made by a macro, which is given their names.
        let made = texts
            .iter()
            .flat_map(|text| text.split("\nbehaviour! {").skip(1));
        let made = made.filter_map(|block| block.split("\n}").next()?.lines().last());
        let behaviours: Vec<&str> = functions.chain(made.map(str::trim)).collect();
        assert!(behaviours.len() > 90, "{behaviours:?}");
        assert!(behaviours.contains(&"keys_are_apart"), "{behaviours:?}");
        for name in behaviours {
            let mut words = list.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
            let listed = words.any(|word| word == name);
            assert!(listed, "`{name}` is not in the list of `conformance!`");
        }
    }
}
