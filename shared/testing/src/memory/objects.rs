//! Sources, results and definitions in memory.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;
use std::sync::Mutex;

use async_trait::async_trait;
use batchfleet_core::checksum::FileSum;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{Definitions, FoundDefinition, PutOutcome, Results, Source};
use batchfleet_core::source::SourceRef;
use batchfleet_core::{PortError, PortResult};
use bytes::{Bytes, BytesMut};

use super::lock;

/// Buckets in memory, all with versions or all without.
#[derive(Debug, Default)]
pub struct MemorySource {
    versioned: bool,
    objects: Mutex<Objects>,
}

#[derive(Debug, Default)]
struct Objects {
    puts: u64,
    /// The versions of each key; a bucket without versions keeps one at most.
    versions: HashMap<(String, String), Vec<(SourceRef, Bytes)>>,
}

impl MemorySource {
    /// Buckets that keep the newest content only: reads are pinned by the `ETag`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Buckets that keep every version: reads are pinned by the version's id.
    #[must_use]
    pub fn versioned() -> Self {
        Self {
            versioned: true,
            ..Self::default()
        }
    }

    /// Writes an object, or writes over it, and answers the reference that its event would carry.
    pub fn put(&self, bucket: &str, key: &str, content: impl Into<Bytes>) -> SourceRef {
        let content = content.into();
        let mut objects = lock(&self.objects);
        objects.puts += 1;
        let source = SourceRef {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
            version: self.versioned.then(|| format!("v{}", objects.puts)),
            etag: etag(&content),
            sequencer: Some(format!("{:016X}", objects.puts)),
            size: content.len() as u64,
            attempt: 0,
            redrive: None,
        };
        let versions = objects
            .versions
            .entry((bucket.to_owned(), key.to_owned()))
            .or_default();
        if !self.versioned {
            versions.clear();
        }
        versions.push((source.clone(), content));
        source
    }

    /// Removes an object with all its versions.
    pub fn remove(&self, bucket: &str, key: &str) {
        lock(&self.objects)
            .versions
            .remove(&(bucket.to_owned(), key.to_owned()));
    }
}

/// Like that of S3: equal for equal content.
fn etag(content: &Bytes) -> String {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

#[async_trait]
impl Source for MemorySource {
    async fn read(&self, source: &SourceRef, range: Range<u64>) -> PortResult<Bytes> {
        let objects = lock(&self.objects);
        let versions = objects
            .versions
            .get(&(source.bucket.clone(), source.key.clone()))
            .ok_or(PortError::SourceChanged)?;
        let pinned = |(kept, _): &&(SourceRef, Bytes)| match &source.version {
            Some(version) => kept.version.as_ref() == Some(version),
            None => kept.etag == source.etag,
        };
        // Without a version's id, only what is there now is ever asked.
        let (_, content) = versions
            .iter()
            .rev()
            .take(if source.version.is_some() {
                usize::MAX
            } else {
                1
            })
            .find(pinned)
            .ok_or(PortError::SourceChanged)?;
        if range.start > range.end || range.end > content.len() as u64 {
            let cause = format!("{range:?} of {} bytes", content.len());
            return Err(PortError::refused("read source", cause));
        }
        Ok(content.slice(range.start as usize..range.end as usize))
    }
}

/// What jobs produced, in memory.
#[derive(Debug, Default)]
pub struct MemoryResults {
    objects: Mutex<BTreeMap<(JobId, String), Bytes>>,
}

impl MemoryResults {
    /// No results yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The names that a job has written, in order.
    #[must_use]
    pub fn names(&self, job: &JobId) -> Vec<String> {
        lock(&self.objects)
            .keys()
            .filter(|(owner, _)| owner == job)
            .map(|(_, name)| name.clone())
            .collect()
    }
}

#[async_trait]
impl Results for MemoryResults {
    async fn put_once(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<PutOutcome> {
        let key = (job.clone(), name.to_owned());
        let mut objects = lock(&self.objects);
        match objects.get(&key) {
            None => {
                objects.insert(key, content);
                Ok(PutOutcome::Created)
            }
            Some(kept) if *kept == content => Ok(PutOutcome::Existed),
            Some(_) => Err(PortError::Conflict { name: key.1 }),
        }
    }

    async fn put(&self, job: &JobId, name: &str, content: Bytes) -> PortResult<()> {
        lock(&self.objects).insert((job.clone(), name.to_owned()), content);
        Ok(())
    }

    async fn join(
        &self,
        job: &JobId,
        name: &str,
        head: Bytes,
        parts: &[String],
    ) -> PortResult<FileSum> {
        let mut objects = lock(&self.objects);
        let mut whole = BytesMut::from(head);
        for part in parts {
            let content = objects
                .get(&(job.clone(), part.clone()))
                .ok_or_else(|| PortError::refused("join results", format!("no part {part}")))?;
            whole.extend_from_slice(content);
        }
        let whole = whole.freeze();
        let sum = FileSum::of(&whole);
        objects.insert((job.clone(), name.to_owned()), whole);
        Ok(sum)
    }

    async fn get(&self, job: &JobId, name: &str) -> PortResult<Option<Bytes>> {
        Ok(lock(&self.objects)
            .get(&(job.clone(), name.to_owned()))
            .cloned())
    }

    fn location(&self, job: &JobId, name: &str) -> String {
        format!("memory://{job}/{name}")
    }
}

/// Definitions by name, in memory.
#[derive(Debug, Default)]
pub struct MemoryDefinitions {
    texts: Mutex<HashMap<String, String>>,
}

impl MemoryDefinitions {
    /// No definitions yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Keeps a definition, whatever was there.
    pub fn insert(&self, name: impl Into<String>, text: impl Into<String>) {
        lock(&self.texts).insert(name.into(), text.into());
    }

    /// Forgets a definition.
    pub fn remove(&self, name: &str) {
        lock(&self.texts).remove(name);
    }
}

#[async_trait]
impl Definitions for MemoryDefinitions {
    async fn definition(&self, name: &str) -> PortResult<FoundDefinition> {
        Ok(match lock(&self.texts).get(name) {
            Some(text) => FoundDefinition::Text(text.clone()),
            None => FoundDefinition::Missing,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn definitions_are_found_by_name() {
        let definitions = MemoryDefinitions::new();
        definitions.insert("people", "fields: {}");
        let found = definitions.definition("people").await.unwrap();
        assert_eq!(found, FoundDefinition::Text("fields: {}".to_owned()));
        let others = definitions.definition("others").await.unwrap();
        assert_eq!(others, FoundDefinition::Missing);
    }

    #[tokio::test]
    async fn results_are_listed_by_job() {
        let results = MemoryResults::new();
        let (job, other) = (JobId::derive(&["a"]), JobId::derive(&["b"]));
        results.put(&job, "y", Bytes::new()).await.unwrap();
        results.put(&job, "x", Bytes::new()).await.unwrap();
        results.put(&other, "z", Bytes::new()).await.unwrap();
        assert_eq!(results.names(&job), ["x", "y"]);
    }
}
