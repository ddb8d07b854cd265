//! `over …`: which rows an aggregate of a window sees.

use dbjob_plan::{Frame, Reach, Value};

use super::expr::{Aggregates, Checker};
use super::options;
use super::window::Window;
use crate::catalog::Function;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{Call, Over};

const REACHES: [(&str, Reach); 3] = [("last", Reach::Last), ("previous", Reach::Previous), ("next", Reach::Next)];

impl Checker<'_, '_> {
    /// The frame of a call: of an aggregate in a window some, else none. `Err`: something was reported.
    pub(super) fn frame(&mut self, function: &Function, call: &Call) -> Result<Option<Frame>, ()> {
        let name = function.name;
        let window = match self.scope.aggregates {
            Aggregates::Window(window) => Some(window),
            _ => None,
        };
        let place = match self.scope.aggregates {
            Aggregates::Forbidden(place) => format!("{place} is computed row by row"),
            _ => "there is no window here".to_owned(),
        };
        let problem = match (&call.over, window) {
            (None, None) if !function.of_order => return Ok(None),
            (None, None) => {
                let message = format!("`{name}` looks at the rows around its own, and {place}");
                Diagnostic::error(Code::E0206, call.span, message)
                    .label("needs more than its row")
                    .help("compute it in a window of its own: `window by … order COLUMN { x = … }`")
            }
            (Some(over), _) if !function.aggregate => {
                let diagnostic = Diagnostic::error(
                    Code::E0109,
                    over.span,
                    format!("`over` chooses the rows of an aggregate, and `{name}` is none"),
                )
                .label("no effect");
                match name {
                    "lag" | "lead" => diagnostic.help(format!("`{name}(x, 3)` looks three rows further")),
                    _ => diagnostic.help("remove it"),
                }
            }
            (Some(over), None) => {
                Diagnostic::error(Code::E0206, over.span, format!("`over` chooses rows of a window, and {place}"))
                    .label("no window")
                    .help(format!("compute it in a window of its own: `window … {{ x = {name}(…) over … }}`"))
            }
            (None, Some(window)) => match (&window.order, function.of_order) {
                (Some(_), true) => return Ok(None),
                (None, false) => return Ok(Some(Frame::All)),
                (None, true) => Diagnostic::error(
                    Code::E0108,
                    call.span,
                    format!("`{name}` goes by the order of the window, and it has none"),
                )
                .label("in which order?")
                .help("write `window by … order COLUMN { … }`"),
                (Some(_), false) => Diagnostic::error(
                    Code::E0108,
                    call.span,
                    format!(
                        "over which rows? The window has an order, so `{name}` does not mean all of them by itself"
                    ),
                )
                .label("without `over`")
                .help("write `over last 7d`, `over last 3 rows`, `over previous rows`, or `over all`"),
            },
            (Some(over), Some(window)) => match frame_of(over, window) {
                Ok(frame) => return Ok(Some(frame)),
                Err(problem) => *problem,
            },
        };
        self.out.push(problem);
        Err(())
    }
}

fn frame_of(over: &Over, window: &Window) -> Result<Frame, Box<Diagnostic>> {
    let word = over.direction.name.as_str();
    let wrong = |code: Code, span, message: String, label: &str, help: String| {
        Err(Box::new(Diagnostic::error(code, span, message).label(label).help(help)))
    };
    if word == "all" {
        if over.size.is_some() || over.rows.is_some() {
            let message = "`over all` sees the whole partition and takes no size".to_owned();
            return wrong(Code::E0109, over.span, message, "no effect", "write `over all`".into());
        }
        return Ok(Frame::All);
    }
    let Some((_, reach)) = REACHES.iter().find(|(name, _)| *name == word) else {
        let diagnostic = Diagnostic::error(Code::E0104, over.direction.span, format!("there is no `over {word}`"))
            .label("unknown word");
        let help = "write `over last …`, `over previous …`, `over next …` or `over all`";
        return Err(Box::new(diagnostic.help(help).near(word, ["last", "previous", "next", "all"])));
    };
    let Some(order) = &window.order else {
        let message = format!("`over {word}` goes by the order of the window, and it has none");
        let help = "write `window by … order COLUMN { … }`, or `over all`".into();
        return wrong(Code::E0108, over.span, message, "in which order?", help);
    };
    let reach = *reach;
    match (&over.size, over.rows.is_some()) {
        (None, true) => Ok(Frame::Rows { reach, count: None }),
        (None, false) => {
            let help = format!("write `over {word} 7d`, `over {word} 3 rows` or `over {word} rows`");
            wrong(Code::E0108, over.span, format!("`over {word}` of what size?"), "how far?", help)
        }
        (Some(size), rows) => match (options::constant(size), rows) {
            (Some(Value::Int(count)), true) if count > 0 => Ok(Frame::Rows { reach, count: Some(count as u64) }),
            (Some(Value::Int(count)), false) if count > 0 => {
                let help = format!("write `over {word} {count} rows`, or a duration like `{count}d`");
                wrong(Code::E0105, size.span, format!("{count} of what?"), "neither rows nor a time", help)
            }
            (Some(Value::Duration(us)), false) if us > 0 => {
                if !order.dtype.is_temporal() && order.dtype != dbjob_plan::DataType::Unknown {
                    let message =
                        format!("`over {word} {}` goes by time, and the order by {}", Value::Duration(us), order.dtype);
                    let help = format!("order by a date or datetime, or write `over {word} 3 rows`");
                    return Err(Box::new(
                        Diagnostic::error(Code::E0201, over.span, message)
                            .label("a duration")
                            .related(order.span, format!("this is {}", order.dtype))
                            .help(help),
                    ));
                }
                Ok(Frame::Time { reach, size: us })
            }
            _ => {
                let what = options::describe(size);
                let wanted = if rows { "a number of rows from 1" } else { "a duration, or a number of rows" };
                let help = format!("write `over {word} 7d` or `over {word} 3 rows`");
                wrong(Code::E0105, size.span, format!("a frame has {wanted}, not {what}"), "no such size", help)
            }
        },
    }
}
