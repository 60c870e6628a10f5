//! A simulated cloud with the failure modes of real ones.
//!
//! For tests of anything that drives a cloud through [`strat_provider`], for trying topologies
//! without an account, and for showing what happens when a cloud has a bad day. It is a model, not
//! a map of names to values: networks overlap and subnets fill up, things take their time, lists
//! lag behind writes, offers run out of stock zone by zone, deletes wait for what depends on them,
//! and answers get lost on the way back. All of it comes of one seed and one clock, so the same
//! calls in the same order have the same outcome.
//!
//! # A first test
//!
//! ```
//! use std::sync::Arc;
//!
//! use strat_model::{Kind, Mark, Name, NetworkSpec, Spec, Token};
//! use strat_provider::{Filter, ProviderExt, TokioClock};
//! use strat_sim::{Behaviour, Fault, Profile, SimControl, SimSite, World};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let world = World::in_memory(7, Arc::new(TokioClock::system()));
//! let site = SimSite::new(Name::new("east")?, Profile::Aws, "us-east-1");
//! let key = site.region_key();
//! let east = world.connect(site.behaving(Behaviour::instant()))?;
//!
//! // The next create takes effect, and its answer never arrives.
//! let control = SimControl::new(world.clone());
//! control.inject(&key, Some("create_network"), Fault::lost_answer(), 1)?;
//!
//! let spec = Spec::Network(NetworkSpec {
//!     cidr: "10.0.0.0/16".parse()?,
//!     labels: Default::default(),
//! });
//! let mark: Mark = serde_json::from_str(
//!     r#"{ "owner": { "topology": "shop" }, "addr": "network.core@east", "spec": "", "generation": 1 }"#,
//! )?;
//! let token = Token::derive("plan", &mark.addr, 1, 1, 0, "");
//! let unknown = east.create(&spec, "core", &mark, &token).await;
//! assert!(unknown.is_err());
//!
//! // The same call with the same token finds what the first one made.
//! let found = east.create(&spec, "core", &mark, &token).await?;
//! let all = east.list_all(Kind::Network, &Filter::All).await?;
//! assert_eq!(all, [found]);
//! assert_eq!(world.calls()["create_network"], 2);
//! # Ok(())
//! # }
//! ```
//!
//! # Profiles
//!
//! A site behaves like one of four clouds, and differs as they do ([`Profile`]):
//!
//! | | `aws` | `azure` | `gcp` | `onprem` |
//! |---|---|---|---|---|
//! | a subnet is in | one zone | the region | the region | all racks |
//! | a create is repeated by | token, 24 h | name | token, 1 h | name |
//! | the mark is in | 50 tags | 50 tags | metadata | metadata |
//! | machines made, deleted a call | 1000, 1000 | 1, 10 | 500, 100 | 16, 100 |
//! | sizes and prices | m, c, r, t | B, D, E, F | e2, n2, c3 | any, no price |
//! | what it lacks | | | | addresses, buckets |
//!
//! Sites of one cloud, account and region, in one world, see the same things.
//!
//! # A `site` block
//!
//! ```hcl
//! site "east" {
//!   provider = "sim"
//!   profile  = "aws"        # aws, azure, gcp or onprem
//!   region   = "us-east-1"  # any word
//! }
//! ```
//!
//! | setting | what it is | default |
//! |---|---|---|
//! | `world` | the folder of the world, from the topology's folder | `.sim` |
//! | `account` | the account | `main` |
//! | `seed` | what chance is drawn from, when the world is made | 0 |
//! | `latency_ms` | how long a call takes | 20 |
//! | `create_ms`, `delete_ms` | how long until a machine is ready, is gone | 300, 200 |
//! | `consistency_ms` | how far lists may lag | by profile |
//! | `rate_per_second` | how many calls each operation takes | no bound |
//! | `lost_answers`, `faults` | the share of calls without answer, without effect | 0 |
//! | `leases` | how conditional writes of leases work: `counter`, `digest`, `ignored`, or `none` | by profile |
//! | `lease_lag_ms` | how far reads of leases may lag | 0 |
//! | `lease_term_ms` | how long a lease holds after it was renewed | 240000 |
//! | `page_size` | how much a page of a list holds | by profile |
//! | `stock` | how many machines of a type may run in a zone | no bound |
//! | `quotas` | how many CPUs of a family, or in `total`, may run | large |
//!
//! # The world in a folder
//!
//! A world is in memory ([`World::in_memory`]) or in a folder ([`World::open`]), where commands
//! that run one after another, or at once, see the same cloud. A folder holds a log of changes, one
//! line a call, and a lock. Killing a process at any moment loses nothing that was answered.
//!
//! # Making things go wrong
//!
//! [`SimControl`] does what a colleague, another program and bad luck do: it deletes, stops,
//! resizes and relabels, strips marks, opens firewalls, makes foreign things, empties the stock,
//! takes zones and regions down, throttles, and plans faults of the next calls. Each is a
//! [`Disturbance`], which is data. A crash test stops its program at the call of its choice with
//! [`World::on_call`], and counts calls with [`World::calls`].
//!
//! # Copies of real sites
//!
//! [`World::copy`] puts what was observed of any site, of whatever provider, into a world, behind a
//! site that sells and allows what that one did ([`SimSite::observed`]): to try on it what must not
//! be tried on the real one.
//!
//! # What it leaves out
//!
//! Machines run nothing, buckets hold a number of objects, and no traffic passes a firewall.
//! A folder's world is safe against kills, not against a loss of power.

mod catalogue;
mod changes;
mod compute;
mod config;
mod control;
mod copy;
mod error;
mod factory;
mod faults;
mod images;
mod leases;
mod observe;
mod offers;
mod permissions;
mod profile;
mod provider;
mod rules;
mod settings;
mod storage;
mod world;
mod writes;

pub use catalogue::IMAGES;
pub use config::{Behaviour, SimSite};
pub use control::{Disturbance, RegionView, SimControl};
pub use factory::SimFactory;
pub use faults::{Fault, Narrow, Pace, PlannedFault, StockLimit, Trials};
pub use leases::LeaseRule;
pub use profile::Profile;
pub use world::{CallHook, Phase, RegionKey, Verdict, World};
