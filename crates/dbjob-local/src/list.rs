//! Lists of a column: their items in one series, and where each list lies in it.

use dbjob_plan::DataType;
use polars::chunked_array::builder::get_list_builder;
use polars::prelude::{self as pl, Column, IdxCa, IdxSize, IntoColumn, IntoSeries, PolarsResult, Series};

use crate::types::polars_type;
use crate::udf;

pub(crate) struct Lists {
    /// The items of all lists, of the items' type.
    pub items: Series,
    /// Begin and length of each list; `None` for a null.
    pub places: Vec<Option<(usize, usize)>>,
}

impl Lists {
    pub fn of(c: &Column) -> PolarsResult<Self> {
        let lists = c.list()?.rechunk();
        let items = lists.get_inner();
        let offsets = lists.downcast_as_array().offsets();
        let places = lists
            .is_not_null()
            .iter()
            .enumerate()
            .map(|(i, there)| {
                (there == Some(true)).then(|| {
                    let (start, end) = offsets.start_end(i);
                    (start, end - start)
                })
            })
            .collect();
        Ok(Self { items, places })
    }

    /// Each list as a series; `None` for a null.
    pub fn rows(&self) -> impl Iterator<Item = Option<Series>> {
        self.places.iter().map(|place| place.map(|(start, length)| self.items.slice(start as i64, length)))
    }

    /// Lists of items at other places; `f` gives them from begin and length.
    pub fn regrouped(&self, f: impl Fn(usize, usize) -> Vec<IdxSize>) -> PolarsResult<Column> {
        let groups: Vec<Option<Vec<IdxSize>>> = self.places.iter().map(|p| p.map(|(s, n)| f(s, n))).collect();
        let lengths: Vec<Option<usize>> = groups.iter().map(|g| g.as_ref().map(Vec::len)).collect();
        let all: Vec<IdxSize> = groups.into_iter().flatten().flatten().collect();
        let taken = self.items.take(&IdxCa::from_vec("".into(), all))?;
        cut(&taken, lengths)
    }

    /// One item a list, by its place in `items`.
    pub fn picked(&self, places: Vec<Option<IdxSize>>) -> PolarsResult<Column> {
        Ok(self.items.take(&IdxCa::from_iter(places))?.into_column())
    }
}

/// The items one behind the other as lists of these lengths.
pub(crate) fn cut(items: &Series, lengths: Vec<Option<usize>>) -> PolarsResult<Column> {
    let mut builder = get_list_builder(items.dtype(), items.len(), lengths.len(), "".into());
    let mut start = 0;
    for length in lengths {
        match length {
            Some(length) => {
                builder.append_series(&items.slice(start as i64, length))?;
                start += length;
            }
            None => builder.append_null(),
        }
    }
    Ok(builder.finish().into_series().into_column())
}

/// `[a, b]`: the items of each row as a list.
pub(crate) fn of_items(items: Vec<pl::Expr>, dtype: &DataType) -> pl::Expr {
    let item = match dtype {
        DataType::List { item } => polars_type(item),
        _ => pl::DataType::Float64,
    };
    let n = items.len();
    udf::map_n(items, pl::DataType::List(Box::new(item.clone())), move |c| {
        let rows = c[0].len();
        let mut all = c[0].cast(&item)?.take_materialized_series();
        for column in &c[1..] {
            all.append(column.cast(&item)?.as_materialized_series())?;
        }
        // Column by column they came, row by row they go.
        let order: Vec<IdxSize> = (0..rows).flat_map(|row| (0..n).map(move |i| (i * rows + row) as IdxSize)).collect();
        cut(&all.take(&IdxCa::from_vec("".into(), order))?, vec![Some(n); rows])
    })
}
