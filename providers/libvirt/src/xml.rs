//! libvirt's XML as a small tree: read, changed in a place or two, written again.

use std::fmt;

use quick_xml::events::{BytesEnd, BytesStart, BytesText, Event};
use quick_xml::{Reader, Writer};
use strat_model::{Error, ErrorKind, Result};

use crate::error::fail;

/// An element. Text between child elements is not kept: libvirt's formats have none that matters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, String)>,
    pub(crate) children: Vec<Element>,
    pub(crate) text: String,
}

impl Element {
    /// An element without anything in it.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            ..Self::default()
        }
    }

    /// An element that holds text.
    pub(crate) fn leaf(name: &str, text: impl fmt::Display) -> Self {
        Self {
            text: text.to_string(),
            ..Self::new(name)
        }
    }

    /// The same with one attribute more.
    pub(crate) fn with(mut self, key: &str, value: impl fmt::Display) -> Self {
        self.attributes.push((key.to_owned(), value.to_string()));
        self
    }

    /// The same with one child more.
    pub(crate) fn holding(mut self, child: Self) -> Self {
        self.children.push(child);
        self
    }

    /// The same with more children.
    pub(crate) fn holding_all(mut self, children: impl IntoIterator<Item = Self>) -> Self {
        self.children.extend(children);
        self
    }

    /// The value of an attribute.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(k, _)| k == key);
        found.map(|(_, value)| value.as_str())
    }

    /// The first child of a name.
    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The children of a name.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Self> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// The first descendant along a path of names.
    pub(crate) fn at(&self, path: &[&str]) -> Option<&Self> {
        path.iter()
            .try_fold(self, |element, name| element.child(name))
    }

    /// The text of the first descendant along a path of names.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<&str> {
        self.at(path).map(|element| element.text.as_str())
    }

    /// Puts a child in the place of the first one of its name, or at the end.
    pub(crate) fn put(&mut self, child: Self) {
        match self.children.iter_mut().find(|old| old.name == child.name) {
            Some(old) => *old = child,
            None => self.children.push(child),
        }
    }

    /// Reads a document.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let wrong = |why: String| fail(ErrorKind::Internal, format!("libvirt's XML: {why}"));
        let mut reader = Reader::from_str(text);
        let mut open: Vec<Self> = vec![Self::default()];
        loop {
            let event = reader
                .read_event()
                .map_err(|error| wrong(error.to_string()))?;
            match event {
                Event::Start(start) => open.push(Self::begin(&start)?),
                Event::Empty(start) => close(&mut open, Some(Self::begin(&start)?)),
                Event::End(_) => close(&mut open, None),
                Event::Text(text) => push_text(&mut open, &text.xml10_content()),
                Event::CData(text) => push_text(&mut open, &text.xml10_content()),
                Event::GeneralRef(reference) => {
                    let name = format!("&{};", reference.xml10_content());
                    let text = quick_xml::escape::unescape(&name);
                    push_text(&mut open, &text.map_err(|error| wrong(error.to_string()))?);
                }
                Event::Eof => break,
                Event::Decl(_) | Event::Comment(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        let [document] =
            <[Self; 1]>::try_from(open).map_err(|_| wrong("it breaks off".to_owned()))?;
        document
            .children
            .into_iter()
            .next()
            .ok_or_else(|| wrong("it is empty".to_owned()))
    }

    fn begin(start: &BytesStart<'_>) -> Result<Self> {
        let wrong =
            |error: &dyn fmt::Display| fail(ErrorKind::Internal, format!("libvirt's XML: {error}"));
        let mut element = Self::new(&text_of(start.name().as_ref()));
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|error| wrong(&error))?;
            let value =
                quick_xml::escape::unescape(&attribute.value).map_err(|error| wrong(&error))?;
            element
                .attributes
                .push((text_of(attribute.key.as_ref()), value.into_owned()));
        }
        Ok(element)
    }

    fn write(&self, writer: &mut Writer<Vec<u8>>) -> std::io::Result<()> {
        let mut start = BytesStart::new(self.name.as_str());
        for (key, value) in &self.attributes {
            start.push_attribute((key.as_str(), value.as_str()));
        }
        if self.children.is_empty() && self.text.is_empty() {
            return writer.write_event(Event::Empty(start));
        }
        writer.write_event(Event::Start(start))?;
        if self.children.is_empty() {
            writer.write_event(Event::Text(BytesText::new(&self.text)))?;
        }
        for child in &self.children {
            child.write(writer)?;
        }
        writer.write_event(Event::End(BytesEnd::new(self.name.as_str())))
    }
}

fn text_of(name: impl AsRef<str>) -> String {
    name.as_ref().to_owned()
}

fn push_text(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        element.text.push_str(text);
    }
}

fn close(open: &mut Vec<Element>, done: Option<Element>) {
    // An end without a beginning is left alone; the parser refuses it before.
    let done = match done {
        Some(done) => done,
        None if open.len() > 1 => open.pop().unwrap_or_default(),
        None => return,
    };
    if let Some(parent) = open.last_mut() {
        parent.children.push(done);
    }
}

impl fmt::Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer::new(Vec::new());
        self.write(&mut writer).map_err(|_| fmt::Error)?;
        f.write_str(&String::from_utf8_lossy(&writer.into_inner()))
    }
}

impl std::str::FromStr for Element {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::parse(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_survives() {
        let text = "<network><name>a &amp; b</name><ip address='10.0.0.1' prefix=\"24\"/>\
                    <m:t xmlns:m=\"urn:x\">{\"k\":\"&lt;東京&gt; &quot;x&quot;\"}</m:t></network>";
        let element = Element::parse(text).expect("XML");
        assert_eq!(element.text_at(&["name"]), Some("a & b"));
        assert_eq!(
            element.at(&["ip"]).and_then(|ip| ip.get("prefix")),
            Some("24")
        );
        assert_eq!(element.text_at(&["m:t"]), Some("{\"k\":\"<東京> \"x\"\"}"));
        assert_eq!(Element::parse(&element.to_string()).expect("XML"), element);
    }

    #[test]
    fn attributes_are_escaped() {
        let element = Element::new("a").with("k", "<'\"&>");
        assert_eq!(Element::parse(&element.to_string()).expect("XML"), element);
    }

    #[test]
    fn broken_text_is_refused() {
        for text in ["", "<a>", "<a></b>", "text"] {
            assert!(Element::parse(text).is_err(), "{text}");
        }
    }
}
