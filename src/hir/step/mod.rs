//! One file a family of steps: what each does to the columns, and the operation of the plan.

pub(super) mod asof;
mod cardinality;
pub(super) mod columns;
mod domain;
pub(super) mod expect;
pub(super) mod group;
pub(super) mod join;
pub(super) mod map;
pub(super) mod order;
pub(super) mod pivot;
pub(super) mod predict;
pub(super) mod process;
pub(super) mod reshape;
pub(super) mod rows;
mod same_file;
pub(super) mod split;
pub(super) mod unmap;
pub(super) mod window;
