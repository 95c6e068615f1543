//! YAML text to a tree in which every value knows its line and column.
//!
//! Definitions come from anybody who may upload to a bucket, so what YAML has beyond plain data is
//! refused: anchors and aliases (a few lines can stand for gigabytes), tags, more documents than
//! one; and size, depth and number of values are bounded. This file must not know which keys and
//! types are expected.

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::Fault;
use super::json::join_surrogates;
use super::scalar::Scalar;

/// The longest document.
const MAX_BYTES: usize = 256 * 1024;
/// The deepest nesting of lists and mappings.
const MAX_DEPTH: usize = 32;
/// The most values, keys among them.
const MAX_NODES: usize = 20_000;

/// A value and where it begins.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) value: Tree,
}

/// The value of a node.
#[derive(Debug)]
pub(crate) enum Tree {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    /// In the order of the document, doubles among them.
    Mapping(Vec<(Node, Node)>),
    /// Something refused. Its fault is reported, and nobody else need complain about it.
    Refused,
}

/// The root of the document, if it could be read to its end, and the faults of its notation.
pub(crate) fn parse(text: &str) -> (Option<Node>, Vec<Fault>) {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the definition has {} bytes, more than the {MAX_BYTES} allowed",
            text.len()
        );
        return (None, vec![document_fault(1, 1, message)]);
    }
    // A byte order mark is no character of the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(fault) = control_character(text) {
        return (None, vec![fault]);
    }
    let text = join_surrogates(text);
    let mut builder = Builder::new(end_of(&text));
    for event in Parser::new_from_str(&text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) => {
                builder.syntax_fault(&error);
                return (None, builder.faults);
            }
        };
        if !builder.take(event, span.start) {
            break;
        }
    }
    if builder.gave_up {
        return (None, builder.faults);
    }
    if builder.root.is_none() {
        let message = "the definition is empty; write {} to take every column as text";
        builder
            .faults
            .push(document_fault(1, 1, message.to_owned()));
    }
    (builder.root, builder.faults)
}

/// The parser takes a NUL for the end of the text, which would hide what follows it.
fn control_character(text: &str) -> Option<Fault> {
    let is_bad = |c: char| c < ' ' && !matches!(c, '\t' | '\n' | '\r');
    let at = text.find(is_bad)?;
    let (line, column) = end_of(&text[..at]);
    let character = text[at..].chars().next().unwrap_or_default();
    let message = format!(
        "the control character {} is not allowed; is this a text file?",
        character.escape_unicode()
    );
    Some(document_fault(line, column, message))
}

const ANCHOR: &str = "anchors (&name) are not allowed; write the value out";
const ALIAS: &str = "aliases (*name) are not allowed; write the value out";
const TAG: &str = "tags (!name) are not allowed; quote the value if it is text";

fn too_deep() -> String {
    format!("nested deeper than the {MAX_DEPTH} levels allowed")
}

fn document_fault(line: usize, column: usize, message: String) -> Fault {
    Fault {
        path: String::new(),
        line,
        column,
        message,
    }
}

/// A line and a column.
type Place = (usize, usize);

/// Just after the last character.
fn end_of(text: &str) -> Place {
    let last = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    let feeds = text.matches('\n').count();
    let returns = text.matches('\r').count() - text.matches("\r\n").count();
    (feeds + returns + 1, last.chars().count() + 1)
}

/// Puts the events of the parser together.
struct Builder {
    end: Place,
    root: Option<Node>,
    /// The lists and mappings that have begun and not ended.
    open: Vec<Open>,
    nodes: usize,
    documents: usize,
    faults: Vec<Fault>,
    /// The rest of the document was not read.
    gave_up: bool,
}

struct Open {
    node: Node,
    /// The key that waits for its value, in a mapping.
    key: Option<Node>,
}

impl Builder {
    fn new(end: Place) -> Self {
        Self {
            end,
            root: None,
            open: Vec::new(),
            nodes: 0,
            documents: 0,
            faults: Vec::new(),
            gave_up: false,
        }
    }

    /// Takes one event. False when the rest is not to be read.
    fn take(&mut self, event: Event<'_>, start: Marker) -> bool {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a definition is one document; remove this and what follows";
                    self.fault(start, message.to_owned());
                    return false;
                }
            }
            Event::Alias(_) => {
                self.fault(start, ALIAS.to_owned());
                return self.begin(start, Tree::Refused, false, false) && self.end();
            }
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = Tree::Scalar(Scalar {
                    text: text.into_owned(),
                    quoted: style != ScalarStyle::Plain,
                });
                return self.begin(start, scalar, anchor > 0, tag.is_some()) && self.end();
            }
            Event::SequenceStart(anchor, tag) => {
                let sequence = Tree::Sequence(Vec::new());
                return self.begin(start, sequence, anchor > 0, tag.is_some());
            }
            Event::MappingStart(anchor, tag) => {
                let mapping = Tree::Mapping(Vec::new());
                return self.begin(start, mapping, anchor > 0, tag.is_some());
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(),
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        true
    }

    fn begin(&mut self, start: Marker, value: Tree, anchored: bool, tagged: bool) -> bool {
        if anchored {
            self.fault(start, ANCHOR.to_owned());
        }
        if tagged {
            self.fault(start, TAG.to_owned());
        }
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            let message = format!("more than the {MAX_NODES} values allowed");
            return self.give_up(start, message);
        }
        let nests = matches!(value, Tree::Sequence(_) | Tree::Mapping(_));
        if nests && self.open.len() >= MAX_DEPTH {
            return self.give_up(start, too_deep());
        }
        let (line, column) = self.place(start);
        self.open.push(Open {
            node: Node {
                line,
                column,
                value,
            },
            key: None,
        });
        true
    }

    /// The innermost node is complete: it goes into the one around it.
    fn end(&mut self) -> bool {
        let Some(Open { node, .. }) = self.open.pop() else {
            return true;
        };
        let Some(parent) = self.open.last_mut() else {
            self.root = Some(node);
            return true;
        };
        match &mut parent.node.value {
            Tree::Sequence(items) => items.push(node),
            Tree::Mapping(entries) => match parent.key.take() {
                Some(key) => entries.push((key, node)),
                None => parent.key = Some(node),
            },
            Tree::Scalar(_) | Tree::Refused => {}
        }
        true
    }

    fn syntax_fault(&mut self, error: &ScanError) {
        let message = match error.info() {
            // An alias of an anchor that does not exist is no better than one that does.
            "while parsing node, found unknown anchor" => ALIAS.to_owned(),
            "recursion limit exceeded" => too_deep(),
            info => format!("not valid YAML: {info}"),
        };
        self.fault(*error.marker(), message);
    }

    fn give_up(&mut self, start: Marker, message: String) -> bool {
        self.fault(start, message);
        self.gave_up = true;
        false
    }

    fn fault(&mut self, start: Marker, message: String) {
        let (line, column) = self.place(start);
        self.faults.push(document_fault(line, column, message));
    }

    /// The parser puts what is missing at the end of a text onto a line of its own.
    fn place(&self, marker: Marker) -> Place {
        (marker.line(), marker.col() + 1).min(self.end)
    }
}
