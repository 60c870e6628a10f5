//! Answers that are errors, at once or at the end of an operation. Each names Microsoft's page, or
//! where no page has the text, what it was seen in.
//!
//! Some codes were looked for and found nowhere, so that they are ours: `VnetAddressSpaceNotSpecified`,
//! `SecurityRuleInvalidParameter`, `VirtualMachineMustHaveOneNetworkInterfaceAsPrimary`,
//! `PublicIPAddressWithStandardSkuMustBeStatic`, `InUseApplicationSecurityGroupCannotBeDeleted`. Nobody
//! goes by them: of a code that it does not know, the provider reads the sentence and the status.
//!
//! The form: <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
//! and <https://github.com/cloud-and-ai-microsoft/resource-provider-contract/blob/master/v1.0/common-api-details.md>.

use serde_json::{Value, json};

use crate::id::Id;
use crate::kinds::Kind;
use crate::world::Fields;

/// A request that is refused.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    pub(crate) code: String,
    pub(crate) message: String,
    /// What more an error has: `target`, `details`, `additionalInfo`.
    pub(crate) more: Fields,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            message: message.into(),
            more: Fields::new(),
            headers: Vec::new(),
        }
    }

    /// A value that cannot be. `target` is the path of the field.
    pub(crate) fn parameter(target: &str, why: &str) -> Self {
        Self::new(
            400,
            "InvalidParameter",
            format!("{why} (parameter: {target})"),
        )
    }

    /// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found>
    pub(crate) fn not_found(id: &Id) -> Self {
        let kind = id.kind().map(Kind::name).unwrap_or_default();
        let names: Vec<&str> = names(id);
        let (what, group) = (format!("{kind}/{}", names.join("/")), id.group());
        let message = format!(
            "The Resource '{what}' under resource group '{group}' was not found. For more details \
             please go to https://aka.ms/ARMResourceNotFoundFix"
        );
        Self::new(404, "ResourceNotFound", message)
    }

    /// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-not-found>
    pub(crate) fn group_not_found(name: &str) -> Self {
        let message = format!("Resource group '{name}' could not be found.");
        Self::new(404, "ResourceGroupNotFound", message)
    }

    /// What a field refers to is not there: Microsoft.Network.
    /// <https://learn.microsoft.com/azure/networking/troubleshoot-failed-state>, seen with 400 as in
    /// <https://github.com/microsoft/MCW-Building-a-resilient-IaaS-architecture/issues/35>.
    pub(crate) fn reference(id: &str, from: &Id) -> Self {
        let message = format!(
            "Resource {id} referenced by resource {from} was not found. Please make sure that the \
             referenced resource exists, and that both resources are in the same region."
        );
        Self::new(400, "InvalidResourceReference", message)
    }

    /// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-invalid-name-segments>
    pub(crate) fn no_such_type(path: &str) -> Self {
        let message = format!("The resource type could not be found for '{path}'.");
        Self::new(404, "InvalidResourceType", message)
    }

    /// The double has no such call, and does not pretend to.
    pub(crate) fn not_done(what: &str) -> Self {
        let message = format!("the double does not do this: {what}");
        Self::new(501, "NotImplemented", message)
    }

    /// Microsoft.Compute: <https://learn.microsoft.com/rest/api/compute/virtual-machines/create-or-update>
    /// (`If-Match`, `If-None-Match`); the words were seen as in
    /// <https://github.com/kubernetes-sigs/cloud-provider-azure/issues/9728>.
    /// Microsoft.Network: seen as in
    /// <https://github.com/kubernetes-sigs/cloud-provider-azure/issues/9729> and
    /// <https://github.com/hashicorp/terraform-provider-azurerm/issues/13886>.
    pub(crate) fn condition(id: &Id, given: &str, is: &str) -> Self {
        let message = format!(
            "Etag provided in if-match header {given} does not match etag {is} of resource"
        );
        if !id.kind().is_some_and(Kind::is_network) {
            return Self::new(412, "PreconditionFailed", format!("{message}."));
        }
        let detail = json!({
            "code": "PreconditionFailedEtagMismatch",
            "message": format!("{message} {id} in NRP data store."),
        });
        Self::new(412, "PreconditionFailed", "Precondition failed.")
            .with("details", json!([detail]))
    }

    /// What is to be made only where it is not there (`If-None-Match: *`) is there. The status is that of
    /// the reference; no page or thread was found that has the words, so these are ours.
    pub(crate) fn exists(id: &Id, is: &str) -> Self {
        let message =
            format!("The condition If-None-Match is not met: {id} is there, with etag {is}.");
        Self::new(412, "PreconditionFailed", message)
    }

    /// Seen with 429 as in
    /// <https://github.com/hashicorp/terraform-provider-azurerm/issues/4285>.
    pub(crate) fn another_operation(uri: &str) -> Self {
        let message = format!(
            "Another operation on this or dependent resource is in progress. To retrieve status of \
             the operation use uri: {uri}."
        );
        Self::new(429, "AnotherOperationInProgress", message)
    }

    /// <https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>
    pub(crate) fn conflict() -> Self {
        let message = "The request failed due to conflict with a concurrent request. To resolve it, \
                       please refer to https://aka.ms/activitylog to get more details on the \
                       conflicting requests.";
        Self::new(409, "Conflict", message)
    }

    /// <https://learn.microsoft.com/azure/virtual-machines/error-codes>
    pub(crate) fn not_allowed(message: impl Into<String>) -> Self {
        Self::new(409, "OperationNotAllowed", message)
    }

    /// <https://learn.microsoft.com/azure/virtual-machines/error-codes>
    pub(crate) fn fixed(property: &str) -> Self {
        let message = format!("Changing property '{property}' is not allowed.");
        Self::new(409, "PropertyChangeNotAllowed", message).with("target", json!(property))
    }

    /// The same, which tells more.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// The error itself: the body of an answer has it, and so has the status of an operation.
    pub(crate) fn error(&self) -> Value {
        let mut error = json!({ "code": self.code, "message": self.message });
        for (name, value) in &self.more {
            error[name] = value.clone();
        }
        error
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        json!({ "error": self.error() })
    }
}

/// The names in an identifier, from its provider on.
fn names(id: &Id) -> Vec<&str> {
    let rest = id.shown.to_lowercase().rfind("/providers/");
    let rest = rest.map_or("", |at| &id.shown[at + "/providers/".len()..]);
    rest.split('/').skip(2).step_by(2).collect()
}
