//! The job as written. Every node keeps its span; names keep their case; nothing is resolved.
//!
//! Invariants: a statement that could not be parsed is absent (its error is in `Parsed::errors`); an unknown verb is
//! `Unknown` so that the checker can name near ones. Backticks and quotes are removed from names and texts.

use std::sync::Arc;

use dbjob_plan::{FileId, Span, Value};

#[derive(Debug, Clone, PartialEq)]
pub struct File {
    /// Shared, so that who reads a text again after a change keeps the items that stand unchanged.
    pub items: Vec<Arc<Item>>,
    pub span: Span,
    /// The parts that it was read in, if not in one piece: spans of a part have its id.
    pub parts: Vec<FileId>,
    /// Names that broken statements would have declared: whoever misses one of them is not told again.
    pub lost: Vec<Ident>,
    /// Statements stand outside of any item: the item whose head is missing may declare any name.
    pub headless: bool,
    /// Where syntax errors are: what stands there may be missing from its item.
    pub broken: Vec<Span>,
    /// Statements (of longer ones, lines) with a syntax error, in order and apart from each other: what else is wrong
    /// in them is not told, for it may follow from the error.
    pub told: Vec<Span>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Ident {
    pub name: String,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    pub value: String,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// The lines of the `##` comment above it, without the marks.
    pub doc: Vec<String>,
    pub kind: ItemKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ItemKind {
    Job {
        name: Option<Ident>,
        settings: Vec<Setting>,
    },
    Use {
        names: Option<Vec<Ident>>,
        path: Text,
    },
    Param {
        name: Ident,
        ty: Type,
        value: Option<Expr>,
    },
    Profile {
        name: Ident,
        settings: Vec<Setting>,
    },
    Cluster {
        name: Ident,
        settings: Vec<Setting>,
    },
    Dataset(Dataset),
    Transform(Transform),
    Model(Model),
    Deploy(Deploy),
    Module {
        name: Ident,
        settings: Vec<Setting>,
    },
    Fn {
        name: Ident,
        params: Vec<FnParam>,
        returns: Type,
        body: Expr,
    },
    Test {
        name: Ident,
        given: Vec<TestTable>,
        expect: Vec<TestTable>,
    },
    /// `datset x …`: a word where an item belongs.
    Unknown {
        keyword: Ident,
    },
}

/// `name = value`, `name { … }`.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    pub name: Ident,
    pub value: SettingValue,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SettingValue {
    Expr(Expr),
    Block(Vec<Setting>),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Dataset {
    pub name: Ident,
    pub source: SourceExpr,
    pub columns: Vec<Column>,
    pub expects: Vec<Expect>,
    /// The span of a closing `..`: the rest of the columns is kept, inferred.
    pub rest: Option<Span>,
    /// Verbs and settings that do not belong here.
    pub unknown: Vec<Ident>,
}

/// What stands after `from`: a name, a source call, or `inline [ rows ]`.
#[derive(Debug, Clone, PartialEq)]
pub enum SourceExpr {
    Name(Ident),
    Call(Call),
    Inline { rows: Vec<Row>, span: Span },
}

impl SourceExpr {
    pub fn span(&self) -> Span {
        match self {
            Self::Name(name) => name.span,
            Self::Call(call) => call.span,
            Self::Inline { span, .. } => *span,
        }
    }
}

/// `{ order_id: 1, user_id: 1 }`
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub cells: Vec<(Ident, Expr)>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub doc: Vec<String>,
    pub name: Ident,
    pub ty: Type,
    /// `in 1..=500`, `in ["a", "b"]`
    pub refinement: Option<Expr>,
    /// `named "header"`
    pub named: Option<Text>,
    pub attributes: Vec<Attribute>,
    pub span: Span,
}

/// `key`, `id`, `time`, `label`, `weight`, `late`; `label known at COL`; `late after 30d`. Unknown words stay here too.
#[derive(Debug, Clone, PartialEq)]
pub struct Attribute {
    pub name: Ident,
    /// The column of `known at COL`.
    pub known_at: Option<Ident>,
    /// The duration of `after 30d`.
    pub after: Option<Expr>,
    pub span: Span,
}

/// `int`, `decimal(10, 2)`, `category("a", "b")`, `list[int]`, `vector(3)`, each with `?` or without.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    pub name: Ident,
    pub args: Vec<Expr>,
    /// Parentheses with nothing in them.
    pub empty: Option<Span>,
    /// The item type of `list[T]`.
    pub item: Option<Box<Type>>,
    pub nullable: bool,
    /// In a `fn` parameter: `int in 1..`.
    pub refinement: Option<Expr>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Transform {
    pub name: Ident,
    pub input: Ident,
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub doc: Vec<String>,
    pub kind: StepKind,
    /// The verb alone.
    pub verb: Span,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum StepKind {
    /// `on_train`: the span of `on train`.
    Filter {
        predicate: Expr,
        on_train: Option<Span>,
    },
    Derive {
        replace: bool,
        columns: Vec<DeriveColumn>,
    },
    Select(Selection),
    Drop(Selection),
    Rename(Vec<(Ident, Ident)>),
    Join(JoinStep),
    Group {
        keys: Vec<Named>,
        aggregates: Vec<Named>,
    },
    Window {
        by: Vec<Expr>,
        order: Vec<SortKey>,
        columns: Vec<Named>,
    },
    Sort(Vec<SortKey>),
    Take(Expr),
    Distinct {
        by: Vec<Ident>,
        keep: Option<Ident>,
        order: Vec<SortKey>,
    },
    Sample {
        share: Expr,
        by: Vec<Ident>,
        on_train: Option<Span>,
    },
    Union(Vec<Ident>),
    Pivot {
        column: Ident,
        values: Vec<Expr>,
        aggregates: Vec<Named>,
    },
    Unpivot {
        columns: Selection,
        name: Ident,
        value: Ident,
    },
    Explode(Vec<Ident>),
    Split(SplitStep),
    Map(MapStep),
    Unmap(Vec<Ident>),
    Predict {
        model: Ident,
        out_of_fold: Option<Span>,
        prefix: Option<Ident>,
    },
    Expect(Expect),
    Extern {
        command: Text,
        returns: Vec<Column>,
    },
    /// A verb that does not exist, with the span of all that follows on its statement.
    Unknown {
        verb: Ident,
    },
}

/// `a = EXPR`, or `label late15 = EXPR`.
#[derive(Debug, Clone, PartialEq)]
pub struct DeriveColumn {
    pub label: Option<Span>,
    pub name: Ident,
    pub value: Expr,
}

/// `EXPR as name`, `name = EXPR`; `name` is absent for a bare column.
#[derive(Debug, Clone, PartialEq)]
pub struct Named {
    pub name: Option<Ident>,
    pub value: Expr,
}

/// `a, b` · `all except c, d` · `where float` · `all`; `a as b` is not here but in `Input`.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    pub items: Vec<Selector>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Selector {
    Name(Ident),
    All {
        /// Names, and types without an `except` of their own.
        except: Vec<Selector>,
        span: Span,
    },
    /// `where float`: the columns of a type (or role).
    Where {
        ty: Ident,
        except: Vec<Selector>,
        span: Span,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct JoinStep {
    /// `inner` (nothing written), `left`, `full`, `semi`, `anti`, `cross`, `asof`, or another word.
    pub kind: Option<Ident>,
    pub right: Ident,
    pub alias: Option<Ident>,
    pub prefix: Option<Ident>,
    /// `on k, l` or `on a == u.b and c == u.d`: the expressions between commas.
    pub on: Vec<Expr>,
    /// `asof … by sku`
    pub by: Vec<Ident>,
    /// `asof … within 7d`
    pub within: Option<Expr>,
    /// `lookup`, `many_to_many`, `one_to_many`, `many_to_one`, `one_to_one`, or a word that does not exist.
    pub modifiers: Vec<Ident>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SortKey {
    pub expr: Expr,
    /// The span of `desc` (`asc` is written away).
    pub descending: Option<Span>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct SplitStep {
    /// `stratify COL`
    pub stratify: Option<Ident>,
    /// `using COL`
    pub using: Option<Ident>,
    /// `at TIME`
    pub at: Option<Ident>,
    pub by: Vec<Ident>,
    /// `test 20%`, or all of the block.
    pub parts: Vec<SplitPart>,
    /// `folds 5`
    pub folds: Option<Expr>,
    /// `gap 7d`
    pub gap: Option<Expr>,
}

/// `train 70%` · `train before @2024-01-01` · `valid from @2024-01-01 before @2024-02-01` · `test from @2024-02-01`
#[derive(Debug, Clone, PartialEq)]
pub struct SplitPart {
    pub part: Ident,
    pub size: SplitSize,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SplitSize {
    Share(Expr),
    /// At least one of the two.
    Time {
        from: Option<Expr>,
        before: Option<Expr>,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct MapStep {
    /// The columns; for `map [a, b] with pca(2) as p` a single group (`grouped`).
    pub columns: Selection,
    pub grouped: bool,
    pub ops: Vec<Call>,
    pub name: Option<MapName>,
}

/// `as NEW` or `as *_log`.
#[derive(Debug, Clone, PartialEq)]
pub struct MapName {
    /// With one `*` for the column's name, if it is a pattern.
    pub pattern: String,
    pub span: Span,
}

/// `expect EXPR else fail|drop|warn|quarantine "path"`.
#[derive(Debug, Clone, PartialEq)]
pub struct Expect {
    pub predicate: Expr,
    /// `fail` when nothing is written.
    pub action: Option<Ident>,
    pub quarantine: Option<Text>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub name: Ident,
    pub from: SourceExpr,
    pub statements: Vec<ModelStatement>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct ModelStatement {
    pub kind: ModelStatementKind,
    pub verb: Span,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ModelStatementKind {
    Input(Vec<Input>),
    /// `output returned: bool`, `output label: int classes`, `output price raw`.
    Output {
        column: Ident,
        ty: Option<Type>,
        classes: Option<Span>,
        raw: Option<Span>,
    },
    Weight(Ident),
    Fit(Fit),
    /// `fit best by auc { … }`
    FitBest {
        metric: Call,
        candidates: Vec<Fit>,
    },
    /// `tune random(20) by auc`
    Tune {
        strategy: Call,
        metric: Option<Call>,
    },
    RefitOnAll,
    /// `threshold = 0.4`, `threshold = best f1`: as a setting.
    Setting(Setting),
    /// `evaluate auc, accuracy`, `evaluate auc by country`
    Evaluate {
        metrics: Vec<Call>,
        by: Option<Ident>,
    },
    /// `require …`, with `for each country`
    Require {
        condition: Expr,
        for_each: Option<Ident>,
    },
    Unknown {
        verb: Ident,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    pub selector: Selector,
    /// `as "user-id"`
    pub name: Option<Text>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    pub algorithm: Ident,
    pub options: Vec<FitOption>,
    pub span: Span,
}

/// `trees = 300`, or `depth in 3..=8`, `rate in [0.1, 0.2]`, `rate in log(0.01..=1)`.
#[derive(Debug, Clone, PartialEq)]
pub struct FitOption {
    pub name: Ident,
    pub value: Expr,
    /// Written with `in`: searched by `tune`.
    pub tuned: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Deploy {
    /// Absent in `deploy NODE { … }`.
    pub name: Option<Ident>,
    pub from: Ident,
    pub statements: Vec<DeployStatement>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum DeployStatement {
    /// `to registry("models")`
    To(Call),
    /// `accept DATASET`, `accept inputs`
    Accept(Ident),
    Setting(Setting),
    Unknown {
        verb: Ident,
    },
}

#[derive(Debug, Clone, PartialEq)]
pub struct FnParam {
    pub name: Ident,
    pub ty: Type,
}

#[derive(Debug, Clone, PartialEq)]
pub struct TestTable {
    pub node: Ident,
    pub rows: Vec<Row>,
    pub span: Span,
}

/// `name(arg, option = value)`; without parentheses `args` is empty (`map x with log1p`).
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    pub name: Ident,
    pub args: Vec<Arg>,
    /// `sum(x) over last 7d`
    pub over: Option<Box<Over>>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Arg {
    /// `delimiter = ";"`
    pub name: Option<Ident>,
    pub value: Expr,
}

/// `over last 7d`, `over last 3 rows`, `over previous 7d`, `over next 30d`, `over all`, `over previous rows`.
#[derive(Debug, Clone, PartialEq)]
pub struct Over {
    /// `last`, `previous`, `next`, `all`.
    pub direction: Ident,
    pub size: Option<Expr>,
    /// The span of `rows`.
    pub rows: Option<Span>,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub enum ExprKind {
    /// A column, a param, or a word of an option.
    Name(String),
    /// `u.b`, `deploy.prod`
    Field {
        base: Ident,
        name: Ident,
    },
    /// A percentage is a `Float` (70% is 0.7). A date that does not exist is an error of the parser.
    Literal(Value),
    List(Vec<Expr>),
    Range {
        low: Option<Box<Expr>>,
        high: Option<Box<Expr>>,
        inclusive: bool,
    },
    Call(Call),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary {
        op: dbjob_plan::BinaryOp,
        op_span: Span,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    In {
        value: Box<Expr>,
        set: Box<Expr>,
        negated: bool,
    },
    IsNull {
        value: Box<Expr>,
        negated: bool,
    },
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// `otherwise` is the `else` arm.
    Match {
        value: Box<Expr>,
        arms: Vec<(Expr, Expr)>,
        otherwise: Option<Box<Expr>>,
    },
}
