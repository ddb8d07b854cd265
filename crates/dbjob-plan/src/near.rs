//! Names that are written much alike, for messages about data.

/// Up to three of `names` that are written much like `name`, the nearest first.
pub fn near<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let lower = name.to_lowercase();
    let mut scored: Vec<(usize, &str)> = names
        .map(|other| {
            let theirs = other.to_lowercase();
            (if theirs.contains(&lower) || lower.contains(&theirs) { 1 } else { distance(&lower, &theirs) }, other)
        })
        .filter(|(score, other)| *score <= (name.chars().count().max(other.chars().count()) / 3).max(1))
        .collect();
    scored.sort();
    scored.into_iter().take(3).map(|(_, other)| other.to_string()).collect()
}

/// Levenshtein's distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (corner + usize::from(x != *y)).min(above + 1).min(row[j] + 1);
            corner = above;
        }
    }
    row[b.len()]
}
