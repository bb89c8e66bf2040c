//! One list of what a store does, run against a directory, an S3 server in this process, and any other that
//! `HARNESS_TEST_STORE` names (`scripts/radosgw`).

use std::{
    fs,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use base::exit;
use xxhash_rust::xxh3::xxh3_64;

use super::{small::SMALL, transfer::PART, *};

#[path = "../../../tests/it/server/mod.rs"]
mod server;

use server::{Fault, Operation, Server};

const ACCESS: Access = Access { timeout: Duration::from_secs(20), retries: 5 };

fn in_server(server: &Server, prefix: &str) -> Store {
    let environment: Vec<(String, String)> =
        server.environment().into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    Store::in_bucket(&format!("s3://{}/{prefix}", server::BUCKET), ACCESS, &environment).unwrap()
}

fn in_folder() -> (tempfile::TempDir, Store) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::existing(folder.path().to_str().unwrap(), ACCESS).unwrap();
    (folder, store)
}

type Check = fn(&Store);

/// The list.
const CONFORMANCE: [(&str, Check); 11] = [
    ("what was put reads back", what_was_put_reads_back),
    ("a listing is in order and by folder", a_listing_is_in_order_and_by_folder),
    ("odd names come back as they were given", odd_names_come_back),
    ("of two writers that read the same state the second is told", the_second_writer_is_told),
    ("of many writers at once one wins", one_writer_wins),
    ("files go up and come down whole, in parts", files_go_up_and_come_down),
    ("a download goes on where it ended", a_download_goes_on),
    ("copies and deletions", copies_and_deletions),
    (
        "what is new takes no name that is taken, and what is deleted is what was read",
        what_is_new_takes_no_name_that_is_taken,
    ),
    ("a store has a time", a_store_has_a_time),
    ("a right has one holder at a time", a_right_has_one_holder),
];

fn conform(store: &Store) {
    for (what, check) in CONFORMANCE {
        eprintln!("{}: {what}", store.name());
        check(store);
    }
    let left: Vec<Object> = store.list("", None).unwrap();
    assert!(left.iter().all(|object| object.key.starts_with("kept/")), "{left:?}");
}

#[test]
fn a_directory_conforms() {
    let (_folder, store) = in_folder();
    conform(&store);
}

#[test]
fn s3_conforms() {
    let server = Server::start();
    conform(&in_server(&server, ""));
    conform(&in_server(&server, "some/prefix"));
}

#[test]
#[ignore = "needs another server: scripts/radosgw"]
fn another_server_conforms() {
    let name = std::env::var("HARNESS_TEST_STORE").expect("HARNESS_TEST_STORE = s3://bucket");
    let name = format!("{name}/conformance-{:08x}", fastrand::u32(..));
    conform(&Store::existing(&name, ACCESS).unwrap());
}

fn what_was_put_reads_back(store: &Store) {
    store.put("kept/a", "1".into()).unwrap();
    store.put("kept/a", "22".into()).unwrap();
    assert_eq!(store.read("kept/a").unwrap().unwrap().0, "22");
    assert_eq!(store.size("kept/a").unwrap(), Some(2));
    assert_eq!(store.range("kept/a", 1..2).unwrap(), "2");
    store.put("kept/empty", Bytes::new()).unwrap();
    assert_eq!(store.read("kept/empty").unwrap().unwrap().0, "");
    assert!(store.read("absent").unwrap().is_none() && store.size("absent").unwrap().is_none());
    assert!(store.range("absent", 0..1).is_err());
    assert!(store.verify("absent", 0, "").is_err());
    store.delete("absent").unwrap();
}

fn a_listing_is_in_order_and_by_folder(store: &Store) {
    for key in ["kept/list/b/2", "kept/list/a/1", "kept/list/skip/3", "kept/list/b/skip/4", "kept/list-5"] {
        store.put(key, "xyz".into()).unwrap();
    }
    let keys = |prefix: &str, except| -> Vec<String> {
        store.list(prefix, except).unwrap().into_iter().map(|object| object.key).collect()
    };
    assert_eq!(keys("kept/list", Some("skip")), ["kept/list/a/1", "kept/list/b/2"]);
    assert_eq!(keys("kept/list/b", None), ["kept/list/b/2", "kept/list/b/skip/4"]);
    assert!(keys("absent", None).is_empty());
    assert_eq!(store.list("kept/list/a", None).unwrap()[0].bytes, 3);
    let listed = store.list("kept/list/a", None).unwrap().remove(0);
    let found = store.find(&listed.key).unwrap().unwrap();
    assert!(found.e_tag.is_some() == store.is_remote() && found.bytes == 3);
    // Not every server's listing tells the state.
    assert!(listed.e_tag.is_none() || listed.e_tag == found.e_tag);
}

fn odd_names_come_back(store: &Store) {
    for key in ["kept/odd/with blank", "kept/odd/50%25", "kept/odd/a+b=c&d", "kept/odd/überall"] {
        store.put(key, key.to_owned().into()).unwrap();
        assert_eq!(store.read(key).unwrap().unwrap().0, key);
    }
}

fn the_second_writer_is_told(store: &Store) {
    let right = store.exclusive("month").unwrap();
    let key = "swap/manifest.json";
    let refused = |bytes: &'static str, expected| {
        matches!(store.put_if(&right, key, bytes.into(), expected), Err(StoreError::Conflict { .. }))
    };
    store.put_if(&right, key, "1".into(), None).unwrap();
    assert!(refused("2", None));
    let (_, first) = store.read(key).unwrap().unwrap();
    store.put_if(&right, key, "3".into(), Some(&first)).unwrap();
    assert!(refused("4", Some(&first)));
    assert_eq!(store.read(key).unwrap().unwrap().0, "3");
    store.delete(key).unwrap();
    assert!(refused("5", Some(&first)));
}

fn one_writer_wins(store: &Store) {
    let right = store.exclusive("month").unwrap();
    for round in 0..3 {
        let key = format!("race/{round}");
        let write = |expected: Option<&Tag>| {
            let won = AtomicUsize::new(0);
            thread::scope(|scope| {
                for writer in 0..6 {
                    let (won, key, right) = (&won, &key, &right);
                    scope.spawn(move || {
                        let bytes = format!("{writer} after {expected:?}");
                        match store.put_if(right, key, bytes.into(), expected) {
                            Ok(()) => won.fetch_add(1, Ordering::SeqCst),
                            Err(StoreError::Conflict { .. }) => 0,
                            Err(error) => panic!("{error}"),
                        };
                    });
                }
            });
            won.into_inner()
        };
        assert_eq!(write(None), 1);
        let (_, tag) = store.read(&key).unwrap().unwrap();
        // A directory compares and replaces under the right, which one holder has.
        if store.is_remote() {
            assert_eq!(write(Some(&tag)), 1);
        }
        store.delete(&key).unwrap();
    }
}

fn files_go_up_and_come_down(store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    for bytes in [0, 1, PART, 2 * PART, 8 * PART + 5] {
        let content: Vec<u8> = (0..bytes).map(|byte| (byte * 31 % 251) as u8).collect();
        let (file, back) = (folder.path().join("up"), folder.path().join(format!("down {bytes}")));
        fs::write(&file, &content).unwrap();
        store.upload(&file, "files/x").unwrap();
        let checksum = format!("{:016x}", xxh3_64(&content));
        let tail = store.verify("files/x", bytes as u64, &checksum).unwrap();
        assert!(content.ends_with(&tail) && tail.len() >= bytes.min(1 << 20));
        assert!(matches!(store.verify("files/x", bytes as u64, "0123456789abcdef"), Err(StoreError::ReadBack { .. })));
        let object = store.find("files/x").unwrap().unwrap();
        assert_eq!(store.download(&object, &back).unwrap(), checksum);
        assert!(fs::read(&back).unwrap() == content);
        fs::remove_file(&file).unwrap();
    }
    store.delete("files/x").unwrap();
}

fn a_download_goes_on(store: &Store) {
    let folder = tempfile::tempdir().unwrap();
    let content: Vec<u8> = (0..2 * PART + 77).map(|byte| (byte * 7 % 253) as u8).collect();
    let (file, back) = (folder.path().join("up"), folder.path().join("down"));
    fs::write(&file, &content).unwrap();
    store.upload(&file, "files/y").unwrap();
    let object = store.find("files/y").unwrap().unwrap();
    let traffic = Arc::new(Traffic::default());
    fs::write(&back, &content[..PART + 9]).unwrap();
    let checksum = store.counting(&traffic).download(&object, &back).unwrap();
    assert_eq!(checksum, format!("{:016x}", xxh3_64(&content)));
    assert!(fs::read(&back).unwrap() == content);
    assert_eq!(traffic.read(), (content.len() - PART - 9) as u64);
    store.delete("files/y").unwrap();
}

fn what_is_new_takes_no_name_that_is_taken(store: &Store) {
    store.create_object("new/a", "1".into()).unwrap();
    // As when the answer was lost.
    store.create_object("new/a", "2".into()).unwrap();
    if store.is_remote() {
        assert!(matches!(store.create_object("new/a", "33".into()), Err(StoreError::Conflict { .. })));
    }
    assert_eq!(store.read("new/a").unwrap().unwrap().0, "1");
    let right = store.exclusive("month").unwrap();
    let (_, first) = store.read("new/a").unwrap().unwrap();
    store.put("new/a", "4".into()).unwrap();
    assert!(matches!(store.delete_held(&right, "new/a", &first), Err(StoreError::Conflict { .. })));
    let (_, second) = store.read("new/a").unwrap().unwrap();
    store.delete_held(&right, "new/a", &second).unwrap();
    store.delete_held(&right, "new/a", &second).unwrap();
    assert!(store.read("new/a").unwrap().is_none());
}

fn a_store_has_a_time(store: &Store) {
    let right = store.exclusive("month").unwrap();
    store.put("time/a", "1".into()).unwrap();
    let (now, then) = (store.time(&right).unwrap().unwrap(), store.modified("time/a").unwrap().unwrap());
    assert!(then.abs_diff(now) < Duration::from_secs(60), "{now:?} {then:?}");
    assert!(store.modified("absent").unwrap().is_none());
    store.delete("time/a").unwrap();
}

fn copies_and_deletions(store: &Store) {
    store.put("copy/from", "abc".into()).unwrap();
    store.copy("copy/from", "copy/deep/to").unwrap();
    assert_eq!(store.read("copy/deep/to").unwrap().unwrap().0, "abc");
    store.delete("copy/from").unwrap();
    assert!(store.read("copy/from").unwrap().is_none());
    assert!(store.copy("copy/from", "copy/other").is_err());
    store.delete("copy/deep/to").unwrap();
}

fn a_right_has_one_holder(store: &Store) {
    let right = store.exclusive("month").unwrap();
    assert!(store.exclusive_now("month").unwrap().is_none());
    assert!(store.exclusive_now("another").unwrap().is_some());
    drop(right);
    let (held, rounds) = (AtomicUsize::new(0), if store.is_remote() { 3 } else { 200 });
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..rounds {
                    let _right = store.exclusive("month").unwrap();
                    assert_eq!(held.fetch_add(1, Ordering::SeqCst), 0);
                    thread::yield_now();
                    held.fetch_sub(1, Ordering::SeqCst);
                }
            });
        }
    });
}

#[test]
fn an_upload_in_parts_survives_what_happens_to_its_parts() {
    let folder = tempfile::tempdir().unwrap();
    let (file, back) = (folder.path().join("up"), folder.path().join("down"));
    let content: Vec<u8> = (0..8 * PART + 77).map(|byte| (byte * 13 % 249) as u8).collect();
    fs::write(&file, &content).unwrap();
    let checksum = format!("{:016x}", xxh3_64(&content));
    for (operation, fault) in [
        (Operation::UploadPart, Fault::LostPart),
        (Operation::UploadPart, Fault::ResetInUpload),
        (Operation::UploadPart, Fault::CorruptUpload),
        (Operation::CreateMultipartUpload, Fault::LostReply),
        (Operation::CompleteMultipartUpload, Fault::LostReply),
        (Operation::CompleteMultipartUpload, Fault::ErrorInSuccess),
        (Operation::CompleteMultipartUpload, Fault::InternalError),
    ] {
        let (server, traffic) = (Server::start(), Arc::new(Traffic::default()));
        let store = in_server(&server, "").counting(&traffic);
        server.fail(1, operation, "", fault);
        store.upload(&file, "files/x").unwrap();
        assert_eq!((server.injected()[&fault], traffic.retries()), (1, 1), "{fault:?}");
        store.verify("files/x", content.len() as u64, &checksum).unwrap();
        let object = store.find("files/x").unwrap().unwrap();
        fs::remove_file(&back).unwrap_or_default();
        assert_eq!(store.download(&object, &back).unwrap(), checksum, "{fault:?}");
        // An upload that was begun twice, its first answer lost, leaves one for `clean`.
        assert_eq!(server.unfinished_uploads(), usize::from(operation == Operation::CreateMultipartUpload));
    }
    let server = Server::start();
    server.break_down(Operation::UploadPart, "", Fault::AccessDenied);
    let refused = in_server(&server, "").upload(&file, "files/x");
    assert!(matches!(refused, Err(StoreError::Refused { .. })), "{refused:?}");
    assert_eq!((server.unfinished_uploads(), server.count(Operation::AbortMultipartUpload)), (0, 1));
}

#[test]
fn a_right_that_is_not_renewed_goes_to_the_next_and_its_holder_cannot_commit() {
    let server = Server::start();
    let (first, second) = (in_server(&server, ""), in_server(&server, ""));
    let right = first.exclusive("month").unwrap();
    // As if another machine had taken it over.
    let key = "processed-data/rights/month.json";
    second.put(key, "{}".into()).unwrap();
    let right::Right::Lease(lease) = &right.0 else { panic!("a bucket has leases") };
    assert!(lease.still().holds());
    // Its next renewal finds out.
    let began = std::time::Instant::now();
    while lease.still().holds() && began.elapsed() < Duration::from_secs(60) {
        thread::sleep(Duration::from_millis(50));
    }
    let lost = first.put_if(&right, "a/manifest.json", "1".into(), None);
    assert!(matches!(lost, Err(StoreError::RightLost { .. })), "{lost:?}");
    assert!(first.read("a/manifest.json").unwrap().is_none());
    drop(right);
    assert_eq!(second.read(key).unwrap().unwrap().0, "{}", "what is another's is left alone");
}

#[test]
fn a_byte_changed_on_disk_is_seen_when_reading_back() {
    let (folder, store) = in_folder();
    let file = folder.path().join("upload");
    let content = vec![7; PART + 5];
    fs::write(&file, &content).unwrap();
    store.upload(&file, "x/y").unwrap();
    let checksum = format!("{:016x}", xxh3_64(&content));
    store.verify("x/y", PART as u64 + 5, &checksum).unwrap();
    let mut changed = content;
    changed[PART] ^= 1;
    fs::write(folder.path().join("x/y"), changed).unwrap();
    assert!(matches!(store.verify("x/y", PART as u64 + 5, &checksum), Err(StoreError::ReadBack { .. })));
}

#[test]
fn a_directory_that_is_not_there_is_empty_to_a_reader() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent");
    let name = absent.to_str().unwrap();
    let store = Store::open(name, ACCESS).unwrap();
    assert!(store.list("", None).unwrap().is_empty() && store.read("a").unwrap().is_none());
    assert!(Store::existing(name, ACCESS).is_err());
    assert!(!absent.exists());
}

#[test]
fn a_key_that_leads_out_of_the_folder_is_refused() {
    let outside = tempfile::tempdir().unwrap();
    let folder = outside.path().join("store");
    fs::create_dir(&folder).unwrap();
    let store = Store::existing(folder.to_str().unwrap(), ACCESS).unwrap();
    let treasure = outside.path().join("treasure");
    fs::write(&treasure, "x").unwrap();
    let absolute = treasure.to_str().unwrap();
    for key in ["../treasure", "a/../../treasure", absolute] {
        assert!(store.file(key).is_err(), "{key}");
        assert!(store.delete(key).is_err(), "{key}");
        assert!(store.read(key).is_ok_and(|found| found.is_none()), "{key}");
        let _ = store.put(key, Bytes::from_static(b"y"));
        let _ = store.upload(&treasure, key);
        let _ = store.copy(key, "copied");
        assert_eq!(fs::read_to_string(&treasure).unwrap(), "x", "{key}");
    }
    assert!(store.file("a/../b").is_err());
}

#[test]
fn what_is_read_whole_has_a_limit_and_a_month_fails_alone() {
    let (folder, store) = in_folder();
    let month = "2013-10".parse().unwrap();
    let path = folder.path().join(crate::manifest::key(month));
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(&path).unwrap().set_len(SMALL + 1).unwrap();
    assert!(matches!(store.read(&crate::manifest::key(month)), Err(StoreError::TooLarge { .. })));
    let error = base::Error::from(crate::manifest::read(&store, month).unwrap_err());
    assert!(error.class().is_of_one_month(), "{error:?}");
    // Nested deeper than anything of ours.
    fs::write(&path, [r#"{"current":{"made_from":{"settings":"#, &"[".repeat(1 << 20)].concat()).unwrap();
    let error = base::Error::from(crate::manifest::read(&store, month).unwrap_err());
    assert!(error.class().is_of_one_month() && exit::sentence(&error).contains("recursion limit"), "{error:?}");
}

#[test]
fn a_store_error_tells_a_missing_object_from_a_lost_connection() {
    let missing = Error::NotFound { path: String::new(), source: "".into() };
    assert!(StoreError::of("s", "reading", "k", 0, missing).is_of_object());
    let lost = Error::Generic { store: "s", source: "".into() };
    assert!(!StoreError::of("s", "reading", "k", 3, lost).is_of_object());
}
