// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.quote as quote';
'require mape.words as words';

/* What a check has seen, by its code; in braces the arguments that come with it (docs/bus.md). */
const seen = {
	/* Uplink and prefix */
	netifd_silent: _('netifd does not answer.'),
	no_uplink: _('No interface that is up has IPv6.'),
	uplink_down: _('{uplink} is not up.'),
	uplink_up: _('{uplink} is up on {device}.'),
	no_prefix_without_uplink: _('Without an uplink there is no IPv6 prefix.'),
	no_prefix: _('{uplink} has no IPv6 prefix.'),
	prefix_deprecated: _('{prefix} of {uplink} is about to expire; a new prefix is on its way.'),
	prefix_stale: _('The setting ip6prefix of {uplink} names {stale}, but the line has {prefix}, which is used.'),
	prefix_found: _('{prefix} of {uplink}, {source}.'),
	prefix_configured: _('{prefix}, from the settings.'),

	/* Provider and rule */
	provider_found: _('{provider}.'),
	provider_differs: _('{provider} is set, but the IPv6 prefix belongs to {expected}.'),
	provider_unknown: _('{prefix} belongs to no known provider.'),
	provider_open: _('Without an IPv6 prefix the provider is not known.'),
	rule_configured: _('The rule is set by hand.'),
	mechanism_configured: _('{mechanism}, as set.'),
	rule_as_provider: _('The rule is set by hand; it is that of {provider}.'),
	rule_unlike_provider: _('A rule is set by hand that is not that of {provider}, whose line this is.'),
	rule_on_other_line: _('A rule is set by hand, but this line is no MAP line.'),
	other_line: _('This line is no MAP line.'),
	setup_failed: _('{error}.'),
	not_started: _('The interface is not started.'),
	no_rule_yet: _('The interface is not up, so no rule is in use yet.'),
	not_up: _('The interface is not up.'),
	handler_died: _('The connection is up, but its setup broke off before it was finished.'),
	setup_died: _('The last attempt to set the connection up broke off; the next one follows within a minute.'),
	teardown_stuck: _('The connection is stuck half taken down.'),
	psid_differs: _('PSID {psid} is set, but the IPv6 prefix has {found} in its place.'),
	wrong_subnet: _('{prefix} is subnet {subnet} of the /{length} that the rule is about; the border relay sends to subnet 0.'),
	rule_in_use: _('{ipv6_prefix} to {ipv4_prefix}, {ea_len} EA bits.'),
	dialect_as_provider: _('{dialect}, as {provider} uses it.'),
	dialect_differs: _('{dialect}, but {provider} uses {expected}: the border relay drops everything.'),
	dialect_configured: _('{dialect}, as set.'),

	/* Border relay and tunnel */
	line_answered: _('It says how it carries IPv4 (HB46PP).'),
	line_silent: _('It does not say how it carries IPv4 (HB46PP).'),
	peer_differs: _('{peer} is set, but {provider} uses {expected} for this prefix.'),
	peer_unreachable: _('{peer}: {error}'),
	peer_not_by_uplink: _('{peer} {route}, which is not the uplink’s device.'),
	peer_routed: _('{peer} {route}.'),
	peer_is_prefix: _('{peer} is a prefix; nothing in it can be asked.'),
	aftr_found: _('{name} is {address}.'),
	aftr_moved: _('{name} is no longer {address}, which is in use.'),
	aftr_unknown: _('The name of the AFTR cannot be resolved.'),
	registered: _('{address} is registered with {server}.'),
	registration_refused: _('{server} refuses to register {address} and answers “{answer}”.'),
	registration_unclear: _('{server} gives no clear answer to the registration of {address}.'),
	registration_unreached: _('{server} cannot be reached to register {address}.'),
	registration_incomplete: _('{address} is not registered: {server} needs the option {option}.'),
	answers: _('{address} answers after {ms} ms.'),
	peer_silent: _('{address} does not answer to ping; many border relays do not.'),
	no_answer: _('{address} does not answer to ping.'),
	ping_failed: _('{address}: {error}'),
	ce_translated: _('{address}, translated by {device}.'),
	ce_missing: _('{address} is on no device.'),
	ce_duplicate: _('{address} on {device} is used by another device on the line.'),
	ce_tentative: _('{address} on {device} is still being checked for duplicates.'),
	ce_present: _('{address} on {device}.'),
	device_missing: _('There is no device {device}.'),
	device_down: _('{device} is down.'),
	device_up: _('{device} is up.'),
	mtu_uplink_unknown: _('{mtu}; that of the uplink is not known.'),
	mtu_fits: _('{mtu}, uplink {uplink_mtu}.'),
	mss_not_clamped: _('{mtu} fits, but firewall zone {zone} does not clamp the MSS: connections to some sites may hang.'),
	mtu_too_large: _('{mtu}, uplink {uplink_mtu}: large packets do not fit; {best} is right.'),
	mtu_too_small: _('{mtu}, uplink {uplink_mtu}: smaller than it need be; {best} is right.'),
	encaplimit_off: _('Packets carry none.'),
	encaplimit_dropped: _('Each packet carries one ({limit}); the border relay of {provider} drops such packets.'),
	encaplimit_risky: _('Each packet carries one ({limit}); some border relays drop such packets.'),
	encaplimit_not_used: _('This connection type has none.'),
	ipv4_present: _('{address} and the default route on {device}.'),
	ipv4_without_default: _('{address}; no default route, as set.'),
	ipv4_missing: _('{device} does not have {address}.'),
	ipv4_no_route: _('{address}, but no IPv4 default route on {device}.'),

	/* Address translation and ports */
	rules_hidden: _('Only root can see the rules.'),
	guard_stays: _('Table {table} still holds back all IPv4: the rules were not loaded.'),
	table_missing: _('Table {table} is missing.'),
	translated_before: _('Chain {chain} of table {table} translates before ours.'),
	nat_in_place: _('Table {table} is in place.'),
	edge_hash: _('None: ports are hashed, since the kernel lacks the netdev egress hook.'),
	edge_not_needed: _('Not needed.'),
	edge_half: _('Table {table} has one direction only.'),
	edge_bypassed: _('Traffic control, such as SQM, redirects what {device} receives past the port mapping: replies are lost.'),
	edge_mapped: _('{ports} ports are mapped.'),
	offload_off: _('Flow offloading is off.'),
	offload_software: _('Software flow offloading, which works with this.'),
	offload_left_out: _('Software flow offloading. Connections of this line stay out of it, since Linux {kernel} would send them past the tunnel.'),
	offload_not_left_out: _('Table {table} is missing: with software flow offloading Linux {kernel} sends connections past the tunnel, and they hang.'),
	offload_hardware: _('Hardware flow offloading: no hardware knows this tunnel or its ports.'),
	forwards_fit: _('None uses a port outside the port set.'),
	ports_not_known: _('The interface is not up, so the port set is not known.'),
	forward_outside: _('“{name}” uses port {ports}, which is not in the port set.'),
	forwards_outside: _('“{name}” uses port {ports}, which is not in the port set; so do {more} more.'),
	forwards_refused: _('“{name}” has no effect: with DS-Lite no port of a public IPv4 address is ours.'),
	upnp_fits: _('UPnP opens only ports that are kept for it: {kept}.'),
	upnp_hidden: _('miniupnpd has a configuration file of its own, which is not read; {kept} ports are kept for UPnP.'),
	upnp_lost: _('UPnP opens ports that never arrive here, such as {ports}.'),
	upnp_useless: _('UPnP has no effect: with DS-Lite no port of a public IPv4 address is ours.'),
	packages_present: _('All kernel modules are there.'),
	packages_missing: _('Missing: {packages}.'),
	nothing_sent: _('Nothing was sent yet.'),
	no_reply_yet: _('{sent} packets sent, none received yet.'),
	no_reply: _('{sent} packets sent, none received.'),
	foreign_replies: _('All {received} packets received are for ports or addresses of somebody else.'),
	replies_received: _('{received} packets received.'),
	connections_hidden: _('Only root can see connections.'),
	connections_unknown: _('conntrack does not answer, so the ports in use are not known.'),
	ports_free: _('{used} of {pool} in use.'),
	ports_scarce: _('{used} of {pool} in use; {device} uses {count} of them.'),
	no_conflicts: _('None is installed.'),
	stock_files: _('{path} belongs to the stock package or is patched.'),
	stock_package: _('The stock package map is installed.'),
	patched_table: _('Table {table} of a patched map.sh rewrites our packets.'),
	state_unreadable: _('A state file cannot be used.')
};

/* What to do, by code, and where: what LuCI can do or show. */
const remedies = {
	start_netifd: [ _('Restart the router: its network service is not running.') ],
	connect_uplink: [ _('Connect IPv6 first: bring up the uplink, usually wan6.'), 'interfaces' ],
	check_uplink: [ _('Check the cable and the log, then restart {uplink}.'), 'restart', 'uplink' ],
	request_prefix: [ _('Let {uplink} request an IPv6 prefix, or ask your provider whether the line delegates one.'), 'interfaces' ],
	remove_ip6prefix: [ _('Remove the setting ip6prefix of {uplink}.'), 'interfaces' ],
	renew_uplink: [ _('Wait, or restart {uplink}.'), 'restart', 'uplink' ],
	detect_provider: [ _('Set the provider to “Detect automatically”.'), 'settings' ],
	use_provider: [ _('Remove the rule and set the provider to {provider}.'), 'settings' ],
	check_line: [ _('Remove the rule, unless your provider gave it to you: the line is then set up as what it is.'), 'settings' ],
	use_other_type: [ _('Set the connection type to what the line is, or to “Detect automatically”.'), 'settings' ],
	give_rule: [ _('Enter what your provider’s letter says: choose “Manual” for a rule, or the connection type DS-Lite or IPIP. If a rule comes by DHCPv6, let the uplink request the options 94, 95 and 96.'), 'settings' ],
	correct_option: [ _('Correct that setting.'), 'settings' ],
	check_prefix: [ _('Compare the rule’s IPv6 prefix with that of the uplink.'), 'settings' ],
	read_log: [ _('Read the system log.'), 'log' ],
	start: [ _('Start the interface.'), 'restart' ],
	repair: [ _('Run “mape hotplug {interface}” on the router; if that does not help, restart the router.') ],
	restart: [ _('Restart the interface; if it stays so, read the system log.'), 'restart' ],
	remove_psid: [ _('Remove the PSID, which the IPv6 prefix tells.'), 'settings' ],
	whole_prefix: [ _('Let the router that has the whole prefix do this, or ask your provider.') ],
	set_dialect: [ _('Set the dialect to {dialect}.'), 'settings' ],
	set_peer: [ _('Remove that address, or set it to {peer}.'), 'settings' ],
	default_route6: [ _('The uplink needs an IPv6 default route.'), 'interfaces' ],
	set_metric: [ _('Another IPv6 default route wins: set metrics, or choose the uplink.'), 'interfaces' ],
	check_ipv6: [ _('If it should answer, IPv6 itself does not work on this line.'), 'interfaces' ],
	other_router: [ _('Only one router on a line can do this. Turn it off on the other one, for instance the home gateway.') ],
	try_later: [ _('Run the diagnosis again in a few seconds.') ],
	set_mtu: [ _('Leave the MTU empty, or set it to {mtu}.'), 'settings' ],
	clamp_mss: [ _('Turn MSS clamping on in firewall zone {zone}.'), 'firewall' ],
	set_encaplimit: [ _('Leave the encapsulation limit empty.'), 'settings' ],
	reload_rules: [ _('Restart the interface, which loads the rules again.'), 'restart' ],
	remove_chain: [ _('Remove chain {chain} of table {table}, or give it a priority above 95.') ],
	install: [ _('Install {packages}, then restart the interface.'), 'install', 'packages' ],
	offload_software: [ _('Turn hardware flow offloading off; that by software works.'), 'firewall' ],
	forward_own_port: [ _('Use a port of the set, for instance {port}, or the IPv6 address of the device.'), 'forwards' ],
	forward_by_ipv6: [ _('Use a port of the set, or the IPv6 address of the device.'), 'forwards' ],
	use_ipv6: [ _('Open the IPv6 address of the device instead.'), 'firewall' ],
	share_for_upnp: [ _('Set how many ports UPnP has; it then refuses what would not arrive.'), 'settings' ],
	upnp_elsewhere: [ _('Turn UPnP off, or let it serve another line.') ],
	check_resolvers: [ _('The uplink must use the line’s own DNS servers: only they know that name.'), 'interfaces' ],
	asked_again: [ _('It is asked again in {minutes} minutes. If you know the rule of your provider, enter it.'), 'settings' ],
	check_account: [ _('Compare update server, user name and password with the provider’s letter. The router tries again by itself.'), 'settings' ],
	check_update_server: [ _('Check the update server and the DNS servers of the uplink. The router tries again by itself.'), 'settings' ],
	check_subscription: [ _('Likely: {causes}.'), 'settings' ],
	check_rule: [ _('The border relay takes this router for another subscriber: check rule and PSID.'), 'settings' ],
	check_address: [ _('The border relay takes this router for another subscriber: compare IPv4 address and interface identifier with the provider’s letter.'), 'settings' ],
	save_ports: [ _('See which device uses them; “Short” connection timeouts free ports sooner, and IPv6 needs none.'), 'settings' ],
	reinstall: [ _('Remove the package map, then install mape again.'), 'packages' ],
	delete_table: [ _('Remove the script that makes it.') ]
};

/* Why a border relay may be silent. */
const causes = {
	dialect: _('the dialect'),
	peer: _('the address that the tunnel leads to'),
	port_params: _('PSID offset, PSID length or PSID'),
	offset_lost: _('a PSID offset that the DHCPv6 client has lost: ask your provider for it'),
	fixed_address: _('an IPv4 address or interface identifier unlike the provider’s letter'),
	not_registered: _('an address that is not registered with the provider'),
	encaplimit: _('the encapsulation limit'),
	not_enabled: _('the line is not enabled for this service yet; the provider switches it on'),
	other_router: _('another router on the line does this already')
};

/* Arguments that are sentences of the program: said after what was seen. */
const quoted = {
	aftr_unknown: 'error',
	other_line: 'reason',
	registration_unreached: 'error',
	rule_on_other_line: 'reason',
	setup_failed: 'detail',
	state_unreadable: 'error'
};

const placeholderPattern = /\{(\w+)\}/g;
const codePattern = /^[A-Z\d_]+$/;

/* An argument as people read it. */
function shown(name, value, args) {
	switch (name) {
	case 'provider':
	case 'expected':
		return words.provider(words.dialect(value), args[name + '_name']);

	case 'mechanism':
		return words.mechanism(value);

	case 'dialect':
		return words.dialect(value);

	case 'source':
		return words.source(value);

	case 'error':
		return codePattern.test(value) ? words.error(value) : quote.of(value);

	case 'causes':
		return L.toArray(value).map(cause => causes[cause] ?? cause).join('; ');

	default:
		return Array.isArray(value) ? value.join(', ') : String(value);
	}
}

function say(text, args) {
	return text.replace(placeholderPattern, (all, name) => (args?.[name] != null) ? shown(name, args[name], args) : '–');
}

return baseclass.extend({
	seen,
	remedies,

	/* What CHECK has seen, in the user's language if its code is known, else in the program's English. */
	seenOf(check) {
		const text = seen[check.code];

		if (!text)
			return String(check.seen ?? '');

		const more = quote.of(check.args?.[quoted[check.code]]);

		return more ? '%s (%s)'.format(say(text, check.args), more) : say(text, check.args);
	},

	/*
	 * What to do about CHECK: { text, action, target }, or null if nothing is
	 * to be done. TARGET is the value of the argument that the action is about.
	 */
	remedyOf(check) {
		const [ text, action, target ] = remedies[check.remedy_code] ?? [];

		if (text)
			return { text: say(text, check.remedy_args), action, target: check.remedy_args?.[target] ?? null };

		return check.remedy ? { text: String(check.remedy), action: null, target: null } : null;
	}
});
