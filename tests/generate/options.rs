//! Options as their entries of the catalog say, small where they cost time.

use dbjob::catalog::OptionSpec;
use dbjob::catalog::options::{Default, OptionType};
use fastrand::Rng;

use super::expr::{Kind, literal};
use super::{chance, pick};

/// `name = value` for some of the options, and for all that must be given.
pub fn options(rng: &mut Rng, specs: &[OptionSpec], percent: u8, of: Kind) -> Vec<String> {
    let mut out = Vec::new();
    // Which columns there are, the caller knows.
    for spec in specs.iter().filter(|s| !matches!(s.ty, OptionType::Column | OptionType::Inputs)) {
        if spec.default == Default::Required || chance(rng, percent) {
            out.push(format!("{} = {}", spec.name, value(rng, spec.ty, of)));
        }
    }
    out
}

/// A value of an option's type. `of`: the kind of the column that it speaks of.
pub fn value(rng: &mut Rng, ty: OptionType, of: Kind) -> String {
    match ty {
        OptionType::Int { min, max } => {
            let low = min.max(if min < 0 { 0 } else { min });
            rng.i64(low..=low.saturating_add(4).min(max)).to_string()
        }
        OptionType::Float { min, max, .. } => {
            let (low, high) = (min.max(-2.0), max.min(min.max(-2.0) + 2.0));
            format!("{:?}", low + (high - low) * f64::from(rng.u8(1..=8)) / 8.0)
        }
        OptionType::Number => pick(rng, &["2", "-1.5", "0.25", "10"]).to_string(),
        OptionType::Numbers => pick(rng, &["[0]", "[-1.5, 2]", "[1, 2, 3]"]).to_string(),
        OptionType::Ints { .. } => pick(rng, &["[8]", "[4, 3]", "[]"]).to_string(),
        OptionType::ManyTexts => "[\"a\", \"b\"]".into(),
        OptionType::Column | OptionType::Inputs => unreachable!("left to the caller"),
        OptionType::Bool => rng.bool().to_string(),
        OptionType::Word(words) => pick(rng, words).to_string(),
        OptionType::Text => "\"text\"".into(),
        OptionType::Char => "\"|\"".into(),
        OptionType::Texts => "[\"NA\", \"-\"]".into(),
        OptionType::Duration => "5min".into(),
        OptionType::Size => "1GiB".into(),
        OptionType::WordOrAbove(words) => pick(rng, words).to_string(),
        OptionType::WordOrLiteral(words) if !words.is_empty() && chance(rng, 70) => pick(rng, words).to_string(),
        OptionType::WordOrLiteral(_) => literal(rng, of),
    }
}
