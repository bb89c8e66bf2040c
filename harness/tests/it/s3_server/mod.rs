//! The S3 server that the other tests run against: what it promises has to be true before anything is tested by it.

mod faults;

use std::{fs, future::Future, sync::LazyLock, time::Duration};

use crate::server::{ACCESS_KEY, BUCKET, Operation, REGION, SECRET_KEY, Server};
use object_store::{
    Error, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload, RetryConfig, UpdateVersion,
    aws::{AmazonS3, AmazonS3Builder, Checksum},
    path::Path,
};
use s3s::crypto::{Checksum as _, Md5};
use tokio::runtime::Runtime;

/// A client that does not try again.
fn client(server: &Server) -> AmazonS3Builder {
    AmazonS3Builder::new()
        .with_endpoint(server.endpoint())
        .with_allow_http(true)
        .with_bucket_name(BUCKET)
        .with_region(REGION)
        .with_access_key_id(ACCESS_KEY)
        .with_secret_access_key(SECRET_KEY)
        .with_checksum_algorithm(Checksum::SHA256)
        .with_retry(RetryConfig { max_retries: 0, ..RetryConfig::default() })
}

/// One for all threads: a connection ends with the runtime that opened it.
static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap());

fn wait<T>(future: impl Future<Output = T>) -> T {
    RUNTIME.block_on(future)
}

async fn read(s3: &AmazonS3, key: &str) -> object_store::Result<Vec<u8>> {
    Ok(s3.get(&Path::from(key)).await?.bytes().await?.to_vec())
}

async fn keys(s3: &AmazonS3) -> object_store::Result<Vec<String>> {
    let listed = s3.list_with_delimiter(None).await?;
    Ok(listed.objects.into_iter().map(|object| object.location.to_string()).collect())
}

/// Two parts, as small as S3 takes them.
async fn upload(s3: &AmazonS3, key: &str) -> object_store::Result<()> {
    let mut upload = s3.put_multipart(&Path::from(key)).await?;
    upload.put_part(PutPayload::from(vec![1; 5 << 20])).await?;
    upload.put_part(PutPayload::from("end")).await?;
    upload.complete().await.map(drop)
}

#[test]
fn what_is_put_is_listed_read_copied_and_deleted() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    wait(async {
        let key = Path::from("a folder/2013=1+2");
        s3.put(&key, "content".into()).await.unwrap();
        assert_eq!(fs::read(server.folder().join("a folder/2013=1+2")).unwrap(), b"content");
        assert_eq!(s3.get_range(&key, 3..5).await.unwrap(), "te");
        let head = s3.head(&key).await.unwrap();
        assert_eq!((head.size, head.e_tag), (7, Some("\"9a0364b9e99bb480dd25e1f0284c8555\"".into())));
        s3.copy(&key, &Path::from("copy")).await.unwrap();
        s3.delete(&key).await.unwrap();
        assert!(matches!(s3.head(&key).await, Err(Error::NotFound { .. })));
        upload(&s3, "large").await.unwrap();
        assert_eq!(read(&s3, "large").await.unwrap().len(), (5 << 20) + 3);
        assert_eq!(keys(&s3).await.unwrap(), ["copy", "large"]);
        let begun = s3.put_multipart(&Path::from("begun")).await.unwrap();
        assert_eq!(server.unfinished_uploads(), 1);
        drop(begun);
    });
    assert_eq!(server.count(Operation::UploadPart), 2);
    assert_eq!(server.count(Operation::ListObjectsV2), 1);
    assert_eq!(server.count(Operation::HeadObject), 2);
    assert_eq!(server.requests().len(), 9);
}

#[test]
fn who_does_not_sign_with_the_key_is_refused() {
    let server = Server::start();
    let put = |builder: AmazonS3Builder| wait(builder.build().unwrap().put(&Path::from("a"), "b".into()));
    let refused = |builder| put(builder).unwrap_err().to_string();
    assert!(refused(client(&server).with_secret_access_key("other")).contains("SignatureDoesNotMatch"));
    assert!(refused(client(&server).with_access_key_id("other")).contains("InvalidAccessKeyId"));
    assert!(refused(client(&server).with_skip_signature(true)).contains("AccessDenied"));
    assert!(refused(client(&server).with_bucket_name("another")).contains("NoSuchBucket"));
    assert_eq!(fs::read_dir(server.folder()).unwrap().count(), 0);
    server.add_bucket("another");
    put(client(&server).with_bucket_name("another")).unwrap();
}

#[test]
fn of_eight_conditional_puts_at_once_one_wins() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    let race = |mode: &dyn Fn() -> PutMode, round: usize| -> usize {
        let won = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..8)
                .map(|worker| {
                    let (s3, mode) = (s3.clone(), mode());
                    let content = format!("{round} {worker}");
                    scope.spawn(move || wait(s3.put_opts(&Path::from("a"), content.into(), PutOptions::from(mode))))
                })
                .collect();
            workers.into_iter().map(|worker| worker.join().unwrap()).collect::<Vec<_>>()
        });
        let winners: Vec<usize> = (0..8).filter(|&worker| won[worker].is_ok()).collect();
        for lost in won.into_iter().filter_map(Result::err) {
            assert!(matches!(lost, Error::AlreadyExists { .. } | Error::Precondition { .. }), "{lost}");
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(fs::read_to_string(server.folder().join("a")).unwrap(), format!("{round} {}", winners[0]));
        winners[0]
    };
    race(&|| PutMode::Create, 0);
    for round in 1..10 {
        let e_tag = wait(s3.head(&Path::from("a"))).unwrap().e_tag;
        race(&|| PutMode::Update(UpdateVersion { e_tag: e_tag.clone(), version: None }), round);
    }
}

#[test]
fn what_was_asked_for_is_done_to_its_end_when_the_client_is_gone() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    let key = Path::from("a");
    wait(s3.put(&key, "content".into())).unwrap();
    for round in 0..200 {
        wait(async {
            let patience = Duration::from_micros(500 + 10 * round);
            let _ = tokio::time::timeout(patience, s3.put(&key, format!("content {round}").into())).await;
            let there = s3.get(&key).await.unwrap();
            let e_tag = there.meta.e_tag.clone().unwrap();
            let hash = Md5::checksum(&there.bytes().await.unwrap());
            assert_eq!(e_tag.trim_matches('"'), hash.map(|byte| format!("{byte:02x}")).concat(), "{round}");
        });
    }
}

#[test]
fn a_listing_has_as_many_pages_as_it_needs() {
    let server = Server::start();
    (0..1001).for_each(|name| fs::write(server.folder().join(name.to_string()), "").unwrap());
    assert_eq!(wait(keys(&client(&server).build().unwrap())).unwrap().len(), 1001);
    assert_eq!(server.count(Operation::ListObjectsV2), 2);
}

#[test]
fn a_condition_holds_for_the_etag_that_is_there() {
    let server = Server::start();
    let s3 = client(&server).build().unwrap();
    let put_if = async |e_tag: &str| {
        let update = UpdateVersion { e_tag: Some(e_tag.to_owned()), version: None };
        s3.put_opts(&Path::from("a"), "b".into(), PutMode::Update(update).into()).await
    };
    wait(async {
        let absent = format!("{:?}", put_if("\"0\"").await.unwrap_err());
        assert!(absent.contains("404") && absent.contains("NoSuchKey"), "{absent}");
        let e_tag = s3.put(&Path::from("a"), "b".into()).await.unwrap().e_tag.unwrap();
        assert!(matches!(put_if("\"0\"").await, Err(Error::Precondition { .. })));
        put_if(&e_tag).await.unwrap();
        put_if(e_tag.trim_matches('"')).await.unwrap();
    });
}
