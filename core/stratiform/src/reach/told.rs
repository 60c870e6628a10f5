//! The answer in its own form, with the places of what decides.

use strat_model::Origin;
use strat_planner::{Crossing, Hop, HopAt, Passes, Question};

use super::checks::{firewall_origins, rule_origin};
use crate::Workspace;
use crate::answer::{AskedTold, CrossingTold, FilePlace, HopTold, Reached, RuleTold};

pub(super) fn reached(
    workspace: &Workspace,
    question: &Question,
    crossings: &[Crossing],
) -> Reached {
    let all = crossings.iter().map(|crossing| crossing.passes);
    let (least, most) = (all.clone().min(), all.max());
    Reached {
        from: question.from.to_string(),
        to: question.to.to_string(),
        asked: AskedTold {
            protocol: question.asked.protocol,
            ports: question.asked.ports.clone(),
        },
        passes: match (least, most) {
            (Some(Passes::Yes), _) => Passes::Yes,
            (_, Some(Passes::No) | None) | (None, _) => Passes::No,
            _ => Passes::May,
        },
        crossings: crossings
            .iter()
            .map(|one| crossing(workspace, one))
            .collect(),
    }
}

fn crossing(workspace: &Workspace, crossing: &Crossing) -> CrossingTold {
    CrossingTold {
        from: crossing.from.clone(),
        to: crossing.to.clone(),
        passes: crossing.passes,
        assumed: crossing.is_assumed(),
        traffic: crossing.traffic.passages(),
        why: crossing.why(),
        hops: crossing
            .hops
            .iter()
            .map(|one| hop(workspace, one))
            .collect(),
    }
}

fn hop(workspace: &Workspace, hop: &Hop) -> HopTold {
    let intent = workspace.intent();
    let place = |origin: Origin| place(workspace, &origin);
    let rules = hop.rules.iter().map(|rule| RuleTold {
        place: rule_origin(intent, rule).map(place),
        rule: rule.clone(),
    });
    let is_gate = hop.at != HopAt::Route;
    HopTold {
        at: hop.at,
        passes: hop.passes,
        assumed: hop.assumed,
        why: hop.why.clone(),
        traffic: hop.traffic.passages(),
        firewalls: hop.firewalls.clone(),
        places: firewall_origins(intent, hop)
            .filter(|_| is_gate)
            .map(place)
            .collect(),
        rules: rules.collect(),
    }
}

fn place(workspace: &Workspace, origin: &Origin) -> FilePlace {
    let at = workspace
        .sources()
        .line_and_column(&origin.file, origin.start as usize);
    FilePlace {
        file: origin.file.to_string(),
        line: at.map(|(line, _)| line),
        column: at.map(|(_, column)| column),
    }
}
