//! The steps between what a caller sends and what the learner takes: the serving plan, node by node.

use std::collections::BTreeMap;

use dbjob_plan::{DataType, ExpectAction, Field, MapColumn, Node, NodeId, Op, Refinement, Serving, UnmapColumn, Value};

use crate::column::{Column, Columns, FLOAT, Form, INT, TEXT, either, form_of};
use crate::graph::{Element, Graph, Tensor};
use crate::map::{self, States};
use crate::refused::Refused;
use crate::{column, expr};

/// What the steps have made so far.
pub(crate) struct Steps<'a> {
    pub g: &'a mut Graph,
    pub states: States<'a>,
    /// Where `dbjob predict` would refuse a row.
    pub refused: Option<Tensor>,
    /// What cannot be expressed.
    pub errors: Vec<Refused>,
}

impl Steps<'_> {
    /// The table that the learner reads.
    pub fn run(&mut self, serving: &Serving) -> Columns {
        let mut tables: BTreeMap<NodeId, Columns> = BTreeMap::new();
        for id in serving.plan.topological() {
            let node = serving.plan.node(id);
            let first = serving.plan.inputs(id).first().copied();
            let table = first.and_then(|first| tables.get(&first)).cloned().unwrap_or_default();
            let table = match &node.op {
                Op::Request => self.request(serving),
                _ => self.step(node, table),
            };
            tables.insert(id, table);
        }
        tables.remove(&serving.output).unwrap_or_default()
    }

    fn request(&mut self, serving: &Serving) -> Columns {
        let mut raw = Vec::new();
        // All inputs come first.
        for field in &serving.request.fields {
            let doc = doc(field, serving.docs.get(&field.name));
            let made = match form_of(&field.dtype) {
                Some(Form::One(element)) => {
                    let element = if field.nullable && element != Element::Text { Element::Float } else { element };
                    Some(self.g.input(&field.name, element, None, doc))
                }
                Some(Form::Many) => match field.dtype {
                    DataType::Vector { width: Some(width) } if !field.nullable => {
                        Some(self.g.input(&field.name, Element::Float, Some(width as i64), doc))
                    }
                    _ => None,
                },
                None => None,
            };
            raw.push((field, made));
        }
        let mut columns = Columns::new();
        for (field, tensor) in raw {
            let column = match tensor {
                Some(tensor) => self.received(field, tensor),
                None => {
                    let what = format!("the request's column `{}`: {}", field.name, field.dtype);
                    let help = "let callers send a float, a text or another column that holds one value";
                    self.errors.push(Refused::new(dbjob_plan::Span::default(), what, help));
                    Column::in_place(self.g, &field.dtype)
                }
            };
            columns.insert(field.name.clone(), column);
        }
        columns
    }

    /// An input as a column: of a nullable one NaN is null, or the empty text.
    fn received(&mut self, field: &Field, tensor: Tensor) -> Column {
        let g = &mut *self.g;
        let form = form_of(&field.dtype).expect("an input has a form");
        let column = if field.nullable {
            match form {
                TEXT => {
                    let code = g.code_of_text(&tensor, &[String::new()]);
                    let zero = g.int(0);
                    let null = g.op("Equal", &[&code, &zero]);
                    Column::new(tensor, TEXT).with_null(Some(null))
                }
                _ => {
                    let null = g.op("IsNaN", &[&tensor]);
                    let value = match form {
                        Form::One(element) if element != Element::Float => {
                            let zero = g.float(0.0);
                            let value = g.select(&null, &zero, &tensor);
                            g.cast(&value, element)
                        }
                        _ => tensor,
                    };
                    Column::new(value, form).with_null(Some(null))
                }
            }
        } else {
            Column::new(tensor, form)
        };
        let outside = outside(field, &column, g);
        self.refuse(outside, &column);
        column
    }

    /// Remembers where a row is refused; a null passes.
    fn refuse(&mut self, wrong: Option<Tensor>, column: &Column) {
        let Some(mut wrong) = wrong else { return };
        if let Some(null) = &column.null {
            let there = self.g.op("Not", &[null]);
            wrong = self.g.op("And", &[&wrong, &there]);
        }
        self.refused = either(self.g, self.refused.take(), Some(wrong));
    }

    /// What could not be made, as something in its place.
    fn or_in_place(&mut self, made: Result<Column, Refused>, dtype: &DataType) -> Column {
        made.unwrap_or_else(|error| {
            self.errors.push(error);
            Column::in_place(self.g, dtype)
        })
    }

    fn step(&mut self, node: &Node, mut table: Columns) -> Columns {
        match &node.op {
            Op::Project { columns } => {
                let picked = columns.iter().filter_map(|c| Some((c.to.clone(), table.get(&c.from)?.clone())));
                picked.collect()
            }
            Op::Derive { columns } => {
                for column in columns {
                    let made = expr::lower(&column.expr, &table, self.g);
                    let made = self.or_in_place(made, &column.expr.dtype);
                    table.insert(column.name.clone(), made);
                }
                table
            }
            Op::Map { columns } => {
                // All of them see the table as it is.
                let made: Vec<Column> = columns.iter().map(|c| self.map(c, node, &table)).collect();
                table.extend(columns.iter().map(|c| c.out.clone()).zip(made));
                table
            }
            Op::Unmap { columns } => {
                for column in columns {
                    let made = self.unmap(column, node, &table);
                    table.insert(column.column.clone(), made);
                }
                table
            }
            Op::Expect(rule) => {
                if rule.action != ExpectAction::Warn && rule.unique.is_empty() && !rule.predicate.has_aggregate() {
                    match expr::lower(&rule.predicate, &table, self.g) {
                        Ok(holds) => {
                            let holds = holds.holds(self.g);
                            let fails = self.g.op("Not", &[&holds]);
                            self.refused = either(self.g, self.refused.take(), Some(fails));
                        }
                        Err(error) => self.errors.push(error),
                    }
                }
                table
            }
            // Told of where it is read.
            Op::Snapshot { .. } => table,
            Op::Join(join) => {
                let help = "put what it adds into the rows that callers send, or let the deployment `accept inputs`";
                self.errors.push(Refused::new(node.span, "a `lookup` join", help));
                for column in &join.right_columns {
                    let dtype = node.schema.get(&column.to).map_or(&DataType::Float, |f| &f.dtype);
                    let made = Column::in_place(self.g, dtype);
                    table.insert(column.to.clone(), made);
                }
                table
            }
            _ => {
                self.errors.push(Refused::new(node.span, "this step", expr::BEFORE));
                for field in &node.schema.fields {
                    if !table.contains_key(&field.name) {
                        let made = Column::in_place(self.g, &field.dtype);
                        table.insert(field.name.clone(), made);
                    }
                }
                table
            }
        }
    }

    fn map(&mut self, column: &MapColumn, node: &Node, table: &Columns) -> Column {
        let names = std::iter::once(&column.column).chain(&column.more);
        let columns: Option<Vec<Column>> = names.map(|name| table.get(name).cloned()).collect();
        let made = columns
            .ok_or_else(|| Refused::new(node.span, format!("the column `{}`", column.column), expr::BEFORE))
            .and_then(|columns| map::apply(&column.link, &columns, self.states, node.span, self.g));
        match made {
            Ok(mapped) => {
                self.refused = either(self.g, self.refused.take(), mapped.refused);
                mapped.column
            }
            Err(error) => self.or_in_place(Err(error), &column.link.to),
        }
    }

    fn unmap(&mut self, column: &UnmapColumn, node: &Node, table: &Columns) -> Column {
        let dtype = column.links.last().map_or(&DataType::Float, |link| &link.from);
        let made = table
            .get(&column.column)
            .cloned()
            .ok_or_else(|| Refused::new(node.span, format!("the column `{}`", column.column), expr::BEFORE))
            .and_then(|c| map::undo(c, &column.links, self.states, node.span, self.g));
        self.or_in_place(made, dtype)
    }
}

/// Where a value is none of those that the request's type has.
fn outside(field: &Field, column: &Column, g: &mut Graph) -> Option<Tensor> {
    let among = |texts: &[String], g: &mut Graph| {
        let (code, zero) = (g.code_of_text(&column.value, texts), g.int(0));
        g.op("Less", &[&code, &zero])
    };
    if let DataType::Category { levels: Some(levels) } = &field.dtype {
        return Some(among(levels, g));
    }
    match field.refinement.as_ref()? {
        Refinement::OneOf(values) => match column.form {
            TEXT => {
                let texts: Option<Vec<String>> = values.iter().map(|v| v.as_str().map(str::to_owned)).collect();
                texts.map(|texts| among(&texts, g))
            }
            INT => {
                let ints: Option<Vec<i64>> = values.iter().map(Value::as_i64).collect();
                ints.map(|ints| {
                    let (code, zero) = (g.code_of_int(&column.value, &ints), g.int(0));
                    g.op("Less", &[&code, &zero])
                })
            }
            _ => None,
        },
        Refinement::Range { low, high, inclusive } => {
            let end = |value: &Value, g: &mut Graph| match (column.form, value) {
                (INT, Value::Int(i) | Value::Datetime(i) | Value::Duration(i)) => Some(g.int(*i)),
                (INT, Value::Date(days)) => Some(g.int(i64::from(*days))),
                (FLOAT, value) => value.as_f64().map(|x| g.float(x)),
                _ => None,
            };
            let below = low.as_ref().and_then(|low| end(low, g)).map(|low| g.op("Less", &[&column.value, &low]));
            let op = if *inclusive { "Greater" } else { "GreaterOrEqual" };
            let above = high.as_ref().and_then(|high| end(high, g)).map(|high| g.op(op, &[&column.value, &high]));
            column::either(g, below, above)
        }
    }
}

/// What a caller must know of an input.
fn doc(field: &Field, said: Option<&String>) -> String {
    let unit = match field.dtype {
        DataType::Date => ", days since 1970-01-01",
        DataType::Datetime => ", microseconds since 1970-01-01T00:00:00Z",
        DataType::Duration => ", microseconds",
        _ => "",
    };
    let null = match (field.nullable, form_of(&field.dtype)) {
        (false, _) => "",
        (true, Some(TEXT)) => "; the empty text is null",
        (true, _) => "; NaN is null",
    };
    let range = field.refinement.as_ref().map(|r| format!(" in {r}")).unwrap_or_default();
    let said = said.map(|said| format!("{said}\n")).unwrap_or_default();
    let (dtype, mark) = (&field.dtype, if field.nullable { "?" } else { "" });
    format!("{said}{dtype}{mark}{range}{unit}{null}")
}
