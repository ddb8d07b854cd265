//! What an expression of a `window` sees from its row, and whether that was known there: frames, the future, labels of
//! the past.

use dbjob_plan::{DataType, Expr, Frame, Reach, Span};

use super::clock::Clock;
use super::taint::{Taint, TaintKind, TaintSource};

/// The window around an expression.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Window {
    pub order: Option<Order>,
    /// What its partition and order keys know.
    pub keys: Taint,
}

/// The order of a window, as far as its first key tells it.
#[derive(Debug, PartialEq)]
pub(super) struct Order {
    pub span: Span,
    pub dtype: DataType,
    pub nullable: bool,
    pub descending: bool,
    /// Whether no two rows of a partition have one first key.
    pub unique: bool,
    /// The clock of the row's `time`, if the order goes by it.
    pub time: Option<Clock>,
    /// Whether the order goes by the row's `time`; also of one without a clock.
    pub by_time: bool,
}

/// What is looked at from a row.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sight {
    Frame(Frame),
    /// The row so many places before.
    Lag,
    Lead,
    /// The number of rows before.
    Place,
}

impl Sight {
    /// Of an aggregate or function of the order in a checked window.
    pub fn of(function: &str, frame: Option<Frame>) -> Self {
        match (frame, function) {
            (Some(frame), _) => Self::Frame(frame),
            (None, "lag") => Self::Lag,
            (None, "lead") => Self::Lead,
            (None, _) => Self::Place,
        }
    }

    /// The side of the row that it looks at by position; `None` where it goes by time or sees all.
    fn side(self) -> Option<Reach> {
        match self {
            Self::Frame(Frame::Rows { reach, .. }) => Some(reach),
            Self::Lag => Some(Reach::Previous),
            Self::Lead => Some(Reach::Next),
            Self::Place => Some(Reach::Last),
            Self::Frame(_) => None,
        }
    }
}

impl Order {
    /// Whether rows are seen that come later. An order by something else than a time may be a sequence, so that what
    /// looks further along it looks ahead; but the place in it, or all of it, say nothing of time.
    fn looks_ahead(&self, sight: Sight) -> bool {
        let chronological = self.dtype.is_temporal();
        match sight {
            Sight::Frame(Frame::All) => chronological,
            Sight::Frame(Frame::Time { reach, .. }) => reach == Reach::Next,
            Sight::Place => chronological && self.descending,
            _ => (sight.side() == Some(Reach::Next)) != self.descending,
        }
    }

    /// Whether only rows are seen whose first key is less than the row's own.
    fn looks_strictly_back(&self, sight: Sight) -> bool {
        let apart = self.unique && !self.nullable;
        match (sight, sight.side()) {
            (Sight::Frame(Frame::Time { reach, .. }), _) => reach == Reach::Previous,
            (_, Some(Reach::Previous)) => apart && !self.descending,
            (_, Some(Reach::Next)) => apart && self.descending,
            _ => false,
        }
    }

    /// Whether only rows are seen that came to be at the row's `time` or before.
    pub fn looks_back_in_time(&self, sight: Sight) -> bool {
        self.by_time && !matches!(sight, Sight::Frame(Frame::All)) && !self.looks_ahead(sight)
    }
}

impl Window {
    /// Whether the frame from a row may hold no row.
    pub fn may_be_empty(&self, frame: Frame) -> bool {
        match frame {
            Frame::All | Frame::Rows { reach: Reach::Last, .. } => false,
            Frame::Time { reach: Reach::Last, .. } => self.order.as_ref().is_none_or(|o| o.nullable),
            Frame::Rows { .. } | Frame::Time { .. } => true,
        }
    }

    /// What the value of a call knows that looks at rows with the taint `seen` (of its argument and of what chose rows).
    /// What was known strictly before the row came to be is left out: it may be used. `text` is the call as written.
    pub fn taint(&self, sight: Sight, seen: &Taint, span: Span, text: &str) -> Taint {
        let mut waiting = seen.clone();
        let mut open = seen.clone();
        open.retain(|_, source| source.known.is_none());
        waiting.retain(|_, source| source.known.as_ref().is_some_and(|known| !self.is_known(sight, known)));
        let mut taint = open.elsewhere();
        taint.absorb(&waiting.elsewhere().through(span, self.why_unknown(sight)));
        taint.absorb(&self.keys.elsewhere());
        if let Some(order) = self.order.as_ref().filter(|o| o.looks_ahead(sight)) {
            let mut ahead = Taint::new();
            ahead.add(text, TaintSource::new(TaintKind::Late, span));
            let descends = order.descending && sight.side().is_some_and(|s| s != Reach::Next);
            if descends {
                ahead = ahead.through(order.span, "the order descends: the rows before are the later ones");
            }
            taint.absorb(&ahead);
        }
        taint
    }

    /// Whether the row itself is never among those that are seen.
    pub fn is_elsewhere(&self, sight: Sight) -> bool {
        match sight {
            Sight::Lag | Sight::Lead => true,
            Sight::Frame(Frame::Rows { reach, .. } | Frame::Time { reach, .. }) => reach != Reach::Last,
            Sight::Frame(Frame::All) | Sight::Place => false,
        }
    }

    /// Whether every row that is seen was known to be what it is strictly before the row's `time`.
    fn is_known(&self, sight: Sight, known: &Clock) -> bool {
        let Some(order) = &self.order else { return false };
        let in_time = order.time.as_ref().and_then(|time| known.after(time)).is_some_and(|after| after <= 0);
        in_time && order.looks_strictly_back(sight)
    }

    fn why_unknown(&self, sight: Sight) -> &'static str {
        match &self.order {
            Some(order) if !order.looks_strictly_back(sight) => {
                "not only rows are seen that are known to lie strictly before"
            }
            Some(_) => "the order does not go by when it is known",
            None => "rows are seen at which it is not known yet",
        }
    }
}

/// The parts of a checked expression that look at other rows, each with its place.
pub(super) fn sights(expr: &Expr) -> Vec<(Sight, Span)> {
    let mut found = Vec::new();
    expr.walk(&mut |e| {
        if let dbjob_plan::ExprKind::Aggregate { function, frame, .. } = &e.kind {
            found.push((Sight::of(function, *frame), e.span));
        }
    });
    found
}
