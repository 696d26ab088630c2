// SPDX-License-Identifier: GPL-2.0-or-later
//! The options as values.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::super::address::Dmr;
use super::super::map_type::MapType;
use super::super::psid::WrittenPsid;
use super::super::spec::RuleSpec;

/// Port parameters as they travel (RFC 7598 section 4.5).
///
/// ```
/// use mape::map::s46::PortParamsOption;
///
/// let ports = PortParamsOption { offset: 6, psid_len: 8, psid: 0x3400 };
/// assert_eq!(
///     ports.to_string(),
///     "S46_PORTPARAMS offset 6, PSID length 8, PSID 52 (0x3400 left-justified)"
/// );
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortParamsOption {
    /// PSID offset in bits, at most 15.
    pub offset: u8,
    /// PSID length in bits, at most 16. 0: the PSID is to be ignored.
    pub psid_len: u8,
    /// PSID, left-justified in 16 bits.
    pub psid: u16,
}

/// A decoded option.
///
/// ```
/// use mape::map::s46::{self, S46Option};
///
/// let bytes = s46::bytes_of_hex("005a0010 20010db8ffff00000000000000000001")?;
/// assert!(matches!(s46::decode(&bytes)?[..], [S46Option::Br(_)]));
/// # Ok::<(), Box<s46::S46Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum S46Option {
    /// OPTION_S46_RULE (89).
    Rule {
        /// Flag F: the rule is a forwarding mapping rule.
        fmr: bool,
        /// EA-bits length in bits.
        ea_len: u8,
        /// Rule IPv4 prefix.
        ipv4: Ipv4Net,
        /// Rule IPv6 prefix.
        ipv6: Ipv6Net,
        /// Its OPTION_S46_PORTPARAMS.
        ports: Option<PortParamsOption>,
        /// Bytes of its prefix field, if it is padded.
        padded_to: Option<u8>,
    },
    /// OPTION_S46_BR (90).
    Br(Ipv6Addr),
    /// OPTION_S46_DMR (91).
    Dmr {
        /// The default mapping rule.
        dmr: Dmr,
        /// Bytes of its prefix field, if it is padded.
        padded_to: Option<u8>,
    },
    /// OPTION_S46_V4V6BIND (92).
    Bind {
        /// The whole or shared IPv4 address.
        ipv4: Ipv4Addr,
        /// The prefix it is bound to.
        ipv6: Ipv6Net,
        /// Its OPTION_S46_PORTPARAMS.
        ports: Option<PortParamsOption>,
        /// Bytes of its prefix field, if it is padded.
        padded_to: Option<u8>,
    },
    /// OPTION_S46_PORTPARAMS (93) outside a rule or binding.
    PortParams(PortParamsOption),
    /// OPTION_S46_CONT_MAPE (94), _MAPT (95) or _LW (96).
    Container(MapType, Vec<S46Option>),
    /// An option of something else, which clients pass over.
    Other {
        /// Its code.
        code: u16,
        /// Its length in bytes.
        len: u16,
    },
}

impl S46Option {
    /// What is odd about the option and those in it, for a person to read, a
    /// line each.
    ///
    /// ```
    /// use mape::map::s46;
    ///
    /// // A /40 needs 5 bytes; this server sends 8.
    /// let bytes = s46::bytes_of_hex("005b 0009 28 20010db8ff000000")?;
    /// let notes = s46::decode(&bytes)?[0].notes();
    /// assert!(notes[0].starts_with("the prefix 2001:db8:ff00::/40 of S46_DMR is padded to 8 bytes"));
    /// # Ok::<(), Box<s46::S46Error>>(())
    /// ```
    pub fn notes(&self) -> Vec<String> {
        let inner = match self {
            S46Option::Container(_, inner) => inner.as_slice(),
            _ => &[],
        };
        let options = std::iter::once(self).chain(inner);
        options.filter_map(S46Option::note).collect()
    }

    fn note(&self) -> Option<String> {
        let (name, net, padded_to) = match *self {
            S46Option::Rule {
                ipv6, padded_to, ..
            } => ("S46_RULE", ipv6, padded_to?),
            S46Option::Bind {
                ipv6, padded_to, ..
            } => ("S46_V4V6BIND", ipv6, padded_to?),
            S46Option::Dmr { dmr, padded_to } => ("S46_DMR", dmr.prefix(), padded_to?),
            _ => return None,
        };
        let needed = net.prefix_len().div_ceil(8);
        Some(format!(
            "the prefix {net} of {name} is padded to {padded_to} bytes, though a /{} has {needed} \
             (RFC 7598): a DHCPv6 client may lose the port parameters behind it; if it does, set \
             option offset on the interface",
            net.prefix_len()
        ))
    }

    /// The rule that a rule option or a binding is about, without a border.
    pub(super) fn spec(&self, map_type: MapType) -> Option<RuleSpec> {
        let (fmr, ea_len, ipv4, ipv6, ports) = match *self {
            S46Option::Rule {
                fmr,
                ea_len,
                ipv4,
                ipv6,
                ports,
                ..
            } => (fmr, Some(ea_len), ipv4, ipv6, ports),
            S46Option::Bind {
                ipv4, ipv6, ports, ..
            } => (false, None, Ipv4Net::from(ipv4), ipv6, ports),
            _ => return None,
        };
        Some(RuleSpec {
            map_type: Some(map_type),
            fmr,
            ipv6_prefix: Some(ipv6.addr()),
            prefix6_len: Some(ipv6.prefix_len()),
            ipv4_prefix: Some(ipv4.addr()),
            prefix4_len: Some(ipv4.prefix_len()),
            ea_len,
            offset: ports.map(|p| p.offset),
            psid_len: ports.map(|p| p.psid_len),
            psid: ports
                .filter(|p| p.psid_len > 0)
                .map(|p| WrittenPsid::Word(p.psid)),
            ..RuleSpec::default()
        })
    }
}

impl fmt::Display for PortParamsOption {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pad = 16 - u32::from(self.psid_len.min(16));
        let number = self.psid.checked_shr(pad).unwrap_or(0);
        write!(
            f,
            "S46_PORTPARAMS offset {}, PSID length {}, PSID {number} (0x{:04x} left-justified)",
            self.offset, self.psid_len, self.psid
        )
    }
}

impl fmt::Display for S46Option {
    /// One line, without what is inside a container.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = |f: &mut fmt::Formatter<'_>, ports: &Option<PortParamsOption>| match ports {
            Some(ports) => write!(f, ", {ports}"),
            None => Ok(()),
        };
        match self {
            S46Option::Rule {
                fmr,
                ea_len,
                ipv4,
                ipv6,
                ports,
                ..
            } => {
                let kind = if *fmr { " FMR" } else { "" };
                write!(f, "S46_RULE{kind} {ipv6} -> {ipv4}, EA {ea_len}")?;
                within(f, ports)
            }
            S46Option::Br(address) => write!(f, "S46_BR {address}"),
            S46Option::Dmr { dmr, .. } => write!(f, "S46_DMR {dmr}"),
            S46Option::Bind {
                ipv4, ipv6, ports, ..
            } => {
                write!(f, "S46_V4V6BIND {ipv4} <-> {ipv6}")?;
                within(f, ports)
            }
            S46Option::PortParams(ports) => ports.fmt(f),
            S46Option::Container(MapType::MapE, _) => f.write_str("S46_CONT_MAPE"),
            S46Option::Container(MapType::MapT, _) => f.write_str("S46_CONT_MAPT"),
            S46Option::Container(MapType::Lw4o6, _) => f.write_str("S46_CONT_LW"),
            S46Option::Other { code, len } => write!(f, "option {code} of {len} bytes"),
        }
    }
}
