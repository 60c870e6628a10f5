//! Refusals with an encoded message, which moto does not make, and their decoding.
//!
//! By <https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html>.

use hyper::StatusCode;

use super::Filter;
use super::rules::Verdict;
use super::server::Asked;

/// What stands for the message, encoded.
const ENCODED: &str = "ZW5jb2RlZA_-";

impl Filter {
    /// The refusal of an action that is denied, or the answer to who asks what it says.
    pub(super) fn denial(&self, asked: &Asked) -> Option<Verdict> {
        let state = self.state();
        let (action, decoded) = state.denied?;
        if asked.action == action {
            let message = format!(
                "You are not authorized to perform this operation. Encoded authorization failure \
                 message: {ENCODED}"
            );
            let code = "UnauthorizedOperation";
            return Some(Verdict::Refuse(StatusCode::FORBIDDEN, code, message));
        }
        if asked.action != "DecodeAuthorizationMessage" {
            return None;
        }
        if !state.reads_denials {
            let message = "not authorized to perform: sts:DecodeAuthorizationMessage".to_owned();
            return Some(Verdict::Refuse(
                StatusCode::FORBIDDEN,
                "AccessDenied",
                message,
            ));
        }
        assert_eq!(asked.form["EncodedMessage"], ENCODED);
        let decoded = decoded.replace('"', "&quot;");
        Some(Verdict::Answer(format!(
            "<DecodeAuthorizationMessageResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
             <DecodeAuthorizationMessageResult><DecodedMessage>{decoded}</DecodedMessage>\
             </DecodeAuthorizationMessageResult><ResponseMetadata><RequestId>filter</RequestId>\
             </ResponseMetadata></DecodeAuthorizationMessageResponse>"
        )))
    }
}
