//! What modules are given and give, and sites that stand for several.

use std::sync::Arc;

use super::{Evaluator, Node, ROOT, Scope};
use crate::ast::{Expr, ExprKind, Ident};
use crate::expand::ModuleCall;
use crate::report::{Failed, Outcome};
use crate::span::Span;
use crate::value::{Ref, Value, text_of};

impl Evaluator<'_> {
    /// The sites of a `site` block with `for_each`, by their keys.
    pub(super) fn site_group(&mut self, name: &str) -> Outcome<Value> {
        let program = self.program;
        let group = program.site_groups.get(name).and_then(Option::as_ref);
        // What is wrong with it was told where it was written out.
        let group = group.ok_or(Failed)?;
        let sites = group.iter();
        Ok(Value::map(sites.map(|(key, site)| {
            (key.clone(), Value::Ref(Ref::Site(site.clone())))
        })))
    }

    /// What a module is given for one of its variables.
    pub(super) fn input(&mut self, name: &Arc<str>, span: Span) -> Outcome<Value> {
        self.once(Node::Input(name.clone()), span, |this| this.own_input(name))
    }

    fn own_input(&mut self, name: &Arc<str>) -> Outcome<Value> {
        let program = self.program;
        let input = program.module_inputs.get(name).ok_or(Failed)?;
        let block = &input.block;
        let (path, own) = name.rsplit_once('.').ok_or(Failed)?;
        let value = match (&input.given, block.body.attribute("default")) {
            (Some(given), _) => self.eval(given, &ROOT)?,
            (None, Some(default)) => self.constant(&default.value)?,
            (None, None) => {
                let message = format!("the module `{path}` is given no `{own}`");
                let help = format!("add `{own} = …` to it, or a `default` to the variable");
                let declared = self.files.origin(block.head);
                let place = self.files.origin(input.head);
                let finding = strat_model::Diagnostic::error("missing_variable_of_module", message)
                    .at(&place, format!("needs `{own}`"))
                    .at(&declared, "declared here");
                return Err(self.report(finding.help(help)));
            }
        };
        let hidden = self.variable_sensitive(block);
        let (value, sensitive) = value.reveal();
        let value = match value.unknown() {
            // What only an apply brings has no type yet.
            Some(_) => value,
            None => self.converted(block, own, &value, input)?,
        };
        self.check_input(block, own, &value, input.head)?;
        Ok(value.marked(sensitive || hidden))
    }

    fn converted(
        &mut self,
        block: &crate::ast::Block,
        own: &str,
        value: &Value,
        input: &crate::expand::ModuleInput,
    ) -> Outcome<Value> {
        let ty = self.variable_type(block)?;
        ty.convert(value).map_err(|mismatch| {
            let mismatch = mismatch.without_path();
            let given = input.given.as_ref().map_or(input.head, |given| given.span);
            let message = format!("the module's variable `{own}` has the wrong type: {mismatch}");
            let finding = strat_model::Diagnostic::error("wrong_type", message)
                .at(&self.files.origin(given), "given here")
                .at(&self.files.origin(block.head), format!("declared as {ty}"));
            self.report(finding)
        })
    }

    /// A value that a module gives.
    fn module_output(&mut self, path: &str, name: &Ident, span: Span) -> Outcome<Value> {
        let program = self.program;
        let full: Arc<str> = format!("{path}.{}", name.text).into();
        let Some(block) = program.module_outputs.get(&full) else {
            let known = program.module_outputs.keys();
            let known: Vec<&str> = known
                .filter_map(|own| own.strip_prefix(path)?.strip_prefix('.'))
                .filter(|own| !own.contains('.'))
                .collect();
            let help = self.suggest(&name.text, "it has", known.iter().copied());
            return Err(self.fail(
                name.span,
                "unknown_attribute",
                format!("the module `{path}` has no output `{}`", name.text),
                "no such output",
                help.or_else(|| Some("it has no outputs".to_owned())),
            ));
        };
        let attribute = block.body.attribute("value").ok_or(Failed)?;
        self.once(Node::Output(full), span, |this| {
            let hidden = match block.body.attribute("sensitive") {
                Some(flag) => {
                    let value = this.eval(&flag.value, &ROOT)?;
                    this.bool(&value, flag.value.span, "`sensitive`")?
                }
                None => false,
            };
            Ok(this.eval(&attribute.value, &ROOT)?.marked(hidden))
        })
    }

    /// `module.eu.url` and `module.shops["eu"].url`: of a module only what is asked for is evaluated,
    /// so that two may need values of each other.
    pub(super) fn module_attribute(
        &mut self,
        base: &Expr,
        name: &Ident,
        scope: &Scope<'_>,
    ) -> Option<Outcome<Value>> {
        let (inner, key) = match &base.kind {
            ExprKind::Index(inner, key) => (&**inner, Some(&**key)),
            _ => (base, None),
        };
        let ExprKind::Attr(pair) = &inner.kind else {
            return None;
        };
        let (root, module) = &**pair;
        if !matches!(&root.kind, ExprKind::Name(root) if &**root == "module")
            || scope.variable("module").is_some()
            || scope.template().is_some()
        {
            return None;
        }
        let program = self.program;
        let path = match (program.module_calls.get(&module.text)?, key) {
            (ModuleCall::Failed, _) => return Some(Err(Failed)),
            (ModuleCall::One, None) => module.text.to_string(),
            (ModuleCall::Keyed(_) | ModuleCall::Indexed(_), Some(key)) => {
                let value = match self.eval(key, scope) {
                    Ok(value) => value,
                    Err(failed) => return Some(Err(failed)),
                };
                let text = text_of(&value)?;
                let path = format!("{}.{text}", module.text);
                self.is_use(module, &text).then_some(path)?
            }
            _ => return None,
        };
        Some(self.module_output(&path, name, base.span.to(name.span)))
    }

    fn is_use(&self, module: &Ident, key: &str) -> bool {
        match self.program.module_calls.get(&module.text) {
            Some(ModuleCall::Keyed(keys)) => keys.iter().any(|own| &**own == key),
            Some(ModuleCall::Indexed(count)) => key.parse::<u64>().is_ok_and(|at| at < *count),
            _ => false,
        }
    }

    /// All that a module gives: a map of its outputs, and of each use if there are several.
    pub(super) fn module(&mut self, name: &Ident, root: Span, span: Span) -> Outcome<Value> {
        let program = self.program;
        match program.module_calls.get(&name.text) {
            None => Err(self.undeclared("module", root, name)),
            Some(ModuleCall::Failed) => Err(Failed),
            Some(ModuleCall::One) => self.whole_module(&name.text, span),
            Some(ModuleCall::Keyed(keys)) => {
                let mut all = Vec::with_capacity(keys.len());
                for key in keys {
                    let path = format!("{}.{key}", name.text);
                    all.push((key.clone(), self.whole_module(&path, span)?));
                }
                Ok(Value::map(all))
            }
            Some(ModuleCall::Indexed(count)) => {
                let mut all = Vec::new();
                for index in 0..*count {
                    let path = format!("{}.{index}", name.text);
                    all.push(self.whole_module(&path, span)?);
                }
                Ok(Value::list(all))
            }
        }
    }

    fn whole_module(&mut self, path: &str, span: Span) -> Outcome<Value> {
        let program = self.program;
        let mut outputs = Vec::new();
        for name in program.module_outputs.keys() {
            let own = name
                .strip_prefix(path)
                .and_then(|own| own.strip_prefix('.'));
            let Some(own) = own.filter(|own| !own.contains('.')) else {
                continue;
            };
            let word = Ident {
                text: own.into(),
                span,
            };
            outputs.push((word.text.clone(), self.module_output(path, &word, span)?));
        }
        Ok(Value::map(outputs))
    }
}
