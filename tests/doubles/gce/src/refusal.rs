//! Answers that are errors, at once or at the end of an operation.

use serde_json::{Value, json};

/// A request that is refused: an HTTP answer in Google's form.
/// <https://cloud.google.com/compute/docs/api/how-tos/error-codes> (older:
/// <https://cloud.google.com/storage/docs/json_api/v1/status-codes>)
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: u16,
    pub(crate) reason: String,
    pub(crate) message: String,
    pub(crate) domain: &'static str,
    /// The word of `google.rpc.Code`, and `details`, where the newer form has them.
    pub(crate) newer: Option<(&'static str, Value)>,
}

impl Refusal {
    pub(crate) fn new(code: u16, reason: &str, message: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            message: message.into(),
            domain: match reason {
                "rateLimitExceeded" | "userRateLimitExceeded" | "quotaExceeded" => "usageLimits",
                _ => "global",
            },
            newer: None,
        }
    }

    /// A field that has no such value. `field` is its path, such as `resource.network`.
    pub(crate) fn invalid(field: &str, value: &str, why: &str) -> Self {
        let message = format!("Invalid value for field '{field}': '{value}'. {why}");
        Self::new(400, "invalid", message)
    }

    pub(crate) fn not_found(path: &str) -> Self {
        let message = format!("The resource '{path}' was not found");
        Self::new(404, "notFound", message)
    }

    pub(crate) fn exists(path: &str) -> Self {
        let message = format!("The resource '{path}' already exists");
        Self::new(409, "alreadyExists", message)
    }

    pub(crate) fn not_ready(path: &str) -> Self {
        let message = format!("The resource '{path}' is not ready");
        Self::new(400, "resourceNotReady", message)
    }

    /// A thing that another one uses. `noun` is its kind in one word.
    pub(crate) fn in_use(noun: &str, path: &str, user: &str) -> Self {
        let message = format!("The {noun} resource '{path}' is already being used by '{user}'");
        Self::new(400, "resourceInUseByAnotherResource", message)
    }

    pub(crate) fn condition(message: &str) -> Self {
        Self::new(412, "conditionNotMet", message)
    }

    /// The double answers whole.
    pub(crate) fn partial() -> Self {
        let message = "the double does not answer in part (fields)";
        Self::new(501, "notImplemented", message)
    }

    /// The body of the answer.
    pub(crate) fn body(&self) -> Value {
        let errors = json!([{
            "message": self.message, "domain": self.domain, "reason": self.reason,
        }]);
        let mut error = json!({ "code": self.code, "message": self.message, "errors": errors });
        if let Some((status, details)) = &self.newer {
            error["status"] = json!(status);
            error["details"] = details.clone();
        }
        json!({ "error": error })
    }
}

/// Why an operation ended without doing what it was for.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub(crate) http: (u16, &'static str),
    pub(crate) code: String,
    pub(crate) message: String,
    /// Its `errorDetails`.
    pub(crate) details: Vec<Value>,
}

impl Failure {
    pub(crate) fn new(http: (u16, &'static str), code: &str, message: String) -> Self {
        Self {
            http,
            code: code.to_owned(),
            message,
            details: Vec::new(),
        }
    }

    /// The same as a refusal, inside an operation:
    /// `resourceInUseByAnotherResource` is `RESOURCE_IN_USE_BY_ANOTHER_RESOURCE` there.
    pub(crate) fn of(refusal: &Refusal) -> Self {
        let message = refusal.message.clone();
        if refusal.reason == "alreadyExists" {
            return Self::new((409, "CONFLICT"), "RESOURCE_ALREADY_EXISTS", message);
        }
        let mut code = String::new();
        for c in refusal.reason.chars() {
            if c.is_ascii_uppercase() {
                code.push('_');
            }
            code.push(c.to_ascii_uppercase());
        }
        Self::new((refusal.code, "BAD REQUEST"), &code, message)
    }

    /// The zone has no machine left. `zone` is its path.
    /// <https://cloud.google.com/compute/docs/troubleshooting/troubleshooting-resource-availability>
    pub(crate) fn stock_out(zone: &str, machine_type: &str, with_details: bool) -> Self {
        let start = format!(
            "The zone '{zone}' does not have enough resources available to fulfill the request.  "
        );
        let http = (503, "SERVICE UNAVAILABLE");
        if !with_details {
            let message = format!("{start}Try a different zone, or try again later.");
            return Self::new(http, "ZONE_RESOURCE_POOL_EXHAUSTED", message);
        }
        let message = format!("{start}'(resource type:compute)'.");
        let short = zone.rsplit('/').next().unwrap_or_default();
        let mut failure = Self::new(http, "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS", message);
        failure.details = vec![
            json!({ "help": { "links": [{
                "description": "Troubleshooting documentation",
                "url": "https://cloud.google.com/compute/docs/resource-error",
            }] } }),
            json!({ "localizedMessage": { "locale": "en-US", "message": format!(
                "A {machine_type} VM instance is currently unavailable in the {short} zone."
            ) } }),
            json!({ "errorInfo": {
                "domain": "compute.googleapis.com",
                "reason": "resource_availability",
                "metadatas": {
                    "attachment": "", "vmType": machine_type, "zone": short, "zonesAvailable": "",
                },
            } }),
        ];
        failure
    }

    /// A quota that has no room. `region` is empty for those of the whole project.
    /// <https://cloud.google.com/compute/resource-usage>
    pub(crate) fn quota(metric: &str, limit: f64, region: &str) -> Self {
        let whereabouts = match region {
            "" => "globally".to_owned(),
            region => format!("in region {region}"),
        };
        let message = format!("Quota '{metric}' exceeded.  Limit: {limit:.1} {whereabouts}.");
        let mut failure = Self::new((403, "FORBIDDEN"), "QUOTA_EXCEEDED", message);
        let scope = match region {
            "" => json!({ "global": "global" }),
            region => json!({ "region": region }),
        };
        failure.details = vec![json!({ "quotaInfo": {
            "metricName": format!("compute.googleapis.com/{}", metric.to_lowercase()),
            "limitName": format!("{}-per-project-{}", metric.replace('_', "-"),
                if region.is_empty() { "global" } else { "region" }),
            "dimensions": scope, "limit": limit,
        } })];
        failure
    }
}
