//! Waiting for what Google does after it has answered.
//!
//! A call that changes something answers with an operation, and most of what can go wrong, such as a
//! stock-out, is told by the operation alone once it is done. So a call here ends with its operation:
//! Google is asked to hold the answer until then (`wait`), which it does for two minutes at most and
//! may give up earlier. A wait that takes too long ends as a time-out, whose outcome is unknown; the
//! same call, repeated with its request id, is answered with the same operation and waits on.

use std::time::Duration;

use google_cloud_compute_v1::model::Operation;
use google_cloud_compute_v1::model::operation::Status;
use strat_model::{Digest, ErrorKind, Result};
pub(crate) use strat_provider::Stamp;

use crate::error::{failed, lacking, of_operation, refuse};
use crate::names::last;
use crate::provider::GcpProvider;

/// How long an operation is waited for.
const WAIT_MAX: Duration = Duration::from_secs(600);
/// The shortest and the longest pause between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(5));

impl GcpProvider {
    /// Waits until an operation is done, and tells what it failed with.
    pub(crate) async fn settle(
        &self,
        action: &'static str,
        operation: Operation,
    ) -> Result<Operation> {
        let until = self.clock.moment().elapsed + WAIT_MAX;
        let (mut operation, mut pause) = (operation, PAUSES.0);
        while !is_done(&operation) {
            operation = self.hold(action, &operation).await?;
            if is_done(&operation) {
                break;
            }
            if self.clock.moment().elapsed >= until {
                let message = format!("Google is still busy after {} s", WAIT_MAX.as_secs());
                return Err(refuse(ErrorKind::Timeout, message));
            }
            self.clock.sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
        match of_operation(action, &operation) {
            None => Ok(operation),
            Some(error) => Err(error),
        }
    }

    /// Asks for an operation, and Google to hold the answer until it is done.
    async fn hold(&self, action: &'static str, operation: &Operation) -> Result<Operation> {
        let name = operation.name.as_deref();
        let name = name.ok_or_else(|| lacking(action, "operation"))?;
        let project = &self.settings.project;
        let answer = match (&operation.zone, &operation.region) {
            (Some(zone), _) => {
                let call = self.access.zone_operations.wait().set_project(project);
                call.set_zone(last(zone)).set_operation(name).send().await
            }
            (None, Some(region)) => {
                let call = self.access.region_operations.wait().set_project(project);
                call.set_region(last(region))
                    .set_operation(name)
                    .send()
                    .await
            }
            (None, None) => {
                let call = self.access.global_operations.wait().set_project(project);
                call.set_operation(name).send().await
            }
        };
        answer.map_err(failed(action))
    }
}

/// Whether an operation is done, well or not.
pub(crate) fn is_done(operation: &Operation) -> bool {
    operation.status == Some(Status::Done)
}

/// How many lives the request ids of a create have: what Google remembers of one may be long gone.
pub(crate) const LIVES_MAX: u32 = 3;

/// The request ids of a create's calls.
pub(crate) trait RequestId {
    /// The request id of a call of this create: a UUID made of the token, of what is asked for and of
    /// which call it is. Google answers a second call of one id with the operation of the first.
    ///
    /// The id of another life is another: what Google remembers may have failed, or be gone.
    ///
    /// <https://cloud.google.com/compute/docs/reference/rest/v1/instances/insert>
    fn request_id(&self, call: &str, life: u32) -> String;
}

impl RequestId for Stamp {
    fn request_id(&self, call: &str, life: u32) -> String {
        uuid(&self.of_call(&[call, &life.to_string()]))
    }
}

/// A digest laid out as a UUID of version 8, which is for what its maker says (RFC 9562, 5.8).
fn uuid(digest: &Digest) -> String {
    let t = digest.as_str();
    format!(
        "{}-{}-8{}-a{}-{}",
        &t[..8],
        &t[8..12],
        &t[13..16],
        &t[17..20],
        &t[20..32]
    )
}

#[cfg(test)]
mod tests {
    use strat_model::{AddressSpec, Labels, Spec, Token};

    use super::*;

    #[test]
    fn a_request_id_is_a_uuid_of_its_own() {
        let addr = "address.www@west".parse().expect("addr");
        let token = Token::derive("plan", &addr, 1, 1, 0, "");
        let spec = AddressSpec {
            attach: None,
            labels: Labels::new(),
        };
        let stamp = Stamp::new(&token, "a", &Spec::Address(spec));
        let id = stamp.request_id("insert", 0);
        let parts: Vec<usize> = id.split('-').map(str::len).collect();
        assert_eq!(
            (parts.as_slice(), &id[14..15]),
            (&[8, 4, 4, 4, 12][..], "8")
        );
        assert_eq!(id, stamp.request_id("insert", 0));
        for other in [stamp.request_id("insert", 1), stamp.request_id("rule", 0)] {
            assert_ne!(id, other);
        }
    }
}
