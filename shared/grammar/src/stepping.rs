//! Reads one record by the byte-wise machine, for dialects that are not plain.
//!
//! Every cell is put together in the scratch buffer, whether it stands so in the record or not: that
//! is slower than it need be, and simple. It must not know what a byte means; the machine says that.

use crate::machine::{Kind, Machine, Role, Step};
use crate::reader::{Progress, RecordReader};
use crate::record::Cell;

/// The cell being put together.
struct Field {
    /// Where it begins in the scratch buffer.
    start: usize,
    /// Where it ends there, unless more data follows the padding behind that.
    end: usize,
}

impl RecordReader<'_> {
    /// Reads the record that begins at `progress.start`; returns what it is, and where its content
    /// and its line end ends.
    pub(crate) fn step_record(
        &mut self,
        machine: &mut Machine,
        progress: &mut Progress,
    ) -> (Kind, usize, usize) {
        let input = self.input;
        let mut field = Field { start: 0, end: 0 };
        let mut opened_at = self.next.line;
        let mut here = progress.start;
        while let Some(&byte) = input.get(here) {
            let opens_at = self.next.line + machine.lines();
            let (held, role) = match machine.step(byte) {
                Step::Within { held, role } => (held, role),
                Step::Ends => {
                    here += 1;
                    break;
                }
                Step::EndedBefore => break,
            };
            here += 1;
            // A record that does not fit will have no cells, so its bytes are not copied.
            let fits = (here - progress.start) as u64 <= self.record_max;
            if let Some(held) = held
                && fits
            {
                self.append(&mut field, &[held], Role::Data);
            }
            match role {
                Role::Open => opened_at = opens_at,
                Role::Data | Role::Padding if fits => self.append(&mut field, &[byte], role),
                Role::Delimiter => self.end_field(progress, &mut field),
                Role::Nothing | Role::Data | Role::Padding => {}
            }
            let run = machine.run(&input[here..]);
            let text = &input[here..here + run];
            here += run;
            let fits = (here - progress.start) as u64 <= self.record_max;
            if run > 0 && fits && !machine.in_comment() {
                self.append(&mut field, text, Role::Data);
            }
        }
        let ended = machine.end();
        if let Some(held) = ended.held {
            self.append(&mut field, &[held], Role::Data);
        }
        if ended.kind == Kind::Row {
            self.end_field(progress, &mut field);
        }
        progress.lines = ended.lines;
        progress.unclosed = ended.unclosed.then_some(opened_at);
        (ended.kind, here - ended.line_end, here)
    }

    #[inline]
    fn append(&mut self, field: &mut Field, bytes: &[u8], role: Role) {
        let scratch = &mut self.store.scratch;
        scratch.extend_from_slice(bytes);
        if role == Role::Data {
            field.end = scratch.len();
        }
    }

    /// Keeps the cell without the padding at its end, and begins the next.
    fn end_field(&mut self, progress: &mut Progress, field: &mut Field) {
        self.store.scratch.truncate(field.end);
        self.keep(progress, Cell::scratch(field.start, field.end));
        *field = Field {
            start: field.end,
            end: field.end,
        };
    }
}
