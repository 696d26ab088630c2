// SPDX-License-Identifier: Apache-2.0
'use strict';
'require dom';
'require mape.bus as bus';
'require mape.card as card';
'require mape.words as words';
'require network';
'require poll';
'require view';

function emptyState() {
	return E('div', { 'class': 'cbi-section' }, [
		E('p', {}, [ E('strong', {}, [ _('There is no MAP-E interface yet.') ]) ]),
		E('ol', {}, [
			E('li', {}, [ _('Make sure that IPv6 works: an interface such as wan6 has an IPv6 prefix.') ]),
			E('li', {}, [ _('Under Network → Interfaces add an interface, choose the protocol “MAP-E / MAP-T / lw4o6” and save. With most providers nothing else is to be set.') ]),
			E('li', {}, [ _('Come back to this page to see the address and the ports.') ])
		]),
		E('a', { 'class': 'btn cbi-button cbi-button-action', 'href': L.url('admin/network/network') }, [ _('Go to Interfaces') ])
	]);
}

return view.extend({
	load() {
		return L.resolveDefault(network.getHostHints(), null);
	},

	render(hints) {
		this.hints = hints;
		this.cards = {};
		this.notice = E('div', { 'role': 'alert' });
		this.body = E('div', {}, [ E('p', { 'class': 'spinning' }, [ _('Loading data…') ]) ]);

		poll.add(() => this.refresh(), 5);

		return E('div', { 'class': 'mape' }, [
			E('link', { 'rel': 'stylesheet', 'href': L.resource('mape/mape.css') }),
			E('h2', {}, [ _('MAP-E') ]),
			E('div', { 'class': 'cbi-map-descr' }, [ _('IPv4 over an IPv6-only line: the state of the connection, and the ports that belong to it.') ]),
			this.notice,
			this.body
		]);
	},

	refresh() {
		return bus.interfaces().then(list => Promise.all(list.map(ifc =>
			(ifc.state == 'up') ? L.resolveDefault(bus.ports(ifc.interface), null) : null
		)).then(ports => this.show(list, ports))).catch(error => this.fail(error));
	},

	show(list, ports) {
		const names = list.map(ifc => ifc.interface).join();

		if (this.names !== names) {
			this.names = names;
			this.cards = Object.fromEntries(list.map(({ interface: name }) =>
				[ name, this.cards[name] ?? new card.Card(name, this.hints) ]));
			dom.content(this.body, list.length ? Object.values(this.cards).map(one => one.node) : emptyState());
		}

		list.forEach((ifc, i) => this.cards[ifc.interface].update(ifc, ports[i]));
		this.tell(null);
	},

	fail(error) {
		const kind = bus.failure(error);

		/* One missed answer of a running service is no news; what was seen stays. */
		if (kind != 'failed' || this.names == null)
			dom.content(this.body, null);

		if (kind != 'failed')
			this.names = null;

		this.tell(kind);
	},

	tell(kind) {
		if (this.told === kind)
			return;

		this.told = kind;
		dom.content(this.notice, kind ? E('p', { 'class': 'alert-message warning' }, [ words.failure(kind) ]) : null);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
