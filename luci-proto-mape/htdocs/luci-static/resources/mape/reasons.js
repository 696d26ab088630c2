// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';

const translate = _;

/*
 * The sentences of the program about what is wrong, as it says them; braces
 * stand for what a sentence names, {reason} for another of these sentences and
 * {option} for an option of the interface. tests/luci/reasons.test.mjs holds
 * them against the program. The list is a function of what marks its texts for
 * translation, because the English is needed too: it is what comes over the bus.
 */
const list = _ => [
	/* Options */
	_('{option} {value}: must be a number from {min} to {max}'),
	_('{option} {value}: must be a number, at most {max}'),
	_('{option} {value}: must be 0 or 1'),
	_('{option} {value}: must be an IPv6 address'),
	_('{option} {value}: must be an IPv4 address'),
	_('{option} {value}: must be an IPv6 prefix such as {example}'),
	_('{option} {value}: must be an IPv4 address or block such as {example}'),
	_('{option} {value}: must be ignore or a number from {min} to {max}'),
	_('{option} {value}: must be the last four groups of the address, such as {example}, or draft-03'),
	_('{option} {value}: write the address alone and its length as {other}'),
	_('{option} {value}: must be {allowed}'),
	_('{option} {value}: at most {max}'),
	_('{option}: must be a single value'),
	_('{option} is missing'),
	_('{option} is missing: {reason}'),
	_('the fixed IPv4 address or block'),
	_('the IPv6 address of the border relay'),
	_('the default mapping prefix'),
	_('the IPv6 address of the AFTR'),
	_('ds-lite or ipip'),
	_('username and password: only both together'),
	_('must be 1 to 32 letters, digits, hyphens or underscores'),
	_('the configuration is not a JSON object: {reason}'),
	_('interface name {name}: only letters, digits, \'_\', \'-\' and \'.\' are allowed, a letter or digit first'),
	_('interface name {name}: at most {max} characters, since its device is called {device}'),
	_('interface {name}: 1 to {max} letters, digits, _, . or -'),
	_('device {name}: 1 to {max} letters, digits, _, ., @ or -'),
	_('the configuration has an interface {name}, and {interface} needs that name for its address; call one of them something else'),
	_('{text}: a port (1 to 65535) or a range such as {example} is wanted'),
	_('{range}: the first port is above the last; write {other}'),

	/* The rule */
	_('type {value}: must be {allowed}'),
	_('{name} is not known; a rule has {keys}'),
	_('psidlen {length}: at most ealen, which is {ea}, unless psid is given too'),
	_('psidlen {length}: ealen {ea} and ip4prefixlen {prefix} leave {left} bits for the PSID'),
	_('psid {value}: the EA bits of {prefix} say {found}; leave psid out, or check ealen, psidlen and the prefix'),
	_('psid {value}: with psidlen {length} at most {max}'),
	_('psid {value}: no PSID of {length} bits, neither left-justified in 16 bits nor as a number (at most {max})'),
	_('psid: ealen {ea} and ip4prefixlen {prefix} already have the PSID in the prefix'),
	_('psid: an address is only shared when ip4prefixlen and ealen together reach 32'),
	_('offset {value} and psidlen {length}: together at most 16 (the bits of a port)'),
	_('ip6prefixlen {prefix} and ealen {ea}: together at most 64'),
	_('ealen is missing, and the {ea} bits that follow from the rest do not fit: {reason}'),
	_('pd {prefix}: not within the rule\'s ipv6prefix {rule}'),
	_('dmr {value}: must be an IPv6 prefix such as {example}'),
	_('dmr {value}: the length must be 32, 40, 48, 56, 64 or 96 (RFC 6052)'),
	_('rule: none is given'),
	_('rule: {count} rules are given, at most {max}'),
	_('rule {rule}: {reason}'),
	_('type {found} in a {expected} interface'),
	_('{option} does not belong to {type}'),
	_('there is no IPv6 prefix yet'),
	_('no rule matches {prefix}'),
	_('the end-user prefix {prefix} is too short: rule {rule} needs /{length}'),

	/* Addresses */
	_('br {address}: {reason}, so no border relay has it'),
	_('br {address}: that is this router\'s own address on the line'),
	_('ipv4prefix {prefix}: {reason}, so no subscriber can have an address of it'),
	_('the rule makes this line\'s IPv4 address {address}: {reason}; it cannot be right'),
	_('end-user prefix {prefix}: {reason}, so no line has it'),
	_('end-user prefix {prefix}: a single address; only lw4o6 binds one, MAP needs the prefix of the line'),
	_('unspecified', 'kind of address'),
	_('loopback', 'kind of address'),
	_('multicast', 'kind of address'),
	_('link-local', 'kind of address'),
	_('all of IPv6'),
	_('an IPv4 address in IPv6 notation'),
	_('in {block}, which is "this network"'),
	_('in {block}, which is loopback'),
	_('in {block}, which is multicast'),
	_('in {block}, which is reserved'),
	_('{address} cannot be the far end of a tunnel: {reason}'),
	_('it is this router\'s own address on the line'),
	_('the unspecified address cannot be used'),
	_('a loopback address cannot be used'),
	_('a multicast address cannot be used'),
	_('a link-local address cannot be used'),
	_('an IPv4-mapped IPv6 address cannot be used'),
	_('the broadcast address cannot be used'),
	_('a DNS name cannot be empty'),
	_('a DNS name has at most 253 characters'),
	_('each part of a DNS name has 1 to 63 characters and no hyphen at either end'),
	_('a DNS name consists of letters, digits, hyphens and underscores'),
	_('a DNS name cannot end in a number; an IPv4 address cannot be used'),
	_('must be an IPv6 address or a DNS name, not an IPv4 address'),
	_('must be an IPv6 address or a DNS name: {reason}'),

	/* The line and its provider */
	_('{uplink} is not up yet'),
	_('{uplink} is up but has no IPv6 prefix yet'),
	_('tunlink {uplink}: there is no such interface; netifd has {others}'),
	_('no interface that is up has an IPv6 prefix yet; option tunlink names the one to wait for'),
	_('{uplink} went away during the setup'),
	_('provider {provider}: not known; known are {known}'),
	_('provider {provider}: its BR is not known; set option peeraddr'),
	_('provider {provider}: {name} is not known to have DS-Lite'),
	_('provider {provider}: {reason}'),
	_('{subject} is {name}, which has no MAP: {reason}'),
	_('{prefix} may be {name} by rule {rule}, which nobody has confirmed yet: set option provider \'{provider}\' to try it'),
	_('{prefix} belongs to no known provider; set provider \'none\' and give the rule'),
	_('{prefix} belong to no known provider; set provider \'none\' and give the rule'),
	_('{prefix} belongs to no known provider; if yours named a rule, try {command}'),
	_('{prefix} belongs to no known provider; if yours named a rule, give it with --rule'),
	_('{prefix} may be {name} by rule {rule}, which nobody has confirmed yet; --provider {provider} takes it'),
	_('no rule of {name} matches {prefix}; {reason}'),
	_('it belongs to {name}: give --provider {provider}'),
	_('it belongs to {name}'),
	_('it belongs to no known provider; check the prefix'),
	_('{prefix} is too short to be of one line: it contains prefixes of {names}; give the prefix or address that your line has'),
	_('the line has {mechanism}; set option maptype to that or to auto'),
	_('the line has not said yet how it carries IPv4'),
	_('the line does not say how it carries IPv4: {reason}'),
	_('{first}; the line itself does not say how it carries IPv4: {reason}'),
	_('it gives no address'),
	_('{name}: there is nobody to ask'),
	_('{name} has no address'),

	/* What the table of providers advises */
	_('set option maptype \'ds-lite\', or leave it at \'auto\''),
	_('set option maptype \'ds-lite\' with option peeraddr \'{server}\''),
	_('set option maptype \'ipip\' and option provider \'{provider}\', with option ipaddr, interfaceid, username and password of the provider\'s letter'),
	_('set option maptype \'ipip\' and option provider \'{provider}\', with option ipaddr, interfaceid, peeraddr, username and password of the provider\'s letter'),
	_('set option maptype \'ipip\' and option provider \'{provider}\', with option ipaddr, peeraddr, update_hostname, username and password of the provider\'s letter'),
	_('set option maptype \'ipip\' and option provider \'{provider}\', with option ipaddr and the two accounts of the provider\'s letter'),
	_('leave option provision at \'auto\': the line tells by HB46PP; or set option maptype \'ipip\' with what the provider\'s letter says'),
	_('the provider has not enabled IPoE (v6plus, OCN, transix, ...) on the line yet: ask it, or wait; the prefix changes then'),
	_('its IPv4 needs SoftBank\'s own unit (BB unit) or PPPoE: option proto \'pppoe\''),

	/* Setting up */
	_('netifd does not take the CE\'s address: {reason}'),
	_('the CE\'s address {address} did not come up on {uplink}; if mape was installed just now, run {command}'),
	_('netifd does not remove the old interface {name}'),
	_('interface {other} already has a tunnel from {address}; remove one of the two, or give this one another prefix'),
	_('netifd could not make the tunnel ({status}); is kmod-ip6-tunnel installed and the uplink up?'),
	_('map-t needs the package kmod-nat46, which is not installed'),
	_('map-t: this line has the IPv4 prefix {prefix}, and kmod-nat46 translates for single addresses only'),
	_('kmod-nat46 does not take {command}: {reason}'),
	_('the kernel does not take rules: {reason}; is kmod-nft-core installed?'),
	_('the ports of this line, {ports}, cannot be used'),
	_('nat pool: {reason}; choose auto or hash'),
	_('nft is not installed (package nftables)'),
	_('nft cannot be started; is the package nftables whole?'),
	_('nft: no answer after {time} ms'),
	_('nft was killed; is memory short?'),
	_('nft: {reason}'),
	_('{file} is damaged: {reason}'),

	/* Asking the line (HB46PP) and registering an address */
	_('{server} does not know this line (HTTP status {status})'),
	_('{server} answers with HTTP status {status}'),
	_('{server} redirects without saying where to'),
	_('{server} redirects to a URL that cannot be used: {reason}'),
	_('{server} redirects from https to http, which the TXT record forbids'),
	_('the provisioning servers redirect more than {count} times'),
	_('the answer is not valid JSON: {reason}'),
	_('token: must be 64 lower-case hexadecimal digits'),
	_('order: {name} is in it twice'),
	_('order: {name} is in it, but the answer has no {other}'),
	_('ipv6_mostly: the answer has no 464xlat'),
	_('4over6.info has {count} TXT records, not one'),
	_('the TXT record of 4over6.info has no {key}='),
	_('the TXT record of 4over6.info has {key}= twice'),
	_('the TXT record of 4over6.info is of version {version}, not v6mig-1'),
	_('the TXT record of 4over6.info: {reason}'),
	_('the TXT record of 4over6.info has t={value}, which must be a or b'),
	_('the TXT record of 4over6.info wants a certificate (t=b) of an http:// server'),
	_('must be one of 464xlat, dslite, ipip, lw4o6, map_e and map_t'),
	_('{time} seconds are more than the allowed 604800 (7 days)'),
	_('must be 64 lower-case hexadecimal digits'),
	_('must have at most 256 bytes, with its quotes'),
	_('the server offers no way to carry IPv4: it does not accept the user name and password'),
	_('the server offers no way to carry IPv4 without the user name and password of the contract'),
	_('the server offers no way to carry IPv4 on this line'),
	_('nothing that the server offers can be used: {reason}'),
	_('https needs uclient-fetch, which is not installed'),
	_('https needs a TLS library: install libustream-mbedtls and ca-bundle'),
	_('the certificate of {server} is not accepted'),
	_('cannot get an answer from {server} over https'),
	_('{server} does not answer in time'),
	_('the answer of {server} is longer than 1 MiB'),
	_('uclient-fetch: {reason}'),
	_('the server\'s answer is longer than 1 MiB'),
	_('the server\'s answer is cut off'),
	_('the server\'s answer has an invalid chunk'),
	_('the server does not answer in HTTP'),
	_('the head of the server\'s answer is too long'),
	_('the server\'s answer has an invalid Content-Length'),
	_('the server\'s answer has a transfer coding that is not supported'),
	_('cannot connect to {server}: {reason}'),
	_('connection to {server}: {reason}'),
	_('{server} closed the connection without an answer'),
	_('must be a URL such as {example}'),
	_('the URL must begin with http:// or https://'),
	_('the URL must not contain a user name or password before the host'),
	_('host of the URL: {reason}'),
	_('the port of the URL must be a number from 1 to 65535'),
	_('must be v6plus, transix, ocn, xpass or a URL'),
	_('the registration of the fixed address needs {option}'),
	_('there is no CE address to register yet'),
	_('the uplink has no DNS server to ask for {name}'),
	_('{name}: there is no such name'),
	_('{name} has no {kind} record'),
	_('DNS server {server} answers {answer} when asked for {name}'),
	_('no DNS server of the uplink answers when asked for {name}'),
	_('cannot ask DNS server {server} for {name}: {reason}'),
	_('no address of {name} can be used: all are loopback, multicast, link-local or the like'),

	/* What the bus and the kernel say */
	_('there is no interface {name} of proto mape or map; there is {others}'),
	_('there is no interface {name} of proto mape or map; there are {others}'),
	_('there is no interface {name} of proto mape or map, nor any other'),
	_('which interface? There are {others}'),
	_('netifd does not answer: {reason}'),
	_('Connection refused (os error {number})'),
	_('Connection timed out (os error {number})'),
	_('Network is unreachable (os error {number})'),
	_('No route to host (os error {number})'),
	_('Permission denied (os error {number})'),
	_('No such file or directory (os error {number})'),
	_('No space left on device (os error {number})'),
	_('Cannot assign requested address (os error {number})'),
	_('{name}: {reason}')
];

const bracePattern = /\{(\w+)\}/g;
const specialPattern = /[.*+?^$()|[\]\\\/]/g;
const deepest = 4;
const shortest = 8;
const longest = 500;

let sentences = null;

/* The one with the most words of its own is tried first, so that "{name}: {reason}" comes last. */
function compile() {
	const own = text => text.replace(bracePattern, '').length;

	return list((text, context) => ({
		text: translate(text, context),
		own: own(text),
		pattern: new RegExp('^' + text.replace(specialPattern, '\\$&').replace(bracePattern, '(?<$1>.+?)') + '\\.?$')
	})).sort((a, b) => b.own - a.own);
}

/* TEXT in the user's language, or null if it is none of the sentences. WORD says what an option is called. */
function say(text, word, depth) {
	sentences ??= compile();

	if (text.length > longest)
		return null;

	for (const sentence of sentences) {
		const found = sentence.pattern.exec(text);

		if (!found)
			continue;

		const names = { ...found.groups };

		if (names.reason != null) {
			names.reason = (depth < deepest) ? say(names.reason, word, depth + 1) : null;

			/* A name and a colon before something unknown is no sentence of ours. */
			if (names.reason == null && sentence.own < shortest)
				continue;

			names.reason ??= '…';
		}

		return sentence.text.replace(bracePattern, (brace, name) => (name == 'option' || name == 'other') ? word(names[name]) : names[name] ?? brace);
	}

	return null;
}

return baseclass.extend({
	/* TEXT in the user's language, null if the program has no such sentence; WORD(option) is what the form calls an option. */
	of(text, word) {
		return say(String(text).trim(), word, 0);
	}
});
