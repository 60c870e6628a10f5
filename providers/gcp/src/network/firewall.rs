//! Firewalls: [some of Google's firewall rules](super::rules) for one network tag.

use std::collections::BTreeMap;

use google_cloud_compute_v1::model::Firewall;
use strat_model::{ErrorKind, Field, FirewallSpec, Kind, Resource, ResourceId, Result, Spec};
use strat_provider::{Create, Update};

use super::rules::{self, OF, Rows};
use super::vpc::{REGION, created};
use crate::error::{failed, gone, if_there, refuse};
use crate::names::{google_name, last};
use crate::notes::{Described as _, Note};
use crate::observe::{Found, PAGE_MAX, Scan};
use crate::operations::{RequestId as _, Stamp};
use crate::provider::{GcpProvider, READY, Seen};

impl GcpProvider {
    /// The rule that carries the mark first, then the others: what is there without them is a firewall
    /// of ours that lacks rules, and the next apply gives them.
    pub(crate) async fn make_firewall(
        &self,
        request: Create<'_, FirewallSpec<ResourceId>>,
        stamp: &Stamp,
    ) -> Result<Resource> {
        const ACTION: &str = "compute.firewalls.create";
        let (spec, name) = (request.spec, google_name(request.name));
        let network = self.global("networks", spec.network.as_str());
        let rows = rules::rows(&name, &network, spec)?;
        let note = Note::of_new(request.name, request.mark, &spec.labels, &stamp.text())
            .with(REGION, self.settings.region.as_str());
        let body =
            rules::anchor(&name, &network, rules::has_egress(spec)).set_description(note.write()?);
        let insert = |id: String| {
            let call = self
                .access
                .firewalls
                .insert()
                .set_project(&self.settings.project);
            let call = call.set_request_id(id).set_body(body.clone());
            async move { call.send().await.map_err(failed(ACTION)) }
        };
        let id = ResourceId::from(name.as_str());
        self.make((ACTION, stamp), (Kind::Firewall, &id), request.mark, insert)
            .await?;
        self.bring_rows(&name, &rows, Some(stamp)).await?;
        let seen = self.get_firewall(&id).await?;
        seen.map(|seen| seen.resource)
            .ok_or_else(|| gone(Kind::Firewall, &id))
    }

    pub(crate) async fn change_firewall(
        &self,
        request: Update<'_, FirewallSpec<ResourceId>>,
    ) -> Result<Resource> {
        const ACTION: &str = "compute.firewalls.update";
        let (id, spec) = (request.id, request.spec);
        let anchor = self
            .read_firewall(id)
            .await?
            .ok_or_else(|| gone(Kind::Firewall, id))?;
        let before = Note::read(anchor.description.as_deref());
        let labels = request
            .fields
            .contains(&Field::Labels)
            .then_some(&spec.labels);
        let mut note = before.changed(request.mark, labels);
        if request.mark.is_some() {
            note = note.with(REGION, self.settings.region.as_str());
        }
        let by_rules = request.fields.contains(&Field::Rules);
        if by_rules {
            if !rules::is_anchor(&anchor) {
                let message =
                    format!("{id} is one rule that somebody made, not a firewall of ours");
                let help = "let it go, and have a firewall made beside it";
                return Err(refuse(ErrorKind::Unsupported, message).with_help(help));
            }
            let network = anchor.network.as_deref().map(last).unwrap_or_default();
            let network = self.global("networks", network);
            let rows = rules::rows(id.as_str(), &network, spec)?;
            self.bring_rows(id.as_str(), &rows, None).await?;
            let body = rules::anchor(id.as_str(), &network, rules::has_egress(spec))
                .set_description(note.write()?);
            if !rules::is_same(&anchor, &body) {
                self.put_row(body, &anchor).await?;
            }
        }
        if note != before && !by_rules {
            let body = Firewall::new()
                .set_name(id.as_str())
                .set_description(note.write()?);
            let call = self
                .access
                .firewalls
                .patch()
                .set_project(&self.settings.project);
            let call = call.set_firewall(id.as_str()).set_body(body);
            let operation = call.send().await.map_err(failed(ACTION))?;
            self.settle(ACTION, operation).await?;
        }
        let seen = self.get_firewall(id).await?;
        seen.map(|seen| seen.resource)
            .ok_or_else(|| gone(Kind::Firewall, id))
    }

    /// Makes the rows of a firewall what they are to be: makes and changes first, then deletes.
    async fn bring_rows(&self, name: &str, wanted: &Rows, stamp: Option<&Stamp>) -> Result<()> {
        const ACTION: &str = "compute.firewalls.create";
        let there = self.rows_of(name).await?;
        for (row, body) in wanted {
            match there.get(row) {
                Some(is) if rules::is_same(is, body) => {}
                Some(is) => self.put_row(body.clone(), is).await?,
                None => {
                    let call = self
                        .access
                        .firewalls
                        .insert()
                        .set_project(&self.settings.project);
                    let id = stamp.map(|stamp| stamp.request_id(row, 0));
                    let call = call.set_body(body.clone()).set_or_clear_request_id(id);
                    let operation = call.send().await.map_err(failed(ACTION))?;
                    self.settle(ACTION, operation).await?;
                }
            }
        }
        for row in there.keys().filter(|row| !wanted.contains_key(*row)) {
            self.delete_row(row).await?;
        }
        Ok(())
    }

    /// Writes a row whole: an update without a field takes it off, which a patch does not.
    async fn put_row(&self, body: Firewall, is: &Firewall) -> Result<()> {
        const ACTION: &str = "compute.firewalls.update";
        let name = body.name.clone().unwrap_or_default();
        let body = body.set_or_clear_log_config(is.log_config.clone());
        let call = self
            .access
            .firewalls
            .update()
            .set_project(&self.settings.project);
        let call = call.set_firewall(name).set_body(body);
        let operation = call.send().await.map_err(failed(ACTION))?;
        self.settle(ACTION, operation).await.map(|_| ())
    }

    async fn delete_row(&self, name: &str) -> Result<()> {
        const ACTION: &str = "compute.firewalls.delete";
        let call = self
            .access
            .firewalls
            .delete()
            .set_project(&self.settings.project);
        let ended = match call.set_firewall(name).send().await.map_err(failed(ACTION)) {
            Ok(operation) => self.settle(ACTION, operation).await.map(|_| ()),
            Err(error) => Err(error),
        };
        if_there(ended).map(|_| ())
    }

    /// Google deletes a rule whoever carries its tag, so this looks first. The rule that carries the
    /// mark goes last: until then it is seen what the others are of.
    pub(crate) async fn end_firewall(&self, id: &ResourceId) -> Result<()> {
        let all = self.list_firewalls().await?;
        let is_own = |row: &Firewall| {
            let of = Note::read(row.description.as_deref());
            row.name.as_deref() == Some(id.as_str())
                || of.more.get(OF).map(String::as_str) == Some(id.as_str())
        };
        let own: Vec<&Firewall> = all.iter().filter(|row| is_own(row)).collect();
        if own.is_empty() {
            return Ok(());
        }
        let tag = id.to_string();
        let mut others = all.iter().filter(|row| !is_own(row));
        if let Some(other) = others.find(|row| row.source_tags.contains(&tag)) {
            let name = other.name.as_deref().unwrap_or_default();
            let message = format!("the rule {name} admits the machines of the firewall {id}");
            return Err(refuse(ErrorKind::Conflict, message));
        }
        if let Some(machine) = self.machine_with_tag(&tag).await? {
            let message = format!("the machine {machine} carries the firewall {id}");
            return Err(refuse(ErrorKind::Conflict, message));
        }
        let names = own.iter().filter_map(|row| row.name.as_deref());
        for row in names.filter(|name| *name != id.as_str()) {
            self.delete_row(row).await?;
        }
        self.delete_row(id.as_str()).await
    }

    async fn read_firewall(&self, id: &ResourceId) -> Result<Option<Firewall>> {
        let call = self
            .access
            .firewalls
            .get()
            .set_project(&self.settings.project);
        let answer = call.set_firewall(id.as_str()).send().await;
        if_there(answer.map_err(failed("compute.firewalls.get")))
    }

    /// All of Google's rules in the project. Descriptions cannot be asked for, so all are looked
    /// through.
    async fn list_firewalls(&self) -> Result<Vec<Firewall>> {
        self.list_rules(None).await
    }

    async fn list_rules(&self, filter: Option<String>) -> Result<Vec<Firewall>> {
        let (mut all, mut page) = (Vec::new(), None::<String>);
        loop {
            let call = self
                .access
                .firewalls
                .list()
                .set_project(&self.settings.project);
            let call = call
                .set_max_results(PAGE_MAX)
                .set_or_clear_filter(filter.clone())
                .set_or_clear_page_token(page.clone());
            let answer = call
                .send()
                .await
                .map_err(failed("compute.firewalls.list"))?;
            all.extend(answer.items);
            let next = answer.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() || next == page {
                return Ok(all);
            }
            page = next;
        }
    }

    /// The rows of one firewall, without the rule that carries the mark.
    async fn rows_of(&self, name: &str) -> Result<Rows> {
        let head = rules::head(name);
        let all = self
            .list_rules(Some(format!("name eq \"{head}.*\"")))
            .await?;
        Ok(group(all).0.remove(name).unwrap_or_default())
    }

    pub(crate) async fn get_firewall(&self, id: &ResourceId) -> Result<Option<Seen>> {
        let Some(anchor) = self.read_firewall(id).await? else {
            return Ok(None);
        };
        let rows = self.rows_of(id.as_str()).await?;
        Ok(report(&anchor, &rows))
    }

    /// All rules in one pass, put together here: those of one firewall may be on any page.
    pub(crate) async fn scan_firewalls(&self, scan: Scan<'_>) -> Result<Found> {
        let (mut rows, anchors) = group(self.list_firewalls().await?);
        let wanted = |anchor: &Firewall| match scan {
            Scan::Names(names) => anchor
                .name
                .as_ref()
                .is_some_and(|name| names.contains(name)),
            Scan::List(_) | Scan::Addrs(_) => true,
        };
        let items = anchors.into_iter().filter(wanted).filter_map(|anchor| {
            let own = rows.remove(anchor.name.as_deref()?).unwrap_or_default();
            report(&anchor, &own)
        });
        Ok(Found {
            items: items.collect(),
            next: None,
        })
    }
}

/// The rows by the firewall that they are of, and the rules that are one themselves.
fn group(all: Vec<Firewall>) -> (BTreeMap<String, Rows>, Vec<Firewall>) {
    let (mut rows, mut anchors) = (BTreeMap::<String, Rows>::new(), Vec::new());
    for one in all {
        let note = Note::read(one.description.as_deref());
        match (note.more.get(OF), one.name.clone()) {
            (Some(of), Some(name)) => {
                rows.entry(of.clone()).or_default().insert(name, one);
            }
            _ => anchors.push(one),
        }
    }
    (rows, anchors)
}

fn report(anchor: &Firewall, rows: &Rows) -> Option<Seen> {
    let name = anchor.name.as_deref()?;
    let note = Note::read(anchor.description.as_deref());
    let (id, mark) = (ResourceId::from(name), note.mark());
    // What we made stays one of ours to read, also after its mark was taken off.
    let rules = match rules::is_anchor(anchor) {
        true => rules::read(anchor, rows),
        false => rules::read_foreign(anchor),
    };
    Some(Seen {
        resource: Resource {
            witness: note.witness(mark.as_ref(), &id, name),
            id,
            name: note.name.clone().unwrap_or_else(|| name.to_owned()),
            mark,
            state: READY,
            spec: Spec::Firewall(FirewallSpec {
                network: ResourceId::from(last(anchor.network.as_deref()?)),
                rules,
                labels: note.labels,
            }),
            attributes: strat_model::Attributes::new(),
            created: created(anchor.creation_timestamp.as_deref()),
        },
        made: note.made,
        region: note.more.get(REGION).cloned(),
    })
}
