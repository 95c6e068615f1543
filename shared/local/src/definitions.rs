//! One definition, given at the start of the run. Knows nothing of what is in it.

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::ports::Definitions;

/// The one definition of a run.
#[derive(Clone, Debug)]
pub struct FixedDefinitions {
    name: String,
    text: String,
}

impl FixedDefinitions {
    /// The definition `text` under `name`, and no other.
    #[must_use]
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            text: text.into(),
        }
    }
}

#[async_trait]
impl Definitions for FixedDefinitions {
    async fn definition(&self, name: &str) -> PortResult<Option<String>> {
        Ok((name == self.name).then(|| self.text.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_its_own_name_is_found() {
        let definitions = FixedDefinitions::new("people", "fields: {}");
        let found = definitions.definition("people").await.unwrap();
        assert_eq!(found.as_deref(), Some("fields: {}"));
        assert_eq!(definitions.definition("other").await.unwrap(), None);
    }
}
