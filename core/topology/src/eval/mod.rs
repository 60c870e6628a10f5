//! The evaluator: expressions to values.
//!
//! Every local, every set of instances and every attribute that does not differ between instances
//! is evaluated once and remembered. What is being evaluated is on a stack of names, so that a
//! cycle can be shown as a path.

mod access;
mod bounds;
mod call;
mod expr;
mod files;
mod instances;
mod locals;
mod module;
mod operator;
mod template;
mod thing;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};
use strat_model::{Diagnostic, Labels, LocalAddr, Name, TemplatePart, UserData};

use crate::ast::Part;
use crate::outputs::Known;
use crate::program::Program;
use crate::report::{Failed, Outcome, Sink, suggest};
use crate::shown::unquoted;
use crate::source::SourceFile;
use crate::span::{Files, Span};
use crate::value::{Map, Value};

pub(crate) use instances::{Instance, Instances};
pub(crate) use thing::is_several;

/// The deepest nesting of expressions and references in one another.
const MAX_DEPTH: usize = 2000;

/// A value that is evaluated at most once.
#[derive(Debug, Clone)]
enum Slot<T> {
    /// It is being evaluated now; to need it is a cycle.
    Busy,
    /// It was evaluated.
    Done(Outcome<T>),
}

/// What a slot is of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Node {
    Local(Arc<str>),
    /// A value that a module is given.
    Input(Arc<str>),
    /// A value that a module gives.
    Output(Arc<str>),
    /// The instances of a block.
    Instances(usize),
    /// An attribute of a block; of one instance, if it differs between them.
    Attribute {
        block: usize,
        attribute: usize,
        instance: Option<usize>,
    },
}

/// Evaluates one program with one set of inputs.
pub(crate) struct Evaluator<'p> {
    pub(crate) program: &'p Program,
    pub(crate) sink: Sink,
    /// The program's files and the templates that were read.
    pub(crate) files: Files,
    /// The variables' values; failed ones are `Err`.
    pub(crate) variables: BTreeMap<Arc<str>, Outcome<Value>>,
    /// The topology's labels, once read: as a value and decoded.
    pub(crate) labels: Map,
    pub(crate) topology_labels: Labels,
    /// The environment that the topology is evaluated for.
    pub(crate) env: Option<Name>,
    /// Whether a variable without a value is told of only where it is used.
    pub(crate) lazy: bool,
    /// What an inventory says, when outputs are evaluated after an apply.
    pub(crate) known: Option<&'p Known<'p>>,
    values: FxHashMap<Node, Slot<Value>>,
    /// By the block's index.
    instances: Vec<Option<Slot<Arc<Instances>>>>,
    stack: Vec<Node>,
    depth: usize,
    steps: u64,
    /// How many instances blocks with `count` and `for_each` have together.
    expanded: u64,
    /// The calls of `templatefile` that are being evaluated: their places and the file's text.
    rendering: Vec<(Span, Arc<str>)>,
    templates: FxHashMap<PathBuf, Outcome<Arc<Template>>>,
    /// Those of `templatestring`, by their text.
    inline: FxHashMap<Arc<str>, Outcome<Arc<Template>>>,
    texts: FxHashMap<PathBuf, Result<Arc<[u8]>, String>>,
    file_texts: FxHashMap<PathBuf, Arc<str>>,
    digests: FxHashMap<PathBuf, Result<String, String>>,
    /// What functions made of files, by the function's name and the file.
    from_files: FxHashMap<(&'static str, PathBuf), Result<Arc<str>, String>>,
    pub(crate) shared: Shared,
    /// The files of values, whose text no finding may hold.
    pub(crate) value_files: Vec<SourceFile>,
}

/// What the instances of a block say alike, decoded once for all of them.
#[derive(Default)]
pub(crate) struct Shared {
    /// By the block's index.
    pub(crate) depends_on: Option<(usize, Outcome<Arc<[LocalAddr]>>)>,
    pub(crate) user_data: Option<SharedUserData>,
    pub(crate) plain_user_data: Option<(Arc<str>, UserData)>,
    /// Those of the machine before.
    pub(crate) firewalls: strat_model::Shared<BTreeSet<LocalAddr>>,
}

/// User data with places in it.
pub(crate) struct SharedUserData {
    /// The pieces that it was made of.
    pub(crate) parts: Arc<Vec<TemplatePart>>,
    pub(crate) user_data: UserData,
    /// The things that it waits for.
    pub(crate) waits_for: FxHashSet<LocalAddr>,
}

/// A template file, parsed.
struct Template {
    text: Arc<str>,
    parts: Vec<Part>,
}

/// What names mean at some place of an expression.
#[derive(Clone, Copy)]
pub(crate) struct Scope<'s> {
    parent: Option<&'s Scope<'s>>,
    binding: Binding<'s>,
}

#[derive(Clone, Copy)]
enum Binding<'s> {
    /// Nothing but what the topology declares.
    Root,
    /// `each` or `count`.
    Instance(&'s Instance),
    /// A variable of a `for`.
    Variable(&'s str, &'s Value),
    /// The item of a splat.
    Item(&'s Value),
    /// The variables of a template file, and nothing else.
    Template(&'s Map),
}

/// Where nothing but what the topology declares is known.
pub(crate) const ROOT: Scope<'static> = Scope {
    parent: None,
    binding: Binding::Root,
};

impl<'s> Scope<'s> {
    /// The scope of one instance of a block.
    pub(crate) const fn of_instance(instance: &'s Instance) -> Self {
        Self {
            parent: None,
            binding: Binding::Instance(instance),
        }
    }

    /// This scope with a name for a value.
    pub(crate) const fn with_variable(&'s self, name: &'s str, value: &'s Value) -> Scope<'s> {
        Scope {
            parent: Some(self),
            binding: Binding::Variable(name, value),
        }
    }

    fn with(&'s self, binding: Binding<'s>) -> Scope<'s> {
        Scope {
            parent: Some(self),
            binding,
        }
    }

    fn chain(&'s self) -> impl Iterator<Item = Binding<'s>> {
        let mut next = Some(self);
        std::iter::from_fn(move || {
            let scope = next?;
            next = scope.parent;
            Some(scope.binding)
        })
    }

    /// The variable of that name.
    fn variable(&'s self, name: &str) -> Option<&'s Value> {
        self.chain().find_map(|binding| match binding {
            Binding::Variable(own, value) if own == name => Some(value),
            Binding::Template(variables) => variables.get(name),
            _ => None,
        })
    }

    /// The instance whose block this is in.
    fn instance(&'s self) -> Option<&'s Instance> {
        self.chain().find_map(|binding| match binding {
            Binding::Instance(instance) => Some(instance),
            _ => None,
        })
    }

    /// The item of the innermost splat.
    fn item(&'s self) -> Option<&'s Value> {
        self.chain().find_map(|binding| match binding {
            Binding::Item(item) => Some(item),
            _ => None,
        })
    }

    /// The variables of the template file this is in.
    fn template(&'s self) -> Option<&'s Map> {
        self.chain().find_map(|binding| match binding {
            Binding::Template(variables) => Some(variables),
            _ => None,
        })
    }
}

impl<'p> Evaluator<'p> {
    /// An evaluator of `program`.
    pub(crate) fn new(program: &'p Program) -> Self {
        Self {
            program,
            sink: Sink::default(),
            files: program.files.clone(),
            variables: BTreeMap::new(),
            labels: Map::default(),
            topology_labels: Labels::new(),
            env: None,
            lazy: false,
            known: None,
            values: FxHashMap::default(),
            instances: vec![None; program.things.len()],
            stack: Vec::new(),
            depth: 0,
            steps: 0,
            expanded: 0,
            rendering: Vec::new(),
            templates: FxHashMap::default(),
            inline: FxHashMap::default(),
            texts: FxHashMap::default(),
            file_texts: FxHashMap::default(),
            digests: FxHashMap::default(),
            from_files: FxHashMap::default(),
            shared: Shared::default(),
            value_files: Vec::new(),
        }
    }

    /// Takes a finding. Inside a template file it is told at the call that reads the file, whose
    /// text the reader of the finding has.
    pub(crate) fn report(&mut self, mut diagnostic: Diagnostic) -> Failed {
        if let (Some((_, text)), Some((call, _))) = (self.rendering.last(), self.rendering.first())
        {
            if let Some(label) = diagnostic.labels.first() {
                let before = text.get(..label.origin.start as usize).unwrap_or_default();
                let line = before.matches('\n').count() + 1;
                let column = before
                    .rsplit('\n')
                    .next()
                    .unwrap_or_default()
                    .chars()
                    .count()
                    + 1;
                let place = format!("{}:{line}:{column}", label.origin.file);
                diagnostic.message = format!("in {place}: {}", diagnostic.message);
            }
            let call = *call;
            diagnostic.labels.clear();
            diagnostic = diagnostic.at(&self.files.origin(call), "in the template read here");
        }
        let is_in =
            |file: &SourceFile| diagnostic.labels.iter().any(|l| l.origin.file == file.name);
        if let Some(file) = self.value_files.iter().find(|file| is_in(file)) {
            let names = self.program.variables.keys();
            unquoted(&mut diagnostic, &file.text, &names);
        }
        self.sink.push(diagnostic);
        Failed
    }

    /// As [`suggest`], for a finding that will be shown.
    pub(crate) fn suggest<'a>(
        &self,
        word: &str,
        what: &str,
        candidates: impl IntoIterator<Item = &'a str> + Clone,
    ) -> Option<String> {
        self.sink
            .listens()
            .then(|| suggest(word, what, candidates))?
    }

    /// Takes an error at one place.
    pub(crate) fn fail(
        &mut self,
        span: Span,
        code: &str,
        message: impl Into<String>,
        label: impl Into<String>,
        help: Option<String>,
    ) -> Failed {
        let mut diagnostic = Diagnostic::error(code, message).at(&self.files.origin(span), label);
        diagnostic.help = help;
        self.report(diagnostic)
    }

    /// Whether `node` was evaluated, or is being.
    fn is_known(&self, node: &Node) -> bool {
        self.values.contains_key(node)
    }

    fn forget_value(&mut self, node: &Node) {
        self.values.remove(node);
    }

    /// Forgets what was evaluated without a mistake.
    pub(crate) fn forget(&mut self) {
        if !self.sink.has_errors() {
            self.values = FxHashMap::default();
            self.instances = vec![None; self.program.things.len()];
        }
    }

    /// Evaluates `node` by `f` unless that was done before; a cycle is reported at `span`.
    fn once(
        &mut self,
        node: Node,
        span: Span,
        f: impl FnOnce(&mut Self) -> Outcome<Value>,
    ) -> Outcome<Value> {
        match self.values.get(&node) {
            Some(Slot::Done(done)) => return done.clone(),
            Some(Slot::Busy) => return Err(self.cycle(&node, span)),
            None => {}
        }
        self.values.insert(node.clone(), Slot::Busy);
        self.stack.push(node.clone());
        let value = f(self);
        self.stack.pop();
        if value.is_err() && self.sink.is_quiet() {
            // Nobody has been told why; whoever asks next must be.
            self.values.remove(&node);
        } else {
            self.values.insert(node, Slot::Done(value.clone()));
        }
        value
    }

    fn cycle(&mut self, node: &Node, span: Span) -> Failed {
        let from = self.stack.iter().position(|n| n == node).unwrap_or(0);
        let mut path: Vec<String> = self.stack[from..].iter().map(|n| self.title(n)).collect();
        let title = self.title(node);
        path.push(title.clone());
        self.fail(
            span,
            "reference_cycle",
            format!("{title} depends on itself"),
            "this closes the circle",
            Some(format!("break the circle: {}", path.join(" -> "))),
        )
    }

    fn title(&self, node: &Node) -> String {
        let thing = |block: &usize| &self.program.things[*block];
        match node {
            Node::Local(name) => format!("`local.{name}`"),
            Node::Input(name) => format!("`var.{name}`"),
            Node::Output(name) => format!("`module.{name}`"),
            Node::Instances(block) => {
                let thing = thing(block);
                format!("`{}.{}`", thing.noun.as_str(), thing.name)
            }
            Node::Attribute {
                block, attribute, ..
            } => {
                let thing = thing(block);
                let attribute = &thing.block.body.attributes[*attribute].name.text;
                format!("`{}.{}.{attribute}`", thing.noun.as_str(), thing.name)
            }
        }
    }
}
