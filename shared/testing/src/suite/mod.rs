//! One suite for every implementation of a port: each behaviour is one named function, and an
//! adapter opts into all of them by one line.
//!
//! The suites know the ports only. They never assume an empty store or bucket: each test makes jobs
//! and objects of its own, so that they may run side by side, again and again, on a shared table.

pub mod claims;
pub mod closing;
mod fixture;
pub mod fleet;
pub mod jobs;
pub mod lookup;
pub mod preparing;
pub mod races;
pub mod repeats;
pub mod results;
pub mod sink;
pub mod source;
pub mod spool;
pub mod steering;
pub mod tickets;
pub mod watches;

pub use fixture::new_job;

/// Runs the suite of the `Store` port: `store_conformance!(make_store);` in a test file, where
/// `async fn make_store() -> Arc<S>` answers a store (or an `Arc<dyn Store>`), new or shared.
///
/// Each behaviour becomes a `#[tokio::test]` of its name; two stores in one file want a module each.
#[macro_export]
macro_rules! store_conformance {
    ($make:path) => {
        $crate::conformance_tests!($make =>
            jobs::a_job_reads_back_as_it_was_created,
            jobs::a_job_is_created_once,
            jobs::what_was_never_written_is_none,
            jobs::a_long_definition_reads_back,
            jobs::a_layout_is_kept_once,
            jobs::pages_read_back_in_order,
            jobs::jobs_do_not_see_one_another,
            jobs::large_numbers_read_back_exactly,
            preparing::the_planning_is_held_until_its_lease_ends,
            preparing::only_a_job_that_exists_is_planned,
            preparing::a_checkpoint_extends_the_hold_and_is_handed_over,
            preparing::a_preparer_gives_its_hold_up,
            preparing::an_older_preparer_changes_nothing,
            preparing::an_ended_hold_that_nobody_took_still_counts,
            preparing::a_planned_job_is_not_planned_again,
            preparing::a_job_that_is_over_is_not_prepared,
            preparing::publications_only_grow,
            preparing::publishing_again_leaves_tickets_and_closing_alone,
            preparing::a_half_prepared_job_is_resumed,
            tickets::tickets_come_in_order_and_stop_at_the_end,
            tickets::tickets_stay_below_what_the_caller_saw,
            tickets::what_is_published_later_has_tickets_too,
            tickets::a_shard_of_which_nothing_is_published_has_none,
            claims::a_claim_holds_a_batch_until_its_lease_ends,
            claims::a_claim_after_the_lease_ended_raises_fence_and_attempts,
            claims::a_heartbeat_extends_the_lease,
            claims::a_heartbeat_under_an_older_fence_changes_nothing,
            claims::a_completion_reads_back,
            claims::a_batch_given_up_reads_back_as_failed,
            claims::a_completion_under_an_older_fence_changes_nothing,
            claims::an_ended_lease_that_nobody_took_still_completes,
            claims::a_batch_that_is_over_stays_so,
            claims::a_release_gives_the_attempt_back_and_keeps_the_fence,
            claims::a_release_under_an_older_fence_changes_nothing,
            claims::a_sweep_shows_the_truth,
            closing::a_shard_closes_once_and_adds_its_sums,
            closing::only_a_sealed_shard_closes,
            closing::no_shard_closes_into_a_job_that_is_over,
            closing::a_job_completes_when_every_shard_is_closed,
            closing::a_job_without_records_completes,
            closing::a_job_fails_while_it_is_planned,
            closing::a_job_fails_while_it_is_worked,
            closing::a_job_that_is_over_stays_so,
            closing::the_outbox_mark_is_set_by_the_ending_and_cleared,
            watches::the_newest_watch_is_kept,
            watches::a_job_is_listed_until_its_report_is_written,
            watches::the_preparers_lease_is_seen,
            fleet::tallies_add_up,
            fleet::a_throttle_is_set_over_the_one_that_was_seen,
            fleet::a_throttle_changes_no_job_that_is_over,
            steering::a_job_is_paused_and_resumed_while_it_is_worked,
            steering::only_a_job_that_is_worked_is_paused,
            steering::a_job_is_aborted_from_any_open_status,
            steering::a_cancelled_batch_is_neither_claimed_nor_completed,
            steering::what_is_held_or_over_is_not_cancelled,
            steering::nothing_is_published_into_a_job_that_is_over,
            repeats::creating_again_finds_the_job,
            repeats::taking_the_planning_again_answers_the_same_hold,
            repeats::a_checkpoint_again_is_kept,
            repeats::marking_prepared_again_is_kept,
            repeats::claiming_again_answers_the_same_lease,
            repeats::claiming_again_after_the_lease_ended_is_a_new_claim,
            repeats::completing_again_is_completed,
            repeats::releasing_and_heartbeating_again_do_no_harm,
            repeats::closing_again_adds_nothing,
            repeats::finalizing_again_finds_the_job_over,
            repeats::taking_tickets_again_takes_others,
            repeats::events_delivered_again_change_nothing,
            repeats::a_job_is_accounted_for_though_responses_are_lost,
            races::one_of_many_creates_a_job,
            races::one_of_many_preparers_is_granted,
            races::tickets_are_given_once,
            races::a_batch_is_won_once_at_each_fence,
            races::a_batch_is_completed_once,
            races::a_shard_is_closed_once,
            races::a_job_is_ended_once,
        );
    };
}

/// Runs the suite of the `Results` port: `results_conformance!(make_results);`, where
/// `async fn make_results() -> Arc<R>` answers an adapter, new or shared.
#[macro_export]
macro_rules! results_conformance {
    ($make:path) => {
        $crate::conformance_tests!($make =>
            results::what_was_never_written_is_none,
            results::a_name_is_written_once,
            results::a_name_with_other_content_is_a_conflict,
            results::results_may_be_empty,
            results::one_of_many_writers_creates,
            results::a_reader_sees_all_or_nothing,
            results::a_report_is_written_over,
            results::parts_are_joined_in_order,
            results::parts_of_any_size_are_joined,
            results::joining_again_comes_to_the_same,
            results::joining_a_missing_part_is_an_error,
            results::jobs_do_not_see_one_another,
            results::a_location_names_the_job_and_the_file,
        );
    };
}

/// Runs the suite of the `Source` port: `source_conformance!(make_harness);`, where
/// `async fn make_harness() -> impl SourceHarness` answers an adapter with the means to write what
/// it reads; see [`SourceHarness`](crate::SourceHarness).
#[macro_export]
macro_rules! source_conformance {
    ($make:path) => {
        $crate::conformance_tests!($make =>
            source::ranges_are_read_exactly,
            source::an_empty_range_is_empty,
            source::an_empty_object_reads_as_nothing,
            source::a_large_object_is_read_in_windows,
            source::ranges_are_read_side_by_side,
            source::an_overwritten_object_gives_no_wrong_byte,
            source::an_object_that_grew_gives_no_wrong_byte,
            source::a_removed_object_gives_no_wrong_byte,
            source::an_object_that_never_was_is_not_read,
        );
    };
}

/// Runs the suite of the `Spool` port: `spool_conformance!(make_spool);`, where
/// `async fn make_spool() -> Arc<S>` answers an adapter, new or shared.
#[macro_export]
macro_rules! spool_conformance {
    ($make:path) => {
        $crate::conformance_tests!($make =>
            spool::a_part_that_is_not_there_is_none,
            spool::ranges_of_a_part_are_read_exactly,
            spool::a_part_is_written_again,
            spool::a_reader_of_a_part_sees_all_or_nothing,
            spool::marks_read_back,
            spool::clearing_takes_the_jobs_parts_alone,
        );
    };
}

/// Runs the suite of the `Sink` port: `sink_conformance!(make_harness);`, where
/// `async fn make_harness() -> impl SinkHarness` answers a destination with the means to read it; see
/// [`SinkHarness`](crate::SinkHarness).
#[macro_export]
macro_rules! sink_conformance {
    ($make:path) => {
        $crate::conformance_tests!($make =>
            sink::a_record_is_taken_as_it_is,
            sink::as_many_records_are_taken_as_the_sink_says,
            sink::every_kind_of_value_is_kept,
            sink::putting_again_is_putting_once,
            sink::a_bad_record_is_refused_and_never_an_error,
            sink::a_bad_record_is_refused_among_good_ones,
            sink::what_was_refused_stands_in_nobodys_way,
            sink::calls_side_by_side_lose_nothing,
        );
    };
}

/// Runs the suite of the `Lookup` port: `lookup_conformance!(make_harness);`, where
/// `async fn make_harness() -> impl LookupHarness` answers a table with the means to write it; see
/// [`LookupHarness`](crate::LookupHarness).
#[macro_export]
macro_rules! lookup_conformance {
    ($make:path) => {
        $crate::conformance_tests!($make =>
            lookup::what_is_written_exists_at_once,
            lookup::as_many_keys_are_answered_for_as_the_lookup_says,
            lookup::numbers_are_compared_by_their_value,
            lookup::texts_are_compared_as_they_are,
            lookup::a_key_that_no_record_can_have_is_missing,
        );
    };
}

/// Makes a test of each behaviour; what the other macros share.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($make:path => $($theme:ident :: $behaviour:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $behaviour() {
                $crate::suite::$theme::$behaviour($make().await).await;
            }
        )+
    };
}
