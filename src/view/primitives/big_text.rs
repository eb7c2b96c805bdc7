//! Letters for people who stand across the room: seven rows of five squares each, two squares a cell, so that
//! they are as high as they are wide on any terminal. Drawn at the greatest whole size that fits.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

/// Squares of a letter, without the gap that follows it.
const WIDE: u16 = 5;
/// The same of a point, a colon and a blank.
const NARROW: u16 = 3;
const HIGH: u16 = 7;
/// Larger than this nothing gets.
const LARGEST: u16 = 5;

/// The letters; of each row the five low bits are its squares, the leftmost the highest.
const LETTERS: &[(char, [u8; 7])] = &[
    ('0', [0x0E, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0E]),
    ('1', [0x04, 0x0C, 0x04, 0x04, 0x04, 0x04, 0x0E]),
    ('2', [0x0E, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1F]),
    ('3', [0x1F, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0E]),
    ('4', [0x02, 0x06, 0x0A, 0x12, 0x1F, 0x02, 0x02]),
    ('5', [0x1F, 0x10, 0x1E, 0x01, 0x01, 0x11, 0x0E]),
    ('6', [0x06, 0x08, 0x10, 0x1E, 0x11, 0x11, 0x0E]),
    ('7', [0x1F, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08]),
    ('8', [0x0E, 0x11, 0x11, 0x0E, 0x11, 0x11, 0x0E]),
    ('9', [0x0E, 0x11, 0x11, 0x0F, 0x01, 0x02, 0x0C]),
    ('A', [0x0E, 0x11, 0x11, 0x11, 0x1F, 0x11, 0x11]),
    ('B', [0x1E, 0x11, 0x11, 0x1E, 0x11, 0x11, 0x1E]),
    ('C', [0x0E, 0x11, 0x10, 0x10, 0x10, 0x11, 0x0E]),
    ('D', [0x1C, 0x12, 0x11, 0x11, 0x11, 0x12, 0x1C]),
    ('E', [0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x1F]),
    ('F', [0x1F, 0x10, 0x10, 0x1E, 0x10, 0x10, 0x10]),
    ('G', [0x0E, 0x11, 0x10, 0x17, 0x11, 0x11, 0x0F]),
    ('H', [0x11, 0x11, 0x11, 0x1F, 0x11, 0x11, 0x11]),
    ('I', [0x0E, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0E]),
    ('J', [0x07, 0x02, 0x02, 0x02, 0x02, 0x12, 0x0C]),
    ('K', [0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11]),
    ('L', [0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1F]),
    ('M', [0x11, 0x1B, 0x15, 0x15, 0x11, 0x11, 0x11]),
    ('N', [0x11, 0x11, 0x19, 0x15, 0x13, 0x11, 0x11]),
    ('O', [0x0E, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E]),
    ('P', [0x1E, 0x11, 0x11, 0x1E, 0x10, 0x10, 0x10]),
    ('Q', [0x0E, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0D]),
    ('R', [0x1E, 0x11, 0x11, 0x1E, 0x14, 0x12, 0x11]),
    ('S', [0x0F, 0x10, 0x10, 0x0E, 0x01, 0x01, 0x1E]),
    ('T', [0x1F, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04]),
    ('U', [0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0E]),
    ('V', [0x11, 0x11, 0x11, 0x11, 0x11, 0x0A, 0x04]),
    ('W', [0x11, 0x11, 0x11, 0x15, 0x15, 0x15, 0x0A]),
    ('X', [0x11, 0x11, 0x0A, 0x04, 0x0A, 0x11, 0x11]),
    ('Y', [0x11, 0x11, 0x11, 0x0A, 0x04, 0x04, 0x04]),
    ('Z', [0x1F, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1F]),
    (':', [0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00]),
    ('.', [0x00, 0x00, 0x00, 0x00, 0x00, 0x0C, 0x0C]),
    (',', [0x00, 0x00, 0x00, 0x00, 0x0C, 0x04, 0x08]),
    ('+', [0x00, 0x04, 0x04, 0x1F, 0x04, 0x04, 0x00]),
    ('-', [0x00, 0x00, 0x00, 0x1F, 0x00, 0x00, 0x00]),
    ('%', [0x18, 0x19, 0x02, 0x04, 0x08, 0x13, 0x03]),
    ('/', [0x00, 0x01, 0x02, 0x04, 0x08, 0x10, 0x00]),
    ('?', [0x0E, 0x11, 0x01, 0x02, 0x04, 0x00, 0x04]),
    ('_', [0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1F]),
    ('(', [0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02]),
    (')', [0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08]),
    ('=', [0x00, 0x00, 0x1F, 0x00, 0x1F, 0x00, 0x00]),
    ('\u{2716}', [0x11, 0x1B, 0x0E, 0x04, 0x0E, 0x1B, 0x11]),
    ('\u{25b2}', [0x00, 0x04, 0x04, 0x0E, 0x0E, 0x1F, 0x1F]),
    ('\u{2191}', [0x04, 0x0E, 0x15, 0x04, 0x04, 0x04, 0x04]),
    ('\u{2193}', [0x04, 0x04, 0x04, 0x04, 0x15, 0x0E, 0x04]),
];

/// A size that letters are drawn at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letters {
    /// Columns of a square.
    size: u16,
    /// A square is a whole cell: there are no half ones to draw with.
    ascii: bool,
}

impl Letters {
    /// The greatest at which each of these texts fits into so many columns and rows; none where there is no
    /// room.
    pub fn fitting(texts: &[&str], columns: u16, rows: u16, ascii: bool) -> Option<Self> {
        let fits = |letters: &Self| {
            texts.iter().all(|text| letters.width(text) <= columns) && letters.rows() <= rows
        };
        (1..=LARGEST).rev().map(|size| Self { size, ascii }).find(fits)
    }

    /// Columns of `text`.
    pub fn width(self, text: &str) -> u16 {
        let squares = text.chars().fold(0_u16, |sum, letter| sum.saturating_add(wide(letter) + 1));
        squares.saturating_sub(1).saturating_mul(self.size)
    }

    /// Rows of a line.
    pub fn rows(self) -> u16 {
        if self.ascii { HIGH * self.size } else { (HIGH * self.size).div_ceil(2) }
    }

    /// Draws `text` from the top left of `area`; what has no room is cut.
    pub fn draw(self, text: &str, style: Style, area: Rect, buf: &mut Buffer) {
        let size = self.size;
        let mut x = area.x;
        for letter in text.chars() {
            for (column, row) in
                (0..wide(letter) * size).flat_map(|column| (0..self.rows()).map(move |row| (column, row)))
            {
                let square = |y: u16| y < HIGH * size && lit(letter, column / size, y / size);
                let symbol = match (self.ascii, square(row * 2), square(row * 2 + 1)) {
                    (true, ..) if square(row) => '#',
                    (false, true, true) => '█',
                    (false, true, false) => '▀',
                    (false, false, true) => '▄',
                    _ => continue,
                };
                let x = x.saturating_add(column);
                let y = area.y.saturating_add(row);
                if x < area.right() && y < area.bottom() {
                    buf[(x, y)].set_char(symbol).set_style(style);
                }
            }
            x = x.saturating_add((wide(letter) + 1) * size);
        }
    }
}

fn wide(letter: char) -> u16 {
    if matches!(letter, ':' | '.' | ',' | ' ') { NARROW } else { WIDE }
}

fn lit(letter: char, column: u16, row: u16) -> bool {
    let letter = match letter {
        '−' | '–' => '-',
        '×' => 'X',
        plain => plain.to_ascii_uppercase(),
    };
    let found = LETTERS.iter().find(|(known, _)| *known == letter);
    let bits = found.map_or(0, |(_, rows)| rows.get(usize::from(row)).copied().unwrap_or(0));
    let column = column + (WIDE - wide(letter)) / 2;
    bits >> (WIDE - 1).saturating_sub(column) & 1 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_as_large_as_there_is_room() {
        let size = |columns, rows, ascii| {
            Letters::fitting(&["00:14:32", "OK"], columns, rows, ascii).map(|letters| letters.size)
        };
        assert_eq!(
            [(43, 4), (42, 4), (86, 7), (400, 100)].map(|(c, r)| size(c, r, false)),
            [Some(1), None, Some(2), Some(5)]
        );
        assert_eq!([(43, 4), (43, 7), (400, 14)].map(|(c, r)| size(c, r, true)), [None, Some(1), Some(2)]);
    }

    #[test]
    fn in_ascii_a_square_is_a_cell() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 11, 7));
        Letters { size: 1, ascii: true }.draw("4L", Style::new(), Rect::new(0, 0, 11, 7), &mut buf);
        let lines: Vec<String> = buf
            .content
            .chunks(11)
            .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
            .collect();
        assert_eq!([&lines[0], &lines[4], &lines[6]], ["   #  #    ", "##### #    ", "   #  #####"]);
    }

    #[test]
    fn a_letter_is_drawn_with_half_blocks_and_never_outside() {
        let mut buf = Buffer::empty(Rect::new(0, 0, 8, 4));
        Letters { size: 1, ascii: false }.draw("1L", Style::new(), Rect::new(0, 0, 7, 4), &mut buf);
        let lines: Vec<String> = buf
            .content
            .chunks(8)
            .map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect())
            .collect();
        assert_eq!(lines, [" ▄█   █ ", "  █   █ ", "  █   █ ", " ▀▀▀  ▀ "]);
    }

    #[test]
    fn every_letter_has_squares_and_no_sixth_column() {
        for (n, (letter, rows)) in LETTERS.iter().enumerate() {
            assert!(rows.iter().any(|row| *row > 0) && rows.iter().all(|row| *row < 0x20), "{letter}");
            assert!(LETTERS[..n].iter().all(|(other, _)| other != letter), "{letter} stands there twice");
        }
    }
}
