//! How wide text is where nobody can measure it: an estimate for the sans-serif fonts of browsers, on the wide side.

/// Width in pixels at a font size of so many pixels.
pub fn width(text: &str, size: f64) -> f64 {
    text.chars().map(share).sum::<f64>() * size
}

/// Of the font size.
fn share(c: char) -> f64 {
    match c {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '!' | ' ' => 0.33,
        'f' | 't' | 'r' | 'I' | '(' | ')' | '[' | ']' | '/' | '"' | '-' => 0.42,
        'm' | 'w' | 'M' | 'W' | '@' | '%' | '…' => 0.95,
        'A'..='Z' | '_' | '=' | '+' | '<' | '>' | '&' => 0.7,
        c if c.is_ascii() => 0.58,
        // Ideographs, syllables, emoji.
        c if c as u32 >= 0x1100 => 1.05,
        _ => 0.7,
    }
}

/// The text, cut with an ellipsis where it would be wider.
pub fn cut(text: &str, size: f64, widest: f64) -> String {
    if width(text, size) <= widest {
        return text.to_owned();
    }
    let mut room = widest - share('…') * size;
    let kept = text.chars().take_while(|c| {
        room -= share(*c) * size;
        room >= 0.0
    });
    kept.collect::<String>().trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_cut_fits() {
        let text = "a rather long statement of some words";
        let short = cut(text, 12.0, 100.0);
        assert!(short.ends_with('…') && width(&short, 12.0) <= 100.0, "{short}");
        assert_eq!(cut("abc", 12.0, 100.0), "abc");
    }
}
