//! Tells the program what it was built from, for `s3cors_build_info` and `--version`.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=S3CORS_REVISION");
    println!("cargo::rerun-if-changed=build.rs");
    let revision =
        std::env::var("S3CORS_REVISION").ok().or_else(|| output("git", &["rev-parse", "--short=12", "HEAD"]));
    let rustc = output(&std::env::var("RUSTC").unwrap_or_else(|_| "rustc".into()), &["--version"]);
    let rustc = rustc.as_deref().and_then(|version| version.split(' ').nth(1)).unwrap_or("unknown");
    println!("cargo::rustc-env=S3CORS_REVISION={}", revision.as_deref().unwrap_or("unknown"));
    println!("cargo::rustc-env=S3CORS_RUSTC={rustc}");
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    (output.status.success() && !text.trim().is_empty()).then(|| text.trim().to_owned())
}
