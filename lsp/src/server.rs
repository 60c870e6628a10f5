//! The session: what comes in is handled, one message after the other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use crossbeam_channel::{Receiver, Sender, after, never, select};
use gen_lsp_types as lsp;
use lsp_server::{ErrorCode, Message, Notification, Request, Response};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::analysis::{self, Examined, Job};
use crate::documents::Documents;
use crate::position::Encoding;
use crate::topologies::Topologies;
use crate::transport::{Incoming, Transport};
use crate::uri::{path_of, uri_of};
use crate::{Ended, ServeError, Settings, convert, requests};

/// Speaks the protocol over a pair of streams until the client exits or its stream ends.
///
/// # Errors
/// If a stream fails. Messages that make no sense do not end the session: the client is told of them.
pub fn serve(
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
    settings: Settings,
) -> Result<Ended, ServeError> {
    let transport = Transport::start(input, output);
    let settings = Arc::new(settings);
    let (jobs, results) = analysis::start(Arc::clone(&settings));
    let mut session = Session {
        client: transport.outgoing.clone(),
        settings,
        phase: Phase::Start,
        encoding: Encoding::Utf16,
        has_snippets: false,
        documents: Documents::default(),
        topologies: Topologies::default(),
        pending: BTreeSet::new(),
        due: never(),
        running: None,
        published: BTreeMap::new(),
        jobs,
    };
    let ended = session.run(&transport.incoming, &results);
    drop(session);
    transport.finish()?;
    ended
}

/// How far the session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// The client has not said what it can do.
    Start,
    /// It has.
    Ready,
    /// It has asked to shut down: only its exit is still to come.
    ShutDown,
}

/// What is kept of a session.
pub(crate) struct Session {
    client: Sender<Message>,
    pub(crate) settings: Arc<Settings>,
    phase: Phase,
    pub(crate) encoding: Encoding,
    /// Whether the client takes text with places to fill in.
    pub(crate) has_snippets: bool,
    pub(crate) documents: Documents,
    pub(crate) topologies: Topologies,
    /// The topologies whose text has changed since they were examined.
    pending: BTreeSet<PathBuf>,
    /// When they are to be.
    due: Receiver<Instant>,
    /// The one that is being examined.
    running: Option<PathBuf>,
    /// The files of which something was told, by topology.
    published: BTreeMap<PathBuf, BTreeSet<PathBuf>>,
    jobs: Sender<Job>,
}

impl Session {
    fn run(
        &mut self,
        incoming: &Receiver<Incoming>,
        results: &Receiver<Examined>,
    ) -> Result<Ended, ServeError> {
        loop {
            let due = match self.running {
                None if !self.pending.is_empty() => self.due.clone(),
                _ => never(),
            };
            select! {
                recv(incoming) -> message => {
                    let Ok(message) = message else {
                        return Ok(self.ended());
                    };
                    match message {
                        Incoming::Message(Message::Request(request)) => self.request(request),
                        Incoming::Message(Message::Notification(notification)) => {
                            if notification.method == "exit" {
                                return Ok(self.ended());
                            }
                            self.notification(notification);
                        }
                        // Nothing was asked of the client.
                        Incoming::Message(Message::Response(_)) => {}
                        Incoming::Malformed(why) => self.log(lsp::MessageType::Error, why),
                        Incoming::Failed(error) => return Err(ServeError::Read(error)),
                    }
                }
                recv(results) -> examined => {
                    if let Ok(examined) = examined {
                        self.examined(examined);
                    }
                }
                recv(due) -> _ => self.examine_next(),
            }
        }
    }

    fn ended(&self) -> Ended {
        match self.phase {
            Phase::ShutDown => Ended::AsAsked,
            Phase::Start | Phase::Ready => Ended::Abruptly,
        }
    }

    fn request(&mut self, request: Request) {
        let id = request.id.clone();
        let refuse = |code: ErrorCode, why: &str| {
            Response::new_err(request.id.clone(), code as i32, why.to_owned())
        };
        let response = match (self.phase, &*request.method) {
            (Phase::Start, "initialize") => match serde_json::from_value(request.params) {
                Ok(params) => Response::new_ok(id, self.initialize(params)),
                Err(error) => {
                    Response::new_err(id, ErrorCode::InvalidParams as i32, error.to_string())
                }
            },
            (Phase::Start, _) => refuse(
                ErrorCode::ServerNotInitialized,
                "the session begins with `initialize`",
            ),
            (Phase::ShutDown, _) => refuse(ErrorCode::InvalidRequest, "the session is shut down"),
            (Phase::Ready, "initialize") => refuse(
                ErrorCode::InvalidRequest,
                "the session is initialized already",
            ),
            (Phase::Ready, "shutdown") => {
                self.phase = Phase::ShutDown;
                Response::new_ok(id, ())
            }
            (Phase::Ready, _) => requests::answer(self, request),
        };
        self.send(Message::Response(response));
    }

    fn initialize(&mut self, params: lsp::InitializeParams) -> lsp::InitializeResult {
        self.phase = Phase::Ready;
        let capabilities = params.capabilities;
        let offered = capabilities
            .general
            .and_then(|general| general.position_encodings);
        self.encoding = Encoding::choose(&offered.unwrap_or_default());
        let completion = capabilities.text_document.and_then(|one| one.completion);
        let item = completion.and_then(|completion| completion.completion_item);
        self.has_snippets = item.and_then(|item| item.snippet_support) == Some(true);
        let folders = params.workspace_folders_initialize_params.workspace_folders;
        let mut uris: Vec<lsp::Uri> = match folders {
            Some(lsp::WorkspaceFolders::WorkspaceFolderList(folders)) => {
                folders.into_iter().map(|folder| folder.uri).collect()
            }
            Some(lsp::WorkspaceFolders::Null) | None => Vec::new(),
        };
        if uris.is_empty() {
            #[expect(deprecated, reason = "older clients say no more than this")]
            uris.extend(params.root_uri);
        }
        self.topologies.workspace_folders = uris.iter().filter_map(path_of).collect();
        lsp::InitializeResult {
            capabilities: requests::capabilities(self.encoding),
            server_info: Some(lsp::ServerInfo {
                name: "stratiform".to_owned(),
                version: Some(self.settings.version.clone()),
            }),
        }
    }

    fn notification(&mut self, notification: Notification) {
        if self.phase != Phase::Ready {
            return;
        }
        match &*notification.method {
            "textDocument/didOpen" => {
                let params: Option<lsp::DidOpenTextDocumentParams> = self.params(notification);
                let document = params.map(|params| params.text_document);
                let path = document.as_ref().and_then(|one| path_of(&one.uri));
                if let (Some(document), Some(path)) = (document, path) {
                    self.documents
                        .open(path.clone(), document.version, document.text);
                    self.topologies.forget_files();
                    self.touch(&path);
                }
            }
            "textDocument/didChange" => {
                let params: Option<lsp::DidChangeTextDocumentParams> = self.params(notification);
                let Some(params) = params else { return };
                let identifier = params.text_document;
                let Some(path) = path_of(&identifier.text_document_identifier.uri) else {
                    return;
                };
                let (version, encoding) = (identifier.version, self.encoding);
                let changes = params.content_changes;
                if self.documents.change(&path, version, changes, encoding) {
                    self.topologies.forget_text();
                    self.touch(&path);
                }
            }
            "textDocument/didClose" => {
                let params: Option<lsp::DidCloseTextDocumentParams> = self.params(notification);
                let path = params.and_then(|params| path_of(&params.text_document.uri));
                if let Some(path) = path {
                    self.documents.close(&path);
                    self.topologies.forget_files();
                    self.touch(&path);
                }
            }
            "textDocument/didSave" | "workspace/didChangeWatchedFiles" => {
                self.topologies.forget_files();
                let open: Vec<PathBuf> = self.documents.paths().map(Path::to_owned).collect();
                open.iter().for_each(|path| self.touch(path));
            }
            // What is not known changes nothing here.
            _ => {}
        }
    }

    /// A notification's parameters. What makes no sense is told, since it has no answer.
    fn params<T: DeserializeOwned>(&self, notification: Notification) -> Option<T> {
        let params = serde_json::from_value(notification.params);
        let method = notification.method;
        params
            .map_err(|error| self.log(lsp::MessageType::Error, format!("`{method}`: {error}")))
            .ok()
    }

    /// Has the topology of a file examined once typing pauses.
    fn touch(&mut self, path: &Path) {
        let env = self.settings.env.as_ref();
        if let Some(root) = self.topologies.root_of(path, env, &self.documents) {
            self.pending.insert(root);
            self.due = after(self.settings.pause);
        }
    }

    fn examine_next(&mut self) {
        let Some(root) = self.pending.pop_first() else {
            return;
        };
        self.running = Some(root.clone());
        let job = Job {
            root,
            overlay: self.documents.overlay(),
            open: self.documents.paths().map(Path::to_owned).collect(),
        };
        // The thread lives as long as the session.
        let _ = self.jobs.send(job);
        self.due = after(std::time::Duration::ZERO);
    }

    fn examined(&mut self, examined: Examined) {
        self.running = None;
        if let Some(failure) = examined.failure {
            self.log(lsp::MessageType::Warning, failure);
        }
        let Some(view) = examined.view else { return };
        let known = self.topologies.known(&examined.root);
        if let Some(workspace) = examined.workspace {
            known.names = Some(Arc::clone(&view));
            known.workspace = Some(workspace);
            known.offers = None;
        }
        // Of a text that has changed since, the places are others.
        if self.pending.contains(&examined.root) {
            return;
        }
        let mut all = convert::by_file(&view, &examined.findings, self.encoding);
        let before = self.published.remove(&examined.root).unwrap_or_default();
        // What is right again is told, and so is an open file in which nothing is wrong.
        let open = self.documents.paths().map(Path::to_owned);
        let open = open.filter(|path| view.text(&path.to_string_lossy()).is_some());
        for path in before.into_iter().chain(open) {
            all.entry(path).or_default();
        }
        let told = all.iter().filter(|(_, list)| !list.is_empty());
        let told = told.map(|(path, _)| path.clone()).collect();
        self.published.insert(examined.root, told);
        for (path, diagnostics) in all {
            let version = self.documents.get(&path).map(|document| document.version);
            let params = lsp::PublishDiagnosticsParams {
                uri: uri_of(&path),
                version,
                diagnostics,
            };
            self.notify("textDocument/publishDiagnostics", &params);
        }
    }

    /// Tells the client something for its log.
    pub(crate) fn log(&self, kind: lsp::MessageType, message: String) {
        self.notify(
            "window/logMessage",
            &lsp::LogMessageParams { kind, message },
        );
    }

    fn notify(&self, method: &str, params: &impl Serialize) {
        let notification = Notification::new(method.to_owned(), params);
        self.send(Message::Notification(notification));
    }

    fn send(&self, message: Message) {
        // That the client takes no more is told at the end, by the writer.
        let _ = self.client.send(message);
    }
}
