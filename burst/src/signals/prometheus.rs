//! Prometheus, by its HTTP API.

use std::fmt;

use jiff::Timestamp;
use prometheus_http_query::Client;
use prometheus_http_query::response::Data;
use reqwest::header::{AUTHORIZATION, HeaderValue};

use super::{Past, Secret, in_one_line};

/// How many points one range query may give: Prometheus refuses more than 11,000.
///
/// <https://github.com/prometheus/prometheus/blob/v2.42.0/web/api/v1/api.go> (`query_range`)
const POINTS_MAX: usize = 10_000;

/// A Prometheus that can be asked.
#[derive(Clone)]
pub struct Prometheus {
    client: Client,
    authorization: Option<HeaderValue>,
}

/// Why a Prometheus cannot be asked at all.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PrometheusError {
    /// Its address is none.
    #[error("the address of Prometheus is none: write `http://HOST:9090`")]
    Address,
    /// The secret is nothing that a header can carry.
    #[error("the token for Prometheus has characters that no HTTP header takes")]
    Token,
}

impl fmt::Debug for Prometheus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Prometheus")
    }
}

impl Prometheus {
    /// A Prometheus at an address, asked with a bearer token if there is one.
    ///
    /// # Errors
    /// If the address or the token is impossible.
    pub fn new(
        http: &reqwest::Client,
        url: &str,
        token: Option<&Secret>,
    ) -> Result<Self, PrometheusError> {
        let authorization = token
            .map(|token| HeaderValue::from_str(&format!("Bearer {}", token.reveal())))
            .transpose()
            .map_err(|_| PrometheusError::Token)?;
        let authorization = authorization.map(|mut value| {
            value.set_sensitive(true);
            value
        });
        let client = Client::from(http.clone(), url).map_err(|_| PrometheusError::Address)?;
        Ok(Self {
            client,
            authorization,
        })
    }

    /// The one number that a query gives, and for when.
    pub(super) async fn value(
        &self,
        query: &str,
        now: Timestamp,
    ) -> Result<(f64, Timestamp), String> {
        let mut asked = self.client.query(query);
        if let Some(authorization) = &self.authorization {
            asked = asked.header(AUTHORIZATION, authorization.clone());
        }
        let answer = asked.post().await.map_err(|error| in_one_line(&error))?;
        let at = |seconds: f64| {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "seconds of the present time"
            )]
            let millis = (seconds * 1000.0) as i64;
            Timestamp::from_millisecond(millis).unwrap_or(now)
        };
        let sample = match answer.data() {
            Data::Scalar(sample) => sample,
            Data::Vector(series) => match series.as_slice() {
                [] => return Err("the query gives no series".to_owned()),
                [one] => one.sample(),
                more => return Err(several(more.len())),
            },
            Data::Matrix(_) => {
                return Err(
                    "the query gives ranges, and one number is needed: put it into `rate(…)`"
                        .to_owned(),
                );
            }
        };
        Ok((sample.value(), at(sample.timestamp())))
    }

    /// What a query gave in the past, one value a step. What cannot be had is unknown.
    pub(super) async fn past(
        &self,
        query: &str,
        step_s: u64,
        steps: usize,
        now: Timestamp,
    ) -> Past {
        let step = i64::try_from(step_s.max(1)).unwrap_or(60);
        let count = i64::try_from(steps).unwrap_or(0);
        let end = now.as_second();
        let mut values: Vec<Option<f64>> = vec![None; steps];
        let mut why = None;
        let first = end - (count - 1) * step;
        for from in (0..steps).step_by(POINTS_MAX) {
            let until = (from + POINTS_MAX).min(steps) - 1;
            let at = |index: usize| first + i64::try_from(index).unwrap_or(0) * step;
            #[expect(clippy::cast_precision_loss, reason = "seconds of a step")]
            let seconds = step as f64;
            let mut asked = self.client.query_range(query, at(from), at(until), seconds);
            if let Some(authorization) = &self.authorization {
                asked = asked.header(AUTHORIZATION, authorization.clone());
            }
            let answer = match asked.post().await {
                Ok(answer) => answer,
                Err(error) => {
                    why.get_or_insert_with(|| in_one_line(&error));
                    continue;
                }
            };
            let series = match answer.data() {
                Data::Matrix(series) => series.as_slice(),
                Data::Scalar(_) | Data::Vector(_) => &[],
            };
            let one = match series {
                [] => continue,
                [one] => one,
                more => {
                    why.get_or_insert_with(|| several(more.len()));
                    continue;
                }
            };
            for sample in one.samples() {
                #[expect(clippy::cast_possible_truncation, reason = "whole seconds")]
                let index = (sample.timestamp().round() as i64 - first) / step;
                let slot = usize::try_from(index)
                    .ok()
                    .and_then(|at| values.get_mut(at));
                if let Some(slot) = slot {
                    *slot = Some(sample.value()).filter(|value| value.is_finite());
                }
            }
        }
        Past { values, why }
    }
}

/// Why that many series are no answer.
fn several(count: usize) -> String {
    format!("the query gives {count} series, and one number is needed: put it into `sum(…)`")
}
