// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.parts as parts';

/* The bus names no more devices than this. */
const most = 10;

function number(value) {
	return Number.isFinite(value) ? value : 0;
}

function selectedIn(node) {
	const selection = document.getSelection();

	return selection != null && !selection.isCollapsed && node.contains(selection.anchorNode);
}

return baseclass.extend({
	/* Ports a device uses of the protocol that it uses most of. */
	use(host) {
		return Math.max(...parts.protocols.map(proto => number(host[proto])));
	},

	/* The devices of HINTS, LuCI's host hints, as [address, name]. */
	known(hints) {
		return L.toArray(hints?.getMACHints?.(false))
			.map(([ mac ]) => [ hints.getIPAddrByMACAddr(mac), hints.getHostnameByMACAddr(mac) ])
			.filter(([ address ]) => address);
	},

	/* How a host of the bus is called: its name with the address, or the address. */
	nameOf(host, hints) {
		const name = host.name ?? hints?.getHostnameByIPAddr?.(host.address);

		return name ? '%s (%s)'.format(name, host.address) : String(host.address);
	},

	/* The host that uses most ports as { name, ports, address }, or null. */
	top(ports, hints) {
		const [ host ] = [ ...L.toArray(ports?.hosts) ].sort((a, b) => this.use(b) - this.use(a));

		return host ? { name: this.nameOf(host, hints), ports: this.use(host), address: host.address } : null;
	},

	/* A table of the devices by ports in use. */
	Table: baseclass.extend({
		__init__(id, owner) {
			this.owner = owner;
			this.table = parts.table(id, [ _('Device'), _('Share of the ports'), 'TCP', 'UDP', 'ICMP' ]);
			this.table.classList.add('mape-devices');
			this.note = E('p', { 'class': 'mape-note' });
			this.node = E('div', {}, [ parts.heading(_('Devices by ports in use')), this.table, this.note ]);
		},

		update(hosts, pool, hints) {
			const key = JSON.stringify([ hosts, pool ]);

			/* What somebody is about to copy stays until it is copied. */
			if (this.key === key || selectedIn(this.table))
				return;

			this.key = key;
			cbi_update_table(this.table, hosts.map(host => this.row(host, pool, hints)), E('em', {}, [ _('No device uses a port at the moment.') ]));
			parts.say(this.note, (hosts.length >= most) ? _('Only the %d devices that use most ports are listed.').format(most) : '');
		},

		row(host, pool, hints) {
			const name = this.owner.nameOf(host, hints);
			const used = this.owner.use(host);
			const share = (pool > 0) ? Math.min(100, 100 * used / pool) : 0;
			const text = '%d %%'.format(Math.round(share));

			return [
				[ name, E('span', { 'class': 'mape-device', 'title': name }, [ name ]) ],
				[ used, E('span', { 'class': 'mape-share' }, [
					E('span', { 'class': 'mape-bar', 'aria-hidden': 'true' }, [ E('span', { 'style': 'width:%.1f%%'.format(share) }) ]),
					E('span', {}, [ text ])
				]) ],
				...parts.protocols.map(proto => [ number(host[proto]), E('span', {}, [ '%d'.format(number(host[proto])) ]) ])
			];
		}
	})
});
