//! `batchfleet infer`: a definition from a file, with comments that say on what evidence.
//!
//! The file is read twice: once to see what it is, and once through the definition that follows, with the
//! check of an import. So what is printed accepts that file, but for rows that no definition can accept,
//! and those are said.

mod rows;

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

use batchfleet_core::head::HEAD_BYTES;
use batchfleet_core::job::Layout;
use batchfleet_core::opening;
use batchfleet_decode::{Container, LateKeys, unpack_head};
use batchfleet_definition::{Definition, Field};
use batchfleet_detect::infer::{Check, Inferred, Origin, Outcome, Profile, reads_alike};
use batchfleet_detect::{Found, FoundEncoding, decode_head, encoding, table};

use crate::args::InferArgs;
use crate::infer::rows::{Seen, each};
use crate::outcome::Failure;
use crate::terminal::{note, say};

/// How often a claim that the file refutes is taken back. Each time there is at least one less.
const ROUNDS_MAX: u32 = 8;

/// Bytes of a part of decoded text, where nothing is kept of it.
const PART_BYTES: u64 = 1 << 20;

/// The file, its first bytes, and how they are read.
struct Opened<'a> {
    args: &'a InferArgs,
    /// What it is called in messages.
    name: String,
    head: Vec<u8>,
    /// Whether the head is all of it.
    whole: bool,
    layout: Layout,
    /// Its table and the head's text; nothing of JSON.
    table: Option<(Found, FoundEncoding, Vec<u8>)>,
}

/// Runs the command.
pub(crate) fn infer(args: &InferArgs) -> Result<ExitCode, Failure> {
    let mut input = open(&args.file)?;
    let opened = Opened::of(args, &mut *input)?;
    let mut profile = Profile::new(opened.layout.header.len());
    let mut stream = io::Cursor::new(opened.head.as_slice()).chain(input);
    let is_whole = opened.each(&mut stream, &opened.layout, |seen| match seen {
        Seen::Record(record, line) => profile.add(record, line),
        Seen::Unreadable(line) => profile.add_unreadable(line),
    })?;
    let mut inferred = profile.finish(&Origin {
        file: &opened.name,
        columns: &opened.layout.header,
        encoding: opened.table.as_ref().map(|(_, encoding, _)| encoding),
        found: opened.table.as_ref().map(|(found, _, _)| found),
        whole: is_whole,
    });
    if !is_regular(&args.file) {
        let sentence = "It was read once, as it came through a pipe: the definition was not checked against it.";
        inferred.note(sentence.to_owned());
        note!("batchfleet: {sentence}");
        say!("{}", inferred.to_yaml().trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    let proof = opened.prove(&mut inferred)?;
    say!("{}", inferred.to_yaml().trim_end());
    Ok(told(&opened.name, &proof))
}

/// Says beside the result what a definition can't mend, and whether it accepts the file.
fn told(name: &str, proof: &Proof) -> ExitCode {
    match proof {
        Proof::Checked(outcome) => {
            if outcome.unreadable > 0 {
                note!(
                    "batchfleet: {} rows of {name} can't be read, whatever the definition: the first comments say which",
                    outcome.unreadable
                );
            }
            if outcome.refused == 0 {
                return ExitCode::SUCCESS;
            }
            note!(
                "batchfleet: the definition refuses {} rows of {name}; loosen it by hand",
                outcome.refused
            );
        }
        Proof::Refused(why) => note!("batchfleet: {name}: {why}"),
    }
    ExitCode::from(1)
}

/// What came of checking the definition against its file.
enum Proof {
    Checked(Outcome),
    /// It does not get as far as the rows.
    Refused(String),
}

impl<'a> Opened<'a> {
    fn of(args: &'a InferArgs, input: &mut dyn Read) -> Result<Self, Failure> {
        let name = if args.file.as_os_str() == "-" {
            "stdin".to_owned()
        } else {
            let name = args.file.file_name().unwrap_or(args.file.as_os_str());
            name.to_string_lossy().into_owned()
        };
        let mut head = Vec::new();
        input
            .take(HEAD_BYTES + 1)
            .read_to_end(&mut head)
            .map_err(|error| unreadable(&args.file, &error))?;
        // One byte more tells whether there is more; it stays in the head that is read again.
        let whole = head.len() as u64 <= HEAD_BYTES;
        let first = &head[..head.len().min(HEAD_BYTES as usize)];
        let refused = |why: &str| Failure::stopped(format!("{name}: {why}"));
        let mut layout = opening::layout(first, whole, &Definition::open(), PART_BYTES)
            .map_err(|reason| refused(&reason.message))?;
        // A key that comes late is no fault of a row, once there are fields.
        if let Some(json) = layout
            .spool
            .as_mut()
            .and_then(|spool| spool.format.json.as_mut())
        {
            json.late_keys = LateKeys::Ignore;
        }
        let table = if layout.is_json() {
            None
        } else {
            let (text, encoding, text_whole) =
                text_of(first, whole, None).map_err(|why| refused(&why))?;
            let reading = Definition::open().reading().clone();
            let found = table(&text, text_whole, &reading, &[]);
            found.ok().map(|found| (found, encoding, text))
        };
        Ok(Self {
            args,
            name,
            head,
            whole,
            layout,
            table,
        })
    }

    /// Takes the records of the file in turn, as many as are asked for; and says whether that was all.
    fn each(
        &self,
        stream: &mut dyn Read,
        layout: &Layout,
        mut take: impl FnMut(Seen<'_>),
    ) -> Result<bool, Failure> {
        each(stream, layout, self.args.rows, &mut take)
            .map_err(|why| Failure::stopped(format!("{}: {why}", self.name)))
    }

    /// Checks the definition against the file, and takes back what the file refutes.
    fn prove(&self, inferred: &mut Inferred) -> Result<Proof, Failure> {
        let mut proof = Proof::Refused("the definition could not be checked".to_owned());
        let mut is_firm = false;
        for _ in 0..ROUNDS_MAX {
            let text = inferred.to_yaml();
            let definition = Definition::parse(&text)
                .map_err(|faults| Failure::stopped(format!("{}: {faults}", self.name)))?;
            if !self.is_read_alike(&definition) && !is_firm {
                inferred.fix_reading();
                is_firm = true;
                continue;
            }
            let first = &self.head[..self.head.len().min(HEAD_BYTES as usize)];
            let layout = match opening::layout(first, self.whole, &definition, PART_BYTES) {
                Ok(layout) => layout,
                Err(reason) => return Ok(Proof::Refused(reason.message)),
            };
            let mut check = match Check::new(&definition, &layout.header) {
                Ok(check) => check,
                Err(faults) => return Ok(Proof::Refused(faults.to_string())),
            };
            let mut again = open(&self.args.file)?;
            self.each(&mut *again, &layout, |seen| match seen {
                Seen::Record(record, line) => check.add(record, line),
                Seen::Unreadable(_) => check.add_unreadable(),
            })?;
            let outcome = check.outcome();
            let is_changed = inferred.loosen(&outcome);
            proof = Proof::Checked(outcome);
            if !is_changed {
                break;
            }
        }
        Ok(proof)
    }

    /// Whether the head is read under the definition as it was without one.
    fn is_read_alike(&self, definition: &Definition) -> bool {
        let Some((found, encoding, _)) = &self.table else {
            return true;
        };
        let reading = definition.reading();
        let first = &self.head[..self.head.len().min(HEAD_BYTES as usize)];
        let Ok((text, again, whole)) = text_of(first, self.whole, reading.encoding.as_deref())
        else {
            return false;
        };
        let fields = definition.fields().iter();
        let names: Vec<&str> = fields.flat_map(Field::headers).collect();
        let other = table(&text, whole, reading, &names);
        again.encoding == encoding.encoding
            && other.is_ok_and(|other| reads_alike(&text, found, reading, &other))
    }
}

/// The text that a head begins, its encoding, and whether it is all of it.
fn text_of(
    head: &[u8],
    whole: bool,
    fixed: Option<&str>,
) -> Result<(Vec<u8>, FoundEncoding, bool), String> {
    let (bytes, whole) = match Container::of(head) {
        None => (head.to_vec(), whole),
        Some(container) => unpack_head(head, whole, container, HEAD_BYTES as usize)
            .map_err(|error| error.to_string())?,
    };
    let found = encoding(&bytes, whole, fixed);
    let text = decode_head(&bytes, whole, &found).into_owned();
    Ok((text, found, whole))
}

fn open(path: &Path) -> Result<Box<dyn Read>, Failure> {
    if path.as_os_str() == "-" {
        return Ok(Box::new(io::stdin()));
    }
    match File::open(path) {
        Ok(file) => Ok(Box::new(file)),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// Whether it can be read a second time.
fn is_regular(path: &Path) -> bool {
    path.as_os_str() != "-" && fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn unreadable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("cannot read {}: {error}", path.display()))
}
