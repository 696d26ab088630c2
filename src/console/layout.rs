// SPDX-License-Identifier: GPL-2.0-or-later
//! How names, sizes and times are written for people.

use std::fmt::{self, Display, Write as _};

/// Prints `label` and `text` in two columns.
///
/// # Errors
/// None for a `String`, as for all that is printed here.
pub fn row(out: &mut String, label: &str, text: impl Display) -> fmt::Result {
    writeln!(out, "{label:<18}{text}")
}

/// A provider as people know it, with its id, the word for `option provider`.
pub fn title(name: &str, id: &str) -> String {
    match name == id {
        true => name.to_owned(),
        false => format!("{name} ({id})"),
    }
}

/// `part` of `whole` as a bar of `width` characters.
pub fn bar(part: usize, whole: usize, width: usize) -> String {
    let filled = part.saturating_mul(width).div_ceil(whole.max(1)).min(width);
    format!("{}{}", "#".repeat(filled), ".".repeat(width - filled))
}

/// Days, hours, minutes, seconds: the two largest.
pub fn duration(seconds: u64) -> String {
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {} s", seconds % 60),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Bytes in binary units.
pub fn size(bytes: u64) -> String {
    let units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    // In 1024ths of the unit, so that a digit after the point is left.
    let mut rest = bytes;
    for unit in units {
        if rest < 1024 * 1024 {
            let tenths = rest * 10 / 1024;
            return match rest {
                0..1024 => format!("{bytes} bytes"),
                _ => format!("{}.{} {unit}", tenths / 10, tenths % 10),
            };
        }
        rest /= 1024;
    }
    format!("{bytes} bytes")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_times() {
        let sizes = [
            0,
            1023,
            1024,
            1536,
            1024 * 1024 - 1,
            1024 * 1024,
            5 << 30,
            u64::MAX,
        ];
        assert_eq!(
            sizes.map(size),
            [
                "0 bytes",
                "1023 bytes",
                "1.0 KiB",
                "1.5 KiB",
                "1023.9 KiB",
                "1.0 MiB",
                "5.0 GiB",
                "15.9 EiB"
            ]
        );
        let times = [59, 61, 3600, 90_000];
        assert_eq!(
            times.map(duration),
            ["59 s", "1 min 1 s", "1 h 0 min", "1 d 1 h"]
        );
    }

    #[test]
    fn bars_show_that_there_is_something() {
        assert_eq!(bar(0, 240, 8), "........");
        assert_eq!(bar(1, 240, 8), "#.......");
        assert_eq!(bar(120, 240, 8), "####....");
        assert_eq!(bar(500, 240, 8), "########");
        assert_eq!(bar(1, 0, 8), "########");
    }
}
