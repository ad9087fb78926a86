//! S3's name for what a request asks for (S3 API reference, "Actions"), for people who read a log.
//!
//! Decides: the name, by method, path and query. Must not know: whether the server has the operation, and what it answers.

/// What a request's path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Neither a bucket nor an object.
    Service,
    /// A bucket.
    Bucket,
    /// An object.
    Object,
}

/// The header that makes an upload a copy.
pub const COPY_SOURCE: &str = "x-amz-copy-source";

/// A parameter that names a part of a bucket or an object, and the operations on it by GET, PUT, POST and DELETE.
type SubResource = (&'static str, [&'static str; 4]);

/// S3 has no such operation.
const NONE: &str = "";

#[rustfmt::skip]
const OF_BUCKET: &[SubResource] = &[
    ("abac", ["GetBucketAbac", "PutBucketAbac", NONE, NONE]),
    ("accelerate", ["GetBucketAccelerateConfiguration", "PutBucketAccelerateConfiguration", NONE, NONE]),
    ("acl", ["GetBucketAcl", "PutBucketAcl", NONE, NONE]),
    ("analytics", ["ListBucketAnalyticsConfigurations", "PutBucketAnalyticsConfiguration", NONE, "DeleteBucketAnalyticsConfiguration"]),
    ("cors", ["GetBucketCors", "PutBucketCors", NONE, "DeleteBucketCors"]),
    ("delete", [NONE, NONE, "DeleteObjects", NONE]),
    ("encryption", ["GetBucketEncryption", "PutBucketEncryption", NONE, "DeleteBucketEncryption"]),
    ("intelligent-tiering", ["ListBucketIntelligentTieringConfigurations", "PutBucketIntelligentTieringConfiguration", NONE, "DeleteBucketIntelligentTieringConfiguration"]),
    ("inventory", ["ListBucketInventoryConfigurations", "PutBucketInventoryConfiguration", NONE, "DeleteBucketInventoryConfiguration"]),
    ("lifecycle", ["GetBucketLifecycleConfiguration", "PutBucketLifecycleConfiguration", NONE, "DeleteBucketLifecycle"]),
    ("location", ["GetBucketLocation", NONE, NONE, NONE]),
    ("logging", ["GetBucketLogging", "PutBucketLogging", NONE, NONE]),
    ("metadataAnnotationTable", [NONE, "UpdateBucketMetadataAnnotationTableConfiguration", NONE, NONE]),
    ("metadataConfiguration", ["GetBucketMetadataConfiguration", NONE, "CreateBucketMetadataConfiguration", "DeleteBucketMetadataConfiguration"]),
    ("metadataInventoryTable", [NONE, "UpdateBucketMetadataInventoryTableConfiguration", NONE, NONE]),
    ("metadataJournalTable", [NONE, "UpdateBucketMetadataJournalTableConfiguration", NONE, NONE]),
    ("metadataTable", ["GetBucketMetadataTableConfiguration", NONE, "CreateBucketMetadataTableConfiguration", "DeleteBucketMetadataTableConfiguration"]),
    ("metrics", ["ListBucketMetricsConfigurations", "PutBucketMetricsConfiguration", NONE, "DeleteBucketMetricsConfiguration"]),
    ("notification", ["GetBucketNotificationConfiguration", "PutBucketNotificationConfiguration", NONE, NONE]),
    ("object-lock", ["GetObjectLockConfiguration", "PutObjectLockConfiguration", NONE, NONE]),
    ("ownershipControls", ["GetBucketOwnershipControls", "PutBucketOwnershipControls", NONE, "DeleteBucketOwnershipControls"]),
    ("policy", ["GetBucketPolicy", "PutBucketPolicy", NONE, "DeleteBucketPolicy"]),
    ("policyStatus", ["GetBucketPolicyStatus", NONE, NONE, NONE]),
    ("publicAccessBlock", ["GetPublicAccessBlock", "PutPublicAccessBlock", NONE, "DeletePublicAccessBlock"]),
    ("replication", ["GetBucketReplication", "PutBucketReplication", NONE, "DeleteBucketReplication"]),
    ("requestPayment", ["GetBucketRequestPayment", "PutBucketRequestPayment", NONE, NONE]),
    ("session", ["CreateSession", NONE, NONE, NONE]),
    ("tagging", ["GetBucketTagging", "PutBucketTagging", NONE, "DeleteBucketTagging"]),
    ("uploads", ["ListMultipartUploads", NONE, NONE, NONE]),
    ("versioning", ["GetBucketVersioning", "PutBucketVersioning", NONE, NONE]),
    ("versions", ["ListObjectVersions", NONE, NONE, NONE]),
    ("website", ["GetBucketWebsite", "PutBucketWebsite", NONE, "DeleteBucketWebsite"]),
];

#[rustfmt::skip]
const OF_OBJECT: &[SubResource] = &[
    ("acl", ["GetObjectAcl", "PutObjectAcl", NONE, NONE]),
    ("annotation", ["ListObjectAnnotations", "PutObjectAnnotation", NONE, "DeleteObjectAnnotation"]),
    ("attributes", ["GetObjectAttributes", NONE, NONE, NONE]),
    ("encryption", [NONE, "UpdateObjectEncryption", NONE, NONE]),
    ("legal-hold", ["GetObjectLegalHold", "PutObjectLegalHold", NONE, NONE]),
    ("renameObject", [NONE, "RenameObject", NONE, NONE]),
    ("restore", [NONE, NONE, "RestoreObject", NONE]),
    ("retention", ["GetObjectRetention", "PutObjectRetention", NONE, NONE]),
    ("select", [NONE, NONE, "SelectObjectContent", NONE]),
    ("tagging", ["GetObjectTagging", "PutObjectTagging", NONE, "DeleteObjectTagging"]),
    ("torrent", ["GetObjectTorrent", NONE, NONE, NONE]),
    ("uploadId", ["ListParts", "UploadPart", "CompleteMultipartUpload", "AbortMultipartUpload"]),
    ("uploads", [NONE, NONE, "CreateMultipartUpload", NONE]),
];

/// Where GET without a name lists them, GET of the one that a parameter names.
const OF_ONE: &[(&str, &str)] = &[
    ("analytics", "GetBucketAnalyticsConfiguration"),
    ("intelligent-tiering", "GetBucketIntelligentTieringConfiguration"),
    ("inventory", "GetBucketInventoryConfiguration"),
    ("metrics", "GetBucketMetricsConfiguration"),
    ("annotation", "GetObjectAnnotation"),
];
/// The parameters that name one of several.
const NAMES: [&str; 2] = ["id", "annotationName"];

/// What a request asks for; `None` for what S3 has no name for, and for preflights. `is_copy` tells of [`COPY_SOURCE`].
#[must_use]
pub fn operation(
    method: &str,
    scope: Scope,
    query: Option<&str>,
    is_copy: impl FnOnce() -> bool,
) -> Option<&'static str> {
    let query = query.unwrap_or_default();
    let sub_resources = match scope {
        Scope::Service => return (method == "GET").then_some("ListBuckets"),
        Scope::Bucket => OF_BUCKET,
        Scope::Object => OF_OBJECT,
    };
    match names(query).find_map(|name| sub_resources.iter().find(|(known, _)| *known == name)) {
        Some(found) => of_sub_resource(method, found, query, is_copy),
        None => whole(method, scope, query, is_copy),
    }
}

/// Returns true for the name of a parameter that names a part of a bucket or an object, in any case.
#[must_use]
pub fn is_sub_resource(name: &str) -> bool {
    OF_BUCKET.iter().chain(OF_OBJECT).any(|(known, _)| known.eq_ignore_ascii_case(name))
}

/// The names in a query that can be those of a sub-resource. None begins with the `X` of a signature's parameters or of `x-id`, which the
/// SDKs add and S3 ignores.
fn names(query: &str) -> impl Iterator<Item = &str> {
    let names = query.split('&').map(|parameter| parameter.split_once('=').map_or(parameter, |(name, _)| name));
    names.filter(|name| !name.starts_with(['X', 'x']))
}

fn of_sub_resource(
    method: &str,
    (name, [get, put, post, delete]): &SubResource,
    query: &str,
    is_copy: impl FnOnce() -> bool,
) -> Option<&'static str> {
    let operation = match method {
        "GET" => {
            let one = OF_ONE.iter().find(|(several, _)| several == name).filter(|_| names(query).any(is_name));
            one.map_or(*get, |(_, one)| one)
        }
        "PUT" if *name == "uploadId" && is_copy() => "UploadPartCopy",
        "PUT" => put,
        "POST" => post,
        "DELETE" => delete,
        _ => NONE,
    };
    Some(operation).filter(|operation| *operation != NONE)
}

fn is_name(parameter: &str) -> bool {
    NAMES.contains(&parameter)
}

/// The operations on a bucket or an object as a whole. A parameter that S3 does not know changes nothing.
fn whole(method: &str, scope: Scope, query: &str, is_copy: impl FnOnce() -> bool) -> Option<&'static str> {
    Some(match (scope, method) {
        (Scope::Bucket, "GET") if query.split('&').any(|parameter| parameter == "list-type=2") => "ListObjectsV2",
        (Scope::Bucket, "GET") => "ListObjects",
        (Scope::Bucket, "HEAD") => "HeadBucket",
        (Scope::Bucket, "PUT") => "CreateBucket",
        (Scope::Bucket, "DELETE") => "DeleteBucket",
        // The upload of an HTML form.
        (Scope::Bucket, "POST") => "PostObject",
        (Scope::Object, "GET") => "GetObject",
        (Scope::Object, "HEAD") => "HeadObject",
        (Scope::Object, "PUT") if is_copy() => "CopyObject",
        (Scope::Object, "PUT") => "PutObject",
        (Scope::Object, "DELETE") => "DeleteObject",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Scope::{Bucket, Object, Service};

    #[test]
    fn a_request_asks_for_what_method_path_and_query_say() {
        let signature = "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=k%2F20260101%2Fr%2Fs3%2Faws4_request&X-Amz-Signature=acl";
        for (method, scope, query, copies, expected) in [
            ("GET", Service, "", false, Some("ListBuckets")),
            ("GET", Service, "x-id=ListBuckets&prefix=acl", false, Some("ListBuckets")),
            ("POST", Service, "", false, None),
            ("GET", Bucket, "", false, Some("ListObjects")),
            ("GET", Bucket, "prefix=uploads/&delimiter=/", false, Some("ListObjects")),
            ("GET", Bucket, "list-type=2&prefix=acl", false, Some("ListObjectsV2")),
            ("GET", Bucket, "list-type=1", false, Some("ListObjects")),
            ("GET", Bucket, "versions&prefix=a", false, Some("ListObjectVersions")),
            ("GET", Bucket, "uploads", false, Some("ListMultipartUploads")),
            ("GET", Bucket, "uploads=", false, Some("ListMultipartUploads")),
            ("GET", Bucket, "cors", false, Some("GetBucketCors")),
            ("PUT", Bucket, "cors", false, Some("PutBucketCors")),
            ("DELETE", Bucket, "cors", false, Some("DeleteBucketCors")),
            ("POST", Bucket, "cors", false, None),
            ("GET", Bucket, "inventory", false, Some("ListBucketInventoryConfigurations")),
            ("GET", Bucket, "inventory&id=1", false, Some("GetBucketInventoryConfiguration")),
            ("PUT", Bucket, "id=1&inventory", false, Some("PutBucketInventoryConfiguration")),
            ("GET", Bucket, "cors&id=1", false, Some("GetBucketCors")),
            ("POST", Bucket, "delete", false, Some("DeleteObjects")),
            ("POST", Bucket, "", false, Some("PostObject")),
            ("PUT", Bucket, "", false, Some("CreateBucket")),
            ("HEAD", Bucket, "", false, Some("HeadBucket")),
            ("DELETE", Bucket, "", false, Some("DeleteBucket")),
            ("GET", Object, "", false, Some("GetObject")),
            ("GET", Object, "x-id=GetObject&partNumber=1&response-content-type=acl", false, Some("GetObject")),
            ("GET", Object, signature, false, Some("GetObject")),
            ("GET", Object, "versionId=1", false, Some("GetObject")),
            ("GET", Object, "cors", false, Some("GetObject")),
            ("HEAD", Object, "", false, Some("HeadObject")),
            ("HEAD", Object, "acl", false, None),
            ("PUT", Object, "x-id=PutObject", false, Some("PutObject")),
            ("PUT", Object, "", true, Some("CopyObject")),
            ("PUT", Object, "partNumber=1&uploadId=u", false, Some("UploadPart")),
            ("PUT", Object, "x-id=UploadPartCopy&partNumber=1&uploadId=u", true, Some("UploadPartCopy")),
            ("PUT", Object, "tagging", true, Some("PutObjectTagging")),
            ("POST", Object, "uploads", false, Some("CreateMultipartUpload")),
            ("POST", Object, "uploadId=u", false, Some("CompleteMultipartUpload")),
            ("GET", Object, "uploadId=u", false, Some("ListParts")),
            ("DELETE", Object, "uploadId=u", false, Some("AbortMultipartUpload")),
            ("DELETE", Object, "", false, Some("DeleteObject")),
            ("POST", Object, "select&select-type=2", false, Some("SelectObjectContent")),
            ("POST", Object, "restore&versionId=1", false, Some("RestoreObject")),
            ("POST", Object, "", false, None),
            ("GET", Object, "annotation&annotationName=a", false, Some("GetObjectAnnotation")),
            ("PATCH", Object, "", false, None),
            ("OPTIONS", Object, "", false, None),
            ("get", Object, "", false, None),
        ] {
            assert_eq!(operation(method, scope, Some(query), || copies), expected, "{method} {scope:?} {query}");
        }
        assert_eq!(operation("GET", Object, None, || false), Some("GetObject"));
    }

    #[test]
    fn the_tables_name_each_operation_and_each_parameter_once() {
        for table in [OF_BUCKET, OF_OBJECT] {
            let mut seen: Vec<_> = table.iter().map(|(name, _)| *name).collect();
            seen.extend(table.iter().flat_map(|(_, operations)| operations).filter(|operation| **operation != NONE));
            let all = seen.len();
            seen.sort_unstable();
            seen.dedup();
            assert_eq!(seen.len(), all);
            assert!(names(&seen.join("&")).count() == all, "one that begins with x would never be found");
        }
        for (several, _) in OF_ONE {
            assert!(OF_BUCKET.iter().chain(OF_OBJECT).any(|(name, _)| name == several), "{several}");
        }
    }
}
