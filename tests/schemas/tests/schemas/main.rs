//! The committed schemas are those of the code, and real documents hold against them.

mod bursts;
mod drift;
mod journal;
mod plan;
mod shop;
mod strict;
mod topology;
