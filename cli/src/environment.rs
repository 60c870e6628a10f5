//! What is read from the environment, besides the colours.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// `STRAT_VAR_name=value` gives a variable a value: so a secret is on no command line.
const VAR_PREFIX: &str = "STRAT_VAR_";

/// The variables of a topology that the environment gives.
pub(crate) fn vars() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| {
            let name = name.to_str()?.strip_prefix(VAR_PREFIX)?.to_owned();
            Some((name, value.to_str()?.to_owned()))
        })
        .filter(|(name, _)| !name.is_empty())
        .collect()
}

/// Arguments that stand before those of a command line: `STRAT_ARGS` of every command,
/// `STRAT_ARGS_plan` of one; empty where there are none.
pub(crate) fn arguments(command: Option<&str>) -> Option<OsString> {
    let name = match command {
        Some(command) => format!("STRAT_ARGS_{}", command.replace('-', "_")),
        None => "STRAT_ARGS".to_owned(),
    };
    var(&name)
}

/// The folders of policies that every plan is held against: `STRAT_POLICY`, several as in `PATH`.
pub(crate) fn policies() -> Vec<PathBuf> {
    let named = var("STRAT_POLICY").unwrap_or_default();
    let paths = std::env::split_paths(&named);
    paths.filter(|path| !path.as_os_str().is_empty()).collect()
}

/// Whether the environment names a collector for traces, and does not switch that off.
#[cfg(feature = "otel")]
pub(crate) fn wants_traces() -> bool {
    let is_set = |name| std::env::vars_os().any(|(key, value)| key == name && !value.is_empty());
    let is_true = |name| std::env::vars_os().any(|(key, value)| key == name && value == "true");
    let endpoint = is_set("OTEL_EXPORTER_OTLP_ENDPOINT");
    let own_endpoint = is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
    (endpoint || own_endpoint) && !is_true("OTEL_SDK_DISABLED")
}

/// Whether the environment says what a program is called in traces.
#[cfg(feature = "otel")]
pub(crate) fn names_service() -> bool {
    std::env::vars_os()
        .any(|(name, _)| name == "OTEL_SERVICE_NAME" || name == "OTEL_RESOURCE_ATTRIBUTES")
}

/// The user's folder for caches: `$XDG_CACHE_HOME` if it is a whole path, else `~/.cache`.
///
/// <https://specifications.freedesktop.org/basedir-spec/latest/>
pub(crate) fn caches() -> Option<PathBuf> {
    let whole = |path: OsString| Some(PathBuf::from(path)).filter(|path| path.is_absolute());
    let home = || Some(whole(var("HOME")?)?.join(".cache"));
    var("XDG_CACHE_HOME").and_then(whole).or_else(home)
}

/// The Prometheus that the environment names.
#[cfg(feature = "burst")]
pub(crate) fn prometheus_url() -> Option<String> {
    let url = var("STRAT_PROMETHEUS_URL")?.into_string().ok();
    url.filter(|url| !url.is_empty())
}

/// The file with a token for it.
#[cfg(feature = "burst")]
pub(crate) fn prometheus_token_file() -> Option<PathBuf> {
    let file = var("STRAT_PROMETHEUS_TOKEN_FILE");
    file.map(PathBuf::from)
        .filter(|file| !file.as_os_str().is_empty())
}

/// The files with tokens for signals that are read from an address, by the signal's name.
#[cfg(feature = "burst")]
pub(crate) fn signal_token_files() -> Vec<(String, PathBuf)> {
    let name = |key: &OsString| {
        let name = key.to_str()?.strip_prefix("STRAT_SIGNAL_TOKEN_FILE_")?;
        (!name.is_empty()).then(|| name.to_owned())
    };
    std::env::vars_os()
        .filter_map(|(key, value)| Some((name(&key)?, PathBuf::from(value))))
        .collect()
}

fn var(name: &str) -> Option<OsString> {
    let mut vars = std::env::vars_os();
    vars.find_map(|(key, value)| (key == name).then_some(value))
}
