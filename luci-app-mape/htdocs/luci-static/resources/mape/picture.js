// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';

const svgns = 'http://www.w3.org/2000/svg';
const protocols = [ 'tcp', 'udp', 'icmp' ];

/* More cells than this say nothing to the eye; neighbours then share one. */
const maxCells = 256;

function svg(tag, attrs, children) {
	const node = document.createElementNS(svgns, tag);

	for (const name in attrs)
		node.setAttribute(name, attrs[name]);

	node.append(...(children ?? []));

	return node;
}

function merge(ranges, per) {
	const merged = [];

	for (let i = 0; i < ranges.length; i += per) {
		const part = ranges.slice(i, i + per);
		const sum = key => part.reduce((total, range) => total + range[key], 0);

		merged.push({
			first: part[0].first,
			last: part[part.length - 1].last,
			size: part.reduce((total, range) => total + range.last - range.first + 1, 0),
			tcp: sum('tcp'),
			udp: sum('udp'),
			icmp: sum('icmp'),
			reserved: part.flatMap(range => range.reserved),
			forwarded: part.flatMap(range => range.forwarded)
		});
	}

	return merged;
}

function spoken(cell) {
	const parts = [
		_('Ports %d to %d').format(cell.first, cell.last),
		_('in use of %d: TCP %d, UDP %d, ICMP %d').format(cell.size, cell.tcp, cell.udp, cell.icmp)
	];

	if (cell.reserved.length)
		parts.push(_('reserved: %s').format(cell.reserved.join(', ')));

	for (const forward of cell.forwarded)
		parts.push(_('forwarded: %d (%s) to %s').format(forward.port, String(forward.proto).toUpperCase(), forward.to));

	return parts.join('; ');
}

/* The place of a port in its cell, 0 to 100. */
function place(cell, port) {
	return 100 * (port - cell.first + 0.5) / (cell.last - cell.first + 1);
}

function marks(cell) {
	return [
		...cell.reserved.map(port => svg('rect', {
			'class': 'mape-reserved', x: place(cell, port) - 3, y: 1, width: 6, height: 6
		})),
		...cell.forwarded.map(forward => {
			const x = place(cell, forward.port);
			return svg('path', { 'class': 'mape-forwarded', d: 'M%.2f 0 l4 8 h-8 z'.format(x) });
		})
	];
}

function bars(cell) {
	return protocols.map((proto, i) => {
		const height = 42 * Math.min(1, cell[proto] / cell.size);

		return svg('rect', { 'class': 'mape-' + proto, x: 2 + i * 33, y: 52 - height, width: 30, height });
	});
}

const Ports = baseclass.extend({
	__init__() {
		this.cells = [];
		this.node = E('ul', { 'class': 'mape-ports', 'role': 'list', 'aria-label': _('Port set') });
	},

	/* Draws RANGES; the nodes stay in place as long as the set is the same. */
	update(ranges) {
		const cells = merge(ranges, Math.ceil(ranges.length / maxCells) || 1);
		const key = cells.map(cell => cell.first).join();

		if (this.key !== key) {
			this.key = key;
			this.cells = cells.map(() => {
				const picture = svg('svg', { viewBox: '0 0 100 52', preserveAspectRatio: 'none', 'aria-hidden': 'true' });
				const label = E('span', { 'class': 'mape-range', 'aria-hidden': 'true' });

				return { picture, label, item: E('li', {}, [ picture, label ]) };
			});
			dom.content(this.node, this.cells.map(cell => cell.item));
		}

		this.node.classList.toggle('mape-many', cells.length > 20);

		cells.forEach((cell, i) => {
			const { picture, label, item } = this.cells[i];
			const text = spoken(cell);

			if (item.title === text)
				return;

			item.title = text;
			item.setAttribute('aria-label', text);
			item.classList.toggle('mape-full', Math.max(cell.tcp, cell.udp) >= cell.size);
			label.textContent = (cells.length > 20) ? cell.first : '%d–%d'.format(cell.first, cell.last);
			picture.replaceChildren(...marks(cell), ...bars(cell));
		});
	}
});

const History = baseclass.extend({
	__init__(name) {
		this.key = 'mape-history-' + name;
		this.node = E('div', { 'class': 'mape-history' });

		/* What was seen before a reload; without storage the picture starts anew. */
		try {
			this.samples = JSON.parse(sessionStorage.getItem(this.key)) ?? [];
		}
		catch {
			this.samples = [];
		}
	},

	/* Adds a sample of USED ports at time NOW (ms) and draws the last MINUTES. */
	update(used, total, now, minutes) {
		const span = minutes * 60000;
		const samples = this.samples.filter(sample => sample.t > now - span && sample.t < now);

		samples.push({ t: now, tcp: used.tcp, udp: used.udp, icmp: used.icmp });
		this.samples = samples;

		try {
			sessionStorage.setItem(this.key, JSON.stringify(samples));
		}
		catch {
			/* Full or forbidden: see above. */
		}

		const peak = Math.max(...samples.map(sample => Math.max(sample.tcp, sample.udp, sample.icmp)));
		const top = Math.min(total, Math.max(16, Math.ceil(peak * 1.25)));
		const line = proto => svg('polyline', {
			'class': 'mape-' + proto,
			'vector-effect': 'non-scaling-stroke',
			points: samples.map(sample => '%.1f,%.1f'.format(
				600 * (1 - (now - sample.t) / span), 100 - 98 * sample[proto] / top)).join(' ')
		});

		dom.content(this.node, [
			svg('svg', {
				viewBox: '0 0 600 100', preserveAspectRatio: 'none', role: 'img',
				'aria-label': _('Ports in use in the last %d minutes: now TCP %d, UDP %d, ICMP %d; at most %d of %d')
					.format(minutes, used.tcp, used.udp, used.icmp, peak, total)
			}, [
				...[ 25, 50, 75 ].map(y => svg('line', { 'class': 'mape-grid', x1: 0, x2: 600, y1: y, y2: y, 'vector-effect': 'non-scaling-stroke' })),
				...[ ...protocols ].reverse().map(line)
			]),
			E('div', { 'class': 'mape-axis', 'aria-hidden': 'true' }, [
				E('span', [ _('%d minutes ago').format(minutes) ]),
				E('span', [ _('highest: %d of %d').format(peak, total) ]),
				E('span', [ _('now') ])
			])
		]);
	}
});

return baseclass.extend({
	Ports,
	History,

	legend() {
		const entry = (shape, text) => E('span', {}, [
			svg('svg', { viewBox: '0 0 10 10', width: 10, height: 10, 'aria-hidden': 'true' }, [ shape ]), ' ', text
		]);
		const box = name => svg('rect', { 'class': 'mape-' + name, width: 10, height: 10 });

		return E('div', { 'class': 'mape-legend' }, [
			entry(box('tcp'), 'TCP'),
			entry(box('udp'), 'UDP'),
			entry(box('icmp'), 'ICMP'),
			entry(box('reserved'), _('reserved')),
			entry(svg('path', { 'class': 'mape-forwarded', d: 'M5 0 l5 10 h-10 z' }), _('forwarded'))
		]);
	}
});
