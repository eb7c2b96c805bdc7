//! The themes that are part of the program: a theme is a file of `themes/` and a name here.

/// Lists the theme files that are part of the program.
macro_rules! built_in {
    ($($name:literal)+) => {
        [$((concat!("themes/", $name, ".toml (built in)"), include_str!(concat!("../../themes/", $name, ".toml"))),)+]
    };
}

pub(super) const BUILT_IN: [(&str, &str); 12] = built_in! {
    "dark" "light" "sixteen" "high-contrast" "colour-blind-safe"
    "catppuccin-mocha" "catppuccin-latte" "gruvbox-dark" "nord" "solarized-dark" "solarized-light" "tokyo-night"
};
