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
        "fileexists",
        (1, 1),
        Special::FileExists,
        "fileexists(path)",
        "Whether there is a file.",
        "fileexists(\"ops.pub\")",
    ),
    special(
        "fileset",
        (2, 2),
        Special::FileSet,
        "fileset(folder, pattern)",
        "The paths, from a folder, of the files that match a pattern: `*`, `?`, `[a-z]`, `{a,b}`, `**`.",
        "fileset(\"keys\", \"*.pub\")",
    ),
    special(
        "abspath",
        (1, 1),
        Special::AbsolutePath,
        "abspath(path)",
        "The whole path of a file, from the topology's folder.",
        "abspath(\"/keys/../ops.pub\") == \"/ops.pub\"",
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
        "templatestring",
        (2, 2),
        Special::TemplateString,
        "templatestring(text, variables)",
        "The text as a template, with the variables filled in.",
        "templatestring(\"$${a}!\", { a = \"hi\" }) == \"hi!\"",
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
