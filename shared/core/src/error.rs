//! The errors of the ports, by what the caller will do about them.

/// Whatever caused an adapter's failure.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// A port's failure. Losing a race is never one: that is a value of the outcome types.
#[derive(Debug, thiserror::Error)]
pub enum PortError {
    /// Throttled, timed out, cut off: the same call may succeed later.
    #[error("{action} did not succeed for now")]
    Transient {
        /// What was tried, for example `claim batch`.
        action: &'static str,
        /// What the adapter met.
        #[source]
        cause: Cause,
    },
    /// The service has too much to do: the same call may succeed later, and fewer calls soonest.
    #[error("{action} was throttled")]
    Throttled {
        /// What was tried.
        action: &'static str,
        /// What the adapter met.
        #[source]
        cause: Cause,
    },
    /// Refused: it will be refused again until someone changes a setting or a permission.
    #[error("{action} was refused")]
    Refused {
        /// What was tried.
        action: &'static str,
        /// What the adapter met.
        #[source]
        cause: Cause,
    },
    /// Something stored does not read back. A defect, or another program's writing.
    #[error("{what} is not as this release writes it")]
    Corrupt {
        /// What was read.
        what: &'static str,
        /// Where it does not fit.
        #[source]
        cause: Cause,
    },
    /// The pinned version of the source is no longer there (I5).
    #[error("the source was changed or removed after the job began")]
    SourceChanged,
    /// A part of the job's spool, or the marks of a batch, are no longer there: they are kept until the
    /// job is over, for some days.
    #[error("what was kept beside the source is no longer there")]
    SpoolGone,
    /// An output of that name exists with other content.
    #[error("the output {name} exists with other content")]
    Conflict {
        /// The output.
        name: String,
    },
}

impl PortError {
    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Transient { .. } | Self::Throttled { .. } => true,
            Self::Refused { .. }
            | Self::Corrupt { .. }
            | Self::SourceChanged
            | Self::SpoolGone
            | Self::Conflict { .. } => false,
        }
    }

    /// A [`PortError::Transient`].
    pub fn transient(action: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Transient {
            action,
            cause: cause.into(),
        }
    }

    /// A [`PortError::Throttled`].
    pub fn throttled(action: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Throttled {
            action,
            cause: cause.into(),
        }
    }

    /// A [`PortError::Refused`].
    pub fn refused(action: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Refused {
            action,
            cause: cause.into(),
        }
    }

    /// A [`PortError::Corrupt`].
    pub fn corrupt(what: &'static str, cause: impl Into<Cause>) -> Self {
        Self::Corrupt {
            what,
            cause: cause.into(),
        }
    }
}

/// What the ports return.
pub type PortResult<T> = Result<T, PortError>;

/// An error with what caused it, on one line, for logs.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}
