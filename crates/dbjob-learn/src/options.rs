use std::collections::BTreeMap;

use crate::FitError;

/// The value of an option.
#[derive(Debug, Clone, PartialEq)]
pub enum OptionValue {
    Null,
    Int(i64),
    Float(f64),
    Bool(bool),
    Word(String),
    Ints(Vec<i64>),
    Names(Vec<String>),
}

/// The options of an algorithm by name, all of them.
pub type Options = BTreeMap<String, OptionValue>;

/// The place of what has a word among those that do: how it is stored.
pub(crate) fn place<T: PartialEq>(words: &[(&str, T)], what: &T) -> usize {
    words.iter().position(|(_, other)| other == what).expect("all have words")
}

/// Reads options one by one with their ranges; [`Reader::finish`] refuses what nobody read.
pub(crate) struct Reader<'a> {
    algorithm: &'a str,
    left: BTreeMap<&'a str, &'a OptionValue>,
}

impl<'a> Reader<'a> {
    pub fn new(algorithm: &'a str, options: &'a Options) -> Self {
        Self { algorithm, left: options.iter().map(|(k, v)| (k.as_str(), v)).collect() }
    }

    fn take(&mut self, name: &str) -> Result<&'a OptionValue, FitError> {
        self.left
            .remove(name)
            .ok_or_else(|| FitError::option(format!("option `{name}` of {} is missing", self.algorithm)))
    }

    fn wrong(&self, name: &str, value: &OptionValue, wanted: &str) -> FitError {
        let given = match value {
            OptionValue::Null => "null".to_owned(),
            OptionValue::Int(i) => i.to_string(),
            OptionValue::Float(x) => x.to_string(),
            OptionValue::Bool(b) => b.to_string(),
            OptionValue::Word(w) => w.clone(),
            OptionValue::Names(names) => names.join(", "),
            OptionValue::Ints(all) => format!("{all:?}"),
        };
        FitError::option(format!("option `{name}` of {} is {given}; it takes {wanted}", self.algorithm))
    }

    /// A finite number above `above` (or equal to it, with `or_equal`).
    pub fn float(&mut self, name: &str, above: f64, or_equal: bool) -> Result<f64, FitError> {
        let value = self.take(name)?;
        let number = match value {
            OptionValue::Float(x) => *x,
            OptionValue::Int(i) => *i as f64,
            _ => f64::NAN,
        };
        if number.is_finite() && (number > above || or_equal && number == above) {
            return Ok(number);
        }
        let relation = if or_equal { "of at least" } else { "above" };
        Err(self.wrong(name, value, &format!("a number {relation} {above}")))
    }

    /// A number in 0..=1.
    pub fn share(&mut self, name: &str) -> Result<f64, FitError> {
        let value = self.peek(name).cloned();
        match self.float(name, 0.0, true)? {
            share if share <= 1.0 => Ok(share),
            _ => Err(self.wrong(name, &value.expect("it was read"), "a number in 0..=1")),
        }
    }

    /// Names of features.
    pub fn names(&mut self, name: &str) -> Result<Vec<String>, FitError> {
        let value = self.take(name)?;
        match value {
            OptionValue::Names(names) => Ok(names.clone()),
            OptionValue::Ints(none) if none.is_empty() => Ok(Vec::new()),
            _ => Err(self.wrong(name, value, "names of features")),
        }
    }

    /// A number above 0, at most 1.
    pub fn part(&mut self, name: &str) -> Result<f64, FitError> {
        let value = self.take(name)?;
        match value {
            OptionValue::Float(x) if *x > 0.0 && *x <= 1.0 => Ok(*x),
            OptionValue::Int(1) => Ok(1.0),
            _ => Err(self.wrong(name, value, "a number above 0 and at most 1")),
        }
    }

    /// A whole number in `low..=high`.
    pub fn int(&mut self, name: &str, low: i64, high: i64) -> Result<usize, FitError> {
        let value = self.take(name)?;
        match value {
            OptionValue::Int(i) if (low..=high).contains(i) => Ok(*i as usize),
            _ if high == i64::MAX => Err(self.wrong(name, value, &format!("a whole number of at least {low}"))),
            _ => Err(self.wrong(name, value, &format!("a whole number in {low}..={high}"))),
        }
    }

    /// A whole number in `low..`, or null.
    pub fn optional_int(&mut self, name: &str, low: i64) -> Result<Option<usize>, FitError> {
        if self.peek(name) == Some(&OptionValue::Null) {
            self.skip(name);
            return Ok(None);
        }
        self.int(name, low, i64::MAX).map(Some)
    }

    /// A finite number of at least `low`, or null.
    pub fn optional_float(&mut self, name: &str, low: f64) -> Result<Option<f64>, FitError> {
        if self.peek(name) == Some(&OptionValue::Null) {
            self.skip(name);
            return Ok(None);
        }
        self.float(name, low, true).map(Some)
    }

    /// Whole numbers in `low..=high`.
    pub fn ints(&mut self, name: &str, low: i64, high: i64) -> Result<Vec<usize>, FitError> {
        let value = self.take(name)?;
        match value {
            OptionValue::Ints(all) if all.iter().all(|i| (low..=high).contains(i)) => {
                Ok(all.iter().map(|i| *i as usize).collect())
            }
            _ => Err(self.wrong(name, value, &format!("a list of whole numbers in {low}..={high}"))),
        }
    }

    pub fn bool(&mut self, name: &str) -> Result<bool, FitError> {
        let value = self.take(name)?;
        match value {
            OptionValue::Bool(b) => Ok(*b),
            _ => Err(self.wrong(name, value, "true or false")),
        }
    }

    /// One of the words.
    pub fn word<T: Copy>(&mut self, name: &str, words: &[(&str, T)]) -> Result<T, FitError> {
        let value = self.take(name)?;
        let found = match value {
            OptionValue::Word(w) => words.iter().find(|(word, _)| word == w),
            _ => None,
        };
        found.map(|(_, t)| *t).ok_or_else(|| {
            let all: Vec<_> = words.iter().map(|(w, _)| *w).collect();
            self.wrong(name, value, &all.join(", "))
        })
    }

    /// One of the words; null: `default`.
    pub fn word_or<T: Copy>(&mut self, name: &str, words: &[(&str, T)], default: T) -> Result<T, FitError> {
        if self.peek(name) == Some(&OptionValue::Null) {
            self.skip(name);
            return Ok(default);
        }
        self.word(name, words)
    }

    /// The value, still to be read.
    pub fn peek(&self, name: &str) -> Option<&'a OptionValue> {
        self.left.get(name).copied()
    }

    /// Counts as read.
    pub fn skip(&mut self, name: &str) {
        self.left.remove(name);
    }

    pub fn finish(self) -> Result<(), FitError> {
        match self.left.keys().next() {
            None => Ok(()),
            Some(name) => Err(FitError::option(format!("{} has no option `{name}`", self.algorithm))),
        }
    }
}
