//! How long the smallest things take.

use std::io;
use std::path::Path;

use crate::command::{best, run};
use crate::table::Table;

/// How often each is repeated; the fastest run counts.
const TIMES: u32 = 20;

/// `--version`, and `validate` of the reference topology.
pub(crate) fn measure(strat: &Path, table: &mut Table) -> io::Result<()> {
    let dir = tempfile::tempdir()?;
    let version = best(TIMES, || run(strat, &["--version"], dir.path(), &[0]))?;
    table.row("start", "--version", &version);
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/hybrid-shop");
    for file in ["shop.hcl", "web-init.yaml", "ops.pub"] {
        std::fs::copy(shop.join(file), dir.path().join(file))?;
    }
    let validate = best(TIMES, || {
        run(strat, &["validate", "shop.hcl"], dir.path(), &[0])
    })?;
    table.row("the reference topology", "validate", &validate);
    Ok(())
}
