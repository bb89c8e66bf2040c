//! What the server does when something is to go wrong: just that, once, and counted.

use std::{
    collections::BTreeMap,
    fs,
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, SystemTime},
};

use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, UpdateVersion, aws::AmazonS3,
    multipart::MultipartStore, path::Path,
};

use crate::server::{Fault, Faults, Operation, Server};

use super::{client, keys, read, upload, wait};

/// What is stored under a key.
fn stored(server: &Server, key: &str) -> Option<Vec<u8>> {
    fs::read(server.folder().join(key)).ok()
}

#[test]
fn a_refused_request_does_nothing_and_the_next_one_is_done() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    let put = || wait(s3.put(&Path::from("a"), "b".into()));
    for (fault, status, code) in [
        (Fault::InternalError, "500", "InternalError"),
        (Fault::SlowDown, "503", "SlowDown"),
        (Fault::TooManyRequests, "429", "TooManyRequests"),
        (Fault::ExpiredToken, "400", "ExpiredToken"),
        (Fault::AccessDenied, "403", "AccessDenied"),
        (Fault::RequestTimeTooSkewed, "403", "RequestTimeTooSkewed"),
        (Fault::StorageFull, "507", "XMinioStorageFull"),
        (Fault::QuotaExceeded, "403", "QuotaExceeded"),
        (Fault::NoSuchBucket, "404", "NoSuchBucket"),
    ] {
        server.fail(1, Operation::PutObject, "", fault);
        let refused = format!("{:?}", put().unwrap_err());
        assert!(refused.contains(status) && refused.contains(code), "{refused}");
        assert_eq!(stored(&server, "a"), None);
        put().unwrap();
        assert_eq!(server.injected()[&fault], 1);
        fs::remove_file(server.folder().join("a")).unwrap();
    }
}

#[test]
fn orders_are_for_an_operation_and_keys_until_they_are_done_or_taken_back() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    let put = |key: &str| wait(s3.put(&Path::from(key), "b".into())).is_ok();
    server.fail(2, Operation::PutObject, "manifest", Fault::SlowDown);
    assert!(put("data") && wait(s3.head(&Path::from("data"))).is_ok());
    assert!(!put("1/manifest.json") && !put("2/manifest.json") && put("3/manifest.json"));
    server.break_down(None, "", Fault::StorageFull);
    assert!(!put("data") && !put("data") && wait(read(&s3, "data")).is_ok(), "reading needs no room");
    server.mend();
    assert!(put("data"));
    assert_eq!(server.injected(), BTreeMap::from([(Fault::SlowDown, 2), (Fault::StorageFull, 2)]));
}

#[test]
fn a_success_may_be_an_error() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    wait(async {
        s3.put(&Path::from("a"), "b".into()).await.unwrap();
        let operations = [
            Operation::PutObject,
            Operation::CopyObject,
            Operation::CompleteMultipartUpload,
            Operation::GetObject,
            Operation::ListObjectsV2,
            Operation::DeleteObjects,
        ];
        operations.iter().for_each(|&operation| server.fail(1, operation, "", Fault::ErrorInSuccess));
        let _ = s3.put(&Path::from("put"), "b".into()).await;
        let _ = s3.copy(&Path::from("a"), &Path::from("copy")).await;
        upload(&s3, "uploaded").await.unwrap_err();
        let error = String::from_utf8(read(&s3, "a").await.unwrap()).unwrap();
        assert!(error.contains("<Error><Code>InternalError</Code>"), "{error}");
        let _ = keys(&s3).await;
        s3.delete(&Path::from("a")).await.unwrap_err();
        assert_eq!(server.injected()[&Fault::ErrorInSuccess], 6);
        assert_eq!(keys(&s3).await.unwrap(), ["a"]);
    });
}

#[test]
fn connections_break_within_a_request_or_before_its_answer() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    wait(async {
        let large = || PutPayload::from(vec![7; 3 << 20]);
        let key = Path::from("a");
        server.fail(1, Operation::PutObject, "", Fault::ResetInUpload);
        assert!(matches!(s3.put(&key, large()).await, Err(Error::Generic { .. })));
        assert_eq!(stored(&server, "a"), None);
        server.fail(1, Operation::PutObject, "", Fault::LostReply);
        assert!(matches!(s3.put(&key, large()).await, Err(Error::Generic { .. })));
        assert_eq!(stored(&server, "a").unwrap().len(), 3 << 20);
        server.fail(1, Operation::DeleteObjects, ">a</Key>", Fault::LostReply);
        assert!(matches!(s3.delete(&key).await, Err(Error::Generic { .. })));
        assert_eq!(stored(&server, "a"), None);

        let id = s3.create_multipart(&key).await.unwrap();
        server.fail(1, Operation::UploadPart, "", Fault::ResetInUpload);
        assert!(matches!(s3.put_part(&key, &id, 0, large()).await, Err(Error::Generic { .. })));
        let part = s3.put_part(&key, &id, 0, large()).await.unwrap();
        server.fail(1, Operation::CompleteMultipartUpload, "", Fault::LostReply);
        assert!(s3.complete_multipart(&key, &id, vec![part.clone()]).await.is_err());
        assert_eq!(stored(&server, "a").unwrap().len(), 3 << 20);
        let again = s3.complete_multipart(&key, &id, vec![part]).await.unwrap_err();
        assert!(format!("{again:?}").contains("NoSuchUpload"), "{again:?}");
    });
    assert_eq!(server.injected(), BTreeMap::from([(Fault::ResetInUpload, 2), (Fault::LostReply, 3)]));
}

#[test]
fn a_lost_part_is_missed_at_the_end_and_can_be_sent_again() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    wait(async {
        let key = Path::from("a");
        let id = s3.create_multipart(&key).await.unwrap();
        let first = s3.put_part(&key, &id, 0, vec![1; 5 << 20].into()).await.unwrap();
        server.fail(1, Operation::UploadPart, "", Fault::LostPart);
        let second = s3.put_part(&key, &id, 1, "end".into()).await.unwrap();
        let parts = vec![first, second.clone()];
        let missed = s3.complete_multipart(&key, &id, parts.clone()).await.unwrap_err();
        assert!(format!("{missed:?}").contains("InvalidPart"), "{missed:?}");
        assert_eq!(s3.put_part(&key, &id, 1, "end".into()).await.unwrap().content_id, second.content_id);
        s3.complete_multipart(&key, &id, parts).await.unwrap();
        assert_eq!(stored(&server, "a").unwrap().len(), (5 << 20) + 3);
    });
    assert_eq!(server.injected(), BTreeMap::from([(Fault::LostPart, 1)]));
}

#[test]
fn downloads_are_slow_cut_or_changed() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    let bytes: Vec<u8> = (0..100_000_u32).map(|byte| (byte % 251) as u8).collect();
    wait(async {
        s3.put(&Path::from("a"), bytes.clone().into()).await.unwrap();
        let get = async |fault| {
            server.fail(1, Operation::GetObject, "", fault);
            read(&s3, "a").await
        };
        assert!(get(Fault::SlowBody).await.unwrap() == bytes);
        assert!(matches!(get(Fault::TruncatedDownload).await, Err(Error::Generic { .. })));
        assert!(get(Fault::ShortDownload).await.unwrap() == bytes[..50_000]);
        let changed = get(Fault::CorruptDownload).await.unwrap();
        let bits = bytes.iter().zip(&changed).map(|(byte, changed)| (byte ^ changed).count_ones());
        assert_eq!((changed.len(), bits.sum::<u32>()), (100_000, 1));
        server.fail(1, Operation::GetObject, "", Fault::ShortDownload);
        assert!(s3.get_range(&Path::from("a"), 10..20).await.is_ok_and(|half| half == bytes[10..15]));
        assert!(read(&s3, "a").await.unwrap() == bytes);
    });
    assert_eq!(server.injected().values().sum::<u64>(), 5);
}

#[test]
fn a_changed_upload_is_refused_by_hash_or_checksum() {
    let server = Server::start();
    for (unsigned, code) in [(false, "XAmzContentSHA256Mismatch"), (true, "BadDigest")] {
        let s3 = client(&server).with_unsigned_payload(unsigned).build().unwrap();
        wait(async {
            let key = Path::from("a");
            let refused = |done: Option<Error>| {
                let error = format!("{:?}", done.unwrap());
                assert!(error.contains("400") && error.contains(code), "{error}");
            };
            let id = s3.create_multipart(&key).await.unwrap();
            server.fail(1, Operation::PutObject, "", Fault::CorruptUpload);
            server.fail(1, Operation::UploadPart, "", Fault::CorruptUpload);
            refused(s3.put(&key, "content".into()).await.err());
            refused(s3.put_part(&key, &id, 0, "content".into()).await.err());
        });
        assert_eq!(stored(&server, "a"), None);
    }
    assert_eq!(server.injected()[&Fault::CorruptUpload], 4);
}

#[test]
fn a_stale_listing_lacks_what_is_new() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    wait(async {
        let written = async |key: &str, time| {
            s3.put(&Path::from(key), "b".into()).await.unwrap();
            fs::File::options().write(true).open(server.folder().join(key)).unwrap().set_modified(time).unwrap();
        };
        written("old", SystemTime::now() - Duration::from_secs(10)).await;
        server.fail(1, Operation::ListObjectsV2, "", Fault::StaleListing);
        written("new", SystemTime::now() + Duration::from_secs(60)).await;
        assert_eq!(keys(&s3).await.unwrap(), ["old"]);
        assert_eq!(keys(&s3).await.unwrap(), ["new", "old"]);
    });
    assert_eq!(server.injected(), BTreeMap::from([(Fault::StaleListing, 1)]));
}

#[test]
fn a_conditional_put_is_refused_for_no_reason_or_after_it_was_done() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    for (fault, status, done) in [
        (Fault::PreconditionFailed, "412", false),
        (Fault::PreconditionFailedAfter, "412", true),
        (Fault::Conflict, "409", false),
        (Fault::ConflictAfter, "409", true),
    ] {
        wait(async {
            let e_tag = s3.put(&Path::from("a"), "before".into()).await.unwrap().e_tag;
            server.fail(1, None, "", fault);
            s3.put(&Path::from("b"), "no condition".into()).await.unwrap();
            let update = PutOptions::from(PutMode::Update(UpdateVersion { e_tag, version: None }));
            let refused = s3.put_opts(&Path::from("a"), "after".into(), update).await.unwrap_err();
            assert!(format!("{refused:?}").contains(status), "{refused:?}");
            assert_eq!(stored(&server, "a").unwrap(), if done { b"after".as_slice() } else { b"before" });
        });
        assert_eq!(server.injected()[&fault], 1);
    }
}

#[test]
fn the_clock_can_be_wrong() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    let put = || wait(s3.put(&Path::from("a"), "b".into()));
    let year = || {
        let mut stream = TcpStream::connect(server.endpoint().trim_start_matches("http://")).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let date = answer.lines().find_map(|line| line.strip_prefix("date: ")).unwrap();
        date.split(' ').nth(3).unwrap().parse::<i32>().unwrap()
    };
    let now = year();
    for ahead in [1000, -1000, 366 * 86_400] {
        server.set_clock_ahead(ahead);
        assert!(put().unwrap_err().to_string().contains("RequestTimeTooSkewed"));
    }
    assert_eq!(year(), now + 1);
    server.set_clock_ahead(800);
    put().unwrap();
}

/// Every operation of the program on keys of its own, whatever comes of it.
async fn everything(s3: &AmazonS3, worker: usize) {
    for round in 0..20 {
        let key = Path::from(format!("{worker}/{round}"));
        let _ = s3.put(&key, "content".into()).await;
        let e_tag = s3.head(&key).await.ok().and_then(|head| head.e_tag);
        let update = PutOptions::from(PutMode::Update(UpdateVersion { e_tag, version: None }));
        let _ = s3.put_opts(&key, "changed".into(), update).await;
        let _ = s3.put_opts(&Path::from(format!("{key}/new")), "new".into(), PutMode::Create.into()).await;
        if let Ok(id) = s3.create_multipart(&key).await
            && let Ok(part) = s3.put_part(&key, &id, 0, "content".into()).await
        {
            let _ = s3.complete_multipart(&key, &id, vec![part]).await;
        }
        let _ = read(s3, key.as_ref()).await;
        let _ = s3.get_range(&key, 1..3).await;
        let _ = s3.list_with_delimiter(Some(&Path::from(worker.to_string()))).await;
        let _ = s3.delete(&key).await;
    }
}

/// What went wrong with everything that four workers did at once, or one after the other.
fn injected(seed: u64, at_once: bool) -> (BTreeMap<Fault, u64>, u64) {
    let server = Server::with_faults(Faults::passing(seed, 0.3));
    let s3 = client(&server).build().unwrap();
    if at_once {
        std::thread::scope(|scope| {
            (0..4).for_each(|worker| {
                drop(scope.spawn({
                    let s3 = &s3;
                    move || wait(everything(s3, worker))
                }))
            })
        });
    } else {
        (0..4).for_each(|worker| wait(everything(&s3, worker)));
    }
    (server.injected(), server.requests().values().sum())
}

#[test]
fn chance_depends_on_the_seed_and_not_on_the_order_of_requests() {
    let (faults, requests) = injected(1, false);
    assert_eq!(faults.keys().copied().collect::<Vec<_>>(), Fault::PASSING, "each has happened");
    let share = faults.values().sum::<u64>() as f64 / requests as f64;
    assert!((0.2..0.4).contains(&share), "{share}");
    let (mut at_once, as_many) = injected(1, true);
    // What is new depends on the time as well.
    at_once.insert(Fault::StaleListing, faults[&Fault::StaleListing]);
    assert_eq!((&at_once, as_many), (&faults, requests));
    assert_ne!(injected(2, false).0, faults);
}
