//! The functions that need the evaluator.

use super::{Function, FunctionDoc, Run, Special};

const fn special(
    name: &'static str,
    (min, max): (usize, usize),
    special: Special,
    signature: &'static str,
    doc: &'static str,
    example: &'static str,
) -> Function {
    Function {
        doc: FunctionDoc {
            name,
            signature,
            doc,
            example,
        },
        min,
        max,
        run: Run::Special(special),
    }
}

pub(super) static TABLE: &[Function] = &[
    special(
        "try",
        (1, usize::MAX),
        Special::Try,
        "try(expression...)",
        "The first of the expressions that can be evaluated.",
        "try(tonumber(\"x\"), 0) == 0",
    ),
    special(
        "can",
        (1, 1),
        Special::Can,
        "can(expression)",
        "Whether the expression can be evaluated.",
        "!can(tonumber(\"x\"))",
    ),
    special(
        "file",
        (1, 1),
        Special::File,
        "file(path)",
        "The text of a file; paths are relative to the topology's folder.",
        "file(\"ops.pub\")",
    ),
    special(
        "filebase64",
        (1, 1),
        Special::FileBase64,
        "filebase64(path)",
        "The content of a file as base64.",
        "filebase64(\"logo.png\")",
    ),
    special(
        "filesha256",
        (1, 1),
        Special::FileSha256,
        "filesha256(path)",
        "The SHA-256 of a file's content, in hex.",
        "filesha256(\"disk.qcow2\")",
    ),
    special(
        "fileexists",
        (1, 1),
        Special::FileExists,
        "fileexists(path)",
        "Whether there is a file.",
        "fileexists(\"ops.pub\")",
    ),
    special(
        "templatefile",
        (1, 2),
        Special::TemplateFile,
        "templatefile(path, variables)",
        "The text of a template file with the variables filled in.",
        "templatefile(\"init.yaml\", { env = var.env })",
    ),
    special(
        "sensitive",
        (1, 1),
        Special::Sensitive,
        "sensitive(value)",
        "The value, never to be shown.",
        "sensitive(file(\"token\"))",
    ),
    special(
        "nonsensitive",
        (1, 1),
        Special::NonSensitive,
        "nonsensitive(value)",
        "The value, which may be shown after all.",
        "nonsensitive(length(sensitive(\"abc\"))) == 3",
    ),
    special(
        "issensitive",
        (1, 1),
        Special::IsSensitive,
        "issensitive(value)",
        "Whether the value is sensitive.",
        "issensitive(sensitive(1))",
    ),
];
