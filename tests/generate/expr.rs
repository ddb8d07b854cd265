//! Expressions of a wanted type, from the columns in scope, the operators and the functions of the catalog.

use dbjob::catalog::function::{self, Accepts, Arity, Function, Kind as CastKind, Param, ResultType};
use dbjob::hir::Table;
use dbjob_plan::DataType;
use fastrand::Rng;

use super::data::LEVELS;
use super::{chance, name_of, pick};

/// Types as expressions tell them apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Int,
    Float,
    Decimal,
    Bool,
    Text,
    Date,
    Datetime,
    Duration,
    /// Lists of strings and of ints.
    Texts,
    Ints,
    Vector,
    /// What only passes through: lists of other things.
    Other,
}

/// The kinds of single values.
pub const KINDS: [Kind; 8] =
    [Kind::Int, Kind::Float, Kind::Decimal, Kind::Bool, Kind::Text, Kind::Date, Kind::Datetime, Kind::Duration];

/// A kind of a value, of a list now and then.
pub fn any_kind(rng: &mut Rng) -> Kind {
    if chance(rng, 8) { *pick(rng, &[Kind::Texts, Kind::Ints, Kind::Vector]) } else { *pick(rng, &KINDS) }
}

impl Kind {
    pub fn of(dtype: &DataType) -> Kind {
        match dtype {
            DataType::Int => Kind::Int,
            DataType::Float => Kind::Float,
            DataType::Decimal { .. } => Kind::Decimal,
            DataType::Bool => Kind::Bool,
            DataType::String | DataType::Category { .. } => Kind::Text,
            DataType::Date => Kind::Date,
            DataType::Datetime => Kind::Datetime,
            DataType::Duration => Kind::Duration,
            DataType::Vector { .. } => Kind::Vector,
            DataType::List { item } => match Kind::of(item) {
                Kind::Text => Kind::Texts,
                Kind::Int => Kind::Ints,
                _ => Kind::Other,
            },
            DataType::Unknown => Kind::Other,
        }
    }

    fn of_cast(kind: CastKind) -> Kind {
        match kind {
            CastKind::Int => Kind::Int,
            CastKind::Float => Kind::Float,
            CastKind::Decimal => Kind::Decimal,
            CastKind::Bool => Kind::Bool,
            CastKind::Text => Kind::Text,
            CastKind::Date => Kind::Date,
            CastKind::Datetime => Kind::Datetime,
        }
    }

    fn is_list(self) -> bool {
        matches!(self, Kind::Texts | Kind::Ints | Kind::Vector)
    }

    /// What the items of a list are, and the parts of a text.
    fn item(self) -> Kind {
        match self {
            Kind::Texts | Kind::Text => Kind::Text,
            Kind::Ints => Kind::Int,
            Kind::Vector => Kind::Float,
            other => other,
        }
    }
}

/// A `fn` of the job.
#[derive(Debug, Clone)]
pub struct OwnFn {
    pub name: String,
    pub params: Vec<Kind>,
    pub gives: Kind,
}

/// What the whole job knows.
#[derive(Debug, Clone, Default)]
pub struct Names {
    pub fns: Vec<OwnFn>,
    pub params: Vec<(String, Kind)>,
}

/// What names mean where an expression is generated.
pub struct Scope<'a> {
    pub table: &'a Table,
    pub names: &'a Names,
    /// Whether columns stand inside aggregates only.
    pub aggregates: bool,
}

/// An expression of this kind; `depth` is the most operators above a leaf.
pub fn expr(rng: &mut Rng, scope: &Scope<'_>, kind: Kind, depth: u8) -> String {
    if scope.aggregates && (depth == 0 || chance(rng, 60)) {
        return aggregate(rng, scope, kind, depth);
    }
    if depth == 0 || chance(rng, 15) {
        return leaf(rng, scope, kind);
    }
    if chance(rng, 45)
        && let Some(call) = call(rng, scope, kind, depth - 1)
    {
        return call;
    }
    operator(rng, scope, kind, depth - 1)
}

/// A column of this kind, or a constant.
pub fn leaf(rng: &mut Rng, scope: &Scope<'_>, kind: Kind) -> String {
    let columns: Vec<&str> =
        scope.table.columns.iter().filter(|c| Kind::of(&c.dtype) == kind).map(|c| c.name.as_str()).collect();
    if !columns.is_empty() && !scope.aggregates && chance(rng, 75) {
        return name_of(pick::<&str>(rng, &columns));
    }
    let params: Vec<&(String, Kind)> = scope.names.params.iter().filter(|(_, k)| *k == kind).collect();
    if !params.is_empty() && chance(rng, 40) {
        return pick(rng, &params).0.clone();
    }
    literal(rng, kind)
}

pub fn literal(rng: &mut Rng, kind: Kind) -> String {
    match kind {
        Kind::Int => pick(rng, &["0", "1", "2", "3", "7", "10", "100"]).to_string(),
        Kind::Float => pick(rng, &["0.0", "0.5", "1.0", "2.5", "1e-3", "30%", "100.0"]).to_string(),
        Kind::Bool => rng.bool().to_string(),
        Kind::Text => format!("{:?}", pick(rng, &LEVELS)),
        Kind::Date => format!("@2024-{:02}-{:02}", rng.u8(1..=12), rng.u8(1..=28)),
        Kind::Datetime => format!("@2023-{:02}-{:02}T{:02}:30:00", rng.u8(1..=12), rng.u8(1..=28), rng.u8(..24)),
        Kind::Duration => pick(rng, &["1d", "36h", "90min", "250ms", "2w"]).to_string(),
        Kind::Decimal => format!("decimal({}, 8, 2)", pick(rng, &["0", "1.5", "12.25", "-3"])),
        Kind::Texts => format!("[{}, {}]", literal(rng, Kind::Text), literal(rng, Kind::Text)),
        Kind::Ints => format!("[{}, {}]", literal(rng, Kind::Int), literal(rng, Kind::Int)),
        Kind::Vector => "vector([0.5, 1.5], 2)".into(),
        Kind::Other => "null".into(),
    }
}

fn number(rng: &mut Rng) -> Kind {
    *pick(rng, &[Kind::Int, Kind::Float, Kind::Int, Kind::Float, Kind::Decimal])
}

/// An operator's expression, in parentheses most of the time.
fn operator(rng: &mut Rng, scope: &Scope<'_>, kind: Kind, depth: u8) -> String {
    let sub = |rng: &mut Rng, kind: Kind| expr(rng, scope, kind, depth);
    let text = match (rng.u8(..12), kind) {
        (0, _) => format!("{} ?? {}", sub(rng, kind), sub(rng, kind)),
        (1, _) => format!("if {} then {} else {}", sub(rng, Kind::Bool), sub(rng, kind), sub(rng, kind)),
        (2, _) => {
            let by = *pick(rng, &[Kind::Int, Kind::Text, Kind::Bool]);
            let pattern = match by {
                Kind::Int if rng.bool() => "3..=9".into(),
                _ => literal(rng, by),
            };
            format!("match {} {{ {pattern} => {}, else => {} }}", sub(rng, by), sub(rng, kind), sub(rng, kind))
        }
        (n, Kind::Int) => match n {
            3 => format!("-{}", sub(rng, Kind::Int)),
            4 => format!("{} // {}", sub(rng, Kind::Int), sub(rng, Kind::Int)),
            5 => format!("{} % {}", sub(rng, Kind::Int), sub(rng, Kind::Int)),
            6 => format!("{} * {}", sub(rng, Kind::Int), literal(rng, Kind::Int)),
            _ => format!("{} {} {}", sub(rng, Kind::Int), pick(rng, &["+", "-"]), sub(rng, Kind::Int)),
        },
        (n, Kind::Decimal) => match n {
            3 => format!("-{}", sub(rng, Kind::Decimal)),
            4 => format!("{} * {}", sub(rng, Kind::Decimal), literal(rng, Kind::Int)),
            _ => format!("{} {} {}", sub(rng, Kind::Decimal), pick(rng, &["+", "-"]), sub(rng, Kind::Decimal)),
        },
        (n, Kind::Float) => match n {
            3 => format!("-{}", sub(rng, Kind::Float)),
            4 => format!("{} ** {}", sub(rng, Kind::Float), pick(rng, &["2", "0.5", "-1", "2.0"])),
            _ => {
                let (left, right) = if rng.bool() { (Kind::Float, number(rng)) } else { (number(rng), Kind::Float) };
                format!("{} {} {}", sub(rng, left), pick(rng, &["+", "-", "*", "/", "//", "%"]), sub(rng, right))
            }
        },
        (n, Kind::Bool) => match n {
            3 => format!("not {}", sub(rng, Kind::Bool)),
            4 | 5 => format!("{} {} {}", sub(rng, Kind::Bool), pick(rng, &["and", "or"]), sub(rng, Kind::Bool)),
            6 => {
                let of = *pick(rng, &KINDS);
                format!("{} is {}null", sub(rng, of), pick(rng, &["", "not "]))
            }
            7 => {
                let of = *pick(rng, &[Kind::Int, Kind::Text, Kind::Float, Kind::Date]);
                let items = [
                    literal(rng, of),
                    literal(rng, of),
                    if chance(rng, 20) { "null".into() } else { literal(rng, of) },
                ];
                format!("{} {}in [{}]", sub(rng, of), pick(rng, &["", "not "]), items.join(", "))
            }
            8 => {
                let range = *pick(rng, &["0..10", "1..=5", "2..", "..=7"]);
                let of = number(rng);
                format!("{} {}in {range}", sub(rng, of), pick(rng, &["", "not "]))
            }
            _ => {
                let of = *pick(rng, &KINDS);
                format!("{} {} {}", sub(rng, of), pick(rng, &["==", "!=", "<", "<=", ">", ">="]), sub(rng, of))
            }
        },
        (_, Kind::Text) => format!("{} + {}", sub(rng, Kind::Text), sub(rng, Kind::Text)),
        (n, Kind::Date | Kind::Datetime) if n < 8 => {
            // A date moves by whole days.
            let by = if kind == Kind::Date { "7d".into() } else { sub(rng, Kind::Duration) };
            format!("{} {} {by}", sub(rng, kind), pick(rng, &["+", "-"]))
        }
        (n, Kind::Duration) if n < 8 => {
            let of = *pick(rng, &[Kind::Date, Kind::Datetime]);
            format!("{} - {}", sub(rng, of), sub(rng, of))
        }
        (_, Kind::Duration) => format!("{} {} {}", sub(rng, kind), pick(rng, &["+", "-"]), sub(rng, kind)),
        (_, Kind::Texts | Kind::Ints) => {
            let item = kind.item();
            return format!("[{}, {}]", sub(rng, item), sub(rng, item));
        }
        (_, Kind::Date | Kind::Datetime | Kind::Vector | Kind::Other) => return leaf(rng, scope, kind),
    };
    if chance(rng, 85) { format!("({text})") } else { text }
}

/// Of which kind the first argument must be so that the function gives this kind; `Err`: it never does.
fn first_for(function: &Function, kind: Kind) -> Result<Option<Kind>, ()> {
    let plain = |gives: Kind| if gives == kind { Ok(None) } else { Err(()) };
    let first = match function.result {
        ResultType::Int => return plain(Kind::Int),
        ResultType::Float => return plain(Kind::Float),
        ResultType::Bool => return plain(Kind::Bool),
        ResultType::String => return plain(Kind::Text),
        ResultType::Date => return plain(Kind::Date),
        ResultType::Datetime => return plain(Kind::Datetime),
        ResultType::Decimal => return plain(Kind::Decimal),
        ResultType::Vector => return plain(Kind::Vector),
        ResultType::Texts => return plain(Kind::Texts),
        ResultType::Same => kind,
        ResultType::Rounded | ResultType::Sign => kind,
        // A bool is summed to an int.
        ResultType::Sum if kind == Kind::Bool => return Err(()),
        ResultType::Sum => kind,
        ResultType::Items if matches!(kind, Kind::Texts | Kind::Ints) => kind,
        ResultType::Items => return Err(()),
        ResultType::List | ResultType::Item | ResultType::ItemSum => match (function.result, kind) {
            (ResultType::List, Kind::Texts) => Kind::Text,
            (ResultType::List, Kind::Ints) => Kind::Int,
            (ResultType::Item, Kind::Text) => Kind::Texts,
            (ResultType::Item | ResultType::ItemSum, Kind::Int) => Kind::Ints,
            (ResultType::Item | ResultType::ItemSum, Kind::Float) => Kind::Vector,
            _ => return Err(()),
        },
    };
    match function.params.first() {
        Some(param) if takes(param.accepts, first) => Ok(Some(first)),
        _ => Err(()),
    }
}

fn gives(function: &Function, kind: Kind) -> bool {
    first_for(function, kind).is_ok()
}

/// Whether a value of the kind may stand there as it is.
fn takes(accepts: Accepts, kind: Kind) -> bool {
    let scalar = !kind.is_list() && kind != Kind::Other;
    match accepts {
        Accepts::Any => true,
        Accepts::Comparable | Accepts::Ordered => scalar,
        Accepts::Number => matches!(kind, Kind::Int | Kind::Float | Kind::Decimal),
        Accepts::Float => kind == Kind::Float,
        Accepts::Int => kind == Kind::Int,
        Accepts::Bool => kind == Kind::Bool,
        Accepts::Text => kind == Kind::Text,
        Accepts::Date => kind == Kind::Date,
        Accepts::Temporal => matches!(kind, Kind::Date | Kind::Datetime),
        Accepts::Datetime => kind == Kind::Datetime,
        Accepts::Duration => kind == Kind::Duration,
        Accepts::Summable => matches!(kind, Kind::Int | Kind::Float | Kind::Decimal | Kind::Bool | Kind::Duration),
        Accepts::Rate => matches!(kind, Kind::Int | Kind::Float | Kind::Decimal | Kind::Bool),
        Accepts::List | Accepts::OrderedList => kind.is_list(),
        Accepts::Texts => kind == Kind::Texts,
        Accepts::Numbers => matches!(kind, Kind::Ints | Kind::Vector),
        Accepts::Sized => kind.is_list() || kind == Kind::Text,
        Accepts::CastFrom(kinds) => kinds.iter().any(|k| Kind::of_cast(*k) == kind),
        Accepts::Item
        | Accepts::First
        | Accepts::LiteralText(_)
        | Accepts::Regex
        | Accepts::TimeFormat
        | Accepts::DayFormat
        | Accepts::Zone
        | Accepts::LiteralInt
        | Accepts::Digits
        | Accepts::Scale
        | Accepts::LiteralCount
        | Accepts::Width
        | Accepts::LiteralShare => false,
    }
}

fn call(rng: &mut Rng, scope: &Scope<'_>, kind: Kind, depth: u8) -> Option<String> {
    let own: Vec<&OwnFn> = scope.names.fns.iter().filter(|f| f.gives == kind).collect();
    if !own.is_empty() && chance(rng, 30) {
        let own = *pick(rng, &own);
        let args: Vec<String> = own.params.iter().map(|kind| expr(rng, scope, *kind, depth.min(1))).collect();
        return Some(format!("{}({})", own.name, args.join(", ")));
    }
    let fitting: Vec<&Function> = function::all().filter(|f| !f.aggregate && !f.of_order && gives(f, kind)).collect();
    let function = *pick(rng, fitting.get(..).filter(|f| !f.is_empty())?);
    Some(written(rng, scope, function, kind, depth))
}

/// An aggregate of rows; a literal if there is none of the kind.
fn aggregate(rng: &mut Rng, scope: &Scope<'_>, kind: Kind, depth: u8) -> String {
    let fitting: Vec<&Function> = function::all().filter(|f| f.aggregate && gives(f, kind)).collect();
    if fitting.is_empty() {
        return literal(rng, kind);
    }
    let function = *pick(rng, &fitting);
    let rows = Scope { table: scope.table, names: scope.names, aggregates: false };
    written(rng, &rows, function, kind, depth.min(1))
}

/// A call of any of these functions, of a kind that it gives: by the kind alone those of few kinds would hardly ever come.
pub fn any_of(rng: &mut Rng, scope: &Scope<'_>, wanted: impl Fn(&Function) -> bool, depth: u8) -> Option<String> {
    let fitting: Vec<&Function> = function::all().filter(|f| wanted(f)).collect();
    let function = *pick(rng, fitting.get(..).filter(|f| !f.is_empty())?);
    let lists = [Kind::Texts, Kind::Ints, Kind::Vector];
    let kinds: Vec<Kind> = KINDS.into_iter().chain(lists).filter(|kind| gives(function, *kind)).collect();
    let kind = *pick(rng, kinds.get(..).filter(|k| !k.is_empty())?);
    let rows = Scope { table: scope.table, names: scope.names, aggregates: false };
    Some(written(rng, &rows, function, kind, depth))
}

/// A call of the function that gives the kind.
pub fn written(rng: &mut Rng, scope: &Scope<'_>, function: &Function, kind: Kind, depth: u8) -> String {
    let mut first = first_for(function, kind).unwrap_or_default();
    let mut args: Vec<String> = Vec::new();
    for (index, param) in function.params.iter().enumerate() {
        let times = match param.arity {
            Arity::One => 1,
            Arity::Optional => usize::from(chance(rng, 35)),
            Arity::Many => rng.usize(1..=3),
        };
        for time in 0..times {
            // All of a `Many` are of one kind, and so are the bounds of what is bounded.
            let like_first = index == 0 || time > 0 || function.params[0].accepts == param.accepts;
            let of = match first.filter(|kind| like_first && (index == 0 || takes(param.accepts, *kind))) {
                Some(kind) => Some(kind),
                None => kind_for(rng, param.accepts, first.unwrap_or(kind)),
            };
            let Some(of) = of else {
                // A format speaks of a text.
                if param.accepts == Accepts::DayFormat {
                    args = vec![format!("string({})", leaf(rng, scope, Kind::Date))];
                }
                args.push(named(param, fixed(rng, param.accepts)));
                continue;
            };
            first = first.or(Some(of));
            args.push(named(param, argument(rng, scope, function, param, of, depth)));
        }
    }
    format!("{}({})", function.name, args.join(", "))
}

fn named(param: &Param, arg: String) -> String {
    if param.arity == Arity::Optional { format!("{} = {arg}", param.name) } else { arg }
}

/// A kind that may stand there; `None` for what is written as a literal.
fn kind_for(rng: &mut Rng, accepts: Accepts, first: Kind) -> Option<Kind> {
    Some(match accepts {
        Accepts::Any => any_kind(rng),
        Accepts::Comparable | Accepts::Ordered => *pick(rng, &KINDS),
        Accepts::Number | Accepts::Float => number(rng),
        Accepts::Int => Kind::Int,
        Accepts::Bool => Kind::Bool,
        Accepts::Text => Kind::Text,
        Accepts::Date => Kind::Date,
        Accepts::Temporal | Accepts::Datetime => *pick(rng, &[Kind::Date, Kind::Datetime]),
        Accepts::Duration => Kind::Duration,
        Accepts::Summable | Accepts::Rate => *pick(rng, &[Kind::Int, Kind::Float, Kind::Decimal, Kind::Bool]),
        Accepts::List | Accepts::OrderedList => *pick(rng, &[Kind::Texts, Kind::Ints, Kind::Vector]),
        Accepts::Texts => Kind::Texts,
        Accepts::Numbers => *pick(rng, &[Kind::Ints, Kind::Vector]),
        Accepts::Sized => *pick(rng, &[Kind::Text, Kind::Texts, Kind::Ints]),
        Accepts::Item => first.item(),
        Accepts::First => first,
        Accepts::CastFrom(kinds) => Kind::of_cast(*pick(rng, kinds)),
        Accepts::LiteralText(_)
        | Accepts::Regex
        | Accepts::TimeFormat
        | Accepts::DayFormat
        | Accepts::Zone
        | Accepts::LiteralInt
        | Accepts::Digits
        | Accepts::Scale
        | Accepts::LiteralCount
        | Accepts::Width
        | Accepts::LiteralShare => return None,
    })
}

/// What is written as a literal.
fn fixed(rng: &mut Rng, accepts: Accepts) -> String {
    let texts: &[&str] = match accepts {
        Accepts::LiteralText([]) => &["a", "e", "r", " ", "zz"],
        Accepts::LiteralText(words) => words,
        Accepts::Regex => &["^a.*", "[0-9]+", "(?i)RED", "(e)$", "."],
        Accepts::TimeFormat => &["%Y-%m-%d", "%H:%M", "week %V"],
        Accepts::DayFormat => &["%Y-%m-%d"],
        Accepts::Zone => &["Europe/Paris", "America/New_York", "Asia/Kolkata"],
        Accepts::Digits => return "12".into(),
        Accepts::Scale => return rng.u8(..4).to_string(),
        Accepts::LiteralCount => return rng.u8(1..4).to_string(),
        Accepts::Width => return "2".into(),
        Accepts::LiteralShare => &["0.0", "0.25", "50%", "0.9", "1.0", "1"],
        _ => return rng.u8(..5).to_string(),
    };
    let text = pick(rng, texts);
    if accepts == Accepts::LiteralShare { text.to_string() } else { format!("{text:?}") }
}

fn argument(rng: &mut Rng, scope: &Scope<'_>, function: &Function, param: &Param, kind: Kind, depth: u8) -> String {
    // A cast of any text fails on most of them, and one failing job tells nothing.
    if kind == Kind::Text && matches!(param.accepts, Accepts::CastFrom(_)) && !function.name.starts_with("try_") {
        let from = match function.result {
            ResultType::Int | ResultType::Float | ResultType::Decimal => Kind::Int,
            ResultType::Bool => Kind::Bool,
            ResultType::Date => Kind::Date,
            ResultType::Datetime => Kind::Datetime,
            _ => Kind::Text,
        };
        return format!("string({})", expr(rng, scope, from, depth.min(1)));
    }
    // A vector has as many items as it says.
    if matches!(function.result, ResultType::Vector) {
        return format!("[{}, {}]", expr(rng, scope, Kind::Float, depth.min(1)), literal(rng, Kind::Float));
    }
    expr(rng, scope, kind, depth)
}
