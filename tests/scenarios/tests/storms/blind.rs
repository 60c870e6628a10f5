//! Planning while not everything can be seen.

use std::collections::BTreeSet;

use proptest::prelude::*;
use strat_scenarios::{Folder, random};
use strat_sim::{Disturbance, Fault, PlannedFault, RegionKey, RegionView};
use stratiform::Mode;
use stratiform::model::{ErrorKind, Kind, Name, Resource};

use crate::common::{apply, cases, lines, nothing_left, nothing_to_do, run};

/// What is in a region.
fn there(folder: &Folder, region: &RegionKey) -> Vec<Resource> {
    folder.control().resources(region, None).expect("things")
}

/// The ids of what there is of a kind in a region.
fn ids(folder: &Folder, region: &RegionKey, kind: Kind) -> BTreeSet<String> {
    let there = there(folder, region).into_iter();
    let there = there.filter(|thing| thing.kind() == kind);
    there.map(|thing| thing.id.to_string()).collect()
}

/// One of the sites.
fn some_site(folder: &Folder, pick: prop::sample::Index) -> (Name, RegionKey) {
    let views = folder.control().regions().expect("regions");
    let RegionView { sites, region, .. } = pick.get(&views).clone();
    (sites.first().expect("a site").clone(), region)
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn a_lost_site_is_left_as_it_is_until_it_is_back(
        shape: u64, before: u64, after: u64, pick: prop::sample::Index,
    ) {
        run(async {
            let folder = Folder::new();
            folder.write(&[random(shape, before).text()]);
            apply(&folder).await;
            let (site, region) = some_site(&folder, pick);
            let was = there(&folder, &region);
            folder.control().disturb(&region, &Disturbance::LoseRegion).expect("lost");
            folder.write(&[random(shape, after).text()]);
            for mode in [Mode::Apply, Mode::Destroy] {
                let plan = folder.plan(mode).await;
                prop_assert!(plan.changes.iter().all(|change| change.site != site));
                let told = plan.withheld.iter().any(|held| held.what.ends_with(site.as_str()));
                prop_assert!(told, "{:#?}", lines(&plan));
            }
            prop_assert!(!folder.apply(Mode::Apply).await.success, "it is not whole");
            folder.control().disturb(&region, &Disturbance::RestoreRegion).expect("back");
            prop_assert_eq!(there(&folder, &region), was);
            apply(&folder).await;
            nothing_to_do(&folder, 0).await;
            nothing_left(&folder, 0).await;
            Ok(())
        })?;
    }

    #[test]
    fn what_a_broken_list_does_not_show_is_neither_made_nor_deleted(
        shape: u64, before: u64, after: u64, pick: prop::sample::Index, kind in 0..Kind::ALL.len(),
    ) {
        run(async {
            let folder = Folder::new();
            folder.write(&[random(shape, before).text()]);
            apply(&folder).await;
            let (site, region) = some_site(&folder, pick);
            // A region is asked for its kinds in order.
            let session = folder.session().await;
            let kinds = &session.sites()[&site].capabilities().kinds;
            let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|k| kinds.contains(k)).collect();
            let at = kind % kinds.len();
            let break_list = || {
                let planned = PlannedFault {
                    operation: Some("list".to_owned()),
                    fault: Fault::fail(ErrorKind::Forbidden),
                    times: 1,
                    after: u32::try_from(at).expect("a few"),
                };
                folder.control().disturb(&region, &Disturbance::Inject(planned)).expect("planned");
            };
            break_list();
            let plan = folder.plan(Mode::Apply).await;
            prop_assert!(plan.changes.is_empty(), "{:#?}", lines(&plan));
            folder.write(&[random(shape, after).text()]);
            let was = ids(&folder, &region, kinds[at]);
            break_list();
            folder.apply(Mode::Apply).await;
            prop_assert_eq!(ids(&folder, &region, kinds[at]), was);
            folder.control().disturb(&region, &Disturbance::Calm).expect("calm");
            apply(&folder).await;
            nothing_to_do(&folder, 0).await;
            nothing_left(&folder, 0).await;
            Ok(())
        })?;
    }
}
