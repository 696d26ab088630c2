// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.bus as bus';
'require mape.words as words';

function usage(ifc) {
	if (ifc.state != 'up' || !ifc.ports)
		return words.sentence(ifc);

	const { used_max: used, total } = ifc.ports;

	return E('div', {
		'class': 'cbi-progressbar',
		'title': _('%d of %d ports in use').format(used, total)
	}, [ E('div', { 'style': 'width:%.2f%%'.format(100 * words.load(ifc)) }) ]);
}

return baseclass.extend({
	title: _('MAP-E'),

	load() {
		return L.resolveDefault(bus.interfaces(), null);
	},

	render(list) {
		if (!Array.isArray(list) || !list.length)
			return null;

		const titles = [ _('Interface'), _('State'), _('IPv4 address'), _('Ports') ];
		const rows = list.map(ifc => [
			E('a', { 'href': L.url('admin/status/mape') }, [ ifc.interface ]),
			words.badge(ifc),
			ifc.ipv4_address ?? '-',
			usage(ifc)
		]);

		return E('table', { 'class': 'table' }, [
			E('tr', { 'class': 'tr table-titles' }, titles.map(title => E('th', { 'class': 'th' }, [ title ]))),
			...rows.map(row => E('tr', { 'class': 'tr' }, row.map((cell, i) =>
				E('td', { 'class': 'td', 'data-title': titles[i] }, [ cell ]))))
		]);
	}
});
