//! Instances that AWS itself ends, which moto never does.
//!
//! By <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>: an instance that dies as
//! it is launched is accepted, then `terminated` with the reason.

use hyper::StatusCode;
use hyper::body::Bytes;

use super::server::Asked;
use super::{Filter, Reason, xml};

impl Filter {
    /// Ends the instances of a launch that are to die.
    pub(super) async fn end_some(&self, asked: &Asked, status: StatusCode, body: &Bytes) {
        if asked.action != "RunInstances" || !status.is_success() {
            return;
        }
        let Some((count, reason)) = self.state().dying.take() else {
            return;
        };
        let text = String::from_utf8_lossy(body).into_owned();
        let ids = xml::between(&text, "instanceId").into_iter();
        for id in ids.take(count) {
            self.end(asked, id, reason).await;
        }
    }

    /// Says of an instance that somebody ended that AWS did.
    pub(crate) fn blame_amazon(&self, id: &str, code: &'static str, message: &'static str) {
        self.state().dead.insert(id.to_owned(), (code, message));
    }

    /// Ends an instance as AWS does.
    async fn end(&self, asked: &Asked, id: &str, reason: Reason) {
        let call = [("Action", "TerminateInstances"), ("InstanceId.1", id)];
        let ended = self.ask(asked, &call).await;
        assert!(ended.contains(id), "{ended}");
        self.state().dead.insert(id.to_owned(), reason);
    }

    /// Puts the reason in place of moto's own, which is that a user ended it.
    pub(super) fn explain(&self, asked: &Asked, body: Bytes) -> Bytes {
        let state = self.state();
        if asked.action != "DescribeInstances" || state.dead.is_empty() {
            return body;
        }
        let mut text = String::from_utf8_lossy(&body).into_owned();
        for (id, (code, message)) in &state.dead {
            let Some(at) = text.find(&format!("<instanceId>{id}</instanceId>")) else {
                continue;
            };
            // moto's elements come in no order of their own: the reason is told before the id.
            let (open, close) = ("<stateReason>", "</stateReason>");
            let before = text[..at].rfind(open).map(|start| start + open.len());
            let start = before.expect("moto says why an instance is over");
            assert!(!text[start..at].contains("<instanceId>"), "it is another's");
            let end = start + text[start..].find(close).expect("its end");
            let reason = format!("<code>{code}</code><message>{message}</message>");
            text.replace_range(start..end, &reason);
        }
        Bytes::from(text)
    }
}
