//! The double, from outside: by Google's own client, and by requests that its client never sends.

mod client;
mod objects;
mod requests;
mod support;
