//! What docs/ and the README show is checked: pages of codes, blocks of job files, tables of contents.

mod algorithms;
mod blocks;
mod functions;
mod maps;
mod markdown;
mod metrics;
pub mod pages;
