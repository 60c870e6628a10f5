//! What may stand in a `burst` block.

use super::{AttributeSchema, BlockSchema, block, optional, required};

/// What every signal may say besides what it means.
const STALE: AttributeSchema = optional("stale");
const SANE: AttributeSchema = optional("sane");
const MISSING: AttributeSchema = optional("missing");
const HOLD: AttributeSchema = optional("hold");
const SIGNAL: Option<&str> = Some("the signal's name");

static DEMAND: BlockSchema = block(
    "demand",
    SIGNAL,
    &[
        required("query"),
        required("each"),
        STALE,
        SANE,
        MISSING,
        HOLD,
    ],
    &[],
);
static UTILISATION: BlockSchema = block(
    "utilisation",
    SIGNAL,
    &[
        required("query"),
        required("target"),
        STALE,
        SANE,
        MISSING,
        HOLD,
    ],
    &[],
);
static WAIT: BlockSchema = block(
    "wait",
    SIGNAL,
    &[
        required("arrivals"),
        required("service"),
        optional("slots"),
        optional("queue"),
        required("within"),
        optional("share"),
        optional("variability"),
        optional("patience"),
        STALE,
        SANE,
        MISSING,
        HOLD,
    ],
    &[],
);
static BACKLOG: BlockSchema = block(
    "backlog",
    SIGNAL,
    &[
        required("length"),
        required("rate"),
        required("drain_in"),
        STALE,
        SANE,
        MISSING,
        HOLD,
    ],
    &[],
);
static WINDOW: BlockSchema = block(
    "window",
    Some("the window's name"),
    &[
        required("from"),
        required("for"),
        required("tz"),
        required("min"),
    ],
    &[],
);
static FORECAST: BlockSchema = single(
    "forecast",
    &[
        required("of"),
        optional("seasons"),
        optional("quantile"),
        optional("mode"),
    ],
);
static UP: BlockSchema = single("up", &[optional("step"), optional("after")]);
static DOWN: BlockSchema = single(
    "down",
    &[
        optional("step"),
        optional("after"),
        optional("at_once"),
        optional("min_age"),
    ],
);
static DRAIN: BlockSchema = single(
    "drain",
    &[
        optional("http"),
        optional("command"),
        optional("deadline"),
        optional("overdue"),
    ],
);
static COST: BlockSchema = single(
    "cost",
    &[optional("hourly"), optional("monthly"), optional("payback")],
);
static LOST: BlockSchema = single("lost", &[optional("after"), optional("then")]);

const fn single(keyword: &'static str, attributes: &'static [AttributeSchema]) -> BlockSchema {
    BlockSchema {
        single: true,
        ..block(keyword, None, attributes, &[])
    }
}

pub(super) static BURST: BlockSchema = block(
    "burst",
    Some("the burst's name"),
    &[
        required("fleet"),
        required("max"),
        optional("demand"),
        optional("each"),
        optional("class"),
        optional("priority"),
        optional("tolerance"),
        optional("notice"),
    ],
    &[
        &DEMAND,
        &UTILISATION,
        &WAIT,
        &BACKLOG,
        &WINDOW,
        &FORECAST,
        &UP,
        &DOWN,
        &DRAIN,
        &COST,
        &LOST,
    ],
);
