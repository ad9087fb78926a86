//! Everything that the SDK does with objects, over every protocol: it comes out as at the store itself.

use crate::support::bytes;
use crate::support::proxied::{Protocol, Proxied};
use crate::support::relay::Relay;
use crate::support::signed::hex;
use crate::support::store::{self, Asked};
use aws_sdk_s3::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_s3::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{CompletedMultipartUpload, CompletedPart, Delete, MetadataDirective, ObjectIdentifier};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use sha2::{Digest, Sha256};
use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

const MIB: usize = 1024 * 1024;

/// The SDK, and what it asks for. It speaks HTTP/2 where TLS offers it.
fn sdk(scene: &Proxied, protocol: Protocol, address: SocketAddr) -> (aws_sdk_s3::Client, Asking) {
    let builder = aws_smithy_http_client::Builder::new();
    let http = if protocol.is_tls() {
        let roots = TrustStore::empty().with_pem_certificate(std::fs::read(scene.authority.file()).unwrap());
        let context = TlsContext::builder().with_trust_store(roots).build().unwrap();
        builder.tls_provider(Provider::Rustls(CryptoMode::Ring)).tls_context(context).build_https()
    } else {
        builder.build_http()
    };
    let scheme = if protocol.is_tls() { "https" } else { "http" };
    let asking = Asking::default();
    let config = store::config(&format!("{scheme}://{address}"));
    let config = config.http_client(http).interceptor(asking.clone()).build();
    (aws_sdk_s3::Client::from_conf(config), asking)
}

/// Keeps what the SDK asks for.
#[derive(Debug, Clone, Default)]
struct Asking(Arc<Mutex<Vec<Asked>>>);

impl Intercept for Asking {
    fn name(&self) -> &'static str {
        "asking"
    }

    fn read_before_transmit(
        &self,
        context: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), aws_sdk_s3::error::BoxError> {
        let request = context.request();
        let (_, rest) = request.uri().split_once("://").unwrap();
        let (host, target) = rest.split_at(rest.find('/').unwrap());
        let line = format!("{} {target}", request.method());
        self.0.lock().unwrap().push(Asked { line, host: host.to_owned() });
        Ok(())
    }
}

/// What came of an operation: what it gave, or the code of the store's refusal.
fn outcome<T, E: ProvideErrorMetadata + Debug, R: Debug>(
    result: Result<T, SdkError<E, R>>,
    show: impl FnOnce(T) -> String,
) -> String {
    match result {
        Ok(output) => show(output),
        Err(SdkError::ServiceError(error)) => error.err().code().unwrap_or("an error without a code").to_owned(),
        Err(error) => panic!("not answered: {error:?}"),
    }
}

/// Everything that the SDK does with objects, one after the other, and what came of it.
async fn operations(client: &aws_sdk_s3::Client, bucket: &str) -> Vec<String> {
    let mut all = Vec::new();
    let content = |size| ByteStream::from(bytes(size));
    let mut done = |name: &str, outcome: String| all.push(format!("{name}: {outcome}"));
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes(200_000)).unwrap();

    let put = client.put_object().bucket(bucket).key("a b+c/ü").metadata("note", "a b").content_type("text/x-test");
    done("put", outcome(put.body(content(100_000)).send().await, |put| format!("{:?}", put.e_tag)));
    let streamed = ByteStream::from_path(file.path()).await.unwrap();
    let put = client.put_object().bucket(bucket).key("streamed").body(streamed);
    done("put of a file", outcome(put.send().await, |put| format!("{:?}", put.e_tag)));
    let absent = client.get_object().bucket(bucket).key("absent").send().await;
    done("get of what is not there", outcome(absent, |_| "there".into()));
    for range in [None, Some("bytes=0-0"), Some("bytes=70000-"), Some("bytes=-7"), Some("bytes=200000-")] {
        let get = client.get_object().bucket(bucket).key("a b+c/ü").set_range(range.map(Into::into)).send().await;
        let shown = match get {
            Ok(get) => {
                let about = format!("{:?} {:?} {:?}", get.content_range, get.content_type, get.metadata);
                let body = get.body.collect().await.unwrap().to_vec();
                format!("{about} {} {}", body.len(), hex(&Sha256::digest(&body)))
            }
            Err(error) => outcome(Err::<(), _>(error), |()| String::new()),
        };
        done(&format!("get {range:?}"), shown);
    }
    let head = client.head_object().bucket(bucket).key("a b+c/ü").send().await;
    done("head", outcome(head, |head| format!("{:?} {:?} {:?}", head.content_length, head.e_tag, head.metadata)));
    let copy = client.copy_object().bucket(bucket).key("copy").copy_source(format!("{bucket}/streamed"));
    done("copy", outcome(copy.metadata_directive(MetadataDirective::Copy).send().await, |_| "copied".into()));
    let attributes = client.get_object_attributes().bucket(bucket).key("copy");
    let attributes = attributes.object_attributes(aws_sdk_s3::types::ObjectAttributes::ObjectSize).send().await;
    done("attributes", outcome(attributes, |output| format!("{:?}", output.object_size)));
    done("acl", outcome(client.get_object_acl().bucket(bucket).key("copy").send().await, |_| "there".into()));
    done("tags", outcome(client.get_object_tagging().bucket(bucket).key("copy").send().await, |_| "there".into()));

    let create = client.create_multipart_upload().bucket(bucket).key("parts").send().await.unwrap();
    let id = create.upload_id().unwrap();
    let mut parts = Vec::new();
    for (number, size) in [(1, 5 * MIB), (2, 12_345)] {
        let part = client.upload_part().bucket(bucket).key("parts").upload_id(id).part_number(number);
        let e_tag = part.body(content(size)).send().await.unwrap().e_tag;
        parts.push(CompletedPart::builder().part_number(number).set_e_tag(e_tag).build());
    }
    let source = format!("{bucket}/streamed");
    let copied = client.upload_part_copy().bucket(bucket).key("parts").upload_id(id).part_number(3).copy_source(source);
    done("copied part", outcome(copied.send().await, |_| "copied".into()));
    let list = client.list_parts().bucket(bucket).key("parts").upload_id(id).send().await;
    let sizes = |mut sizes: Vec<_>| {
        // In no order: that is the store's.
        sizes.sort();
        format!("{sizes:?}")
    };
    done("parts", outcome(list, |list| sizes(list.parts().iter().map(|part| part.size).collect())));
    let whole = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
    let complete = client.complete_multipart_upload().bucket(bucket).key("parts").upload_id(id).multipart_upload(whole);
    done("complete", outcome(complete.send().await, |output| format!("{:?}", output.e_tag)));
    let create = client.create_multipart_upload().bucket(bucket).key("given up").send().await.unwrap();
    let abort = client.abort_multipart_upload().bucket(bucket).key("given up").set_upload_id(create.upload_id);
    done("abort", outcome(abort.send().await, |_| "aborted".into()));

    let list = client.list_objects().bucket(bucket).prefix("a b+").send().await;
    done("list", outcome(list, |list| format!("{:?}", list.contents().iter().map(|o| &o.key).collect::<Vec<_>>())));
    let list = client.list_objects_v2().bucket(bucket).delimiter("/").start_after("a").send().await;
    let shown = |object: &aws_sdk_s3::types::Object| format!("{:?} {:?}", object.key, object.size);
    done("list v2", outcome(list, |list| format!("{:?}", list.contents().iter().map(shown).collect::<Vec<_>>())));
    done("delete", outcome(client.delete_object().bucket(bucket).key("copy").send().await, |_| "gone".into()));
    let objects = ["streamed", "absent"].map(|key| ObjectIdentifier::builder().key(key).build().unwrap());
    let delete = Delete::builder().set_objects(Some(objects.to_vec())).build().unwrap();
    let deleted = client.delete_objects().bucket(bucket).delete(delete).send().await;
    done("delete several", outcome(deleted, |output| format!("{}", output.deleted().len())));
    let head = client.head_object().bucket(bucket).key("streamed").send().await;
    done("head of what is gone", outcome(head, |_| "there".into()));
    all
}

#[tokio::test]
async fn whatever_the_sdk_does_with_objects_it_does_over_every_protocol_as_at_the_store() {
    let (scene, store) = Proxied::before_a_store().await;
    let direct = store::client(store.address);
    direct.create_bucket().bucket("direct").send().await.unwrap();
    let expected = operations(&direct, "direct").await;
    assert_eq!(expected.len(), 22, "{expected:#?}");
    for protocol in [Protocol::Http1, Protocol::Http1OverTls, Protocol::Http2OverTls] {
        let relay = Relay::to(scene.address(protocol));
        let (sdk, asking) = sdk(&scene, protocol, relay.address);
        let bucket = format!("through-{protocol:?}").to_ascii_lowercase();
        direct.create_bucket().bucket(&bucket).send().await.unwrap();
        let mark = store.asked_since(0).len();
        let found = operations(&sdk, &bucket).await;
        assert_eq!(found, expected, "{protocol:?}");
        assert_eq!(*asking.0.lock().unwrap(), store.asked_since(mark), "{protocol:?}");
        // The client's hello is in the clear: it offers HTTP/2, so that is what the listener that has it speaks.
        let offers_http2 = relay.requests().windows(12).any(|bytes| bytes == b"\x02h2\x08http/1.1");
        assert_eq!(offers_http2, protocol.is_tls(), "{protocol:?}");
    }
}
