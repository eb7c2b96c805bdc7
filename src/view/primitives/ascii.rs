//! The finished frame in ASCII, for terminals that show nothing else. One table for every mark, border, chart
//! dot and dash that the view draws with, so that no pane needs a second way of drawing; foreign letters
//! become `?`.

use ratatui::buffer::Buffer;

/// What stands for what.
const TABLE: &[(&str, &str)] = &[
    ("╭╮╰╯├┤┬┴┼└┘┌┐", "+"),
    ("─━┄–—−", "-"),
    ("│┃┊", "|"),
    ("●◐", "*"),
    ("○·", "."),
    ("▲", "!"),
    ("✖✗", "x"),
    ("✓", "+"),
    ("…", "~"),
    ("↑⇡", "^"),
    ("↓▾", "v"),
    ("★", "*"),
    ("→▸▶", ">"),
    ("←◂", "<"),
    ("◆◇", "#"),
    ("✎", "\""),
    ("×", "x"),
    ("‖", "="),
    ("▁⎵", "_"),
    ("▂", "."),
    ("▃", "-"),
    ("▀", "\""),
    ("▄", "="),
    ("▅", "+"),
    ("▆", "*"),
    ("▇", "#"),
    ("█■", "@"),
    ("①", "1"),
    ("②", "2"),
    ("③", "3"),
    ("④", "4"),
    ("⑤", "5"),
    ("⑥", "6"),
    ("⑦", "7"),
    ("⑧", "8"),
    ("⑨", "9"),
];

/// Replaces every cell that is not ASCII.
pub fn translate(buf: &mut Buffer) {
    for cell in &mut buf.content {
        if !cell.symbol().is_ascii() {
            let plain = plain(cell.symbol());
            cell.set_char(plain);
        }
    }
}

fn plain(symbol: &str) -> char {
    let Some(first) = symbol.chars().next() else { return ' ' };
    if let dots @ 0x2800..=0x28FF = u32::from(first) {
        return stroke(dots - 0x2800);
    }
    let found = TABLE.iter().find(|(marks, _)| marks.contains(first));
    found.and_then(|(_, plain)| plain.chars().next()).unwrap_or('?')
}

/// A Braille cell as a stroke at the height of its dots, or upright where they reach from top to bottom.
fn stroke(dots: u32) -> char {
    const ROWS: [u32; 4] = [0x01 | 0x08, 0x02 | 0x10, 0x04 | 0x20, 0x40 | 0x80];
    let rows = ROWS.map(|row| dots & row != 0);
    match rows {
        [true, .., true] => '|',
        [true, ..] => '\'',
        [_, true, ..] | [_, _, true, _] => '-',
        [.., true] => '_',
        _ => ' ',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strokes_keep_their_height() {
        assert_eq!(["⠉", "⠒", "⠤", "⣀", "⡇", "⠀"].map(plain), ['\'', '-', '-', '_', '|', ' ']);
    }

    #[test]
    fn foreign_letters_are_told_to_be_foreign() {
        assert_eq!(["日", "é", "✖", "╭"].map(plain), ['?', '?', 'x', '+']);
    }
}
