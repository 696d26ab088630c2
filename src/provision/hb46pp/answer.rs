// SPDX-License-Identifier: GPL-2.0-or-later
//! The JSON that a provisioning server answers with.

use serde::{Deserialize, Deserializer};

use super::offers::{DsLite, IpIp, Lw4o6, MapE, MapT, Offer, Xlat464};
use super::read::{flag, number};
use super::values::{Auth, Capability, Label, Token, Ttl};
use crate::members::{FromMembers, MemberError, Members};
use crate::reason::{Reason, Tell, said, sentence};
use crate::sanitize::one_line;

/// An answer: every value in its range and none contradicting another. Keys
/// that are not known are passed over, as the specification wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The VNE, or outside NGN the ISP.
    pub enabler_name: Label,
    /// The VNE's service.
    pub service_name: Option<Label>,
    /// The ISP's service.
    pub isp_name: Option<Label>,
    /// How long the answer holds. The table of the specification demands it,
    /// its flow chart does without.
    pub ttl: Option<Ttl>,
    /// To be sent with the next request.
    pub token: Option<Token>,
    /// What became of user name and password.
    pub auth: Option<Auth>,
    /// Mechanisms, best first.
    pub order: Order,
    /// The LAN is to be IPv6-mostly (RFC 8925) with the prefix of `464xlat`.
    pub ipv6_mostly: bool,
    /// MAP-E.
    pub map_e: Option<MapE>,
    /// MAP-T.
    pub map_t: Option<MapT>,
    /// Lightweight 4over6.
    pub lw4o6: Option<Lw4o6>,
    /// DS-Lite.
    pub dslite: Option<DsLite>,
    /// Fixed addresses over IPIP.
    pub ipip: Option<Vec<IpIp>>,
    /// 464XLAT.
    pub xlat464: Option<Xlat464>,
}

/// `order`: what is known of it, and what is not.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "Vec<String>")]
pub struct Order {
    /// The mechanisms that the specification knows.
    pub known: Vec<Capability>,
    /// Other words, for messages; they are passed over.
    pub unknown: Vec<String>,
}

/// Why an answer was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerError {
    /// It is no JSON, or ends within.
    Json(String),
    /// A value is missing, of the wrong type or out of range.
    Value {
        /// Where, such as `map_e.rules[3].ipv4`.
        key: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A required key is missing.
    Missing(String),
    /// The token is not one; what it is stays unsaid.
    Token,
    /// A mechanism stands twice in the order.
    Duplicate(Capability),
    /// The order names a mechanism that is not described.
    NoOffer(Capability),
    /// An IPv6-mostly LAN needs the prefix of the NAT64.
    NoNat64,
}

impl Tell for AnswerError {
    fn reason(&self) -> Reason {
        match self {
            Self::Json(reason) => said!(
                "answer_json",
                "the answer is not valid JSON: {reason}",
                reason
            ),
            Self::Value { key, reason } => said!("about", "{name}: {reason}", key, reason),
            Self::Missing(words) => Reason::Text(words.clone()),
            Self::Token => said!(
                "answer_token",
                "token: must be 64 lower-case hexadecimal digits"
            ),
            Self::Duplicate(name) => {
                said!("answer_duplicate", "order: {name} is in it twice", name)
            }
            Self::NoOffer(name) => said!(
                "answer_no_offer",
                "order: {name} is in it, but the answer has no {other}",
                name,
                name
            ),
            Self::NoNat64 => said!("answer_no_nat64", "ipv6_mostly: the answer has no 464xlat"),
        }
    }
}

sentence!(AnswerError);

/// Longest reason that is kept: parsers quote what they do not like.
const MAX_REASON: usize = 200;

impl Answer {
    /// Reads and checks an answer.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(json: &[u8]) -> Result<Self, AnswerError> {
        let value = serde_json::from_slice(json)
            .map_err(|error| AnswerError::Json(reason(&error.to_string())))?;
        let answer = Self::from_value(value).map_err(refuse)?;
        answer.check()?;
        Ok(answer)
    }

    /// Whether the answer describes that mechanism.
    pub fn offers(&self, capability: Capability) -> bool {
        match capability {
            Capability::Xlat464 => self.xlat464.is_some(),
            Capability::DsLite => self.dslite.is_some(),
            Capability::IpIp => self.ipip.is_some(),
            Capability::Lw4o6 => self.lw4o6.is_some(),
            Capability::MapE => self.map_e.is_some(),
            Capability::MapT => self.map_t.is_some(),
        }
    }

    fn check(&self) -> Result<(), AnswerError> {
        check(Capability::MapE, self.map_e.as_ref())?;
        check(Capability::MapT, self.map_t.as_ref())?;
        check(Capability::Lw4o6, self.lw4o6.as_ref())?;
        check(Capability::Xlat464, self.xlat464.as_ref())?;
        for (at, capability) in self.order.known.iter().enumerate() {
            if self.order.known.iter().take(at).any(|c| c == capability) {
                return Err(AnswerError::Duplicate(*capability));
            }
            if !self.offers(*capability) {
                return Err(AnswerError::NoOffer(*capability));
            }
        }
        match self.ipv6_mostly && self.xlat464.is_none() {
            true => Err(AnswerError::NoNat64),
            false => Ok(()),
        }
    }
}

impl FromMembers for Answer {
    fn from_members(mut members: Members) -> Result<Self, MemberError> {
        Ok(Answer {
            enabler_name: members.required("enabler_name")?,
            service_name: members.optional("service_name")?,
            isp_name: members.optional("isp_name")?,
            ttl: members.optional_with("ttl", ttl)?,
            token: members.optional("token")?,
            auth: members.optional("auth")?,
            order: members.required("order")?,
            ipv6_mostly: members.optional_with("ipv6_mostly", flag)?.unwrap_or(false),
            map_e: members.object("map_e")?,
            map_t: members.object("map_t")?,
            lw4o6: members.object("lw4o6")?,
            dslite: members.object("dslite")?,
            ipip: members.objects("ipip")?,
            xlat464: members.object("464xlat")?,
        })
    }
}

fn check(capability: Capability, offer: Option<&impl Offer>) -> Result<(), AnswerError> {
    let checked = offer.map_or(Ok(()), Offer::check);
    checked.map_err(|(key, reason)| AnswerError::Value {
        key: format!("{capability}.{key}"),
        reason,
    })
}

impl From<Vec<String>> for Order {
    fn from(words: Vec<String>) -> Self {
        let (mut known, mut unknown) = (Vec::new(), Vec::new());
        for word in words {
            match word.parse() {
                Ok(capability) => known.push(capability),
                Err(_) => unknown.push(word),
            }
        }
        Order { known, unknown }
    }
}

fn ttl<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Ttl, D::Error> {
    Ttl::try_from(number(deserializer)?).map_err(serde::de::Error::custom)
}

fn refuse(MemberError { path, reason: why }: MemberError) -> AnswerError {
    match path.as_str() {
        "token" => AnswerError::Token,
        "" => AnswerError::Missing(reason(&why)),
        key => AnswerError::Value {
            key: one_line(key, MAX_REASON),
            reason: reason(&why),
        },
    }
}

/// What the parser says, as one line.
fn reason(error: &str) -> String {
    one_line(error, MAX_REASON)
}
