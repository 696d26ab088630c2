// SPDX-License-Identifier: Apache-2.0
// Settings and the forward dialog, by clicking in LuCI's own pages. Needs LUCI_SRC.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useBrowser, visit } from './browser.mjs';
import { fixture, luci } from './paths.mjs';
import { router, section } from './router.mjs';
import { minifier } from './server.mjs';

const rule = { provider: 'none', maptype: 'map-e', legacymap: '1', peeraddr: '2404:9200:225:100::64', ipaddr: '106.72.0.0', ip4prefixlen: '15', ip6prefix: '240b:10::', ip6prefixlen: '31', ealen: '25', offset: '4' };
const interfaces = 'admin/network/network';
const id = option => `[id="widget.cbid.network.wanmap.${option}"]`;
const row = option => `[data-name="${option}"]`;

const preview = page => page.locator('.mape-preview');
const edit = page => page.locator('[data-sid="wanmap"] .cbi-button-edit').click();
const advanced = page => page.locator('.cbi-tabmenu').getByText('Advanced Settings').click();
const save = page => page.locator('#modal_overlay .cbi-button-positive, #modal_overlay .cbi-button-save').filter({ hasText: 'Save' }).first().click();
const closed = page => page.waitForFunction(() => !document.body.classList.contains('modal-overlay-active'));
const set = async (page, option, value) => {
	await page.locator(id(option)).fill(value);
	await page.locator(id(option)).blur();
};
const complaint = (page, option) => page.locator(id(option)).getAttribute('data-tooltip');

/* What was staged in network for the interface: options set, and options deleted. */
function staged(bus) {
	const values = {};
	const deleted = [];

	for (const [ method, config, sid, ...rest ] of bus.deltas.filter(delta => delta[1] == 'network' && delta[2] == 'wanmap')) {
		if (method == 'delete')
			deleted.push(...[ rest.at(-1) ].flat());
		else
			Object.assign(values, rest.at(-1));
	}

	return { values, deleted: deleted.sort() };
}

useBrowser();

test('settings, on LuCI', { skip: !luci && 'LUCI_SRC is not set: LuCI\'s own pages are needed' }, async t => {
	for (const minify of [ null, minifier() ].filter((one, i) => i == 0 || one)) {
		await t.test(`an interface is added by clicking${minify ? ', with scripts minified by jsmin' : ''}`, () => visit(interfaces, { ...router(), minify }, async ({ page, bus }) => {
			await page.getByText('Add new interface').click();
			await page.locator('[id="widget.cbid.network._new_.name"]').fill('wanmap');
			await page.locator('[id="widget.cbid.network._new_.proto"]').selectOption('mape');
			await page.getByRole('button', { name: 'Create interface' }).click();
			await page.getByText('v6 Plus: IPv4 address 106.72.0.1, 240 ports in 15 ranges').waitFor();
			assert.match(await preview(page).textContent(), /240b:10:1:200::\/56 of wan6/);
			assert.ok(!await page.locator(row('_br')).isVisible());

			await save(page);
			await closed(page);
			await page.locator('.cbi-page-actions .cbi-button-save').click();
			await page.waitForFunction(() => !document.querySelector('.spinning'));
			assert.deepEqual(staged(bus), { values: { proto: 'mape' }, deleted: [] });
		}));
	}

	await t.test('advanced settings are saved as typed, and nothing else', () => visit(interfaces, router({}), async ({ page, bus }) => {
		await edit(page);
		await preview(page).getByText('106.72.0.1').waitFor();
		await page.locator(id('provider')).selectOption('v6plus');
		await advanced(page);
		await set(page, 'mtu', '1452');
		await page.locator(id('nat')).selectOption('hash');
		await page.locator(id('conntrack')).selectOption('tight');
		await page.locator(id('mesh')).selectOption('0');
		await page.locator(`${row('reserve')} input`).last().fill('4130');
		await page.locator(`${row('reserve')} .cbi-button-add`).click();
		await save(page);
		await closed(page);
		assert.deepEqual(staged(bus), {
			values: { provider: 'v6plus', mtu: '1452', nat: 'hash', conntrack: 'tight', mesh: '0', reserve: [ '4130' ] },
			deleted: []
		});
	}));

	await t.test('the preview asks for the provider that is chosen, and tells what is missing', () => {
		const calc = ({ provider }) => (provider == null) ? fixture('calc') : fixture('calc-error');

		return visit(interfaces, { ...router({}), calc }, async ({ page, bus }) => {
			await edit(page);
			await preview(page).getByText('106.72.0.1').waitFor();
			await page.locator(id('provider')).selectOption('ocn');
			await preview(page).getByText('is not a prefix of OCN Virtual Connect').waitFor();
			assert.deepEqual(bus.calls.filter(call => call.name == 'calc').at(-1).args, { prefix: '240b:10:1:200::/64', provider: 'ocn' });

			await page.locator(id('provider')).selectOption('auto');
			await advanced(page);
			await set(page, 'enduserprefix', '2001:db8:1200:3400::/56');

			const last = () => bus.calls.filter(call => call.name == 'calc').at(-1).args.prefix;

			for (let i = 0; i < 100 && last() != '2001:db8:1200:3400::/56'; i++)
				await page.waitForTimeout(100);

			assert.equal(last(), '2001:db8:1200:3400::/56');
		});
	});

	for (const [ why, scenario, text ] of [
		[ 'no known provider', { calc: 'calc-error' }, 'belongs to no MAP-E provider known here' ],
		[ 'no prefix', { nets: list => list.map(net => ({ ...net, 'ipv6-prefix': [], 'ipv6-address': [] })) }, 'No uplink has an IPv6 prefix' ],
		[ 'no service', { absent: true }, 'Install the package mape' ]
	]) {
		await t.test(`the preview with ${why}, and saving works`, () => visit(interfaces, { ...router({}), ...scenario }, async ({ page, bus }) => {
			await edit(page);
			await preview(page).getByText(text).waitFor();
			await save(page);
			await closed(page);
			assert.deepEqual(staged(bus).values, {});
		}));
	}

	await t.test('a rule by hand: fields, what contradicts itself, and what is saved', () => visit(interfaces, { ...router({}), allowed: /Uncaught|Error/ }, async ({ page, bus }) => {
		await edit(page);
		await page.locator(id('provider')).selectOption('none');
		await preview(page).getByText('Enter the rule').waitFor();

		for (const option of [ 'ipaddr', 'ip4prefixlen', 'ip6prefix', 'ip6prefixlen', 'ealen', 'offset' ])
			await set(page, option, rule[option]);
		await page.locator(id('legacymap')).selectOption('1');

		await set(page, 'psidlen', '9');
		assert.match(await complaint(page, 'psidlen'), /leave 8 bits for the PSID/);
		await set(page, 'psidlen', '');
		await set(page, 'ip6prefixlen', '40');
		assert.match(await complaint(page, 'ealen'), /more than 64 bits/);
		await set(page, 'ip6prefixlen', '31');
		assert.equal(await complaint(page, 'ealen'), null);
		await set(page, 'offset', '12');
		assert.match(await complaint(page, 'offset'), /more than 16/);
		await set(page, 'offset', '4');

		/* The relay is still missing. */
		await save(page);
		await page.locator(`${id('_br')}.cbi-input-invalid`).waitFor();
		assert.match(await complaint(page, '_br'), /Needed unless there is a rule/);
		assert.deepEqual(staged(bus).values, {});
	}));

	await t.test('a complete rule is saved to the letter', () => visit(interfaces, router({}), async ({ page, bus }) => {
		await edit(page);
		await page.locator(id('provider')).selectOption('none');
		await page.locator(id('maptype')).selectOption('map-e');
		await set(page, '_br', rule.peeraddr);
		for (const option of [ 'ipaddr', 'ip4prefixlen', 'ip6prefix', 'ip6prefixlen', 'ealen', 'offset' ])
			await set(page, option, rule[option]);
		await page.locator(id('legacymap')).selectOption('1');

		/* What it gives is seen before it is saved. */
		await preview(page).getByText('MAP-E: IPv4 address 106.72.0.1').waitFor();
		assert.deepEqual(bus.calls.filter(call => call.name == 'calc' && call.args.rule).at(-1).args, {
			prefix: '240b:10:1:200::/64', legacy: true,
			rule: [ 'type=map-e,ipv6prefix=240b:10::,prefix6len=31,ipv4prefix=106.72.0.0,prefix4len=15,ealen=25,offset=4,br=2404:9200:225:100::64' ]
		});
		await save(page);
		await closed(page);
		assert.deepEqual(staged(bus), { values: rule, deleted: [] });
	}));

	await t.test('back to automatic: the rule stays, but not the relay that would override the provider\'s', () => visit(interfaces, router(rule), async ({ page, bus }) => {
		await edit(page);
		assert.equal(await page.locator(id('ealen')).inputValue(), '25');
		await page.locator(id('provider')).selectOption('auto');
		await preview(page).getByText('106.72.0.1').waitFor();
		await save(page);
		await closed(page);
		assert.deepEqual(staged(bus), { values: { provider: 'auto' }, deleted: [ 'peeraddr' ] });
	}));

	await t.test('a relay that goes with a provider stays', () => visit(interfaces, router({ provider: 'biglobe', peeraddr: '2001:260:700:1::1:276' }), async ({ page, bus }) => {
		await edit(page);
		await page.locator(id('provider')).waitFor();
		await advanced(page);
		await set(page, 'ttl', '63');
		await save(page);
		await closed(page);
		assert.deepEqual(staged(bus), { values: { ttl: '63' }, deleted: [] });
	}));

	await t.test('another dialect than the line\'s provider uses is pointed at', () => {
		const calc = ({ rule, legacy }) => ({ ...fixture('calc'), dialect: (rule && !legacy) ? 'rfc7597' : 'draft-03' });

		return visit(interfaces, { ...router({ ...rule, legacymap: '0' }), calc }, async ({ page }) => {
			await edit(page);
			await preview(page).getByText('This line is one of v6 Plus, which uses the dialect draft-03.').waitFor();
			await page.locator(id('legacymap')).selectOption('1');
			await preview(page).getByText('This line is one of').waitFor({ state: 'detached' });
		});
	});

	for (const [ type, field, good, bad ] of [
		[ 'map-e', '_br', '2404:9200:225:100::64', '2404:9200:225:100::/64' ],
		[ 'map-t', '_dmr', '2001:db8:ffff::/64', '2001:db8:ffff::1' ],
		[ 'lw4o6', '_lwaftr', '2001:db8::1', 'aftr.example' ]
	]) {
		await t.test(`the far end of ${type} takes an address of its kind and no other`, () => visit(interfaces, router({ provider: 'none', maptype: type }), async ({ page }) => {
			await edit(page);
			await set(page, field, bad);
			assert.ok(await complaint(page, field), bad);
			await set(page, field, good);
			assert.equal(await complaint(page, field), null);
			assert.equal(await page.locator('[data-name="_br"]:visible, [data-name="_dmr"]:visible, [data-name="_lwaftr"]:visible, [data-name="_aftr"]:visible, [data-name="_remote"]:visible').count(), 1);
		}));
	}

	await t.test('DS-Lite: what the line gets, and the provider\'s gateway by name', () => visit(interfaces, router({}), async ({ page, bus }) => {
		await edit(page);
		await page.locator(id('maptype')).selectOption('ds-lite');
		await preview(page).getByText('DS-Lite: a shared IPv4 address').waitFor();
		await page.locator(`${row('_aftr')} .cbi-dropdown`).click();
		await page.locator(`${row('_aftr')} li`, { hasText: 'transix' }).first().click();
		await save(page);
		await closed(page);
		assert.deepEqual(staged(bus), { values: { maptype: 'ds-lite', peeraddr: 'gw.transix.jp' }, deleted: [] });
	}));

	await t.test('a fixed address: what is needed', () => visit(interfaces, { ...router({}), allowed: /Uncaught|Error/ }, async ({ page, bus }) => {
		await edit(page);
		await page.locator(id('maptype')).selectOption('ipip');
		await preview(page).getByText('Enter the fixed address').waitFor();
		await save(page);
		await page.locator(`${id('_remote')}.cbi-input-invalid`).waitFor();
		await page.keyboard.press('Escape');

		await set(page, '_remote', '2404:8e00::feed:101');
		await set(page, '_fixed', '192.0.2.17/29');
		await preview(page).getByText('Fixed IPv4 address 192.0.2.17/29').waitFor();
	}));

	await t.test('a fixed address of a provider that is named: its far end is known', () => visit(interfaces, router({
		maptype: 'ipip', provider: 'v6plus-static', ipaddr: '203.0.113.7', interfaceid: '::feed', username: 'u', password: 'p'
	}), async ({ page, bus }) => {
		await edit(page);
		await set(page, '_fixed', '203.0.113.8');
		await save(page);
		await closed(page);
		assert.deepEqual(staged(bus), { values: { ipaddr: '203.0.113.8' }, deleted: [] });
	}));

	await t.test('a provider of fixed addresses asks for what its letter has', () => visit(interfaces, { ...router({}), allowed: /Uncaught|Error/ }, async ({ page, bus }) => {
		await edit(page);
		await page.locator(id('provider')).selectOption('v6plus-static');
		assert.equal(await page.locator(id('maptype')).inputValue(), 'ipip');
		assert.ok(!await page.locator(id('update_hostname')).isVisible());
		await set(page, '_fixed', '203.0.113.7');
		await preview(page).getByText('v6 Plus fixed IP').waitFor();
		await save(page);
		for (const name of [ 'interfaceid', 'username', 'password' ])
			await page.locator(`${row(name)} .cbi-input-invalid`).first().waitFor();
		assert.equal(await page.locator(`${row('_remote')} .cbi-input-invalid`).count(), 0);
		await page.keyboard.press('Escape');

		await page.locator(`${row('interfaceid')} .cbi-dropdown`).click();
		await page.locator(`${row('interfaceid')} .create-item-input`).first().fill('::feed');
		await page.keyboard.press('Enter');
		await set(page, 'username', 'u');
		await set(page, 'password', 'p');
		await save(page);
		await closed(page);
		assert.deepEqual(staged(bus), {
			values: { provider: 'v6plus-static', maptype: 'ipip', ipaddr: '203.0.113.7', interfaceid: '::feed', username: 'u', password: 'p' }, deleted: []
		});
	}));

	await t.test('each provider of fixed addresses has its own fields, and the next provider its own type', () => visit(interfaces, { ...router({}), allowed: /Uncaught|Error/ }, async ({ page }) => {
		await edit(page);
		const shown = async () => {
			const names = [ '_remote', '_fixed', 'interfaceid', 'username', 'password', 'update_hostname', 'update_id', 'update_key' ];
			const visible = await Promise.all(names.map(name => page.locator(row(name)).isVisible()));
			return names.filter((name, i) => visible[i]);
		};
		const all = [ '_remote', '_fixed', 'interfaceid', 'username', 'password' ];

		for (const [ provider, fields ] of [
			[ 'xpass-static', [ ...all, 'update_hostname', 'update_id', 'update_key' ] ], [ 'ocn-static', [ ...all, 'update_hostname' ] ], [ 'transix-static', all ], [ 'auto', [] ]
		]) {
			await page.locator(id('provider')).selectOption(provider);
			assert.deepEqual(await shown(), fields, provider);
		}
		assert.equal(await page.locator(id('maptype')).inputValue(), 'auto');

		await page.locator(id('provider')).selectOption('transix-static');
		await page.locator(id('maptype')).selectOption('map-e');
		assert.ok(await complaint(page, 'maptype'));
	}));

	await t.test('a correction alone is no rule by hand', () => visit(interfaces, router({ ealen: '25' }), async ({ page }) => {
		await edit(page);
		assert.equal(await page.locator(id('provider')).inputValue(), 'auto');
	}));

	await t.test('a changed type keeps no far end of the other kind unseen', () => visit(interfaces, { ...router({ ...rule }), allowed: /Uncaught|Error/ }, async ({ page }) => {
		await edit(page);
		await page.locator(id('maptype')).selectOption('map-t');
		await page.locator(id('_dmr')).focus();
		await page.locator(id('_dmr')).blur();
		assert.equal(await page.locator(id('_dmr')).inputValue(), '2404:9200:225:100::64');
		assert.ok(await complaint(page, '_dmr'));
	}));

	await t.test('while the bus is slow, the preview says that it is looking', () => visit(interfaces, { ...router({}), late: { calc: 2000 } }, async ({ page }) => {
		await edit(page);
		await preview(page).getByText('Looking at the line…').waitFor();
		await preview(page).getByText('106.72.0.1').waitFor();
	}));

	await t.test('LuCI\'s own “map” is offered only if an interface has it', () => visit(interfaces, router({}), async ({ page }) => {
		await page.getByText('Add new interface').click();
		const offered = await page.locator('[id="widget.cbid.network._new_.proto"] option').evaluateAll(options => options.map(option => option.value));
		assert.ok(offered.includes('mape') && !offered.includes('map'), offered.join());
	}));

	await t.test('an interface of LuCI\'s “map” keeps its protocol', () => visit(interfaces, router({ proto: 'map' }), async ({ page }) => {
		await edit(page);
		assert.equal(await page.locator(id('proto')).inputValue(), 'map');
	}));

	await t.test('a new interface shows its own device, with the icon of a tunnel', () => visit(interfaces, { ...router({}), wanmap: { up: false, l3_device: undefined } }, async ({ page }) => {
		await page.locator('[data-sid="wanmap"]', { hasText: 'map-wanmap' }).waitFor();
		assert.equal(await page.getByText('mape-wanmap').count(), 0);
		assert.match(await page.locator('[data-sid="wanmap"] .ifacebox-body img').first().getAttribute('src'), /tunnel/);
	}));

	await t.test('the zone that the interface names itself is shown, and not written down', () => {
		const wan = { ...section('zone', 'wan_zone', { name: 'wan', network: [ 'wan6' ] }) };

		return visit(interfaces, { ...router({}, wan), wanmap: { data: { zone: 'wan' } } }, async ({ page, bus }) => {
			const head = page.locator('[data-sid="wanmap"] .ifacebox-head');
			await head.waitFor();
			/* LuCI draws it once more when it has asked for the state. */
			await page.locator('[data-sid="wanmap"] [id="wanmap-ifc-devices"]', { hasText: 'map-wanmap' }).waitFor();
			assert.match(await head.getAttribute('title'), /wan/);
			assert.equal(await head.getAttribute('style'), await page.locator('[data-sid="wan6"] .ifacebox-head').getAttribute('style'));
			/* Another interface of the zone is saved without ours. */
			await page.evaluate(() => Promise.all([ L.require('firewall'), L.require('uci') ]).then(([ firewall ]) => firewall.getZones())
				.then(zones => zones.find(zone => zone.getName() == 'wan').addNetwork('lan')));
			assert.deepEqual(await page.evaluate(() => L.require('uci').then(uci => uci.get('firewall', 'wan_zone', 'network'))), [ 'wan6', 'lan' ]);
			assert.ok(bus.calls.some(call => call.name == 'dump'));
		});
	});

	await t.test('only ports of the set can be reserved, once it is known', () => visit(interfaces, router({}), async ({ page }) => {
		await edit(page);
		await preview(page).getByText('106.72.0.1').waitFor();
		await advanced(page);
		const input = page.locator(`${row('reserve')} input`).last();
		await input.fill('443');
		await input.press('End');
		assert.match(await input.getAttribute('data-tooltip'), /nearest port is 4128/);
		await input.fill('4128-4143');
		await input.press('End');
		assert.equal(await input.getAttribute('data-tooltip'), null);
	}));

	await t.test('netifd\'s error is shown in words', () => {
		const wanmap = { up: false, errors: [ { subsystem: 'mape', code: 'MAPE_UNKNOWN_PROVIDER', data: [ '2001:db8::/56' ] } ] };

		return visit(interfaces, { ...router({}), wanmap }, async ({ page }) => {
			await page.getByText('The IPv6 prefix belongs to no known provider').first().waitFor();
		});
	});

	await t.test('a user who may only read can look at everything', () => visit(interfaces, { ...router(rule), readonly: true }, async ({ page }) => {
		await edit(page);
		await page.locator(id('ealen')).waitFor();
		assert.ok(await page.locator(id('ealen')).isDisabled());
		assert.ok(await page.locator(id('provider')).isDisabled());
	}));

	await t.test('in Japanese', () => visit(interfaces, { ...router({}), lang: 'ja' }, async ({ page }) => {
		await edit(page);
		await preview(page).getByText('v6プラス：IPv4 アドレス 106.72.0.1、240 ポート（15 範囲）').waitFor();
	}));
});
