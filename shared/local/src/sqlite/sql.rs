//! Every statement of the SQLite store, and its schema.
//!
//! Whole numbers of 64 bits are kept as the signed number of the same bits, so all of them fit; no
//! statement compares any. Conditions are decided by the code that reads the row, within the same
//! transaction.

/// The version of [`SCHEMA`], kept in the database's `user_version`.
pub(super) const SCHEMA_VERSION: i64 = 2;

/// The tables. Small values that are read and written as a whole are JSON.
pub(super) const SCHEMA: &str = "
    CREATE TABLE job (
        job TEXT PRIMARY KEY,
        status TEXT NOT NULL,
        source TEXT NOT NULL,
        definition_name TEXT NOT NULL,
        policy TEXT NOT NULL,
        created_ms INTEGER NOT NULL,
        plan TEXT,
        shards_closed INTEGER NOT NULL,
        closed TEXT NOT NULL,
        closed_bytes INTEGER NOT NULL,
        finished_ms INTEGER,
        reason TEXT,
        outbox INTEGER NOT NULL,
        throttle TEXT,
        paused_ms INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE snapshot (
        job TEXT PRIMARY KEY,
        definition_text TEXT NOT NULL,
        layout TEXT
    ) STRICT;

    CREATE TABLE preparer (
        job TEXT PRIMARY KEY,
        owner TEXT,
        fence INTEGER NOT NULL,
        lease_until_ms INTEGER NOT NULL,
        checkpoint TEXT
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE shard (
        job TEXT NOT NULL,
        shard INTEGER NOT NULL,
        published INTEGER NOT NULL,
        cursor INTEGER NOT NULL,
        sealed INTEGER NOT NULL,
        closed INTEGER NOT NULL,
        start_byte INTEGER NOT NULL,
        end_byte INTEGER NOT NULL,
        totals TEXT,
        PRIMARY KEY (job, shard)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE page (
        job TEXT NOT NULL,
        shard INTEGER NOT NULL,
        page INTEGER NOT NULL,
        ranges TEXT NOT NULL,
        PRIMARY KEY (job, shard, page)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE batch (
        job TEXT NOT NULL,
        shard INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        status TEXT NOT NULL,
        fence INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        owner TEXT,
        lease_until_ms INTEGER NOT NULL,
        completion TEXT,
        PRIMARY KEY (job, shard, slot)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE watch (
        job TEXT PRIMARY KEY,
        token INTEGER NOT NULL,
        due_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tally (
        job TEXT NOT NULL,
        owner TEXT NOT NULL,
        rejected INTEGER NOT NULL,
        PRIMARY KEY (job, owner)
    ) STRICT, WITHOUT ROWID;
";

/// From version 1, which knew no throttles and tallies, nor since when a job is paused.
pub(super) const FROM_VERSION_1: &str = "
    ALTER TABLE job ADD COLUMN throttle TEXT;
    ALTER TABLE job ADD COLUMN paused_ms INTEGER;

    CREATE TABLE tally (
        job TEXT NOT NULL,
        owner TEXT NOT NULL,
        rejected INTEGER NOT NULL,
        PRIMARY KEY (job, owner)
    ) STRICT, WITHOUT ROWID;
";

/// A write-ahead log that is synced when it is copied into the database, not at every commit. See
/// the store's page for what that keeps.
pub(super) const PRAGMAS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = NORMAL;
    PRAGMA wal_autocheckpoint = 4000;
";

pub(super) const COUNT_TABLES: &str = "SELECT count(*) FROM sqlite_schema";
pub(super) const READ_VERSION: &str = "PRAGMA user_version";
pub(super) const WRITE_VERSION: &str = "PRAGMA user_version = 2";

pub(super) const INSERT_JOB: &str = "
    INSERT INTO job (job, status, source, definition_name, policy, created_ms, plan, shards_closed,
        closed, closed_bytes, finished_ms, reason, outbox, throttle, paused_ms)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
    ON CONFLICT DO NOTHING";

/// What can change of a job.
pub(super) const UPDATE_JOB: &str = "
    UPDATE job SET status = ?2, plan = ?3, shards_closed = ?4, closed = ?5, closed_bytes = ?6,
        finished_ms = ?7, reason = ?8, outbox = ?9, throttle = ?10, paused_ms = ?11
    WHERE job = ?1";

pub(super) const SELECT_JOB: &str = "
    SELECT status, source, definition_name, policy, created_ms, plan, shards_closed, closed,
        closed_bytes, finished_ms, reason, outbox, throttle, paused_ms
    FROM job WHERE job = ?1";

pub(super) const SELECT_JOBS: &str = "SELECT job, status, created_ms FROM job";

pub(super) const SELECT_OPEN_JOBS: &str = "
    SELECT job FROM job
    WHERE status NOT IN ('COMPLETED', 'FAILED', 'ABORTED') OR outbox <> 0";

pub(super) const SELECT_WATCH: &str = "SELECT token, due_ms FROM watch WHERE job = ?1";

pub(super) const UPSERT_WATCH: &str = "
    INSERT INTO watch (job, token, due_ms) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET token = ?2, due_ms = ?3";

pub(super) const UPSERT_TALLY: &str = "
    INSERT INTO tally (job, owner, rejected) VALUES (?1, ?2, ?3)
    ON CONFLICT DO UPDATE SET rejected = ?3";

pub(super) const SELECT_TALLIES: &str = "SELECT rejected FROM tally WHERE job = ?1";

pub(super) const INSERT_SNAPSHOT: &str =
    "INSERT INTO snapshot (job, definition_text) VALUES (?1, ?2)";

pub(super) const SELECT_SNAPSHOT: &str =
    "SELECT definition_text, layout FROM snapshot WHERE job = ?1";

pub(super) const SET_LAYOUT: &str =
    "UPDATE snapshot SET layout = ?2 WHERE job = ?1 AND layout IS NULL";

pub(super) const INSERT_PREPARER: &str =
    "INSERT INTO preparer (job, fence, lease_until_ms) VALUES (?1, 0, 0)";

pub(super) const SELECT_PREPARER: &str =
    "SELECT owner, fence, lease_until_ms, checkpoint FROM preparer WHERE job = ?1";

pub(super) const UPDATE_PREPARER: &str = "
    UPDATE preparer SET owner = ?2, fence = ?3, lease_until_ms = ?4, checkpoint = ?5
    WHERE job = ?1";

pub(super) const UPSERT_SHARD: &str = "
    INSERT INTO shard (job, shard, published, cursor, sealed, closed, start_byte, end_byte, totals)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT DO UPDATE SET published = ?3, cursor = ?4, sealed = ?5, closed = ?6,
        start_byte = ?7, end_byte = ?8, totals = ?9";

pub(super) const SELECT_SHARD: &str = "
    SELECT published, cursor, sealed, closed, start_byte, end_byte, totals
    FROM shard WHERE job = ?1 AND shard = ?2";

pub(super) const INSERT_PAGE: &str = "
    INSERT INTO page (job, shard, page, ranges) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";

pub(super) const SELECT_PAGE: &str =
    "SELECT ranges FROM page WHERE job = ?1 AND shard = ?2 AND page = ?3";

pub(super) const SELECT_PAGES: &str =
    "SELECT ranges FROM page WHERE job = ?1 AND shard = ?2 ORDER BY page";

pub(super) const UPSERT_BATCH: &str = "
    INSERT INTO batch (job, shard, slot, status, fence, attempts, owner, lease_until_ms, completion)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
    ON CONFLICT DO UPDATE SET status = ?4, fence = ?5, attempts = ?6, owner = ?7,
        lease_until_ms = ?8, completion = ?9";

/// The columns of a batch, read alike one by one and by the shard.
pub(super) const SELECT_BATCH: &str = "
    SELECT slot, status, fence, attempts, owner, lease_until_ms, completion
    FROM batch WHERE job = ?1 AND shard = ?2 AND slot = ?3";

pub(super) const SELECT_BATCHES: &str = "
    SELECT slot, status, fence, attempts, owner, lease_until_ms, completion
    FROM batch WHERE job = ?1 AND shard = ?2";

pub(super) const RELEASE_BATCHES: &str = "UPDATE batch SET status = 'PENDING', owner = NULL, lease_until_ms = 0, \
     attempts = max(attempts - 1, 0) WHERE status = 'LEASED'";

pub(super) const END_PREPARERS: &str =
    "UPDATE preparer SET lease_until_ms = 0 WHERE lease_until_ms <> 0";
