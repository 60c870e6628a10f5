//! The double, from outside: by Microsoft's own clients, and by requests that they never send.

mod client;
mod extensions;
mod identity;
mod others;
mod requests;
mod support;
