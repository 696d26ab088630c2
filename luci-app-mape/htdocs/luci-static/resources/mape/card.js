// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';
'require mape.bus as bus';
'require mape.forward as forward';
'require mape.math as math';
'require mape.picture as picture';
'require mape.words as words';
'require ui';

/* How far back the picture of use goes. */
const minutes = 10;

/* Fills NODE by BUILD unless it shows KEY already: what did not change keeps focus and selection. */
function fill(node, key, build) {
	const text = JSON.stringify(key);

	if (node.mapeKey !== text) {
		node.mapeKey = text;
		dom.content(node, build());
	}
}

function heading(text) {
	return E('h4', {}, [ text ]);
}

function table(titles, rows) {
	return E('table', { 'class': 'table' }, [
		E('tr', { 'class': 'tr table-titles' }, titles.map(title => E('th', { 'class': 'th' }, [ title ]))),
		...rows.map(row => E('tr', { 'class': 'tr' }, row.map((cell, i) => E('td', {
			'class': 'td', 'data-title': titles[i]
		}, Array.isArray(cell) ? cell : [ cell ]))))
	]);
}

function nested(texts) {
	return texts.filter(text => text != null && text !== '').join(' · ');
}

/* What is worth knowing of an interface, as [label, text]. */
function facts(ifc) {
	const ranges = ifc.bmr ? 2 ** ifc.bmr.psid_offset - (ifc.bmr.psid_offset ? 1 : 0) : 0;
	const all = [
		[ _('Provider'), (ifc.type || ifc.provider) ? words.provider(ifc.provider, ifc.provider_name) : null ],
		[ _('IPv4 address'), ifc.ipv4_address && ((ifc.ipv4_prefix_len == 32) ? ifc.ipv4_address : '%s/%d'.format(ifc.ipv4_address, ifc.ipv4_prefix_len)) ],
		[ _('Ports'), ifc.ports && ((ranges > 1) ? _('%d in %d ranges').format(ifc.ports.total, ranges) : '%d'.format(ifc.ports.total)) ],
		[ 'PSID', (ifc.psid != null) ? _('%d (one of %d that share the address)').format(ifc.psid, ifc.sharing_ratio) : null ],
		[ _('Type'), ifc.type && nested([ ifc.type.toUpperCase(), ifc.dialect ]) ],
		[ _('IPv6 prefix'), ifc.end_user_prefix && nested([ ifc.end_user_prefix, words.source(ifc) ]) ],
		[ _('Uplink'), ifc.uplink ],
		[ _('CE address'), ifc.ce_address ],
		[ _('Border relay (BR)'), ifc.br ],
		[ 'DMR', ifc.dmr ],
		[ _('MTU'), ifc.mtu && '%d'.format(ifc.mtu) ],
		[ _('Port allocation'), ifc.nat?.mode && words.nat(ifc.nat.mode) ],
		[ _('Mesh'), ifc.mesh ? _('direct to %d rules').format(ifc.fmrs) : null ],
		[ _('Received'), ifc.traffic && '%1024.1mB'.format(ifc.traffic.rx_bytes) ],
		[ _('Sent'), ifc.traffic && '%1024.1mB'.format(ifc.traffic.tx_bytes) ],
		[ _('Connected for'), (ifc.uptime != null && ifc.state == 'up') ? '%t'.format(ifc.uptime) : null ]
	];

	return all.filter(([ , text ]) => text != null);
}

const purposes = [
	{ name: 'game', title: () => _('Game or console'), proto: 'tcp udp', to: 'device', hint: () => _('If the game lets you choose a port, choose this one.') },
	{ name: 'vpn', title: () => _('VPN (WireGuard)'), proto: 'udp', to: 'router', hint: () => _('Use it as listen port, and in the address that the other side calls.') },
	{ name: 'server', title: () => _('Server or camera'), proto: 'tcp', to: 'device', hint: () => _('Callers must name the port after the address.') }
];

const Card = baseclass.extend({
	/* One interface of the status page. HINTS are LuCI's host hints or null. */
	__init__(name, hints) {
		this.name = name;
		this.hints = hints;
		this.ports = new picture.Ports();
		this.history = new picture.History(name);
		this.head = E('h3', {});
		this.reason = E('p', { 'role': 'status' });
		this.facts = E('dl', { 'class': 'mape-facts' });
		this.portNote = E('p', {});
		this.hosts = E('div', {});
		this.dropped = E('div', {});
		this.advice = E('div', {});
		this.doctor = E('div', { 'aria-live': 'polite' });
		this.live = E('div', {}, [
			heading(_('Ports')), this.portNote, picture.legend(), this.ports.node,
			heading(_('Ports in use over the last minutes')), this.history.node,
			this.hosts, this.advice, this.dropped
		]);
		this.node = E('div', { 'class': 'cbi-section', 'data-interface': name }, [
			this.head, this.reason, this.facts, this.live,
			heading(_('Diagnosis')),
			E('p', {}, [ _('Checks the way from the uplink to the border relay. A few test packets are sent, to the border relay only.') ]),
			E('button', { 'class': 'btn cbi-button cbi-button-action', 'click': ui.createHandlerFn(this, 'runDoctor') }, [ _('Run diagnosis') ]),
			this.doctor
		]);
	},

	/* Shows IFC, an entry of the bus' status, and PORTS, its port set or null. */
	update(ifc, ports) {
		fill(this.head, [ this.name, ifc.state ], () => [ this.name, ' ', words.badge(ifc) ]);
		fill(this.reason, [ words.sentence(ifc), ifc.error ], () => [
			words.sentence(ifc), ' ', ifc.error?.detail ? E('small', {}, [ '(%s)'.format(ifc.error.detail) ]) : ''
		]);
		this.updateFacts(facts(ifc));

		const live = (ifc.state == 'up' && ifc.ports != null && ports != null);
		this.live.style.display = live ? '' : 'none';

		if (live) {
			this.updatePorts(ifc, ports);
			this.updateHosts(ports);
			this.updateAdvice(ifc, ports);
			this.updateDropped(ifc);
		}
	},

	updateFacts(entries) {
		fill(this.facts, entries.map(([ label ]) => label), () => entries.map(([ label ]) =>
			E('div', {}, [ E('dt', {}, [ label ]), E('dd', {}) ])));

		entries.forEach(([ , text ], i) => {
			const value = this.facts.children[i].lastChild;

			if (value.textContent !== text)
				value.textContent = text;
		});
	},

	updatePorts(ifc, ports) {
		const { total, used, reserved, forwarded } = ifc.ports;

		this.portNote.textContent = [
			_('%d of %d in use (TCP %d, UDP %d, ICMP %d; each protocol has all of them).').format(ifc.ports.used_max, total, used.tcp, used.udp, used.icmp),
			(reserved || forwarded) ? _('Kept out: %d reserved, %d forwarded.').format(reserved, forwarded) : ''
		].join(' ');
		this.ports.update(ports.ranges);
		this.history.update(used, total, Date.now(), minutes);
	},

	updateHosts(ports) {
		fill(this.hosts, ports.hosts, () => [
			heading(_('Devices by ports in use')),
			ports.hosts.length
				? table([ _('Device'), 'TCP', 'UDP', 'ICMP' ], ports.hosts.map(host => {
					const name = host.name ?? this.hints?.getHostnameByIPAddr?.(host.address);
					return [ name ? '%s (%s)'.format(name, host.address) : host.address, '%d'.format(host.tcp), '%d'.format(host.udp), '%d'.format(host.icmp) ];
				}))
				: E('p', {}, [ E('em', {}, [ _('No device uses a port at the moment.') ]) ])
		]);
	},

	updateDropped(ifc) {
		const entries = Object.keys(words.dropped).filter(key => ifc.dropped?.[key] > 0);

		fill(this.dropped, entries.map(key => [ key, ifc.dropped[key] ]), () => [
			heading(_('Packets dropped since the connection was set up')),
			entries.length
				? table([ _('Reason'), _('Packets') ], entries.map(key => [ words.dropped[key], '%d'.format(ifc.dropped[key]) ]))
				: E('p', {}, [ E('em', {}, [ _('None.') ]) ])
		]);
	},

	/* Suggestions depend on what is taken, not on use, so that they do not jump about. */
	updateAdvice(ifc, ports) {
		const taken = ports.ranges.map(range => [ range.first, range.reserved, range.forwarded ]);

		fill(this.advice, taken, () => [
			heading(_('Ports for games, VPN and servers')),
			...(ifc.sharing_ratio > 1 ? this.suggestions(ifc, ports) : [ E('p', {}, [
				_('The address is yours alone: every port can be forwarded.'), ' ',
				E('a', { 'href': L.url('admin/network/firewall/forwards') }, [ _('Port forwards') ])
			]) ])
		]);
	},

	suggestions(ifc, ports) {
		const free = math.freePorts(ports.ranges, purposes.length);
		const readonly = (L.hasViewPermission() === false);

		if (!free.length)
			return [ E('p', {}, [ _('Every port of the set is reserved or forwarded.') ]) ];

		return [
			E('p', {}, [ _('The address is shared: from the Internet only the ports of the set reach this router. The usual port numbers of games and servers do not work; use one of these instead.') ]),
			table([ _('For'), _('Port'), '' ], purposes.slice(0, free.length).map((purpose, i) => [
				[ purpose.title(), E('br'), E('small', {}, [ purpose.hint() ]) ],
				'%d'.format(free[i]),
				E('button', {
					'class': 'btn cbi-button cbi-button-add',
					'disabled': readonly || null,
					'title': readonly ? _('You may only read this page.') : null,
					'aria-label': _('Forward port %d').format(free[i]),
					'click': ui.createHandlerFn(this, () => forward.open(ifc, ports, forward.hosts(this.hints), {
						name: purpose.name, port: '%d'.format(free[i]), proto: purpose.proto, to: purpose.to
					}))
				}, [ _('Forward…') ])
			]))
		];
	},

	runDoctor() {
		return bus.doctor(this.name).then(report => {
			const checks = L.toArray(report.checks);

			dom.content(this.doctor, [
				E('p', {}, [ E('strong', {}, [
					report.ok ? _('Nothing is broken.') : _('Something is broken; see what to do below.')
				]) ]),
				E('ul', { 'class': 'mape-doctor' }, checks.map(check => {
					const [ sign, label, kind ] = words.verdict(check.verdict);
					const [ first, ...exact ] = words.remedies(check);

					return E('li', { 'data-check': check.id, 'data-verdict': check.verdict }, [
						E('span', { 'class': 'label %s mape-%s'.format(kind, kind) }, [ '%s %s'.format(sign, label) ]),
						E('strong', {}, [ words.check(check.id) ]),
						E('div', {}, [
							check.seen,
							...(first ? [ E('br'), E('strong', {}, [ _('What to do: %s').format(first) ]) ] : []),
							...exact.flatMap(text => [ E('br'), E('small', {}, [ text ]) ])
						])
					]);
				}))
			]);
		}).catch(error => {
			dom.content(this.doctor, [ E('p', { 'class': 'alert-message warning' }, [
				words.failure(bus.failure(error)), ' ', E('small', {}, [ String(error.message) ])
			]) ]);
		});
	}
});

return baseclass.extend({ Card });
