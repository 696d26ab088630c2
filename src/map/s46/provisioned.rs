// SPDX-License-Identifier: GPL-2.0-or-later
//! Rules from options.

use super::super::map_type::MapType;
use super::super::spec::RuleSpec;
use super::option::S46Option;

/// The rules of one protocol, as the options provision them.
///
/// ```
/// use mape::map::s46;
///
/// let bytes = s46::bytes_of_hex(
///     "005e 0025 0059 000d 00 10 18 c0000200 28 20010db800 005a 0010 \
///      20010db8ffff00000000000000000001",
/// )?;
/// let sets = s46::provisioned(&s46::decode(&bytes)?);
/// assert_eq!(sets[0].map_type.to_string(), "map-e");
/// assert_eq!(sets[0].rules[0].ea_len, Some(16));
/// # Ok::<(), Box<s46::S46Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provisioned {
    /// The protocol.
    pub map_type: MapType,
    /// Its rules or bindings, each with the first BR or DMR beside it: what
    /// OpenWrt's DHCPv6 client hands on as rule strings.
    pub rules: Vec<RuleSpec>,
}

/// The rules in `options`, a set for each container. Options without a
/// container make one set, whose protocol follows from what is among them.
///
/// ```
/// use mape::map::s46;
///
/// let bytes = s46::bytes_of_hex(
///     "005e 0025 0059 000d 00 10 18 c0000200 28 20010db800 005a 0010 \
///      20010db8ffff00000000000000000001",
/// )?;
/// let sets = s46::provisioned(&s46::decode(&bytes)?);
/// assert_eq!(
///     sets[0].rules[0].to_string(),
///     "type=map-e,ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
///      ealen=16,br=2001:db8:ffff::1"
/// );
/// # Ok::<(), Box<s46::S46Error>>(())
/// ```
pub fn provisioned(options: &[S46Option]) -> Vec<Provisioned> {
    let mut sets = Vec::new();
    let mut bare_type = MapType::MapE;
    for option in options {
        match option {
            S46Option::Container(map_type, inner) => sets.push(set(*map_type, inner)),
            S46Option::Bind { .. } => bare_type = MapType::Lw4o6,
            S46Option::Dmr { .. } if bare_type == MapType::MapE => bare_type = MapType::MapT,
            _ => {}
        }
    }
    // A container is no rule.
    let bare = set(bare_type, options);
    if !bare.rules.is_empty() {
        sets.push(bare);
    }
    sets
}

fn set(map_type: MapType, options: &[S46Option]) -> Provisioned {
    let (mut br, mut dmr, mut rules) = (None, None, Vec::new());
    for option in options {
        match option {
            S46Option::Br(address) => br = br.or(Some(*address)),
            S46Option::Dmr { dmr: prefix, .. } => dmr = dmr.or(Some(*prefix)),
            other => {
                if let Some(rule) = other.spec(map_type) {
                    rules.push(rule);
                }
            }
        }
    }
    for rule in &mut rules {
        (rule.br, rule.dmr) = (br, dmr);
    }
    Provisioned { map_type, rules }
}
