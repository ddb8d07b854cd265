//! `pca`: the directions in which several columns vary most.

use dbjob_plan::{MapLink, RunError};
use polars::prelude::{self as pl, Column, IntoColumn, ListBuilderTrait, ListPrimitiveChunkedBuilder, PolarsResult};

use super::fit::Train;
use super::{Map, MapState, int_option, other_state};
use crate::fault::engine_error;

pub(super) struct Pca;

/// More columns take minutes: the time grows with their third power.
const WIDEST: usize = 1_000;

impl Map for Pca {
    fn fit(&self, train: &Train<'_>, link: &MapLink) -> Result<MapState, RunError> {
        let rows: Vec<Vec<f64>> = points(train.columns).map_err(engine_error)?.into_iter().flatten().collect();
        let Some(width) = rows.first().map(Vec::len) else {
            return Err(RunError::new("E0715", "no train row has a value in all of its columns"));
        };
        if rows.iter().any(|row| row.len() != width || !row.iter().all(|x| x.is_finite())) {
            return Err(RunError::new(
                "E0715",
                "its train values are not all finite, or its vectors not of one length",
            ));
        }
        let n = int_option(link, "n", 1).max(1) as usize;
        if n > width {
            return Err(RunError::new("E0715", format!("{width} columns have no {n} components")));
        }
        if width > WIDEST {
            return Err(RunError::new("E0715", format!("its columns have {width} places, and {WIDEST} are the most")));
        }
        let count = rows.len() as f64;
        let center: Vec<f64> = (0..width).map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / count).collect();
        let mut spread = vec![vec![0.0; width]; width];
        for row in &rows {
            let off: Vec<f64> = row.iter().zip(&center).map(|(x, c)| x - c).collect();
            for (line, a) in spread.iter_mut().zip(&off) {
                for (cell, b) in line.iter_mut().zip(&off) {
                    *cell += a * b;
                }
            }
        }
        let mut axes = eigenvectors(spread);
        axes.truncate(n);
        Ok(MapState::Axes { center, axes })
    }

    fn apply(&self, columns: &[Column], _: &MapLink, state: Option<&MapState>) -> PolarsResult<Column> {
        let Some(MapState::Axes { center, axes }) = state else { return Err(other_state()) };
        let points = points(columns)?;
        let mut out = ListPrimitiveChunkedBuilder::<pl::Float64Type>::new(
            columns[0].name().clone(),
            points.len(),
            points.len() * axes.len(),
            pl::DataType::Float64,
        );
        for point in points {
            match point {
                Some(point) if point.len() == center.len() => {
                    let off: Vec<f64> = point.iter().zip(center).map(|(x, c)| x - c).collect();
                    let along = |axis: &Vec<f64>| axis.iter().zip(&off).map(|(a, x)| a * x).sum::<f64>();
                    out.append_slice(&axes.iter().map(along).collect::<Vec<_>>());
                }
                Some(point) => {
                    let (found, wanted) = (point.len(), center.len());
                    let message = format!("{found} places where the train rows have {wanted}");
                    return Err(pl::PolarsError::ComputeError(message.into()));
                }
                None => out.append_null(),
            }
        }
        Ok(out.finish().into_column())
    }
}

/// The columns of each row side by side; `None` where one is null.
fn points(columns: &[Column]) -> PolarsResult<Vec<Option<Vec<f64>>>> {
    let mut points: Vec<Option<Vec<f64>>> = vec![Some(Vec::new()); columns.first().map_or(0, Column::len)];
    for column in columns {
        if let Ok(lists) = column.list() {
            for (i, point) in points.iter_mut().enumerate() {
                let places = match lists.get_as_series(i) {
                    Some(row) => row.cast(&pl::DataType::Float64)?.f64()?.iter().collect::<Option<Vec<f64>>>(),
                    None => None,
                };
                join(point, places);
            }
        } else {
            let numbers = column.cast(&pl::DataType::Float64)?;
            for (point, x) in points.iter_mut().zip(numbers.f64()?.iter()) {
                join(point, x.map(|x| vec![x]));
            }
        }
    }
    Ok(points)
}

fn join(point: &mut Option<Vec<f64>>, more: Option<Vec<f64>>) {
    match (point.as_mut(), more) {
        (Some(point), Some(more)) => point.extend(more),
        _ => *point = None,
    }
}

/// Of a symmetric matrix, by falling eigenvalue; of each the weight that is largest by size is positive. By rotations in
/// a fixed order (Jacobi), until nothing is left beside the diagonal that floats can tell.
fn eigenvectors(mut a: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let n = a.len();
    let mut vectors: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..100 {
        let mut turned = false;
        for p in 0..n {
            for q in p + 1..n {
                if a[p][q].abs() <= 1e-15 * (a[p][p].abs() * a[q][q].abs()).sqrt() {
                    continue;
                }
                turned = true;
                let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
                let t = if theta == 0.0 { 1.0 } else { theta.signum() / (theta.abs() + theta.hypot(1.0)) };
                let cos = 1.0 / t.hypot(1.0);
                let sin = t * cos;
                for row in &mut a {
                    (row[p], row[q]) = (cos * row[p] - sin * row[q], sin * row[p] + cos * row[q]);
                }
                rotate(&mut a, p, q, cos, sin);
                rotate(&mut vectors, p, q, cos, sin);
            }
        }
        if !turned {
            break;
        }
    }
    let mut order: Vec<usize> = (0..n).collect();
    order.sort_by(|i, j| a[*j][*j].total_cmp(&a[*i][*i]));
    order.into_iter().map(|i| facing(vectors[i].clone())).collect()
}

/// Turns two rows into each other.
fn rotate(rows: &mut [Vec<f64>], p: usize, q: usize, cos: f64, sin: f64) {
    let (above, below) = rows.split_at_mut(q);
    for (x, y) in above[p].iter_mut().zip(below[0].iter_mut()) {
        (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
    }
}

fn facing(axis: Vec<f64>) -> Vec<f64> {
    // Of weights that are equal up to rounding the first counts, on every machine.
    let most = axis.iter().map(|x| x.abs()).fold(0.0, f64::max);
    let turn = axis.iter().find(|x| x.abs() >= most * (1.0 - 1e-9)).is_some_and(|x| *x < 0.0);
    if turn { axis.into_iter().map(|x| -x).collect() } else { axis }
}

#[cfg(test)]
mod tests {
    use super::eigenvectors;

    #[test]
    fn directions_are_those_of_the_matrix() {
        let matrix = vec![vec![4.0, 1.0, 0.5], vec![1.0, 3.0, -1.0], vec![0.5, -1.0, 2.0]];
        let axes = eigenvectors(matrix.clone());
        let mut last = f64::INFINITY;
        for axis in &axes {
            let image: Vec<f64> = matrix.iter().map(|row| row.iter().zip(axis).map(|(a, x)| a * x).sum()).collect();
            let value: f64 = image.iter().zip(axis).map(|(a, b)| a * b).sum();
            for (a, x) in image.iter().zip(axis) {
                assert!((a - value * x).abs() < 1e-12, "{axes:?}");
            }
            assert!((axis.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-12 && value <= last);
            last = value;
        }
    }

    #[test]
    fn columns_that_do_not_vary_are_fine() {
        assert_eq!(eigenvectors(vec![vec![0.0, 0.0], vec![0.0, 0.0]]).len(), 2);
        assert_eq!(eigenvectors(vec![vec![0.0, 0.0], vec![0.0, 5.0]])[0], [0.0, 1.0]);
    }
}
