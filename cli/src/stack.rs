//! A deployed stack: which one a command is about, and what its parts are called.
//!
//! A part is named by its flag, else by its variable, else by the tags of the stack's table. A
//! `--stack` on the command line goes before variables, which may be those of another stack.

use std::collections::BTreeMap;
use std::fmt;

use batchfleet_aws::Clients;
use batchfleet_aws::operator::{
    DeadLetters, Queues, StackError, is_stack_name, parts_of_stack, table_of_stack,
};
use batchfleet_core::error::chain;

use crate::args::StackArgs;
use crate::outcome::Failure;

/// The variable that names a stack.
const STACK_VARIABLE: &str = "BATCHFLEET_STACK";

/// Something that a stack consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    Table,
    UploadBucket,
    ResultsBucket,
    WorkQueue,
    PrepareQueue,
    WorkDeadLetters,
    PrepareDeadLetters,
    UploadDeadLetters,
}

impl Part {
    const ALL: [Self; 8] = [
        Self::Table,
        Self::UploadBucket,
        Self::ResultsBucket,
        Self::WorkQueue,
        Self::PrepareQueue,
        Self::WorkDeadLetters,
        Self::PrepareDeadLetters,
        Self::UploadDeadLetters,
    ];

    /// Its tag on the table (none for the table itself), its variable, and its flag if it has one.
    fn names(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Table => ("", "BATCHFLEET_TABLE", Some("--table")),
            Self::UploadBucket => (
                "upload-bucket",
                "BATCHFLEET_UPLOAD_BUCKET",
                Some("--upload-bucket"),
            ),
            Self::ResultsBucket => (
                "results-bucket",
                "BATCHFLEET_RESULTS_BUCKET",
                Some("--results-bucket"),
            ),
            Self::WorkQueue => ("work-queue", "BATCHFLEET_WORK_QUEUE_URL", None),
            Self::PrepareQueue => (
                "prepare-queue",
                "BATCHFLEET_PREPARE_QUEUE_URL",
                Some("--prepare-queue-url"),
            ),
            Self::WorkDeadLetters => (
                "work-dead-letters",
                "BATCHFLEET_WORK_DEAD_LETTER_QUEUE_URL",
                None,
            ),
            Self::PrepareDeadLetters => (
                "prepare-dead-letters",
                "BATCHFLEET_PREPARE_DEAD_LETTER_QUEUE_URL",
                None,
            ),
            Self::UploadDeadLetters => (
                "upload-dead-letters",
                "BATCHFLEET_UPLOAD_DEAD_LETTER_QUEUE_URL",
                None,
            ),
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.names() {
            (_, variable, Some(flag)) => write!(f, "{flag} (or {variable})"),
            (_, variable, None) => f.write_str(variable),
        }
    }
}

/// A stack that a command is about.
pub(crate) struct Stack {
    pub(crate) clients: Clients,
    parts: BTreeMap<Part, String>,
    /// What a person adds to a command to mean this stack.
    pub(crate) words: String,
}

/// Whether arguments or variables name a stack.
pub(crate) fn is_named(args: &StackArgs) -> bool {
    is_named_with(args, variable)
}

fn is_named_with(args: &StackArgs, variable: impl Fn(&str) -> Option<String>) -> bool {
    let (_, table, _) = Part::Table.names();
    args.stack.is_some()
        || args.table.is_some()
        || [STACK_VARIABLE, table]
            .into_iter()
            .any(|name| variable(name).is_some())
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

impl Stack {
    /// Finds out what the parts are called. `more` are parts that only some commands have flags for.
    pub(crate) async fn open(
        args: &StackArgs,
        more: &[(Part, Option<&String>)],
    ) -> Result<Self, Failure> {
        let clients = Clients::in_region(args.region.clone()).await;
        let mut parts = given(args, more, variable);
        let stack = args.stack.clone().or_else(|| variable(STACK_VARIABLE));
        let is_incomplete = Part::ALL.iter().any(|part| !parts.contains_key(part));
        if let Some(stack) = stack.filter(|_| is_incomplete) {
            for (part, name) in find(&clients, &stack).await? {
                parts.entry(part).or_insert(name);
            }
        }
        let mut words = String::new();
        for (flag, value) in [("--stack", &args.stack), ("--region", &args.region)] {
            if let (Some(value), Some(_)) = (value, &args.stack) {
                words.extend([" ", flag, " ", value]);
            }
        }
        Ok(Self {
            clients,
            parts,
            words,
        })
    }

    /// What a part is called.
    pub(crate) fn name(&self, part: Part) -> Result<&str, Failure> {
        self.parts.get(&part).map(String::as_str).ok_or_else(|| {
            Failure::usage(format!(
                "the command needs {part}, or the whole stack's name by --stack (or {STACK_VARIABLE})"
            ))
        })
    }

    /// Its dead-letter queues.
    pub(crate) fn dead_letters(&self) -> Result<DeadLetters, Failure> {
        let queues = Queues {
            work: self.name(Part::WorkQueue)?.to_owned(),
            prepare: self.name(Part::PrepareQueue)?.to_owned(),
            dead: [
                self.name(Part::WorkDeadLetters)?.to_owned(),
                self.name(Part::PrepareDeadLetters)?.to_owned(),
                self.name(Part::UploadDeadLetters)?.to_owned(),
            ],
        };
        Ok(DeadLetters::new(self.clients.sqs.clone(), queues))
    }
}

/// The parts that flags and variables name.
fn given(
    args: &StackArgs,
    more: &[(Part, Option<&String>)],
    variable: impl Fn(&str) -> Option<String>,
) -> BTreeMap<Part, String> {
    let mut flags = BTreeMap::from([
        (Part::Table, args.table.as_ref()),
        (Part::ResultsBucket, args.results_bucket.as_ref()),
    ]);
    flags.extend(more.iter().copied());
    let mut parts = BTreeMap::new();
    for part in Part::ALL {
        let flag = flags.get(&part).copied().flatten().cloned();
        let (_, name, _) = part.names();
        let variable = || variable(name).filter(|_| args.stack.is_none());
        if let Some(name) = flag.or_else(variable) {
            parts.insert(part, name);
        }
    }
    parts
}

/// The parts of the stack of this name.
async fn find(clients: &Clients, stack: &str) -> Result<BTreeMap<Part, String>, Failure> {
    if !is_stack_name(stack) {
        return Err(Failure::usage(format!(
            "{stack:?} is no name of a stack: it begins with a letter and has letters, digits and \
             hyphens, 128 at most"
        )));
    }
    let mut tags = parts_of_stack(&clients.dynamodb, stack)
        .await
        .map_err(|error| not_found(stack, &error))?;
    let mut parts = BTreeMap::from([(Part::Table, table_of_stack(stack))]);
    for part in Part::ALL {
        let (tag, ..) = part.names();
        parts.extend(tags.remove(tag).map(|name| (part, name)));
    }
    Ok(parts)
}

fn not_found(stack: &str, error: &StackError) -> Failure {
    match error {
        StackError::Missing { .. } => Failure::usage(format!(
            "there is no stack {stack} here ({error}): the AWS credentials name the account, and \
             --region, or else the AWS configuration, the region"
        )),
        StackError::Foreign { .. } => Failure::usage(format!(
            "{error}: it is not batchfleet's, or its stack was deployed by an older release; deploy that \
             again, or name its parts one by one"
        )),
        StackError::Port(cause) if cause.is_retryable() => Failure::stopped(chain(cause)),
        StackError::Port(cause) => Failure::stopped(format!(
            "cannot look the stack {stack} up: {}; this needs dynamodb:DescribeTable and \
             dynamodb:ListTagsOfResource of the table {}, or the parts named one by one",
            chain(cause),
            table_of_stack(stack)
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(stack: Option<&str>, table: Option<&str>) -> StackArgs {
        StackArgs {
            stack: stack.map(str::to_owned),
            table: table.map(str::to_owned),
            results_bucket: None,
            region: None,
        }
    }

    fn variables(name: &str) -> Option<String> {
        match name {
            "BATCHFLEET_TABLE" => Some("variable".to_owned()),
            "BATCHFLEET_WORK_QUEUE_URL" => Some("queue".to_owned()),
            _ => None,
        }
    }

    #[test]
    fn flags_go_before_variables() {
        let parts = given(&args(None, Some("flag")), &[], variables);
        assert_eq!(parts[&Part::Table], "flag");
        assert_eq!(parts[&Part::WorkQueue], "queue");
        assert_eq!(parts.len(), 2);
        let url = "url".to_owned();
        let parts = given(
            &args(None, None),
            &[(Part::PrepareQueue, Some(&url))],
            variables,
        );
        assert_eq!(parts[&Part::Table], "variable");
        assert_eq!(parts[&Part::PrepareQueue], "url");
    }

    #[test]
    fn a_stack_that_is_asked_for_is_mixed_with_no_variables_of_another() {
        let parts = given(&args(Some("other"), None), &[], variables);
        assert_eq!(parts, BTreeMap::new());
        let parts = given(&args(Some("other"), Some("flag")), &[], variables);
        assert_eq!(parts, BTreeMap::from([(Part::Table, "flag".to_owned())]));
    }

    #[test]
    fn a_stack_is_meant_where_it_or_its_table_is_named() {
        let none = |_: &str| None;
        assert!(!is_named_with(&args(None, None), none));
        assert!(is_named_with(&args(Some("s"), None), none));
        assert!(is_named_with(&args(None, Some("t")), none));
        assert!(is_named_with(&args(None, None), variables));
        let named = |name: &str| (name == STACK_VARIABLE).then(|| "s".to_owned());
        assert!(is_named_with(&args(None, None), named));
    }

    #[test]
    fn what_is_missing_is_told_with_what_to_do() {
        let table = "prod-jobs".to_owned();
        let missing = not_found(
            "prod",
            &StackError::Missing {
                table: table.clone(),
            },
        );
        assert_eq!(missing.code, 2);
        assert!(
            missing
                .message
                .starts_with("there is no stack prod here (there is no table prod-jobs): ")
        );
        let foreign = not_found("prod", &StackError::Foreign { table });
        assert_eq!(foreign.code, 2);
        assert!(
            foreign
                .message
                .starts_with("the table prod-jobs has no tags that name the parts of a stack: ")
        );
        let refused = batchfleet_core::PortError::refused("find the stack's table", "denied");
        let refused = not_found("prod", &refused.into());
        assert_eq!(refused.code, 1);
        assert!(refused.message.contains("denied; this needs dynamodb:"));
    }
}
