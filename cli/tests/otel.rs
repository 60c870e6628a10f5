//! Traces to a collector: a real one at the loopback, as far as the protocol goes.

#[path = "cli/support.rs"]
#[expect(dead_code, reason = "this test uses its own part of it")]
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;

use support::Shop;

/// Takes exports (OTLP/HTTP with binary protobuf) until the process ends.
fn collector() -> (String, Receiver<ExportTraceServiceRequest>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let (tell, told) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let tell = tell.clone();
            std::thread::spawn(move || serve(stream.expect("a connection"), &tell));
        }
    });
    (endpoint, told)
}

fn serve(stream: TcpStream, tell: &Sender<ExportTraceServiceRequest>) {
    let mut reader = BufReader::new(stream);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        assert!(line.starts_with("POST /v1/traces "), "{line}");
        let mut length = 0;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).expect("a header");
            let header = header.trim().to_ascii_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let request = ExportTraceServiceRequest::decode(&body[..]).expect("an export");
        tell.send(request).expect("somebody reads");
        let answer =
            b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        reader.get_mut().write_all(answer).expect("an answer");
    }
}

fn attribute(span: &Span, key: &str) -> Option<String> {
    let found = span.attributes.iter().find(|a| a.key == key)?;
    match found.value.as_ref()?.value.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

#[test]
fn an_apply_is_one_trace_at_the_collector() {
    let (endpoint, told) = collector();
    let shop = Shop::new();
    let done = shop
        .command(&["apply", "--yes"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .output()
        .expect("strat runs");
    assert!(done.status.success(), "{}", support::Done::of(&done));
    let mut spans: Vec<Span> = Vec::new();
    let mut services = Vec::new();
    for request in told.try_iter() {
        for resource in request.resource_spans {
            services.extend(resource.resource.into_iter().flat_map(|r| r.attributes));
            let scopes = resource.scope_spans.into_iter();
            spans.extend(scopes.flat_map(|scope| scope.spans));
        }
    }
    assert!(services.iter().any(|a| a.key == "service.name"));
    let roots: Vec<&Span> = spans
        .iter()
        .filter(|s| s.parent_span_id.is_empty())
        .collect();
    assert_eq!(roots.len(), 1, "{roots:#?}");
    assert!(spans.iter().all(|span| span.trace_id == roots[0].trace_id));
    let execute = spans.iter().find(|span| span.name == "execute");
    let execute = execute.expect("a span of the execution");
    let creates = |span: &&Span| {
        span.name == "call" && attribute(span, "operation").as_deref() == Some("create_machines")
    };
    let create = spans.iter().find(creates).expect("a create");
    assert_eq!(create.parent_span_id, execute.span_id);
    assert!(create.end_time_unix_nano >= create.start_time_unix_nano);
    assert!(attribute(create, "site").is_some());
}

#[test]
fn without_a_collector_nothing_is_sent_and_a_dead_one_is_no_error() {
    let shop = Shop::new();
    let done = shop
        .command(&["plan"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .output()
        .expect("strat runs");
    let done = support::Done::of(&done);
    assert_eq!(done.code, Some(0), "{done}");
    assert!(done.stderr.contains("the trace was not exported"), "{done}");
    let (endpoint, told) = collector();
    let off = shop
        .command(&["plan"])
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)
        .env("OTEL_SDK_DISABLED", "true")
        .output()
        .expect("strat runs");
    assert!(off.status.success());
    assert!(told.try_iter().next().is_none());
}
