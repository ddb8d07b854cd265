use std::fmt::Write as _;

use dbjob_plan::Task;

use super::{METRICS, Metric};

const BEGINNING: &str = "\
# Metrics

What `evaluate`, `require`, `tune … by` and `fit best by` may name. Each is the number of the function of
[scikit-learn](https://scikit-learn.org/stable/api/sklearn.metrics.html) beside it.

```dbjob items
model price from rows {
  input  age, items
  output amount: float
  weight shipping
  fit ridge
  evaluate rmse, quantile_loss(0.9)
  require rmse < baseline
  intervals = 95%
}
```

";

const END: &str = "
## Weights

A model with `weight` is judged with it: a row counts as much as its weight says, as with `sample_weight` in scikit-learn. That holds
of the test rows, of the baseline, of trials and of the choice of a threshold. The weights stand beside the stored test predictions.

## Where one is not defined

A metric that is not defined on the rows, `auc` where all are of one class or `poisson_deviance` where a prediction is 0, is told as a
warning with the reason and left out; a gate that needs it does not hold. Nothing is ever NaN. `precision`, `recall`, `f1` of a
class that nobody has or predicts count as 0, and so does `average_precision` of two classes without a row of the second.

## Clusters

A model without an output has nothing to be compared with: `silhouette` judges the train rows by the inputs as the model takes them. Of
more than 10,000 rows so many are drawn by the seed. Noise is a cluster of its own there, as in scikit-learn.

## Intervals

`intervals = 95%` adds a bootstrap interval to each metric: the test rows are drawn 1000 times with replacement, and the middle 95 %
of the values are told (percentiles, linear between neighbours). The seed of the job decides what is drawn. Rows are drawn one by one, so
intervals of rows that belong together (many of one user) come out too narrow.
";

/// docs/metrics.md: every metric with what it is and what it is in scikit-learn.
pub fn page() -> String {
    let mut out = BEGINNING.to_owned();
    for (task, title) in
        [(Task::Classification, "Of classes"), (Task::Regression, "Of numbers"), (Task::Clustering, "Of clusters")]
    {
        write!(out, "## {title}\n\n| | better | | scikit-learn |\n|---|---|---|---|\n").expect("strings take all");
        METRICS.iter().filter(|m| m.task == task).for_each(|metric| line(&mut out, metric));
        out.push('\n');
    }
    out.truncate(out.trim_end().len());
    out + "\n" + END
}

fn line(out: &mut String, metric: &Metric) {
    let options: Vec<&str> = metric.options.iter().map(|o| o.name).collect();
    let options = if options.is_empty() { String::new() } else { format!("({})", options.join(", ")) };
    let better = if metric.higher_is_better { "higher" } else { "lower" };
    let like = if metric.like.is_empty() { String::new() } else { format!("`{}`", metric.like) };
    writeln!(out, "| `{}{options}` | {better} | {} | {like} |", metric.name, metric.doc).expect("strings take all");
}
