//! What is compiled from one field of a definition, once for all files: its transforms, the
//! conversion to its type, and the checks of what that yields.
//!
//! It must not know of columns, which every file has in an order of its own.

use crate::constraint::Checks;
use crate::transform::Steps;
use crate::types::{Converter, FieldType, TypeOptions};

/// A field, ready to run.
#[derive(Debug)]
pub(crate) struct FieldPlan {
    pub(crate) steps: Steps,
    pub(crate) converter: Converter,
    /// Nothing where there is nothing to check.
    pub(crate) checks: Option<Checks>,
}

impl FieldPlan {
    /// Of a field that is text and nothing else.
    pub(crate) fn text() -> Option<Self> {
        Some(Self {
            steps: Steps::default(),
            converter: Converter::compile(FieldType::String, &TypeOptions::default()).ok()?,
            checks: None,
        })
    }
}
