// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules as text with places for values: what nft will read stands in the
//! source as nft will read it, and a router holds it once.

use std::fmt::Display;

/// Text that grows, and the values for its places.
#[derive(Default)]
pub(super) struct Template {
    text: String,
    values: Vec<(&'static str, String)>,
}

impl Template {
    /// Says what `$name` stands for from now on.
    pub(super) fn set(&mut self, name: &'static str, value: &dyn Display) {
        self.values.push((name, value.to_string()));
    }

    /// Adds `rules` with a value in each place. A line is left out where one of
    /// its values is empty.
    pub(super) fn add(&mut self, rules: &str) {
        for line in rules.split_inclusive('\n') {
            let start = self.text.len();
            let mut parts = line.split('$');
            self.text += parts.next().unwrap_or_default();
            for part in parts {
                let is_name = |c: char| c.is_ascii_lowercase() || c == '_';
                let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
                let (name, rest) = part.split_at(end);
                let known = self.values.iter().rfind(|(known, _)| *known == name);
                match known.map(|(_, value)| value.as_str()) {
                    None | Some("") => {
                        self.text.truncate(start);
                        break;
                    }
                    Some(value) => self.text += value,
                }
                self.text += rest;
            }
        }
    }

    /// The text so far, to begin another.
    pub(super) fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_filled_and_lines_without_a_value_left_out() {
        let mut rules = Template::default();
        rules.set("device", &"map-wan");
        rules.set("count", &7);
        rules.set("none", &"");
        rules.add("oif \"$device\" $count.\nports { $none }\n$unknown x\nend $count\n");
        rules.set("count", &8);
        rules.add("$count");
        assert_eq!(rules.take(), "oif \"map-wan\" 7.\nend 7\n8");
    }
}
