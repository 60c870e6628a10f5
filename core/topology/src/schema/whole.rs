//! Conditions, and the blocks that are about others: repeated, used, renamed and let go.

use super::{
    AttributeSchema, BlockSchema, COUNT, DEPENDS_ON, FOR_EACH, LABELS, block, optional, required,
};

static CONDITION: [AttributeSchema; 2] = [required("condition"), required("message")];

/// A block that says what must hold, and what is said if it does not.
const fn condition(keyword: &'static str) -> BlockSchema {
    block(keyword, None, &CONDITION, &[])
}

pub(super) static VALIDATION: BlockSchema = condition("validation");
pub(super) static PRECONDITION: BlockSchema = condition("precondition");
pub(super) static POSTCONDITION: BlockSchema = condition("postcondition");
/// What others own is found by it. It stands for everything else in the block.
pub(super) static LOOKUP: BlockSchema = BlockSchema {
    single: true,
    ..block(
        "lookup",
        None,
        &[required("site"), optional("id"), optional("name"), LABELS],
        &[],
    )
};
/// What may stand in the block of a thing that has no other blocks in it.
pub(super) static GUARDS: [&BlockSchema; 3] = [&LOOKUP, &PRECONDITION, &POSTCONDITION];
static ASSERT: BlockSchema = condition("assert");
static CONTENT: BlockSchema = BlockSchema {
    open: true,
    single: true,
    ..block("content", None, &[], &[])
};
/// Stands for as many nested blocks as `for_each` has items.
pub(super) static DYNAMIC: BlockSchema = block(
    "dynamic",
    Some("the kind of block that is repeated"),
    &[
        required("for_each"),
        optional("iterator"),
        optional("labels"),
    ],
    &[&CONTENT],
);
pub(super) static MODULE: BlockSchema = BlockSchema {
    open: true,
    ..block(
        "module",
        Some("the module's name"),
        &[required("source"), FOR_EACH, COUNT],
        &[],
    )
};
pub(super) static CHECK: BlockSchema = block("check", Some("the check's name"), &[], &[&ASSERT]);
pub(super) static REMOVED: BlockSchema = block("removed", None, &[required("from")], &[]);
pub(super) static MOVED: BlockSchema =
    block("moved", None, &[required("from"), required("to")], &[]);
pub(super) static BUDGET: BlockSchema = block(
    "budget",
    Some("the budget's name"),
    &[
        required("monthly"),
        optional("sites"),
        optional("allow_unpriced"),
    ],
    &[],
);
static REACH: [AttributeSchema; 6] = [
    required("from"),
    required("to"),
    optional("protocol"),
    optional("port"),
    optional("ports"),
    optional("message"),
];
pub(super) static ASSERT_REACH: BlockSchema =
    block("assert_reach", Some("the check's name"), &REACH, &[]);
pub(super) static REFUSE_REACH: BlockSchema =
    block("refuse_reach", Some("the check's name"), &REACH, &[]);
pub(super) static OUTPUT: BlockSchema = block(
    "output",
    Some("the output's name"),
    &[
        required("value"),
        optional("description"),
        optional("sensitive"),
        DEPENDS_ON,
    ],
    &[&PRECONDITION],
);
