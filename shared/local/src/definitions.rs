//! One definition, given at the start of the run. Knows nothing of what is in it.

use async_trait::async_trait;
use batchfleet_core::PortResult;
use batchfleet_core::ports::{Definitions, FoundDefinition};

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
    async fn definition(&self, name: &str) -> PortResult<FoundDefinition> {
        Ok(if name == self.name {
            FoundDefinition::Text(self.text.clone())
        } else {
            FoundDefinition::Missing
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_its_own_name_is_found() {
        let definitions = FixedDefinitions::new("people", "fields: {}");
        let found = definitions.definition("people").await.unwrap();
        assert_eq!(found, FoundDefinition::Text("fields: {}".to_owned()));
        let other = definitions.definition("other").await.unwrap();
        assert_eq!(other, FoundDefinition::Missing);
    }
}
