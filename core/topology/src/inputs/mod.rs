//! The values of variables: defaults, then files, then single values.

mod validate;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use strat_model::{Diagnostic, Name};

use crate::ast::{Attribute, Block, Body, Expr};
use crate::eval::{Evaluator, ROOT};
use crate::program::twice;
use crate::report::{Failed, Outcome, suggest};
use crate::source::{SourceFile, without_byte_order_mark};
use crate::span::Span;
use crate::syntax::{Source, hcl_body, hcl_expression};
use crate::topology::deep;
use crate::types::Type;
use crate::value::{Value, text_of};

/// What is given for a topology's variables. A later one wins: the default, the files in their
/// order, then `vars`.
#[derive(Clone, Default)]
pub struct Inputs {
    /// Single values, each as text; it is read by the declared type.
    pub vars: BTreeMap<String, String>,
    /// Files of `name = value`, in HCL, YAML or JSON.
    pub var_files: Vec<SourceFile>,
    /// The environment: its things are a realm of their own. A variable `env` that is given no other
    /// value has this one.
    pub env: Option<Name>,
}

impl Inputs {
    /// The names of the variables that the files give, as far as they can be read.
    #[must_use]
    pub fn given_in_files(&self) -> BTreeSet<String> {
        let names = |file: &SourceFile| {
            let text = without_byte_order_mark(&file.text);
            let (body, _) = match crate::notation::of(&file.name) {
                crate::notation::Notation::Hcl => hcl_body(0, &file.name, text),
                other => crate::data::data_body(0, &file.name, text, other, true),
            };
            let names = body.attributes.into_iter();
            names
                .map(|attribute| attribute.name.text.to_string())
                .collect::<Vec<_>>()
        };
        deep(|| self.var_files.iter().flat_map(names).collect())
    }
}

/// Names only: values may be secrets.
impl fmt::Debug for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files = self.var_files.iter().map(|file| &file.name);
        f.debug_struct("Inputs")
            .field("vars", &self.vars.keys().collect::<Vec<_>>())
            .field("var_files", &files.collect::<Vec<_>>())
            .field("env", &self.env)
            .finish()
    }
}

/// A variable of a topology, for people.
#[derive(Debug, Clone, PartialEq)]
pub struct VariableDoc {
    /// Its name.
    pub name: String,
    /// Its type, as written in a topology.
    pub ty: String,
    /// What it is for.
    pub description: Option<String>,
    /// Its default; `None` if a value must be given. A sensitive one is null.
    pub default: Option<serde_json::Value>,
    /// Whether its value must not be shown.
    pub sensitive: bool,
}

/// A value and where it was given.
struct Given {
    value: Value,
    /// Where in a file it stands.
    span: Option<Span>,
    /// What the second label of a finding says.
    how: &'static str,
}

/// What is said of a value in a file.
const GIVEN_IN_FILE: &str = "given here";

impl Evaluator<'_> {
    /// Gives every variable its value, then checks the validations.
    pub(crate) fn resolve_variables(&mut self, inputs: &Inputs) {
        let (mut files, complete) = self.read_files(&inputs.var_files);
        self.env.clone_from(&inputs.env);
        let env = inputs.env.as_ref().map(ToString::to_string);
        self.undeclared_vars(inputs);
        let mut places = BTreeMap::new();
        let program = self.program;
        for (name, block) in &program.variables {
            let ty = self.variable_type(block);
            let hidden = self.variable_sensitive(block);
            let is_given = inputs.vars.contains_key(&**name) || files.contains_key(name);
            let env = env.as_ref().filter(|_| &**name == "env" && !is_given);
            let text = inputs.vars.get(&**name).or(env);
            let default = block.body.attribute("default").is_some();
            let is_missing = !default && text.is_none() && !files.contains_key(name);
            if is_missing && (self.lazy || !complete) {
                self.variables.insert(name.clone(), Err(Failed));
                continue;
            }
            let given = ty.and_then(|ty| {
                let given = self.given(name, (block, hidden), &ty, text, files.remove(name))?;
                self.typed(name, &ty, &given, hidden)
            });
            let value = given.map(|given| {
                places.insert(name.clone(), (given.span, given.how));
                given.value.marked(hidden)
            });
            self.variables.insert(name.clone(), value);
        }
        for (name, block) in &program.variables {
            if let Some((span, how)) = places.get(name) {
                self.validate(name, block, *span, how);
            }
        }
    }

    fn undeclared_vars(&mut self, inputs: &Inputs) {
        let names = self.program.variables.keys().map(|name| &**name);
        let names: Vec<&str> = names.collect();
        for name in inputs.vars.keys() {
            if !names.contains(&name.as_str()) {
                let mut finding = Diagnostic::error(
                    "undeclared_variable",
                    format!("a value is given for `{name}`, which is no variable of this topology"),
                );
                finding.help = suggest(name, "there are", names.iter().copied())
                    .or_else(|| Some("the topology declares no variables".to_owned()));
                self.report(finding);
            }
        }
    }

    /// What the files give; the last one wins.
    ///
    /// Nothing is said of variables without a value if a file could not be read: they may be in it.
    fn read_files(&mut self, files: &[SourceFile]) -> (BTreeMap<Arc<str>, Attribute>, bool) {
        let mut given = BTreeMap::new();
        let mut complete = true;
        self.value_files = files.to_vec();
        for file in files {
            let number = self.files.add(file.name.clone());
            let text = without_byte_order_mark(&file.text);
            let (body, problems) = match crate::notation::of(&file.name) {
                crate::notation::Notation::Hcl => hcl_body(number, &file.name, text),
                other => crate::data::data_body(number, &file.name, text, other, true),
            };
            for problem in file.with_not_utf8(problems) {
                complete = false;
                self.report(problem);
            }
            self.shape_of_values(&body);
            for attribute in body.attributes {
                self.undeclared_in_file(&attribute);
                given.insert(attribute.name.text.clone(), attribute);
            }
        }
        (given, complete)
    }

    /// A file of values holds no blocks, and each value once.
    fn shape_of_values(&mut self, body: &Body) {
        for block in &body.blocks {
            let _: Failed = self.fail(
                block.head,
                "unknown_block",
                "a file of variables holds no blocks",
                "not a value",
                Some("write `name = value` for each variable".to_owned()),
            );
        }
        for (first, second) in twice(body) {
            let there = self.files.origin(first.span);
            let finding = Diagnostic::error(
                "duplicate_attribute",
                format!("`{}` is given twice in one file", second.text),
            );
            self.report(
                finding
                    .at(&self.files.origin(second.span), "given again here")
                    .at(&there, "first given here")
                    .help("remove one of the two"),
            );
        }
    }

    /// A file may serve several topologies, so this is no error.
    fn undeclared_in_file(&mut self, attribute: &Attribute) {
        let name = &attribute.name.text;
        if self.program.variables.contains_key(name) {
            return;
        }
        let origin = self.files.origin(attribute.name.span);
        let names = self.program.variables.keys().map(|name| &**name);
        let mut finding = Diagnostic::warning(
            "undeclared_variable",
            "a value is given for no variable of this topology",
        )
        .at(&origin, "not declared");
        finding.help = self.suggest(name, "there are", names);
        self.report(finding);
    }

    pub(crate) fn variable_type(&mut self, block: &Block) -> Outcome<Type> {
        let Some(attribute) = block.body.attribute("type") else {
            return Ok(Type::Any);
        };
        let ty = Type::parse(&attribute.value, &mut |expr| self.constant(expr).ok());
        ty.map_err(|error| {
            self.fail(
                error.span,
                "unknown_type",
                error.message,
                "not a type",
                error.help,
            )
        })
    }

    /// The declared type as text.
    pub(crate) fn type_text(&mut self, block: &Block) -> String {
        let ty = self.variable_type(block);
        ty.map_or_else(|Failed| "any".to_owned(), |ty| ty.to_string())
    }

    pub(crate) fn variable_sensitive(&mut self, block: &Block) -> bool {
        let Some(attribute) = block.body.attribute("sensitive") else {
            return false;
        };
        let value = self.constant(&attribute.value);
        let value = value.and_then(|value| self.bool(&value, attribute.value.span, "`sensitive`"));
        value.unwrap_or(true)
    }

    /// The value of an expression without references.
    pub(crate) fn constant(&mut self, expr: &Expr) -> Outcome<Value> {
        if let Some(span) = validate::reference(expr, &mut Vec::new()) {
            return Err(self.fail(
                span,
                "not_constant",
                "nothing may be referred to here",
                "a reference",
                Some(
                    "a variable is declared by constants; put what depends on others into `locals`"
                        .to_owned(),
                ),
            ));
        }
        self.eval(expr, &ROOT)
    }

    fn given(
        &mut self,
        name: &Arc<str>,
        (block, hidden): (&Block, bool),
        ty: &Type,
        text: Option<&String>,
        file: Option<Attribute>,
    ) -> Outcome<Given> {
        if let Some(text) = text {
            return Ok(Given {
                value: self.parse_text(name, (block, hidden), ty, text)?,
                span: None,
                how: "given by its name",
            });
        }
        if let Some(attribute) = file {
            self.known_attributes(name, (block, hidden), ty, &attribute.value, true)?;
            return Ok(Given {
                value: self.constant(&attribute.value)?,
                span: Some(attribute.value.span),
                how: GIVEN_IN_FILE,
            });
        }
        if let Some(default) = block.body.attribute("default") {
            self.known_attributes(name, (block, hidden), ty, &default.value, true)?;
            return Ok(Given {
                value: self.constant(&default.value)?,
                span: Some(default.value.span),
                how: "the default",
            });
        }
        Err(self.missing_variable(name, block))
    }

    /// The finding for a variable that nobody gave a value.
    pub(crate) fn missing_variable(&mut self, name: &str, block: &Block) -> Failed {
        self.fail(
            block.head,
            "missing_variable",
            format!("the variable `{name}` has no value"),
            "it has no default, so a value must be given",
            Some(format!("give `{name}` a value, or add a `default`")),
        )
    }

    /// A value that was given as text, read by the declared type.
    fn parse_text(
        &mut self,
        name: &Arc<str>,
        (block, hidden): (&Block, bool),
        ty: &Type,
        text: &str,
    ) -> Outcome<Value> {
        let untyped = block.body.attribute("type").is_none();
        match ty {
            _ if untyped => return Ok(Value::string(text)),
            Type::String | Type::Number | Type::Bool => return Ok(Value::string(text)),
            _ => {}
        }
        let shown: Arc<str> = Arc::from(format!("value of {name}"));
        let file = self.files.add(shown.clone());
        match hcl_expression(Source::file(file, &shown, text)) {
            Ok(expr) => {
                // Its places are in no file, so what is wrong is told at the declaration.
                self.sink.hush();
                let value = self.constant(&expr);
                self.sink.loud();
                let value = value.map_err(|Failed| self.unreadable(name, block, ty))?;
                self.known_attributes(name, (block, hidden), ty, &expr, false)?;
                Ok(value)
            }
            Err(_) if *ty == Type::Any => Ok(Value::string(text)),
            Err(_) => Err(self.unreadable(name, block, ty)),
        }
    }

    /// Refuses a literal with an attribute that its object type does not have: most likely it is
    /// misspelled, and the one that was meant would have its default. `placed` if the literal stands
    /// in a file.
    fn known_attributes(
        &mut self,
        name: &Arc<str>,
        (block, hidden): (&Block, bool),
        ty: &Type,
        expr: &Expr,
        placed: bool,
    ) -> Outcome<()> {
        let mut result = Ok(());
        for unknown in ty.unknown_attributes(expr) {
            // Of a sensitive value, neither a name nor the text around it is shown.
            let word = if hidden {
                String::new()
            } else {
                format!(" `{}`", unknown.name)
            };
            let help = suggest(
                unknown.name,
                "there are",
                unknown.known.iter().map(|known| &**known),
            );
            result = Err(self.fail(
                if placed && !hidden {
                    unknown.span
                } else {
                    block.head
                },
                "unknown_attribute",
                format!("the type of the variable `{name}` has no attribute{word}"),
                "not known",
                help.filter(|_| !hidden),
            ));
        }
        result
    }

    fn unreadable(&mut self, name: &Arc<str>, block: &Block, ty: &Type) -> Failed {
        self.fail(
            block.head,
            "wrong_type",
            format!("the value given for `{name}` is not a {ty}"),
            format!("declared here as {ty}"),
            Some("write it in HCL or JSON, such as `[\"a\", \"b\"]`".to_owned()),
        )
    }

    fn typed(&mut self, name: &Arc<str>, ty: &Type, given: &Given, hidden: bool) -> Outcome<Given> {
        match ty.convert(&given.value) {
            Ok(value) => Ok(Given { value, ..*given }),
            Err(mismatch) => {
                let mismatch = if hidden {
                    mismatch.without_path()
                } else {
                    mismatch
                };
                let block = &self.program.variables[name];
                let declared = block
                    .body
                    .attribute("type")
                    .map_or(block.head, |a| a.value.span);
                let declared = self.files.origin(declared);
                let mut finding = Diagnostic::error(
                    "wrong_type",
                    format!("the value of the variable `{name}` has the wrong type: {mismatch}"),
                );
                // The text of a sensitive value must not be shown around its place.
                if let Some(span) = given.span.filter(|_| !hidden) {
                    let place = self.files.origin(span);
                    finding = finding.at(&place, given.how);
                }
                finding = finding.at(&declared, format!("declared as {ty}"));
                if given.span.is_none() {
                    let shown = if hidden { None } else { text_of(&given.value) };
                    let shown = shown.as_deref().unwrap_or("…").to_owned();
                    finding = finding.help(format!("it was given as `{name} = {shown}`"));
                }
                Err(self.report(finding))
            }
        }
    }
}
