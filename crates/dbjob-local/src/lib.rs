//! The local engine of dbjob: tables by polars, models by `dbjob-learn`.
#![allow(dead_code)]

mod aggregate;
mod arithmetic;
mod bounds;
mod expr;
mod fault;
mod function;
mod map;
mod source;
mod types;
mod udf;
