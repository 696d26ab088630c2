// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';

/* Providers as in UCI, in the order of the form: what contracts call the service, and its mechanism. */
const providers = {
	v6plus: [ _('v6 Plus'), 'map-e' ],
	ocn: [ _('OCN Virtual Connect'), 'map-e' ],
	biglobe: [ _('BIGLOBE IPv6 Option'), 'map-e' ],
	nuro: [ _('NURO Hikari'), 'map-e' ],
	transix: [ _('transix'), 'ds-lite' ],
	xpass: [ _('Xpass'), 'ds-lite' ],
	v6connect: [ _('v6 Connect'), 'ds-lite' ],
	'v6plus-static': [ _('v6 Plus fixed IP'), 'ipip' ],
	'transix-static': [ _('transix fixed IP'), 'ipip' ],
	'ocn-static': [ _('OCN fixed IP'), 'ipip' ],
	'xpass-static': [ _('Xpass fixed IP'), 'ipip' ]
};

/* What the letter of a provider of fixed addresses has beside the address (docs/fixed-address.md). */
const letters = {
	'v6plus-static': [ 'interfaceid', 'username', 'password' ],
	'transix-static': [ '_remote', 'interfaceid', 'username', 'password' ],
	'ocn-static': [ '_remote', 'username', 'password', 'update_hostname' ],
	'xpass-static': [ 'username', 'password', 'update_hostname', 'update_id', 'update_key' ]
};

/* Lines that are found, but not chosen by name. */
const lines = {
	bbix: _('OCX Hikari'),
	rakuten: _('Rakuten Hikari'),
	softbank: _('SoftBank Hikari'),
	'ntt-east': _('NTT East NGN without IPoE'),
	'ntt-west': _('NTT West NGN without IPoE')
};

const mechanisms = {
	'map-e': 'MAP-E',
	'map-t': 'MAP-T',
	lw4o6: 'lw4o6',
	'ds-lite': 'DS-Lite',
	ipip: _('IPIP (fixed IPv4 address)')
};

const dialects = {
	'draft-03': 'draft-03',
	rfc7597: _('RFC 7597 / 7599')
};

/* Codes that our handler gives to netifd; the stock handler's own are LuCI's to register. */
const errors = {
	MAPE_INVALID_CONFIG: _('The settings contradict each other or are incomplete'),
	MAPE_NO_UPLINK_PREFIX: _('The line has no IPv6 prefix yet'),
	MAPE_UNKNOWN_PROVIDER: _('The IPv6 prefix belongs to no known provider'),
	MAPE_ADDRESS_IN_USE: _('Another router on the line uses the same IPv6 address'),
	MAPE_NAME_NOT_RESOLVED: _('The name of the provider’s gateway could not be resolved'),
	MAPE_TUNNEL_FAILED: _('The tunnel could not be created'),
	MAPE_NAT_FAILED: _('The address translation could not be set up')
};

const stockErrors = {
	INVALID_MAP_RULE: _('The MAP rule is invalid', 'error of the interface'),
	NO_MATCHING_PD: _('No IPv6 prefix of the line matches the MAP rule', 'error of the interface'),
	UNSUPPORTED_TYPE: _('This MAP type is not supported', 'error of the interface')
};

const states = {
	up: [ 'success', _('Connected', 'state of the connection') ],
	pending: [ 'warning', _('Waiting', 'state of the connection') ],
	error: [ 'danger', _('Error', 'state of the connection') ],
	down: [ 'notice', _('Stopped', 'state of the connection') ]
};

const sources = {
	option: _('from the settings'),
	delegated: _('delegated by the provider (PD)'),
	ip6prefix: _('from the settings of the uplink'),
	'on-link': _('from router advertisements (RA)')
};

const natModes = {
	pool: _('All ports in one pool'),
	hash: _('Each device and port to a fixed range'),
	plain: _('One range'),
	none: _('None', 'NAT mode')
};

const dropped = {
	exhausted: _('New connections refused because every port was in use'),
	not_ours: _('From the Internet to ports that are not assigned to this line'),
	not_br: _('Tunnel packets from an unknown sender'),
	pool_number: _('From the Internet to internal port numbers'),
	no_ports: _('Protocols that have no ports'),
	guard: _('Held back while the connection was being set up')
};

/* What a check of the doctor is about. */
const checks = {
	uplink: _('Uplink', 'IPv6 connection below'),
	prefix: _('IPv6 prefix'),
	provider: _('Provider'),
	asked: _('What the line says'),
	rule: _('MAP rule'),
	dialect: _('Dialect'),
	br_route: _('Route to the border relay'),
	br_reply: _('Border relay'),
	aftr: _('AFTR'),
	registration: _('Registration of the address'),
	ce_address: _('IPv6 address of the tunnel'),
	tunnel: _('Tunnel'),
	mtu: 'MTU',
	encaplimit: _('Encapsulation limit'),
	ipv4: _('IPv4 address and route'),
	nat: _('Address translation'),
	edge: _('Port mapping'),
	offload: _('Flow offloading'),
	forwards: _('Port forwards'),
	upnp: 'UPnP',
	packages: _('Packages'),
	replies: _('Replies'),
	ports: _('Free ports'),
	conflicts: _('Other MAP software'),
	probe: _('Test address')
};

const verdicts = {
	ok: [ '✔', _('OK', 'result of a check'), 'success' ],
	warn: [ '▲', _('Attention', 'result of a check'), 'warning' ],
	fail: [ '✘', _('Problem', 'result of a check'), 'danger' ],
	unknown: [ '?', _('Unknown', 'result of a check'), 'notice' ]
};

return baseclass.extend({
	errors,
	dropped,
	mechanisms,

	/* The providers to choose from, as [id, name with mechanism]. */
	providers: Object.entries(providers).map(([ id, [ name, mechanism ] ]) => [ id, '%s – %s'.format(name, mechanisms[mechanism]) ]),

	/* What a provider of fixed addresses tells its customer, as fields of the form; null of another provider. */
	letter(id) {
		return Object.hasOwn(letters, id) ? letters[id] : null;
	},

	/* The name of a provider or line; FALLBACK is what the program calls one that is not listed here. */
	provider(id, fallback) {
		return providers[id]?.[0] ?? lines[id] ?? (fallback || id);
	},

	mechanism(name) {
		return mechanisms[name] ?? name;
	},

	dialect(name) {
		return dialects[name] ?? name;
	},

	source(name) {
		return sources[name] ?? name;
	},

	nat(mode) {
		return natModes[mode] ?? mode;
	},

	error(code) {
		return errors[code] ?? stockErrors[code] ?? code;
	},

	check(id) {
		return checks[id] ?? id;
	},

	verdict(name) {
		return verdicts[name] ?? verdicts.unknown;
	},

	/* How an interface is that netifd reports as IFC.state: { kind, badge, sentence }. */
	state(ifc) {
		const [ kind, badge ] = states[ifc.state] ?? [ 'notice', String(ifc.state) ];
		const reason = ifc.error ? this.error(ifc.error.code) : null;
		const sentence = {
			pending: reason ? _('Waiting: %s.').format(reason) : _('The connection is being set up.'),
			error: reason ? _('No IPv4: %s.').format(reason) : _('No IPv4: the interface reports an error.')
		};

		return { kind, badge, sentence: sentence[ifc.state] ?? _('The interface is stopped.') };
	},

	/* KIND is that of health.of(). */
	badge({ kind, badge }) {
		return E('span', { 'class': 'label mape-badge mape-%s %s'.format(kind, kind) }, [ badge ]);
	},

	/* What to show for a call that failed, by bus.failure(). */
	failure(kind) {
		switch (kind) {
		case 'denied':
			return _('Your user may not read the state of the connection. Ask the administrator for the right “luci-proto-mape”.');

		case 'absent':
			return _('The service “mape” is not on the bus. Install the package mape, then restart rpcd or the router.');

		case 'refused':
			return _('The service “mape” has no answer to this.');

		case null:
			return _('This page has an error of its own. Please report it with what the browser’s console says.');

		default:
			return _('The service “mape” does not answer.');
		}
	}
});
