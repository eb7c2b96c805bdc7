//! What lies over the panes: a page is a file here, which draws what the file beside it in
//! [`state`](crate::state) holds.

mod alerts;
mod changes;
mod confirm;
mod detail;
mod entry;
mod form;
mod group;
mod help;
mod logs;
mod manifest;
mod picker;
mod service;
mod sources;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::Look;
use crate::state::{Frame, Page, each_page};

/// Draws a page.
trait Draw {
    fn draw(&self, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer);
}

macro_rules! drawn {
    ($($name:ident($state:ty) $doc:literal)+) => {
        /// Draws a page over the panes.
        pub fn draw(page: &Page, frame: &Frame<'_>, look: &Look, body: Rect, buf: &mut Buffer) {
            match page { $(Page::$name(page) => page.draw(frame, look, body, buf),)+ }
        }
    };
}

each_page!(drawn);
