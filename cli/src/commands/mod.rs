//! One file for each verb.

pub(crate) mod adopt;
pub(crate) mod apply;
pub(crate) mod burst;
mod cache;
mod carry_out;
pub(crate) mod completions;
pub(crate) mod console;
pub(crate) mod destroy;
pub(crate) mod doctor;
pub(crate) mod drift;
pub(crate) mod fmt;
pub(crate) mod functions;
pub(crate) mod graph;
pub(crate) mod history;
pub(crate) mod init;
pub(crate) mod lsp;
pub(crate) mod offers;
pub(crate) mod output;
pub(crate) mod pin;
pub(crate) mod plan;
pub(crate) mod providers;
pub(crate) mod reach;
pub(crate) mod rehearse;
pub(crate) mod release;
pub(crate) mod schema;
pub(crate) mod show;
pub(crate) mod sim;
pub(crate) mod test;
pub(crate) mod unlock;
pub(crate) mod validate;

use crate::args::Command;
use crate::context::{Context, Exit};
use crate::failure::Failure;

/// Does what was asked for.
pub(crate) fn run(command: Command, context: &Context) -> Result<Exit, Failure> {
    match command {
        Command::Init(command) => command.run(context),
        Command::Validate(command) => command.run(context),
        Command::Fmt(command) => command.run(context),
        Command::Plan(command) => command.run(context),
        Command::Apply(command) => command.run(context),
        Command::Destroy(command) => command.run(context),
        Command::Show(command) => command.run(context),
        Command::Output(command) => command.run(context),
        Command::Drift(command) => command.run(context),
        Command::Adopt(command) => command.run(context),
        Command::Release(command) => command.run(context),
        Command::Pin(command) => command.run(context),
        Command::Graph(command) => command.run(context),
        Command::Reach(command) => command.run(context),
        Command::Offers(command) => command.run(context),
        Command::Providers(command) => command.run(context),
        Command::History(command) => command.run(context),
        Command::Unlock(command) => command.run(context),
        Command::Doctor(command) => command.run(context),
        Command::Test(command) => command.run(context),
        Command::Rehearse(command) => command.run(context),
        Command::Burst(command) => command.run(context),
        Command::Sim(command) => command.run(context),
        Command::Schema(command) => command.run(context),
        Command::Lsp(command) => command.run(context),
        Command::Console(command) => command.run(context),
        Command::Functions(command) => command.run(context),
        Command::Completions(command) => command.run(context),
    }
}
