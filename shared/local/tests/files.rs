//! What only files do: they are written to in place, are no files at all, or are left unfinished.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::{FileExt, symlink};
use std::path::Path;
use std::time::Duration;

use batchfleet_core::PortError;
use batchfleet_core::ids::JobId;
use batchfleet_core::ports::{PutOutcome, Results, Source};
use batchfleet_local::{FileError, FileSource, FolderLock, FolderResults, SqliteStore};

fn job() -> JobId {
    JobId::derive(&["files"])
}

#[tokio::test]
async fn a_file_is_described_by_its_absolute_path_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    fs::write(&path, "id,name\n1,Ada\n").unwrap();
    let roundabout = folder
        .path()
        .join("../")
        .join(folder.path())
        .join("./people.csv");
    let source = FileSource::describe(&roundabout).unwrap();
    assert_eq!(source, FileSource::describe(&path).unwrap());
    assert_eq!((source.bucket.as_str(), source.size), ("file", 14));
    assert_eq!(Path::new(&source.key), fs::canonicalize(&path).unwrap());
    assert!(source.etag.starts_with("14-"), "{}", source.etag);

    let files = FileSource::new();
    assert_eq!(files.read(&source, 10..13).await.unwrap(), "Ada");
    let beyond = files.read(&source, 10..15).await.unwrap_err();
    assert!(matches!(beyond, PortError::Refused { .. }), "{beyond:?}");
}

#[tokio::test]
async fn a_file_written_to_in_place_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"0123456789").unwrap();
    let source = FileSource::describe(&path).unwrap();
    let files = FileSource::new();
    assert_eq!(files.read(&source, 0..10).await.unwrap(), "0123456789");

    file.write_all_at(b"x", 5).unwrap();
    // Sets the time past the granularity of the file system's clock.
    let modified = file.metadata().unwrap().modified().unwrap();
    file.set_modified(modified + Duration::from_millis(10))
        .unwrap();
    for reader in [&files, &FileSource::new()] {
        let error = reader.read(&source, 0..3).await.unwrap_err();
        assert!(matches!(error, PortError::SourceChanged), "{error:?}");
    }
}

#[tokio::test]
async fn a_file_cut_short_is_noticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.csv");
    fs::write(&path, "0123456789").unwrap();
    let source = FileSource::describe(&path).unwrap();
    let files = FileSource::new();
    files.read(&source, 0..1).await.unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(4)
        .unwrap();
    for range in [0..4, 2..10] {
        let error = files.read(&source, range).await.unwrap_err();
        assert!(matches!(error, PortError::SourceChanged), "{error:?}");
    }
}

#[test]
fn what_is_no_file_is_refused_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing.csv");
    for (path, expected) in [
        (missing.as_path(), "there is no file"),
        (folder.path(), "is a folder"),
        (Path::new("/dev/null"), "not a regular file"),
    ] {
        let error = FileSource::describe(path).unwrap_err();
        let sentence = error.to_string();
        assert!(sentence.contains(expected), "{sentence}");
        assert!(sentence.contains(&path.display().to_string()), "{sentence}");
    }
    let below_a_file = folder.path().join("file/people.csv");
    fs::write(folder.path().join("file"), "").unwrap();
    let error = FileSource::describe(&below_a_file).unwrap_err();
    assert!(matches!(error, FileError::Io { .. }), "{error:?}");
}

#[tokio::test]
async fn results_are_plain_files_below_the_job() {
    let folder = tempfile::tempdir().unwrap();
    let results = FolderResults::new(folder.path().join("out"));
    let put = results
        .put_once(&job(), "parts/0.jsonl", "{}\n".into())
        .await;
    assert_eq!(put.unwrap(), PutOutcome::Created);
    let path = results.folder(&job()).join("parts/0.jsonl");
    assert_eq!(fs::read(&path).unwrap(), b"{}\n");
    let location = results.location(&job(), "parts/0.jsonl");
    assert_eq!(Path::new(&location), path);
    let beside: Vec<_> = fs::read_dir(path.parent().unwrap()).unwrap().collect();
    assert_eq!(beside.len(), 1, "nothing temporary is left: {beside:?}");
}

#[tokio::test]
async fn a_name_never_leaves_the_jobs_folder() {
    let folder = tempfile::tempdir().unwrap();
    let results = FolderResults::new(folder.path());
    for name in [
        "",
        "..",
        "../x",
        "parts/../../x",
        "/etc/x",
        "./x",
        "parts/",
        "a\\b",
        "a\0b",
        "x.tmp-1-2",
    ] {
        let (content, parts) = (bytes::Bytes::new(), [name.to_owned()]);
        let error = results.put_once(&job(), name, content.clone()).await;
        assert!(matches!(error, Err(PortError::Refused { .. })), "{name:?}");
        let error = results.put(&job(), name, content.clone()).await;
        assert!(matches!(error, Err(PortError::Refused { .. })), "{name:?}");
        let error = results.get(&job(), name).await;
        assert!(matches!(error, Err(PortError::Refused { .. })), "{name:?}");
        let error = results.join(&job(), "x", content, &parts).await;
        assert!(matches!(error, Err(PortError::Refused { .. })), "{name:?}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_a_killed_run_left_unfinished_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let results = FolderResults::new(folder.path());
    assert_eq!(results.clean(&job()).unwrap(), 0);
    let put = results
        .put_once(&job(), "parts/0.jsonl", "{}\n".into())
        .await;
    put.unwrap();
    let parts = results.folder(&job()).join("parts");
    for name in ["1.jsonl.tmp-4711-0", "../summary.json.tmp-4711-9"] {
        fs::write(parts.join(name), "half of").unwrap();
    }
    assert_eq!(results.clean(&job()).unwrap(), 2);
    assert_eq!(results.clean(&job()).unwrap(), 0);
    let part = results.get(&job(), "parts/0.jsonl").await.unwrap();
    assert_eq!(part, Some("{}\n".into()));
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let results = FolderResults::new(&file);
    let error = results.put_once(&job(), "x", bytes::Bytes::new()).await;
    let error = error.unwrap_err();
    assert!(matches!(error, PortError::Refused { .. }), "{error:?}");
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains(&file.display().to_string()), "{cause}");
}

/// Whoever else may write to the folder could otherwise choose what a run overwrites.
#[tokio::test]
async fn symbolic_links_in_the_folder_are_never_followed() {
    let folder = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let victim = elsewhere.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    let results = FolderResults::new(folder.path());
    let home = results.folder(&job());
    let content = bytes::Bytes::from("{}\n");

    // In the place of a folder, of the job's own, and of files.
    for (link, target, name) in [
        (home.join("output"), elsewhere.path(), "output/part-0.jsonl"),
        (home.join("summary.json"), &victim, "summary.json"),
        (
            home.join("dangling"),
            Path::new("/nonexistent/x"),
            "dangling",
        ),
        (home.clone(), elsewhere.path(), "rejects.csv"),
    ] {
        if link == home {
            fs::remove_dir_all(&home).unwrap();
        } else {
            fs::create_dir_all(&home).unwrap();
        }
        symlink(target, &link).unwrap();
        let put_once = results.put_once(&job(), name, content.clone()).await;
        let put = results.put(&job(), name, content.clone()).await;
        let join = results.join(&job(), name, content.clone(), &[]).await;
        let get = results.get(&job(), name).await;
        let errors = [
            put_once.unwrap_err(),
            put.unwrap_err(),
            join.unwrap_err(),
            get.unwrap_err(),
        ];
        for error in errors {
            let cause = std::error::Error::source(&error).unwrap();
            let reason = std::error::Error::source(cause).unwrap().to_string();
            assert!(reason.contains("symbolic link"), "{name}: {reason}");
        }
    }
    fs::remove_file(&home).unwrap();

    // Under the temporary names that this process uses next, which can be guessed.
    fs::create_dir(&home).unwrap();
    for number in 0..64 {
        let name = format!("summary.json.tmp-{}-{number}", std::process::id());
        symlink(&victim, home.join(name)).unwrap();
    }
    results.put(&job(), "summary.json", content).await.unwrap();
    assert_eq!(results.clean(&job()).unwrap(), 63);
    assert_eq!(fs::read(home.join("summary.json")).unwrap(), b"{}\n");

    // The state of the jobs, and the lock.
    let inner = folder.path().join("out");
    fs::create_dir(&inner).unwrap();
    let database = inner.join("batchfleet.db");
    symlink(elsewhere.path().join("new.db"), &database).unwrap();
    assert!(SqliteStore::open(&database).is_err());
    symlink(elsewhere.path().join("new.lock"), inner.join(".lock")).unwrap();
    assert!(FolderLock::take(&inner).is_err());

    assert_eq!(fs::read(&victim).unwrap(), b"precious");
    let others: Vec<_> = fs::read_dir(elsewhere.path()).unwrap().collect();
    assert_eq!(others.len(), 1, "nothing was written there: {others:?}");
}
