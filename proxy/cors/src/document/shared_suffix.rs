//! Domains below which anyone can have a name of their own.
//!
//! Decides: the ones that are in use for web applications. The Public Suffix List has all, some 10,000 that change every week: a
//! warning may miss one, and must not name one that is not.

/// Hosts of applications, storage and tunnels (Public Suffix List, private section), and the shared second levels of the largest
/// country codes.
const SUFFIXES: &[&str] = &[
    "appspot.com",
    "azurestaticapps.net",
    "azurewebsites.net",
    "blob.core.windows.net",
    "web.core.windows.net",
    "cloudfront.net",
    "codesandbox.io",
    "csb.app",
    "deno.dev",
    "firebaseapp.com",
    "fly.dev",
    "github.io",
    "gitlab.io",
    "gitpod.io",
    "glitch.me",
    "herokuapp.com",
    "lovable.app",
    "lovableproject.com",
    "myshopify.com",
    "netlify.app",
    "ngrok-free.app",
    "ngrok.app",
    "ngrok.io",
    "nip.io",
    "onrender.com",
    "ondigitalocean.app",
    "pages.dev",
    "r2.dev",
    "railway.app",
    "replit.app",
    "replit.dev",
    "run.app",
    "sslip.io",
    "stackblitz.io",
    "storage.googleapis.com",
    "surge.sh",
    "trycloudflare.com",
    "vercel.app",
    "vercel.dev",
    "now.sh",
    "web.app",
    "webcontainer.io",
    "workers.dev",
    "co.in",
    "co.jp",
    "co.kr",
    "co.nz",
    "co.uk",
    "co.za",
    "com.ar",
    "com.au",
    "com.br",
    "com.cn",
    "com.mx",
    "com.sg",
    "com.tr",
    "org.au",
    "org.uk",
];

/// Whether anyone can have a name below the domain. Below Amazon's own every name is a customer's.
pub(super) fn is_shared(domain: &str) -> bool {
    SUFFIXES.contains(&domain) || domain == "amazonaws.com" || domain.ends_with(".amazonaws.com")
}
