// SPDX-License-Identifier: GPL-2.0-or-later
//! Nothing but: which name was I called by, which command.

fn main() {}
