//! What the tests share.

use std::fmt::Write as _;
use std::sync::Arc;

use strat_model::{Common, Diagnostic, Intent};
use strat_topology::{Evaluated, Inputs, SourceFile, Sources, Topology};

/// Sources of some texts.
pub(crate) fn sources(files: &[(&str, &str)]) -> Sources {
    let files = files
        .iter()
        .map(|(name, text)| SourceFile::new(*name, *text));
    Sources::from_files(env!("CARGO_MANIFEST_DIR"), files.collect())
}

/// Parses and evaluates without inputs.
pub(crate) fn evaluate(files: &[(&str, &str)]) -> Result<Evaluated, Vec<Diagnostic>> {
    evaluate_with(files, &Inputs::default())
}

/// Parses and evaluates.
pub(crate) fn evaluate_with(
    files: &[(&str, &str)],
    inputs: &Inputs,
) -> Result<Evaluated, Vec<Diagnostic>> {
    Topology::parse(&sources(files))?.evaluate(inputs)
}

/// The codes of findings.
pub(crate) fn codes(found: &[Diagnostic]) -> Vec<&str> {
    found.iter().map(|d| d.code.as_str()).collect()
}

/// The intent as text, without the places, which differ between notations.
pub(crate) fn intent_text(evaluated: &Evaluated) -> String {
    let mut intent = evaluated.intent.clone();
    strip(&mut intent);
    format!("{intent:#?}")
}

fn strip(intent: &mut Intent) {
    let strip = |common: &mut Common| common.origins = Arc::default();
    intent
        .sites
        .values_mut()
        .for_each(|site| site.origin = None);
    intent
        .networks
        .iter_mut()
        .for_each(|i| strip(&mut i.common));
    intent.subnets.iter_mut().for_each(|i| strip(&mut i.common));
    intent
        .firewalls
        .iter_mut()
        .for_each(|i| strip(&mut i.common));
    intent
        .addresses
        .iter_mut()
        .for_each(|i| strip(&mut i.common));
    intent
        .keypairs
        .iter_mut()
        .for_each(|i| strip(&mut i.common));
    intent.images.iter_mut().for_each(|i| strip(&mut i.common));
    intent
        .machines
        .iter_mut()
        .for_each(|i| strip(&mut i.common));
    intent.volumes.iter_mut().for_each(|i| strip(&mut i.common));
    intent.buckets.iter_mut().for_each(|i| strip(&mut i.common));
    intent.bursts.iter_mut().for_each(|i| i.origin = None);
}

/// Findings as plain text, each with its places as `file:line:column` and the text there.
pub(crate) fn render(found: &[Diagnostic], sources: &Sources) -> String {
    let mut out = String::new();
    for finding in found {
        let severity = format!("{:?}", finding.severity).to_lowercase();
        let _ = writeln!(out, "{severity}[{}]: {}", finding.code, finding.message);
        for label in &finding.labels {
            let text = sources.get(&label.origin.file).unwrap_or_default();
            let (start, end) = (label.origin.start as usize, label.origin.end as usize);
            let before = &text[..start];
            let line = before.matches('\n').count() + 1;
            let column = before
                .rsplit('\n')
                .next()
                .unwrap_or_default()
                .chars()
                .count()
                + 1;
            let here = text[start..end].lines().next().unwrap_or_default();
            let file = &label.origin.file;
            let _ = writeln!(out, "  {file}:{line}:{column} `{here}`: {}", label.text);
        }
        if let Some(help) = &finding.help {
            let help = help.replace(env!("CARGO_MANIFEST_DIR"), "<folder>");
            let _ = writeln!(out, "  help: {help}");
        }
    }
    out
}
