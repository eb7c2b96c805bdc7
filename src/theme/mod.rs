//! Themes: a style for every [`Role`], as data. Views take a [`Theme`] and name meanings; only themes name
//! colours.

mod built_in;
mod color;
mod load;
mod role;

use ratatui::style::{Color, Style};

pub use color::ColorDepth;
pub use role::Role;

/// A style for every role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Theme {
    /// By the role's discriminant.
    styles: Vec<Style>,
    background: Color,
    depth: ColorDepth,
}

impl Theme {
    /// How to draw what means `role`. Lies over what is there: a background that the role leaves out shows
    /// through.
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// What the empty screen is filled with: text on the theme's background.
    pub fn base(&self) -> Style {
        self.style(Role::Text).bg(self.background)
    }

    /// How to draw what asks for colours of its own, as a program's log does: at the depth of the terminal,
    /// and so that it can be read.
    pub fn foreign(&self, style: Style) -> Style {
        color::readable(color::at_depth(style, self.background, self.depth), self.base())
    }

    /// The same theme with the colours that a terminal of this depth shows.
    #[must_use]
    pub fn at_depth(&self, depth: ColorDepth) -> Self {
        let styles =
            self.styles.iter().map(|style| color::at_depth(*style, self.background, depth)).collect();
        Self { styles, background: color::shown(self.background, depth), depth }
    }
}

#[cfg(test)]
mod tests;
