// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require dom';
'require mape.parts as parts';

const names = { tcp: 'TCP', udp: 'UDP', icmp: 'ICMP' };
const width = 600;
const height = 100;

/* What a page sees by itself every few seconds, if the router keeps no samples, in milliseconds. */
const ownInterval = 5000;
const shortest = 3 * 60000;
const longest = 6 * 3600000;

/* Samples further apart than so many intervals have a gap between them. */
const gap = 2.5;

/* Lines through SAMPLES, broken at gaps; POINT makes [x, y] of a sample. */
function pieces(samples, interval, point) {
	const lines = [];

	samples.forEach((sample, i) => {
		if (i == 0 || sample.t - samples[i - 1].t > gap * interval)
			lines.push([]);

		lines[lines.length - 1].push(point(sample));
	});

	return lines;
}

function rounded(span) {
	const minutes = span / 60000;

	return (minutes < 120) ? _('%d minutes ago').format(Math.round(minutes)) : _('%d hours ago').format(Math.round(minutes / 60));
}

return baseclass.extend({
	/*
	 * The samples in REPLY of bus.history(), as [{ t, tcp, udp, icmp }] with t
	 * in milliseconds of the browser's clock.
	 */
	samplesOf(reply) {
		return L.toArray(reply?.samples)
			.filter(row => Array.isArray(row) && row.length >= 4 && row.slice(0, 4).every(value => Number.isFinite(value)))
			.map(([ t, tcp, udp, icmp ]) => ({ t: reply.at - 1000 * (reply.now - t), tcp, udp, icmp }))
			.sort((a, b) => a.t - b.t);
	},

	/* The lines, the scale and the statistics of SAMPLES; LIMIT is what translation may use. */
	layout(samples, interval, now, limit) {
		const first = samples.length ? samples[0].t : now;
		const span = Math.min(longest, Math.max(shortest, now - first));
		const shown = samples.filter(sample => sample.t >= now - span);
		const peak = Math.max(0, ...shown.flatMap(sample => parts.protocols.map(proto => sample[proto])));
		const top = Math.max(limit, peak, 1);
		const point = proto => sample => [ width * (1 - (now - sample.t) / span), height * (1 - sample[proto] / top) ];

		return {
			span, top,
			lines: Object.fromEntries(parts.protocols.map(proto => [ proto, pieces(shown, interval, point(proto)) ])),
			figures: parts.protocols.map(proto => {
				const values = shown.map(sample => sample[proto]);

				return {
					proto,
					now: values.length ? values[values.length - 1] : 0,
					average: values.length ? values.reduce((sum, value) => sum + value, 0) / values.length : 0,
					peak: Math.max(0, ...values)
				};
			})
		};
	},

	/* The use of the ports over time, with now, average and peak of each protocol. */
	Graph: baseclass.extend({
		__init__(owner) {
			this.owner = owner;
			this.samples = [];
			this.picture = E('div', { 'class': 'mape-history' });
			this.figures = E('div', { 'class': 'mape-figures' });
			this.note = E('p', { 'class': 'mape-note' });
			this.node = E('div', {}, [ parts.heading(_('Ports in use over time')), this.picture, this.figures, this.note ]);
		},

		/* USED is the use now; REPLY the answer of `history`, or null if the router keeps no samples. */
		update(used, limit, reply, now) {
			const kept = this.owner.samplesOf(reply);
			const interval = (reply && Number.isFinite(reply.interval) && reply.interval > 0) ? 1000 * reply.interval : ownInterval;
			const last = { t: now, ...Object.fromEntries(parts.protocols.map(proto => [ proto, used[proto] ?? 0 ])) };

			this.samples = [ ...this.samples.filter(sample => sample.t > now - longest && sample.t < now), last ];

			const samples = reply ? [ ...kept.filter(sample => sample.t < now), last ] : this.samples;

			this.draw(this.owner.layout(samples, interval, now, limit), limit);
			parts.say(this.note, reply ? '' : _('The router keeps no samples; this shows what was seen since the page was opened.'));
		},

		draw({ span, top, lines, figures }, limit) {
			const { svg } = parts;
			const y = value => '%.1f'.format(height * (1 - value / top));
			const stroke = 'non-scaling-stroke';
			const shapes = [ ...parts.protocols ].reverse().flatMap(proto => lines[proto].map(points => (points.length > 1)
				? svg('polyline', { 'class': 'mape-' + proto, 'vector-effect': stroke, points: points.map(([ x, at ]) => '%.1f,%.1f'.format(x, at)).join(' ') })
				: svg('line', { 'class': 'mape-dot mape-' + proto, 'vector-effect': stroke, x1: points[0][0] - 1, x2: points[0][0] + 1, y1: points[0][1], y2: points[0][1] })));

			dom.content(this.picture, [
				E('div', { 'class': 'mape-scale', 'aria-hidden': 'true' }, [ top, top / 2, 0 ].map(value => E('span', {}, [ '%d'.format(value) ]))),
				svg('svg', {
					viewBox: '0 0 %d %d'.format(width, height), preserveAspectRatio: 'none', role: 'img',
					'aria-label': figures.map(({ proto, now, peak }) => _('%s: now %d, at most %d of %d').format(names[proto], now, peak, limit)).join('; ')
				}, [
					...[ 0.25, 0.5, 0.75 ].map(share => svg('line', { 'class': 'mape-grid', x1: 0, x2: width, y1: height * share, y2: height * share, 'vector-effect': stroke })),
					svg('line', { 'class': 'mape-limit', x1: 0, x2: width, y1: y(limit), y2: y(limit), 'vector-effect': stroke }),
					...shapes
				]),
				E('div', { 'class': 'mape-axis', 'aria-hidden': 'true' }, [
					E('span', {}, [ rounded(span) ]), E('span', {}, [ _('limit: %d').format(limit) ]), E('span', {}, [ _('now') ])
				])
			]);
			parts.fill(this.figures, figures, () => figures.map(({ proto, now, average, peak }) => E('span', { 'class': 'mape-figure' }, [
				svg('svg', { viewBox: '0 0 24 4', width: 24, height: 4, 'aria-hidden': 'true' }, [ svg('polyline', { 'class': 'mape-' + proto, points: '0,2 24,2' }) ]), ' ',
				E('strong', {}, [ names[proto] ]), ' ',
				_('now %d, average %d, peak %d').format(now, Math.round(average), peak)
			])));
		}
	})
});
