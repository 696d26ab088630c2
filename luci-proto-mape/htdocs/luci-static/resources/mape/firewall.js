// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.math as math';
'require rpc';
'require uci';

const callChanges = rpc.declare({ object: 'uci', method: 'changes', expect: { changes: {} } });
const callUpnp = rpc.declare({ object: 'luci.upnp', method: 'get_status', expect: { rules: [] } });

/* The firewall zone of the first of NETWORKS that is in one. */
function zoneOf(networks) {
	const zones = uci.sections('firewall', 'zone');

	for (const name of networks)
		for (const zone of zones)
			if (L.toArray(zone.network).flatMap(list => String(list).split(' ')).includes(name))
				return zone.name;

	return null;
}

function outside(ifc) {
	return zoneOf([ ifc.interface, ifc.uplink, 'wan' ]) ?? 'wan';
}

function setOf(ports) {
	return L.toArray(ports?.ranges).map(range => [ range.first, range.last ]);
}

/* The protocols of a section that have ports, as [ 'tcp', 'udp' ]. */
function protocolsOf(section) {
	const names = L.toArray(section.proto).flatMap(list => String(list).toLowerCase().split(' '));
	const all = !names.length || names.some(name => [ 'all', 'any', '*', 'tcpudp' ].includes(name));

	return [ 'tcp', 'udp' ].filter(name => all || names.includes(name));
}

/* A section of the firewall that lets something in from the zone SRC, as an entry of the table; else null. */
function entryOf(section, type, src, set) {
	const isForward = (type == 'redirect');
	const port = String((isForward ? section.src_dport : section.dest_port) ?? '').replace(':', '-');
	const range = math.parseRange(port);
	const proto = protocolsOf(section);

	if (!range || !proto.length || (section.src != src && section.src != '*'))
		return null;

	if (isForward ? (section.target == 'SNAT') : (section.target != 'ACCEPT' || section.dest || section.family == 'ipv6'))
		return null;

	const inside = math.inSet(set, ...range);

	/* Rules for ports of the router that are not of the set are about other things, such as DHCP. */
	if (!isForward && !inside)
		return null;

	return {
		kind: isForward ? 'forward' : 'opened', sid: section['.name'], type, name: section.name ?? '', port, range, proto,
		to: isForward ? '%s:%s'.format(section.dest_ip ?? '?', section.dest_port || port) : null,
		state: (section.enabled == '0') ? 'off' : (inside ? 'active' : 'outside')
	};
}

/* What the bus says is forwarded, one entry for a port and where it leads. */
function liveEntries(ports) {
	const entries = new Map();

	for (const { port, proto, to, name } of L.toArray(ports?.ranges).flatMap(range => L.toArray(range.forwarded))) {
		const key = [ port, to, name ].join();
		const known = entries.get(key);

		if (known)
			known.proto.push(proto);
		else
			entries.set(key, { kind: 'live', sid: null, name: name ?? '', port: String(port), range: [ port, port ], proto: [ proto ], to, state: 'active' });
	}

	return [ ...entries.values() ];
}

function covers(entry, [ first, last ], protos) {
	return entry.range[0] <= first && last <= entry.range[1] && protos.every(proto => entry.proto.includes(proto));
}

return baseclass.extend({
	zoneOf,

	/* Reads the configuration once; what may not be read is not shown. */
	load() {
		return Promise.all([ 'firewall', 'network' ].map(name => L.resolveDefault(uci.load(name), null)));
	},

	/* The sections with changes that are not applied yet, as { config: [section] }. */
	changes() {
		return L.resolveDefault(callChanges(), {}).then(changes => Object.fromEntries(
			Object.entries(changes ?? {}).map(([ config, list ]) => [ config, L.toArray(list).map(([ , sid ]) => sid) ])));
	},

	/* What devices have opened by UPnP, if that is installed. */
	upnp() {
		return L.resolveDefault(callUpnp(), []);
	},

	/*
	 * Every forward, opened port and reservation of IFC, staged ones too:
	 * [{ kind, state, name, port, range, proto, to, sid, type }], by port.
	 * KIND is 'forward', 'opened', 'reserved', 'upnp' or 'live' (in effect,
	 * but from elsewhere); STATE 'active', 'staged', 'removed', 'off' or 'outside'.
	 */
	entries(ifc, ports, changes, upnp) {
		const set = setOf(ports);
		const src = outside(ifc);
		const configured = [ 'redirect', 'rule' ].flatMap(type => uci.sections('firewall', type)
			.map(section => entryOf(section, type, src, set)).filter(entry => entry)
			.map(entry => L.toArray(changes.firewall).includes(entry.sid) ? { ...entry, state: 'staged' } : entry));
		const foreign = liveEntries(ports)
			.filter(live => !configured.some(entry => covers(entry, live.range, live.proto)))
			.map(live => L.toArray(changes.firewall).length ? { ...live, state: 'removed' } : live);
		const reserved = L.toArray(uci.get('network', ifc.interface, 'reserve')).map(port => ({
			kind: 'reserved', sid: ifc.interface, type: null, name: '', port: String(port), range: math.parseRange(port) ?? [ 0, 0 ],
			proto: [ 'tcp', 'udp' ], to: null, state: L.toArray(changes.network).includes(ifc.interface) ? 'staged' : 'active'
		}));
		const opened = L.toArray(upnp).filter(rule => Number.isFinite(rule.extport)).map(rule => ({
			kind: 'upnp', sid: null, type: null, name: String(rule.descr ?? ''), port: String(rule.extport), range: [ rule.extport, rule.extport ],
			proto: [ String(rule.proto).toLowerCase() ], to: '%s:%d'.format(rule.intaddr, rule.intport),
			state: math.inSet(set, rule.extport, rule.extport) ? 'active' : 'outside'
		}));

		return [ ...configured, ...foreign, ...reserved, ...opened ].sort((a, b) => a.range[0] - b.range[0]);
	},

	/* Stages a forward, or an opened port of the router, in section SID or a new one. */
	stage(ifc, values, sid) {
		const onRouter = (values.to == 'router');
		const type = onRouter ? 'rule' : 'redirect';
		const options = {
			name: values.name,
			src: outside(ifc),
			proto: values.proto.split(' '),
			...(onRouter
				? { family: 'ipv4', dest_port: values.port, target: 'ACCEPT' }
				: {
					src_dport: values.port,
					dest: zoneOf([ 'lan' ]) ?? 'lan',
					dest_ip: values.device,
					dest_port: values.dest_port || values.port,
					target: 'DNAT'
				})
		};
		const kept = sid && uci.sections('firewall', type).some(section => section['.name'] == sid);

		if (sid && !kept)
			uci.remove('firewall', sid);

		const target = kept ? sid : uci.add('firewall', type);

		for (const name in options)
			uci.set('firewall', target, name, options[name]);

		return this.save('firewall');
	},

	/* Stages the removal of ENTRY. */
	remove(entry) {
		if (entry.kind == 'reserved') {
			const left = L.toArray(uci.get('network', entry.sid, 'reserve')).filter(port => String(port) != entry.port);

			if (left.length)
				uci.set('network', entry.sid, 'reserve', left);
			else
				uci.unset('network', entry.sid, 'reserve');

			return this.save('network');
		}

		uci.remove('firewall', entry.sid);

		return this.save('firewall');
	},

	/* Sends what was staged to the router; what it refuses is forgotten, so that it is not sent again. */
	save(config) {
		return uci.save().catch(error => {
			uci.unload(config);

			return L.resolveDefault(uci.load(config), null).then(() => { throw error; });
		});
	}
});
