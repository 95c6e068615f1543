//! `batchfleet check`: what an import of a file would come to, without one. Nothing is written but
//! what is printed.
//!
//! The file is opened, decoded, split and checked as an import does, by the same code, window by
//! window. It must not know how the outcome is printed.

mod report;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::ExitCode;

use batchfleet_core::head::HEAD_BYTES;
use batchfleet_core::job::{Reason, ReasonCode};
use batchfleet_core::opening::{self, Opened};
use batchfleet_core::ports::Clock as _;
use batchfleet_core::preview::{Extent, Looked, Preview, PreviewError};
use batchfleet_core::process::JobPlan;
use batchfleet_decode::{Decoder, Limits, Notes, Pulled};
use batchfleet_definition::Definition;
use batchfleet_local::{FileSource, SystemClock};
use batchfleet_spills::FileSpills;
use bytes::Bytes;

use crate::args::CheckArgs;
use crate::definition;
use crate::outcome::Failure;

/// Bytes read at once, and the length of a piece of decoded text.
const WINDOW_BYTES: usize = 1 << 20;

/// Keys of unique values that are kept in memory, in bytes; what is more goes to a temporary file
/// that has no name and is gone with the process.
const UNIQUE_BYTES: u64 = 512 << 20;

/// What is known of the file once it was looked at.
struct Checked {
    opened: Opened,
    /// The definition bound to the header; none where it does not fit.
    plan: Option<JobPlan>,
    looked: Looked,
    /// Whether every row was looked at.
    is_whole: bool,
    notes: Notes,
    /// Why an import would end before, or would not begin.
    reason: Option<Reason>,
    elapsed_ms: u64,
}

/// Runs the command.
pub(crate) fn check(args: &CheckArgs) -> Result<ExitCode, Failure> {
    let definition = match &args.definition {
        Some(path) => definition::read(path)?,
        None => Definition::open(),
    };
    let outcome = look(args, &definition)?;
    let (is_good, report) = match outcome {
        Ok(checked) => (
            checked.is_good(),
            report::of(&args.file, &definition, &checked),
        ),
        Err(reason) => (false, report::refused(&args.file, &reason)),
    };
    report.print(args.json);
    Ok(if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(1)
    })
}

impl Checked {
    fn is_good(&self) -> bool {
        self.reason.is_none() && self.looked.counts.rejected == 0
    }
}

/// Looks at the file: what came of it, or why an import could not even find its table.
fn look(args: &CheckArgs, definition: &Definition) -> Result<Result<Checked, Reason>, Failure> {
    let path = &args.file;
    let described = FileSource::describe(path);
    let size = described
        .map_err(|error| Failure::stopped(batchfleet_core::error::chain(&error)))?
        .size;
    let unreadable =
        |error: io::Error| Failure::stopped(format!("cannot read {}: {error}", path.display()));
    let mut file = File::open(path).map_err(unreadable)?;
    let clock = SystemClock::new();
    let started_ms = clock.now_ms();
    let mut head = Vec::new();
    (&mut file)
        .take(HEAD_BYTES)
        .read_to_end(&mut head)
        .map_err(unreadable)?;
    let is_all = head.len() as u64 >= size;
    let opened = match opening::open(&head, is_all, definition, WINDOW_BYTES as u64) {
        Ok(opened) => opened,
        Err(reason) => return Ok(Err(reason)),
    };
    let mut checked = Checked {
        plan: None,
        looked: Looked::default(),
        is_whole: false,
        notes: Notes::default(),
        reason: None,
        elapsed_ms: 0,
        opened,
    };
    match JobPlan::bind(definition, checked.opened.layout.clone()) {
        Ok(plan) => {
            let extent = Extent {
                rows_max: (!args.all).then_some(args.rows),
                unique_bytes: unique_bytes(&plan),
            };
            let spills = FileSpills::new(std::env::temp_dir());
            let mut preview = Preview::new(definition, &plan, extent, &spills);
            let read = read_rows(&mut file, &checked.opened, &mut preview, &mut checked.notes);
            checked.looked = preview.looked();
            match read {
                Ok(is_whole) => checked.is_whole = is_whole,
                Err(Broken::Io(error)) => return Err(unreadable(error)),
                Err(Broken::Job(reason)) => checked.reason = Some(reason),
                Err(Broken::Spill(error)) => {
                    return Err(Failure::stopped(batchfleet_core::error::chain(&error)));
                }
            }
            checked.plan = Some(plan);
        }
        Err(faults) => {
            checked.reason = Some(Reason {
                code: ReasonCode::BadHeader,
                message: faults.to_string(),
            });
        }
    }
    checked.elapsed_ms = clock.now_ms().saturating_sub(started_ms);
    Ok(Ok(checked))
}

fn unique_bytes(plan: &JobPlan) -> u64 {
    let constraints = plan.rows().unique_constraints().len().max(1);
    UNIQUE_BYTES / constraints as u64
}

/// Why the reading stopped short.
enum Broken {
    Io(io::Error),
    Job(Reason),
    Spill(PreviewError),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<PreviewError> for Broken {
    fn from(error: PreviewError) -> Self {
        match error {
            PreviewError::Split(error) => Self::Job(Reason {
                code: ReasonCode::RecordUnbounded,
                message: error.to_string(),
            }),
            PreviewError::Spill(_) => Self::Spill(error),
        }
    }
}

/// Reads rows until there are enough, or the end; says whether it was the end.
fn read_rows(
    file: &mut File,
    opened: &Opened,
    preview: &mut Preview<'_>,
    notes: &mut Notes,
) -> Result<bool, Broken> {
    let layout = &opened.layout;
    let is_whole = match &layout.spool {
        None => {
            file.seek(SeekFrom::Start(layout.data.offset))?;
            read_plain(file, preview)?
        }
        Some(spool) => {
            file.rewind()?;
            let columns = layout
                .header
                .get(layout.own_columns()..)
                .unwrap_or_default();
            let mut decoder = Decoder::new(&spool.format, columns, Limits::default())
                .map_err(|error| undecodable(&error))?;
            let read = read_decoded(file, layout.data.offset, &mut decoder, preview);
            *notes = decoder.notes();
            read?
        }
    };
    if is_whole {
        preview.finish()?;
    }
    Ok(is_whole)
}

fn read_plain(file: &mut File, preview: &mut Preview<'_>) -> Result<bool, Broken> {
    let mut window = vec![0; WINDOW_BYTES];
    loop {
        let read = read_some(file, &mut window)?;
        if read == 0 {
            return Ok(true);
        }
        if !preview.push(&window[..read])? {
            return Ok(false);
        }
    }
}

/// Decodes the file from its first byte; the data begins `before` bytes into its text.
fn read_decoded(
    file: &mut File,
    before: u64,
    decoder: &mut Decoder,
    preview: &mut Preview<'_>,
) -> Result<bool, Broken> {
    let mut before = before as usize;
    let mut text = Vec::new();
    loop {
        text.clear();
        let pulled = decoder.pull(&mut text, WINDOW_BYTES);
        // What came before a fault is text all the same.
        let passed = before.min(text.len());
        before -= passed;
        if passed < text.len() && !preview.push(&text[passed..])? {
            return Ok(false);
        }
        match pulled.map_err(|error| undecodable(&error))? {
            Pulled::Full => {}
            Pulled::Done => return Ok(true),
            Pulled::Hungry => {
                let mut window = vec![0; WINDOW_BYTES];
                let read = read_some(file, &mut window)?;
                window.truncate(read);
                if read == 0 {
                    decoder.end();
                }
                decoder.push(Bytes::from(window));
            }
        }
    }
}

fn undecodable(error: &batchfleet_decode::DecodeError) -> Broken {
    Broken::Job(Reason {
        code: ReasonCode::BadSource,
        message: error.to_string(),
    })
}

/// Fills as much of the window as the file has.
fn read_some(file: &mut File, window: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < window.len() {
        match file.read(&mut window[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// A path as people gave it.
fn shown(path: &Path) -> String {
    path.display().to_string()
}
