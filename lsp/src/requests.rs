//! Requests and their answers.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use gen_lsp_types as lsp;
use lsp_server::{ErrorCode, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::position::{Encoding, Lines};
use crate::server::Session;
use crate::topologies::View;
use crate::uri::path_of;
use crate::{completion, hover, navigate, rename, structure};

/// Why a request has no answer.
pub(crate) struct Refusal {
    code: ErrorCode,
    why: String,
}

impl Refusal {
    /// It makes sense, and cannot be done now.
    pub(crate) fn failed(why: impl Into<String>) -> Self {
        let (code, why) = (ErrorCode::RequestFailed, why.into());
        Self { code, why }
    }

    fn params(error: &serde_json::Error) -> Self {
        let (code, why) = (ErrorCode::InvalidParams, error.to_string());
        Self { code, why }
    }
}

/// A place in an open file.
pub(crate) struct Here {
    pub(crate) path: PathBuf,
    pub(crate) text: Arc<String>,
    pub(crate) view: Arc<View>,
    /// The byte of the text.
    pub(crate) byte: usize,
    pub(crate) encoding: Encoding,
}

impl Here {
    /// Its file, as the topology calls it.
    pub(crate) fn file(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// The lines of its file.
    pub(crate) fn lines(&self) -> Lines<'_> {
        Lines::of(&self.text, self.encoding)
    }

    /// Whether its file is HCL.
    pub(crate) fn is_hcl(&self) -> bool {
        stratiform::topology::is_formatted(&self.file())
    }
}

/// What the server can do.
pub(crate) fn capabilities(encoding: Encoding) -> lsp::ServerCapabilities {
    let triggers = [".", "\"", "=", "{"].map(str::to_owned);
    lsp::ServerCapabilities {
        position_encoding: Some(encoding.kind()),
        text_document_sync: Some(lsp::TextDocumentSync::Options(
            lsp::TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(lsp::TextDocumentSyncKind::Incremental),
                save: Some(lsp::Save::Bool(true)),
                ..Default::default()
            },
        )),
        completion_provider: Some(lsp::CompletionOptions {
            trigger_characters: Some(triggers.to_vec()),
            ..Default::default()
        }),
        hover_provider: Some(lsp::HoverProvider::Bool(true)),
        definition_provider: Some(lsp::DefinitionProvider::Bool(true)),
        references_provider: Some(lsp::ReferencesProvider::Bool(true)),
        document_symbol_provider: Some(lsp::DocumentSymbolProvider::Bool(true)),
        document_formatting_provider: Some(lsp::DocumentFormattingProvider::Bool(true)),
        document_link_provider: Some(lsp::DocumentLinkOptions::default()),
        folding_range_provider: Some(lsp::FoldingRangeProvider::Bool(true)),
        rename_provider: Some(lsp::RenameProvider::RenameOptions(lsp::RenameOptions {
            prepare_provider: Some(true),
            ..Default::default()
        })),
        ..Default::default()
    }
}

/// The answer to a request.
pub(crate) fn answer(session: &mut Session, request: Request) -> Response {
    let id = request.id.clone();
    // A mistake of ours costs this one answer, not the session.
    let answer = catch_unwind(AssertUnwindSafe(|| dispatch(session, request)));
    let answer = answer.unwrap_or_else(|_| {
        Err(Refusal {
            code: ErrorCode::InternalError,
            why: "answering failed".to_owned(),
        })
    });
    match answer {
        Ok(value) => Response::new_ok(id, value),
        Err(Refusal { code, why }) => Response::new_err(id, code as i32, why),
    }
}

fn dispatch(session: &mut Session, request: Request) -> Result<Value, Refusal> {
    let params = request.params;
    match &*request.method {
        "textDocument/completion" => at(session, params, completion::complete),
        "textDocument/hover" => at(session, params, hover::hover),
        "textDocument/definition" => at(session, params, |_, here| navigate::definition(here)),
        "textDocument/prepareRename" => at(session, params, |_, here| rename::prepare(here)),
        "textDocument/references" => {
            let params: lsp::ReferenceParams = read(params)?;
            let with_definition = params.context.include_declaration;
            let position = params.text_document_position_params;
            let here = here(session, &position.text_document, Some(position.position))?;
            write(&here.map(|here| navigate::references(&here, with_definition)))
        }
        "textDocument/rename" => {
            let params: lsp::RenameParams = read(params)?;
            let position = params.text_document_position_params;
            let here = here(session, &position.text_document, Some(position.position))?;
            let Some(here) = here else {
                return Err(Refusal::failed("the file is not open"));
            };
            write(&rename::rename(session, &here, &params.new_name)?)
        }
        "textDocument/documentSymbol" => of(session, params, structure::symbols),
        "textDocument/foldingRange" => of(session, params, structure::folds),
        "textDocument/documentLink" => of(session, params, navigate::links),
        "textDocument/formatting" => of(session, params, structure::format),
        method => Err(Refusal {
            code: ErrorCode::MethodNotFound,
            why: format!("there is no method `{method}` here"),
        }),
    }
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|error| Refusal::params(&error))
}

fn write(answer: &impl Serialize) -> Result<Value, Refusal> {
    serde_json::to_value(answer).map_err(|error| Refusal::failed(error.to_string()))
}

/// Answers a request about a place. A file that is not open has none.
fn at<T: Serialize>(
    session: &mut Session,
    params: Value,
    answer: impl FnOnce(&mut Session, &Here) -> T,
) -> Result<Value, Refusal> {
    let params: lsp::TextDocumentPositionParams = read(params)?;
    let here = here(session, &params.text_document, Some(params.position))?;
    write(&here.map(|here| answer(session, &here)))
}

/// Answers a request about a whole file.
fn of<T: Serialize>(
    session: &mut Session,
    params: Value,
    answer: impl FnOnce(&Here) -> T,
) -> Result<Value, Refusal> {
    let params: lsp::FoldingRangeParams = read(params)?;
    let here = here(session, &params.text_document, None)?;
    write(&here.map(|here| answer(&here)))
}

fn here(
    session: &mut Session,
    document: &lsp::TextDocumentIdentifier,
    position: Option<lsp::Position>,
) -> Result<Option<Here>, Refusal> {
    let Some(path) = path_of(&document.uri) else {
        return Ok(None);
    };
    let Some(open) = session.documents.get(&path).cloned() else {
        return Ok(None);
    };
    let env = session.settings.env.clone();
    let root = session
        .topologies
        .root_of(&path, env.as_ref(), &session.documents)
        .ok_or_else(|| Refusal::failed("the file is in no folder"))?;
    let view = session
        .topologies
        .view(&root, env.as_ref(), &session.documents);
    let encoding = session.encoding;
    let byte = position.map_or(0, |position| Lines::of(&open.text, encoding).byte(position));
    Ok(Some(Here {
        path,
        text: open.text,
        view,
        byte,
        encoding,
    }))
}
