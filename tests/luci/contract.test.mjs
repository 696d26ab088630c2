// SPDX-License-Identifier: Apache-2.0
// What must agree between the app, the handler, LuCI's contract and the translations.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { formFields, load, newRecord } from './load.mjs';
import { app, filesBelow, fixture, jsonBelow, luci, luciParts, resources, root } from './paths.mjs';
import { readPo } from './po.mjs';

const scripts = filesBelow(resources, '.js').map(file => ({ name: relative(resources, file), text: readFileSync(file, 'utf8') }));
const acl = jsonBelow(app, 'usr/share/rpcd/acl.d')['luci-proto-mape'];

/* The handler's options with netifd's type, out of the table it dumps. */
const handler = new Map([ ...readFileSync(join(root, 'src/netifd/describe.rs'), 'utf8')
	.matchAll(/^\s+\("(\w+)", Kind::(\w+)\),$/gm) ].map(match => [ match[1], match[2] ]));

/* What the handler reads from the configuration itself, since netifd would show it to everybody. */
const secrets = readFileSync(join(root, 'src/handler/section.rs'), 'utf8')
	.match(/SECRETS: .* = \[(.*)\];/)[1].match(/\w+/g);

/* What the form writes: three fields for the far end are one option, and so are two for the IPv4 address. */
const writes = field => field.ucioption ?? field.option;

test('the form has every option of the handler and no other', () => {
	const fields = formFields().fields.filter(field => field.option != '_line');
	const inForm = new Set(fields.map(writes));

	/* `type` is the old name of maptype. */
	const known = new Set([ ...handler.keys(), ...secrets ].filter(name => name != 'type'));
	assert.deepEqual([ ...inForm ].sort(), [ ...known ].sort());
	assert.equal(new Set(fields.map(field => field.option)).size, fields.length);

	for (const field of fields)
		if (secrets.includes(writes(field)))
			assert.equal(field.password, true, field.option);
		else if (handler.has(writes(field)))
			assert.equal(field.widget == 'DynamicList', handler.get(writes(field)) == 'Array', field.option);
});

test('the protocol is registered under the name netifd has, with its error codes', () => {
	const { record } = formFields();

	assert.equal(record.protocol.name, 'mape');
	assert.ok(record.patterns.some(pattern => pattern.test('map-wanmap')));

	const codes = readFileSync(join(root, 'src/handler/problem.rs'), 'utf8').match(/MAPE_\w+(?=",)/g);
	assert.ok(codes.length >= 6);
	for (const code of codes)
		assert.ok(record.errors.get(code)?.length > 10, code);

	/* LuCI's own protocol registers these; two texts for one code would depend on which is loaded last. */
	for (const code of [ 'INVALID_MAP_RULE', 'NO_MATCHING_PD', 'UNSUPPORTED_TYPE' ]) {
		assert.equal(record.errors.get(code), undefined);
		assert.notEqual(load('mape.words').error(code), code);
	}
});

test('the form offers every provider that is shipped, with its mechanism', () => {
	const table = JSON.parse(readFileSync(join(root, 'files/usr/share/mape/providers.json'), 'utf8'));
	const fixed = Object.entries(table.not_map).filter(([ , line ]) => line.mechanism == 'ipip' && line.update).map(([ id ]) => id);
	const shipped = [ ...Object.keys(table.providers), ...fixed ];
	const { choices, deps } = formFields().fields.find(field => field.option == 'provider');

	assert.deepEqual(shipped.filter(id => !choices.includes(id)), []);
	assert.deepEqual([ choices[0], choices.at(-1) ], [ 'auto', 'none' ]);
	assert.deepEqual(deps, []);
	assert.equal(fixed.length, 4);
	for (const id of fixed)
		assert.equal(load('mape.words').letter(id).includes('_remote'), table.not_map[id].br == null, id);

	for (const [ , name ] of load('mape.words').providers)
		assert.match(name, / – (MAP-E|DS-Lite|IPIP \(fixed IPv4 address\))$/);
});

test('a provider of the user\'s own can be kept', () => {
	const { choices } = formFields({ provider: 'village' }).fields.find(field => field.option == 'provider');

	assert.ok(choices.includes('village'));
});

test('every check of the doctor has a name', () => {
	const words = load('mape.words');
	const contract = /`id` is one of\n(.*);/.exec(readFileSync(join(root, 'docs/bus.md'), 'utf8'))[1].match(/\w+/g);

	assert.ok(contract.length > 15);
	for (const id of contract)
		assert.notEqual(words.check(id), id == 'mtu' ? '' : id);
});

test('every finding and every remedy has words, which use its arguments and no others', () => {
	const findings = load('mape.findings');
	const known = fixture('findings');
	const placeholders = text => [ ...text.matchAll(/\{(\w+)\}/g) ].map(match => match[1]);

	assert.ok(known.length > 60);

	for (const check of known) {
		const text = findings.seen[check.code];
		assert.ok(text, check.code);
		assert.deepEqual(placeholders(text).filter(name => !(name in check.args)), [], check.code);
		assert.doesNotMatch(findings.seenOf(check), /[{}]|undefined|null/, check.code);

		if (check.remedy_code == null)
			continue;

		const [ advice, action ] = findings.remedies[check.remedy_code] ?? [];
		assert.ok(advice, check.remedy_code);
		assert.deepEqual(placeholders(advice).filter(name => !(name in check.remedy_args)), [], check.remedy_code);
		assert.doesNotMatch(findings.remedyOf(check).text, /[{}]|undefined|null/, check.remedy_code);
		assert.ok(action == null || [ 'interfaces', 'settings', 'restart', 'install', 'forwards', 'firewall', 'log', 'packages' ].includes(action));
	}

	const given = new Set(known.flatMap(check => [ check.code, check.remedy_code ]));
	assert.deepEqual([ ...Object.keys(findings.seen), ...Object.keys(findings.remedies) ].filter(code => !given.has(code)), []);
});

test('a finding without a known code is said as the program says it', () => {
	const findings = load('mape.findings');

	assert.equal(findings.seenOf({ seen: 'something new' }), 'something new');
	assert.equal(findings.seenOf({ code: 'of_the_future', args: {}, seen: 'something new' }), 'something new');
	assert.deepEqual(findings.remedyOf({ remedy: 'do this' }), { text: 'do this', action: null, target: null });
	assert.equal(findings.remedyOf({ remedy: null }), null);
});

test('fields of a rule appear only with a manual rule, others only with their type, and all keep their values when hidden', () => {
	const { fields } = formFields();
	const ofRule = [ '_br', '_dmr', '_lwaftr', 'ipaddr', 'ip4prefixlen', 'ip6prefix', 'ip6prefixlen', 'ealen', 'psidlen', 'psid', 'offset', 'legacymap', 'rule' ];
	const words = load('mape.words');
	const ofType = { _aftr: 'ds-lite', _remote: 'ipip', _fixed: 'ipip', interfaceid: 'ipip', update_url: 'ipip', update_hostname: 'ipip', update_id: 'ipip', update_key: 'ipip' };

	for (const field of fields) {
		if (ofRule.includes(field.option)) {
			assert.ok(field.deps.length && field.deps.every(dep => dep.provider == 'none' && dep.maptype != 'ipip'), field.option);
			assert.equal(field.retain, true, field.option);
		}
		else if (ofType[field.option]) {
			assert.equal(field.deps[0].maptype, ofType[field.option], field.option);
			assert.equal(field.retain, true, field.option);
		}
		else if ([ 'provision_server', 'username', 'password' ].includes(field.option)) {
			const fixed = words.providers.map(([ id ]) => id).filter(id => words.letter(id));
			const ofServer = (field.option == 'provision_server') ? [] : [ { update_url: /./ }, ...fixed.map(provider => ({ maptype: 'ipip', provider })) ];
			assert.deepEqual(field.deps, [ { provision: 'hb46pp' }, ...ofServer ]);
			assert.equal(field.retain, true);
		}
		else
			assert.deepEqual(field.deps, [], field.option);
	}
});

test('of the fields for the far end one at most is shown, with its datatype', () => {
	const peers = formFields().fields.filter(field => field.ucioption == 'peeraddr');
	const shown = (provider, maptype) => peers.filter(field => field.deps.some(dep =>
		(dep.provider == null || dep.provider == provider) && dep.maptype == maptype)).map(field => [ field.option, field.datatype ]);

	assert.deepEqual(shown('none', 'auto'), [ [ '_br', 'ip6addr("nomask")' ] ]);
	assert.deepEqual(shown('none', 'map-e'), [ [ '_br', 'ip6addr("nomask")' ] ]);
	assert.deepEqual(shown('none', 'map-t'), [ [ '_dmr', 'cidr6' ] ]);
	assert.deepEqual(shown('none', 'lw4o6'), [ [ '_lwaftr', 'ip6addr("nomask")' ] ]);
	assert.deepEqual(shown('none', 'ds-lite'), [ [ '_aftr', 'or(hostname,ip6addr("nomask"))' ] ]);
	assert.deepEqual(shown('auto', 'ipip'), [ [ '_remote', 'ip6addr("nomask")' ] ]);
	assert.deepEqual(shown('auto', 'auto'), []);
});

test('a rule by hand is asked about in the notation of DHCPv6', () => {
	const { ruleOf } = load('mape.manual');
	const values = { maptype: 'auto', ip6prefix: '240b:10::', ip6prefixlen: '31', ipaddr: '106.72.0.0', ip4prefixlen: '15', ealen: '25', offset: '4', peeraddr: '2404:9200:225:100::64' };

	assert.equal(ruleOf(values), 'type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,ealen=25,offset=4,br=2404:9200:225:100::64');
	assert.equal(ruleOf({ ...values, peeraddr: '' }), null);
	assert.match(ruleOf({ ...values, maptype: 'map-t', peeraddr: '2001:db8::/64' }), /^type=map-t,.*,dmr=2001:db8::\/64$/);
	/* In that notation a PSID is left-justified. */
	assert.match(ruleOf({ ...values, psid: '2', psidlen: '8' }), /psidlen=8,psid=512,/);
});

test('an existing configuration with a rule opens as manual, one without as automatic', () => {
	const shown = uci => formFields(uci).fields.find(field => field.option == 'provider').cfgvalue('wanmap');

	assert.equal(shown({}), 'auto');
	assert.equal(shown({ tunlink: 'wan6' }), 'auto');
	assert.equal(shown({ ip6prefix: '240b:10::', ipaddr: '106.72.0.0' }), 'none');
	assert.equal(shown({ rule: [ 'type=map-e' ] }), 'none');
});

test('rule strings are checked part by part', () => {
	const rule = formFields().fields.find(field => field.option == 'rule');
	const validate = (section_id, value) => rule.validate(section_id, value);

	assert.equal(validate('s', 'type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,offset=4,ealen=25,br=2404:9200:225:100::64,fmr'), true);
	assert.match(validate('s', 'type=map-e,prefix=240b:10::'), /prefix=240b/);
	assert.match(validate('s', 'fmr,nonsense'), /nonsense/);
});

test('an update server is a provider or a URL', () => {
	const { checkUpdateServer } = load('mape.manual');

	for (const fine of [ '', 'v6plus', 'xpass', 'http://a.example/?p=[PASSWORD]', 'https://a.example', 'http://[2001:db8::1]/' ])
		assert.equal(checkUpdateServer(fine), true, fine);
	for (const wrong of [ 'v6 plus', 'ftp://a.example/', 'a.example', 'http://', 'http://a b.example/' ])
		assert.equal(typeof checkUpdateServer(wrong), 'string', wrong);
});

test('every datatype is one that LuCI 23.05 knows', () => {
	const known = [ 'ip6addr', 'ip4addr', 'range', 'or', 'cidr4', 'cidr6', 'portrange', 'port', 'hostname', 'ip6hostid' ];
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
	load('mape.firewall', record);
	assert.ok(record.calls.length >= 8);

	/* luci-base grants what LuCI itself asks of uci, and luci-app-upnp, if it is installed, its plugin. */
	for (const { object, method, reject } of record.calls.filter(({ object }) => object != 'uci' && object != 'luci.upnp')) {
		const half = (object == 'mape') ? acl.read : acl.write;
		assert.ok(half.ubus[object]?.includes(method), `${object} ${method}`);
		assert.equal(reject, undefined, `${method} must resolve to the code of an error`);
	}

	const asked = object => record.calls.filter(call => call.object == object).map(call => call.method).sort();
	assert.deepEqual([ ...acl.read.ubus.mape ].sort(), asked('mape'));
	assert.deepEqual(acl.write.ubus, { 'network.interface': asked('network.interface') });

	const written = scripts.flatMap(({ text }) => [ ...text.matchAll(/uci\.(?:add|set|remove|unset)\('(\w+)'/g) ].map(match => match[1]));
	assert.deepEqual([ ...new Set(written) ].sort(), acl.write.uci);
	assert.deepEqual(acl.read.uci, acl.write.uci);
	assert.deepEqual(Object.keys(acl.write).sort(), [ 'ubus', 'uci' ]);
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
	const placeholders = text => [
		...(text.match(/%(?:\d+\$)?(?:\.\d)?[a-zA-Z%]/g) ?? []),
		...(text.match(/\{\w+\}/g) ?? []).sort()
	].join();

	assert.deepEqual(japanese.map(keyOf).sort(), [ ...literals() ].sort());

	for (const { msgid, msgstr } of japanese) {
		assert.notEqual(msgstr, '', msgid);
		assert.equal(placeholders(msgstr), placeholders(msgid), msgid);
	}
});

test('the catalogues say whose they are', () => {
	for (const file of [ 'po/templates/mape.pot', 'po/ja/mape.po' ])
		assert.match(readFileSync(join(app, file), 'utf8'), /"Content-Type: text\/plain; charset=UTF-8/);

	for (const field of [ 'Project-Id-Version', 'PO-Revision-Date', 'Last-Translator', 'Language-Team' ])
		assert.match(readFileSync(join(app, 'po/ja/mape.po'), 'utf8'), new RegExp(`^"${field}: \\S`, 'm'));
});

test('no text means something else in LuCI\'s own catalogues', { skip: !luci && 'LUCI_SRC is not set' }, () => {
	const ours = new Map(readPo(join(app, 'po/ja/mape.po')).map(entry => [ keyOf(entry), entry.msgstr ]));
	const theirs = luciParts.flatMap(part => filesBelow(join(part, 'po/ja'), '.po')).flatMap(file => readPo(file));

	assert.ok(theirs.length > 1000);
	/* Between Latin and Japanese letters 25.12 has spaces that 24.10 has not. */
	const plain = text => text.replaceAll(' ', '');

	assert.deepEqual(theirs.filter(entry => entry.msgstr && ours.has(keyOf(entry)) && plain(ours.get(keyOf(entry))) != plain(entry.msgstr))
		.map(entry => `${entry.msgid}: ${ours.get(keyOf(entry))} / ${entry.msgstr}`), []);
});
