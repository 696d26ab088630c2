// SPDX-License-Identifier: Apache-2.0
// What the page concludes from the answers of the bus: pure functions.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';
import { fixture } from './paths.mjs';

const health = load('mape.health');
const history = load('mape.history');
const portset = load('mape.ports');
const devices = load('mape.devices');

const line = changes => Object.assign(structuredClone(fixture('status').interfaces[0]), changes);
const ports = changes => ({ ...fixture('status').interfaces[0].ports, ...changes });
const used = (tcp, udp = 0, icmp = 0) => ({ tcp, udp, icmp });

test('the share in use is that of what translation may use, of the protocol that uses most', () => {
	assert.equal(health.usage(line({ ports: ports({ total: 240, reserved: 60, pool: 180, used: used(18, 90) }) })).share, 0.5);
	/* Without a pool what is reserved does not count. */
	assert.equal(health.usage(line({ ports: ports({ total: 240, reserved: 60, pool: null, used: used(180) }) })).share, 1);
	assert.equal(health.usage(line({ ports: ports({ pool: 0, used: used(1) }) })).share, 1);
	assert.equal(health.usage(line({ ports: ports({ pool: 0, used: used(0) }) })).share, 0);
});

test('what cannot be known is not made up', () => {
	for (const there of [ null, undefined, {}, ports({ used: null, used_max: null }), ports({ total: null }), ports({ used: 'many' }) ])
		assert.equal(health.usage(line({ ports: there })), null);

	assert.equal(health.of(line({ ports: ports({ used: null }) }), false, null).sentence, 'IPv4 works.');
	assert.equal(health.usage(line({ ports: ports({ used: { tcp: 'x' } }) })).used, 0);
});

test('full ports turn the badge, and name the device that uses most', () => {
	const top = { name: 'laptop', ports: 120 };
	const of = (tcp, grows) => health.of(line({ ports: ports({ pool: 200, used: used(tcp) }) }), grows, top);

	assert.deepEqual([ of(100, false).kind, of(100, false).level ], [ 'success', '' ]);
	assert.deepEqual([ of(160, false).kind, of(160, false).level ], [ 'warning', 'warning' ]);
	assert.match(of(160, false).sentence, /80 % of the ports are in use.* laptop uses most/);
	assert.deepEqual([ of(190, false).kind, of(190, false).level ], [ 'danger', 'danger' ]);
	assert.match(of(190, false).sentence, /new connections may fail.* laptop uses most of them: 120/);

	/* In hash mode one share can be used up while the whole is not. */
	assert.deepEqual([ of(20, true).kind, of(20, true).level ], [ 'danger', 'danger' ]);
	assert.match(of(20, true).sentence, /being refused/);
});

test('refused connections are news for a minute after the count has grown', () => {
	const memory = {};
	const grows = (exhausted, now) => health.grows(memory, line({ dropped: { exhausted } }), now);

	assert.equal(grows(950, 0), false, 'what was counted before nobody knows when');
	assert.equal(grows(950, 5000), false);
	assert.equal(grows(951, 10000), true);
	assert.equal(grows(951, 60000), true);
	assert.equal(grows(951, 80000), false);
	assert.equal(health.grows({}, line({ dropped: null }), 0), false);
});

test('IPv4 works only if something has come back', () => {
	const of = (rx_packets, tx_packets, dropped) => health.of(line({ traffic: { rx_packets, tx_packets }, ...(dropped ? { dropped } : {}) }), false, null);

	assert.equal(of(500, 500).sentence, 'IPv4 works.');
	assert.deepEqual([ of(0, 0).kind, of(0, 9).kind, of(0, 10).kind ], [ 'notice', 'notice', 'warning' ]);
	assert.match(of(0, 200).sentence, /nothing has come back/);
	/* What came back was for somebody else. */
	assert.match(of(40, 200, { not_ours: 40, not_br: 0 }).sentence, /nothing has come back/);
	assert.match(health.of(line({ traffic: null }), false, null).sentence, /cannot be seen/);
});

test('an interface that is not up says why', () => {
	const of = name => health.of(fixture(`status-${name}`).interfaces[0], false, null);

	assert.deepEqual([ of('error').kind, of('error').badge ], [ 'danger', 'Error' ]);
	assert.equal(of('pending').sentence, 'Waiting: The line has no IPv6 prefix yet.');
	assert.equal(of('down').sentence, 'The interface is stopped.');
	assert.equal(health.of({ interface: 'x', state: 'of the future', error: null }, false, null).badge, 'of the future');
});

const minute = 60000;
const sampled = (...times) => times.map(t => ({ t, tcp: 10, udp: 5, icmp: 0 }));

test('the graph breaks where nobody looked, and begins with what there is', () => {
	const { lines, span } = history.layout(sampled(0, 1, 2, 11, 12).map(one => ({ ...one, t: one.t * minute })), minute, 12 * minute, 240);

	assert.deepEqual(lines.tcp.map(points => points.length), [ 3, 2 ]);
	assert.equal(span, 12 * minute);
	/* A few seconds are not stretched over the whole width. */
	assert.equal(history.layout(sampled(0, 5000), 5000, 5000, 240).span, 3 * minute);
	assert.deepEqual(history.layout([], 5000, 0, 240).lines.tcp, []);
});

test('the scale of the graph is the limit, so that half of it is half of the ports', () => {
	const { top, lines } = history.layout([ { t: 0, tcp: 120, udp: 0, icmp: 0 } ], minute, 0, 240);

	assert.equal(top, 240);
	assert.equal(lines.tcp[0][0][1], 50);
	assert.equal(history.layout([ { t: 0, tcp: 300, udp: 0, icmp: 0 } ], minute, 0, 240).top, 300);
});

test('now, average and peak of each protocol', () => {
	const samples = [ 10, 50, 30 ].map((tcp, i) => ({ t: i * minute, tcp, udp: 1, icmp: 0 }));
	const [ tcp, udp ] = history.layout(samples, minute, 2 * minute, 240).figures;

	assert.deepEqual(tcp, { proto: 'tcp', now: 30, average: 30, peak: 50 });
	assert.deepEqual(udp, { proto: 'udp', now: 1, average: 1, peak: 1 });
});

test('samples of the router are put on the browser\'s clock; what is none is left out', () => {
	const reply = { now: 1000, interval: 60, at: 5000000, samples: [ [ 940, 3, 2, 1, 0 ], [ 880, 1, 1, 1, 0 ], null, [ 1 ], [ 'x', 1, 2, 3 ], 7 ] };

	assert.deepEqual(history.samplesOf(reply), [ { t: 4880000, tcp: 1, udp: 1, icmp: 1 }, { t: 4940000, tcp: 3, udp: 2, icmp: 1 } ]);
	for (const none of [ null, {}, { samples: 'x' } ])
		assert.deepEqual(history.samplesOf(none), []);
});

test('many ranges share cells, and nothing of them is lost', () => {
	const ranges = Array.from({ length: 1008 }, (_, i) => ({ first: 1024 + 64 * i, last: 1024 + 64 * i, tcp: 1, udp: null, icmp: 0, reserved: [], forwarded: [] }));
	const cells = portset.merge(ranges, 4);

	assert.equal(cells.length, 252);
	assert.equal(cells.reduce((sum, cell) => sum + cell.size, 0), 1008);
	assert.deepEqual([ cells[0].tcp, cells[0].udp ], [ 4, 0 ]);
	assert.equal(portset.textOf(ranges.slice(0, 2).concat({ first: 5, last: 9 })), '1024, 1088, 5-9');
});

test('the device that uses most is the one with most ports of one protocol', () => {
	const hosts = [ { address: '192.168.1.2', name: null, tcp: 10, udp: 10, icmp: 0 }, { address: '192.168.1.3', name: 'tv', tcp: 15, udp: 0, icmp: 0 } ];

	assert.deepEqual(devices.top({ hosts }, null), { name: 'tv (192.168.1.3)', ports: 15, address: '192.168.1.3' });
	assert.equal(devices.top({ hosts: [] }, null), null);
	assert.equal(devices.top(null, null), null);
});
