// SPDX-License-Identifier: GPL-2.0-or-later
//! Codes of the options (RFC 7598 section 4).

/// No option has this code (RFC 8415 section 24): zeros are padding.
pub(super) const RESERVED: u16 = 0;
pub(super) const RULE: u16 = 89;
pub(super) const BR: u16 = 90;
pub(super) const DMR: u16 = 91;
pub(super) const BIND: u16 = 92;
pub(super) const PORTPARAMS: u16 = 93;
pub(super) const CONT_MAPE: u16 = 94;
pub(super) const CONT_MAPT: u16 = 95;
pub(super) const CONT_LW: u16 = 96;
