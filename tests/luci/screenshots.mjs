// SPDX-License-Identifier: Apache-2.0
// Takes the pictures of docs/ again, in LuCI itself (LUCI_SRC) and at twice
// the resolution: node --test tests/luci/screenshots.mjs
// With PICTURES=FOLDER they go there, with the themes beside them.

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { useBrowser, visit } from './browser.mjs';
import { overview, page, runDoctor } from './look.mjs';
import { fixture, luci, root } from './paths.mjs';
import { router, section } from './router.mjs';

const folder = process.env.PICTURES || join(root, 'docs/screenshots');
const interfaces = 'admin/network/network';

/* The forwards of the example line in tests/data/bus/ports.json, and one that never arrives. */
const firewall = {
	...section('redirect', 'ssh', { name: 'ssh', src: 'wan', proto: [ 'tcp' ], src_dport: '4128', dest: 'lan', dest_ip: '192.168.1.10', dest_port: '22', target: 'DNAT' }),
	...section('redirect', 'console', { name: 'Game console', src: 'wan', proto: [ 'udp' ], src_dport: '8226', dest: 'lan', dest_ip: '192.168.1.23', target: 'DNAT' }),
	...section('redirect', 'web', { name: 'web', src: 'wan', proto: [ 'tcp' ], src_dport: '443', dest: 'lan', dest_ip: '192.168.1.10', target: 'DNAT' })
};
const line = router({ reserve: [ '4130' ] }, firewall);
const rule = { provider: 'none', maptype: 'map-e', legacymap: '1', peeraddr: '2404:9200:225:100::64', ipaddr: '106.72.0.0', ip4prefixlen: '15', ip6prefix: '240b:10::', ip6prefixlen: '31', ealen: '25', offset: '4' };

/* What the doctor says of the line of status-error.json. */
const finding = (code, args) => ({ ...fixture('findings').find(check => check.code == code), ...(args ? { args } : {}) });
const foreign = '2001:db8:1200:3400::/56';
const unknownLine = { interface: 'wanmap', ok: false, checks: [
	finding('uplink_up'), finding('prefix_found', { prefix: foreign, uplink: 'wan6', source: 'delegated' }),
	finding('provider_unknown', { prefix: foreign }), finding('packages_present'), finding('offload_off'), finding('no_conflicts')
] };

useBrowser();

async function still(page) {
	await page.waitForTimeout(1500);
	/* What LuCI shows while it polls, and the header that would stay in the middle of a long picture. */
	await page.addStyleTag({ content: '#indicators { visibility: hidden } header { position: static !important } body { padding-top: 0 !important } *, *::before { transition: none !important; animation: none !important }' });
	await page.waitForTimeout(300);
}

async function whole(page, name) {
	await still(page);
	await page.screenshot({ path: join(folder, name), fullPage: true });
}

async function part(page, selector, name) {
	await still(page);
	await page.locator(selector).first().screenshot({ path: join(folder, name) });
}

const edit = async (page, ready) => {
	await page.locator('[data-sid="wanmap"] .cbi-button-edit').click();
	await page.locator('.mape-preview').getByText(ready).waitFor();
};

test('pictures', { skip: !luci && 'LUCI_SRC is not set: these are pictures of LuCI' }, async t => {
	mkdirSync(folder, { recursive: true });

	const picture = (name, path, scenario, look) => t.test(name, () => visit(path, { scale: 2, width: 1000, height: 900, ...line, ...scenario }, async ({ page }) => {
		await look(page);
	}));
	const status = page => page.locator('.mape-ports li, .mape-doctor li').first().waitFor({ state: 'attached' });

	for (const [ suffix, lang ] of [ [ '', 'en' ], [ '-ja', 'ja' ] ]) {
		await picture(`status${suffix}`, page, { lang }, async page => {
			await status(page);
			await whole(page, `status${suffix}.png`);
		});
		await picture(`diagnosis${suffix}`, page, { lang, status: 'status-error', doctor: () => unknownLine }, async page => {
			await status(page);
			await part(page, '.mape', `diagnosis${suffix}.png`);
		});
		await picture(`exhausted${suffix}`, page, { lang, status: 'status-exhausted', ports: 'ports-exhausted' }, async page => {
			await status(page);
			await part(page, '.mape-head', `exhausted${suffix}.png`);
		});
		await picture(`ds-lite${suffix}`, page, { lang, status: 'status-ds-lite' }, async page => {
			await page.locator('.mape-head').waitFor();
			await part(page, '.mape', `ds-lite${suffix}.png`);
		});
		await picture(`forward${suffix}`, page, { lang }, async page => {
			await status(page);
			await page.locator('.mape-free button').first().click();
			await page.locator('#modal_overlay .cbi-value').first().waitFor();
			await part(page, '#modal_overlay .modal', `forward${suffix}.png`);
		});
		await picture(`settings${suffix}`, interfaces, { lang, height: 1000 }, async page => {
			await edit(page, '106.72.0.1');
			await part(page, '#modal_overlay .modal', `settings${suffix}.png`);
		});
		await picture(`settings-manual${suffix}`, interfaces, { lang, height: 1700, ...router(rule) }, async page => {
			await edit(page, '106.72.0.1');
			await part(page, '#modal_overlay .modal', `settings-manual${suffix}.png`);
		});
		await picture(`overview${suffix}`, overview, { lang }, async page => {
			await page.locator('#mape-overview').waitFor();
			await part(page, '.cbi-section:has(#mape-overview)', `overview${suffix}.png`);
		});
	}

	await picture('status-dark', page, { dark: true, doctor: 'doctor' }, async page => {
		await status(page);
		await runDoctor(page);
		await whole(page, 'status-dark.png');
	});
	await picture('status-phone-ja', page, { lang: 'ja', dark: true, width: 390, height: 844 }, async page => {
		await status(page);
		await whole(page, 'status-phone-ja.png');
	});

	for (const theme of process.env.PICTURES ? [ 'material', 'openwrt', 'openwrt-2020' ] : []) {
		await picture(`theme ${theme}`, page, { theme }, async page => {
			await status(page);
			await runDoctor(page);
			await whole(page, `theme-${theme}.png`);
		});
	}
});
