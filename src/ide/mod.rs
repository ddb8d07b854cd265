//! What an editor asks for, as plain functions.

mod pieces;
mod service;

pub use service::Service;
