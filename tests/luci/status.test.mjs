// SPDX-License-Identifier: Apache-2.0
// The status page and the overview box in a browser: on LuCI's own runtime
// with LUCI_SRC, else on the contract stub.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runtime, useBrowser, visit } from './browser.mjs';
import { app, fixture, luci } from './paths.mjs';
import { readPo } from './po.mjs';
import { minifier } from './server.mjs';

const page = 'admin/status/mape';
const overview = 'admin/status/overview';

useBrowser();

const texts = (page, selector) => page.locator(selector).allTextContents();
const shows = (page, text) => page.getByText(text, { exact: false }).first().waitFor();

/* The values of the facts by their labels. */
const factsOf = page => page.locator('.mape-facts > div').evaluateAll(rows =>
	Object.fromEntries(rows.map(row => [ row.firstChild.textContent, row.lastChild.textContent ])));

/* In the page: the texts of NODES whose contrast to what is behind them is below LEAST (WCAG 2). */
function contrastBelow(nodes, least) {
	const rgba = text => text.match(/[\d.]+/g).map(Number);
	const luminance = rgb => [ 0.2126, 0.7152, 0.0722 ].reduce((sum, weight, i) => {
		const part = rgb[i] / 255;
		return sum + weight * (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
	}, 0);
	const behind = node => {
		for (let at = node; at; at = at.parentElement) {
			const [ r, g, b, a = 1 ] = rgba(getComputedStyle(at).backgroundColor);
			if (a > 0.5)
				return [ r, g, b ];
		}
		return [ 255, 255, 255 ];
	};

	return nodes.filter(node => {
		const style = getComputedStyle(node);
		const back = behind(node);
		const text = rgba(style.color).slice(0, 3).map((part, i) => part * style.opacity + back[i] * (1 - style.opacity));
		const [ low, high ] = [ luminance(text), luminance(back) ].sort((a, b) => a - b);

		return (high + 0.05) / (low + 0.05) < least;
	}).map(node => node.textContent);
}

test(`status page, on ${runtime}`, async t => {
	await t.test('a line that is up: what it got, its ports, devices and drops', () => visit(page, {}, async ({ page }) => {
		await shows(page, 'IPv4 works.');

		const facts = await factsOf(page);
		assert.equal(facts['IPv4 address'], '106.72.0.1');
		assert.equal(facts['Provider'], 'v6 Plus (JPNE)');
		assert.equal(facts['Ports'], '240 in 15 ranges');
		assert.match(facts['PSID'], /^2 .*256/);
		assert.equal(facts['Border relay (BR)'], '2404:9200:225:100::64');
		assert.equal(facts['CE address'], '240b:10:1:200:6a:4800:100:200');

		const cells = await page.locator('.mape-ports li').evaluateAll(items => items.map(item => item.getAttribute('aria-label')));
		assert.equal(cells.length, 15);
		assert.match(cells[0], /^Ports 4128 to 4143; .*TCP \d+.*reserved: 4130; forwarded: 4128 \(TCP\) to 192\.168\.1\.10:22$/);

		const tables = (await texts(page, '.table')).join('\n');
		assert.match(tables, /laptop.*192\.168\.1\.20/);
		assert.match(tables, /ports that are not ours\s*118/);
		assert.doesNotMatch(tables, /internal port numbers/);
	}));

	await t.test('the height of a bar is the share of the range in use', () => visit(page, {}, async ({ page }) => {
		await page.locator('.mape-ports li').first().waitFor();
		const heights = await page.locator('.mape-ports rect.mape-tcp').evaluateAll(bars => bars.map(bar => +bar.getAttribute('height')));
		const used = fixture('ports').ranges.map(range => range.tcp);

		heights.forEach((height, i) => assert.ok(Math.abs(height - 42 * used[i] / 16) < 0.01));
		assert.equal(await page.locator('.mape-ports .mape-reserved').count(), 1);
		assert.equal(await page.locator('.mape-ports .mape-forwarded').count(), 2);
	}));

	await t.test('a refresh changes numbers in place: cells, focus and findings stay', () => visit(page, {}, async ({ page, bus }) => {
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await page.locator('.mape-doctor li').first().waitFor();
		await page.locator('.mape-ports li').first().evaluate(cell => cell.dataset.same = 'yes');
		await page.getByRole('button', { name: /Forward port/ }).first().focus();

		bus.scenario.status = 'status-exhausted';
		bus.scenario.ports = 'ports-exhausted';
		await shows(page, 'nearly all ports are in use');
		await page.waitForFunction(() => document.querySelectorAll('.mape-ports .mape-full').length > 10);

		assert.equal(await page.locator('.mape-ports li').first().getAttribute('data-same'), 'yes');
		assert.ok((await page.locator(':focus').getAttribute('aria-label')).startsWith('Forward port'));
		assert.ok(await page.locator('.mape-doctor li').count() > 10);
		assert.match((await texts(page, '.table')).join('\n'), /every port was in use\s*412/);
		assert.ok((await page.locator('.mape-history polyline.mape-tcp').getAttribute('points')).split(' ').length >= 2);
	}));

	for (const [ status, sentence, detail ] of [
		[ 'down', 'The interface is stopped.', null ],
		[ 'pending', 'Waiting: The line has no IPv6 prefix yet.', 'wan6 has no IPv6 prefix yet' ],
		[ 'error', 'No IPv4: The IPv6 prefix belongs to no known provider.', '2001:db8:1200:3400::/56 belongs to no known provider' ]
	]) {
		await t.test(`${status}: says so in plain words, without ports`, () => visit(page, { status: `status-${status}` }, async ({ page, bus }) => {
			await shows(page, sentence);
			if (detail)
				await shows(page, detail);
			assert.ok(!await page.locator('.mape-ports').isVisible());
			assert.ok(await page.getByRole('button', { name: 'Run diagnosis' }).isVisible());
			assert.equal(bus.calls.filter(call => call.name == 'ports').length, 0);
		}));
	}

	await t.test('a set of 63 ranges has 63 cells', () => visit(page, { status: 'status-ocn', ports: 'ports-ocn' }, async ({ page }) => {
		await page.locator('.mape-ports li').nth(62).waitFor();
		assert.equal(await page.locator('.mape-ports li').count(), 63);
		assert.equal((await factsOf(page))['Port allocation'], 'Each device and port to a fixed range');
	}));

	await t.test('an address of one\'s own needs no suggestions', () => {
		const status = fixture('status');
		const [ ifc ] = status.interfaces;
		Object.assign(ifc, { psid: null, sharing_ratio: 1 });
		Object.assign(ifc.bmr, { psid_len: 0, psid_offset: 0 });
		ifc.ports.total = 65536;
		const ports = { ...fixture('ports'), total: 65536, ranges: [ { first: 0, last: 65535, tcp: 60, udp: 40, icmp: 0, reserved: [], forwarded: [] } ] };

		return visit(page, { status: () => status, ports: () => ports }, async ({ page }) => {
			await shows(page, 'every port can be forwarded');
			assert.equal(await page.locator('.mape-ports li').count(), 1);
		});
	});

	await t.test('no interface: how to begin', () => visit(page, { status: 'status-empty' }, async ({ page }) => {
		await shows(page, 'There is no MAP-E interface yet.');
		assert.match(await page.getByRole('link', { name: 'Go to Interfaces' }).getAttribute('href'), /admin\/network\/network$/);
	}));

	await t.test('no service: what to install; it appears when it is there', () => visit(page, { absent: true }, async ({ page, bus }) => {
		await shows(page, 'Install the package mape');
		bus.scenario.absent = false;
		await shows(page, 'IPv4 works.');
		assert.equal(await page.getByText('Install the package mape').count(), 0);
	}));

	await t.test('no right: whom to ask', () => visit(page, { without: [ 'luci-app-mape' ] }, async ({ page }) => {
		await shows(page, 'Ask the administrator');
	}));

	await t.test('a missed answer keeps what was seen', () => visit(page, {}, async ({ page, bus }) => {
		await shows(page, 'IPv4 works.');
		bus.scenario.broken = true;
		await shows(page, 'does not answer');
		assert.ok(await page.locator('.mape-ports').isVisible());
		bus.scenario.broken = false;
		await page.getByText('does not answer').waitFor({ state: 'detached' });
	}));

	await t.test('the doctor: every check by name, what to do where something is wrong', () => visit(page, { status: 'status-pending', doctor: 'doctor-fail' }, async ({ page }) => {
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await shows(page, 'Something is broken');
		assert.match(await page.locator('[data-check=prefix]').textContent(), /Failed.*IPv6 prefix.*wan6 has no IPv6 prefix.*What to do: set option reqprefix/);
		assert.doesNotMatch(await page.locator('[data-check=uplink]').textContent(), /What to do/);
	}));

	await t.test('a service that answers with an error is no service without interfaces', () => visit(page, { status: () => ({ error: 'no bus' }), doctor: () => ({ error: 'no bus' }) }, async ({ page, bus }) => {
		await shows(page, 'does not answer');
		assert.equal(await page.getByText('There is no MAP-E interface yet.').count(), 0);

		bus.scenario.status = 'status';
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await shows(page, 'no bus');
		assert.equal(await page.getByText('Something is broken').count(), 0);
	}));

	await t.test('what a device calls itself stays text', () => {
		const ports = fixture('ports');
		ports.hosts[0].name = '<img src=x onerror=alert(1)>';
		ports.ranges[0].forwarded[0].name = ports.ranges[0].forwarded[0].to = '"><script>alert(1)</script>';

		return visit(page, { ports: () => ports }, async ({ page }) => {
			await shows(page, '<img src=x onerror=alert(1)>');
			assert.equal(await page.locator('.mape img, .mape script').count(), 0);
		});
	});

	await t.test('with scripts minified by LuCI\'s jsmin', { skip: !minifier() && 'LUCI_SRC is not set, or there is no C compiler' }, () =>
		visit(page, { minify: minifier(), lang: 'ja' }, async ({ page }) => {
			await shows(page, 'IPv4 で接続しています。');
			await page.getByRole('button', { name: '診断を実行' }).click();
			await page.locator('.mape-doctor li').first().waitFor();
			await page.getByRole('button', { name: /を転送$/ }).first().click();
			await shows(page, 'ポートの転送');
		}));

	await t.test('by keyboard', () => visit(page, {}, async ({ page }) => {
		const button = page.getByRole('button', { name: 'Run diagnosis' });
		await button.waitFor();

		for (let i = 0; i < 40 && !await button.evaluate(node => node == document.activeElement); i++)
			await page.keyboard.press('Tab');

		await page.keyboard.press('Enter');
		await page.locator('.mape-doctor li').first().waitFor();
	}));

	await t.test('a user who may only read sees all and changes nothing', () => visit(page, { readonly: true }, async ({ page }) => {
		await shows(page, 'IPv4 works.');
		const forwards = page.getByRole('button', { name: /Forward port/ });
		assert.equal(await forwards.count(), 3);
		for (let i = 0; i < 3; i++)
			assert.ok(await forwards.nth(i).isDisabled());
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await page.locator('.mape-doctor li').first().waitFor();
	}));

	await t.test('in Japanese, the doctor\'s advice included', () => visit(page, { lang: 'ja' }, async ({ page }) => {
		await shows(page, 'IPv4 で接続しています。');
		await page.getByRole('button', { name: '診断を実行' }).click();
		await shows(page, '対処方法：使えるポートの中から転送してください');
		assert.match(await page.locator('[data-check=forwards] small').textContent(), /4128/);
		const text = await page.locator('.mape').innerText();
		const english = readPo(join(app, 'po/ja/mape.po')).map(({ msgid }) => msgid).filter(msgid => /^[^%]+ [^%]+$/.test(msgid) && !/[()/]/.test(msgid));
		assert.deepEqual(english.filter(msgid => text.includes(msgid)), []);
		assert.equal((await factsOf(page))['プロバイダー'], 'v6プラス (JPNE)');
	}));

	for (const dark of [ false, true ]) {
		await t.test(`text is readable on ${dark ? 'the dark' : 'the light'} theme`, () => visit(page, { dark: luci && dark }, async ({ page }) => {
			await page.getByRole('button', { name: 'Run diagnosis' }).click();
			await page.locator('.mape-doctor li').first().waitFor();
			const faint = await page.locator('.mape-facts dd, .mape-range, .mape-legend span, .mape-axis span, .mape small, .mape-doctor div').evaluateAll(contrastBelow, 4.5);
			assert.deepEqual(faint, []);
		}));
	}

	for (const width of [ 390, 1100 ]) {
		await t.test(`at ${width} px nothing is cut off or scrolls sideways`, () => visit(page, { width, status: 'status-ocn', ports: 'ports-ocn' }, async ({ page }) => {
			await page.locator('.mape-ports li').first().waitFor();
			await page.getByRole('button', { name: 'Run diagnosis' }).click();
			await page.locator('.mape-doctor li').first().waitFor();
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width);
			assert.deepEqual(await page.locator('.mape-range, .mape-facts dd, .mape-doctor div').evaluateAll(nodes =>
				nodes.filter(node => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0).map(node => node.textContent)), []);
		}));
	}
});

test(`overview box, on ${runtime}`, async t => {
	await t.test('address, use and state', () => visit(overview, {}, async ({ page }) => {
		const row = page.locator('tr', { hasText: 'wanmap' }).first();
		await row.waitFor();
		assert.match(await row.textContent(), /wanmap\s*Connected\s*106\.72\.0\.1/);
		assert.match(await row.locator('.cbi-progressbar').getAttribute('title'), /^67 of 240/);
	}));

	await t.test('an error in words', () => visit(overview, { status: 'status-error' }, async ({ page }) => {
		await shows(page, 'No IPv4: The IPv6 prefix belongs to no known provider.');
	}));

	for (const [ why, scenario ] of [ [ 'no interface', { status: 'status-empty' } ], [ 'no service', { absent: true } ], [ 'no right', { without: [ 'luci-app-mape' ] } ] ]) {
		await t.test(`nothing with ${why}`, () => visit(overview, scenario, async ({ page, bus }) => {
			if (luci)
				await page.locator('h3', { hasText: 'Memory' }).waitFor();
			while (!bus.calls.some(call => call.object == 'mape'))
				await page.waitForTimeout(50);
			await page.waitForLoadState('networkidle');
			assert.equal(await page.getByText('wanmap').count(), 0);
			assert.equal(await page.locator('.cbi-title:visible', { hasText: 'MAP-E' }).count(), 0);
		}));
	}
});
