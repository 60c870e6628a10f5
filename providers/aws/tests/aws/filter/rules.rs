//! What the filter does of itself, and what it remembers.

use hyper::StatusCode;
use hyper::body::Bytes;

use super::server::Asked;
use super::{Filter, Remembered, between, xml};

/// What is to be done with a call.
pub(super) enum Verdict {
    Forward(Box<Asked>),
    Refuse(StatusCode, &'static str, String),
    Answer(String),
}

const BAD: StatusCode = StatusCode::BAD_REQUEST;
const SERVER: StatusCode = StatusCode::INTERNAL_SERVER_ERROR;

fn refuse(status: StatusCode, code: &'static str, message: impl Into<String>) -> Verdict {
    Verdict::Refuse(status, code, message.into())
}

/// The answer of Service Quotas, shaped after
/// <https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html>.
fn quota(code: &str, cpus: u32) -> String {
    format!(
        r#"{{"Quota":{{"ServiceCode":"ec2","ServiceName":"Amazon Elastic Compute Cloud (Amazon EC2)",
        "QuotaCode":"{code}","QuotaName":"Running On-Demand instances",
        "Value":{cpus}.0,"Unit":"None","Adjustable":true,"GlobalQuota":false}}}}"#
    )
}

impl Filter {
    pub(super) async fn judge(&self, asked: &Asked) -> Verdict {
        if let Some(times) = self.state().throttled.get_mut(&asked.action)
            && *times > 0
        {
            *times -= 1;
            let busy = StatusCode::SERVICE_UNAVAILABLE;
            return refuse(busy, "RequestLimitExceeded", "Request limit exceeded.");
        }
        if let Some((code, times)) = self.state().refused.get_mut(&asked.action)
            && *times > 0
        {
            *times -= 1;
            // <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>: client
            // errors are 4xx, and what the service lacks is 5xx.
            let status = match *code {
                "AuthFailure" => StatusCode::UNAUTHORIZED,
                "UnauthorizedOperation" => StatusCode::FORBIDDEN,
                "RequestLimitExceeded" => StatusCode::SERVICE_UNAVAILABLE,
                _ if code.starts_with("Insufficient") => SERVER,
                _ => BAD,
            };
            return refuse(status, code, format!("{code}, as arranged."));
        }
        if let Some(verdict) = self.denial(asked) {
            return verdict;
        }
        // A dry run does nothing, so there is nothing to add; and it may be signed.
        if asked.form.get("DryRun").is_some_and(|dry| dry == "true") {
            return Verdict::Forward(Box::new(asked.clone()));
        }
        if asked.action == "GetServiceQuota" {
            let body = String::from_utf8_lossy(&asked.body);
            let state = self.state();
            let known = state.quotas.iter().find(|(code, _)| body.contains(*code));
            if let Some((code, cpus)) = known {
                return Verdict::Answer(quota(code, *cpus));
            }
        }
        if asked.action == "GetResources" && self.state().index_is_late {
            let nothing = r#"{"ResourceTagMappingList":[],"PaginationToken":""}"#;
            return Verdict::Answer(nothing.to_owned());
        }
        if asked.action == "GetProducts" {
            return self.products(asked);
        }
        if asked.action == "SimulatePrincipalPolicy" {
            return self.simulate(asked);
        }
        if let Some(verdict) = self.remembered(asked).await {
            return verdict;
        }
        match asked.action.as_str() {
            "RunInstances" => self.run(asked),
            "DescribeInstances" => self.describe(asked),
            "CreateSubnet" if !is_subnet_range(asked) => {
                // https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
                let message = "The CIDR block is not valid: between a /28 and a /16 netmask.";
                refuse(BAD, "InvalidSubnet.Range", message)
            }
            "DeleteSubnet" => self.end_subnet(asked).await,
            "DeleteSecurityGroup" => self.end_group(asked).await,
            "StartInstances" => self.switch_on(asked).await,
            "TerminateInstances" => self.terminate(asked).await,
            "AttachVolume" => self.attach(asked).await,
            _ => Verdict::Forward(Box::new(asked.clone())),
        }
    }

    /// What a token that was used before leads to.
    async fn remembered(&self, asked: &Asked) -> Option<Verdict> {
        let token = asked.form.get("ClientToken")?;
        let key = (asked.action.clone(), token.clone());
        let known = self.state().tokens.get(&key).cloned()?;
        if known.request != asked.form {
            let message = "Arguments on this idempotent request are inconsistent with arguments \
                           used in previous request(s).";
            return Some(refuse(BAD, "IdempotentParameterMismatch", message));
        }
        if asked.action == "RunInstances" && self.are_ended(asked, &known.ids).await {
            let message = "The client token you have provided is associated with an instance that \
                           was terminated.";
            return Some(refuse(BAD, "IdempotentInstanceTerminated", message));
        }
        Some(Verdict::Answer(known.answer))
    }

    async fn are_ended(&self, asked: &Asked, ids: &[String]) -> bool {
        let mut fields = vec![("Action".to_owned(), "DescribeInstances".to_owned())];
        for (index, id) in ids.iter().enumerate() {
            fields.push((format!("InstanceId.{}", index + 1), id.clone()));
        }
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        let text = self.ask(asked, &fields).await;
        let states = between(&text, "instanceState");
        !states.is_empty()
            && states
                .iter()
                .all(|state| state.contains("<name>terminated</name>"))
    }

    /// As many as there are between the least and the most; moto makes the least.
    fn run(&self, asked: &Asked) -> Verdict {
        let number = |key: &str| {
            asked
                .form
                .get(key)
                .and_then(|n| n.parse().ok())
                .unwrap_or(1_u64)
        };
        let field = |key: &str| asked.form.get(key).cloned().unwrap_or_default();
        let (least, most) = (number("MinCount"), number("MaxCount"));
        let mut state = self.state();
        if state.full {
            let message = "You have requested more vCPU capacity than your current vCPU limit \
                           allows for the instance bucket that the specified instance type \
                           belongs to.";
            return refuse(BAD, "VcpuLimitExceeded", message);
        }
        let zone = field("Placement.AvailabilityZone");
        let key = (field("InstanceType"), zone.clone());
        let count = match state.stock.get_mut(&key) {
            None => most,
            Some(left) if *left < least || *left == 0 => {
                let message = format!(
                    "We currently do not have sufficient {} capacity in the Availability Zone you \
                     requested ({zone}).",
                    key.0
                );
                return refuse(SERVER, "InsufficientInstanceCapacity", message);
            }
            Some(left) => {
                let count = most.min(*left);
                *left -= count;
                count
            }
        };
        let mut changed = asked.clone();
        changed
            .form
            .insert("MinCount".to_owned(), count.to_string());
        changed
            .form
            .insert("MaxCount".to_owned(), count.to_string());
        changed.body = Bytes::from(xml::body(&changed.form));
        Verdict::Forward(Box::new(changed))
    }

    /// moto does not know the filter `client-token`.
    fn describe(&self, asked: &Asked) -> Verdict {
        let filters = asked.form.iter();
        let found = filters.clone().find(|(key, value)| {
            key.starts_with("Filter.") && key.ends_with(".Name") && *value == "client-token"
        });
        let Some((key, _)) = found else {
            return Verdict::Forward(Box::new(asked.clone()));
        };
        let start = key.trim_end_matches("Name").to_owned();
        let token = asked
            .form
            .get(&format!("{start}Value.1"))
            .cloned()
            .unwrap_or_default();
        let known = ("RunInstances".to_owned(), token);
        let ids = self
            .state()
            .tokens
            .get(&known)
            .map(|known| known.ids.clone());
        let mut changed = asked.clone();
        changed.form.retain(|key, _| !key.starts_with(&start));
        changed
            .form
            .insert(format!("{start}Name"), "instance-id".to_owned());
        for (index, id) in ids
            .unwrap_or_else(|| vec!["none".to_owned()])
            .iter()
            .enumerate()
        {
            changed
                .form
                .insert(format!("{start}Value.{}", index + 1), id.clone());
        }
        changed.body = Bytes::from(xml::body(&changed.form));
        Verdict::Forward(Box::new(changed))
    }

    async fn users(&self, asked: &Asked, filter: &str, id: &str) -> bool {
        let text = self
            .ask(
                asked,
                &[
                    ("Action", "DescribeInstances"),
                    ("Filter.1.Name", filter),
                    ("Filter.1.Value.1", id),
                    ("Filter.2.Name", "instance-state-name"),
                    ("Filter.2.Value.1", "pending"),
                    ("Filter.2.Value.2", "running"),
                    ("Filter.2.Value.3", "stopping"),
                    ("Filter.2.Value.4", "stopped"),
                ],
            )
            .await;
        text.contains("<instanceId>")
    }

    async fn end_subnet(&self, asked: &Asked) -> Verdict {
        let id = asked.form.get("SubnetId").cloned().unwrap_or_default();
        if self.users(asked, "subnet-id", &id).await {
            let message = format!("The subnet '{id}' has dependencies and cannot be deleted.");
            return refuse(BAD, "DependencyViolation", message);
        }
        Verdict::Forward(Box::new(asked.clone()))
    }

    async fn end_group(&self, asked: &Asked) -> Verdict {
        let id = asked.form.get("GroupId").cloned().unwrap_or_default();
        let text = self
            .ask(asked, &[("Action", "DescribeSecurityGroups")])
            .await;
        let named = xml::items(&text, "securityGroupInfo")
            .into_iter()
            .any(|group| {
                let rules = between(group, "ipPermissions").into_iter();
                let mut rules = rules.chain(between(group, "ipPermissionsEgress"));
                let rest = group.split("<ipPermissions").next().unwrap_or_default();
                let after = group.rsplit("</ipPermissions").next().unwrap_or_default();
                let own = format!("<groupId>{id}</groupId>");
                !rest.contains(&own)
                    && !after.contains(&own)
                    && rules.any(|rules| rules.contains(&own))
            });
        let question = [
            ("Action", "DescribeNetworkInterfaces"),
            ("Filter.1.Name", "group-id"),
            ("Filter.1.Value.1", id.as_str()),
        ];
        let worn = self
            .ask(asked, &question)
            .await
            .contains("<networkInterfaceId>");
        if named || worn {
            let message = format!("resource {id} has a dependent object");
            return refuse(BAD, "DependencyViolation", message);
        }
        Verdict::Forward(Box::new(asked.clone()))
    }

    /// moto gives a running instance that is started another public address.
    async fn switch_on(&self, asked: &Asked) -> Verdict {
        let ids = asked
            .form
            .iter()
            .filter(|(key, _)| key.starts_with("InstanceId."));
        let ids: Vec<String> = ids.map(|(_, id)| id.clone()).collect();
        let mut stopped = false;
        for id in &ids {
            let question = [
                ("Action", "DescribeInstances"),
                ("InstanceId.1", id.as_str()),
            ];
            let text = self.ask(asked, &question).await;
            stopped |= !text.contains("<name>running</name>");
        }
        if stopped {
            return Verdict::Forward(Box::new(asked.clone()));
        }
        let empty = "<StartInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
                     <requestId>filter</requestId><instancesSet/></StartInstancesResponse>";
        Verdict::Answer(empty.to_owned())
    }

    /// moto leaves an address with an instance that was ended.
    async fn terminate(&self, asked: &Asked) -> Verdict {
        let ids = asked
            .form
            .iter()
            .filter(|(key, _)| key.starts_with("InstanceId."));
        for (_, id) in ids {
            let question = [
                ("Action", "DescribeAddresses"),
                ("Filter.1.Name", "instance-id"),
                ("Filter.1.Value.1", id.as_str()),
            ];
            let text = self.ask(asked, &question).await;
            for association in between(&text, "associationId") {
                let call = [
                    ("Action", "DisassociateAddress"),
                    ("AssociationId", association),
                ];
                self.ask(asked, &call).await;
            }
        }
        Verdict::Forward(Box::new(asked.clone()))
    }

    async fn attach(&self, asked: &Asked) -> Verdict {
        let field = |key: &str| asked.form.get(key).cloned().unwrap_or_default();
        let (volume, machine) = (field("VolumeId"), field("InstanceId"));
        let question = [
            ("Action", "DescribeVolumes"),
            ("VolumeId.1", volume.as_str()),
        ];
        let text = self.ask(asked, &question).await;
        if let Some(other) = between(&text, "attachmentSet").iter().find_map(|set| {
            between(set, "instanceId")
                .first()
                .map(|id| (*id).to_owned())
        }) {
            let message = format!("{volume} is already attached to an instance: {other}");
            return refuse(BAD, "VolumeInUse", message);
        }
        let question = [
            ("Action", "DescribeInstances"),
            ("InstanceId.1", machine.as_str()),
        ];
        let instance = self.ask(asked, &question).await;
        let zone = |text: &str| {
            between(text, "availabilityZone")
                .first()
                .map(|z| (*z).to_owned())
        };
        if let (Some(here), Some(there)) = (zone(&text), zone(&instance))
            && here != there
        {
            let message = format!("The volume '{volume}' is not in the same zone as '{machine}'");
            return refuse(BAD, "InvalidVolume.ZoneMismatch", message);
        }
        Verdict::Forward(Box::new(asked.clone()))
    }

    /// Remembers the answer to a call with a token.
    pub(super) fn learn(&self, asked: &Asked, status: StatusCode, body: &Bytes) {
        let Some(token) = asked
            .form
            .get("ClientToken")
            .filter(|_| status.is_success())
        else {
            return;
        };
        let answer = String::from_utf8_lossy(body).into_owned();
        let ids = between(&answer, "instanceId");
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        let known = Remembered {
            request: asked.original.clone(),
            answer,
            ids,
        };
        let key = (asked.action.clone(), token.clone());
        self.state().tokens.insert(key, known);
    }
}

/// Whether a subnet's range is as large as AWS takes one, which moto does not look at.
fn is_subnet_range(asked: &Asked) -> bool {
    let prefix = asked
        .form
        .get("CidrBlock")
        .and_then(|cidr| cidr.split_once('/'));
    let prefix = prefix.and_then(|(_, prefix)| prefix.parse::<u8>().ok());
    prefix.is_none_or(|prefix| (16..=28).contains(&prefix))
}
