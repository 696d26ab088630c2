// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.bus as bus';
'require mape.devices as devices';
'require mape.health as health';
'require mape.style as style';
'require mape.words as words';

/* What is remembered of each interface between two refreshes. */
const memories = {};

function usageBar({ usage, level }) {
	const text = _('%d of %d ports in use').format(usage.used, usage.pool);

	return E('div', { 'class': 'mape-bar-row', 'data-level': level }, [
		E('div', {
			'class': 'mape-bar', 'role': 'progressbar', 'aria-label': _('Ports'), 'aria-valuetext': text,
			'aria-valuemin': 0, 'aria-valuemax': usage.pool, 'aria-valuenow': Math.min(usage.used, usage.pool)
		}, [ E('div', { 'style': 'width:%.1f%%'.format(100 * usage.share) }) ]),
		E('span', { 'class': 'mape-bar-text' }, [ text ])
	]);
}

/* A row for cbi_update_table(), which takes a text of its own for HTML: all cells are nodes. */
function row(ifc) {
	const memory = (memories[ifc.interface] ??= {});
	const top = ifc.busiest ? devices.top({ hosts: [ ifc.busiest ] }, null) : null;
	const state = health.of(ifc, health.grows(memory, ifc, Date.now()), top);

	return [
		E('a', { 'href': L.url('admin/status/mape') }, [ ifc.interface ]),
		words.badge(state),
		E('span', {}, [ (ifc.type == 'ds-lite') ? _('shared', 'IPv4 address of DS-Lite') : (ifc.ipv4_address ?? '–') ]),
		E('div', { 'class': 'mape' }, [ ...(state.usage ? [ usageBar(state) ] : []), ...(state.usage && state.kind == 'success' ? [] : [ state.sentence ]) ])
	];
}

return baseclass.extend({
	title: _('IPv4 over IPv6'),

	load() {
		return Promise.all([ L.resolveDefault(bus.interfaces(), null), style.load() ]);
	},

	render([ list ]) {
		if (!Array.isArray(list) || !list.length)
			return null;

		const table = E('table', { 'class': 'table', 'id': 'mape-overview' }, [
			E('tr', { 'class': 'tr table-titles' }, [ _('Interface'), _('State', 'of the connection'), _('IPv4 address'), _('Ports') ]
				.map(title => E('th', { 'class': 'th' }, [ title ])))
		]);

		cbi_update_table(table, list.map(row));

		return table;
	}
});
