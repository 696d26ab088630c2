// SPDX-License-Identifier: GPL-2.0-or-later
//! Which names an interface may have: its device, files and tables carry them.

use crate::handler::link::device_of;
use crate::handler::problem::{Code, Problem};
use crate::reason::said;
use crate::sanitize::quoted;

/// Longest interface name: the device is `map-` and the name, and the kernel
/// takes 15 characters.
const MAX_NAME: usize = 11;

/// Name of the network device of an interface.
///
/// # Errors
/// A name the kernel or nftables would not take.
pub fn device_name(interface: &str) -> Result<String, Problem> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let first = interface.chars().next();
    if !interface.chars().all(plain) || !first.is_some_and(|c| c.is_ascii_alphanumeric()) {
        return Err(Problem::fatal(
            Code::InvalidConfig,
            said!(
                "interface_name",
                "interface name {name}: only letters, digits, '_', '-' and '.' are \
                 allowed, a letter or digit first",
                quoted(interface)
            ),
        ));
    }
    if interface.len() > MAX_NAME {
        return Err(Problem::fatal(
            Code::InvalidConfig,
            said!(
                "interface_name_length",
                "interface name {name}: at most {max} characters, since its device \
                 is called {device}",
                interface,
                MAX_NAME,
                device_of(interface)
            ),
        ));
    }
    Ok(device_of(interface))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interface_names() {
        assert_eq!(device_name("wanmap").unwrap(), "map-wanmap");
        assert_eq!(device_name("wan6_4").unwrap(), "map-wan6_4");
        for bad in ["", "wan map", "a;b", "$(x)", "-x", "ｗａｎ", "abcdefghijkl"] {
            assert!(device_name(bad).is_err(), "{bad}");
        }
    }
}
