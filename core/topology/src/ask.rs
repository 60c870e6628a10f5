//! The value of a single expression, asked of a topology.

use std::fmt::Write as _;
use std::sync::Arc;

use strat_model::{Diagnostic, Inventory};

use crate::decode;
use crate::eval::{Evaluator, ROOT};
use crate::expand::{Given, expand};
use crate::inputs::Inputs;
use crate::outputs::{Known, with_things};
use crate::syntax::{Source, hcl_expression};
use crate::topology::{Topology, deep};
use crate::value::{Ref, Value};

/// The name of the file that findings about an asked expression are in.
pub const EXPRESSION: &str = "expression";

impl Topology {
    /// The value of an expression, as text in HCL's notation. It may name everything that the topology
    /// declares; what only an apply tells is known as far as `inventory` has it.
    ///
    /// A sensitive value is not in the text.
    ///
    /// # Errors
    /// What is wrong with the expression, or with what it names: places in the expression itself are
    /// in a file called [`EXPRESSION`].
    pub fn ask(
        &self,
        inputs: &Inputs,
        inventory: Option<&Inventory>,
        text: &str,
    ) -> Result<String, Vec<Diagnostic>> {
        deep(|| {
            let lazy = true;
            let (whole, found) = expand(self.shared(), Given { inputs, lazy });
            let mut ev = Evaluator::new(&whole);
            ev.lazy = lazy;
            found.into_iter().for_each(|finding| ev.sink.push(finding));
            let name: Arc<str> = Arc::from(EXPRESSION);
            let file = ev.files.add(name.clone());
            let expr = hcl_expression(Source::file(file, &name, text))?;
            ev.resolve_variables(inputs);
            let owner = decode::owner(&mut ev);
            // What is wrong elsewhere is told where a whole topology is looked at.
            ev.sink = crate::report::Sink::default();
            let known = inventory.zip(owner.ok());
            let known = known.map(|(inventory, owner)| Known::of(inventory, &owner));
            ev.known = known.as_ref();
            match ev.eval(&expr, &ROOT) {
                Ok(value) => {
                    let none = Known::default();
                    let mut shown = String::new();
                    show(&value, known.as_ref().unwrap_or(&none), 0, &mut shown);
                    Ok(shown)
                }
                Err(_) => Err(ev.sink.finish()),
            }
        })
    }
}

/// Writes a value as HCL has it.
fn show(value: &Value, known: &Known<'_>, indent: usize, out: &mut String) {
    let pad = |n: usize| "  ".repeat(n);
    match value {
        Value::Sensitive(_) => out.push_str("(sensitive value)"),
        Value::Unknown(unknown) => {
            let _ = write!(out, "(known after apply: {})", unknown.cause);
        }
        Value::Ref(Ref::Site(site)) => {
            let _ = write!(out, "site.{site}");
        }
        Value::Ref(Ref::Thing { addr, .. }) => match with_things(value, known) {
            Some(json) => {
                let json: serde_json::Value = serde_json::to_value(&json).unwrap_or_default();
                let text = serde_json::to_string_pretty(&json).unwrap_or_default();
                out.push_str(&text.replace('\n', &format!("\n{}", pad(indent))));
            }
            None => {
                let _ = write!(out, "{addr}");
            }
        },
        Value::List(items) if items.is_empty() => out.push_str("[]"),
        Value::List(items) => {
            out.push_str("[\n");
            for item in items.iter() {
                out.push_str(&pad(indent + 1));
                show(item, known, indent + 1, out);
                out.push_str(",\n");
            }
            let _ = write!(out, "{}]", pad(indent));
        }
        Value::Map(map) if map.is_empty() => out.push_str("{}"),
        Value::Map(map) => {
            out.push_str("{\n");
            for (key, item) in map.iter() {
                let quoted = serde_json::to_string(&**key).unwrap_or_default();
                let _ = write!(out, "{}{quoted} = ", pad(indent + 1));
                show(item, known, indent + 1, out);
                out.push('\n');
            }
            let _ = write!(out, "{}}}", pad(indent));
        }
        Value::String(text) => {
            let quoted = serde_json::to_string(&**text).unwrap_or_default();
            out.push_str(&quoted.replace("${", "$${").replace("%{", "%%{"));
        }
        Value::Null => out.push_str("null"),
        Value::Bool(yes) => out.push_str(if *yes { "true" } else { "false" }),
        Value::Number(number) => {
            let _ = write!(out, "{number}");
        }
    }
}
