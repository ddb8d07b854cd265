//! Where work runs and what bounds it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MemoryBound, Plan, Span};

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

/// What bounds the work on an item, with all that its module, its machine and its cluster say.
#[derive(Debug, Clone, PartialEq)]
pub struct Workers {
    /// At least 1; with the place that asks for several.
    pub replicas: Said<u32>,
    /// Cores of each; `None`: an equal share of those that the run has.
    pub cores: Option<Said<u32>>,
    /// Cores of all together.
    pub most: Option<u32>,
    /// The name under which they run.
    pub role: Option<String>,
    /// Of all together.
    pub memory: Option<MemoryBound>,
    pub time: Option<TimeLimit>,
    /// Microseconds between checkpoints.
    pub interval: Option<i64>,
    /// How often what failed is tried again.
    pub retries: u32,
}

/// The time that a module has for all of its items.
#[derive(Debug, Clone, PartialEq)]
pub struct TimeLimit {
    pub module: String,
    /// Microseconds.
    pub limit: Said<i64>,
}

impl Plan {
    /// The workers of an item. Of several bounds of memory the least holds.
    pub fn workers(&self, item: &str) -> Workers {
        let module = self.item(item).and_then(|i| i.module.as_ref());
        let module = module.and_then(|name| self.modules.iter().find(|m| m.name == *name));
        let none = Limits::default();
        let limits = module.map_or(&none, |m| &m.limits);
        let nowhere = Span::default();
        let instance = limits.element_spec.as_ref().and_then(|s| Some((s.value.instance.as_ref()?, s.span)));
        let replicas = limits.replicas.filter(|r| r.value > 0).unwrap_or(Said { value: 1, span: nowhere });
        let each = limits.memory.or(instance.map(|(machine, span)| Said { value: machine.memory, span }));
        let of_module = each.zip(module).map(|(each, module)| MemoryBound {
            bytes: Said { value: each.value.saturating_mul(u64::from(replicas.value)), span: each.span },
            of: format!("the module `{}`", module.name),
        });
        let cluster = limits.cluster.as_ref().or(self.cluster.as_ref());
        let (mut most, mut of_cluster) = (None, None);
        if let Some((name, ClusterEngine::Local { threads, memory })) =
            cluster.and_then(|name| Some((name, &self.cluster(name)?.engine)))
        {
            most = *threads;
            of_cluster = memory.map(|bytes| MemoryBound {
                bytes: Said { value: bytes, span: name.span },
                of: format!("the cluster `{}`", name.value),
            });
        }
        let memory = of_module.into_iter().chain(of_cluster).min_by_key(|bound| bound.bytes.value);
        Workers {
            replicas,
            cores: limits.resources.or(instance.map(|(machine, span)| Said { value: machine.cores, span })),
            most,
            role: module.and_then(|m| m.role.clone()),
            memory,
            time: module.zip(limits.time).map(|(m, limit)| TimeLimit { module: m.name.clone(), limit }),
            interval: limits.interval.map(|i| i.value),
            retries: limits.retries.or(self.retries).map_or(0, |r| r.value),
        }
    }
}
