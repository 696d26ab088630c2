// SPDX-License-Identifier: Apache-2.0
// The part of LuCI's runtime contract that the status page and the overview
// box stand on, for tests where no LuCI checkout is at hand. It is not LuCI:
// how things look, forms and saving are tested with LUCI_SRC only.

'use strict';

window.sfh = id => id;
window._ = (id, context) => window.TR?.[(context ? context + '\u0001' : '') + id] ?? id;

const formatPattern = /%(?:\.(\d))?(?:1024)?(?:\.(\d))?(m?[sdtfBh%])/g;

String.prototype.format = function(...args) {
	return this.replace(formatPattern, (all, digits, more, kind) => {
		if (kind == '%')
			return '%';

		const value = args.shift();

		switch (kind) {
		case 'd': return Math.floor(value);
		case 'f': return (+value).toFixed(digits ?? 6);
		case 't': return `${value}s`;
		case 'mB': return `${value} B`;
		default: return String(value);
		}
	});
};

window.E = (tag, attrs, children) => {
	const list = Array.isArray(tag) ? tag : (children ?? (Array.isArray(attrs) ? attrs : []));
	const node = Array.isArray(tag) ? document.createDocumentFragment() : document.createElement(tag);

	for (const [ name, value ] of Object.entries(Array.isArray(attrs) ? {} : attrs ?? {})) {
		if (typeof value == 'function')
			node.addEventListener(name, value);
		else if (value != null)
			node.setAttribute(name, value);
	}

	if (!Array.isArray(list))
		throw new TypeError(`children of ${tag} are no array: a string would become HTML`);

	node.append(...list.filter(child => child != null));

	return node;
};

/* As LuCI's cbi.js: rows of cells, each a text, a node, or [what it is sorted by, one of these]. */
window.cbi_update_table = (table, rows, placeholder) => {
	const titles = [ ...table.rows[0].cells ].map(cell => cell.innerText.trim());
	const cells = row => titles.map((title, i) => {
		const cell = E('td', { 'class': 'td', 'data-title': title || null }, [ Array.isArray(row[i]) ? row[i][1] : row[i] ]);
		return cell;
	});

	while (table.rows.length > 1)
		table.rows[1].remove();

	for (const row of rows)
		table.append(E('tr', { 'class': 'tr' }, cells(row)));

	if (!rows.length && placeholder)
		table.append(E('tr', { 'class': 'tr placeholder' }, [ E('td', { 'class': 'td' }, [ placeholder ]) ]));
};

function extend(base, members) {
	const Class = class extends base {
		constructor(...args) {
			super(...args);
			if (new.target === Class)
				this.__init__?.(...args);
		}
	};

	for (const name of Reflect.ownKeys(members))
		Object.defineProperty(Class.prototype, name, { ...Object.getOwnPropertyDescriptor(members, name), enumerable: false });

	Class.extend = more => extend(Class, more);

	return Class;
}

class Root {}

const baseclass = { extend: members => extend(Root, members) };

const View = extend(Root, {
	__init__() {
		Promise.resolve(this.load?.()).then(data => this.render(data))
			.then(node => document.querySelector('#view').replaceChildren(node));
	}
});

let rpcId = 1;

const builtin = {
	baseclass,
	view: View,
	dom: { content: (node, children) => node.replaceChildren(...[ children ?? [] ].flat().filter(child => child != null)) },
	poll: {
		add(fn, seconds) {
			const run = () => Promise.resolve(fn()).finally(() => setTimeout(run, 1000 * (seconds ?? L.env.pollinterval)));
			setTimeout(run, 0);
		}
	},
	rpc: {
		getStatusText: code => (code == 6) ? 'Permission denied' : 'Unspecified error',
		declare: ({ object, method, params, expect, reject }) => (...args) => {
			const named = Object.fromEntries((params ?? []).map((name, i) => [ name, args[i] ]));

			return fetch(L.env.ubuspath, {
				method: 'POST',
				body: JSON.stringify({ jsonrpc: '2.0', id: rpcId++, method: 'call', params: [ L.env.sessionid, object, method, named ] })
			}).then(reply => reply.json()).then(({ error, result }) => {
				if (error)
					throw new Error(`RPC call to ${object}/${method} failed with error ${error.code}: ${error.message}`);
				if (reject && result[0] !== 0)
					throw new Error(`RPC call to ${object}/${method} failed with ubus code ${result[0]}: ?`);
				const reply = result[1] ?? result[0];
				const [ key ] = Object.keys(expect ?? {});

				return (key == null) ? reply : (reply?.[key] ?? expect[key]);
			});
		}
	},
	network: { getHostHints: () => Promise.resolve({ getHostnameByIPAddr: () => null, getMACHints: () => [] }) },
	form: {},
	uci: {
		load: () => Promise.resolve(),
		sections: () => [],
		get: () => null
	},
	validation: {},
	ui: {
		menu: { load: () => fetch(`${L.env.scriptname}/admin/menu`).then(reply => reply.json()) },
		addNotification: (title, children) => document.querySelector('#maincontent').prepend(...[ title, children ].flat().filter(child => child != null)),
		createHandlerFn: (ctx, fn, ...args) => event => {
			const button = event.currentTarget;
			button.disabled = true;
			return Promise.resolve((typeof fn == 'string' ? ctx[fn] : fn).call(ctx, ...args, event)).finally(() => button.disabled = false);
		}
	}
};

const requirePattern = /^'require ([^ ']+)(?: as ([^ ']+))?';$/gm;
const loaded = {};

async function load(name) {
	const reply = await fetch(`/luci-static/resources/${name.replaceAll('.', '/')}.js`);

	if (!reply.ok)
		throw new Error(`${name}: HTTP ${reply.status}`);

	const source = await reply.text();
	const wanted = [ ...source.matchAll(requirePattern) ].map(match => [ match[2] ?? match[1].replaceAll('.', '_'), match[1] ]);
	const deps = await Promise.all(wanted.map(([ , module ]) => L.require(module)));
	const factory = new Function('window', 'document', 'L', ...wanted.map(([ as ]) => as), source);
	const Class = factory(window, document, L, ...deps);

	return new Class();
}

window.LuCI = class {
	constructor(env) {
		this.env = env;
	}

	require(name) {
		if (name == 'ui')
			return Promise.resolve({ ...builtin.ui, instantiateView: path => this.require(path == 'status/index' ? 'stub.overview' : 'view.' + path.replaceAll('/', '.')) });

		if (name == 'stub.overview')
			return this.require('view.status.include.35_mape').then(async box => {
				const node = box.render(await box.load());
				document.querySelector('#view').replaceChildren(...(node ? [ node ] : []));
			});

		return builtin[name] ? Promise.resolve(builtin[name]) : (loaded[name] ??= load(name));
	}

	resolveDefault(promise, value) {
		return Promise.resolve(promise).catch(() => value);
	}

	resource(path) {
		return `${this.env.resource}/${path}`;
	}

	url(path) {
		return `${this.env.scriptname}/${path}`;
	}

	toArray(value) {
		if (typeof value == 'string')
			return value.trim() ? value.trim().split(/\s+/) : [];

		return (value == null) ? [] : (Array.isArray(value) ? value : [ value ]);
	}

	isObject(value) {
		return (value != null && typeof value == 'object');
	}

	hasViewPermission() {
		return !this.env.nodespec.readonly;
	}
};
