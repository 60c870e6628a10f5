//! The provider keeps the contract.

use strat_conformance::conformance;

use crate::harness::Moto;

conformance!(moto, Moto::start().await);
