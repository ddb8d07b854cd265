//! A picture of its own: nothing is loaded, and it looks the same wherever SVG is drawn.

use super::layout::{BOLD, Layout, PAD, ROW, Rect, SMALL, TITLE, head, layout};
use super::text::{cut, width};
use super::{Arrow, Box, Graph, Shape};

/// As an SVG document.
pub fn svg(graph: &Graph) -> String {
    let placed = layout(graph);
    let (w, h) = (placed.w.max(40.0), placed.h.max(40.0));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w:.0}\" height=\"{h:.0}\" viewBox=\"0 0 {w:.0} {h:.0}\" \
         font-family=\"system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif\" font-size=\"{SMALL}\">\n\
         <title>{}</title>\n\
         <defs><marker id=\"end\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
         orient=\"auto\"><path d=\"M0 0.6 L8 4 L0 7.4 Z\" fill=\"#5b6675\"/></marker></defs>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
        escaped(&graph.name)
    );
    for (group, frame) in graph.groups.iter().zip(&placed.frames) {
        if let Some(frame) = frame {
            out.push_str(&rect(*frame, 10.0, "#f6f7f9", "#c3cad3", Some("4 3")));
            out.push_str(&text(frame.x + 12.0, frame.y + 17.0, SMALL, "#5b6675", "600", "start", &group.title));
        }
    }
    let arrows: Vec<String> = graph.arrows.iter().zip(&placed.arrows).map(|(a, points)| drawn(a, points)).collect();
    out.push_str(&arrows.concat());
    for (node, place) in graph.boxes.iter().zip(&placed.boxes) {
        out.push_str(&boxed(node, *place));
    }
    out.push_str(&labels(graph, &placed));
    out + "</svg>\n"
}

/// Fill and line.
fn colours(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Dataset => ("#e7f0fb", "#3b73b9"),
        Shape::Step => ("#ffffff", "#7a8594"),
        Shape::Model => ("#f1e9fb", "#7c4dbd"),
        Shape::Deploy => ("#e6f5ea", "#37864d"),
        Shape::Note => ("#fdf6e3", "#b08a2e"),
    }
}

fn boxed(node: &Box, at: Rect) -> String {
    let (fill, line) = colours(node.shape);
    let mut out = String::from("<g>");
    let whole: Vec<&str> = node.title().collect();
    out.push_str(&format!("<title>{}</title>", escaped(&whole.join("\n"))));
    out.push_str(&outline(node, at, fill, line));
    let (middle, room) = (at.x + at.w / 2.0, at.w - PAD);
    let mut y = at.y + 10.0;
    if let Some(kind) = &node.kind {
        y += 13.0;
        out.push_str(&text(middle, y, SMALL, line, "400", "middle", kind));
    }
    y += 16.0;
    let name = cut(&node.name, TITLE * BOLD, room);
    out.push_str(&text(middle, y, TITLE, "#1d2430", "600", "middle", &name));
    if let Some(note) = &node.note {
        out.push_str(&text(middle, y + 15.0, SMALL, "#4a5462", "400", "middle", &cut(note, SMALL, room)));
    }
    let top = at.y + head(node);
    for (row, line) in node.rows.iter().enumerate() {
        let y = top + (row as f64 + 0.5) * ROW;
        out.push_str(&text(at.x + PAD / 2.0, y + 4.0, SMALL, "#1d2430", "400", "start", &cut(line, SMALL, room)));
    }
    out + "</g>\n"
}

/// Its shape: a cylinder, a sheet, a hexagon, an arrow. A box with rows is a sheet with a head.
fn outline(node: &Box, at: Rect, fill: &str, line: &str) -> String {
    let Rect { x, y, w, h } = at;
    let (right, bottom, middle) = (x + w, y + h, y + h / 2.0);
    let path = |d: String| format!("<path d=\"{d}\" fill=\"{fill}\" stroke=\"{line}\" stroke-width=\"1.2\"/>");
    if !node.rows.is_empty() {
        let head = y + head(node);
        return rect(at, 5.0, "#ffffff", line, None)
            + &path(format!(
                "M{x:.1} {head:.1} V{:.1} Q{x:.1} {y:.1} {:.1} {y:.1} H{:.1} Q{right:.1} {y:.1} {right:.1} {:.1} V{head:.1} Z",
                y + 5.0,
                x + 5.0,
                right - 5.0,
                y + 5.0
            ));
    }
    match node.shape {
        Shape::Step => rect(at, 5.0, fill, line, None),
        Shape::Note => rect(at, 5.0, fill, line, Some("4 3")),
        Shape::Dataset => {
            let (rx, ry) = (w / 2.0, 5.0);
            let (upper, lower) = (y + ry, bottom - ry);
            path(format!(
                "M{x:.1} {upper:.1} A{rx:.1} {ry} 0 0 1 {right:.1} {upper:.1} V{lower:.1} A{rx:.1} {ry} 0 0 1 {x:.1} {lower:.1} Z"
            )) + &format!(
                "<path d=\"M{x:.1} {upper:.1} A{rx:.1} {ry} 0 0 0 {right:.1} {upper:.1}\" fill=\"none\" stroke=\"{line}\" stroke-width=\"1.2\"/>"
            )
        }
        Shape::Model => {
            let tip = 11.0;
            path(format!(
                "M{:.1} {y:.1} H{:.1} L{right:.1} {middle:.1} L{:.1} {bottom:.1} H{:.1} L{x:.1} {middle:.1} Z",
                x + tip,
                right - tip,
                right - tip,
                x + tip
            ))
        }
        Shape::Deploy => {
            let tip = 12.0;
            path(format!(
                "M{x:.1} {y:.1} H{:.1} L{right:.1} {middle:.1} L{:.1} {bottom:.1} H{x:.1} Z",
                right - tip,
                right - tip
            ))
        }
    }
}

/// A smooth line through its points that leaves and arrives horizontally.
fn drawn(arrow: &Arrow, points: &[(f64, f64)]) -> String {
    let (x, y) = points[0];
    let mut d = format!("M{x:.1} {y:.1}");
    for (at, pair) in points.windows(2).enumerate() {
        let ((x0, y0), (x1, y1)) = (pair[0], pair[1]);
        if at % 2 == 1 {
            d.push_str(&format!(" L{x1:.1} {y1:.1}"));
        } else {
            let bend = (x1 - x0) / 2.0;
            d.push_str(&format!(" C{:.1} {y0:.1} {:.1} {y1:.1} {x1:.1} {y1:.1}", x0 + bend, x1 - bend));
        }
    }
    let style = match arrow.faint {
        true => "stroke=\"#a3adba\" stroke-width=\"1\" stroke-dasharray=\"5 4\"",
        false => "stroke=\"#5b6675\" stroke-width=\"1.2\"",
    };
    format!("<path d=\"{d}\" fill=\"none\" {style} marker-end=\"url(#end)\"/>\n")
}

/// The words on arrows, where they arrive.
fn labels(graph: &Graph, placed: &Layout) -> String {
    let mut out = String::new();
    for (arrow, points) in graph.arrows.iter().zip(&placed.arrows) {
        let (Some(label), [.., before, end]) = (&arrow.label, &points[..]) else { continue };
        let x = end.0 - width(label, SMALL) / 2.0 - 24.0;
        let share = ((x - before.0) / (end.0 - before.0)).clamp(0.0, 1.0);
        let smooth = share * share * (3.0 - 2.0 * share);
        let y = before.1 + (end.1 - before.1) * smooth - 4.0;
        out.push_str(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"10\" fill=\"#5b6675\" text-anchor=\"middle\" stroke=\"#ffffff\" \
             stroke-width=\"3\" paint-order=\"stroke\">{}</text>\n",
            escaped(label)
        ));
    }
    out
}

fn rect(at: Rect, round: f64, fill: &str, line: &str, dash: Option<&str>) -> String {
    let dash = dash.map(|d| format!(" stroke-dasharray=\"{d}\"")).unwrap_or_default();
    format!(
        "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"{round}\" fill=\"{fill}\" stroke=\"{line}\" \
         stroke-width=\"1.2\"{dash}/>",
        at.x, at.y, at.w, at.h
    )
}

fn text(x: f64, y: f64, size: f64, colour: &str, weight: &str, anchor: &str, text: &str) -> String {
    format!(
        "<text x=\"{x:.1}\" y=\"{y:.1}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{colour}\" \
         text-anchor=\"{anchor}\">{}</text>",
        escaped(text)
    )
}

/// XML, without the characters that it does not have.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if (c as u32) < 0x20 || matches!(c as u32, 0xfffe | 0xffff) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}
