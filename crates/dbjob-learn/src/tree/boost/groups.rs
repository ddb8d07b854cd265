use super::sums::Sums;
use crate::tree::bins::Cuts;
use crate::{Matrix, Pool};

/// Features whose bins of a row lie side by side: their histograms (16 bytes x 256 bins each) fit a core's nearest memory.
const WIDTH: usize = 8;

/// The bins of a histogram in the making, of one feature.
pub(super) type Wide = [Sums; 256];

/// The bins of all rows, in groups of features.
pub(super) struct Groups {
    pub cuts: Vec<Cuts>,
    /// Where the bins of each feature begin in a histogram, and the end of the last.
    pub starts: Vec<usize>,
    groups: Vec<Group>,
}

struct Group {
    first: usize,
    width: usize,
    /// Rows x width.
    codes: Vec<u8>,
}

impl Groups {
    pub fn new(x: &Matrix, max_bins: usize, pool: &Pool) -> Self {
        let (rows, features) = (x.rows(), x.width());
        let mut cuts = pool.run(features, |j| Cuts::of(x.column(j), x.levels(j).map(<[_]>::len), max_bins));
        let count = features.div_ceil(WIDTH);
        let bounds: Vec<usize> = (0..=count).map(|g| g * features / count).collect();
        let coded = pool.run(count, |g| {
            // Bounds of bins are found while coding: each group codes its own features.
            let range = bounds[g]..bounds[g + 1];
            let mut own: Vec<Cuts> = range.clone().map(|j| cuts[j].clone()).collect();
            let width = range.len();
            let mut codes = vec![0; rows * width];
            for (b, block) in codes.chunks_mut(width * BLOCK).enumerate() {
                let values = b * BLOCK..(b * BLOCK + BLOCK).min(rows);
                for (at, (j, cuts)) in range.clone().zip(&mut own).enumerate() {
                    let mut places = block[at..].iter_mut().step_by(width);
                    cuts.code(&x.column(j)[values.clone()], |code| {
                        *places.next().expect("a place a row") = code;
                    });
                }
            }
            (Group { first: range.start, width, codes }, own)
        });
        let mut groups = Vec::with_capacity(count);
        cuts.clear();
        for (group, own) in coded {
            groups.push(group);
            cuts.extend(own);
        }
        let mut starts = vec![0];
        for cuts in &cuts {
            starts.push(starts[starts.len() - 1] + cuts.bins());
        }
        Self { cuts, starts, groups }
    }

    pub fn features(&self) -> usize {
        self.cuts.len()
    }

    /// The bins of all features.
    pub fn bins(&self) -> usize {
        self.starts[self.cuts.len()]
    }

    /// The bins of a feature: those of row i at `i * stride + offset`.
    pub fn codes(&self, feature: usize) -> (&[u8], usize, usize) {
        let group = self.groups.iter().rfind(|g| g.first <= feature).expect("groups begin at 0");
        (&group.codes, group.width, feature - group.first)
    }

    /// Adds rows with their sums to the bins of `wide`, one entry a feature; groups without a feature in `used` are left
    /// out.
    pub fn add(&self, rows: &[u32], sums: &[Sums], used: &[bool], wide: &mut [Wide]) {
        for group in &self.groups {
            let range = group.first..group.first + group.width;
            if !used[range.clone()].iter().any(|u| *u) {
                continue;
            }
            let (codes, wide) = (&group.codes, &mut wide[range]);
            match group.width {
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
    }
}

/// Rows coded between two looks at another feature: their codes stay near.
const BLOCK: usize = 4096;

fn add<const W: usize>(codes: &[u8], rows: &[u32], sums: &[Sums], wide: &mut [Wide]) {
    let codes = codes.as_chunks::<W>().0;
    let wide: &mut [Wide; W] = wide.try_into().expect("one entry a feature of the group");
    for (row, sums) in rows.iter().zip(sums) {
        let codes = &codes[*row as usize];
        for j in 0..W {
            wide[j][codes[j] as usize] += *sums;
        }
    }
}
