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
        let tag = id.to_string();
        let (mut own, mut other) = (Vec::new(), None);
        self.each_rule(None, |rule| {
            let of = Note::read(rule.description.as_deref());
            let name = rule.name.unwrap_or_default();
            if name == tag || of.more.get(OF) == Some(&tag) {
                own.push(name);
            } else if other.is_none() && rule.source_tags.contains(&tag) {
                other = Some(name);
            }
        })
        .await?;
        if own.is_empty() {
            return Ok(());
        }
        if let Some(name) = other {
            let message = format!("the rule {name} admits the machines of the firewall {id}");
            return Err(refuse(ErrorKind::Conflict, message));
        }
        if let Some(machine) = self.machine_with_tag(&tag).await? {
            let message = format!("the machine {machine} carries the firewall {id}");
            return Err(refuse(ErrorKind::Conflict, message));
        }
        for row in own.iter().filter(|name| **name != tag) {
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

    /// Google's rules in the project, page by page: descriptions cannot be asked for, so all are looked at,
    /// and what `look` does not keep goes with its page.
    async fn each_rule(
        &self,
        filter: Option<String>,
        mut look: impl FnMut(Firewall) + Send,
    ) -> Result<()> {
        let mut page = None::<String>;
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
            answer.items.into_iter().for_each(&mut look);
            let next = answer.next_page_token.filter(|next| !next.is_empty());
            if next.is_none() || next == page {
                return Ok(());
            }
            page = next;
        }
    }

    /// The rows of one firewall, without the rule that carries the mark.
    async fn rows_of(&self, name: &str) -> Result<Rows> {
        let head = rules::head(name);
        let mut kept = Kept::default();
        let wanted = |_: &str, _: &Note| false;
        self.each_rule(Some(format!("name eq \"{head}.*\"")), |rule| {
            kept.look(rule, wanted);
        })
        .await?;
        Ok(kept.rows.remove(name).unwrap_or_default())
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
        let mut kept = Kept::default();
        let wanted = |name: &str, note: &Note| scan.fits_note(name, note);
        self.each_rule(None, |rule| kept.look(rule, wanted)).await?;
        let Kept { mut rows, anchors } = kept;
        let items = anchors.into_iter().filter_map(|anchor| {
            let own = rows.remove(anchor.name.as_deref()?).unwrap_or_default();
            report(&anchor, &own)
        });
        Ok(Found {
            items: items.collect(),
            next: None,
        })
    }
}

/// What is kept of all of Google's rules as their pages come.
#[derive(Debug, Default)]
struct Kept {
    /// The rows by the firewall that they are of: rules that Stratiform made.
    rows: BTreeMap<String, Rows>,
    /// The rules that are a firewall themselves, of those that are wanted.
    anchors: Vec<Firewall>,
}

impl Kept {
    /// Keeps a rule that is a row of some firewall, or is one that is wanted, by its name and note.
    fn look(&mut self, rule: Firewall, wanted: impl Fn(&str, &Note) -> bool) {
        let note = Note::read(rule.description.as_deref());
        let Some(name) = rule.name.clone() else {
            return;
        };
        match note.more.get(OF) {
            Some(of) => {
                let rows = self.rows.entry(of.clone()).or_default();
                rows.insert(name, rule);
            }
            None if wanted(&name, &note) => self.anchors.push(rule),
            None => {}
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// However many rules others have in the project, they are not held in memory.
    #[test]
    fn rules_of_others_go_with_their_page() {
        let mut kept = Kept::default();
        let owner = "bank/shop".parse().expect("an owner");
        let filter = strat_provider::Filter::Owner(owner);
        let scan = Scan::List(&filter);
        let mark = strat_model::Mark {
            owner: "bank/shop".parse().expect("an owner"),
            addr: "firewall.web@west".parse().expect("an address"),
            spec: "abc".to_owned(),
            generation: 1,
            origin: None,
            protect: false,
            disposable: false,
            notes: strat_model::Shared::new(),
        };
        let ours = Note::of_new("web", &mark, &strat_model::Labels::new(), "t");
        let row = Note::default().with(OF, "web");
        for (name, note) in [("web", ours), ("web-1", row)] {
            let rule = Firewall::new().set_name(name);
            let rule = rule.set_description(note.write().expect("a text"));
            kept.look(rule, |name, note| scan.fits_note(name, note));
        }
        for number in 0..1000 {
            let rule = Firewall::new().set_name(format!("of-others-{number}"));
            let rule = rule.set_description("made by hand");
            kept.look(rule, |name, note| scan.fits_note(name, note));
        }
        assert_eq!((kept.anchors.len(), kept.rows.len()), (1, 1));
        assert_eq!(kept.rows["web"].len(), 1);
    }
}
