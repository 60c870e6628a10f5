//! IAM's simulation of policies, which moto has not: shaped after the example at
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>.

use std::collections::BTreeSet;

use hyper::StatusCode;

use super::Filter;
use super::rules::Verdict;
use super::server::Asked;

impl Filter {
    /// Lets the simulation say that these actions are allowed, and no others.
    pub(crate) fn simulate_policy(&self, allowed: BTreeSet<String>) {
        self.state().simulated = Some(allowed);
    }

    /// The simulation, two results a page; refused where nothing was set.
    pub(super) fn simulate(&self, asked: &Asked) -> Verdict {
        const PAGE: usize = 2;
        let Some(allowed) = self.state().simulated.clone() else {
            let message = "not authorized to perform: iam:SimulatePrincipalPolicy".to_owned();
            return Verdict::Refuse(StatusCode::FORBIDDEN, "AccessDenied", message);
        };
        let names = (1..).map_while(|n| asked.form.get(&format!("ActionNames.member.{n}")));
        let names: Vec<&String> = names.collect();
        let marker = asked.form.get("Marker").and_then(|m| m.parse().ok());
        let start: usize = marker.unwrap_or(0);
        let end = (start + PAGE).min(names.len());
        let result = |name: &&String| {
            let decision = match allowed.contains(*name) {
                true => "allowed",
                false => "implicitDeny",
            };
            format!(
                "<member><MatchedStatements/><MissingContextValues/>\
                 <EvalResourceName>*</EvalResourceName>\
                 <EvalDecision>{decision}</EvalDecision>\
                 <EvalActionName>{name}</EvalActionName></member>"
            )
        };
        let results: String = names[start..end].iter().map(result).collect();
        let more = match end < names.len() {
            true => format!("<IsTruncated>true</IsTruncated><Marker>{end}</Marker>"),
            false => "<IsTruncated>false</IsTruncated>".to_owned(),
        };
        Verdict::Answer(format!(
            "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
             <SimulatePrincipalPolicyResult>{more}\
             <EvaluationResults>{results}</EvaluationResults></SimulatePrincipalPolicyResult>\
             <ResponseMetadata><RequestId>filter</RequestId></ResponseMetadata>\
             </SimulatePrincipalPolicyResponse>"
        ))
    }
}
