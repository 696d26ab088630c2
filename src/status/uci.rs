// SPDX-License-Identifier: GPL-2.0-or-later
//! Configuration files as `uci` reads them, as far as looking at them goes.

use std::iter::Peekable;
use std::str::Chars;

/// One `config` section.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    /// Its type: `interface`, `redirect`.
    pub kind: String,
    /// Its name, where it has one.
    pub name: Option<String>,
    values: Vec<(String, String)>,
}

impl Section {
    /// An option; where it is given twice the last one counts.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut all = self.values.iter().rev();
        let found = all.find(|(name, _)| name == key)?;
        (!found.1.is_empty()).then_some(found.1.as_str())
    }

    /// The words of an option or of the entries of a list.
    pub fn words<'a>(&'a self, key: &'a str) -> impl Iterator<Item = &'a str> {
        let values = self.values.iter().filter(move |(name, _)| name == key);
        values.flat_map(|(_, value)| value.split_ascii_whitespace())
    }

    /// A boolean option; `None` where it is absent or no boolean.
    pub fn flag(&self, key: &str) -> Option<bool> {
        match self.get(key)? {
            "1" | "on" | "true" | "yes" | "enabled" => Some(true),
            "0" | "off" | "false" | "no" | "disabled" => Some(false),
            _ => None,
        }
    }
}

/// The sections of a file. Lines that are no UCI are left out: whoever edits
/// the file is told by those who act on it.
pub fn parse(text: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for line in text.lines() {
        let mut words = words(line).into_iter();
        match (words.next().as_deref(), words.next(), words.next()) {
            (Some("config"), Some(kind), name) => sections.push(Section {
                kind,
                name,
                values: Vec::new(),
            }),
            (Some("option" | "list"), Some(key), Some(value)) => {
                if let Some(section) = sections.last_mut() {
                    section.values.push((key, value));
                }
            }
            _ => {}
        }
    }
    sections
}

/// The words of a line: quoted ones whole, up to a comment.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.chars().peekable();
    loop {
        while rest.next_if(|c| c.is_whitespace()).is_some() {}
        match rest.peek() {
            None | Some('#') => return words,
            Some(_) => words.push(word(&mut rest)),
        }
    }
}

fn word(rest: &mut Peekable<Chars<'_>>) -> String {
    let mut word = String::new();
    let mut quote = None;
    while let Some(c) = rest.next_if(|c| quote.is_some() || !c.is_whitespace()) {
        match (c, quote) {
            ('\\', None | Some('"')) => word.extend(rest.next()),
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(end)) if c == end => quote = None,
            (c, _) => word.push(c),
        }
    }
    word
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_uci_writes_and_people_write() {
        let text = "package firewall\n\nconfig zone # first\n\toption name 'wan'\n\
                    \tlist network 'wan'\n\tlist network \"wan 6\"\n\toption masq 1\n\
                    config redirect 'ssh'\n option name it\\'s\" me\"\n option enabled '0'\n\
                    nonsense\noption\n";
        let sections = parse(text);
        assert_eq!(sections.len(), 2);
        let [zone, redirect] = &sections[..] else {
            unreachable!()
        };
        assert_eq!(zone.kind, "zone");
        assert_eq!(
            zone.words("network").collect::<Vec<_>>(),
            ["wan", "wan", "6"]
        );
        assert_eq!(zone.flag("masq"), Some(true));
        assert_eq!(redirect.name.as_deref(), Some("ssh"));
        assert_eq!(redirect.get("name"), Some("it's me"));
        assert_eq!(redirect.flag("enabled"), Some(false));
        assert_eq!(redirect.flag("name"), None);
    }

    #[test]
    fn nothing_in_a_file_is_too_odd() {
        for text in [
            "option a b",
            "config",
            "config '",
            "config \\",
            "'",
            "\u{0}",
        ] {
            assert!(parse(text).iter().all(|s| s.values.is_empty()), "{text:?}");
        }
    }
}
