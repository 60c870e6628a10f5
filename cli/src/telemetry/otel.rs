//! Traces to an OpenTelemetry collector, by the variables that every program of its kind goes by.

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::SpanExporter;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkError;
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider};
use tracing::Subscriber;
use tracing_opentelemetry::OpenTelemetryLayer;
use tracing_subscriber::registry::LookupSpan;

use crate::environment;
use crate::failure::Failure;

/// Sends spans in the background.
pub(super) struct Exporter(SdkTracerProvider);

impl Exporter {
    /// The exporter that the environment asks for; none if it names no collector.
    ///
    /// The variables are those of the OpenTelemetry specification ("OTLP Exporter Configuration"):
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_EXPORTER_OTLP_HEADERS` and so on, and
    /// `OTEL_SDK_DISABLED`.
    ///
    /// # Errors
    /// If what they say makes no sense.
    pub(super) fn from_environment() -> Result<Option<Self>, Failure> {
        if !environment::wants_traces() {
            return Ok(None);
        }
        // In a program that has a cloud's client too, HTTP wants to be told whose cryptography it takes:
        // the one of all others, unless one of them has said so already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let exporter = SpanExporter::builder().with_http().build();
        let exporter = exporter.map_err(|error| {
            Failure::new("traces cannot be exported")
                .caused_by(&error)
                .help("look at the OTEL_EXPORTER_OTLP_… variables, or unset them")
        })?;
        let mut resource = Resource::builder();
        if !environment::names_service() {
            resource = resource.with_service_name("strat");
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Some(Self(provider)))
    }

    /// What hands it the spans.
    pub(super) fn layer<S>(&self) -> OpenTelemetryLayer<S, SdkTracer>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        tracing_opentelemetry::layer().with_tracer(self.0.tracer("strat"))
    }

    /// Sends what is left.
    ///
    /// # Errors
    /// If the collector does not take it.
    pub(super) fn finish(self) -> Result<(), OTelSdkError> {
        let flushed = self.0.force_flush();
        self.0.shutdown()?;
        flushed
    }
}
