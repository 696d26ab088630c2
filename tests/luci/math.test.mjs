// SPDX-License-Identifier: Apache-2.0

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { load } from './load.mjs';
import { fixture } from './paths.mjs';

const math = load('mape.math');
const set = fixture('calc').port_ranges;

test('prefixes are cut at the bit', () => {
	assert.equal(math.prefixOf('240b:10:1:200:1122:33ff:fe44:5566', 64), '240b:10:1:200::/64');
	assert.equal(math.prefixOf('2001:db8:12ff::1', 40), '2001:db8:1200::/40');
	assert.equal(math.prefixOf('::1', 128), '0:0:0:0:0:0:0:1/128');
	assert.equal(math.prefixOf('fe80::1::2', 64), null);
	assert.equal(math.prefixOf('192.168.1.1', 64), null);
});

test('ports and ranges are read, and nothing else', () => {
	assert.deepEqual(math.parseRange('4128'), [ 4128, 4128 ]);
	assert.deepEqual(math.parseRange(' 4128-4130 '), [ 4128, 4130 ]);
	for (const text of [ '', '0', '65536', '9-8', '1-', 'x', '1-2-3' ])
		assert.equal(math.parseRange(text), null, text);
});

test('a range is in the set only as a whole', () => {
	assert.ok(math.inSet(set, 4128, 4143));
	assert.ok(!math.inSet(set, 4128, 4144));
	assert.ok(!math.inSet(set, 443, 443));
	assert.ok(math.inSet([ [ 0, 99 ], [ 100, 200 ] ], 50, 150));
});

test('the nearest port of the set is told', () => {
	assert.equal(math.nearest(set, 443), 4128);
	assert.equal(math.nearest(set, 5000), 8224);
	assert.equal(math.nearest(set, 65535), 4128);
	assert.equal(math.nearest([], 1), null);
});

test('suggested ports are free, of the set, and of different ranges', () => {
	const { ranges } = fixture('ports');
	const free = math.freePorts(ranges, [], 3);

	assert.equal(new Set(free.map(port => port >> 12)).size, 3);
	for (const port of free)
		assert.ok(math.inSet(set, port, port));

	const all = math.freePorts(ranges, [], 1000);
	assert.equal(all.length, 240 - 3);
	for (const taken of [ 4128, 4130, 8226 ])
		assert.ok(!all.includes(taken), taken);

	/* What is staged but not applied counts too. */
	const staged = { range: free.slice(0, 1).flatMap(port => [ port, port ]) };
	assert.ok(!math.freePorts(ranges, [ staged ], 1000).includes(free[0]));
});

const v6plus = { maptype: 'map-e', legacymap: '1', ip6prefixlen: '31', ip4prefixlen: '15', ealen: '25', offset: '4', psidlen: '8', psid: '' };
const contradictions = changes => Object.keys(math.contradictions({ ...v6plus, ...changes })).sort();

test('good rules pass', () => {
	assert.deepEqual(contradictions({}), []);
	assert.deepEqual(contradictions({ psidlen: '' }), []);
	assert.deepEqual(contradictions({ ealen: '', psidlen: '' }), []);
	assert.deepEqual(contradictions({ ealen: '', psidlen: '8' }), []);
	assert.deepEqual(contradictions({ ip6prefixlen: '56', ip4prefixlen: '32', ealen: '0', psidlen: '8', psid: '255' }), []);
	assert.deepEqual(contradictions({ maptype: 'lw4o6', ealen: '25', ip4prefixlen: '', ip6prefixlen: '128', offset: '', psidlen: '16', psid: '52' }), []);
});

test('a contradiction is told at the field that has it', () => {
	assert.deepEqual(contradictions({ ip6prefixlen: '40' }), [ 'ealen', 'ip6prefixlen' ]);
	assert.deepEqual(contradictions({ psidlen: '9' }), [ 'psidlen' ]);
	assert.deepEqual(contradictions({ offset: '9' }), [ 'offset' ]);
	assert.deepEqual(contradictions({ ip4prefixlen: '32', psidlen: '' }), [ 'ealen' ]);
	assert.deepEqual(contradictions({ ip4prefixlen: '32', ealen: '0', ip6prefixlen: '56', psid: '256' }), [ 'psid' ]);
	assert.deepEqual(contradictions({ ip4prefixlen: '32', ealen: '0', ip6prefixlen: '56', psid: '2', psidlen: '' }), [ 'psid' ]);
	assert.deepEqual(contradictions({ ip4prefixlen: '24', ealen: '4', psid: '2' }), [ 'psid' ]);
});

test('without an offset that of the dialect counts', () => {
	assert.deepEqual(contradictions({ offset: '', ip4prefixlen: '19', psidlen: '12' }), []);
	assert.deepEqual(contradictions({ offset: '', legacymap: '0', ip4prefixlen: '19', psidlen: '12' }), [ 'offset' ]);
});
