// SPDX-License-Identifier: GPL-2.0-or-later
//! Reading a UCI file: sections, options, lists, and their quoting.
//!
//! What UCI itself would refuse is left out line by line; nothing is ever
//! evaluated.

use std::collections::BTreeMap;
use std::mem::take;

use crate::uci::parse_bool;

/// One `config TYPE ['NAME']` and what follows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Section {
    kind: String,
    name: Option<String>,
    values: Vec<(String, String)>,
}

impl Section {
    /// Reads all sections of a file. Sections of the same name are one, as in
    /// UCI: what comes later is added to it, or replaces what it says.
    pub fn parse_all(text: &str) -> Vec<Section> {
        let mut sections: Vec<Section> = Vec::new();
        let mut named = BTreeMap::new();
        let mut current = 0;
        for mut words in statements(text) {
            match words.as_mut_slice() {
                [keyword, kind, name @ ..] if keyword == "config" => {
                    let name = name.first().filter(|name| is_name(name)).cloned();
                    current = match &name {
                        Some(name) => *named.entry(name.clone()).or_insert(sections.len()),
                        None => sections.len(),
                    };
                    if current == sections.len() {
                        sections.push(Section::default());
                    }
                    if let Some(section) = sections.get_mut(current) {
                        section.kind = take(kind);
                        section.name = name;
                    }
                }
                [keyword, key, value, ..] => {
                    let Some(section) = sections.get_mut(current) else {
                        continue;
                    };
                    match keyword.as_str() {
                        // The last one wins, as in UCI.
                        "option" => section.values.retain(|(other, _)| other != key),
                        "list" => {}
                        _ => continue,
                    }
                    section.values.push((take(key), take(value)));
                }
                _ => {}
            }
        }
        sections
    }

    /// The section of that type and name.
    pub fn named<'a>(sections: &'a [Section], kind: &str, name: &str) -> Option<&'a Section> {
        let mut all = sections.iter();
        all.find(|section| section.kind == kind && section.name() == Some(name))
    }

    /// Type of the section.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// Name, if the section has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Every option with its value; a list has one for each element.
    pub fn options(&self) -> impl Iterator<Item = (&str, &str)> {
        let values = self.values.iter();
        values.map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The value of an option; of a list the last.
    pub fn get(&self, key: &str) -> Option<&str> {
        let mut values = self.values.iter().rev();
        values
            .find(|(found, _)| found == key)
            .map(|(_, value)| value.as_str())
    }

    /// A boolean option; `None` if it is absent or no boolean.
    pub fn flag(&self, key: &str) -> Option<bool> {
        parse_bool(self.get(key)?)
    }

    /// The words of an option or a list: many options take both.
    pub fn words(&self, key: &str) -> Vec<&str> {
        let mut words = Vec::new();
        for (found, value) in &self.values {
            if found == key {
                words.extend(value.split_whitespace());
            }
        }
        words
    }
}

/// Whether UCI takes it as the name of a section. Any other could be a path, or
/// change the colours of a terminal.
fn is_name(text: &str) -> bool {
    let is_fit = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(is_fit)
}

/// The words of each statement. Statements end with a line or a semicolon;
/// parts of a word in quotes and without may follow each other directly.
fn statements(text: &str) -> Vec<Vec<String>> {
    let mut statements = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(mut c) = chars.next() {
        if c == '#' && word.is_none() {
            c = chars.find(|&c| c == '\n').unwrap_or('\n');
        }
        if quote.is_none() && (c.is_whitespace() || c == ';') {
            words.extend(word.take());
            if matches!(c, '\n' | ';') {
                statements.push(take(&mut words));
            }
            continue;
        }
        let word = word.get_or_insert_default();
        match (c, quote) {
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            ('\\', None | Some('"')) => match chars.next() {
                // A line that goes on.
                Some('\n') | None => {}
                Some(escaped) => word.push(escaped),
            },
            _ => word.push(c),
        }
    }
    words.extend(word);
    statements.push(words);
    statements
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sections_options_and_lists() {
        let text = "package firewall\n# a comment 'with a quote\nconfig zone 'z'\n\
                    \toption name wan # the outside\n\tlist network 'wan' \n\tlist network \"wan 6\"\n\
                    \toption name\t'last'\nconfig rule\n option a 'it'\\''s'; option b x\\ y\n\
                    option c \"two\nlines \\\" \\\\\"\noption d\nnonsense\nlist e ''\n";
        let sections = Section::parse_all(text);
        assert_eq!(sections.len(), 2);
        assert_eq!(sections[0].kind(), "zone");
        assert_eq!(sections[0].name(), Some("z"));
        assert_eq!(sections[0].get("name"), Some("last"));
        let networks = sections[0].words("network");
        assert_eq!(networks, ["wan", "wan", "6"]);
        let rule = &sections[1];
        assert_eq!(rule.name(), None);
        assert_eq!(rule.get("a"), Some("it's"));
        assert_eq!(rule.get("b"), Some("x y"));
        assert_eq!(rule.get("c"), Some("two\nlines \" \\"));
        assert_eq!(rule.get("d"), None);
        assert_eq!(rule.get("e"), Some(""));
    }

    #[test]
    fn options_before_any_section_belong_to_none() {
        assert_eq!(Section::parse_all("option a b\nlist c d"), []);
        assert_eq!(Section::parse_all("config"), []);
    }

    /// Seen with `uci show` of a file like this one.
    #[test]
    fn sections_of_one_name_are_one() {
        let text = "config interface 'wan'\n\toption proto dhcp\n\toption metric 5\n\
                    config route\n\
                    config interface 'wan'\n\toption proto 'mape'\n\tlist reserve 80\n";
        let sections = Section::parse_all(text);
        assert_eq!(sections.len(), 2);
        let wan = Section::named(&sections, "interface", "wan").unwrap();
        assert_eq!(wan.get("proto"), Some("mape"));
        assert_eq!(wan.get("metric"), Some("5"));
        assert_eq!(wan.words("reserve"), ["80"]);
        assert_eq!(Section::named(&sections, "route", "wan"), None);
    }

    #[test]
    fn what_uci_takes_for_no_name_is_none() {
        let text = "config a 'w\u{1b}[2J'\nconfig a '../x'\nconfig a ''\nconfig a 'w an'\nconfig a wan_6\n";
        let sections = Section::parse_all(text);
        let names: Vec<Option<&str>> = sections.iter().map(Section::name).collect();
        assert_eq!(names, [None, None, None, None, Some("wan_6")]);
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "(\\PC|[\n'\"\\\\#; ]|config a|option b c){0,60}") {
            for section in Section::parse_all(&text) {
                let _ = section.get("b");
            }
        }

        #[test]
        fn quoted_text_comes_back(value in "[^'\0]{0,40}") {
            let text = format!("config a\noption b '{value}'\n");
            let sections = Section::parse_all(&text);
            prop_assert_eq!(sections[0].get("b"), Some(value.as_str()));
        }
    }
}
