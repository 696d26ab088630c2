// SPDX-License-Identifier: GPL-2.0-or-later
//! A MAP domain: the rules an operator or provider gives its subscribers.

use ipnet::Ipv6Net;

use super::address::Dialect;
use super::bits::covers;
use super::border::Border;
use super::map_type::MapType;
use super::mapping::{MapError, Mapping, MappingParts};
use super::psid::PsidReadings;
use super::rule::Rule;
use super::spec::{Overrides, Resolved, RuleSpec, SpecError};

mod error;

pub use error::{DomainError, MAX_RULES};

/// One rule of a domain with what belongs to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Entry {
    spec: RuleSpec,
    ipv6: Ipv6Net,
    /// The end-user prefix, if the rule itself names it.
    pd: Option<Ipv6Net>,
}

/// A rule as a BR knows it, without a subscriber.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownToBr {
    pub(super) rule: Rule,
    pub(super) border: Option<Border>,
    /// The PSID that was written down for one CE, though the EA bits have it.
    pub(super) stated: Option<PsidReadings>,
}

/// Rules, dialect and border: everything but the subscriber.
///
/// ```
/// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
/// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
/// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
/// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
/// let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
/// assert_eq!(mapping.ipv4().to_string(), "192.0.2.18/32");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Domain {
    map_type: MapType,
    dialect: Dialect,
    entries: Vec<Entry>,
}

impl Domain {
    /// Checks `specs` and makes a domain of them. A spec without a type is of
    /// `map_type`.
    ///
    /// ```
    /// use mape::map::{Dialect, Domain, MapType};
    ///
    /// let rule = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,prefix4len=24";
    /// let domain = Domain::from_specs(&[rule.parse()?], MapType::MapE, Dialect::Rfc7597)?;
    /// assert_eq!(domain.rule_count(), 1);
    ///
    /// let error = Domain::from_specs(&["ealen=16".parse()?], MapType::MapE, Dialect::Rfc7597);
    /// assert_eq!(error.unwrap_err().to_string(), "rule 1: prefix6len is missing");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The first rule that is incomplete, contradicts itself or the type.
    pub fn from_specs(
        specs: &[RuleSpec],
        map_type: MapType,
        dialect: Dialect,
    ) -> Result<Self, Box<DomainError>> {
        if specs.is_empty() {
            return Err(DomainError::Empty.into());
        }
        if specs.len() > MAX_RULES {
            return Err(DomainError::TooMany(specs.len()).into());
        }
        let numbered = specs.iter().zip(1..);
        let entries = numbered.map(|(spec, index)| Entry::new(spec, index, map_type, dialect));
        Ok(Domain {
            map_type,
            dialect,
            entries: entries.collect::<Result<_, _>>()?,
        })
    }

    /// The same domain with what a user knows better than its server.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// use mape::map::Overrides;
    ///
    /// let overrides = Overrides { offset: Some(0), ..Overrides::default() };
    /// let mapping = domain.corrected(&overrides)?.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.ports().params().offset(), 0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// The values contradict a rule.
    pub fn corrected(&self, overrides: &Overrides) -> Result<Self, Box<DomainError>> {
        let mut specs: Vec<RuleSpec> = self.entries.iter().map(|entry| entry.spec).collect();
        overrides.apply(&mut specs);
        Self::from_specs(&specs, self.map_type, self.dialect)
    }

    /// Protocol of the domain.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// assert_eq!(domain.map_type(), MapType::MapE);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn map_type(&self) -> MapType {
        self.map_type
    }

    /// Layout of the interface identifier.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// assert_eq!(domain.dialect(), Dialect::Rfc7597);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Number of rules.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// assert_eq!(domain.rule_count(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn rule_count(&self) -> usize {
        self.entries.len()
    }

    /// Whether a rule that is no mere FMR lacks its BR or DMR.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// assert!(!domain.bmr_candidates_without_border());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn bmr_candidates_without_border(&self) -> bool {
        let lacks = |entry: &Entry| !entry.spec.fmr && entry.border().is_none();
        self.entries.iter().any(lacks)
    }

    /// Whether some rule's IPv6 prefix contains `prefix`, whatever its length.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// assert!(domain.is_home_of(&"2001:db8:12::/48".parse()?));
    /// assert!(!domain.is_home_of(&"2001:db8:100::/48".parse()?));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn is_home_of(&self, prefix: &Ipv6Net) -> bool {
        self.entries.iter().any(|entry| covers(entry.ipv6, *prefix))
    }

    /// The end-user prefix that a rule itself names; that of the first which
    /// does.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// assert_eq!(domain.named_end_user(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn named_end_user(&self) -> Option<Ipv6Net> {
        self.entries.iter().find_map(|entry| entry.pd)
    }

    /// The mapping of the CE that has one of these end-user prefixes. The BMR
    /// is the matching rule with the longest IPv6 prefix; among prefixes under
    /// equally long rules the earlier one wins.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// let mapping = domain.map(&["2001:db8:12:3400::/56".parse()?])?;
    /// assert_eq!(mapping.ports().psid().value(), 0x34);
    /// assert!(domain.map(&["2001:db8:100::/56".parse()?]).is_err(), "under no rule");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// No rule matches, or the best one does not fit the prefix.
    pub fn map(&self, end_user: &[Ipv6Net]) -> Result<Mapping, Box<MapError>> {
        let mut best: Option<(&Entry, Ipv6Net, Fit)> = None;
        let mut too_short = None;
        for prefix in end_user.iter().map(Ipv6Net::trunc) {
            for entry in &self.entries {
                let Some(own) = entry.end_user(prefix, self.map_type) else {
                    continue;
                };
                match self.fit(entry, own) {
                    Err(error) => {
                        too_short.get_or_insert(error);
                    }
                    Ok(fit) if best.as_ref().is_none_or(|known| fit.beats(entry, known)) => {
                        best = Some((entry, own, fit));
                    }
                    Ok(_) => {}
                }
            }
        }
        let (entry, end_user, fit) =
            best.ok_or_else(|| too_short.unwrap_or_else(|| MapError::NoRule(end_user.to_vec())))?;
        let mapping = Mapping::new(MappingParts {
            map_type: self.map_type,
            dialect: self.dialect,
            end_user,
            bmr: fit.0.map_err(MapError::Rule)?,
            fmrs: self.fmrs(end_user),
            border: entry.border(),
        });
        Ok(mapping?)
    }

    /// How a rule fits an end-user prefix that it covers.
    ///
    /// # Errors
    /// The prefix is too short for it.
    fn fit(&self, entry: &Entry, prefix: Ipv6Net) -> Result<Fit, MapError> {
        let resolved = match self.resolve(entry, Some(prefix)) {
            Ok(resolved) => resolved,
            Err(error) => return Ok(Fit(Err(error))),
        };
        let needed = resolved.rule.end_user_len();
        if prefix.prefix_len() < needed {
            return Err(MapError::PrefixTooShort {
                prefix,
                needed,
                rule: entry.ipv6,
            });
        }
        let checked = resolved.check(prefix).map_err(Box::new);
        Ok(Fit(checked.map(|()| resolved.rule)))
    }

    /// Every forwarding mapping rule as the CE with that end-user prefix sees
    /// it, longest IPv6 prefix first: the order in which they must be tried,
    /// and in which they are dropped if a kernel takes only some. A rule that
    /// depends on the end-user prefix is no FMR for other CEs.
    ///
    /// ```
    /// # use mape::map::{Dialect, Domain, MapType, RuleSpec};
    /// # let spec: RuleSpec = "ipv6prefix=2001:db8::,prefix6len=40,ipv4prefix=192.0.2.0,\
    /// #     prefix4len=24,ealen=16,br=2001:db8:ffff::1".parse()?;
    /// # let domain = Domain::from_specs(&[spec], MapType::MapE, Dialect::Rfc7597)?;
    /// let mesh = Domain::from_specs(
    ///     &[RuleSpec { fmr: true, ..spec }],
    ///     MapType::MapE,
    ///     Dialect::Rfc7597,
    /// )?;
    /// let end_user = "2001:db8:12:3400::/56".parse()?;
    /// assert_eq!(mesh.fmrs(end_user).len(), 1);
    /// assert!(domain.fmrs(end_user).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn fmrs(&self, end_user: Ipv6Net) -> Vec<Rule> {
        let flagged = self.entries.iter().filter(|entry| entry.spec.fmr);
        let mut fmrs: Vec<Rule> = flagged
            .filter_map(|entry| {
                let own = covers(entry.ipv6, end_user).then_some(end_user);
                let resolved = self.resolve(entry, own).ok()?;
                (resolved.is_general || own.is_some()).then_some(resolved.rule)
            })
            .collect();
        fmrs.sort_by_key(|rule| std::cmp::Reverse(rule.ipv6().prefix_len()));
        fmrs
    }

    /// All rules, in the order given, for arithmetic on behalf of a BR. Rules
    /// that depend on the end-user prefix are left out: only their CE knows
    /// them.
    pub(super) fn known_to_br(&self) -> Vec<KnownToBr> {
        let resolved = self.entries.iter().filter_map(|entry| {
            let resolved = self.resolve(entry, entry.pd).ok()?;
            let is_known = resolved.is_general || entry.pd.is_some();
            is_known.then(|| KnownToBr {
                rule: resolved.rule,
                border: entry.border(),
                stated: resolved.stated,
            })
        });
        resolved.collect()
    }

    fn resolve(
        &self,
        entry: &Entry,
        end_user: Option<Ipv6Net>,
    ) -> Result<Resolved, Box<SpecError>> {
        entry.spec.resolve(self.map_type, self.dialect, end_user)
    }
}

/// The BMR that a rule is for an end-user prefix, or what contradicts that.
struct Fit(Result<Rule, Box<SpecError>>);

impl Fit {
    /// Whether this is better than the best one so far: the longer rule is;
    /// among equals one without a contradiction.
    fn beats(&self, entry: &Entry, (other, _, fit): &(&Entry, Ipv6Net, Fit)) -> bool {
        (entry.len(), self.0.is_ok()) > (other.len(), fit.0.is_ok())
    }
}

impl Entry {
    /// A rule that can be of such a domain.
    fn new(
        spec: &RuleSpec,
        index: usize,
        map_type: MapType,
        dialect: Dialect,
    ) -> Result<Self, Box<DomainError>> {
        if let Some(found) = spec.map_type.filter(|&found| found != map_type) {
            Err(DomainError::Type {
                index,
                found,
                expected: map_type,
            })?;
        }
        let (option, is_foreign) = match map_type {
            MapType::MapT => ("br", spec.br.is_some()),
            MapType::MapE | MapType::Lw4o6 => ("dmr", spec.dmr.is_some()),
        };
        if is_foreign {
            Err(DomainError::Border {
                index,
                option,
                map_type,
            })?;
        }
        let named = |error| DomainError::Rule { index, error };
        let ipv6 = spec.ipv6().map_err(named)?;
        let pd = spec.end_user().map_err(named)?;
        let resolved = spec.resolve(map_type, dialect, pd).map_err(named)?;
        if let Some(pd) = pd.filter(|pd| resolved.rule.covers(pd)) {
            resolved.check(pd).map_err(Box::new).map_err(named)?;
        }
        Ok(Entry {
            spec: *spec,
            ipv6,
            pd,
        })
    }

    fn len(&self) -> u8 {
        self.ipv6.prefix_len()
    }

    /// BR or DMR: [`Entry::new`] lets only one of them through.
    fn border(&self) -> Option<Border> {
        let br = self.spec.br.map(Border::Br);
        br.or(self.spec.dmr.map(Border::Dmr))
    }

    /// The end-user prefix of a CE with that prefix under this rule. See
    /// [`end_user_under`].
    fn end_user(&self, prefix: Ipv6Net, map_type: MapType) -> Option<Ipv6Net> {
        self.pd
            .or_else(|| end_user_under(self.ipv6, prefix, map_type))
    }
}

/// What counts as the end-user prefix of a line with `prefix` under a rule
/// with that IPv6 prefix: the prefix itself, if the rule covers it; of a lw4o6
/// binding that is only for a part of the prefix, such as a single address,
/// that part.
pub(super) fn end_user_under(rule: Ipv6Net, prefix: Ipv6Net, map_type: MapType) -> Option<Ipv6Net> {
    if covers(rule, prefix) {
        return Some(prefix);
    }
    (map_type == MapType::Lw4o6 && covers(prefix, rule)).then_some(rule)
}

#[cfg(test)]
mod tests;
