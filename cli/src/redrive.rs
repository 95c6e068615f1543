//! `batchfleet redrive`: what an ended job left undone or rejected, as a new attempt.

use std::process::ExitCode;

use batchfleet_core::source::Redriven;

use crate::args::RedriveArgs;
use crate::outcome::Failure;
use crate::run;

/// Runs the command.
pub(crate) fn redrive(args: &RedriveArgs) -> Result<ExitCode, Failure> {
    let what = if args.rejected {
        Redriven::Rejected
    } else {
        Redriven::Failed
    };
    #[cfg(feature = "aws")]
    if args.job.site.is_stack() {
        return crate::block_on(on_aws(args, what));
    }
    run::redrive(args, what)
}

/// Has the functions do it: one message, as a preparer that hands over sends it.
#[cfg(feature = "aws")]
async fn on_aws(args: &RedriveArgs, what: Redriven) -> Result<ExitCode, Failure> {
    use batchfleet_aws::sqs::SqsQueue;
    use batchfleet_core::message::Message;
    use batchfleet_core::ports::Queue as _;
    use batchfleet_core::prepare::next_attempt;

    use crate::site::Site;
    use crate::stack::{Part, Stack};
    use crate::terminal::{say, say_json};

    if args.definition.is_some() {
        return Err(Failure::usage(
            "a stack redrives under the definition that has the job's definition's name now: put the \
             mended one there, and leave --definition out",
        ));
    }
    let flags = [(Part::PrepareQueue, args.prepare_queue_url.as_ref())];
    let stack = Stack::open(&args.job.site.stack, &flags).await?;
    let queue = SqsQueue::new(
        stack.clients.sqs.clone(),
        "",
        stack.name(Part::PrepareQueue)?,
    );
    let site = Site::on_aws(stack)?;
    let job = site.find(&args.job.job).await?;
    let source = next_attempt(&*site.store, &job.id, what)
        .await?
        .map_err(Failure::usage)?;
    let id = source.job_id();
    queue.send(&Message::Prepare { source }, 0).await?;
    if args.job.json {
        say_json(&serde_json::json!({ "job": id, "of": job.id }));
    } else {
        say!("job {id} works on it: {}", site.command("watch", &id));
    }
    Ok(ExitCode::SUCCESS)
}
