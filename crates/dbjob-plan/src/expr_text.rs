//! Expressions as they are written in a `.dbjob` file.

use std::fmt::{self, Display, Formatter};

use crate::{BinaryOp, Expr, ExprKind, MAPPED, Value};

impl BinaryOp {
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Eq => "==",
            Self::Ne => "!=",
            Self::Lt => "<",
            Self::Le => "<=",
            Self::Gt => ">",
            Self::Ge => ">=",
            Self::Coalesce => "??",
            Self::Add => "+",
            Self::Sub => "-",
            Self::Mul => "*",
            Self::Div => "/",
            Self::FloorDiv => "//",
            Self::Mod => "%",
            Self::Pow => "**",
        }
    }

    /// How tightly it binds.
    fn level(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Eq | Self::Ne | Self::Lt | Self::Le | Self::Gt | Self::Ge => level::COMPARISON,
            Self::Coalesce => 6,
            Self::Add | Self::Sub => 7,
            Self::Mul | Self::Div | Self::FloorDiv | Self::Mod => 8,
            Self::Pow => 10,
        }
    }
}

mod level {
    pub const LOOSEST: u8 = 0;
    pub const NOT: u8 = 3;
    pub const COMPARISON: u8 = 4;
    pub const RANGE: u8 = 5;
    pub const NEGATE: u8 = 9;
    pub const OPERAND: u8 = 11;
}

/// Conversions that the language does by itself are not written. The column of a map's formula is `x`.
impl Display for Expr {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        At(self, level::LOOSEST).fmt(f)
    }
}

/// An expression where operators that bind more loosely than the level need brackets.
struct At<'a>(&'a Expr, u8);

impl Display for At<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self(expr, outer) = *self;
        let bracketed = own_level(expr) < outer;
        if bracketed {
            f.write_str("(")?;
        }
        write(expr, f)?;
        if bracketed { f.write_str(")") } else { Ok(()) }
    }
}

fn own_level(expr: &Expr) -> u8 {
    match &expr.kind {
        ExprKind::Binary { op, .. } => op.level(),
        ExprKind::Not(_) => level::NOT,
        ExprKind::InList { .. } | ExprKind::InRange { .. } | ExprKind::IsNull(_) => level::COMPARISON,
        ExprKind::Negate(_) => level::NEGATE,
        ExprKind::Literal(Value::Int(i)) if *i < 0 => level::NEGATE,
        ExprKind::Literal(Value::Float(x)) if x.is_sign_negative() => level::NEGATE,
        ExprKind::If { .. } => level::LOOSEST,
        ExprKind::Call { function, args } if is_silent(function, args) => own_level(&args[0]),
        _ => level::OPERAND,
    }
}

/// An int where a float is wanted, a date where a moment is: the language converts these by itself.
fn is_silent(function: &str, args: &[Expr]) -> bool {
    use crate::DataType as T;
    matches!((function, args), ("float" | "decimal", [x, ..]) if matches!(x.dtype, T::Int | T::Decimal { .. }))
        || matches!((function, args), ("datetime", [x]) if x.dtype == T::Date)
}

fn write(expr: &Expr, f: &mut Formatter<'_>) -> fmt::Result {
    match &expr.kind {
        ExprKind::Column(name) if name == MAPPED => f.write_str("x"),
        ExprKind::Column(name) => f.write_str(name),
        ExprKind::Literal(value) => write!(f, "{value}"),
        ExprKind::Not(x) => write!(f, "not {}", At(x, level::NOT)),
        ExprKind::Negate(x) => write!(f, "-{}", At(x, level::NEGATE)),
        ExprKind::IsNull(x) => write!(f, "{} is null", At(x, level::RANGE)),
        ExprKind::Binary { op, left, right } => {
            let level = op.level();
            // `**` groups from the right, comparisons do not chain, all others group from the left.
            let (l, r) = match op {
                BinaryOp::Pow => (level + 1, level::NEGATE),
                _ if level == level::COMPARISON => (level::RANGE, level::RANGE),
                _ => (level, level + 1),
            };
            write!(f, "{} {} {}", At(left, l), op.sign(), At(right, r))
        }
        ExprKind::InList { value, items } => {
            write!(f, "{} in [", At(value, level::RANGE))?;
            list(items, f)?;
            f.write_str("]")
        }
        ExprKind::List(items) => {
            f.write_str("[")?;
            list(items, f)?;
            f.write_str("]")
        }
        ExprKind::InRange { value, low, high, inclusive } => {
            write!(f, "{} in ", At(value, level::RANGE))?;
            if let Some(low) = low {
                At(low, level::RANGE + 1).fmt(f)?;
            }
            f.write_str(if *inclusive && high.is_some() { "..=" } else { ".." })?;
            high.as_ref().map_or(Ok(()), |high| At(high, level::RANGE + 1).fmt(f))
        }
        ExprKind::If { condition, then, otherwise } => {
            write!(f, "if {condition} then {then} else {otherwise}")
        }
        ExprKind::Call { function, args } if is_silent(function, args) => write(&args[0], f),
        ExprKind::Call { function, args } | ExprKind::Aggregate { function, args, .. } => {
            write!(f, "{function}(")?;
            list(args, f)?;
            f.write_str(")")
        }
    }
}

fn list(items: &[Expr], f: &mut Formatter<'_>) -> fmt::Result {
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            f.write_str(", ")?;
        }
        item.fmt(f)?;
    }
    Ok(())
}
