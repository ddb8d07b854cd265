//! How each rule is called in a message, and how its statement is written.

use super::Rule;

/// What the grammar wanted, in the words of a user. `None`: not worth telling.
pub(super) fn phrase(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::op_or
        | Rule::op_and
        | Rule::op_not_in
        | Rule::op_in
        | Rule::op_eq
        | Rule::op_ne
        | Rule::op_le
        | Rule::op_ge
        | Rule::op_lt
        | Rule::op_gt
        | Rule::op_coalesce
        | Rule::op_add
        | Rule::op_sub
        | Rule::op_pow
        | Rule::op_floor_div
        | Rule::op_mul
        | Rule::op_div
        | Rule::op_mod
        | Rule::is_null
        | Rule::kw_or
        | Rule::kw_and
        | Rule::kw_is
        | Rule::kw_not => "an operator",
        Rule::expr | Rule::literal | Rule::reference | Rule::paren | Rule::if_expr | Rule::match_expr => "a value",
        Rule::number | Rule::date | Rule::bound => "a number or a date",
        Rule::name | Rule::operation | Rule::map_name | Rule::input => "a name",
        Rule::column_name
        | Rule::columns
        | Rule::excepted
        | Rule::excepted_type
        | Rule::selector
        | Rule::selection
        | Rule::sort_key
        | Rule::sort_keys => "a column",
        Rule::type_ => "a type",
        Rule::string => "a string",
        Rule::assign => "`=`",
        Rule::colon => "`:`",
        Rule::lbrace | Rule::options | Rule::setting_block | Rule::named_block | Rule::row => "`{`",
        Rule::list | Rule::rows => "`[`",
        Rule::args | Rule::type_args | Rule::fn_params => "`(`",
        Rule::dot => "`.`",
        Rule::over => "`over`",
        Rule::nullable => "`?`",
        Rule::op_range | Rule::open_range | Rule::bound_range => "`..`",
        Rule::arrow => "`=>`",
        Rule::refinement => "a range or a list",
        Rule::attribute => "an attribute",
        Rule::derived | Rule::assigned | Rule::setting | Rule::option => "`name = value`",
        Rule::cell => "`column: value`",
        Rule::column => "`name: type`",
        Rule::group_key => "a key",
        Rule::fn_param => "`name: type`",
        Rule::source => "a source",
        Rule::match_arm => "`value => result`",
        Rule::match_else => "`else => result`",
        Rule::split_part => "a part such as `test 20%`",
        Rule::split_from => "`from`",
        Rule::split_before => "`before`",
        Rule::fit | Rule::fit_bare | Rule::fit_with_block => "an algorithm",
        Rule::over_size => "a duration or a number of rows",
        Rule::on_train => "`on train`",
        Rule::for_each => "`for each`",
        Rule::kw_after => "`after`",
        Rule::kw_all => "`all`",
        Rule::kw_as => "`as`",
        Rule::kw_asc => "`asc`",
        Rule::kw_at | Rule::split_at => "`at`",
        Rule::kw_before => "`before`",
        Rule::kw_best => "`best`",
        Rule::kw_by | Rule::join_by | Rule::split_by => "`by`",
        Rule::kw_classes => "`classes`",
        Rule::kw_desc => "`desc`",
        Rule::kw_each => "`each`",
        Rule::kw_else => "`else`",
        Rule::kw_except => "`except`",
        Rule::kw_folds | Rule::split_folds => "`folds`",
        Rule::kw_for => "`for`",
        Rule::kw_from => "`from`",
        Rule::kw_gap | Rule::split_gap => "`gap`",
        Rule::kw_in | Rule::option_in => "`in`",
        Rule::kw_join => "`join`",
        Rule::kw_keep | Rule::distinct_keep => "`keep`",
        Rule::kw_known => "`known`",
        Rule::kw_named => "`named`",
        Rule::kw_null => "`null`",
        Rule::kw_on | Rule::join_on => "`on`",
        Rule::kw_order => "`order`",
        Rule::kw_out_of_fold => "`out_of_fold`",
        Rule::kw_prefix | Rule::join_prefix => "`prefix`",
        Rule::kw_raw => "`raw`",
        Rule::kw_returns => "`returns`",
        Rule::kw_rows => "`rows`",
        Rule::kw_then => "`then`",
        Rule::kw_train => "`train`",
        Rule::kw_values => "`values`",
        Rule::kw_with => "`with`",
        Rule::kw_within | Rule::join_within => "`within`",
        _ => return None,
    })
}

/// How the statement is written: the help line when there is nothing better to say.
pub(super) fn usage(rule: Rule) -> &'static str {
    match rule {
        Rule::job_header => "write `job NAME { … }`",
        Rule::profile_header => "write `profile NAME { param = value }`",
        Rule::cluster_header => "write `cluster NAME { engine = … }`",
        Rule::module_header => "write `module NAME { runs = … }`",
        Rule::test_header => "write `test NAME { given TABLE [ … ] … expect TABLE [ … ] }`",
        Rule::dataset_header => "write `dataset NAME from csv(\"path\") { … }`",
        Rule::transform_header => "write `transform NAME from INPUT { … }`",
        Rule::model_header => "write `model NAME from TABLE { … }`",
        Rule::deploy_header => "write `deploy NAME from MODEL { … }`",
        Rule::use_item => "write `use \"path.dbjob\"` or `use { a, b } from \"path.dbjob\"`",
        Rule::param_item => "write `param NAME: TYPE = value`",
        Rule::fn_item => "write `fn NAME(a: TYPE): TYPE = value`",
        Rule::setting_statement => "write `name = value`",
        Rule::column_statement => {
            "write `name: type`, then perhaps `?`, `in RANGE`, `named \"header\"` and attributes, in this order"
        }
        Rule::expect_statement => "write `expect CONDITION else fail`, or `drop`, `warn`, `quarantine \"path\"`",
        Rule::filter_step => "write `filter CONDITION`",
        Rule::derive_step => "write `derive a = VALUE, b = VALUE`",
        Rule::wrong_derive => "write `derive name = VALUE`",
        Rule::select_step => "write `select a, b`, `select all except c` or `select where float`",
        Rule::drop_step => "write `drop a, b`",
        Rule::rename_step => "write `rename old as new`",
        Rule::join_step => "write `join TABLE on key`, with `lookup` or `many_to_one` after it if that is so",
        Rule::group_step => "write `group by key { n = count() }`",
        Rule::window_step => "write `window by key order at { n = row_number() }`",
        Rule::sort_step => "write `sort a desc, b`",
        Rule::take_step => "write `take 100`",
        Rule::distinct_step => "write `distinct`, or `distinct by key keep last order at`",
        Rule::sample_step => "write `sample 10%`, or `sample 10% by key`",
        Rule::union_step => "write `union TABLE`",
        Rule::pivot_step => "write `pivot month in [1, 2] values revenue = sum(revenue)`",
        Rule::unpivot_step => "write `unpivot jan, feb as month, value`",
        Rule::explode_step => "write `explode tags`",
        Rule::split_step => "write `split test 20%`, or `split by key { train 70%, valid 10%, test 20% }`",
        Rule::map_step => "write `map a, b with OPERATION`, or `map a with OPERATION as new`",
        Rule::unmap_step => "write `unmap a, b`",
        Rule::predict_step => "write `predict MODEL as p`",
        Rule::extern_step => "write `extern \"command\" { returns { name: type } }`",
        Rule::input_statement => "write `input a, b`, or `input a as \"name\"`",
        Rule::output_statement => "write `output NAME: TYPE`",
        Rule::weight_statement => "write `weight COLUMN`",
        Rule::fit_statement => "write `fit ALGORITHM { option = value, option in [a, b] }`",
        Rule::tune_statement => "write `tune random(20) by METRIC`",
        Rule::refit_statement => "write `refit on all`",
        Rule::evaluate_statement => "write `evaluate METRIC, METRIC`",
        Rule::require_statement => "write `require METRIC >= 0.75`",
        Rule::to_statement => "write `to registry(\"models\")`",
        Rule::accept_statement => "write `accept DATASET` or `accept inputs`",
        Rule::given_statement => "write `given TABLE [ { column: value } ]`",
        _ => "see docs/language.md for how it is written",
    }
}
