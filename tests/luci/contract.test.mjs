// SPDX-License-Identifier: Apache-2.0
// What must agree between the app, the handler, LuCI's contract and the translations.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { formFields, load, newRecord } from './load.mjs';
import { app, filesBelow, jsonBelow, resources, root } from './paths.mjs';
import { readPo } from './po.mjs';

const scripts = filesBelow(resources, '.js').map(file => ({ name: relative(resources, file), text: readFileSync(file, 'utf8') }));
const acl = jsonBelow(app, 'usr/share/rpcd/acl.d')['luci-app-mape'];

/* The handler's options with netifd's type, out of the table it dumps. */
const handler = new Map([ ...readFileSync(join(root, 'src/netifd/describe.rs'), 'utf8')
	.matchAll(/^\s+\("(\w+)", Kind::(\w+)\),$/gm) ].map(match => [ match[1], match[2] ]));

test('the form has every option of the handler and no other', () => {
	const { fields } = formFields();
	const inForm = fields.map(field => field.option).filter(name => !name.startsWith('_'));

	/* `type` is the old name of maptype. */
	assert.deepEqual([ ...inForm ].sort(), [ ...handler.keys() ].filter(name => name != 'type').sort());
	assert.equal(new Set(inForm).size, inForm.length);

	for (const field of fields)
		if (handler.has(field.option))
			assert.equal(field.widget == 'DynamicList', handler.get(field.option) == 'Array', field.option);
});

test('the protocol is registered under the name netifd has, with its error codes', () => {
	const { record } = formFields();

	assert.equal(record.protocol.name, 'mape');
	assert.ok(record.patterns.some(pattern => pattern.test('map-wanmap')));

	for (const code of [ 'MAPE_INVALID_CONFIG', 'MAPE_NO_UPLINK_PREFIX', 'MAPE_UNKNOWN_PROVIDER', 'MAPE_TUNNEL_FAILED', 'MAPE_NAT_FAILED', 'INVALID_MAP_RULE', 'NO_MATCHING_PD', 'UNSUPPORTED_TYPE' ])
		assert.ok(record.errors.get(code)?.length > 10, code);
});

test('the form offers exactly the providers that are shipped', () => {
	const shipped = Object.keys(JSON.parse(readFileSync(join(root, 'files/usr/share/mape/providers.json'), 'utf8')).providers);
	const { choices, deps } = formFields().fields.find(field => field.option == 'provider');

	assert.deepEqual([ ...choices ].sort(), [ 'auto', 'none', ...shipped ].sort());
	assert.deepEqual(deps, []);
});

test('a provider of the user\'s own can be kept', () => {
	const { choices } = formFields({ provider: 'village' }).fields.find(field => field.option == 'provider');

	assert.ok(choices.includes('village'));
});

test('every check of the doctor has a name and advice', () => {
	const words = load('mape.words');
	const contract = /`id` is one of\n(.*);/.exec(readFileSync(join(root, 'docs/bus.md'), 'utf8'))[1].match(/\w+/g);

	assert.ok(contract.length > 15);
	for (const id of contract) {
		assert.notEqual(words.check(id), id);
		assert.ok(words.remedies({ id, verdict: 'fail', remedy: null })[0]?.length > 10, id);
		assert.deepEqual(words.remedies({ id, verdict: 'warn', remedy: 'exact' }), [ 'exact' ]);
	}
});

test('manual fields appear only with a manual rule, and keep their values when hidden', () => {
	const { fields } = formFields();
	const manual = [ 'maptype', 'peeraddr', 'ipaddr', 'ip4prefixlen', 'ip6prefix', 'ip6prefixlen', 'ealen', 'psidlen', 'psid', 'offset', 'legacymap', 'rule' ];

	for (const field of fields) {
		if (manual.includes(field.option)) {
			assert.ok(field.deps.length && field.deps.every(dep => dep.provider == 'none'), field.option);
			assert.equal(field.retain, field.option != 'peeraddr', field.option);
		}
		else if (field.option != '_line')
			assert.deepEqual(field.deps, [], field.option);
	}
});

test('an existing configuration with a rule opens as manual, one without as automatic', () => {
	const shown = uci => formFields(uci).fields.find(field => field.option == 'provider').cfgvalue('wanmap');

	assert.equal(shown({}), 'auto');
	assert.equal(shown({ tunlink: 'wan6' }), 'auto');
	assert.equal(shown({ ip6prefix: '240b:10::', ipaddr: '106.72.0.0' }), 'none');
	assert.equal(shown({ rule: [ 'type=map-e' ] }), 'none');
});

test('rule strings are checked part by part', () => {
	const { validate } = formFields().fields.find(field => field.option == 'rule');

	assert.equal(validate('s', 'type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,offset=4,ealen=25,br=2404:9200:225:100::64,fmr'), true);
	assert.match(validate('s', 'type=map-e,prefix=240b:10::'), /prefix=240b/);
	assert.match(validate('s', 'fmr,nonsense'), /nonsense/);
});

test('every datatype is one that LuCI 23.05 knows', () => {
	const known = [ 'ip6addr', 'ip4addr', 'range', 'or', 'cidr6', 'portrange', 'port' ];
	const sources = scripts.flatMap(({ text }) => [ ...text.matchAll(/datatype = '([^']+)'|\bdatatype[,;]/g) ].map(match => match[1] ?? ''));

	for (const name of sources.flatMap(text => text.replaceAll(/"[^"]*"/g, '').match(/[a-z]\w*/g) ?? []))
		assert.ok(known.includes(name), name);
});

test('the menu leads to a page, and every call and config is granted in the right half', () => {
	for (const node of Object.values(jsonBelow(app, 'usr/share/luci/menu.d'))) {
		assert.ok(existsSync(join(resources, 'view', node.action.path + '.js')));
		for (const group of node.depends.acl)
			assert.ok(jsonBelow(app, 'usr/share/rpcd/acl.d')[group]);
	}

	const record = newRecord();
	load('mape.bus', record);
	assert.ok(record.calls.length >= 4);

	for (const { object, method, reject } of record.calls) {
		assert.ok(acl.read.ubus[object]?.includes(method), `${object} ${method}`);
		assert.equal(reject, true, `${method} must tell an error from an empty answer`);
	}

	const written = scripts.flatMap(({ text }) => [ ...text.matchAll(/uci\.(?:add|set|remove)\('(\w+)'/g) ].map(match => match[1]));
	const loaded = scripts.flatMap(({ text }) => [ ...text.matchAll(/uci\.(?:load|sections|get)\('(\w+)'/g) ].map(match => match[1]));

	assert.ok(written.length && written.every(config => acl.write.uci.includes(config)));
	/* network is read by the form only, on LuCI's own page with its rights. */
	assert.deepEqual([ ...new Set(loaded) ].filter(config => config != 'network').sort(), acl.read.uci);
	assert.deepEqual(Object.keys(acl.write), [ 'uci' ]);
});

test('nothing in the scripts that LuCI\'s jsmin breaks', () => {
	const hazards = [
		[ /=>\s*\/(?![/*])/, 'a regex after =>' ],
		[ /\breturn\s+\/(?![/*])/, 'a regex after return' ],
		[ /[(=,]\s*\/(?![/*])[^\n]*\/[gimsuy]*$/m, 'a line that ends with a regex' ],
		[ /\[\^\[\]/, 'an open bracket in a class' ],
		[ /`[^`]*\$\{[^}]*['"]/, 'a string in a template' ]
	];

	for (const { name, text } of scripts)
		for (const [ pattern, what ] of hazards)
			assert.doesNotMatch(text, pattern, `${name}: ${what}`);
});

test('no text of the box reaches innerHTML', () => {
	/* E(tag, attrs, children): children that are no array are parsed as HTML. */
	for (const { name, text } of scripts)
		assert.doesNotMatch(text, /\bE\('\w+', (?:\{[^{}]*\}, )?(?:_\(|'|\w+\))|innerHTML|rawhtml/, name);
});

function literals() {
	const found = new Set([ ...Object.values(jsonBelow(app, 'usr/share/luci/menu.d')).map(node => node.title), acl.description ]);

	for (const { text } of scripts)
		for (const match of text.matchAll(/\b_\('((?:[^'\\]|\\.)*)'(?:, '((?:[^'\\]|\\.)*)')?\)/g))
			found.add((match[2] ? match[2] + '\u0001' : '') + match[1].replaceAll("\\'", "'"));

	return found;
}

const keyOf = ({ msgctxt, msgid }) => (msgctxt ? msgctxt + '\u0001' : '') + msgid;

test('the template has every text and no other; every _() is a literal', () => {
	const calls = scripts.reduce((sum, { text }) => sum + (text.match(/\b_\(/g)?.length ?? 0), 0);
	const found = scripts.reduce((sum, { text }) => sum + (text.match(/\b_\('(?:[^'\\]|\\.)*'(?:, '(?:[^'\\]|\\.)*')?\)/g)?.length ?? 0), 0);

	assert.equal(calls, found);
	assert.deepEqual(readPo(join(app, 'po/templates/mape.pot')).map(keyOf).sort(), [ ...literals() ].sort());
});

test('Japanese is complete, and its placeholders match', () => {
	const japanese = readPo(join(app, 'po/ja/mape.po'));
	const placeholders = text => (text.match(/%(?:\d+\$)?(?:\.\d)?[a-zA-Z%]/g) ?? []).join();

	assert.deepEqual(japanese.map(keyOf).sort(), [ ...literals() ].sort());

	for (const { msgid, msgstr } of japanese) {
		assert.notEqual(msgstr, '', msgid);
		assert.equal(placeholders(msgstr), placeholders(msgid), msgid);
	}
});
