// SPDX-License-Identifier: Apache-2.0
// Loads a module of the app in node, by the factory contract of LuCI: for
// what is pure, and for the protocol's form, whose fields are recorded.

import { readFileSync } from 'node:fs';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';
import { app, resources } from './paths.mjs';
import { readPo } from './po.mjs';

const requirePattern = /^'require ([^ ']+)(?: as ([^ ']+))?';$/gm;

String.prototype.format = function(...args) {
	return this.replace(/%(?:[sd]|%|\.1f)/g, found => (found == '%%') ? '%' : String(args.shift()));
};

const L = {
	toArray: value => (typeof value == 'string') ? value.split(' ').filter(word => word) : (value == null) ? [] : (Array.isArray(value) ? value : [ value ]),
	isObject: value => value != null && typeof value == 'object'
};

function extend(base, members) {
	const Class = class extends base {
		constructor(...args) {
			super(...args);
			if (new.target === Class)
				this.__init__?.(...args);
		}
	};
	Object.assign(Class.prototype, members);
	Class.extend = more => extend(Class, more);
	return Class;
}

/* As LuCI's validation.js: the eight groups of an address, or null. */
const validation = {
	parseIPv6(text) {
		if (!isIPv6(text))
			return null;

		const [ head, tail ] = text.split('::').map(half => half ? half.split(':') : []);

		return [ ...head, ...(tail ? [ ...Array(8 - head.length - tail.length).fill('0'), ...tail ] : []) ].map(group => parseInt(group, 16));
	}
};

/* Stand-ins for LuCI's modules; RECORD collects what the protocol registers. */
function luciModules(record) {
	const widget = name => ({ widget: name, prototype: { cfgvalue: () => null } });
	const named = names => Object.fromEntries(names.map(name => [ name, widget(name) ]));

	return {
		baseclass: { extend: members => extend(class {}, members) },
		rpc: { declare: options => { record.calls.push(options); return () => record.reply?.(options) ?? new Promise(() => {}); } },
		dom: {},
		poll: {},
		ui: {},
		validation,
		uci: { sections: (config, type) => Object.values(record.config?.[config] ?? {}).filter(section => section['.type'] == type), get: (config, section, option) => record.uci?.[option] ?? null },
		form: named([ 'Value', 'ListValue', 'DynamicList', 'DummyValue', 'Flag' ]),
		'tools.widgets': named([ 'NetworkSelect', 'ZoneSelect' ]),
		network: {
			getProtocols: () => [],
			registerPatternVirtual: pattern => record.patterns.push(pattern),
			registerErrorCode: (code, text) => record.errors.set(code, text),
			registerProtocol: (name, members) => {
				record.protocol = { name, ...members };
				return extend(class {}, members);
			}
		}
	};
}

export function newRecord(uci) {
	return { uci, calls: [], patterns: [], errors: new Map(), protocol: null };
}

/* The translations of LANG as LuCI's _() finds them, by text and context. */
function catalogue(lang) {
	const file = join(app, 'po', lang, 'mape.po');
	const key = (text, context) => `${context ?? ''}\x01${text}`;
	const known = (lang == 'en') ? new Map() : new Map(readPo(file).map(entry => [ key(entry.msgid, entry.msgctxt), entry.msgstr ]));

	return (text, context) => known.get(key(text, context)) || text;
}

/* RECORD.lang is the language of the page. */
export function load(name, record = newRecord(), loaded = {}) {
	const known = luciModules(record);

	if (known[name])
		return known[name];

	if (!loaded[name]) {
		const source = readFileSync(join(resources, name.replaceAll('.', '/') + '.js'), 'utf8');
		const wanted = [ ...source.matchAll(requirePattern) ].map(match => [ match[2] ?? match[1].replaceAll('.', '_'), match[1] ]);
		const document = { createElementNS: () => ({}), documentElement: { lang: record.lang ?? 'en' } };
		const factory = new Function('window', 'document', 'L', '_', 'E', ...wanted.map(([ as ]) => as), source);

		loaded[name] = new (factory({}, document, L, catalogue(record.lang ?? 'en'), () => ({}), ...wanted.map(([ , module ]) => load(module, record, loaded))))();
	}

	return loaded[name];
}

/* The fields of the protocol's form, as renderFormOptions() declares them. */
export function formFields(uci) {
	const record = newRecord(uci);
	const protocol = load('protocol.mape', record);
	const fields = [];

	protocol.renderFormOptions({
		section: 'wanmap',
		taboption(tab, { widget, prototype }, option, title, help) {
			const field = {
				...prototype, tab, widget, option, title, help, deps: [], choices: [],
				depends(...args) { this.deps.push(args.length == 2 ? { [args[0]]: args[1] } : args[0]); },
				value(...args) { this.choices.push(args[0]); },
				formvalue() { return uci?.[option] ?? ''; },
				isValid: () => true,
				triggerValidation: () => true
			};
			fields.push(field);
			return field;
		}
	});

	return { fields, record };
}
