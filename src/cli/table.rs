//! Small tables of text.

/// Rows of cells, each line behind `indent`; columns are as wide as their widest cell, two spaces apart. Cells of `right` columns
/// end at the same place. Nothing stands behind the last cell that is not empty.
pub fn table<R: AsRef<[String]>>(rows: &[R], right: &[bool], indent: &str) -> String {
    let columns = rows.iter().map(|row| row.as_ref().len()).max().unwrap_or(0);
    let width = |c: usize| rows.iter().filter_map(|row| row.as_ref().get(c)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|c| width(c).unwrap_or(0)).collect();
    let line = |row: &R| {
        let padded = |(c, cell): (usize, &String)| {
            let width = widths[c];
            if right.get(c) == Some(&true) { format!("{cell:>width$}") } else { format!("{cell:width$}") }
        };
        let cells: Vec<String> = row.as_ref().iter().enumerate().map(padded).collect();
        format!("{indent}{}", cells.join("  ")).trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        let rows = [["a", "1.5", ""], ["größer", "-12", "x"]].map(|row| row.map(str::to_owned));
        assert_eq!(table(&rows, &[false, true, false], "  "), "  a       1.5\n  größer  -12  x\n");
    }
}
