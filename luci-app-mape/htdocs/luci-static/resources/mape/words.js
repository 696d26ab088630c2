// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';

/* Providers as in UCI, in the order of the form. */
const providers = {
	v6plus: _('v6 Plus (JPNE)'),
	ocn: _('OCN Virtual Connect'),
	biglobe: _('BIGLOBE IPv6 option'),
	nuro: _('NURO Hikari (MAP-E)')
};

const errors = {
	MAPE_INVALID_CONFIG: _('The settings contradict each other or are incomplete'),
	MAPE_NO_UPLINK_PREFIX: _('The line has no IPv6 prefix yet'),
	MAPE_UNKNOWN_PROVIDER: _('The IPv6 prefix belongs to no known provider'),
	MAPE_TUNNEL_FAILED: _('The tunnel could not be created'),
	MAPE_NAT_FAILED: _('The address translation could not be set up'),
	INVALID_MAP_RULE: _('The MAP rule is invalid'),
	NO_MATCHING_PD: _('No IPv6 prefix of the line matches the MAP rule'),
	UNSUPPORTED_TYPE: _('This MAP type is not supported')
};

const states = {
	up: [ _('Connected', 'state of a MAP-E interface'), 'success' ],
	pending: [ _('Waiting', 'state of a MAP-E interface'), 'warning' ],
	error: [ _('Error', 'state of a MAP-E interface'), 'danger' ],
	down: [ _('Stopped', 'state of a MAP-E interface'), 'notice' ]
};

const sources = {
	option: _('from the settings'),
	delegated: _('delegated by the line'),
	ip6prefix: _('from the settings of the uplink'),
	'on-link': _('announced on the line')
};

const natModes = {
	pool: _('All ports in one pool'),
	hash: _('Each device and port to a fixed range'),
	plain: _('One range'),
	none: _('None', 'NAT mode')
};

const dropped = {
	exhausted: _('New connections refused because every port was in use'),
	not_ours: _('From the Internet to ports that are not ours'),
	not_br: _('Tunnel packets from a stranger'),
	pool_number: _('From the Internet to internal port numbers'),
	no_ports: _('Protocols that have no ports'),
	guard: _('Held back while the connection was being set up')
};

/*
 * Checks of the doctor: what is checked, what to do where it fails, and
 * whether that holds for a warning too.
 */
const checks = {
	uplink: [ _('Uplink'), _('Connect the uplink first: IPv6 must work before IPv4 can.') ],
	prefix: [ _('IPv6 prefix'), _('The uplink must get an IPv6 prefix. Check that it requests one, or enter it under “End-user IPv6 prefix”.') ],
	provider: [ _('Provider'), _('Choose your provider, or “Manual” and enter the rule your provider gave you.') ],
	rule: [ _('MAP rule'), _('The rule does not fit the IPv6 prefix of the line. Check the rule.') ],
	dialect: [ _('Dialect'), _('Providers in Japan use draft-03. Check the dialect in the settings.'), true ],
	br_route: [ _('Route to the border relay'), _('There is no IPv6 route to the border relay. Check the uplink.') ],
	br_reply: [ _('Border relay'), _('Many border relays do not answer; this alone is no fault.') ],
	ce_address: [ _('CE address'), _('The IPv6 address of the tunnel is missing or used twice. Restart the interface.') ],
	tunnel: [ _('Tunnel'), _('Restart the interface and read the system log.') ],
	mtu: [ _('MTU'), _('Set the MTU to that of the uplink less 40, usually 1460.'), true ],
	encaplimit: [ _('Encapsulation limit'), _('Set the encapsulation limit to “ignore”: most border relays drop packets that carry it.'), true ],
	ipv4: [ _('IPv4 address and route'), _('Let this interface set the default route, and check that no other one takes it.') ],
	nat: [ _('Address translation'), _('Restart the firewall. If that does not help, restart the interface.') ],
	edge: [ _('Port mapping'), _('Install kmod-nft-netdev, or choose the NAT mode “hash”.'), true ],
	offload: [ _('Flow offloading'), _('Turn hardware flow offloading off in the firewall settings.'), true ],
	forwards: [ _('Port forwards'), _('Forward a port of the set: others never reach this router.'), true ],
	packages: [ _('Packages'), _('Install the packages that are missing.') ],
	replies: [ _('Replies'), _('Packets are sent but nothing comes back. Check provider, dialect and border relay.') ],
	ports: [ _('Free ports'), _('Nearly all ports are in use. See which device uses them, or set connection timeouts to “Short”.'), true ],
	conflicts: [ _('Other MAP software'), _('Remove the package “map” and scripts that set up MAP-E themselves.'), true ]
};

const verdicts = {
	ok: [ '✔', _('OK'), 'success' ],
	warn: [ '▲', _('Warning'), 'warning' ],
	fail: [ '✘', _('Failed'), 'danger' ],
	unknown: [ '?', _('Unknown'), 'notice' ]
};

return baseclass.extend({
	providers,
	errors,
	dropped,

	provider(id, fallback) {
		return providers[id] ?? (fallback || id || _('Manual'));
	},

	error(code) {
		return errors[code] ?? code;
	},

	state(ifc) {
		return states[ifc.state]?.[0] ?? String(ifc.state);
	},

	badge(ifc) {
		const kind = states[ifc.state]?.[1] ?? 'notice';

		return E('span', { 'class': 'label %s mape-%s'.format(kind, kind) }, [ this.state(ifc) ]);
	},

	/* One sentence: what the interface is doing, and why. */
	sentence(ifc) {
		switch (ifc.state) {
		case 'up':
			return (this.load(ifc) >= 0.9)
				? _('IPv4 works, but nearly all ports are in use: new connections may fail.')
				: _('IPv4 works.');

		case 'pending':
			return ifc.error ? _('Waiting: %s.').format(this.error(ifc.error.code)) : _('The connection is being set up.');

		case 'error':
			return ifc.error ? _('No IPv4: %s.').format(this.error(ifc.error.code)) : _('No IPv4: the interface reports an error.');

		default:
			return _('The interface is stopped.');
		}
	},

	/* The share of the ports in use, 0 to 1, of the protocol that uses most. */
	load(ifc) {
		return (ifc.ports?.total > 0) ? ifc.ports.used_max / ifc.ports.total : 0;
	},

	source(ifc) {
		return sources[ifc.prefix_source] ?? ifc.prefix_source;
	},

	nat(mode) {
		return natModes[mode] ?? mode;
	},

	check(id) {
		return checks[id]?.[0] ?? id;
	},

	verdict(name) {
		return verdicts[name] ?? verdicts.unknown;
	},

	/* What to do: our words in the user's language, then the doctor's, which are English and exact. */
	remedies(check) {
		if (check.verdict != 'fail' && check.verdict != 'warn')
			return [];

		const [ , hint, forWarnings ] = checks[check.id] ?? [];
		const ours = (check.verdict == 'fail' || forWarnings) ? hint : null;
		const english = (document.documentElement.lang || 'en').startsWith('en');

		return [ (english && check.remedy) ? null : ours, check.remedy ].filter(text => text);
	},

	/* What to show for a call that failed, by bus.failure(). */
	failure(kind) {
		switch (kind) {
		case 'denied':
			return _('Your user may not read the state of MAP-E. Ask the administrator for the right “luci-app-mape”.');

		case 'absent':
			return _('The service “mape” is not on the bus. Install the package mape, then restart rpcd or the router.');

		default:
			return _('The service “mape” does not answer. The next try follows by itself.');
		}
	}
});
