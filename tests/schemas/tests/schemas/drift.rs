//! The committed files.

use strat_schemas::documents;

#[test]
fn the_committed_schemas_are_those_of_the_code() {
    for document in documents() {
        let path = document.path();
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == document.text(),
            "{} is not what the code gives; write it anew with: cargo run -p strat-schemas",
            path.display()
        );
    }
}

#[test]
fn every_schema_is_one() {
    for document in documents() {
        if let Err(error) = jsonschema::meta::validate(&document.schema) {
            panic!("{}: {error}", document.name);
        }
    }
}
