//! Google's own description of the API: which methods there are, and what each takes.
//!
//! The discovery documents come with PyPI's `google-api-python-client`, which `scripts/peers/gcp`
//! installs. <https://developers.google.com/discovery/v1/reference/apis>

mod validate;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use regex::{Regex, RegexBuilder};
use serde_json::{Map, Value};

use crate::text::decode;
pub(crate) use validate::Asked;

/// One API: its methods and the schemas of their bodies.
#[derive(Debug)]
pub(crate) struct Description {
    methods: Vec<Method>,
    schemas: Map<String, Value>,
    /// The query parameters that every method takes.
    common: Map<String, Value>,
    /// The patterns that were asked for, compiled.
    patterns: Mutex<BTreeMap<String, Regex>>,
}

/// One method.
#[derive(Debug)]
pub(crate) struct Method {
    /// For example `compute.instances.insert`.
    pub(crate) id: String,
    http: String,
    /// The pieces of its path: words, and parameters in braces.
    pieces: Vec<String>,
    parameters: Map<String, Value>,
    /// The name of its body's schema.
    request: Option<String>,
    /// The name of its answer's schema.
    response: Option<String>,
}

impl Method {
    /// The resource and the verb: `instances` and `insert`.
    pub(crate) fn words(&self) -> (&str, &str) {
        let mut words = self.id.rsplit('.');
        let verb = words.next().unwrap_or_default();
        (words.next().unwrap_or_default(), verb)
    }

    /// The last parameter of its path: that of the thing it is about, where it is about one.
    pub(crate) fn last_parameter(&self) -> &str {
        let names = self.pieces.iter().rev().filter_map(|piece| name(piece));
        names.into_iter().next().unwrap_or_default()
    }

    /// The parameters of a path, where this method has one of that form.
    fn path(&self, pieces: &[&str]) -> Option<BTreeMap<String, String>> {
        let mut found = BTreeMap::new();
        for (piece, word) in self.pieces.iter().zip(pieces) {
            match name(piece) {
                Some(name) => {
                    found.insert(name.to_owned(), decode(word));
                }
                None if piece == word => {}
                None => return None,
            }
        }
        Some(found)
    }
}

/// The name of a parameter, from a piece of a path.
fn name(piece: &str) -> Option<&str> {
    piece.strip_prefix('{')?.strip_suffix('}')
}

impl Description {
    /// Reads a document once for all doubles of a process.
    ///
    /// # Errors
    /// What is missing, and what installs it.
    pub(crate) fn load(path: &Path) -> Result<Arc<Self>, String> {
        static LOADED: LazyLock<Mutex<BTreeMap<PathBuf, Arc<Description>>>> =
            LazyLock::new(Mutex::default);
        let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = loaded.get(path) {
            return Ok(known.clone());
        }
        let text = std::fs::read_to_string(path).map_err(|error| {
            format!(
                "the description of Google's API is not at {}: {error}. Run scripts/peers/gcp once",
                path.display()
            )
        })?;
        let document: Value = serde_json::from_str(&text)
            .map_err(|error| format!("{} is no description: {error}", path.display()))?;
        let description = Arc::new(Self::of(&document));
        loaded.insert(path.to_owned(), description.clone());
        Ok(description)
    }

    fn of(document: &Value) -> Self {
        let mut methods = Vec::new();
        collect(document, &mut methods);
        let map = |key: &str| document[key].as_object().cloned().unwrap_or_default();
        Self {
            methods,
            schemas: map("schemas"),
            common: map("parameters"),
            patterns: Mutex::default(),
        }
    }

    /// Whether a pattern holds for the whole of a text.
    fn fits(&self, pattern: &str, text: &str) -> bool {
        let mut patterns = self.patterns.lock().unwrap_or_else(PoisonError::into_inner);
        let whole = patterns.entry(pattern.to_owned()).or_insert_with(|| {
            let whole = RegexBuilder::new(&format!("^(?:{pattern})$"))
                .size_limit(1 << 28)
                .build();
            whole.expect("the description's pattern")
        });
        whole.is_match(text)
    }

    /// The method that a request is for, and the parameters of its path. A word that a path has
    /// beats a parameter.
    pub(crate) fn find(
        &self,
        http: &str,
        path: &str,
    ) -> Option<(&Method, BTreeMap<String, String>)> {
        let pieces: Vec<&str> = path.split('/').collect();
        let fitting = self
            .methods
            .iter()
            .filter(|method| method.http == http && method.pieces.len() == pieces.len());
        let found = fitting.filter_map(|method| Some((method, method.path(&pieces)?)));
        found.min_by_key(|(_, parameters)| parameters.len())
    }
}

/// Every method of a document, however deep its resource lies.
fn collect(node: &Value, methods: &mut Vec<Method>) {
    let children = |key: &str| node[key].as_object().into_iter().flat_map(Map::values);
    for method in children("methods") {
        let text = |key: &str| method[key].as_str().unwrap_or_default().to_owned();
        methods.push(Method {
            id: text("id"),
            http: text("httpMethod"),
            pieces: text("path").split('/').map(str::to_owned).collect(),
            parameters: method["parameters"]
                .as_object()
                .cloned()
                .unwrap_or_default(),
            request: method["request"]["$ref"].as_str().map(str::to_owned),
            response: method["response"]["$ref"].as_str().map(str::to_owned),
        });
    }
    for resource in children("resources") {
        collect(resource, methods);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Asked, Description};

    fn small() -> Description {
        Description::of(&json!({
            "parameters": { "alt": { "type": "string", "location": "query", "enum": ["json"] } },
            "schemas": { "Thing": { "type": "object", "properties": {
                "size": { "type": "string", "format": "int64" },
                "print": { "type": "string", "format": "byte" },
                "id": { "type": "string", "description": "[Output Only] The server's." },
                "name": { "type": "string", "pattern": "[a-z]+", "annotations": {
                    "required": ["x.things.insert"],
                } },
                "labels": { "type": "object", "additionalProperties": { "type": "string" } },
            } } },
            "resources": { "things": { "methods": {
                "insert": {
                    "id": "x.things.insert", "httpMethod": "POST", "path": "things",
                    "request": { "$ref": "Thing" }, "response": { "$ref": "Thing" },
                },
                "get": {
                    "id": "x.things.get", "httpMethod": "GET", "path": "things/{thing}",
                    "parameters": { "thing": { "type": "string", "location": "path" } },
                },
                "own": { "id": "x.things.own", "httpMethod": "GET", "path": "things/own" },
            } } },
        }))
    }

    fn insert(body: &Value) -> Vec<String> {
        let description = small();
        let (method, path) = description.find("POST", "things").expect("a method");
        let asked = Asked {
            path: &path,
            query: &[],
            body: Some(body),
        };
        description.violations(method, &asked)
    }

    #[test]
    fn a_word_of_a_path_beats_a_parameter_and_percent_signs_are_plain() {
        let description = small();
        let id = |path: &str| {
            description
                .find("GET", path)
                .map(|(method, _)| method.id.clone())
        };
        assert_eq!(id("things/own").as_deref(), Some("x.things.own"));
        assert_eq!(id("things/other").as_deref(), Some("x.things.get"));
        assert_eq!(id("things/a/b"), None);
        let (_, path) = description.find("GET", "things/a%2Fb").expect("a method");
        assert_eq!(path["thing"], "a/b");
    }

    #[test]
    fn a_body_is_held_against_its_schema() {
        let whole = json!({ "name": "a", "size": "7", "labels": { "any": "thing" } });
        assert!(insert(&whole).is_empty());
        assert!(
            insert(&json!({ "name": "a", "size": 7 })).is_empty(),
            "int64 may be a number"
        );
        let all = insert(
            &json!({ "id": "7", "size": "x", "print": "a/+=", "labels": { "a": 1 }, "b": 2 }),
        );
        let wanted = [
            "body.b: no such field",
            "body.id: is output only",
            "body.labels.a: 1 is no \"string\"",
            "body.name: missing, x.things.insert wants it",
            "body.print: \"a/+=\" is no \"string\"",
            "body.size: \"x\" is no \"string\"",
        ];
        let mut all: Vec<&str> = all.iter().map(String::as_str).collect();
        all.sort_unstable();
        assert_eq!(all, wanted);
    }

    #[test]
    fn an_answer_may_have_what_only_the_server_sets_and_nothing_unknown() {
        let description = small();
        let (method, _) = description.find("POST", "things").expect("a method");
        assert!(description.flaws(method, &json!({ "id": "7" })).is_empty());
        let flaws = description.flaws(method, &json!({ "id": 7, "colour": "red" }));
        assert_eq!(
            flaws,
            [
                "answer.colour: no such field",
                "answer.id: 7 is no \"string\""
            ]
        );
    }
}
