//! Text to AST and trivia. Parsing never fails: what is wrong is in `Parsed::errors`, the rest is in `Parsed::ast`.

pub mod ast;
