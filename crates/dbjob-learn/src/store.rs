use std::collections::HashMap;
use std::fmt;

use safetensors::tensor::{Dtype, SafeTensors, TensorView, serialize};
use serde::{Deserialize, Serialize};

use crate::Model;
use crate::cluster::{Centers, Dense};
use crate::dummy::Dummy;
use crate::linear::LinearModel;
use crate::matrix::Levels;
use crate::mlp::MlpModel;
use crate::naive_bayes::NaiveBayes;
use crate::neighbors::Neighbors;
use crate::svm::SupportVectors;
use crate::tree::Ensemble;

/// The type of a tensor's elements, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DType {
    F64,
    F32,
    U32,
    U8,
}

/// Numbers of a model: elements in row-major order.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub dtype: DType,
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// Tensors by name, in the order that the model gives them.
pub type Tensors = Vec<(&'static str, Tensor)>;

impl Tensor {
    pub fn f64(shape: Vec<usize>, values: &[f64]) -> Self {
        Self { dtype: DType::F64, shape, bytes: values.iter().flat_map(|v| v.to_le_bytes()).collect() }
    }

    pub fn f32(values: &[f32]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { dtype: DType::F32, shape: vec![values.len()], bytes }
    }

    pub fn u32(values: &[u32]) -> Self {
        let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        Self { dtype: DType::U32, shape: vec![values.len()], bytes }
    }

    pub fn u8(values: Vec<u8>) -> Self {
        Self { dtype: DType::U8, shape: vec![values.len()], bytes: values }
    }
}

/// What stands beside the tensors, as JSON under the metadata key `dbjob.model`.
#[derive(Debug, Serialize, Deserialize)]
struct Header {
    format: u32,
    kind: String,
    features: Vec<String>,
    /// What the codes of categories stand for, one entry a feature; empty: all features are numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    levels: Vec<Option<Vec<String>>>,
    /// 0: a model of numbers.
    classes: usize,
}

const FORMAT: u32 = 1;
const KEY: &str = "dbjob.model";

/// Why stored bytes are no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadError(pub String);

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for LoadError {}

/// The model as a safetensors file. The same model gives the same bytes.
pub fn save(model: &dyn Model) -> Vec<u8> {
    let header = Header {
        format: FORMAT,
        kind: model.kind().to_owned(),
        features: model.features().to_vec(),
        levels: match model.levels() {
            all if all.iter().all(Option::is_none) => Vec::new(),
            all => all.iter().map(|levels| levels.as_ref().map(|l| l.to_vec())).collect(),
        },
        classes: model.classes(),
    };
    let header = serde_json::to_string(&header).expect("names and numbers are JSON");
    write(&model.tensors(), KEY, header)
}

/// Tensors with a header under `key`.
pub(crate) fn write(tensors: &Tensors, key: &str, header: String) -> Vec<u8> {
    let views = tensors.iter().map(|(name, t)| {
        let dtype = match t.dtype {
            DType::F64 => Dtype::F64,
            DType::F32 => Dtype::F32,
            DType::U32 => Dtype::U32,
            DType::U8 => Dtype::U8,
        };
        (*name, TensorView::new(dtype, t.shape.clone(), &t.bytes).expect("the shape counts the elements"))
    });
    let metadata = HashMap::from([(key.to_owned(), header)]);
    serialize(views, Some(metadata)).expect("views of our own tensors are valid")
}

/// The model of [`save`]. Everything is checked: bytes that are no sound model give an error, never a wrong index later.
pub fn load(bytes: &[u8]) -> Result<Box<dyn Model>, LoadError> {
    load_as(bytes, |features| features)
}

/// The model of [`save`] with other names for its features, in the same order.
pub fn load_as(bytes: &[u8], name: impl FnOnce(Vec<String>) -> Vec<String>) -> Result<Box<dyn Model>, LoadError> {
    let (header, stored) = Stored::read(bytes, KEY)?;
    let header: Header =
        serde_json::from_str(&header).map_err(|e| LoadError(format!("its `{KEY}` header is not valid: {e}")))?;
    if header.format != FORMAT {
        return Err(LoadError(format!("it has format {}; this version reads format {FORMAT}", header.format)));
    }
    let mut levels: Vec<Levels> = header.levels.into_iter().map(|levels| levels.map(Into::into)).collect();
    if levels.is_empty() {
        levels = vec![None; header.features.len()];
    }
    if levels.len() != header.features.len() {
        return Err(LoadError("its features and their levels do not fit together".to_owned()));
    }
    let stored = Stored { features: name(header.features), levels, classes: header.classes, ..stored };
    match header.kind.as_str() {
        LinearModel::KIND => Ok(Box::new(LinearModel::restore(stored)?)),
        Ensemble::KIND => Ok(Box::new(Ensemble::restore(stored)?)),
        MlpModel::KIND => Ok(Box::new(MlpModel::restore(stored)?)),
        NaiveBayes::KIND => Ok(Box::new(NaiveBayes::restore(stored)?)),
        Neighbors::KIND => Ok(Box::new(Neighbors::restore(stored)?)),
        SupportVectors::KIND => Ok(Box::new(SupportVectors::restore(stored)?)),
        Dummy::KIND => Ok(Box::new(Dummy::restore(stored)?)),
        Centers::KIND => Ok(Box::new(Centers::restore(stored)?)),
        Dense::KIND => Ok(Box::new(Dense::restore(stored)?)),
        other => Err(LoadError(format!("it holds a model of the unknown kind `{other}`"))),
    }
}

/// A stored model on its way back.
pub(crate) struct Stored<'a> {
    tensors: SafeTensors<'a>,
    pub features: Vec<String>,
    pub levels: Vec<Levels>,
    pub classes: usize,
}

impl<'a> Stored<'a> {
    /// The header under `key`, and the tensors; of what they are for nothing is known yet.
    pub fn read(bytes: &'a [u8], key: &str) -> Result<(String, Self), LoadError> {
        let broken = |e: safetensors::SafeTensorError| LoadError(format!("not a whole safetensors file: {e}"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(broken)?;
        let header = metadata
            .metadata()
            .as_ref()
            .and_then(|m| m.get(key))
            .ok_or_else(|| LoadError(format!("it has no `{key}` header")))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(broken)?;
        Ok((header.clone(), Self { tensors, features: Vec::new(), levels: Vec::new(), classes: 0 }))
    }

    fn view(&self, name: &str, dtype: Dtype) -> Result<TensorView<'_>, LoadError> {
        let view = self.tensors.tensor(name).map_err(|_| LoadError(format!("the tensor `{name}` is missing")))?;
        if view.dtype() != dtype {
            return Err(LoadError(format!("the tensor `{name}` is of type {:?}, not {dtype:?}", view.dtype())));
        }
        Ok(view)
    }

    /// Elements and shape.
    pub fn f64(&self, name: &str) -> Result<(Vec<f64>, Vec<usize>), LoadError> {
        let view = self.view(name, Dtype::F64)?;
        let values = view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect();
        Ok((values, view.shape().to_vec()))
    }

    pub fn f32(&self, name: &str) -> Result<Vec<f32>, LoadError> {
        let view = self.view(name, Dtype::F32)?;
        Ok(view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect())
    }

    pub fn u32(&self, name: &str) -> Result<Vec<u32>, LoadError> {
        let view = self.view(name, Dtype::U32)?;
        Ok(view.data().as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect())
    }

    pub fn u8(&self, name: &str) -> Result<Vec<u8>, LoadError> {
        Ok(self.view(name, Dtype::U8)?.data().to_vec())
    }
}
