// SPDX-License-Identifier: GPL-2.0-or-later
//! MAP-T through OpenWrt's kmod-nat46: a device that translates, told what to
//! do in the words of `/proc/net/nat46/control`.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};

use super::problem::{Code, Problem};
use crate::map::{Border, Dialect, Mapping, Rule};
use crate::paths::rooted;
use crate::reason::said;

const CONTROL: &str = "/proc/net/nat46/control";

/// Whether the kernel has the module.
pub fn is_there() -> bool {
    rooted(CONTROL).exists()
}

/// What makes `device` translate for `mapping`: one command a line, each to be
/// written at once, as the module reads them. `fmrs` are those of a mesh.
///
/// # Errors
/// The module cannot express the mapping.
fn commands(device: &str, mapping: &Mapping, fmrs: &[Rule]) -> Result<String, Problem> {
    let style = match mapping.dialect() {
        Dialect::Rfc7597 => "MAP",
        Dialect::Draft03 => "MAP0",
    };
    let dmr = match mapping.border() {
        Some(Border::Dmr(dmr)) => dmr.to_string(),
        _ => String::new(),
    };
    let local = local_words(mapping)?;
    let mut commands = format!(
        "add {device}\n\
         config {device} local.style {style} {local} remote.v4 0.0.0.0/0 remote.v6 {dmr} \
         remote.style RFC6052 remote.ea-len 0 remote.psid-offset 0\n"
    );
    // The CEs of a rule that the module cannot express are reached through the
    // border.
    for rule in fmrs.iter().filter(|rule| is_expressible(rule)) {
        let remote = rule_words("remote", rule);
        commands += &format!("insert {device} remote.style {style} {remote}\n");
    }
    Ok(commands)
}

/// Whether the module computes with this rule as RFC 7599 does: it takes the
/// PSID from the EA bits only, and knows no CE with a whole IPv4 prefix.
fn is_expressible(rule: &Rule) -> bool {
    let has_address = rule.ea_len() >= 32 - rule.ipv4().prefix_len();
    has_address && rule.provisioned_psid().is_none()
}

/// The rule for our own address.
fn local_words(mapping: &Mapping) -> Result<String, Problem> {
    let (bmr, ipv4) = (mapping.bmr(), mapping.ipv4());
    if is_expressible(bmr) {
        return Ok(rule_words("local", bmr));
    }
    if ipv4.prefix_len() < 32 {
        return Err(Problem::passing(
            Code::UnsupportedType,
            said!(
                "nat46_prefix",
                "map-t: this line has the IPv4 prefix {prefix}, and kmod-nat46 translates for \
                 single addresses only",
                ipv4
            ),
        ));
    }
    // A rule for our address alone: then nothing is left to compute.
    let ce = mapping.ce_address();
    Ok(format!(
        "local.v4 {ipv4} local.v6 {ce}/128 local.ea-len 0 local.psid-offset 0"
    ))
}

fn rule_words(side: &str, rule: &Rule) -> String {
    format!(
        "{side}.v4 {} {side}.v6 {} {side}.ea-len {} {side}.psid-offset {}",
        rule.ipv4(),
        rule.ipv6(),
        rule.ea_len(),
        rule.port_params().offset()
    )
}

/// Makes the device. `mtu` is in bytes.
///
/// # Errors
/// The module is missing, or does not take a command; the device is then gone.
pub fn create(device: &str, mapping: &Mapping, fmrs: &[Rule], mtu: u16) -> Result<(), Problem> {
    if !is_there() {
        return Err(Problem::passing(
            Code::UnsupportedType,
            said!(
                "nat46_missing",
                "map-t needs the package kmod-nat46, which is not installed"
            ),
        ));
    }
    let commands = commands(device, mapping, fmrs)?;
    // A device that an earlier attempt left would keep its old rules.
    remove(device);
    for command in commands.lines() {
        if let Err(error) = say(command) {
            remove(device);
            return Err(Problem::passing(
                Code::TunnelFailed,
                said!(
                    "nat46_refused",
                    "kmod-nat46 does not take \"{command}\": {reason}",
                    command,
                    error
                ),
            ));
        }
    }
    let size = rooted(&format!("/sys/class/net/{device}/mtu"));
    if let Err(error) = fs::write(size, mtu.to_string()) {
        log::warn!("{device}: the MTU stays as it is: {error}");
    }
    Ok(())
}

/// Removes the device; one that is gone is fine.
pub fn remove(device: &str) {
    if is_there() {
        // The module answers with an error if there is no such device.
        let _ = say(&format!("del {device}"));
    }
}

/// One command, one write.
fn say(command: &str) -> io::Result<()> {
    // A plain file stands for the module in tests; the kernel ignores append.
    let mut control = OpenOptions::new().append(true).open(rooted(CONTROL))?;
    control.write_all(format!("{command}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::map::{Domain, MapType};

    fn mapping(dialect: Dialect) -> Mapping {
        let specs = [
            "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=16,\
             offset=6,dmr=2001:db8:ffff::/64,fmr",
            "ipv6prefix=2001:db8:100::,prefix6len=40,ipv4prefix=198.51.100.0,prefix4len=24,\
             ealen=16,offset=6,fmr",
        ]
        .map(|text| text.parse().unwrap());
        let domain = Domain::from_specs(&specs, MapType::MapT, dialect).unwrap();
        domain
            .map(&["2001:db8:12:3400::/56".parse().unwrap()])
            .unwrap()
    }

    /// The words and their order are those of the stock package.
    #[test]
    fn stock_control_words() {
        let mapping = mapping(Dialect::Rfc7597);
        let other = mapping.fmrs()[1];
        assert_eq!(
            commands("map-wan", &mapping, &[other])
                .unwrap()
                .lines()
                .collect::<Vec<_>>(),
            [
                "add map-wan",
                "config map-wan local.style MAP local.v4 192.0.2.0/24 local.v6 2001:db8::/40 \
                 local.ea-len 16 local.psid-offset 6 remote.v4 0.0.0.0/0 \
                 remote.v6 2001:db8:ffff::/64 remote.style RFC6052 remote.ea-len 0 \
                 remote.psid-offset 0",
                "insert map-wan remote.style MAP remote.v4 198.51.100.0/24 \
                 remote.v6 2001:db8:100::/40 remote.ea-len 16 remote.psid-offset 6",
            ]
        );
    }

    #[test]
    fn legacy_style() {
        let words = commands("map-wan", &mapping(Dialect::Draft03), &[]).unwrap();
        assert!(words.contains("local.style MAP0 "), "{words}");
    }

    fn of_rule(rule: &str) -> Result<String, Problem> {
        let spec = format!("{rule},dmr=2001:db8:ffff::/64").parse().unwrap();
        let domain = Domain::from_specs(&[spec], MapType::MapT, Dialect::Rfc7597).unwrap();
        let mapping = domain.map(&["2001:db8:12:3400::/56".parse().unwrap()]);
        commands("map-wan", &mapping.unwrap(), &[])
    }

    #[test]
    fn a_psid_beside_the_ea_bits_changes_nothing() {
        let rule = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,\
                    ealen=16";
        let with = of_rule(&format!("{rule},psidlen=8,psid=13312")).unwrap();
        assert_eq!(Ok(with.clone()), of_rule(rule));
        assert!(with.contains("local.ea-len 16 "), "{with}");
    }

    #[test]
    fn a_psid_that_is_not_in_the_prefix_makes_a_rule_for_one_address() {
        let words = of_rule(
            "ipv6prefix=2001:db8:12:3400::,prefix6len=56,ipv4prefix=192.0.2.18,psidlen=8,\
             psid=13568,ealen=0",
        );
        let expected = "local.v4 192.0.2.18/32 local.v6 2001:db8:12:3400:0:c000:212:35/128 \
                        local.ea-len 0 local.psid-offset 0 ";
        assert!(words.clone().unwrap().contains(expected), "{words:?}");
    }

    #[test]
    fn a_whole_ipv4_prefix_is_refused() {
        let problem = of_rule(
            "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24,ealen=4",
        );
        let problem = problem.unwrap_err();
        assert_eq!(problem.code, Code::UnsupportedType);
        assert!(problem.detail.contains("192.0.2.16/28"), "{problem}");
    }
}
