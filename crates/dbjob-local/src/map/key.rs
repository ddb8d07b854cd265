//! The texts by which values are told apart, those of the split.

use dbjob_plan::DataType;
use polars::prelude::{Column, PolarsResult};

use crate::step::split::Texts;

/// Gives the text of every row's value; of null: none.
pub(super) fn texts(column: &Column, dtype: &DataType, mut each: impl FnMut(Option<&str>)) -> PolarsResult<()> {
    let physical = column.to_physical_repr();
    let texts = Texts::new(std::slice::from_ref(&physical), std::slice::from_ref(dtype))?;
    let nulls = physical.is_null();
    let mut buffer = String::new();
    for (row, null) in nulls.iter().enumerate() {
        if null == Some(true) {
            each(None);
        } else {
            buffer.clear();
            texts.push(row, &mut buffer);
            each(Some(&buffer));
        }
    }
    Ok(())
}
