use serde::{Deserialize, Serialize};

use crate::{DataType, Frame, Span, Value};

/// A resolved, typed expression. The only expression type below the AST.
///
/// Invariants: every `Column` exists in the input schema of the node; operand types were reconciled by the checker
/// (an `Int` operand beside a `Float` one is wrapped in the call `float`), so that an engine never converts by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expr {
    pub kind: ExprKind,
    pub dtype: DataType,
    pub nullable: bool,
    #[serde(skip)]
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExprKind {
    Column(String),
    Literal(Value),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// `x in [a, b]`; null when `x` is null, or when no item equals and one item is null.
    InList {
        value: Box<Expr>,
        items: Vec<Expr>,
    },
    /// `x in low..high`; a missing bound is open; `inclusive` speaks of `high`.
    InRange {
        value: Box<Expr>,
        low: Option<Box<Expr>>,
        high: Option<Box<Expr>>,
        inclusive: bool,
    },
    IsNull(Box<Expr>),
    /// `if c then a else b`; a null condition is not true. `match` is lowered to it.
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// A function of the catalog, row by row. Names: `dbjob`'s src/catalog/function.
    Call {
        function: String,
        args: Vec<Expr>,
    },
    /// `[a, b]` as a value; the items have the item type of `dtype`.
    List(Vec<Expr>),
    /// An aggregate of the catalog, or a function of a window's order (`lag`); the only cross-row kind, allowed in `group`,
    /// `expect` and `window`. Only in a window, and there every aggregate, has a frame.
    Aggregate {
        function: String,
        args: Vec<Expr>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        frame: Option<Frame>,
    },
}

/// Binary operators, with the one meaning of language.md section 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BinaryOp {
    /// Three-valued logic.
    Or,
    And,
    /// Null if either side is; NaN equals NaN and is above every number.
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    /// `a ?? b`: `b` where `a` is null.
    Coalesce,
    /// Ints: an overflow is an error. Strings: joined. Date or datetime and duration: moved; `-` of two: a duration.
    Add,
    Sub,
    Mul,
    /// Always float; `x / 0` is null.
    Div,
    /// Floors; `x // 0` is null.
    FloorDiv,
    /// Sign of the divisor; `x % 0` is null.
    Mod,
    /// Float.
    Pow,
}

impl BinaryOp {
    /// The comparison that says the same with its sides changed; every other operator itself.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Lt => Self::Gt,
            Self::Le => Self::Ge,
            Self::Gt => Self::Lt,
            Self::Ge => Self::Le,
            other => other,
        }
    }
}

impl Expr {
    pub fn column(name: impl Into<String>, dtype: DataType, nullable: bool, span: Span) -> Self {
        Self { kind: ExprKind::Column(name.into()), dtype, nullable, span }
    }

    pub fn literal(value: Value, dtype: DataType, span: Span) -> Self {
        let nullable = value == Value::Null;
        Self { kind: ExprKind::Literal(value), dtype, nullable, span }
    }

    /// The direct operands, in order.
    pub fn operands(&self) -> Vec<&Expr> {
        match &self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => vec![],
            ExprKind::Not(x) | ExprKind::Negate(x) | ExprKind::IsNull(x) => vec![x],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::InList { value, items } => std::iter::once(&**value).chain(items).collect(),
            ExprKind::InRange { value, low, high, .. } => {
                std::iter::once(&**value).chain(low.as_deref()).chain(high.as_deref()).collect()
            }
            ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
            ExprKind::Call { args, .. } | ExprKind::Aggregate { args, .. } | ExprKind::List(args) => {
                args.iter().collect()
            }
        }
    }

    /// [`Self::operands`], to be changed.
    pub fn operands_mut(&mut self) -> Vec<&mut Expr> {
        match &mut self.kind {
            ExprKind::Column(_) | ExprKind::Literal(_) => vec![],
            ExprKind::Not(x) | ExprKind::Negate(x) | ExprKind::IsNull(x) => vec![x],
            ExprKind::Binary { left, right, .. } => vec![left, right],
            ExprKind::InList { value, items } => std::iter::once(&mut **value).chain(items).collect(),
            ExprKind::InRange { value, low, high, .. } => {
                std::iter::once(&mut **value).chain(low.as_deref_mut()).chain(high.as_deref_mut()).collect()
            }
            ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
            ExprKind::Call { args, .. } | ExprKind::Aggregate { args, .. } | ExprKind::List(args) => {
                args.iter_mut().collect()
            }
        }
    }

    /// Calls `change` for all below this expression and then for itself.
    pub fn rewrite(&mut self, change: &mut dyn FnMut(&mut Expr)) {
        for operand in self.operands_mut() {
            operand.rewrite(change);
        }
        change(self);
    }

    /// Gives columns other names, where `new` has one.
    pub fn rename(&mut self, new: &mut dyn FnMut(&str) -> Option<String>) {
        if let ExprKind::Column(name) = &mut self.kind
            && let Some(other) = new(name)
        {
            *name = other;
        }
        self.operands_mut().into_iter().for_each(|operand| operand.rename(new));
    }

    /// Calls `visit` for this expression and all below it, outside in.
    pub fn walk<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        visit(self);
        for operand in self.operands() {
            operand.walk(visit);
        }
    }

    /// How many operations, columns and constants it is made of.
    pub fn size(&self) -> usize {
        let mut size = 0;
        self.walk(&mut |_| size += 1);
        size
    }

    /// The expression with others in place of columns.
    pub fn with_columns(&self, other: &dyn Fn(&str) -> Option<Expr>) -> Expr {
        if let ExprKind::Column(name) = &self.kind {
            return other(name).unwrap_or_else(|| self.clone());
        }
        let mut copy = self.clone();
        for operand in copy.operands_mut() {
            *operand = operand.with_columns(other);
        }
        copy
    }

    /// The names of the columns that it reads, each once, in order of appearance.
    pub fn columns(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        self.walk(&mut |e| {
            if let ExprKind::Column(name) = &e.kind
                && !names.contains(&name.as_str())
            {
                names.push(name);
            }
        });
        names
    }

    pub fn has_aggregate(&self) -> bool {
        let mut found = false;
        self.walk(&mut |e| found |= matches!(e.kind, ExprKind::Aggregate { .. }));
        found
    }
}
