// SPDX-License-Identifier: GPL-2.0-or-later
//! The stock rule string, and rules that are not complete yet.
//!
//! `type=map-e,ipv6prefix=…,prefix6len=…,ipv4prefix=…,prefix4len=…,ealen=…,`
//! `psidlen=…,offset=…,psid=…,br=…|dmr=…,fmr`: what `proto map` takes in
//! `option rule` and what the DHCPv6 client makes of S46 options.

mod error;
mod overrides;
mod resolve;
mod rule_spec;
#[cfg(test)]
mod tests;

pub use error::SpecError;
pub use overrides::Overrides;
pub use resolve::Resolved;
pub use rule_spec::RuleSpec;
