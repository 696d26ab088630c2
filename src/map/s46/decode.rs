// SPDX-License-Identifier: GPL-2.0-or-later
//! Options from bytes, nothing taken on trust.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

use super::super::address::Dmr;
use super::super::map_type::MapType;
use super::super::rule::MAX_EA_LEN;
use super::codes::{BIND, BR, CONT_LW, CONT_MAPE, CONT_MAPT, DMR, PORTPARAMS, RESERVED, RULE};
use super::error::S46Error;
use super::option::{PortParamsOption, S46Option};

/// Bytes from hexadecimal digits; blanks, colons, dashes and a leading `0x`
/// are passed over.
///
/// ```
/// use mape::map::s46;
///
/// assert_eq!(s46::bytes_of_hex("0x00:5a 0010")?, [0, 0x5a, 0, 0x10]);
/// assert!(s46::bytes_of_hex("005").is_err());
/// # Ok::<(), Box<s46::S46Error>>(())
/// ```
///
/// # Errors
/// Another character, or half a byte.
pub fn bytes_of_hex(text: &str) -> Result<Vec<u8>, Box<S46Error>> {
    let text = text.trim();
    let text = text.strip_prefix("0x").unwrap_or(text);
    let mut bytes = Vec::with_capacity(text.len() / 2);
    let mut high = None;
    for c in text
        .chars()
        .filter(|c| !c.is_whitespace() && !":-".contains(*c))
    {
        // A digit is below 16.
        let digit = c.to_digit(16).ok_or(S46Error::Digit(c))? as u8;
        match high.take() {
            None => high = Some(digit),
            Some(high) => bytes.push(high << 4 | digit),
        }
    }
    match (high, bytes.is_empty()) {
        (Some(_), _) => Err(S46Error::Odd.into()),
        (None, true) => Err(S46Error::Empty.into()),
        (None, false) => Ok(bytes),
    }
}

/// Decodes a sequence of options: containers, or what would be in one.
///
/// ```
/// use mape::map::s46;
///
/// let bytes = s46::bytes_of_hex("005b 0009 40 20010db8ffff0000")?;
/// assert_eq!(s46::decode(&bytes)?[0].to_string(), "S46_DMR 2001:db8:ffff::/64");
/// # Ok::<(), Box<s46::S46Error>>(())
/// ```
///
/// # Errors
/// The first option that is truncated, misplaced or out of range.
pub fn decode(bytes: &[u8]) -> Result<Vec<S46Option>, Box<S46Error>> {
    let mut options = Vec::new();
    for raw in split(bytes, 0)? {
        options.push(match raw.code {
            CONT_MAPE => container(raw, MapType::MapE)?,
            CONT_MAPT => container(raw, MapType::MapT)?,
            CONT_LW => container(raw, MapType::Lw4o6)?,
            _ => raw.option()?,
        });
    }
    match options.is_empty() {
        true => Err(S46Error::Empty.into()),
        false => Ok(options),
    }
}

/// A prefix, and how many bytes its field has if it is padded.
#[derive(Clone, Copy)]
struct Prefix6 {
    net: Ipv6Net,
    padded_to: Option<u8>,
}

/// An option whose header has been read.
#[derive(Clone, Copy)]
struct Raw<'a> {
    at: usize,
    code: u16,
    data: &'a [u8],
}

fn split(mut bytes: &[u8], mut at: usize) -> Result<Vec<Raw<'_>>, Box<S46Error>> {
    let mut options = Vec::new();
    while !bytes.is_empty() {
        let [code1, code2, len1, len2, rest @ ..] = bytes else {
            let left = bytes.len();
            return Err(S46Error::Header { at, left }.into());
        };
        let code = u16::from_be_bytes([*code1, *code2]);
        let len = usize::from(u16::from_be_bytes([*len1, *len2]));
        let Some((data, after)) = rest.split_at_checked(len) else {
            let left = rest.len();
            return Err(S46Error::Truncated {
                at,
                code,
                len,
                left,
            }
            .into());
        };
        options.push(Raw { at, code, data });
        at += 4 + len;
        bytes = after;
    }
    Ok(options)
}

fn container(raw: Raw<'_>, map_type: MapType) -> Result<S46Option, Box<S46Error>> {
    let mut inner = Vec::new();
    for option in split(raw.data, raw.at + 4)? {
        let belongs = match option.code {
            RULE => map_type != MapType::Lw4o6,
            BR => map_type != MapType::MapT,
            DMR => map_type == MapType::MapT,
            BIND => map_type == MapType::Lw4o6,
            PORTPARAMS | CONT_MAPE..=CONT_LW => false,
            _ => true,
        };
        if !belongs {
            return Err(option.misplaced(raw.code));
        }
        inner.push(option.option()?);
    }
    Ok(S46Option::Container(map_type, inner))
}

impl<'a> Raw<'a> {
    fn misplaced(self, outer: u16) -> Box<S46Error> {
        Box::new(S46Error::Nesting {
            at: self.at,
            code: self.code,
            outer,
        })
    }

    fn short(self, field: &'static str) -> Box<S46Error> {
        Box::new(S46Error::Short {
            at: self.at,
            code: self.code,
            len: self.data.len(),
            field,
        })
    }

    fn long(self, expected: usize) -> Box<S46Error> {
        Box::new(S46Error::Long {
            at: self.at,
            code: self.code,
            len: self.data.len(),
            expected,
        })
    }

    fn at_most(self, field: &'static str, value: u8, max: u8) -> Result<u8, Box<S46Error>> {
        match value <= max {
            true => Ok(value),
            false => Err(S46Error::Field {
                at: self.at,
                code: self.code,
                field,
                value,
                max,
            }
            .into()),
        }
    }

    /// All of the data as a field of that many bytes.
    fn exactly<const N: usize>(self, field: &'static str) -> Result<[u8; N], Box<S46Error>> {
        let data = self.data.first_chunk().ok_or_else(|| self.short(field))?;
        match self.data.len() == N {
            true => Ok(*data),
            false => Err(self.long(N)),
        }
    }

    /// Splits off a prefix, which fills only the bytes that its length needs,
    /// and reads what is behind it with `after`. Servers are known that fill
    /// the field with zeros up to 8 bytes: such a field is taken for what it is
    /// meant to be, if the rest only makes sense then.
    fn prefix6<T>(
        self,
        len: u8,
        field: &'static str,
        from: &'a [u8],
        after: impl Fn(&'a [u8]) -> Result<T, Box<S46Error>>,
    ) -> Result<(Prefix6, T), Box<S46Error>> {
        let len = self.at_most("prefix6-len", len, 128)?;
        let needed = usize::from(len).div_ceil(8);
        let split = from.split_at_checked(needed);
        let (head, rest) = split.ok_or_else(|| self.short(field))?;
        let mut octets = [0; 16];
        for (octet, byte) in octets.iter_mut().zip(head) {
            *octet = *byte;
        }
        // The length is at most 128. Bits beyond it mean nothing.
        let net = Ipv6Net::new(octets.into(), len).map_err(|_| self.short(field))?;
        let prefix = |padded_to| Prefix6 {
            net: net.trunc(),
            padded_to,
        };
        let error = match after(rest) {
            Ok(value) => return Ok((prefix(None), value)),
            Err(error) => error,
        };
        for width in [8u8, 16] {
            let Some(padding) = from.get(needed..usize::from(width)) else {
                continue;
            };
            let is_padding = !padding.is_empty() && padding.iter().all(|&byte| byte == 0);
            let behind = from.get(usize::from(width)..).filter(|_| is_padding);
            if let Some(Ok(value)) = behind.map(&after) {
                return Ok((prefix(Some(width)), value));
            }
        }
        Err(error)
    }

    fn option(self) -> Result<S46Option, Box<S46Error>> {
        match self.code {
            RULE => self.rule(),
            BR => Ok(S46Option::Br(Ipv6Addr::from(
                self.exactly::<16>("address")?,
            ))),
            DMR => {
                let (&len, rest) = self
                    .data
                    .split_first()
                    .ok_or_else(|| self.short("length"))?;
                let nothing = |rest| self.nothing_after(rest);
                let (prefix, ()) = self.prefix6(len, "prefix", rest, nothing)?;
                let dmr = Dmr::new(prefix.net);
                Ok(S46Option::Dmr {
                    dmr: dmr.map_err(|error| S46Error::Dmr { at: self.at, error })?,
                    padded_to: prefix.padded_to,
                })
            }
            BIND => self.bind(),
            PORTPARAMS => Ok(S46Option::PortParams(self.port_params()?)),
            code => Ok(S46Option::Other {
                code,
                // A length read from 16 bits.
                len: self.data.len() as u16,
            }),
        }
    }

    fn nothing_after(self, rest: &[u8]) -> Result<(), Box<S46Error>> {
        match rest.is_empty() {
            true => Ok(()),
            false => Err(self.long(self.data.len() - rest.len())),
        }
    }

    /// Section 4.1.
    fn rule(self) -> Result<S46Option, Box<S46Error>> {
        let [flags, ea_len, v4_len, a, b, c, d, v6_len, rest @ ..] = self.data else {
            return Err(self.short("lengths and IPv4 prefix"));
        };
        let ea_len = self.at_most("ea-len", *ea_len, MAX_EA_LEN)?;
        let v4_len = self.at_most("prefix4-len", *v4_len, 32)?;
        let inner = |rest| self.inner_ports(rest);
        let (ipv6, ports) = self.prefix6(*v6_len, "IPv6 prefix", rest, inner)?;
        let ipv4 = Ipv4Net::new(Ipv4Addr::new(*a, *b, *c, *d), v4_len)
            .map_err(|_| self.short("IPv4 prefix"))?;
        Ok(S46Option::Rule {
            fmr: flags & 1 == 1,
            ea_len,
            ipv4: ipv4.trunc(),
            ipv6: ipv6.net,
            ports,
            padded_to: ipv6.padded_to,
        })
    }

    /// Section 4.4.
    fn bind(self) -> Result<S46Option, Box<S46Error>> {
        let [a, b, c, d, v6_len, rest @ ..] = self.data else {
            return Err(self.short("IPv4 address and length"));
        };
        let inner = |rest| self.inner_ports(rest);
        let (ipv6, ports) = self.prefix6(*v6_len, "IPv6 prefix", rest, inner)?;
        Ok(S46Option::Bind {
            ipv4: Ipv4Addr::new(*a, *b, *c, *d),
            ipv6: ipv6.net,
            ports,
            padded_to: ipv6.padded_to,
        })
    }

    /// The options within a rule or binding, which end at the end of it.
    fn inner_ports(self, rest: &'a [u8]) -> Result<Option<PortParamsOption>, Box<S46Error>> {
        let mut ports = None;
        let at = self.at + 4 + self.data.len() - rest.len();
        for option in split(rest, at)? {
            match option.code {
                PORTPARAMS if ports.is_some() => {
                    return Err(S46Error::Second {
                        at: option.at,
                        code: option.code,
                        outer: self.code,
                    }
                    .into());
                }
                PORTPARAMS => ports = Some(option.port_params()?),
                RULE..=CONT_LW => return Err(option.misplaced(self.code)),
                RESERVED => return Err(S46Error::Reserved { at: option.at }.into()),
                _ => {}
            }
        }
        Ok(ports)
    }

    /// Section 4.5.
    fn port_params(self) -> Result<PortParamsOption, Box<S46Error>> {
        let [offset, psid_len, high, low] = self.exactly("offset, length and PSID")?;
        Ok(PortParamsOption {
            offset: self.at_most("offset", offset, 15)?,
            psid_len: self.at_most("PSID-len", psid_len, 16)?,
            psid: u16::from_be_bytes([high, low]),
        })
    }
}
