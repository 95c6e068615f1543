//! `model` searches every scope of the exhaustive model; `model --faults N [--only KIND] [--returns N] [--planned]`
//! searches one. `model --mutations` proves that planted bugs are found; `model --planted BUG` prints
//! the run that shows the one whose name begins so. `./dev model` builds and runs it.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command speaks"
)]

use std::process::ExitCode;
use std::time::Instant;

use batchfleet_core::mutation;
use batchfleet_tests::model::{Fault, Found, Planted, SCOPES, Scope, planted, search};

const USAGE: &str = "usage: model [--faults N [--only KIND] [--returns N] [--planned]] | --mutations | --planted BUG";

/// What the command line asks for.
#[derive(Default)]
struct Wish {
    faults: Option<u8>,
    only: Option<Fault>,
    returns: u8,
    is_planned: bool,
    mutations: bool,
    planted: Option<Planted>,
}

fn main() -> ExitCode {
    match Wish::read(std::env::args().skip(1)) {
        Some(Wish {
            mutations: true, ..
        }) => mutations(),
        Some(Wish {
            planted: Some(planted),
            ..
        }) => show(&planted),
        Some(Wish {
            faults: Some(faults),
            only,
            returns,
            is_planned,
            ..
        }) => scopes(&[Scope {
            is_planned,
            faults,
            only,
            returns,
        }]),
        Some(Wish {
            returns: 0,
            is_planned: false,
            ..
        }) => scopes(&SCOPES),
        _ => {
            eprintln!("{USAGE}");
            ExitCode::from(2)
        }
    }
}

impl Wish {
    fn read(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let mut wish = Self::default();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--faults" => wish.faults = Some(words.next()?.parse().ok()?),
                "--only" => wish.only = Some(kind(&words.next()?)?),
                "--returns" => wish.returns = words.next()?.parse().ok()?,
                "--planned" => wish.is_planned = true,
                "--planted" => {
                    let name = words.next()?;
                    let mut all = planted().into_iter();
                    wish.planted = Some(all.find(|planted| planted.bug.name.starts_with(&name))?);
                }
                "--mutations" => wish.mutations = true,
                _ => return None,
            }
        }
        Some(wish)
    }
}

fn kind(name: &str) -> Option<Fault> {
    match name {
        "crash" => Some(Fault::Crash),
        "lose" => Some(Fault::Lose),
        "freeze" => Some(Fault::Freeze),
        "message" => Some(Fault::Message),
        _ => None,
    }
}

fn scopes(scopes: &[Scope]) -> ExitCode {
    println!("| scope | states | steps | longest run | seconds |");
    println!("| --- | --- | --- | --- | --- |");
    let mut broken = Vec::new();
    for scope in scopes {
        let (found, seconds) = timed(|| search(*scope, None));
        println!(
            "| {scope} | {} | {} | {} | {seconds:.0} |",
            found.states, found.steps, found.depth
        );
        broken.extend(found.broken);
    }
    println!();
    for (promise, run) in &broken {
        print_run(promise, run);
    }
    println!("{} scopes, {} violations", scopes.len(), broken.len());
    exit(broken.is_empty())
}

fn print_run(promise: &str, run: &[String]) {
    println!("{promise} is broken:");
    for line in run {
        println!("  {line}");
    }
}

/// Prints the run that shows a bug.
fn show(planted: &Planted) -> ExitCode {
    let found = search(planted.scope, Some(planted.bug));
    if let Some((promise, run)) = &found.broken {
        print_run(promise, run);
    }
    exit(!found.is_caught())
}

/// Plants each bug by itself, and searches its scope until it is found.
fn mutations() -> ExitCode {
    if !mutation::is_possible() {
        eprintln!("model: this build has no hooks for bugs: build with --features mutations");
        return ExitCode::from(2);
    }
    println!("| planted bug | caught by | states until then | steps of the run | what was found |");
    println!("| --- | --- | --- | --- | --- |");
    let planted = planted();
    let mut escaped = 0;
    for planted in &planted {
        let found = search(planted.scope, Some(planted.bug));
        println!("| {} | {} |", planted.bug.name, columns(&found));
        escaped += u32::from(!found.is_caught());
    }
    println!();
    println!("{} bugs, {escaped} escaped", planted.len());
    exit(escaped == 0)
}

/// The columns of the table behind the bug's name.
fn columns(found: &Found) -> String {
    const CHARS_MAX: usize = 90;
    let Some((promise, run)) = &found.broken else {
        return format!("nothing | {} | |", found.states);
    };
    let detail = run.last().map_or("", String::as_str);
    let mut short: String = detail.chars().take(CHARS_MAX).collect();
    if short.len() < detail.len() {
        short.push('…');
    }
    let short = short.replace(['|', '\n'], " ");
    format!("{promise} | {} | {} | {short}", found.states, run.len() - 1)
}

#[expect(
    clippy::disallowed_methods,
    reason = "how fast it was is measured on the real clock"
)]
fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let begun = Instant::now();
    let outcome = run();
    (outcome, begun.elapsed().as_secs_f64())
}

fn exit(is_well: bool) -> ExitCode {
    if is_well {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
