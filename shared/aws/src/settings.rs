//! The settings of the Lambda functions: plain data, parsed once from the environment, with every
//! fault reported at once.

use std::fmt;
use std::ops::RangeInclusive;

use batchfleet_core::job::Policy;

use crate::tables::Tables;

/// What the functions are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `BATCHFLEET_TABLE`: the DynamoDB table.
    pub table: String,
    /// `BATCHFLEET_UPLOAD_BUCKET`: uploads under `incoming/`, definitions under `definitions/`.
    pub upload_bucket: String,
    /// `BATCHFLEET_RESULTS_BUCKET`: results under `jobs/`.
    pub results_bucket: String,
    /// `BATCHFLEET_WORK_QUEUE_URL`: the queue that wakes workers.
    pub work_queue_url: String,
    /// `BATCHFLEET_PREPARE_QUEUE_URL`: the queue that wakes preparers.
    pub prepare_queue_url: String,
    /// `BATCHFLEET_LEASE_MS`: how long a claimed batch belongs to its worker without a heartbeat.
    /// 60,000 unless set; 3,000 to 900,000.
    pub lease_ms: u64,
    /// `BATCHFLEET_MAX_WORKERS`: how many workers one job wakes at most. 50 unless set.
    pub max_workers: u32,
    /// `BATCHFLEET_TIME_LIMIT_MS`: the function's timeout, for when the deadline that comes with an
    /// event cannot be right. 300,000 unless set.
    pub time_limit_ms: u64,
    /// `BATCHFLEET_TTL_DAYS`: how long the table keeps an ended job's items. 90 unless set.
    pub ttl_days: u32,
    /// `BATCHFLEET_ATTEMPTS_MAX`: how many claims of one batch may die before it is given up.
    /// 5 unless set.
    pub attempts_max: u32,
    /// `BATCHFLEET_DESTINATION_TABLES`: the DynamoDB table that definitions may name as their destination,
    /// or the beginning of the names of several with a `*` behind it. None unless set.
    pub destination_tables: Option<Tables>,
    /// `BATCHFLEET_LOOKUP_TABLES`: likewise the table that definitions may look records up in, besides
    /// their destination. None unless set.
    pub lookup_tables: Option<Tables>,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, in MB, as Lambda sets it: a third of it is for the keys of
    /// unique fields, here in bytes. 1,769 MB unless set.
    pub unique_memory_bytes: u64,
    /// `BATCHFLEET_METERING`: `on` logs the capacity units of every invocation. Off unless set.
    pub metering: bool,
}

/// One setting that does not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingsFault {
    /// It has no default, and is not set.
    #[error("{name} is not set")]
    Missing {
        /// The variable.
        name: &'static str,
    },
    /// It is no whole number within its bounds.
    #[error("{name} must be a whole number from {least} to {most}")]
    OutOfRange {
        /// The variable.
        name: &'static str,
        /// The least that it may be.
        least: u64,
        /// The most that it may be.
        most: u64,
    },
    /// It names no tables.
    #[error("{name} must be the name of a table, or the beginning of one with * behind it")]
    NoTables {
        /// The variable.
        name: &'static str,
    },
    /// It is neither `on` nor `off`.
    #[error("{name} must be on or off")]
    NoSwitch {
        /// The variable.
        name: &'static str,
    },
}

/// All settings that do not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsFaults(pub Vec<SettingsFault>);

impl fmt::Display for SettingsFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings have faults: ")?;
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { "; " };
            write!(f, "{separator}{fault}")?;
        }
        Ok(())
    }
}

impl std::error::Error for SettingsFaults {}

impl Settings {
    /// Reads the settings through `get`, which answers for one variable. An empty variable counts as
    /// one that is not set.
    ///
    /// # Errors
    /// Every fault, together.
    pub fn from_env(get: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsFaults> {
        let mut reader = Reader {
            get,
            faults: Vec::new(),
        };
        let settings = Self {
            table: reader.text("BATCHFLEET_TABLE"),
            upload_bucket: reader.text("BATCHFLEET_UPLOAD_BUCKET"),
            results_bucket: reader.text("BATCHFLEET_RESULTS_BUCKET"),
            work_queue_url: reader.text("BATCHFLEET_WORK_QUEUE_URL"),
            prepare_queue_url: reader.text("BATCHFLEET_PREPARE_QUEUE_URL"),
            lease_ms: reader.number("BATCHFLEET_LEASE_MS", 60_000, 3_000..=900_000),
            // One work message each; more than Lambda's default concurrency never helps.
            max_workers: reader.number("BATCHFLEET_MAX_WORKERS", 50, 1..=1_000) as u32,
            // Lambda's own bounds: 1 s to 15 min.
            time_limit_ms: reader.number("BATCHFLEET_TIME_LIMIT_MS", 300_000, 1_000..=900_000),
            ttl_days: reader.number("BATCHFLEET_TTL_DAYS", 90, 1..=3_650) as u32,
            attempts_max: reader.number("BATCHFLEET_ATTEMPTS_MAX", 5, 1..=100) as u32,
            destination_tables: reader.tables("BATCHFLEET_DESTINATION_TABLES"),
            lookup_tables: reader.tables("BATCHFLEET_LOOKUP_TABLES"),
            unique_memory_bytes: (reader.number(
                "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
                1_769,
                128..=10_240,
            ) << 20)
                / 3,
            metering: reader.switch("BATCHFLEET_METERING", false),
        };
        if reader.faults.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsFaults(reader.faults))
        }
    }

    /// How new jobs are cut and worked.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            lease_ms: self.lease_ms,
            attempts_max: self.attempts_max,
            workers_max: self.max_workers,
            ..Policy::default()
        }
    }

    /// Until when an invocation may run, in milliseconds since 1970. A deadline that is past before
    /// the work begins was never one (a local runtime may send a constant): then the time limit
    /// counts, from now.
    #[must_use]
    pub fn deadline_ms(&self, announced_ms: u64, now_ms: u64) -> u64 {
        if announced_ms > now_ms {
            announced_ms
        } else {
            now_ms + self.time_limit_ms
        }
    }
}

struct Reader<G> {
    get: G,
    faults: Vec<SettingsFault>,
}

impl<G: Fn(&str) -> Option<String>> Reader<G> {
    fn any(&self, name: &str) -> Option<String> {
        (self.get)(name)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty())
    }

    fn text(&mut self, name: &'static str) -> String {
        let value = self.any(name);
        if value.is_none() {
            self.faults.push(SettingsFault::Missing { name });
        }
        value.unwrap_or_default()
    }

    fn number(&mut self, name: &'static str, default: u64, bounds: RangeInclusive<u64>) -> u64 {
        let Some(value) = self.any(name) else {
            return default;
        };
        match value.parse() {
            Ok(number) if bounds.contains(&number) => number,
            _ => {
                let (least, most) = bounds.into_inner();
                self.faults
                    .push(SettingsFault::OutOfRange { name, least, most });
                default
            }
        }
    }

    fn tables(&mut self, name: &'static str) -> Option<Tables> {
        let value = self.any(name)?;
        let tables = Tables::parse(&value);
        if tables.is_none() {
            self.faults.push(SettingsFault::NoTables { name });
        }
        tables
    }

    fn switch(&mut self, name: &'static str, default: bool) -> bool {
        match self.any(name).as_deref() {
            None => default,
            Some("on" | "true" | "1") => true,
            Some("off" | "false" | "0") => false,
            Some(_) => {
                self.faults.push(SettingsFault::NoSwitch { name });
                default
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, SettingsFaults> {
        let required = [
            ("BATCHFLEET_TABLE", "t"),
            ("BATCHFLEET_UPLOAD_BUCKET", "u"),
            ("BATCHFLEET_RESULTS_BUCKET", "r"),
            ("BATCHFLEET_WORK_QUEUE_URL", "http://w"),
            ("BATCHFLEET_PREPARE_QUEUE_URL", "http://p"),
        ];
        Settings::from_env(|name| {
            let found = pairs.iter().chain(&required).find(|(key, _)| *key == name);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn defaults_are_those_of_the_documentation() {
        let settings = settings(&[("BATCHFLEET_LEASE_MS", "")]).unwrap();
        assert_eq!(
            (
                settings.lease_ms,
                settings.max_workers,
                settings.time_limit_ms,
                settings.ttl_days
            ),
            (60_000, 50, 300_000, 90)
        );
        assert_eq!((settings.attempts_max, settings.metering), (5, false));
        assert_eq!(settings.destination_tables, None);
        assert_eq!(settings.lookup_tables, None);
        assert_eq!(settings.policy(), Policy::default());
    }

    #[test]
    fn every_fault_is_reported_at_once() {
        let faults = settings(&[
            ("BATCHFLEET_TABLE", ""),
            ("BATCHFLEET_LEASE_MS", "2999"),
            ("BATCHFLEET_MAX_WORKERS", "many"),
            ("BATCHFLEET_DESTINATION_TABLES", "*"),
            ("BATCHFLEET_METERING", "maybe"),
        ])
        .unwrap_err();
        assert_eq!(
            faults.to_string(),
            "the settings have faults: BATCHFLEET_TABLE is not set; \
             BATCHFLEET_LEASE_MS must be a whole number from 3000 to 900000; \
             BATCHFLEET_MAX_WORKERS must be a whole number from 1 to 1000; \
             BATCHFLEET_DESTINATION_TABLES must be the name of a table, or the beginning of one with * \
             behind it; \
             BATCHFLEET_METERING must be on or off"
        );
    }

    #[test]
    fn a_deadline_that_is_past_at_the_start_is_none() {
        let settings = settings(&[]).unwrap();
        assert_eq!(settings.deadline_ms(2_000, 1_000), 2_000);
        assert_eq!(settings.deadline_ms(1_000, 1_000), 301_000);
    }
}
