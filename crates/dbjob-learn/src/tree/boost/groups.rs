use std::sync::Mutex;

use super::sums::Sums;
use crate::tree::bins::Cuts;
use crate::{Matrix, Pool};

/// Features whose bins of a row lie side by side: their histograms (16 bytes x 256 bins each) fit a core's nearest memory.
const WIDTH: usize = 8;

/// The bins of a histogram in the making, of one feature.
pub(super) type Wide = [Sums; 256];

/// The bins of all rows twice: row by row for histograms, where few rows are looked up and each is in one place; and feature
/// by feature for dividing rows by one of them.
pub(super) struct Groups {
    pub cuts: Vec<Cuts>,
    /// Where the bins of each feature begin in a histogram, and the end of the last.
    pub starts: Vec<usize>,
    /// The first feature of each group, and the end of the last.
    firsts: Vec<usize>,
    /// Rows x features.
    codes: Vec<u8>,
    columns: Vec<Vec<u8>>,
}

impl Groups {
    pub fn new(x: &Matrix, max_bins: usize, pool: &Pool) -> Self {
        let (rows, features) = (x.rows(), x.width());
        let mut cuts = pool.run(features, |j| Cuts::of(x.column(j), x.levels(j).map(<[_]>::len), max_bins));
        let columns = pool.run(features, |j| {
            let mut column = Vec::with_capacity(rows);
            let bounds = cuts[j].code(x.column(j), |code| column.push(code));
            (column, bounds)
        });
        let (columns, bounds): (Vec<Vec<u8>>, Vec<_>) = columns.into_iter().unzip();
        cuts.iter_mut().zip(&bounds).for_each(|(cuts, bounds)| cuts.widen(bounds));
        let mut codes = vec![0; rows * features];
        let blocks: Vec<_> = codes.chunks_mut(features * BLOCK).map(Mutex::new).collect();
        pool.run(blocks.len(), |b| {
            let mut block = blocks[b].lock().expect("nobody else has it");
            for (j, column) in columns.iter().enumerate() {
                let places = block[j..].iter_mut().step_by(features);
                places.zip(&column[b * BLOCK..]).for_each(|(place, code)| *place = *code);
            }
        });
        drop(blocks);
        let mut starts = vec![0];
        for cuts in &cuts {
            starts.push(starts[starts.len() - 1] + cuts.bins());
        }
        let count = features.div_ceil(WIDTH);
        let firsts = (0..=count).map(|g| g * features / count).collect();
        Self { cuts, starts, firsts, codes, columns }
    }

    pub fn features(&self) -> usize {
        self.cuts.len()
    }

    /// The bins of all features.
    pub fn bins(&self) -> usize {
        self.starts[self.cuts.len()]
    }

    /// The bins of a feature.
    pub fn column(&self, feature: usize) -> &[u8] {
        &self.columns[feature]
    }

    /// Adds rows with their sums to the bins of `wide`, one entry a feature; the entries of features that are not `used` are
    /// of no meaning.
    pub fn add(&self, rows: &[u32], sums: &[Sums], used: &[bool], wide: &mut [Wide]) {
        let features = self.cuts.len();
        let chosen: Vec<usize> = (0..features).filter(|j| used[*j]).collect();
        let few = chosen.len() * 4 <= features * 3;
        for bounds in self.firsts.windows(2).filter(|_| !few) {
            let range = bounds[0]..bounds[1];
            let codes = (&self.codes[..], features, range.start);
            let wide = &mut wide[range.clone()];
            match range.len() {
                1 => add::<1>(codes, rows, sums, wide),
                2 => add::<2>(codes, rows, sums, wide),
                3 => add::<3>(codes, rows, sums, wide),
                4 => add::<4>(codes, rows, sums, wide),
                5 => add::<5>(codes, rows, sums, wide),
                6 => add::<6>(codes, rows, sums, wide),
                7 => add::<7>(codes, rows, sums, wide),
                _ => add::<WIDTH>(codes, rows, sums, wide),
            }
        }
        for chosen in chosen.chunks(CHOSEN).filter(|_| few) {
            let codes = (&self.codes[..], features);
            match chosen {
                [a, b, c, d] => add_chosen(codes, rows, sums, [*a, *b, *c, *d], wide),
                [a, b, c] => add_chosen(codes, rows, sums, [*a, *b, *c], wide),
                [a, b] => add_chosen(codes, rows, sums, [*a, *b], wide),
                _ => add_chosen(codes, rows, sums, [chosen[0]], wide),
            }
        }
    }
}

/// Features that are filled together where few are used.
const CHOSEN: usize = 4;

/// Rows written between two looks at another feature: they stay near.
const BLOCK: usize = 2048;

/// `codes`: those of all rows, the features of a row, the first of the group.
fn add<const W: usize>(
    (codes, features, first): (&[u8], usize, usize),
    rows: &[u32],
    sums: &[Sums],
    wide: &mut [Wide],
) {
    let wide: &mut [Wide; W] = wide.try_into().expect("one entry a feature of the group");
    for (row, sums) in rows.iter().zip(sums) {
        let start = *row as usize * features + first;
        let codes: &[u8; W] = codes[start..start + W].try_into().expect("a slice of so many");
        for j in 0..W {
            wide[j][codes[j] as usize] += *sums;
        }
    }
}

/// As [`add`], of some features of a row.
fn add_chosen<const W: usize>(
    (codes, features): (&[u8], usize),
    rows: &[u32],
    sums: &[Sums],
    chosen: [usize; W],
    wide: &mut [Wide],
) {
    let wide = wide.get_disjoint_mut(chosen).expect("features in order");
    for (row, sums) in rows.iter().zip(sums) {
        let codes = &codes[*row as usize * features..][..features];
        for j in 0..W {
            wide[j][codes[chosen[j]] as usize] += *sums;
        }
    }
}
