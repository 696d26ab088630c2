// SPDX-License-Identifier: GPL-2.0-or-later
//! What a misspelt word was meant to be.

/// More differences than this make another word of it, not a misspelt one.
const MOST: usize = 2;

/// No name is longer; a longer word is not compared.
const LONGEST: usize = 32;

/// The name that `word` is most likely meant to be, if one is near enough.
pub(super) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    if word.len() > LONGEST {
        return None;
    }
    // More than half of the name must be right.
    let near = names.filter_map(|name| {
        let distance = distance(word, name);
        (distance <= MOST && 2 * distance < name.len()).then_some((distance, name))
    });
    near.min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

/// The Levenshtein distance: how many characters must be added, removed or
/// replaced to make `to` of `from`.
fn distance(from: &str, to: &str) -> usize {
    // The distances of what was read of `from` to each beginning of `to`.
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (read, ours) in from.chars().enumerate() {
        let mut left = read + 1;
        let mut next = vec![left];
        for (theirs, above) in to.chars().zip(row.windows(2)) {
            if let [diagonal, above] = *above {
                let replaced = diagonal + usize::from(ours != theirs);
                left = replaced.min(above + 1).min(left + 1);
                next.push(left);
            }
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (from, to, expected) in [
            ("", "", 0),
            ("", "calc", 4),
            ("calc", "", 4),
            ("calc", "calc", 0),
            ("stauts", "status", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(from, to), expected, "{from} {to}");
        }
    }

    #[test]
    fn nearest_name() {
        let names = ["status", "ports", "br", "calc"];
        for (word, expected) in [
            ("stauts", Some("status")),
            ("port", Some("ports")),
            ("clac", None),
            ("cal", Some("calc")),
            ("xy", None),
            ("nonsense", None),
        ] {
            assert_eq!(nearest(word, names.into_iter()), expected, "{word}");
        }
    }
}
