use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What learners have made of a matrix, for all that fit it: its bins, once for fifty trials. Copies of the matrix share it.
#[derive(Clone, Default)]
pub(crate) struct Made(Arc<Mutex<Forms>>);

/// By type and number.
type Forms = HashMap<(TypeId, usize), Arc<dyn Any + Send + Sync>>;

impl Made {
    /// `make()`, if no one has asked for this type and `number` before. Who comes meanwhile waits.
    pub fn get<T: Any + Send + Sync>(&self, number: usize, make: impl FnOnce() -> T) -> Arc<T> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = all.entry((TypeId::of::<T>(), number)).or_insert_with(|| Arc::new(make()));
        Arc::clone(found).downcast().expect("it is kept under its type")
    }
}

/// It says nothing that the matrix does not say.
impl PartialEq for Made {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Made")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_made_once() {
        let made = Made::default();
        let mut times = 0;
        for number in [1, 2, 1] {
            let found: Arc<Vec<usize>> = made.clone().get(number, || {
                times += 1;
                vec![number]
            });
            assert_eq!(*found, [number]);
        }
        assert_eq!(times, 2);
        assert_eq!(*made.get(1, || "another type"), "another type");
    }
}
