use super::Severity;

/// Declares every code with its title and its page. A code is never reused for another meaning. Its letter is its
/// severity: `E` an error, `W` a warning, `N` a note.
macro_rules! codes {
    ($($code:ident $title:literal,)*) => {
        /// A stable name for a kind of problem, with a page in docs/errors.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $code,)* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$code,)*];

            pub fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code),)* }
            }

            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title,)* }
            }

            fn page(self) -> &'static str {
                match self { $(Code::$code => include_str!(concat!("../../docs/errors/", stringify!($code), ".md")),)* }
            }
        }
    };
}

codes! {
    // Syntax
    E0001 "syntax error",
    E0002 "unclosed bracket",
    E0003 "not a literal",
    // Names and statements
    E0101 "unknown name of an item",
    E0102 "name declared twice",
    E0103 "unknown verb",
    E0104 "unknown setting or option",
    E0105 "setting or option with a wrong value",
    E0106 "items depend on each other in a circle",
    E0107 "an item of the wrong kind",
    E0108 "something required is missing",
    E0109 "no effect where it stands",
    E0110 "unknown type",
    E0111 "files use each other in a circle",
    E0112 "a param has the name of a column",
    // Columns and expressions
    E0201 "type error",
    E0202 "wrong arguments of a function",
    E0203 "unknown column",
    E0204 "column exists already",
    E0205 "unknown function",
    E0206 "aggregate where rows are computed, or a row where an aggregate is",
    E0207 "a string where a column belongs",
    E0208 "the value may be null where none is allowed",
    // Tables
    E0301 "the join can multiply rows",
    E0302 "the tables do not fit together",
    E0303 "the source cannot be read",
    E0304 "declared columns and file differ",
    // Learning
    E0401 "the input knows the label",
    E0402 "a fitted map without a split above it",
    E0403 "the metric does not fit the task",
    E0404 "the input type is not what the algorithm takes",
    E0405 "the output does not fit the algorithm",
    E0406 "cross-row statistics over test rows",
    E0407 "the model's inputs are not all there",
    W0401 "one id on both sides of a split",
    W0402 "a random split of rows that have a time",
    W0403 "an input that shares its source with a built label",
    W0411 "copies of one row on both sides of a split",
    W0412 "one test part judges several models of the same output",
    W0413 "accuracy alone, whatever the share of the classes",
    W0414 "one-hot columns of many values",
    W0415 "an input that is the same in every row",
    W0416 "two inputs with the same values",
    W0417 "a key as an input",
    // Maps
    E0501 "the map cannot be undone",
    E0502 "the map does not fit the column",
    W0501 "the map has no value for what the column may hold",
    // Deployment
    E0601 "the request cannot be computed for one row",
    E0602 "the target does not fit what is deployed",
    E0603 "ONNX cannot express a part of the model",
    // At run time
    E0701 "file not found or unreadable",
    E0702 "empty file",
    E0703 "ragged row",
    E0704 "cell is not of the column's type",
    E0705 "column missing in the file",
    E0706 "null in a column without nulls",
    E0707 "value outside its declared set",
    E0708 "duplicate key",
    E0709 "integer overflow",
    E0710 "cast failed",
    E0711 "expectation failed",
    E0712 "damaged file",
    E0713 "cannot write the output",
    E0714 "bytes are not text in the encoding",
    E0715 "cannot fit",
    E0716 "model package damaged or not found",
    E0717 "file column of another type",
    E0718 "stopped before the end",
    E0719 "request row is not valid",
    E0720 "lists of one row have different lengths",
    E0721 "the process of an `extern` failed",
    E0722 "the data are not as they were locked",
    E0725 "the model cannot tell this",
    E0740 "object store out of reach",
    E0741 "object store refuses access",
    E0742 "no such object",
    E0743 "object changed while it was read",
    E0745 "memory limit reached",
    E0746 "module time limit reached",
    E0750 "data changed during the run",
    E0751 "the state directory cannot be used",
    E0752 "another run uses the state directory",
    E0753 "there is no such run",
    E0754 "the run cannot be verified",
    E0755 "traces cannot be sent there",
    E0730 "the database cannot be reached",
    E0731 "the database refuses the login",
    E0732 "no such table in the database",
    E0733 "the database refuses the query",
    E0734 "the database broke off",
    E0735 "the table does not take the rows",
    E0736 "the URL of a database is not right",
    E0737 "a secret is not set",
    E0760 "the server cannot start",
    E0770 "the version cannot be live",
    E0771 "the new version breaks callers of the live one",
    E0772 "the model answers otherwise when it is served",
    E0773 "the MLflow server cannot be reached",
    E0774 "the MLflow server refuses something",
    E0799 "the engine failed",
    // Not yet
    E0901 "not supported yet",
    // Warnings: what nothing needs, and what does nothing
    W0101 "a `use` that nothing needs",
    W0102 "a param that nothing needs",
    W0103 "a function that nothing calls",
    W0104 "a filter that keeps no row",
    // Notes: what nothing was said about, and what nothing reads
    N0001 "columns are taken as the file has them",
    N0002 "a process makes columns unchecked",
    N0003 "a column that nothing reads",
    N0004 "a dataset that nothing reads",
}

impl Code {
    /// How bad it is, by the letter: `E` an error, `W` a warning, `N` a note.
    pub fn severity(self) -> Severity {
        match self.as_str().as_bytes()[0] {
            b'N' => Severity::Note,
            b'W' => Severity::Warning,
            _ => Severity::Error,
        }
    }

    /// Whether it says that the text cannot be read.
    pub fn is_of_syntax(self) -> bool {
        self.as_str().starts_with("E00")
    }

    /// Whether it says that nothing needs something.
    pub fn is_about_use(self) -> bool {
        matches!(self, Self::W0101 | Self::W0102 | Self::W0103 | Self::N0003 | Self::N0004)
    }

    pub fn parse(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|c| c.as_str().eq_ignore_ascii_case(text))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The page of a code, as Markdown.
pub fn explain(code: Code) -> &'static str {
    code.page()
}
