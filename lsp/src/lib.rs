//! The language server: topologies in an editor, by the Language Server Protocol 3.17
//! (<https://microsoft.github.io/language-server-protocol/specifications/lsp/3.17/specification/>).
//!
//! [`serve`] speaks the protocol over a pair of streams. What it says of the language comes from
//! [`stratiform::topology::editor`], what is wrong with a topology from
//! [`stratiform::Workspace::examine`]; nothing of either is said a second time here.
//!
//! - A topology is the folder of a file that is open, with the text of the open files in place of what is
//!   on disk. A module's folder belongs to the topology, in a folder above it, that uses it.
//! - It is examined in a thread of its own, once typing has paused for [`Settings::pause`]. Requests are
//!   answered in the meantime, from the text as it is.
//! - Nothing is written to disk, and no cloud is asked.

mod analysis;
mod completion;
mod convert;
mod documents;
mod hover;
mod navigate;
mod position;
mod prices;
mod rename;
mod requests;
mod server;
mod structure;
mod topologies;
mod transport;
mod uri;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use stratiform::model::Name;
use stratiform::provider::Registry;

pub use server::serve;

/// What topologies are examined with.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The providers that there are.
    pub registry: Registry,
    /// The environment, whose files of values are read.
    pub env: Option<Name>,
    /// Variables' values, by name, which win over those in files. One that a topology does not have is
    /// left out.
    pub vars: BTreeMap<String, String>,
    /// The same, from the environment: those in files win over these.
    pub environment: BTreeMap<String, String>,
    /// Files of variables' values, after those beside the topology; later ones win.
    pub var_files: Vec<PathBuf>,
    /// Neutral names of images to offer.
    pub images: Vec<String>,
    /// The version of the server, as it tells clients.
    pub version: String,
    /// How long typing pauses before a topology is examined.
    pub pause: Duration,
}

/// How a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The client asked to shut down, then to exit.
    AsAsked,
    /// The client exited, or its stream ended, without asking to shut down before.
    Abruptly,
}

/// Why a session could not go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The client's side of the conversation cannot be read.
    #[error("the client cannot be read")]
    Read(#[source] std::io::Error),
    /// The client takes no answers.
    #[error("the client cannot be written to")]
    Write(#[source] std::io::Error),
}
