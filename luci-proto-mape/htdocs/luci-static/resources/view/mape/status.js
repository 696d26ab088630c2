// SPDX-License-Identifier: Apache-2.0
'use strict';
'require dom';
'require mape.bus as bus';
'require mape.card as card';
'require mape.diagnosis as diagnosis';
'require mape.firewall as firewall';
'require mape.style as style';
'require mape.words as words';
'require network';
'require poll';
'require view';

function emptyState() {
	return E('div', { 'class': 'cbi-section' }, [
		E('p', {}, [ E('strong', {}, [ _('There is no interface of this kind yet.') ]) ]),
		E('ol', {}, [
			E('li', {}, [ _('Make sure that IPv6 works: an interface such as wan6 has an IPv6 prefix.') ]),
			E('li', {}, [ _('Under Network → Interfaces add an interface, choose the protocol “IPv4 over IPv6 (MAP-E, DS-Lite, …)” and save. With most providers nothing else has to be set.') ]),
			E('li', {}, [ _('Come back to this page to see the address and the ports.') ])
		]),
		E('a', { 'class': 'btn cbi-button cbi-button-action', 'href': L.url('admin/network/network') }, [ _('Go to Interfaces') ])
	]);
}

/* What the bus says of IFC beyond its status; a part that fails says why and takes nothing else with it. */
function detailsOf(ifc) {
	if (ifc.state != 'up' || ifc.ports == null)
		return Promise.resolve([ ifc, null, null ]);

	return Promise.all([
		bus.ports(ifc.interface).catch(error => ({ failed: bus.failure(error) ?? 'failed' })),
		bus.history(ifc.interface)
	]).then(([ ports, samples ]) => [ ifc, ports, samples ]);
}

function ask() {
	return bus.interfaces().then(list => Promise.all(list.map(detailsOf)));
}

return view.extend({
	load() {
		return Promise.all([
			ask().then(list => ({ list }), error => ({ error })),
			L.resolveDefault(network.getHostHints(), null),
			style.load(),
			diagnosis.load(),
			firewall.load()
		]);
	},

	render([ first, hints ]) {
		this.hints = hints;
		this.cards = {};
		this.notice = E('div', { 'role': 'alert' });
		this.body = E('div', {});

		if (first.list)
			this.show(first.list);
		else
			this.fail(first.error);

		poll.add(() => this.refresh());

		return E('div', { 'class': 'mape' }, [
			E('h2', {}, [ _('IPv4 over IPv6') ]),
			E('div', { 'class': 'cbi-map-descr' }, [ _('The state of the IPv4 connection over an IPv6 line (MAP-E, MAP-T, DS-Lite, IPIP), and the ports that belong to it.') ]),
			this.notice,
			this.body
		]);
	},

	refresh() {
		return ask().then(list => this.show(list), error => this.fail(error));
	},

	show(list) {
		const names = list.map(([ ifc ]) => ifc.interface).join();

		if (this.names !== names) {
			this.names = names;
			this.cards = Object.fromEntries(list.map(([ { interface: name } ]) => [ name, this.cards[name] ?? new card.Card(name) ]));
			dom.content(this.body, list.length ? Object.values(this.cards).map(one => one.node) : emptyState());
		}

		/* An error of this page is no silence of the bus: it reaches the console, and the other interfaces are shown. */
		let broken = false;

		for (const [ ifc, ports, samples ] of list) {
			try {
				this.cards[ifc.interface].update(ifc, ports, samples, this.hints);
			}
			catch (error) {
				broken = true;
				console.error(error);
			}
		}

		this.tell(broken ? words.failure(null) : null);
	},

	fail(error) {
		const kind = bus.failure(error);

		if (kind == null)
			console.error(error);

		/* One missed answer of a running service is no news; what was seen stays. */
		if (kind == 'absent' || kind == 'denied' || this.names == null) {
			dom.content(this.body, null);
			this.names = null;
		}

		this.tell([ words.failure(kind), (kind == 'refused') ? String(error.message) : '', _('The page tries again by itself.') ].filter(text => text).join(' '));
	},

	tell(text) {
		if (this.told === text)
			return;

		this.told = text;
		dom.content(this.notice, text ? E('p', { 'class': 'alert-message warning' }, [ text ]) : null);
	},

	handleSave: null,
	handleSaveApply: null,
	handleReset: null
});
