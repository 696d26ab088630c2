// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.reasons as reasons';
'require uci';

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

const wordPattern = /[^\s,;()"'“”]+/g;
const endPattern = /[.:?]+$/;

/* Addresses and prefixes, paths, and names with a dot or with digits in them, such as gw.transix.jp and kmod-nat46. */
const namePattern = /^(?:[\da-f]*:[\da-f:.]*(?:\/\d+)?|\d+\.\d+\.\d+\.\d+(?:\/\d+)?|\/[\w.\/-]+|[\w-]+(?:\.[\w-]+)+|kmod-[\w-]+)$/i;

function isInterface(word) {
	return uci.get('network', word, 'proto') != null;
}

/* What TEXT names, in its order: options as the form calls them, interfaces, addresses, hosts, files, packages. */
function namesIn(text) {
	const words = (text.match(wordPattern) ?? []).map(word => word.replace(endPattern, match => match == '::' ? match : ''));
	const names = words.map(word => Object.hasOwn(options, word) ? options[word]
		: (namePattern.test(word) || isInterface(word)) ? word : null).filter(name => name);

	return [ ...new Set(names) ].join(', ');
}

return baseclass.extend({
	namesIn,

	/*
	 * TEXT, a sentence of the program, for people: in English as it is; in
	 * another language translated, or what it names if it is none of the known
	 * sentences, such as one that a server or the kernel has put together.
	 */
	of(text) {
		const isEnglish = (document.documentElement.lang || 'en').startsWith('en');
		const sentence = String(text ?? '');

		return isEnglish ? sentence : reasons.of(sentence, option => options[option] ?? option) ?? namesIn(sentence);
	}
});
