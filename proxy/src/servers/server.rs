//! The servers, and where what is said about each is from.

/// An S3 server whose own CORS is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnownServer {
    /// Pigsty's fork of MinIO.
    Silo,
    /// The last community edition of MinIO.
    Minio,
    /// The Ceph Object Gateway.
    Rgw,
    /// Garage.
    Garage,
    /// SeaweedFS.
    Seaweedfs,
    /// The Versity S3 Gateway.
    Versitygw,
    /// RustFS.
    Rustfs,
    /// Cloudflare R2.
    R2,
}

/// The source of what is said about a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// This version was run, in the end-to-end report.
    Run(&'static str),
    /// This version's source was read.
    Source(&'static str),
    /// The operator's documentation says it.
    Documented(&'static str),
}

names!(
    KnownServer: Silo = "silo", Minio = "minio", Rgw = "rgw", Garage = "garage", Seaweedfs = "seaweedfs", Versitygw = "versitygw",
    Rustfs = "rustfs", R2 = "r2",
);

impl KnownServer {
    /// The name that its users know.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Silo => "silo",
            Self::Minio => "MinIO",
            Self::Rgw => "Ceph RGW",
            Self::Garage => "Garage",
            Self::Seaweedfs => "SeaweedFS",
            Self::Versitygw => "versitygw",
            Self::Rustfs => "RustFS",
            Self::R2 => "Cloudflare R2",
        }
    }

    /// The source of what is said about it.
    #[must_use]
    pub const fn evidence(self) -> Evidence {
        match self {
            Self::Minio => Evidence::Run("v0.0.0-20260212201848-7aac2a2c5b7c"),
            Self::Rgw => Evidence::Run("16.2.15"),
            Self::Garage => Evidence::Run("2.5.0"),
            Self::Seaweedfs => Evidence::Run("4.53"),
            Self::Versitygw => Evidence::Run("v1.8.0"),
            // internal/bucket/cors/cors.go and cmd/api-router.go.
            Self::Silo => Evidence::Source("RELEASE.2026-09-03T13-18-01Z"),
            // rustfs/src/storage/ecfs_extend.rs.
            Self::Rustfs => Evidence::Source("1.0.1"),
            // developers.cloudflare.com/r2/buckets/cors and the S3 API compatibility page.
            Self::R2 => Evidence::Documented("2026-11"),
        }
    }
}

impl Evidence {
    /// The version, or the month of the documentation.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::Run(version) | Self::Source(version) | Self::Documented(version) => version,
        }
    }

    /// The kind, in a word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Run(_) => "run",
            Self::Source(_) => "source",
            Self::Documented(_) => "documented",
        }
    }
}
