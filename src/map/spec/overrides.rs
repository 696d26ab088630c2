// SPDX-License-Identifier: GPL-2.0-or-later
//! What a user knows better than a server.

use super::super::psid::WrittenPsid;
use super::rule_spec::RuleSpec;

/// Values that replace those of rules which a server hands out.
///
/// ```
/// use mape::map::{Overrides, RuleSpec};
///
/// let mut rules: Vec<RuleSpec> = vec!["ealen=12,offset=6".parse()?];
/// let overrides = Overrides {
///     offset: Some(0),
///     ..Overrides::default()
/// };
/// overrides.apply(&mut rules);
/// assert_eq!(rules[0].to_string(), "offset=0,ealen=12");
/// # Ok::<(), Box<mape::map::SpecError>>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Overrides {
    /// PSID offset in bits.
    pub offset: Option<u8>,
    /// EA-bits length in bits.
    pub ea_len: Option<u8>,
    /// PSID length in bits.
    pub psid_len: Option<u8>,
    /// The PSID.
    pub psid: Option<WrittenPsid>,
}

impl Overrides {
    /// Replaces values of `rules`. The offset is that of the domain and goes
    /// into each; what else there is belongs to the rule of this line, so not
    /// into what is a forwarding mapping rule, unless it is the only rule.
    ///
    /// ```
    /// use mape::map::{Overrides, RuleSpec};
    ///
    /// let mut rules: Vec<RuleSpec> = vec!["ealen=16".parse()?, "ealen=20,fmr".parse()?];
    /// Overrides { ea_len: Some(12), ..Overrides::default() }.apply(&mut rules);
    /// assert_eq!((rules[0].ea_len, rules[1].ea_len), (Some(12), Some(20)));
    /// # Ok::<(), Box<mape::map::SpecError>>(())
    /// ```
    pub fn apply(&self, rules: &mut [RuleSpec]) {
        let is_only = rules.len() == 1;
        for rule in rules {
            rule.offset = self.offset.or(rule.offset);
            if rule.fmr && !is_only {
                continue;
            }
            rule.ea_len = self.ea_len.or(rule.ea_len);
            rule.psid_len = self.psid_len.or(rule.psid_len);
            rule.psid = self.psid.or(rule.psid);
        }
    }

    /// Whether there is anything to replace.
    ///
    /// ```
    /// use mape::map::Overrides;
    ///
    /// assert!(Overrides::default().is_empty());
    /// ```
    pub fn is_empty(&self) -> bool {
        *self == Overrides::default()
    }
}
