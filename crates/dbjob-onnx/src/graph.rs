//! A graph under construction: operators on tensors, constants each once, and what goes in and out.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use prost::Message;

use crate::proto::{
    AttributeProto, Dimension, DimensionProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto,
    StringStringEntryProto, TensorProto, TensorShapeProto, TensorTypeProto, TypeProto, ValueInfoProto,
};

/// Versions that readers of the last years know.
const IR: i64 = 8;
const OPSET: i64 = 17;
const ML_OPSET: i64 = 3;
const ML: &str = "ai.onnx.ml";
/// The name of the dimension that rows are counted in.
const ROWS: &str = "rows";

/// A tensor of the graph by its name. A scalar has no dimensions and stands for a column of equal values.
#[derive(Debug, Clone)]
pub(crate) struct Tensor {
    name: Rc<str>,
    pub scalar: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Element {
    Int,
    Float,
    Bool,
    Text,
}

impl Element {
    fn code(self) -> i32 {
        match self {
            Self::Int => TensorProto::INT64,
            Self::Float => TensorProto::DOUBLE,
            Self::Bool => TensorProto::BOOL,
            Self::Text => TensorProto::STRING,
        }
    }
}

pub(crate) enum Attribute {
    Int(i64),
    Text(&'static str),
    Ints(Vec<i64>),
    Texts(Vec<String>),
    Floats(Vec<f64>),
}

#[derive(Default)]
pub(crate) struct Graph {
    nodes: Vec<NodeProto>,
    initializers: Vec<TensorProto>,
    inputs: Vec<ValueInfoProto>,
    outputs: Vec<ValueInfoProto>,
    taken: HashSet<String>,
    constants: HashMap<(i32, Vec<i64>, Vec<u8>), Tensor>,
    rows: Option<Tensor>,
    numbered: usize,
}

impl Graph {
    fn fresh(&mut self) -> Rc<str> {
        loop {
            self.numbered += 1;
            let name = format!("t{}", self.numbered);
            if self.taken.insert(name.clone()) {
                return name.into();
            }
        }
    }

    /// An input of one value a row, or of `width` a row. All inputs come before anything else.
    pub fn input(&mut self, name: &str, element: Element, width: Option<i64>, doc: String) -> Tensor {
        self.taken.insert(name.to_owned());
        self.inputs.push(value_info(name, element, width, doc));
        let tensor = Tensor { name: name.into(), scalar: false };
        if self.rows.is_none() {
            let all = self.op_with("Shape", &[&tensor], vec![("start", Attribute::Int(0)), ("end", Attribute::Int(1))]);
            self.rows = Some(all);
        }
        tensor
    }

    /// Names that tensors must not have: those of outputs.
    pub fn reserve(&mut self, name: &str) {
        self.taken.insert(name.to_owned());
    }

    /// `tensor` as an output of one value a row under a reserved name.
    pub fn output(&mut self, name: &str, tensor: &Tensor, element: Element, doc: String) {
        let tensor = self.full(tensor);
        self.nodes.push(NodeProto {
            input: vec![tensor.name.to_string()],
            output: vec![name.to_owned()],
            name: format!("n{}", self.nodes.len()),
            op_type: "Identity".into(),
            ..NodeProto::default()
        });
        self.outputs.push(value_info(name, element, None, doc));
    }

    /// One value a row, where a scalar stands for all rows.
    pub fn full(&mut self, tensor: &Tensor) -> Tensor {
        if !tensor.scalar {
            return tensor.clone();
        }
        let rows = self.rows.clone().expect("a request has a column");
        self.op("Expand", &[tensor, &rows])
    }

    pub fn op(&mut self, op: &str, inputs: &[&Tensor]) -> Tensor {
        self.op_with(op, inputs, Vec::new())
    }

    pub fn op_with(&mut self, op: &str, inputs: &[&Tensor], attributes: Vec<(&str, Attribute)>) -> Tensor {
        self.add(op, "", inputs, attributes)
    }

    /// An operator of the domain ai.onnx.ml.
    pub fn ml(&mut self, op: &str, inputs: &[&Tensor], attributes: Vec<(&str, Attribute)>) -> Tensor {
        self.add(op, ML, inputs, attributes)
    }

    fn add(&mut self, op: &str, domain: &str, inputs: &[&Tensor], attributes: Vec<(&str, Attribute)>) -> Tensor {
        let name = self.fresh();
        self.nodes.push(NodeProto {
            input: inputs.iter().map(|t| t.name.to_string()).collect(),
            output: vec![name.to_string()],
            name: format!("n{}", self.nodes.len()),
            op_type: op.to_owned(),
            attribute: attributes.into_iter().map(|(name, value)| attribute(name, value)).collect(),
            domain: domain.to_owned(),
        });
        Tensor { name, scalar: inputs.iter().all(|t| t.scalar) }
    }

    fn constant(&mut self, element: Element, dims: &[i64], raw: Vec<u8>, texts: Vec<Vec<u8>>) -> Tensor {
        let mut known = raw.clone();
        for text in &texts {
            known.extend((text.len() as u64).to_le_bytes());
            known.extend(text);
        }
        let key = (element.code(), dims.to_vec(), known);
        if let Some(tensor) = self.constants.get(&key) {
            return tensor.clone();
        }
        let tensor = Tensor { name: self.fresh(), scalar: dims.is_empty() };
        self.initializers.push(TensorProto {
            dims: dims.to_vec(),
            data_type: element.code(),
            string_data: texts,
            name: tensor.name.to_string(),
            raw_data: raw,
        });
        self.constants.insert(key, tensor.clone());
        tensor
    }

    pub fn float(&mut self, x: f64) -> Tensor {
        self.floats(&[x], &[])
    }

    /// In row-major order.
    pub fn floats(&mut self, values: &[f64], dims: &[i64]) -> Tensor {
        self.constant(Element::Float, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect(), Vec::new())
    }

    pub fn int(&mut self, x: i64) -> Tensor {
        self.ints(&[x], &[])
    }

    pub fn ints(&mut self, values: &[i64], dims: &[i64]) -> Tensor {
        self.constant(Element::Int, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect(), Vec::new())
    }

    pub fn bool(&mut self, value: bool) -> Tensor {
        self.constant(Element::Bool, &[], vec![u8::from(value)], Vec::new())
    }

    pub fn text(&mut self, text: &str) -> Tensor {
        self.constant(Element::Text, &[], Vec::new(), vec![text.as_bytes().to_vec()])
    }

    pub fn texts(&mut self, texts: &[String]) -> Tensor {
        let bytes = texts.iter().map(|t| t.as_bytes().to_vec()).collect();
        self.constant(Element::Text, &[texts.len() as i64], Vec::new(), bytes)
    }

    pub fn cast(&mut self, tensor: &Tensor, to: Element) -> Tensor {
        self.op_with("Cast", &[tensor], vec![("to", Attribute::Int(i64::from(to.code())))])
    }

    /// The nearest 32-bit floats, as doubles.
    pub fn rounded_to_single(&mut self, tensor: &Tensor) -> Tensor {
        let single = vec![("to", Attribute::Int(i64::from(TensorProto::FLOAT)))];
        let single = self.op_with("Cast", &[tensor], single);
        self.cast(&single, Element::Float)
    }

    /// Not of bools: onnxruntime has no such kernel.
    pub fn select(&mut self, condition: &Tensor, then: &Tensor, otherwise: &Tensor) -> Tensor {
        self.op("Where", &[condition, then, otherwise])
    }

    pub fn select_bool(&mut self, condition: &Tensor, then: &Tensor, otherwise: &Tensor) -> Tensor {
        let yes = self.op("And", &[condition, then]);
        let no = self.op("Not", &[condition]);
        let no = self.op("And", &[&no, otherwise]);
        self.op("Or", &[&yes, &no])
    }

    /// (rows) to (rows, 1).
    pub fn as_column(&mut self, tensor: &Tensor) -> Tensor {
        let tensor = self.full(tensor);
        let axis = self.ints(&[1], &[1]);
        self.op("Unsqueeze", &[&tensor, &axis])
    }

    /// The sum of each row of a matrix.
    pub fn sum(&mut self, matrix: &Tensor, axis: i64) -> Tensor {
        let axis = self.ints(&[axis], &[1]);
        self.op_with("ReduceSum", &[matrix, &axis], vec![("keepdims", Attribute::Int(0))])
    }

    /// Column `at` of a matrix.
    pub fn column(&mut self, matrix: &Tensor, at: usize) -> Tensor {
        let at = self.int(at as i64);
        self.op_with("Gather", &[matrix, &at], vec![("axis", Attribute::Int(1))])
    }

    /// What stands in a list at the place of each row.
    pub fn pick(&mut self, list: &Tensor, at: &Tensor) -> Tensor {
        let at = self.full(at);
        self.op("Gather", &[list, &at])
    }

    /// Matrices of the same rows side by side.
    pub fn beside(&mut self, parts: &[Tensor]) -> Tensor {
        match parts {
            [one] => one.clone(),
            all => self.op_with("Concat", &all.iter().collect::<Vec<_>>(), vec![("axis", Attribute::Int(1))]),
        }
    }

    /// The number that stands for each text, -1 for any other.
    pub fn code_of_text(&mut self, text: &Tensor, keys: &[String]) -> Tensor {
        if keys.is_empty() {
            return self.int(-1);
        }
        let attributes = vec![
            ("keys_strings", Attribute::Texts(keys.to_vec())),
            ("values_int64s", Attribute::Ints((0..keys.len() as i64).collect())),
            ("default_int64", Attribute::Int(-1)),
        ];
        let text = self.full(text);
        self.ml("LabelEncoder", &[&text], attributes)
    }

    /// The same of ints.
    pub fn code_of_int(&mut self, int: &Tensor, keys: &[i64]) -> Tensor {
        if keys.is_empty() {
            return self.int(-1);
        }
        let attributes = vec![
            ("keys_int64s", Attribute::Ints(keys.to_vec())),
            ("values_int64s", Attribute::Ints((0..keys.len() as i64).collect())),
            ("default_int64", Attribute::Int(-1)),
        ];
        let int = self.full(int);
        self.ml("LabelEncoder", &[&int], attributes)
    }

    /// Leaves out what no output needs.
    fn drop_unused(&mut self) {
        let mut needed: HashSet<String> = self.outputs.iter().map(|o| o.name.clone()).collect();
        let mut nodes: Vec<NodeProto> = Vec::new();
        // Each node stands behind those that it reads.
        for node in std::mem::take(&mut self.nodes).into_iter().rev() {
            if node.output.iter().any(|name| needed.contains(name)) {
                needed.extend(node.input.iter().cloned());
                nodes.push(node);
            }
        }
        nodes.reverse();
        self.nodes = nodes;
        self.initializers.retain(|tensor| needed.contains(&tensor.name));
    }

    /// The file.
    pub fn finish(mut self, about: About<'_>) -> Vec<u8> {
        self.drop_unused();
        let opset = |domain: &str, version| OperatorSetIdProto { domain: domain.to_owned(), version };
        let metadata =
            |(key, value): &(&str, String)| StringStringEntryProto { key: (*key).to_owned(), value: value.clone() };
        let graph = GraphProto {
            node: self.nodes,
            name: about.name.to_owned(),
            initializer: self.initializers,
            doc_string: String::new(),
            input: self.inputs,
            output: self.outputs,
        };
        let model = ModelProto {
            ir_version: IR,
            producer_name: "dbjob".into(),
            producer_version: env!("CARGO_PKG_VERSION").into(),
            doc_string: about.doc.to_owned(),
            graph: Some(graph),
            opset_import: vec![opset("", OPSET), opset(ML, ML_OPSET)],
            metadata_props: about.metadata.iter().map(metadata).collect(),
        };
        model.encode_to_vec()
    }
}

/// What a file says of itself.
pub(crate) struct About<'a> {
    pub name: &'a str,
    pub doc: &'a str,
    pub metadata: Vec<(&'static str, String)>,
}

fn value_info(name: &str, element: Element, width: Option<i64>, doc: String) -> ValueInfoProto {
    let mut dim = vec![DimensionProto { value: Some(Dimension::Param(ROWS.into())) }];
    dim.extend(width.map(|width| DimensionProto { value: Some(Dimension::Value(width)) }));
    let tensor = TensorTypeProto { elem_type: element.code(), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto { name: name.to_owned(), kind: Some(TypeProto { tensor_type: Some(tensor) }), doc_string: doc }
}

fn attribute(name: &str, value: Attribute) -> AttributeProto {
    let bytes = |texts: Vec<String>| texts.into_iter().map(String::into_bytes).collect();
    let empty = AttributeProto { name: name.to_owned(), ..AttributeProto::default() };
    match value {
        Attribute::Int(i) => AttributeProto { i, kind: AttributeProto::INT, ..empty },
        Attribute::Text(text) => AttributeProto { s: text.into(), kind: AttributeProto::STRING, ..empty },
        Attribute::Ints(ints) => AttributeProto { ints, kind: AttributeProto::INTS, ..empty },
        Attribute::Texts(texts) => AttributeProto { strings: bytes(texts), kind: AttributeProto::STRINGS, ..empty },
        Attribute::Floats(values) => {
            let t = TensorProto {
                dims: vec![values.len() as i64],
                data_type: TensorProto::DOUBLE,
                raw_data: values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                name: name.to_owned(),
                ..TensorProto::default()
            };
            AttributeProto { t: Some(t), kind: AttributeProto::TENSOR, ..empty }
        }
    }
}
