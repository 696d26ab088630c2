// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';
'require mape.parts as parts';

/* More cells than this say nothing to the eye; neighbours then share one. */
const maxCells = 256;

/* With more cells than this only the first port of each is written into it. */
const manyCells = 20;

function number(value) {
	return Number.isFinite(value) ? value : 0;
}

/* RANGES of the bus as cells, PER ranges in each. */
function merge(ranges, per) {
	const merged = [];

	for (let i = 0; i < ranges.length; i += per) {
		const part = ranges.slice(i, i + per);
		const sum = key => part.reduce((total, range) => total + number(range[key]), 0);

		merged.push({
			first: part[0].first,
			last: part[part.length - 1].last,
			size: part.reduce((total, range) => total + range.last - range.first + 1, 0),
			tcp: sum('tcp'),
			udp: sum('udp'),
			icmp: sum('icmp'),
			reserved: part.flatMap(range => L.toArray(range.reserved)),
			upnp: part.flatMap(range => L.toArray(range.upnp)),
			forwarded: part.flatMap(range => L.toArray(range.forwarded))
		});
	}

	return merged;
}

function titleOf(cell) {
	return (cell.first == cell.last) ? _('Port %d').format(cell.first) : _('Ports %d to %d').format(cell.first, cell.last);
}

/* What is to be known of a cell, a line each. */
function linesOf(cell) {
	return [
		_('In use of %d: TCP %d, UDP %d, ICMP %d').format(cell.size, cell.tcp, cell.udp, cell.icmp),
		...(cell.reserved.length ? [ _('Reserved: %s').format(cell.reserved.join(', ')) ] : []),
		...(cell.upnp.length ? [ _('For UPnP: %s').format(cell.upnp.join(', ')) ] : []),
		...cell.forwarded.map(forward => _('Forwarded: %d (%s) to %s').format(forward.port, String(forward.proto).toUpperCase(), forward.to)
			+ (forward.name ? ' – %s'.format(forward.name) : ''))
	];
}

function bar(cell, proto) {
	return E('span', { 'class': 'mape-bar mape-%s'.format(proto) }, [
		E('span', { 'style': 'width:%.1f%%'.format(100 * Math.min(1, cell[proto] / cell.size)) })
	]);
}

/* The place of a port in its cell, 0 to 100. */
function place(cell, port) {
	return 100 * (port - cell.first + 0.5) / (cell.last - cell.first + 1);
}

function marks(cell) {
	const mark = (kind, port) => E('span', { 'class': 'mape-mark mape-%s'.format(kind), 'style': 'left:%.1f%%'.format(place(cell, port)) });

	return [
		...cell.reserved.map(port => mark('reserved', port)), ...cell.upnp.map(port => mark('upnp', port)),
		...cell.forwarded.map(({ port }) => mark('forwarded', port))
	];
}

/* Copies the text of NODE, on pages without https too. */
function copy(node) {
	const range = document.createRange();
	const selection = document.getSelection();

	range.selectNodeContents(node);
	selection.removeAllRanges();
	selection.addRange(range);

	return document.execCommand('copy');
}

return baseclass.extend({
	merge,

	/* The ranges as text, as other programs take them. */
	textOf(ranges) {
		return ranges.map(({ first, last }) => (first == last) ? '%d'.format(first) : '%d-%d'.format(first, last)).join(', ');
	},

	/* The port set: a cell for each range, a button that shows what is to be known of it below. */
	Grid: baseclass.extend({
		__init__(owner) {
			this.owner = owner;
			this.cells = [];
			this.chosen = null;
			this.grid = E('ul', { 'class': 'mape-ports', 'role': 'list', 'aria-label': _('Port set') });
			this.detail = E('div', { 'class': 'mape-detail', 'aria-live': 'polite', 'hidden': '' });
			this.text = E('code', { 'class': 'mape-ranges' });
			this.copied = E('span', { 'role': 'status' });
			this.node = E('div', {}, [
				parts.heading(_('Port set')), this.legend(), this.grid, this.detail,
				parts.folded(_('All ranges as text'), [
					this.text, ' ',
					E('button', { 'class': 'btn cbi-button', 'click': () => this.copyText() }, [ _('Copy') ]), ' ', this.copied
				])
			]);
		},

		copyText() {
			parts.say(this.copied, copy(this.text) ? _('Copied.') : _('The browser does not let this page copy; the text is selected.'));
		},

		/* Draws RANGES; the nodes stay in place as long as the set is the same. */
		update(ranges) {
			const cells = merge(ranges, Math.ceil(ranges.length / maxCells) || 1);

			parts.say(this.text, this.owner.textOf(ranges));
			parts.fill(this.grid, cells.map(cell => cell.first), () => this.build(cells));
			this.grid.classList.toggle('mape-many', cells.length > manyCells);
			cells.forEach((cell, i) => this.updateCell(this.cells[i], cell, cells.length > manyCells));
			this.updateDetail();
		},

		build(cells) {
			this.chosen = null;
			this.cells = cells.map(() => {
				const label = E('span', { 'class': 'mape-range' });
				const picture = E('span', { 'class': 'mape-cell' });
				const button = E('button', { 'type': 'button', 'aria-expanded': 'false' }, [ label, picture ]);
				const one = { label, picture, button };

				button.addEventListener('click', () => this.choose(one));

				return one;
			});

			return this.cells.map(({ button }) => E('li', {}, [ button ]));
		},

		updateCell(one, cell, many) {
			const key = JSON.stringify(cell);

			if (one.key === key)
				return;

			one.key = key;
			one.cell = cell;
			one.button.setAttribute('aria-label', [ titleOf(cell), ...linesOf(cell) ].join('; '));
			one.button.classList.toggle('mape-full', Math.max(cell.tcp, cell.udp) >= cell.size);
			parts.say(one.label, many ? '%d'.format(cell.first) : '%d–%d'.format(cell.first, cell.last));
			dom.content(one.picture, [
				E('span', { 'class': 'mape-marks' }, marks(cell)), bar(cell, 'tcp'), bar(cell, 'udp'), ...(cell.icmp ? [ bar(cell, 'icmp') ] : []),
				...(many ? [] : [ E('span', { 'class': 'mape-count' }, [ 'TCP %d · UDP %d'.format(cell.tcp, cell.udp) ]) ])
			]);
		},

		choose(one) {
			this.chosen = (this.chosen === one) ? null : one;

			for (const { button } of this.cells)
				button.setAttribute('aria-expanded', String(button === this.chosen?.button));

			this.updateDetail();
		},

		updateDetail() {
			const cell = this.chosen?.cell;

			parts.show(this.detail, cell != null);

			if (cell)
				parts.fill(this.detail, cell, () => [ E('strong', {}, [ titleOf(cell) ]), E('ul', {}, linesOf(cell).map(line => E('li', {}, [ line ]))) ]);
		},

		legend() {
			const entry = (name, text) => E('span', {}, [ E('span', { 'class': 'mape-key mape-%s'.format(name), 'aria-hidden': 'true' }), ' ', text ]);

			return E('div', { 'class': 'mape-legend' }, [
				entry('tcp', 'TCP'), entry('udp', 'UDP'), entry('icmp', 'ICMP'),
				entry('reserved', _('reserved', 'ports')), entry('forwarded', _('forwarded', 'ports')), entry('upnp', 'UPnP')
			]);
		}
	})
});
