//! Which offers are wanted, and in what order.

use std::cmp::Ordering;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use rust_decimal::Decimal;
use stratiform::model::{Bytes, CapacityKind, Currency, Money, Offer};

use super::find::Row;

/// Which offers are wanted, and in what order.
#[derive(Debug, Default, Args)]
pub(super) struct Filter {
    /// Only this cloud's, by its provider's name: `aws`, `azure`, `gcp`.
    #[arg(long, value_name = "CLOUD")]
    pub(super) cloud: Option<String>,

    /// Only this region's.
    #[arg(long, value_name = "REGION")]
    pub(super) region: Option<String>,

    /// Only with at least this many virtual CPUs.
    #[arg(long, value_name = "N", default_value_t = 0)]
    cpu: u32,

    /// Only with at least this much memory, such as `16GiB`.
    #[arg(long, value_name = "SIZE")]
    memory: Option<Bytes>,

    /// Only of this instruction set: `x86_64` or `aarch64`.
    #[arg(long, value_name = "ARCH", value_parser = arch)]
    arch: Option<String>,

    /// Only with GPUs: any, of a model, at least so many, or both: `--gpu`, `--gpu T4`, `--gpu 4`,
    /// `--gpu T4:4`.
    #[arg(long, value_name = "MODEL|N", num_args = 0..=1, default_missing_value = "1")]
    gpu: Option<Gpu>,

    /// Only spot capacity.
    #[arg(long, conflicts_with = "on_demand")]
    spot: bool,

    /// Only by the hour, kept until given back.
    #[arg(long)]
    on_demand: bool,

    /// Only at this price an hour or less: `0.50`, in whatever currency, or `0.50 USD`. A price that
    /// is not known is not less.
    #[arg(long, value_name = "PRICE")]
    max_price: Option<MaxPrice>,

    /// What comes first.
    #[arg(long, value_enum, default_value_t, value_name = "KEY")]
    sort: Sort,

    /// Only so many.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

/// GPUs asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gpu {
    model: Option<String>,
    count: u32,
}

impl FromStr for Gpu {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (model, count) = match text.split_once(':') {
            Some((model, count)) => (Some(model), Some(count)),
            None if text.chars().all(|c| c.is_ascii_digit()) => (None, Some(text)),
            None => (Some(text), None),
        };
        let fail = || "write it as a model, a number, or both: `T4`, `4`, `T4:4`".to_owned();
        if model.is_some_and(str::is_empty) {
            return Err(fail());
        }
        Ok(Self {
            model: model.map(str::to_owned),
            count: count.map_or(Ok(1), |count| count.parse().map_err(|_| fail()))?,
        })
    }
}

/// The most that an hour may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MaxPrice {
    amount: Decimal,
    currency: Option<Currency>,
}

impl FromStr for MaxPrice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let money = text.parse::<Money>().map(|money| Self {
            amount: money.amount,
            currency: Some(money.currency),
        });
        let plain = || {
            let amount = text.parse().ok()?;
            Some(Self {
                amount,
                currency: None,
            })
        };
        let fail = || "write it as an amount, with or without a currency: `0.50`, `0.50 USD`";
        money.ok().or_else(plain).ok_or_else(|| fail().to_owned())
    }
}

/// What comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
enum Sort {
    /// The cheapest.
    #[default]
    Price,
    /// The fewest virtual CPUs; of those the cheapest.
    Cpu,
    /// The least memory; of those the cheapest.
    Memory,
    /// The cheapest for each virtual CPU.
    PricePerCpu,
}

/// An instruction set, by any of its names.
fn arch(text: &str) -> Result<String, String> {
    Ok(match text.to_ascii_lowercase().as_str() {
        "x86_64" | "amd64" | "x86-64" | "x64" => "x86_64",
        "aarch64" | "arm64" | "arm" => "aarch64",
        _ => return Err("there are `x86_64` (or `amd64`) and `aarch64` (or `arm64`)".to_owned()),
    }
    .to_owned())
}

impl Filter {
    /// Whether nothing at all is left out.
    pub(super) const fn is_everything(&self) -> bool {
        self.cloud.is_none()
            && self.region.is_none()
            && self.cpu == 0
            && self.memory.is_none()
            && self.arch.is_none()
            && self.gpu.is_none()
            && !self.spot
            && !self.on_demand
            && self.max_price.is_none()
            && self.limit.is_none()
    }

    /// The size asked for, if any is.
    pub(super) fn size(&self) -> Option<(u32, Bytes)> {
        let memory = self.memory.unwrap_or_default();
        (self.cpu > 0 || self.memory.is_some()).then_some((self.cpu, memory))
    }

    /// Keeps what is wanted, in the order that is wanted.
    pub(super) fn apply(&self, rows: &mut Vec<Row>) {
        rows.retain(|row| self.wants(row));
        rows.sort_by(|a, b| self.order(a, b));
        rows.truncate(self.limit.unwrap_or(usize::MAX));
    }

    fn wants(&self, row: &Row) -> bool {
        let offer = &row.offer;
        let same = |wanted: &Option<String>, is: Option<&str>| {
            wanted
                .as_deref()
                .is_none_or(|wanted| is.is_some_and(|is| is.eq_ignore_ascii_case(wanted)))
        };
        same(&self.cloud, Some(&row.cloud))
            && same(&self.region, row.region.as_deref())
            && same(&self.arch, Some(&offer.arch))
            && offer.cpu >= self.cpu
            && self.memory.is_none_or(|memory| offer.memory >= memory)
            && self.gpu.as_ref().is_none_or(|gpu| {
                offer.gpus >= gpu.count.max(1) && same(&gpu.model, offer.gpu.as_deref())
            })
            && (!self.spot || offer.capacity == CapacityKind::Spot)
            && (!self.on_demand || offer.capacity == CapacityKind::OnDemand)
            && self.max_price.is_none_or(|most| is_within(offer, most))
    }

    fn order(&self, a: &Row, b: &Row) -> Ordering {
        let first = match self.sort {
            Sort::Price => Ordering::Equal,
            Sort::Cpu => a.offer.cpu.cmp(&b.offer.cpu),
            Sort::Memory => a.offer.memory.cmp(&b.offer.memory),
            Sort::PricePerCpu => by_price(&a.offer, &b.offer, |offer, price| {
                price / Decimal::from(offer.cpu.max(1))
            }),
        };
        first
            .then_with(|| by_price(&a.offer, &b.offer, |_, price| price))
            .then_with(|| (a.offer.cpu, a.offer.memory).cmp(&(b.offer.cpu, b.offer.memory)))
            .then_with(|| a.key().cmp(&b.key()))
    }
}

fn is_within(offer: &Offer, most: MaxPrice) -> bool {
    offer.price_hour.is_some_and(|price| {
        price.amount <= most.amount
            && most
                .currency
                .is_none_or(|currency| currency == price.currency)
    })
}

/// By a measure of the price: each currency's for itself, and what is not known last.
fn by_price(a: &Offer, b: &Offer, measure: fn(&Offer, Decimal) -> Decimal) -> Ordering {
    let key = |offer: &Offer| {
        let price = offer.price_hour?;
        Some((price.currency, measure(offer, price.amount)))
    };
    match (key(a), key(b)) {
        (None, Some(_)) => Ordering::Greater,
        (Some(_), None) => Ordering::Less,
        (a, b) => a.cmp(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::offers::find::tests::row;

    fn kept(filter: &Filter, rows: &[Row]) -> Vec<String> {
        let mut rows = rows.to_vec();
        filter.apply(&mut rows);
        rows.into_iter().map(|row| row.offer.machine_type).collect()
    }

    fn some_rows() -> Vec<Row> {
        let mut gpu = row("gpu", 4, 16, Some("0.526 USD"));
        gpu.offer.gpus = 1;
        gpu.offer.gpu = Some("T4".to_owned());
        let mut arm = row("arm", 8, 16, Some("0.2 USD"));
        arm.offer.arch = "aarch64".to_owned();
        let mut spot = row("spot", 4, 32, None);
        spot.offer.capacity = CapacityKind::Spot;
        let small = row("small", 2, 4, Some("0.1 USD"));
        let euro = row("euro", 2, 8, Some("0.09 EUR"));
        vec![spot, gpu, arm, small, euro]
    }

    #[test]
    fn the_cheapest_come_first_and_an_unknown_price_last() {
        let rows = some_rows();
        let sorted = |sort| {
            let filter = Filter {
                sort,
                ..Filter::default()
            };
            kept(&filter, &rows)
        };
        // Amounts of two currencies cannot be compared: each comes for itself.
        assert_eq!(sorted(Sort::Price), ["small", "arm", "gpu", "euro", "spot"]);
        assert_eq!(
            sorted(Sort::PricePerCpu),
            ["arm", "small", "gpu", "euro", "spot"]
        );
        assert_eq!(sorted(Sort::Cpu), ["small", "euro", "gpu", "spot", "arm"]);
        assert_eq!(
            sorted(Sort::Memory),
            ["small", "euro", "arm", "gpu", "spot"]
        );
    }

    #[test]
    fn what_is_not_asked_for_is_left_out() {
        let rows = some_rows();
        let check = |filter: Filter, expect: &[&str]| {
            assert_eq!(kept(&filter, &rows), expect, "{filter:?}");
        };
        let all = Filter::default;
        let gpu = |text: &str| text.parse().ok();
        check(Filter { cpu: 8, ..all() }, &["arm"]);
        check(
            Filter {
                memory: Some(Bytes::gib(32)),
                ..all()
            },
            &["spot"],
        );
        check(
            Filter {
                arch: Some("AArch64".to_owned()),
                ..all()
            },
            &["arm"],
        );
        check(
            Filter {
                gpu: gpu("1"),
                ..all()
            },
            &["gpu"],
        );
        check(
            Filter {
                gpu: gpu("t4"),
                ..all()
            },
            &["gpu"],
        );
        check(
            Filter {
                gpu: gpu("T4:2"),
                ..all()
            },
            &[],
        );
        check(
            Filter {
                gpu: gpu("A100"),
                ..all()
            },
            &[],
        );
        check(
            Filter {
                spot: true,
                ..all()
            },
            &["spot"],
        );
        check(
            Filter {
                on_demand: true,
                limit: Some(2),
                ..all()
            },
            &["small", "arm"],
        );
        check(
            Filter {
                cloud: Some("azure".to_owned()),
                ..all()
            },
            &[],
        );
        check(
            Filter {
                region: Some("north".to_owned()),
                limit: Some(1),
                ..all()
            },
            &["small"],
        );
        let most = |text: &str| text.parse().ok();
        check(
            Filter {
                max_price: most("0.1"),
                ..all()
            },
            &["small", "euro"],
        );
        check(
            Filter {
                max_price: most("0.1 USD"),
                ..all()
            },
            &["small"],
        );
        check(
            Filter {
                max_price: most("0 USD"),
                ..all()
            },
            &[],
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["", ":", ":4", "T4:", "T4:x", "99999999999"] {
            assert!(text.is_empty() || text.parse::<Gpu>().is_err(), "{text}");
        }
        for text in ["", "cheap", "5 XYZ", "USD"] {
            assert!(text.parse::<MaxPrice>().is_err(), "{text}");
        }
    }
}
