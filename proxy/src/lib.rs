//! s3cors: a reverse proxy that puts Amazon S3's CORS in front of any S3 endpoint.
//!
//! The engine (`s3-cors`) decides about CORS; everything here carries requests to it and its decisions back. ARCHITECTURE.md tells the
//! whole of it. [`downstream`] is the way in, [`drivers`] move the bytes, an [`exchange`] decides what happens to a request,
//! [`upstream`] knows where it goes. [`rules`] are read and swapped live, [`explain`] says why they grant a request or not,
//! [`credentials`] are renewed, [`config`] becomes one checked value, [`observe`], [`telemetry`] and [`admin`] tell operators, [`process`]
//! begins and ends it all, and [`serve`](serve::serve) puts the parts together.

/// Gives a closed set its names, which labels, log fields and JSON have, and the list of its values.
macro_rules! names {
    ($type:ident: $($value:ident = $name:literal),+ $(,)?) => {
        impl $type {
            /// All values, in order.
            pub const ALL: [Self; [$($name),+].len()] = [$(Self::$value),+];

            /// The name.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$value => $name),+
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

pub mod admin;
pub mod config;
pub mod credentials;
pub mod downstream;
pub mod drivers;
pub mod exchange;
pub mod explain;
pub mod observe;
pub mod process;
pub mod rules;
pub mod s3;
pub mod serve;
pub mod servers;
pub mod telemetry;
pub mod tls;
pub mod upstream;
