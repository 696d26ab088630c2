// SPDX-License-Identifier: Apache-2.0
// The router's web server: static files of the app over those of LuCI (or the
// contract stub), one HTML page for every path, /ubus by bus.mjs.

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join } from 'node:path';
import { app, jsonBelow, luci, luciParts, resources, root } from './paths.mjs';
import { readPo } from './po.mjs';

const types = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png' };

/* LuCI's own minifier, built from the checkout, or null where that is not possible. */
export function minifier() {
	const source = luci && join(luci, 'modules/luci-base/src/jsmin.c');
	const tool = join(root, '.tools/luci/jsmin');

	if (!source || !existsSync(source))
		return null;

	mkdirSync(join(root, '.tools/luci'), { recursive: true });

	return spawnSync('cc', [ '-O1', '-w', '-o', tool, source ]).status === 0
		? text => execFileSync(tool, { input: text, encoding: 'utf8' }) : null;
}

function translations(lang) {
	const files = [ join(app, `po/${lang}/mape.po`), ...luciParts.map(part => join(part, `po/${lang}/base.po`)) ].filter(existsSync);
	const pairs = files.flatMap(file => readPo(file)).filter(({ msgstr }) => msgstr)
		.map(({ msgctxt, msgid, msgstr }) => [ (msgctxt ? msgctxt + '\u0001' : '') + msgid, msgstr ]);

	return `window.TRANSLATED = ${JSON.stringify(pairs)};`;
}

/* SOFTWARE is where the package manager is, null if there is none. */
function menu({ readonly, software = 'admin/system/package-manager' }) {
	const nodes = Object.assign({}, ...[ ...luciParts, app ].map(part => jsonBelow(part, 'usr/share/luci/menu.d')),
		software ? { [software]: { title: 'Software', action: { type: 'view', path: 'software' } } } : {});
	const tree = { children: {} };

	for (const [ path, node ] of Object.entries(nodes)) {
		let at = tree;

		for (const name of path.split('/').filter(part => part != '*'))
			at = (at.children ??= {})[name] ??= {};

		Object.assign(at, node, { satisfied: true, ...(readonly ? { readonly: true } : {}) });
	}

	return tree;
}

/* The overview's template defines a function for its boxes. */
function overviewHelpers() {
	const template = luci && join(luci, 'modules/luci-mod-status/ucode/template/admin_status/index.ut');
	const scripts = template ? readFileSync(template, 'utf8').match(/<script[^>]*>[^]*?<\/script>/g) : null;

	return (scripts ?? []).filter(text => !text.includes('instantiateView') && !text.includes('{%')).join('');
}

/* Where the style of a theme is; the folders of openwrt.org and 2020 are not called as the themes are. */
const themes = { bootstrap: 'bootstrap', material: 'material', openwrt: 'openwrt.org', 'openwrt-2020': 'openwrt2020' };

function stylesheets(theme) {
	const media = `/luci-static/${themes[theme]}`;

	return `<link rel="stylesheet" href="${media}/cascade.css">
${(theme == 'bootstrap') ? `<link rel="stylesheet" media="only screen and (max-device-width: 854px)" href="${media}/mobile.css">` : ''}`;
}

function page(path, options) {
	const { lang = 'en', dark, readonly, theme = 'bootstrap' } = options;
	const spec = path.reduce((node, name) => node?.children?.[name], menu(options)) ?? { satisfied: true };
	/* The overview is a template that shows this view. */
	const onOverview = (path.join('/') == 'admin/status/overview');
	const shown = onOverview ? 'status/index' : spec.action?.path;
	const env = {
		token: 't', media: `/luci-static/${themes[theme]}`, resource: '/luci-static/resources', scriptname: '/cgi-bin/luci',
		pathinfo: '/' + path.join('/'), documentroot: '/www', requestpath: path, dispatchpath: path, pollinterval: 1,
		ubuspath: '/ubus/', sessionid: '0'.repeat(32), nodespec: { ...spec, readonly: !!readonly },
		apply_rollback: 90, apply_holdoff: 4, apply_timeout: 5, apply_display: 1.5
	};

	return `<!DOCTYPE html>
<html lang="${lang}" data-darkmode="${!!dark}"><head><meta charset="utf-8"><title>OpenWrt</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
${luci ? stylesheets(theme) : ''}
<script src="/translations/${lang}.js"></script>
${luci ? '<script src="/luci-static/resources/cbi.js"></script>' : '<script src="/stub/runtime.js"></script>'}
<script>window.TR = Object.fromEntries(TRANSLATED.map(([ id, text ]) => [ sfh(id), text ]));</script>
</head><body class="lang_${lang}" data-page="${path.join('-')}">
<header><a class="brand" href="/">OpenWrt</a><ul class="nav" id="topmenu" style="display:none"></ul><div id="indicators" class="pull-right"></div></header>
<div id="maincontent" class="container"><div id="tabmenu" style="display:none"></div>
${luci ? '<script src="/luci-static/resources/luci.js"></script>' : ''}
<script>L = new LuCI(${JSON.stringify(env)});</script>
${onOverview ? overviewHelpers() : ''}
<div id="view"><script>L.require('ui').then(ui => ui.instantiateView('${shown}'));</script></div>
</div><footer><span></span><ul class="breadcrumb pull-right" id="modemenu" style="display:none"></ul></footer>
${(luci && theme == 'bootstrap') ? "<script>L.require('menu-bootstrap')</script>" : ''}
</body></html>`;
}

function staticFile(path, minify) {
	const own = join(app, 'htdocs', path);

	if (path.startsWith('/stub/'))
		return readFileSync(join(root, 'tests/luci', path));

	if (own.startsWith(resources) && existsSync(own))
		return (minify && path.endsWith('.js')) ? minify(readFileSync(own, 'utf8')) : readFileSync(own);

	const found = luciParts.map(part => join(part, 'htdocs', path)).find(existsSync);

	return found ? readFileSync(found) : null;
}

/* Starts a server; OPTIONS: lang, dark, readonly, minify, theme, software. BUS answers /ubus. */
export async function serve(bus, options = {}) {
	const server = createServer((request, response) => {
		const { pathname } = new URL(request.url, 'http://localhost');
		const send = (status, type, body) => response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body);

		if (pathname.startsWith('/ubus')) {
			let body = '';
			request.on('data', chunk => body += chunk).on('end', () => {
				const message = JSON.parse(body);
				const replies = [ message ].flat().map(one => bus.handle(one));
				const delay = Math.max(...[ message ].flat().map(one => bus.delay(one)));
				setTimeout(() => send(200, 'application/json', JSON.stringify(Array.isArray(message) ? replies : replies[0])), delay);
			});
		}
		else if (pathname.startsWith('/translations/'))
			send(200, types['.js'], translations(options.lang ?? 'en'));
		else if (pathname == '/cgi-bin/luci/admin/menu')
			send(200, 'application/json', JSON.stringify(menu(options)));
		else if (pathname.startsWith('/cgi-bin/luci/admin/translations'))
			send(200, types['.js'], '');
		else if (pathname.startsWith('/cgi-bin/luci/'))
			send(200, 'text/html', page(pathname.split('/').slice(3), options));
		else {
			const body = staticFile(pathname, options.minify);
			body == null ? send(404, 'text/plain', '') : send(200, types[extname(pathname)] ?? 'text/plain', body);
		}
	});

	await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));

	return { url: path => `http://127.0.0.1:${server.address().port}/cgi-bin/luci/${path}`, close: () => { server.closeAllConnections(); server.close(); } };
}
