// SPDX-License-Identifier: GPL-2.0-or-later
//! Colours of a terminal.

use std::env;
use std::io::{self, IsTerminal as _};

/// Colours, or none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint(bool);

/// What a colour means here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hue {
    /// All is well.
    Good,
    /// Worth a look.
    Doubtful,
    /// Broken.
    Bad,
}

impl Paint {
    /// No colours.
    pub const PLAIN: Paint = Paint(false);

    /// Colours if standard output is a terminal and `NO_COLOR` is not set
    /// (<https://no-color.org>).
    pub fn for_stdout() -> Self {
        let wanted = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Paint(wanted && io::stdout().is_terminal())
    }

    /// `text`, in colour.
    pub fn hue(self, hue: Hue, text: &str) -> String {
        let code = match hue {
            Hue::Good => 32,
            Hue::Doubtful => 33,
            Hue::Bad => 31,
        };
        match self.0 {
            true => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
            false => text.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_is_an_extra() {
        assert_eq!(Paint::PLAIN.hue(Hue::Bad, "x"), "x");
        assert_eq!(Paint(true).hue(Hue::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
    }
}
