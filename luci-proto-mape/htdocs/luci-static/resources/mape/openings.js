// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.bus as bus';
'require mape.devices as devices';
'require mape.firewall as firewall';
'require mape.forward as forward';
'require mape.math as math';
'require mape.parts as parts';
'require ui';

const kinds = {
	forward: _('Port forward'),
	opened: _('Opened on this router'),
	reserved: _('Reserved port'),
	upnp: _('UPnP', 'kind of a port forward'),
	live: _('Other firewall rule')
};

const states = {
	active: _('active', 'state of a port forward'),
	staged: _('not applied yet', 'state of a port forward'),
	removed: _('removed when applied', 'state of a port forward'),
	off: _('turned off', 'state of a port forward'),
	outside: _('not in the port set: never reached', 'state of a port forward')
};

/* How often devices are asked for by UPnP, in milliseconds: the router starts programs for it. */
const upnpInterval = 60000;

const purposes = [
	{ name: 'game', title: _('Game or console'), proto: 'tcp udp', to: 'device', hint: _('If the game lets you choose a port, choose this one.') },
	{ name: 'vpn', title: _('VPN (WireGuard)'), proto: 'udp', to: 'router', hint: _('Use it as listen port, and in the address that the other side calls.') },
	{ name: 'server', title: _('Server or camera'), proto: 'tcp', to: 'device', hint: _('Callers must name the port after the address.') }
];

const readonly = () => L.hasViewPermission() === false;

function button(text, label, kind, click) {
	return E('button', {
		'class': 'btn cbi-button %s'.format(kind), 'disabled': readonly() || null, 'aria-label': label,
		'title': readonly() ? _('You may only read this page.') : null, 'click': click
	}, [ text ]);
}

return baseclass.extend({
	/* Which ports lead to which device, and free ones for what people want. */
	Openings: baseclass.extend({
		__init__(id) {
			this.changed = {};
			this.opened = [];
			this.free = E('div', {});
			this.table = parts.table(id, [ _('Port', 'column'), _('Protocol'), _('To', 'where a port is forwarded'), _('Name'), _('Kind', 'of a port forward'), _('State', 'of a port forward'), '' ]);
			this.table.classList.add('mape-openings');
			this.node = E('div', {}, [
				parts.heading(_('Ports for games, VPN and servers')), this.free,
				parts.heading(_('Forwarded and reserved ports')), this.table
			]);
			this.reload();
		},

		/* Looks again at what is staged. */
		reload() {
			return firewall.changes().then(changes => {
				this.changed = changes;
				this.draw();
			});
		},

		update(ifc, ports, hints, now) {
			this.shown = { ifc, ports, hints };

			if (this.asked == null || now - this.asked > upnpInterval) {
				this.asked = now;
				firewall.upnp().then(rules => {
					this.opened = rules;
					this.draw();
				});
			}

			this.draw();
		},

		draw() {
			if (!this.shown)
				return;

			const { ifc, ports } = this.shown;

			this.entries = firewall.entries(ifc, ports, this.changed, this.opened);

			const key = JSON.stringify(this.entries);

			if (this.key !== key) {
				this.key = key;
				cbi_update_table(this.table, this.entries.map(entry => this.row(entry)), E('em', {}, [ _('No port is forwarded or reserved.') ]));
			}

			/* Suggestions depend on what is taken, not on use, so that they do not jump about. */
			parts.fill(this.free, [ ports.ranges.map(range => range.first), this.entries, ifc.sharing_ratio ], () => this.suggestions());
		},

		row(entry) {
			const text = value => E('span', {}, [ value ]);
			const label = '%s (%s)'.format(entry.port, entry.name || kinds[entry.kind]);
			const edit = [ 'forward', 'opened' ].includes(entry.kind);

			return [
				[ entry.range[0], text(entry.port) ],
				text(entry.kind == 'reserved' ? '–' : entry.proto.join(' + ').toUpperCase()),
				text(entry.to ?? (entry.kind == 'opened' ? _('this router') : '–')),
				text(entry.name || '–'),
				text(kinds[entry.kind]),
				E('span', { 'class': (entry.state == 'active') ? null : 'mape-state-%s'.format(entry.state) }, [ states[entry.state] ]),
				E('div', {}, [
					edit ? button(_('Edit'), _('Edit port %s').format(label), 'cbi-button-edit', ui.createHandlerFn(this, () => this.dialog({ entry }))) : '', ' ',
					(edit || entry.kind == 'reserved') ? button(_('Delete'), _('Delete port %s').format(label), 'cbi-button-remove', ui.createHandlerFn(this, () => this.remove(entry))) : ''
				])
			];
		},

		remove(entry) {
			return firewall.remove(entry).then(() => this.reload()).catch(error =>
				ui.addNotification(null, [ E('p', {}, [ _('The router has refused the change: %s').format(bus.reasonOf(error)) ]) ], 'error'));
		},

		/* The devices to forward to, the one that uses most ports first. */
		hosts() {
			const { ports, hints } = this.shown;
			const used = L.toArray(ports.hosts).map(host => [ host.address, host.name ?? hints?.getHostnameByIPAddr?.(host.address) ]);
			const known = devices.known(hints);
			const inLan = used.filter(([ address ]) => known.some(([ other ]) => other == address));

			return [ ...inLan, ...known.filter(([ address ]) => !inLan.some(([ other ]) => other == address)) ];
		},

		dialog(options) {
			const { ifc, ports } = this.shown;

			return forward.open({ ifc, ports, entries: this.entries, hosts: this.hosts(), done: () => this.reload(), ...options });
		},

		suggestions() {
			const { ifc, ports } = this.shown;

			if (!(ifc.sharing_ratio > 1))
				return E('p', {}, [
					_('The address is yours alone: every port can be forwarded.'), ' ',
					E('a', { 'href': L.url('admin/network/firewall/forwards') }, [ _('Port forwards') ])
				]);

			const free = math.freePorts(ports.ranges, this.entries, purposes.length);

			if (!free.length)
				return parts.note(_('Every port of the set is reserved or forwarded.'));

			return [
				E('p', {}, [ _('The address is shared: from the Internet only the ports of the set reach this router. The usual port numbers of games and servers do not work; use one of these instead.') ]),
				E('ul', { 'class': 'mape-free', 'role': 'list' }, purposes.slice(0, free.length).map((purpose, i) => E('li', {}, [
					E('strong', {}, [ '%s: %d'.format(purpose.title, free[i]) ]),
					E('span', {}, [ purpose.hint ]),
					button(_('Forward…'), _('Forward port %d').format(free[i]), 'cbi-button-add', ui.createHandlerFn(this, () => this.dialog({
						preset: { name: purpose.name, port: '%d'.format(free[i]), proto: purpose.proto, to: purpose.to }
					})))
				])))
			];
		}
	})
});
