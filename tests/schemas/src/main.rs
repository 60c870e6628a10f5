//! Writes the JSON Schemas to their files: `cargo run -p strat-schemas`.

fn main() -> std::io::Result<()> {
    strat_schemas::documents()
        .iter()
        .try_for_each(|document| std::fs::write(document.path(), document.text()))
}
