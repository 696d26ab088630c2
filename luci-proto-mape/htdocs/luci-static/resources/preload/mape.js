// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require rpc';

/*
 * LuCI loads this on every page. On Network → Firewall → Port Forwards it lets
 * the field of the external port offer free ports of the set and says which
 * ones reach this router at all. On Network → Interfaces it shows the zone that
 * our interfaces are in although no zone lists them.
 */
const callDump = rpc.declare({ object: 'network.interface', method: 'dump', expect: { interface: [] } });

let sets = null;
let zones = null;

/* The ports of each interface that shares its address, asked for once. */
function portSets() {
	return sets ??= L.require('mape.bus').then(bus => bus.interfaces()
		.then(list => Promise.all(list.filter(ifc => ifc.state == 'up' && ifc.sharing_ratio > 1).map(ifc => bus.ports(ifc.interface)))))
		.catch(() => []);
}

function offer(option) {
	const load = option.load;
	let offered = null;

	option.load = function(section_id) {
		offered ??= Promise.all([ portSets(), L.require('mape.math'), L.require('mape.ports') ]).then(([ all, math, portset ]) => {
			/* A description is HTML. */
			const notes = all.map(({ interface: name, ranges }) =>
				'%h'.format(_('From the Internet only these ports reach this router over “%s”: %s').format(name, portset.textOf(ranges))));

			option.description = [ option.description, ...notes ].filter(text => text).join('<br />');

			for (const { interface: name, ranges } of all)
				for (const port of math.freePorts(ranges, [], 5))
					option.value('%d'.format(port), _('%d (free on “%s”)').format(port, name));
		});

		return offered.then(() => load.call(this, section_id));
	};
}

function offerPorts() {
	L.require('form').then(form => {
		const taboption = form.GridSection.prototype.taboption;

		form.GridSection.prototype.taboption = function(tab, widget, name) {
			const option = taboption.apply(this, arguments);

			if (name == 'src_dport' && this.sectiontype == 'redirect')
				offer(option);

			return option;
		};
	});
}

/*
 * The interfaces of netifd that name their firewall zone themselves, by zone.
 * Asked for once: LuCI sends calls of a moment together, and a dialog that asks
 * for zones would wait for the slowest of them. Applied changes load the page anew.
 */
function members() {
	return zones ??= L.resolveDefault(callDump(), []).then(all => L.toArray(all).filter(ifc => ifc?.data?.zone)
		.reduce((found, { data, interface: name }) => found.set(data.zone, [ ...found.get(data.zone) ?? [], name ]), new Map()));
}

/* ZONE as it is shown, with the networks that firewall4 adds to it. What changes it still changes the zone of the configuration. */
function shown(zone, networks) {
	const view = Object.create(zone);

	for (const change of [ 'addNetwork', 'deleteNetwork', 'clearNetworks' ])
		view[change] = (...args) => zone[change](...args);

	view.getNetworks = () => [ ...new Set([ ...zone.getNetworks(), ...networks ]) ];

	return view;
}

function showZones() {
	L.require('firewall').then(firewall => {
		const { getZones, getZoneByNetwork } = firewall;

		firewall.getZones = function() {
			return Promise.all([ getZones.apply(this, arguments), members() ]).then(([ zones, all ]) => zones.map(zone => {
				const networks = all.get(zone.getName());

				return networks ? shown(zone, networks) : zone;
			}));
		};

		firewall.getZoneByNetwork = function(name) {
			return getZoneByNetwork.apply(this, arguments).then(zone => zone ??
				this.getZones().then(zones => zones.find(zone => zone.getNetworks().includes(name)) ?? null));
		};
	});
}

return baseclass.extend({
	__init__() {
		switch (L.env.requestpath.join('/')) {
		case 'admin/network/firewall/forwards':
			return offerPorts();

		case 'admin/network/network':
			return showZones();
		}
	}
});
