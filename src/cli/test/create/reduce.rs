//! The fewest rows and columns that still do.

/// The items without which `enough` does not hold, found by leaving out ever smaller parts. `enough` holds of all.
pub fn fewest<T: Clone>(mut items: Vec<T>, mut enough: impl FnMut(&[T]) -> bool) -> Vec<T> {
    // From the top, as few as do at all: most often the first ones are enough.
    let mut first = 1;
    while first < items.len() {
        if enough(&items[..first]) {
            items.truncate(first);
            break;
        }
        first *= 2;
    }
    let mut part = items.len().div_ceil(2);
    while part > 0 && !items.is_empty() {
        let mut at = 0;
        while at < items.len() {
            let mut without = items.clone();
            without.drain(at..(at + part).min(items.len()));
            if enough(&without) {
                items = without;
            } else {
                at += part;
            }
        }
        part = if part == 1 { 0 } else { part.div_ceil(2) };
    }
    items
}

#[cfg(test)]
mod tests {
    use super::fewest;

    #[test]
    fn what_is_not_needed_goes() {
        let needed = |wanted: &'static [i32]| move |rest: &[i32]| wanted.iter().all(|w| rest.contains(w));
        assert_eq!(fewest((0..100).collect(), needed(&[3, 57, 58])), [3, 57, 58]);
        assert_eq!(fewest((0..7).collect(), needed(&[])), Vec::<i32>::new());
        assert_eq!(fewest(vec![5], needed(&[5])), [5]);
        assert_eq!(fewest((0..3).collect(), needed(&[0, 1, 2])), [0, 1, 2]);
    }
}
