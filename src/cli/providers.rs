// SPDX-License-Identifier: GPL-2.0-or-later
//! The providers this machine knows, for every command that needs them.

use crate::console::complain;
use crate::paths;
use crate::provider::{Table, load};

/// The table of the installed files, or the compiled-in one. What is wrong
/// with the files goes to standard error, a line each.
pub(super) fn table() -> Table {
    let loaded = load(paths::rooted(""));
    for warning in &loaded.warnings {
        complain(&format!("mape: warning: {warning}"));
    }
    loaded.table
}
