// SPDX-License-Identifier: GPL-2.0-or-later
//! Small files of the kernel and of package managers.

use crate::paths::{read_lossy, rooted};

/// The text of a file without the white space around it; `None` if it cannot
/// be read.
pub(super) fn read(path: &str) -> Option<String> {
    Some(read_lossy(rooted(path)).ok()?.trim().to_owned())
}
