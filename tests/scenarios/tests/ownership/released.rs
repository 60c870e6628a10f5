//! What is let go stays as it is, without a mark.

use strat_sim::Profile;
use stratiform::planner::Action;
use stratiform::{Claims, Mode};

use crate::common::{applied, apply_claiming, at, ids, lines, run};

#[test]
fn what_is_let_go_stays_without_a_mark_and_is_adopted_again() {
    for profile in Profile::ALL {
        for addr in ["volume.data@east", "machine.db@east", "network.core@east"] {
            run(async {
                let folder = applied(profile).await;
                let before = ids(&folder);
                let thing = at(&folder, addr);
                let named: stratiform::model::Addr = addr.parse().expect("an address");
                let claims = Claims {
                    release: vec![named.clone()],
                    ..Claims::default()
                };
                let plan = apply_claiming(&folder, claims).await;
                let [change] = plan.changes.as_slice() else {
                    panic!("{profile} {addr}: {:#?}", lines(&plan));
                };
                assert_eq!((change.action, &change.addr), (Action::Forget, &named));
                let all = folder.everything().into_values().flatten();
                let now = all.into_iter().find(|one| one.id == thing.id);
                let now = now.expect("it is there");
                assert_eq!(now.mark, None, "{profile} {addr}");
                assert_eq!(now.spec, thing.spec, "{profile} {addr}");
                // It has the name that a new one would get, so none is made beside it.
                let plan = folder.apply(Mode::Apply).await.plan;
                assert_eq!(
                    ids(&folder),
                    before,
                    "{profile} {addr}: {:#?}",
                    lines(&plan)
                );
                let claims = Claims {
                    adopt: vec![(named, Some(thing.id))],
                    only_adopt: true,
                    ..Claims::default()
                };
                apply_claiming(&folder, claims).await;
                let plan = folder.plan(Mode::Apply).await;
                assert!(
                    lines(&plan).is_empty(),
                    "{profile} {addr}: {:#?}",
                    lines(&plan)
                );
            });
        }
    }
}
