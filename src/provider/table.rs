// SPDX-License-Identifier: GPL-2.0-or-later
//! The table of all that is known, and the search in it.

use ipnet::Ipv6Net;

use crate::map::{Border, Domain, DomainError, RuleSpec, covers};
use crate::sanitize::excerpt;

use super::known::{Carrier, Confidence, KnownRule, OtherLine, Provider};
use crate::reason::{Reason, Tell, said, sentence};

/// Providers and lines without MAP, by IPv6 prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    pub(super) providers: Vec<Provider>,
    pub(super) others: Vec<OtherLine>,
}

/// What an IPv6 prefix of the table belongs to.
#[derive(Clone, Copy)]
enum Entry<'a> {
    Rule(Match<'a>),
    Other(&'a OtherLine),
}

/// A rule of a provider that holds for some end-user prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Match<'a> {
    provider: &'a Provider,
    rule: &'a KnownRule,
}

/// What is known of the line an end-user prefix comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict<'a> {
    /// MAP, with this rule.
    Map(Match<'a>),
    /// Perhaps MAP with this rule, which nobody has confirmed: only to be
    /// used if the user names the provider.
    Unconfirmed(Match<'a>),
    /// Certainly something else.
    NotMap(&'a OtherLine),
    /// Nothing is known of it.
    Unknown,
}

/// Why a line or an id has no usable rules. Each says what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No provider has this id.
    Unknown {
        /// What was asked for.
        id: String,
        /// All ids, separated by commas.
        known: String,
    },
    /// The id or the prefix belongs to a line without MAP.
    NotMap {
        /// The id or prefix.
        subject: String,
        /// Name of the line.
        name: String,
        /// What to configure instead.
        advice: String,
    },
    /// Only an unconfirmed rule matches, and the provider was not named.
    Unconfirmed {
        /// The end-user prefix.
        prefix: Ipv6Net,
        /// Name of the provider.
        name: String,
        /// Rule IPv6 prefix.
        rule: Ipv6Net,
        /// Id of the provider.
        id: String,
    },
    /// No rule of any provider.
    NoMatch {
        /// The end-user prefixes.
        prefixes: Vec<Ipv6Net>,
    },
}

impl Tell for ProviderError {
    fn reason(&self) -> Reason {
        match self {
            Self::Unknown { id, known } => said!(
                "provider_unknown",
                "provider {provider}: not known; known are {known}",
                excerpt(id),
                known
            ),
            Self::NotMap {
                subject,
                name,
                advice,
            } => said!(
                "provider_not_map",
                "{subject} is {name}, which has no MAP: {reason}",
                subject,
                name,
                advice
            ),
            Self::Unconfirmed {
                prefix,
                name,
                rule,
                id,
            } => said!(
                "provider_unconfirmed",
                "{prefix} may be {name} by rule {rule}, which nobody has confirmed yet: set option provider '{provider}' to try it",
                prefix,
                name,
                rule,
                id
            ),
            Self::NoMatch { prefixes } if prefixes.len() == 1 => said!(
                "provider_no_match",
                "{prefix} belongs to no known provider; set provider 'none' and give the rule",
                listed(prefixes)
            ),
            Self::NoMatch { prefixes } => said!(
                "provider_no_matches",
                "{prefixes} belong to no known provider; set provider 'none' and give the rule",
                listed(prefixes)
            ),
        }
    }
}

sentence!(ProviderError);

fn listed(prefixes: &[Ipv6Net]) -> String {
    let names: Vec<String> = prefixes.iter().map(Ipv6Net::to_string).collect();
    names.join(", ")
}

impl Table {
    /// The provider with that id.
    ///
    /// # Errors
    /// None has it; the error lists those there are.
    pub fn provider(&self, id: &str) -> Result<&Provider, ProviderError> {
        if let Some(provider) = self.providers.iter().find(|p| p.id == id) {
            return Ok(provider);
        }
        if let Some(line) = self.others.iter().find(|line| line.id == id) {
            return Err(line.refusal(format!("provider {id}")));
        }
        let known: Vec<&str> = self.providers.iter().map(Provider::id).collect();
        Err(ProviderError::Unknown {
            id: id.into(),
            known: known.join(", "),
        })
    }

    /// All providers.
    pub fn providers(&self) -> &[Provider] {
        &self.providers
    }

    /// All lines known not to have MAP.
    pub fn other_lines(&self) -> &[OtherLine] {
        &self.others
    }

    /// The value of `option update_url` for lines of that id whose fixed address
    /// is to be registered.
    pub fn update_of(&self, id: &str) -> Option<&str> {
        let line = self.others.iter().find(|line| line.id == id)?;
        match &line.carrier {
            Carrier::IpIp { update, .. } => update.as_deref(),
            Carrier::DsLite { .. } | Carrier::Other => None,
        }
    }

    /// Number of rules of all providers.
    pub fn rule_count(&self) -> usize {
        self.providers.iter().map(|p| p.rules.len()).sum()
    }

    /// Number of providers, of lines without MAP, and of their prefixes.
    pub(super) fn entry_count(&self) -> usize {
        let lines = self.others.iter().map(|line| 1 + line.prefixes.len());
        self.providers.len() + lines.sum::<usize>()
    }

    /// The rule with the longest IPv6 prefix that contains `prefix`, however
    /// sure it is. A single address is a prefix of 128 bits.
    pub fn lookup(&self, prefix: &Ipv6Net) -> Option<Match<'_>> {
        match self.find(prefix)? {
            Entry::Rule(found) => Some(found),
            Entry::Other(_) => None,
        }
    }

    /// What is known of the line with that end-user prefix.
    pub fn lookup_line(&self, prefix: &Ipv6Net) -> Verdict<'_> {
        match self.find(prefix) {
            Some(Entry::Rule(found)) => Verdict::of(found),
            Some(Entry::Other(line)) => Verdict::NotMap(line),
            None => Verdict::Unknown,
        }
    }

    /// The rule for `option provider 'auto'`: of all `prefixes` the one under
    /// the longest confirmed rule, the earlier among equals. A prefix that is
    /// too short for its rule's EA bits is only chosen if no other fits.
    ///
    /// # Errors
    /// No confirmed rule matches; the error says what the line is instead,
    /// if that is known.
    pub fn choose(&self, prefixes: &[Ipv6Net]) -> Result<(Match<'_>, Ipv6Net), ProviderError> {
        let mut best: Option<(Match<'_>, Ipv6Net)> = None;
        let mut refusal = None;
        for prefix in prefixes {
            match self.lookup_line(prefix) {
                Verdict::Map(found) => {
                    let rank = |found: &Match<'_>, p: &Ipv6Net| (found.fits(p), found.len());
                    if best.is_none_or(|(b, p)| rank(&found, prefix) > rank(&b, &p)) {
                        best = Some((found, *prefix));
                    }
                }
                verdict => refusal = refusal.or_else(|| verdict.refusal(prefix)),
            }
        }
        best.ok_or_else(|| {
            refusal.unwrap_or_else(|| ProviderError::NoMatch {
                prefixes: prefixes.to_vec(),
            })
        })
    }

    /// The longest entry that contains `prefix`. All are looked at: a table is
    /// searched once or twice after it was read, and sorting it would take
    /// fifty times as long.
    fn find(&self, prefix: &Ipv6Net) -> Option<Entry<'_>> {
        let mut found: Option<(u8, Entry<'_>)> = None;
        let mut consider = |net: &Ipv6Net, entry| {
            if covers(*net, *prefix) && found.is_none_or(|(len, _)| net.prefix_len() > len) {
                found = Some((net.prefix_len(), entry));
            }
        };
        for provider in &self.providers {
            for rule in &provider.rules {
                consider(&rule.ipv6, Entry::Rule(Match { provider, rule }));
            }
        }
        for line in &self.others {
            for net in &line.prefixes {
                consider(net, Entry::Other(line));
            }
        }
        found.map(|(_, entry)| entry)
    }

    /// Whether some entry covers all of `prefix`.
    pub(super) fn covers(&self, prefix: &Ipv6Net) -> bool {
        self.find(prefix).is_some()
    }
}

impl OtherLine {
    fn refusal(&self, subject: String) -> ProviderError {
        ProviderError::NotMap {
            subject,
            name: self.name.clone(),
            advice: self.advice.clone(),
        }
    }
}

impl<'a> Verdict<'a> {
    fn of(found: Match<'a>) -> Self {
        match found.rule.confidence {
            Confidence::Unverified => Verdict::Unconfirmed(found),
            _ => Verdict::Map(found),
        }
    }

    /// The sentence for a user whose end-user prefix got this verdict; `None`
    /// if it is MAP, or nothing is known.
    pub fn refusal(&self, prefix: &Ipv6Net) -> Option<ProviderError> {
        match self {
            Verdict::NotMap(line) => Some(line.refusal(prefix.to_string())),
            Verdict::Unconfirmed(found) => Some(ProviderError::Unconfirmed {
                prefix: *prefix,
                name: found.provider.name.clone(),
                rule: found.rule.ipv6,
                id: found.provider.id.clone(),
            }),
            Verdict::Map(_) | Verdict::Unknown => None,
        }
    }
}

impl<'a> Match<'a> {
    /// Whose rule it is.
    pub fn provider(&self) -> &'a Provider {
        self.provider
    }

    /// The rule itself.
    pub fn rule(&self) -> &'a KnownRule {
        self.rule
    }

    /// The rule with all that belongs to it.
    pub fn spec(&self) -> RuleSpec {
        self.provider.spec(self.rule, false)
    }

    /// Its BR or DMR.
    pub fn border(&self) -> Option<Border> {
        self.provider.border_of(self.rule)
    }

    /// The domain to map the end-user prefix in: this rule alone, or with
    /// `mesh` all rules of a provider that is known to do
    /// [mesh](Provider::has_mesh).
    ///
    /// # Errors
    /// None for a rule of a table; a rule is checked when it is loaded.
    pub fn domain(&self, mesh: bool) -> Result<Domain, Box<DomainError>> {
        let Provider {
            map_type, dialect, ..
        } = *self.provider;
        if mesh && self.provider.mesh {
            return self.provider.domain(true);
        }
        Domain::from_specs(&[self.spec()], map_type, dialect)
    }

    /// Whether `prefix` holds all EA bits of the rule.
    fn fits(&self, prefix: &Ipv6Net) -> bool {
        prefix.prefix_len() >= self.len() + self.rule.ea_len
    }

    fn len(&self) -> u8 {
        self.rule.ipv6.prefix_len()
    }
}
