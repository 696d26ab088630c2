// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.words as words';

const translate = _;

/*
 * What keeps a line from working, by the code that the program gives it
 * (docs/bus.md). In braces are the arguments that come with it; {reason} is
 * another reason. tests/luci/reasons.test.mjs holds the list against the program.
 */
const sentences = {
	/* Options */
	port_list_syntax: _('{text}: a port (1 to 65535) or a range such as 5000-5010 is wanted'),
	port_list_reversed: _('{range}: the first port is above the last; write {other}'),
	option: _('{option} {value}: must be {allowed}'),
	nat_interface: _('interface {name}: 1 to {max} letters, digits, _, . or -'),
	nat_device: _('device {name}: 1 to {max} letters, digits, _, ., @ or -'),
	nat_nothing_left: _('the ports of this line, {ports}, cannot be used'),
	nat_no_pool: _('nat pool: {reason}; choose auto or hash'),
	option_refused: _('{option}: {reason}'),
	half_account: _('username and password: only both together'),
	update_url_refused: _('update_url: {reason}'),
	needs_type: _('ds-lite or ipip'),
	needs_fixed: _('the fixed IPv4 address or block'),
	fixed_address: _('ipaddr {value}: must be an IPv4 address or block such as 203.0.113.0/29'),
	peer: _('peeraddr {value}: {reason}'),
	needs_dmr: _('the default mapping prefix'),
	needs_aftr: _('the IPv6 address of the AFTR'),
	peer_missing: _('peeraddr is missing: {reason}'),
	end_user_prefix: _('enduserprefix {value}: must be an IPv6 prefix such as 240b:10:1:200::/56'),
	encaplimit: _('encaplimit {value}: must be ignore or a number from 0 to 255'),
	option_missing: _('{option} is missing: {reason}'),
	needs_relay: _('the IPv6 address of the border relay'),
	length_apart: _('{option} {value}: write the address alone and its length as {other}'),
	provision: _('provision {value}: must be auto, hb46pp or off'),
	interface_name: _('interface name {name}: only letters, digits, \'_\', \'-\' and \'.\' are allowed, a letter or digit first'),
	interface_name_length: _('interface name {name}: at most {max} characters, since its device is called {device}'),
	config_json: _('the configuration is not a JSON object: {reason}'),
	config_number: _('{option} {value}: must be a number from {min} to {max}'),
	config_bool: _('{option} {value}: must be 0 or 1'),
	config_single: _('{option}: must be a single value'),

	/* The rule */
	interface_id: _('interfaceid {value}: must be the last four groups of the address, such as 00c6:3364:7b00:0000 or ::feed, or draft-03'),
	kind_unknown: _('type {value}: must be auto, map-e, map-t, lw4o6, ds-lite or ipip'),
	spec_type: _('type {value}: must be map-e, map-t or lw4o6'),
	spec_key: _('{name} is not known; a rule has type, ipv6prefix, prefix6len, ipv4prefix, prefix4len, ealen, psidlen, offset, psid, pd, pdlen, br, dmr and fmr'),
	spec_number: _('{option} {value}: must be a number, at most {max}'),
	spec_too_large: _('{option} {value}: at most {max}'),
	spec_ipv6: _('{option} {value}: must be an IPv6 address'),
	spec_ipv4: _('{option} {value}: must be an IPv4 address'),
	spec_missing: _('{option} is missing'),
	spec_psid_len_over_ea: _('psidlen {length}: at most ealen, which is {ea}, unless psid is given too'),
	spec_psid_len: _('psidlen {length}: ealen {ea} and ip4prefixlen {prefix} leave {left} bits for the PSID'),
	spec_other_psid: _('psid {value}: the EA bits of {prefix} say {found}; leave psid out, or check ealen, psidlen and the prefix'),
	spec_foreign_pd: _('pd {prefix}: not within the rule\'s ipv6prefix {rule}'),
	spec_derived: _('ealen is missing, and the {ea} bits that follow from the rest do not fit: {reason}'),
	dmr_syntax: _('dmr {value}: must be an IPv6 prefix such as 2001:db8:ffff::/64'),
	dmr_length: _('dmr {value}: the length must be 32, 40, 48, 56, 64 or 96 (RFC 6052)'),
	psid_offset: _('offset {value}: at most 16'),
	psid_length: _('psidlen {value}: at most 16'),
	psid_sum: _('offset {value} and psidlen {length}: together at most 16 (the bits of a port)'),
	psid_value: _('psid {value}: with psidlen {length} at most {max}'),
	psid_word: _('psid {value}: no PSID of {length} bits, neither left-justified in 16 bits nor as a number (at most {max})'),
	domain_empty: _('rule: none is given'),
	domain_too_many: _('rule: {count} rules are given, at most {max}'),
	domain_type: _('rule {rule}: type {found} in a {expected} interface'),
	domain_border: _('rule {rule}: {option} does not belong to {type}'),
	domain_rule: _('rule {rule}: {reason}'),
	rule_ea_len: _('ealen {value}: at most 48'),
	rule_prefix_and_ea: _('ip6prefixlen {prefix} and ealen {ea}: together at most 64'),
	rule_two_psids: _('psid: ealen {ea} and ip4prefixlen {prefix} already have the PSID in the prefix'),
	rule_psid_without_address: _('psid: an address is only shared when ip4prefixlen and ealen together reach 32'),
	map_no_prefix: _('there is no IPv6 prefix yet'),
	map_no_rule: _('no rule matches {prefixes}'),
	map_prefix_too_short: _('the end-user prefix {prefix} is too short: rule {rule} needs /{length}'),

	/* Addresses */
	mechanism_remote: _('{address} cannot be the far end of a tunnel: {reason}'),
	mechanism_own: _('{address} cannot be the far end of a tunnel: it is this router\'s own address on the line'),
	mechanism_ipv4: _('ipaddr {address}: {reason}'),
	address_unspecified: _('the unspecified address cannot be used'),
	address_loopback: _('a loopback address cannot be used'),
	address_multicast: _('a multicast address cannot be used'),
	address_link_local: _('a link-local address cannot be used'),
	address_mapped: _('an IPv4-mapped IPv6 address cannot be used'),
	address_broadcast: _('the broadcast address cannot be used'),
	dns_name_empty: _('a DNS name cannot be empty'),
	dns_name_too_long: _('a DNS name has at most 253 characters'),
	dns_name_label: _('each part of a DNS name has 1 to 63 characters and no hyphen at either end'),
	dns_name_character: _('a DNS name consists of letters, digits, hyphens and underscores'),
	dns_name_numeric: _('a DNS name cannot end in a number; an IPv4 address cannot be used'),
	endpoint_ipv4: _('must be an IPv6 address or a DNS name, not an IPv4 address'),
	endpoint_name: _('must be an IPv6 address or a DNS name: {reason}'),
	role_br: _('br {address}: {reason}, so no border relay has it'),
	role_own_br: _('br {address}: that is this router\'s own address on the line'),
	role_rule_ipv4: _('ipv4prefix {prefix}: {reason}, so no subscriber can have an address of it'),
	role_ce_ipv4: _('the rule makes this line\'s IPv4 address {address}: {reason}; it cannot be right'),
	role_end_user: _('end-user prefix {prefix}: {reason}, so no line has it'),
	role_host: _('end-user prefix {prefix}: a single address; only lw4o6 binds one, MAP needs the prefix of the line'),
	is_unspecified: _('unspecified', 'kind of address'),
	is_loopback: _('loopback', 'kind of address'),
	is_multicast: _('multicast', 'kind of address'),
	is_link_local: _('link-local', 'kind of address'),
	is_mapped: _('an IPv4 address in IPv6 notation'),
	is_all: _('all of IPv6'),
	is_this_network: _('in 0.0.0.0/8, which is "this network"'),
	is_loopback_ipv4: _('in 127.0.0.0/8, which is loopback'),
	is_multicast_ipv4: _('in 224.0.0.0/4, which is multicast'),
	is_reserved: _('in 240.0.0.0/4, which is reserved'),

	/* The line and its provider */
	provider_unknown: _('provider {provider}: not known; known are {known}'),
	provider_not_map: _('{subject} is {name}, which has no MAP: {reason}'),
	provider_unconfirmed: _('{prefix} may be {name} by rule {rule}, which nobody has confirmed yet: set option provider \'{provider}\' to try it'),
	provider_no_match: _('{prefix} belongs to no known provider; set provider \'none\' and give the rule'),
	provider_no_matches: _('{prefixes} belong to no known provider; set provider \'none\' and give the rule'),
	nobody_to_ask: _('{name}: there is nobody to ask'),
	rule_without_border: _('rule {rule}: {option} is missing'),
	unknown_and_not_told: _('{first}; the line itself does not say how it carries IPv4: {reason}'),
	not_told_yet: _('the line has not said yet how it carries IPv4'),
	not_told: _('the line does not say how it carries IPv4: {reason}'),
	line_has_other: _('the line has {mechanism}; set option maptype to that or to auto'),
	no_fixed_address: _('it gives no address'),
	aftr_unknown: _('peeraddr is missing: the AFTR of this line is not known'),
	provider_without_ds_lite: _('provider {provider}: {name} is not known to have DS-Lite'),
	provider_refused: _('provider {provider}: {reason}'),
	provider_br_unknown: _('provider {provider}: its BR is not known; set option peeraddr'),
	name_without_address: _('{name} has no address'),
	rule_argument: _('--rule: {reason}'),
	not_a_prefix: _('{text} is neither an IPv6 prefix such as 240b:10:1:200::/56 nor an address'),
	no_provider: _('{prefix} belongs to no known provider; if yours named a rule, give it with --rule'),
	unconfirmed_rule: _('{prefix} may be {name} by rule {rule}, which nobody has confirmed yet; --provider {provider} takes it'),
	belongs_to_provider: _('it belongs to {name}: give --provider {provider}'),
	belongs_to_line: _('it belongs to {name}'),
	belongs_to_nobody: _('it belongs to no known provider; check the prefix'),
	no_rule_of: _('no rule of {provider} matches {prefix}; {reason}'),
	which_interface: _('which interface? There are {others}'),
	interface_unknown_alone: _('there is no interface {name} of proto mape or map, nor any other'),
	interface_unknown_one: _('there is no interface {name} of proto mape or map; there is {others}'),
	interface_unknown: _('there is no interface {name} of proto mape or map; there are {others}'),
	uplink_not_found: _('tunlink {uplink}: there is no such interface; netifd has {others}'),
	uplink_down: _('{uplink} is not up yet'),
	uplink_no_prefix: _('{uplink} is up but has no IPv6 prefix yet'),
	uplink_no_uplink: _('no interface that is up has an IPv6 prefix yet; option tunlink names the one to wait for'),

	/* Setting up */
	nft_missing: _('nft is not installed (package nftables)'),
	nft_not_started: _('nft cannot be started; is the package nftables whole?'),
	nft: _('nft: {reason}'),
	nft_deadline: _('nft: no answer after {time} ms'),
	nft_killed: _('nft was killed; is memory short?'),
	no_interface: _('there is no interface {uplink}'),
	file: _('{file}: {reason}'),
	address_name_taken: _('the configuration has an interface {name}, and {interface} needs that name for its address; call one of them something else'),
	address_refused: _('netifd does not take the CE\'s address: {reason}'),
	address_not_up: _('the CE\'s address {address} did not come up on {uplink}; if mape was installed just now, run /etc/init.d/network restart'),
	address_not_removed: _('netifd does not remove the old interface {name}'),
	state_damaged: _('{file} is damaged: {reason}'),
	nat46_prefix: _('map-t: this line has the IPv4 prefix {prefix}, and kmod-nat46 translates for single addresses only'),
	nat46_missing: _('map-t needs the package kmod-nat46, which is not installed'),
	nat46_refused: _('kmod-nat46 does not take "{command}": {reason}'),
	answer_no_map: _('the answer names no mechanism of MAP'),
	answer_lwaftr_not_found: _('the lwAFTR {name} was not found'),
	answer_no_br: _('the answer names no BR'),
	reserve_refused: _('reserve: {reason}'),
	kernel_refuses: _('the kernel does not take rules: {reason}; is kmod-nft-core installed?'),
	uplink_went: _('{uplink} went away during the setup'),
	tunnel_exists: _('interface {interface} already has a tunnel from {address}; remove one of the two, or give this one another prefix'),
	tunnel_refused: _('netifd could not make the tunnel ({status}); is kmod-ip6-tunnel installed and the uplink up?'),

	/* Asking the line (HB46PP) and registering an address */
	style_unknown: _('must be v6plus, transix, ocn, xpass or a URL'),
	call_missing: _('the registration of the fixed address needs {option}'),
	call_no_address: _('there is no CE address to register yet'),
	resolve_no_resolver: _('the uplink has no DNS server to ask for {name}'),
	resolve_no_name: _('{name}: there is no such name'),
	resolve_no_data: _('{name} has no {kind} record'),
	resolve_failed: _('DNS server {server} answers {answer} when asked for {name}'),
	resolve_timeout: _('no DNS server of the uplink answers when asked for {name}'),
	resolve_socket: _('cannot ask DNS server {server} for {name}: {reason}'),
	resolve_unusable: _('no address of {name} can be used: all are loopback, multicast, link-local or the like'),
	url_syntax: _('must be a URL such as http://host.example/path'),
	url_scheme: _('the URL must begin with http:// or https://'),
	url_user_info: _('the URL must not contain a user name or password before the host'),
	url_host: _('host of the URL: {reason}'),
	url_port: _('the port of the URL must be a number from 1 to 65535'),
	body_too_long: _('the server\'s answer is longer than 1 MiB'),
	body_cut: _('the server\'s answer is cut off'),
	body_chunk: _('the server\'s answer has an invalid chunk'),
	http_connect: _('cannot connect to {server}: {reason}'),
	server_timeout: _('{server} does not answer in time'),
	http_connection: _('connection to {server}: {reason}'),
	http_no_answer: _('{server} closed the connection without an answer'),
	about: _('{name}: {reason}'),
	head_syntax: _('the server does not answer in HTTP'),
	head_too_long: _('the head of the server\'s answer is too long'),
	head_length: _('the server\'s answer has an invalid Content-Length'),
	head_coding: _('the server\'s answer has a transfer coding that is not supported'),
	txt_several: _('4over6.info has {count} TXT records, not one'),
	txt_missing: _('the TXT record of 4over6.info has no {key}='),
	txt_twice: _('the TXT record of 4over6.info has {key}= twice'),
	txt_version: _('the TXT record of 4over6.info is of version {version}, not v6mig-1'),
	txt_url: _('the TXT record of 4over6.info: {reason}'),
	txt_certificate: _('the TXT record of 4over6.info has t={value}, which must be a or b'),
	txt_no_certificate: _('the TXT record of 4over6.info wants a certificate (t=b) of an http:// server'),
	unusable_refused: _('the server offers no way to carry IPv4: it does not accept the user name and password'),
	unusable_account: _('the server offers no way to carry IPv4 without the user name and password of the contract'),
	unusable_nothing: _('the server offers no way to carry IPv4 on this line'),
	unusable_none_fits: _('nothing that the server offers can be used: {reason}'),
	offer_unsupported: _('not supported here'),
	offer_unknown: _('not known'),
	offer_not_described: _('not described'),
	offer_no_address: _('no address is given'),
	offer_foreign_address: _('the CE address {address} is in none of the line\'s prefixes'),
	answer_json: _('the answer is not valid JSON: {reason}'),
	answer_token: _('token: must be 64 lower-case hexadecimal digits'),
	answer_duplicate: _('order: {name} is in it twice'),
	answer_no_offer: _('order: {name} is in it, but the answer has no {other}'),
	answer_no_nat64: _('ipv6_mostly: the answer has no 464xlat'),
	ask_unknown_line: _('{server} does not know this line (HTTP status {status})'),
	ask_status: _('{server} answers with HTTP status {status}'),
	ask_no_location: _('{server} redirects without saying where to'),
	ask_location: _('{server} redirects to a URL that cannot be used: {reason}'),
	ask_downgrade: _('{server} redirects from https to http, which the TXT record forbids'),
	ask_too_many_redirects: _('the provisioning servers redirect more than {count} times'),
	secret: _('must be 1 to 32 letters, digits, hyphens or underscores'),
	fetch_missing: _('https needs uclient-fetch, which is not installed'),
	fetch_no_tls: _('https needs a TLS library: install libustream-mbedtls and ca-bundle'),
	fetch_certificate: _('the certificate of {server} is not accepted'),
	fetch_connection: _('cannot get an answer from {server} over https'),
	fetch_too_long: _('the answer of {server} is longer than 1 MiB'),
	fetch_io: _('uclient-fetch: {reason}'),

	/* What the system says */
	connection_refused: _('connection refused'),
	connection_reset: _('connection reset'),
	timed_out: _('no answer in time'),
	host_unreachable: _('host unreachable'),
	network_unreachable: _('network unreachable'),
	no_such_address: _('the address is not there'),
	permission_denied: _('permission denied'),
	no_such_file: _('no such file or directory'),
	no_space: _('no space left')
};

/* What the table of providers advises is a text, in English as it comes over the bus and translated. */
const advices = Object.fromEntries((_ => [
	_('set option maptype \'ds-lite\', or leave it at \'auto\''),
	_('set option maptype \'ds-lite\' with option peeraddr \'gw.isp.rakuten.jp\''),
	_('set option maptype \'ipip\' and option provider \'v6plus-static\', with option ipaddr, interfaceid, username and password of the provider\'s letter'),
	_('set option maptype \'ipip\' and option provider \'transix-static\', with option ipaddr, interfaceid, peeraddr, username and password of the provider\'s letter'),
	_('set option maptype \'ipip\' and option provider \'ocn-static\', with option ipaddr, peeraddr, update_hostname, username and password of the provider\'s letter'),
	_('set option maptype \'ipip\' and option provider \'xpass-static\', with option ipaddr and the two accounts of the provider\'s letter'),
	_('leave option provision at \'auto\': the line tells by HB46PP; or set option maptype \'ipip\' with what the provider\'s letter says'),
	_('the provider has not enabled IPoE (v6plus, OCN, transix, ...) on the line yet: ask it, or wait; the prefix changes then'),
	_('its IPv4 needs SoftBank\'s own unit (BB unit) or PPPoE: option proto \'pppoe\'')
])(text => [ text, translate(text) ]));

/* Options of the interface by the names that the form gives them. */
const options = {
	conntrack: _('Connection timeouts'),
	ealen: _('EA-bits length'),
	encaplimit: _('Encapsulation limit'),
	enduserprefix: _('End-user IPv6 prefix'),
	interfaceid: _('Interface identifier'),
	ip4prefixlen: _('IPv4 prefix length'),
	ip6prefix: _('IPv6 prefix'),
	ip6prefixlen: _('IPv6 prefix length'),
	ipaddr: _('IPv4 address'),
	legacymap: _('Dialect'),
	maptype: _('Connection type'),
	mesh: _('Direct to other customers'),
	mtu: 'MTU',
	nat: _('NAT mode'),
	offset: _('PSID offset'),
	password: _('Password', 'with the provider'),
	peeraddr: _('Remote end of the tunnel'),
	provision: _('Ask the line'),
	provision_server: _('Provisioning server'),
	psid: 'PSID',
	psidlen: _('PSID-bits length'),
	reserve: _('Reserved ports'),
	ttl: _('TTL of the tunnel packets'),
	tunlink: _('Uplink', 'IPv6 connection below'),
	update_hostname: _('Host name at the update server'),
	update_id: _('Dynamic DNS ID'),
	update_key: _('Dynamic DNS password'),
	update_url: _('Update server'),
	upnp: _('Ports for UPnP'),
	username: _('User name', 'with the provider'),
	zone: _('Zone for an interface without one')
};

const placeholderPattern = /\{(\w+)\}/g;
const deepest = 8;

/* An argument as people read it. */
function shown(name, value, depth) {
	if (typeof value == 'object')
		return say(value, depth + 1) ?? '…';

	switch (name) {
	case 'option':
	case 'other':
		return Object.hasOwn(options, value) ? options[value] : String(value);

	case 'mechanism':
	case 'type':
	case 'expected':
		return words.mechanism(String(value));

	case 'reason':
		return Object.hasOwn(advices, value) ? advices[value] : isEnglish() ? String(value) : '…';

	default:
		return String(value);
	}
}

/* REASON, as docs/bus.md has it, in the user's language; null if it is none, or its code is not known. */
function say(reason, depth) {
	if (!L.isObject(reason) || depth > deepest)
		return null;

	if (Array.isArray(reason))
		return reason.length ? reason.map(one => shown('reason', one, depth)).join('; ') : null;

	const { code, args } = reason;

	return Object.hasOwn(sentences, code)
		? sentences[code].replace(placeholderPattern, (all, name) => (args?.[name] != null) ? shown(name, args[name], depth) : '–')
		: null;
}

function isEnglish() {
	return (document.documentElement.lang || 'en').startsWith('en');
}

return baseclass.extend({
	sentences,
	options,
	isEnglish,

	/* REASON, as docs/bus.md has it, in the user's language; null if it is none, or its code is not known. */
	say: reason => say(reason, 0)
});
