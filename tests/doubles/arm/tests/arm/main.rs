//! The double, from outside: by Microsoft's own clients, and by requests that they never send.

mod client;
mod others;
mod requests;
mod support;
