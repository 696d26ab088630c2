// SPDX-License-Identifier: Apache-2.0
// The router as the browser sees it through /ubus: sessions with the rights
// that the ACL files grant, a UCI store with staged changes, netifd's
// interfaces and the bus object `mape`, answering from tests/data/bus.

import { basename, join } from 'node:path';
import { app, filesBelow, fixture, jsonBelow, luciParts, resources } from './paths.mjs';

const denied = { code: -32002, message: 'Access denied' };
const absent = { code: -32000, message: 'Object not found' };

const stubRights = {
	'luci-base': { read: { ubus: { session: [ 'access' ], uci: [ '*' ], network: [ '*' ] } } }
};

/* What luci-app-upnp grants, whose plugin is asked if it is there. */
const upnpRights = { 'luci-app-upnp': { read: { ubus: { 'luci.upnp': [ 'get_status' ] } } } };

function matches(list, name) {
	return (list ?? []).some(entry => entry == '*' || entry == name || (entry.endsWith('*') && name.startsWith(entry.slice(0, -1))));
}

export class Bus {
	constructor(scenario = {}) {
		this.scenario = { status: 'status', ports: 'ports', doctor: 'doctor', history: 'history', calc: () => fixture('calc'), ...scenario };
		this.uci = structuredClone({ luci: {}, network: {}, firewall: {}, ...scenario.uci });
		this.deltas = [];
		this.calls = [];
		this.groups = luciParts.length
			? Object.assign({}, ...[ ...luciParts, app ].map(part => jsonBelow(part, 'usr/share/rpcd/acl.d')))
			: { ...stubRights, ...jsonBelow(app, 'usr/share/rpcd/acl.d') };

		if (this.scenario.upnp)
			Object.assign(this.groups, upnpRights);

		for (const name of this.scenario.without ?? [])
			delete this.groups[name];
	}

	may(scope, object, method) {
		const halves = this.scenario.readonly ? [ 'read' ] : [ 'read', 'write' ];

		return Object.values(this.groups).some(group => halves.some(half => {
			const grants = group[half]?.[scope] ?? (scope == 'ubus' ? {} : []);

			return Array.isArray(grants) ? matches(grants, object)
				: Object.keys(grants).some(key => matches([ key ], object) && matches(grants[key], method));
		}));
	}

	mayUci(config, half) {
		return Object.values(this.groups).some(group =>
			(half == 'read' || !this.scenario.readonly) && matches(group[half]?.uci, config));
	}

	handle({ id, method, params }) {
		if (method == 'list')
			return { jsonrpc: '2.0', id, result: params ? {} : [] };

		const [ , object, name, args ] = params;
		this.calls.push({ object, name, args });

		const known = (object == 'session' && name == 'access') || this.may('ubus', object, name);
		if (!known)
			return { jsonrpc: '2.0', id, error: denied };

		const reply = this.answer(object, name, args);

		return reply?.code < 0 ? { jsonrpc: '2.0', id, error: reply } : { jsonrpc: '2.0', id, result: reply };
	}

	/* Resolves when OBJECT's method NAME has been called; fails after ten seconds. */
	async asked(object, name) {
		for (let i = 0; i < 200; i++) {
			if (this.calls.some(call => call.object == object && call.name == name))
				return;

			await new Promise(resolve => setTimeout(resolve, 50));
		}

		throw new Error(`${object} ${name} was not called`);
	}

	/* How long the answer to MESSAGE takes, in milliseconds. */
	delay({ method, params }) {
		return (method == 'call' && params[1] == 'mape') ? (this.scenario.late?.[params[2]] ?? 0) : 0;
	}

	answer(object, name, args) {
		if (object == 'mape')
			return this.mape(name, args);

		if (object == 'uci')
			return this.config(name, args);

		if (object == 'session')
			return [ 0, { access: args.scope != 'uci' || this.mayUci(args.object, args.function) } ];

		if (object == 'file' && name == 'list')
			return [ 0, { entries: filesBelow(join(resources, 'view/status/include'), '.js')
				.concat(...luciParts.map(part => filesBelow(join(part, 'htdocs/luci-static/resources/view/status/include'), '.js')))
				.filter(() => args.path.endsWith('/view/status/include'))
				.concat(args.path.endsWith('/preload') ? filesBelow(join(resources, 'preload'), '.js') : [])
				.map(file => ({ name: basename(file), type: 'file' })) } ];

		if (object == 'network.interface' && name != 'dump')
			return [ this.scenario.refusesRestart ? 9 : 0 ];

		if (object == 'luci.upnp')
			return this.scenario.upnp ? [ 0, { rules: this.scenario.upnp } ] : absent;

		const fixed = this.router()[`${object}.${name}`];

		return fixed === undefined ? [ 4 ] : [ 0, fixed ];
	}

	mape(name, args) {
		const { scenario } = this;

		if (scenario.absent)
			return absent;

		if (scenario.broken === true || (scenario.broken || []).includes(name))
			return [ 7 ];

		const source = scenario[name];
		const reply = (typeof source == 'function') ? source(args) : fixture(source);

		/* A service that does not know the method. */
		return (reply === null) ? [ 3 ] : [ 0, reply ];
	}

	config(name, { config, section, option, type, name: wanted, values, options, sections }) {
		const store = this.uci[config];

		if (name == 'changes') {
			const changes = {};

			for (const [ what, one, sid ] of this.deltas)
				(changes[one] ??= []).push([ what, sid ]);

			return [ 0, { changes } ];
		}

		if (this.scenario.refusesUci && name != 'get')
			return [ 6 ];

		if (!this.mayUci(config, name == 'get' ? 'read' : 'write'))
			return [ 6 ];

		if (!store)
			return [ 4 ];

		if (name == 'get')
			return [ 0, section ? { values: store[section] } : { values: store } ];

		this.deltas.push([ name, config, section ?? wanted ?? (name == 'add' ? `cfg${Object.keys(store).length}` : ''), ...(type ? [ type ] : []), values ?? options ?? option ?? sections ?? null ]);

		if (name == 'add') {
			const sid = wanted ?? `cfg${Object.keys(store).length}`;
			store[sid] = { '.type': type, '.name': sid, '.anonymous': !wanted, ...values };
			return [ 0, { section: sid } ];
		}

		if (name == 'set')
			Object.assign(store[section] ??= {}, values);

		if (name == 'delete') {
			for (const key of options ?? (option ? [ option ] : []))
				delete store[section][key];
			if (!options && !option)
				delete store[section];
		}

		return [ 0, {} ];
	}

	router() {
		const wan6 = {
			interface: 'wan6', up: true, pending: false, available: true, autostart: true, dynamic: false, uptime: 5000,
			l3_device: 'eth1', proto: 'dhcpv6', device: 'eth1', metric: 0, dns_metric: 0, delegation: true,
			'ipv4-address': [], 'ipv6-address': [ { address: '240b:10:1:200:1122:33ff:fe44:5566', mask: 64 } ],
			'ipv6-prefix': [ { address: '240b:10:1:200::', mask: 56, class: 'wan6', assigned: {} } ],
			'ipv6-prefix-assignment': [], route: [ { target: '::', mask: 0, nexthop: 'fe80::1', source: '240b:10:1:200::/56' } ],
			'dns-server': [], 'dns-search': [], neighbors: [], inactive: { 'ipv4-address': [], 'ipv6-address': [], route: [], 'dns-server': [], 'dns-search': [], neighbors: [] }, data: {}
		};
		const lan = { ...wan6, interface: 'lan', proto: 'static', device: 'br-lan', l3_device: 'br-lan', 'ipv4-address': [ { address: '192.168.1.1', mask: 24 } ], 'ipv6-address': [], 'ipv6-prefix': [], route: [] };
		const wanmap = { ...wan6, interface: 'wanmap', proto: 'mape', l3_device: 'map-wanmap', device: undefined, 'ipv6-address': [], 'ipv6-prefix': [], route: [], ...this.scenario.wanmap };
		const device = (name, type) => ({ name, up: true, mtu: 1500, mac: '02:00:00:00:00:01', type: 1, devtype: type, flags: { up: true }, link: { carrier: true, speed: 1000, duplex: 'full' }, stats: {}, ipaddrs: [], ip6addrs: [], stp: false, wireless: false });
		const interfaces = Object.keys(this.uci.network).includes('wanmap') ? [ lan, wan6, wanmap ] : [ lan, wan6 ];

		return {
			'network.interface.dump': { interface: this.scenario.nets ? this.scenario.nets(interfaces) : interfaces },
			'network.get_proto_handlers': { static: { no_device: false }, none: { no_device: false }, dhcpv6: {}, map: { no_device: true }, mape: { no_device: true } },
			'luci-rpc.getBoardJSON': { model: { id: 'x', name: 'Router' }, network: { lan: { device: 'br-lan' }, wan: { device: 'eth1' } } },
			'luci-rpc.getNetworkDevices': { eth1: device('eth1', 'ethernet'), 'br-lan': { ...device('br-lan', 'bridge'), bridge: true, ports: [] }, 'map-wanmap': device('map-wanmap', 'tunnel') },
			'luci-rpc.getWirelessDevices': {},
			'luci-rpc.getHostHints': {
				'02:00:00:00:00:20': { name: 'laptop', ipaddrs: [ '192.168.1.20' ], ip6addrs: [] },
				'02:00:00:00:00:23': { name: 'game-console', ipaddrs: [ '192.168.1.23' ], ip6addrs: [] }
			},
			'luci-rpc.getDHCPLeases': { dhcp_leases: [], dhcp6_leases: [] },
			'luci.getFeatures': { firewall: true, firewall4: true, ipv6: true },
			'luci.getVersion': { branch: 'LuCI', revision: '' },
			'luci.getUnixtime': { result: 1763700000 },
			'luci.getMountPoints': { result: [] },
			'luci.getSwconfigFeatures': {},
			'luci.getBuiltinEthernetPorts': { result: [] },
			'luci.getOdhcp6cStats': { result: {} },
			'luci.getConntrackHelpers': { result: [] },
			'luci.getLocaltime': { result: 1763700000 },
			'system.board': { hostname: 'OpenWrt', model: 'Router', kernel: '6.12', release: { description: 'OpenWrt 25.12', target: 'x86/64' } },
			'system.info': { uptime: 9000, localtime: 1763700000, load: [ 0, 0, 0 ], memory: { total: 2 ** 28, free: 2 ** 27, shared: 0, buffered: 0, available: 2 ** 27, cached: 0 }, swap: { total: 0, free: 0 }, root: {}, tmp: {} },
			'file.read': { data: '{}' },
			'file.stat': {}
		};
	}
}
