// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.health as health';
'require mape.parts as parts';
'require mape.quote as quote';
'require mape.words as words';
'require ui';

const names = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP' };

/* The bar of one protocol: the part in use of what translation may use. */
const Bar = baseclass.extend({
	__init__(name) {
		this.text = E('span', { 'class': 'mape-bar-text' });
		this.filled = E('div', {});
		this.bar = E('div', { 'class': 'mape-bar', 'role': 'progressbar', 'aria-valuemin': 0, 'aria-label': names[name] }, [ this.filled ]);
		this.node = E('div', { 'class': 'mape-bar-row' }, [ E('span', { 'class': 'mape-bar-name' }, [ names[name] ]), this.bar, this.text ]);
	},

	update(used, pool, level) {
		const share = (pool > 0) ? Math.min(1, used / pool) : (used > 0 ? 1 : 0);
		const taken = Math.min(used, pool);
		const text = _('%d of %d in use, %d free').format(taken, pool, pool - taken);

		parts.say(this.text, text);
		this.filled.style.width = '%.1f%%'.format(100 * share);
		this.node.dataset.level = level;
		this.bar.setAttribute('aria-valuemax', pool);
		this.bar.setAttribute('aria-valuenow', taken);
		this.bar.setAttribute('aria-valuetext', text);
	}
});

return baseclass.extend({
	/* The head of an interface: how it is, its ports, what can be done at once. DIAGNOSIS is its doctor. */
	Head: baseclass.extend({
		__init__(name, diagnosis) {
			this.title = E('h3', {});
			this.sentence = E('p', { 'class': 'mape-sentence', 'role': 'status' });
			this.reason = E('div', { 'class': 'mape-reason', 'hidden': '' });
			this.bars = Object.fromEntries(parts.protocols.map(proto => [ proto, new Bar(proto) ]));
			this.ports = E('div', { 'class': 'mape-bars', 'hidden': '' }, parts.protocols.map(proto => this.bars[proto].node));
			this.rest = E('p', { 'class': 'mape-bars-note', 'hidden': '' });
			this.memory = {};
			this.name = name;
			this.node = E('div', { 'class': 'mape-head' }, [
				this.title, this.sentence, this.reason, this.ports, this.rest,
				E('div', { 'class': 'mape-buttons' }, [
					E('button', { 'class': 'btn cbi-button cbi-button-action', 'click': ui.createHandlerFn(diagnosis, 'run') }, [ _('Run diagnosis') ]),
					diagnosis.restartButton(name),
					E('a', { 'class': 'btn cbi-button', 'href': L.url('admin/network/network') }, [ _('Settings') ])
				])
			]);
		},

		/* TOP is the device that uses most ports as { name, ports }, or null. */
		update(ifc, top, now) {
			const state = health.of(ifc, health.grows(this.memory, ifc, now), top);

			parts.fill(this.title, [ state.kind, state.badge ], () => [ this.name, ' ', words.badge(state) ]);
			parts.say(this.sentence, state.sentence);

			const reason = quote.of(ifc.error?.reason, ifc.error?.detail);

			parts.show(this.reason, reason !== '');
			parts.say(this.reason, reason);
			this.updateBars(state);
			this.updateRest(ifc, state.usage);
		},

		updateBars({ usage, level }) {
			parts.show(this.ports, usage != null);

			for (const { name, used } of usage?.protocols ?? []) {
				const most = (used == usage.used);

				this.bars[name].update(used, usage.pool, most ? level : '');
				parts.show(this.bars[name].node, name != 'icmp' || most);
			}
		},

		updateRest(ifc, usage) {
			const { reserved = 0, forwarded = 0, upnp = 0, total } = ifc.ports ?? {};
			const text = upnp
				? _('Of %d ports %d are kept out of automatic use: %d reserved, %d forwarded, %d for UPnP.')
				: _('Of %d ports %d are kept out of automatic use: %d reserved, %d forwarded.');
			const kept = (usage && usage.pool < usage.total)
				? text.format(total, total - usage.pool, reserved, forwarded, upnp)
				: '';
			const shown = (ifc.state == 'up' && ifc.ports && !usage) ? _('How many ports are in use cannot be seen.') : kept;

			parts.show(this.rest, shown !== '');
			parts.say(this.rest, shown);
		}
	})
});
