//! What a definition's expressions are compiled to, once for all files: its rules, the checks of its
//! fields, and the fields that are calculated.
//!
//! It must not know of columns, which every file has in an order of its own.

use std::sync::Arc;

use crate::rules::{Computed, Rules};

/// The expressions of a definition. Two definitions that say the same are the same, so it is not
/// compared.
#[derive(Clone, Default)]
pub(crate) struct Logic(Option<Arc<RowLogic>>);

/// Expressions, ready to run.
#[derive(Debug)]
pub(crate) struct RowLogic {
    pub(crate) rules: Rules,
    /// How each field is calculated, by its place; nothing for those that a column fills.
    computed: Vec<Option<Computed>>,
}

impl Logic {
    /// Nothing, where there is no expression.
    pub(crate) fn new(rules: Rules, computed: Vec<Option<Computed>>) -> Self {
        if rules.is_empty() && computed.iter().all(Option::is_none) {
            return Self(None);
        }
        Self(Some(Arc::new(RowLogic { rules, computed })))
    }

    pub(crate) fn get(&self) -> Option<&RowLogic> {
        self.0.as_deref()
    }
}

impl RowLogic {
    /// How a field is calculated.
    #[inline]
    pub(crate) fn computed(&self, field: usize) -> Option<&Computed> {
        self.computed.get(field)?.as_ref()
    }
}

impl PartialEq for Logic {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl std::fmt::Debug for Logic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Logic")
    }
}
