//! The server over a scorer that is easy to see through.

mod limits;
mod protocols;
mod rows;
mod support;
mod swap;
