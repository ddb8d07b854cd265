//! Where work runs and what bounds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Span;

/// A setting with the place that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Said<T> {
    pub value: T,
    #[serde(skip)]
    pub span: Span,
}

/// A named place for work. Invariant: names of clusters are unique, and every reference to one has a cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cluster {
    pub name: String,
    #[serde(flatten)]
    pub engine: ClusterEngine,
}

/// What is not said is the engine's own choice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "engine")]
pub enum ClusterEngine {
    /// This machine.
    Local {
        /// Cores to use.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threads: Option<u32>,
        /// Bytes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        memory: Option<u64>,
    },
    Spark {
        /// `spark://host:7077`, `local[4]`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        master: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        executors: Option<u32>,
        /// Properties of Spark.
        #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
        conf: BTreeMap<String, String>,
    },
    Databricks {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        host: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        node_type: Option<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        workers: Option<u32>,
    },
}

impl ClusterEngine {
    pub fn word(&self) -> &'static str {
        match self {
            Self::Local { .. } => "local",
            Self::Spark { .. } => "spark",
            Self::Databricks { .. } => "databricks",
        }
    }
}

/// What a module may use, and for how long. What is not said is not bounded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// The name of a [`Cluster`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cluster: Option<Said<String>>,
    /// Workers that share the work.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replicas: Option<Said<u32>>,
    /// Cores of a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Said<u32>>,
    /// Bytes of a worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Said<u64>>,
    /// Microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Said<i64>>,
    /// Microseconds between checkpoints of an iterative fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Said<i64>>,
    /// How often what failed is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retries: Option<Said<u32>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub element_spec: Option<Said<ElementSpec>>,
}

/// The machine that a worker runs on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ElementSpec {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Instance>,
    pub accelerator: Accelerator,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accelerator {
    Off,
    /// One is used where there is one.
    Auto,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Instance {
    pub name: String,
    pub cores: u32,
    /// Bytes.
    pub memory: u64,
    /// The node type of Databricks that holds as much.
    pub node_type: String,
}

/// What a process of the job sees of an environment variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvironmentValue {
    Set(String),
    Unset,
    /// As this process has it.
    Pass,
}

/// The whole environment of a job's processes.
pub type Environment = BTreeMap<String, EnvironmentValue>;
