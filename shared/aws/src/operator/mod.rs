//! What operators' commands ask of a deployed stack beyond the ports: where its parts are, and what is
//! in its dead-letter queues. No function uses it, so their roles permit none of its calls.

mod dead_letters;
mod stack;

pub use self::dead_letters::{DeadLetter, DeadLetters, DeadQueue, LETTERS_MAX, Queues, Unreadable};
pub use self::stack::{StackError, is_stack_name, parts_of_stack, table_of_stack};
