// Starts `strat lsp` and lets VS Code speak to it.
const vscode = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

async function start() {
  const settings = vscode.workspace.getConfiguration('stratiform');
  const server = {
    command: settings.get('path', 'strat'),
    args: ['lsp', ...settings.get('arguments', [])],
  };
  client = new LanguageClient('stratiform', 'Stratiform', server, {
    documentSelector: [
      { scheme: 'file', language: 'stratiform' },
      { scheme: 'file', pattern: '**/*.strat.{yaml,yml,json}' },
    ],
    synchronize: {
      fileEvents: vscode.workspace.createFileSystemWatcher('**/*.{hcl,yaml,yml,json}'),
    },
  });
  await client.start();
}

async function activate(context) {
  context.subscriptions.push(
    vscode.workspace.onDidChangeConfiguration(async (event) => {
      if (event.affectsConfiguration('stratiform')) {
        await deactivate();
        await start();
      }
    }),
  );
  await start();
}

async function deactivate() {
  const running = client;
  client = undefined;
  await running?.stop();
}

module.exports = { activate, deactivate };
