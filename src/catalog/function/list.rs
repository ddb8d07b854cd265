//! Lists and vectors. Places count from 1; items that are null are skipped by whatever computes.

use super::Accepts::{Int, List, Numbers, OrderedList, Text, Texts};
use super::{Function, Nulls, ResultType, many, one, optional, row};

pub const LIST: &[Function] = &[
    row(
        "get",
        &[one("xs", List), one("n", Int)],
        ResultType::Item,
        Nulls::Always,
        "The item at a place, counted from 1, or from the end with -1; null if there is none",
        "get([\"a\", \"b\"], -1) == \"b\"",
    ),
    row(
        "slice",
        &[one("xs", List), one("start", Int), optional("length", Int)],
        ResultType::Items,
        Nulls::FromAny,
        "So many items from the 1-based start, or all from there",
        "length(slice([1, 2, 3], 2)) == 2",
    ),
    row(
        "join",
        &[one("xs", Texts), one("sep", Text)],
        ResultType::String,
        Nulls::FromAny,
        "The strings of a list with a separator between; nulls are left out",
        "join([\"a\", \"b\"], \"-\") == \"a-b\"",
    ),
    row(
        "list_sum",
        &[one("xs", Numbers)],
        ResultType::ItemSum,
        Nulls::Always,
        "Sum of the items; null of nothing",
        "list_sum([1, 2, 3]) == 6",
    )
    .approximate(),
    row(
        "list_mean",
        &[one("xs", Numbers)],
        ResultType::Float,
        Nulls::Always,
        "Arithmetic mean of the items; null of nothing",
        "list_mean([1, 2, 3]) == 2.0",
    )
    .approximate(),
    row(
        "list_min",
        &[one("xs", OrderedList)],
        ResultType::Item,
        Nulls::Always,
        "Least item; null of nothing",
        "list_min([3, 1, 2]) == 1",
    ),
    row(
        "list_max",
        &[one("xs", OrderedList)],
        ResultType::Item,
        Nulls::Always,
        "Greatest item; null of nothing",
        "list_max([3, 1, 2]) == 3",
    ),
    row(
        "list_sort",
        &[one("xs", OrderedList)],
        ResultType::Same,
        Nulls::FromAny,
        "The items in order, nulls last",
        "get(list_sort([3, 1, 2]), 1) == 1",
    ),
    row(
        "list_unique",
        &[one("xs", OrderedList)],
        ResultType::Items,
        Nulls::FromAny,
        "Each item once, in the order in which they come first",
        "length(list_unique([1, 2, 1])) == 2",
    ),
    row(
        "list_reverse",
        &[one("xs", List)],
        ResultType::Same,
        Nulls::FromAny,
        "The items from the last to the first",
        "get(list_reverse([1, 2]), 1) == 2",
    ),
    row(
        "list_concat",
        &[many("xs", List)],
        ResultType::Items,
        Nulls::FromAny,
        "The items of several lists, one behind the other",
        "length(list_concat([1], [2, 3])) == 3",
    ),
];
