// SPDX-License-Identifier: Apache-2.0
// The status page and the overview box in a browser: on LuCI's own runtime
// with LUCI_SRC, else on the contract stub.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { runtime, useBrowser, visit } from './browser.mjs';
import { fixture, luci } from './paths.mjs';
import { minifier } from './server.mjs';
import { changedStatus, contrastBelow, factsOf, overview, page, runDoctor, shows, texts, violations } from './look.mjs';

useBrowser();

/* The doctor's answer with the findings of CODES, out of all there are. */
const doctorWith = (...codes) => () => ({
	interface: 'wanmap', ok: false, checks: codes.map(code => fixture('findings').find(check => check.code == code))
});

test(`status page, on ${runtime}`, async t => {
	await t.test('a line that is up: how it is, what it got, its ports, devices and drops', () => visit(page, {}, async ({ page }) => {
		await shows(page, 'IPv4 works.');
		assert.equal(await page.locator('.mape-head .mape-badge').textContent(), 'Connected');

		const facts = await factsOf(page);
		assert.equal(facts['IPv4 address'], '106.72.0.1');
		assert.match(facts['Provider'], /^v6 Plus · MAP-E/);
		assert.equal(facts['Assigned ports'], '240 in 15 ranges');
		assert.equal(facts['Address shared by'], '256 lines');
		assert.equal(facts['Border relay (BR)'], '2404:9200:225:100::64');
		assert.equal(facts['IPv6 address of the tunnel'], '240b:10:1:200:6a:4800:100:200');
		assert.match(facts['From the Internet to ports that are not assigned to this line'], /^118$/);
		assert.equal(facts['From the Internet to internal port numbers'], undefined);

		/* Five facts for people; the rest is folded. */
		assert.equal(await page.locator('.mape-facts').first().locator('dt').count(), 5);
		assert.ok(!await page.getByText('2404:9200:225:100::64').isVisible());
		await page.getByText('Technical details').click();
		assert.ok(await page.getByText('2404:9200:225:100::64').isVisible());

		assert.match((await texts(page, '.mape-devices .tr')).join('\n'), /laptop \(192\.168\.1\.20\)\s*13 %\s*31\s*9\s*0/);
	}));

	await t.test('the bars of the head: used, free, and what translation may use', () => visit(page, {}, async ({ page }) => {
		const bar = page.getByRole('progressbar', { name: 'TCP' });
		await bar.waitFor();
		assert.deepEqual([ await bar.getAttribute('aria-valuenow'), await bar.getAttribute('aria-valuemax') ], [ '67', '237' ]);
		await shows(page, '67 of 237 in use, 170 free');
		await shows(page, 'Of 240 ports 3 are kept out of automatic use: 1 reserved, 2 forwarded.');
	}));

	await t.test('ports used up: red, with the device that uses most', () => visit(page, { status: 'status-exhausted', ports: 'ports-exhausted' }, async ({ page }) => {
		await shows(page, 'nearly all ports are in use: new connections may fail. laptop (192.168.1.20) uses most of them: 203.');
		assert.equal(await page.locator('.mape-head .mape-badge').textContent(), 'Ports full');
		assert.equal(await page.locator('.mape-bar-row').first().getAttribute('data-level'), 'danger');
		assert.equal(await page.locator('.mape-bar-row').nth(1).getAttribute('data-level'), '');
	}));

	await t.test('connections that are refused while the page is open are said at once', () => visit(page, {}, async ({ page, bus }) => {
		await shows(page, 'IPv4 works.');
		bus.scenario.status = changedStatus({ dropped: { ...fixture('status').interfaces[0].dropped, exhausted: 9 } });
		await shows(page, 'new connections are being refused');
	}));

	await t.test('nothing has come back: not said to work', () => visit(page, { status: changedStatus({ traffic: { rx_bytes: 0, rx_packets: 0, tx_bytes: 9000, tx_packets: 90 } }) }, async ({ page }) => {
		await shows(page, 'nothing has come back yet');
		assert.equal(await page.getByText('IPv4 works').count(), 0);
		assert.equal(await page.locator('.mape-head .mape-badge').textContent(), 'No answer');
	}));

	await t.test('a cell says by mouse and keyboard what is in it', () => visit(page, {}, async ({ page }) => {
		const cells = page.locator('.mape-ports button');
		await cells.first().waitFor();
		assert.equal(await cells.count(), 15);
		assert.match(await cells.first().getAttribute('aria-label'), /^Ports 4128 to 4143; .*TCP \d+.*Reserved: 4130; Forwarded: 4128 \(TCP\) to 192\.168\.1\.10:22 – ssh$/);
		assert.ok(!await page.locator('.mape-detail').isVisible());

		await cells.first().click();
		assert.match(await page.locator('.mape-detail').innerText(), /Ports 4128 to 4143[^]*192\.168\.1\.10:22/);
		assert.equal(await cells.first().getAttribute('aria-expanded'), 'true');

		await cells.nth(1).focus();
		await page.keyboard.press('Enter');
		assert.match(await page.locator('.mape-detail').innerText(), /Ports 8224 to 8239[^]*192\.168\.1\.23:8226/);
		assert.equal(await cells.first().getAttribute('aria-expanded'), 'false');
		await page.keyboard.press('Enter');
		assert.ok(!await page.locator('.mape-detail').isVisible());

		const widths = await page.locator('.mape-ports .mape-bar.mape-tcp > span').evaluateAll(bars => bars.map(bar => parseFloat(bar.style.width)));
		fixture('ports').ranges.forEach((range, i) => assert.ok(Math.abs(widths[i] - 100 * range.tcp / 16) < 0.06));
	}));

	await t.test('all ranges as text, to copy', () => visit(page, {}, async ({ page }) => {
		await page.getByText('All ranges as text').click();
		await page.getByRole('button', { name: 'Copy' }).click();
		await page.getByText('Copied.').waitFor();
		assert.match(await page.evaluate(() => document.getSelection().toString()), /^4128-4143, 8224-8239, .*61472-61487$/);
	}));

	await t.test('forwards can be read as text', () => visit(page, {}, async ({ page }) => {
		await page.locator('.mape-openings', { hasText: '192.168.1.10:22' }).waitFor();
		assert.match((await texts(page, '.mape-openings .tr')).join('\n'), /4128\s*TCP\s*192\.168\.1\.10:22\s*ssh/);
	}));

	await t.test('a refresh changes numbers in place: cells, focus, choice and findings stay', () => visit(page, {}, async ({ page, bus }) => {
		await runDoctor(page);
		const first = page.locator('.mape-ports button').first();
		await first.evaluate(cell => cell.dataset.same = 'yes');
		await first.click();
		await page.getByRole('button', { name: /Forward port/ }).first().focus();

		bus.scenario.status = 'status-exhausted';
		bus.scenario.ports = 'ports-exhausted';
		await shows(page, 'the ports are used up');
		await page.waitForFunction(() => document.querySelectorAll('.mape-ports .mape-full').length > 10);

		assert.equal(await first.getAttribute('data-same'), 'yes');
		assert.match(await page.locator('.mape-detail').innerText(), /TCP 15/);
		assert.ok((await page.locator(':focus').getAttribute('aria-label')).startsWith('Forward port'));
		assert.ok(await page.locator('.mape-doctor li').count() > 10);
	}));

	await t.test('a selection in the table of devices stays while numbers change', () => visit(page, {}, async ({ page, bus }) => {
		const name = page.locator('.mape-device').first();
		await name.waitFor();
		await name.evaluate(node => document.getSelection().selectAllChildren(node));
		bus.scenario.ports = 'ports-exhausted';
		bus.scenario.status = 'status-exhausted';
		await shows(page, 'the ports are used up');
		await page.waitForTimeout(1200);
		assert.equal(await page.evaluate(() => document.getSelection().toString()), 'laptop (192.168.1.20)');
		await page.evaluate(() => document.getSelection().removeAllRanges());
		await page.locator('.mape-devices', { hasText: '203' }).waitFor();
	}));

	for (const [ status, sentence, detail ] of [
		[ 'down', 'The interface is stopped.', null ],
		[ 'pending', 'Waiting: The line has no IPv6 prefix yet.', 'wan6 is up but has no IPv6 prefix yet' ],
		[ 'error', 'No IPv4: The IPv6 prefix belongs to no known provider.', '2001:db8:1200:3400::/56 belongs to no known provider' ]
	]) {
		await t.test(`${status}: says so in plain words, without ports`, () => visit(page, { status: `status-${status}`, doctor: 'doctor-fail' }, async ({ page, bus }) => {
			await shows(page, sentence);
			if (detail)
				await shows(page, detail);
			assert.ok(!await page.locator('.mape-ports').isVisible());
			assert.ok(await page.getByRole('button', { name: 'Run diagnosis' }).isVisible());
			assert.equal(bus.calls.filter(call => call.name == 'ports').length, 0);

			/* An error is looked into without being asked, once. */
			await page.waitForTimeout(2500);
			assert.equal(bus.calls.filter(call => call.name == 'doctor').length, (status == 'error') ? 1 : 0);
		}));
	}

	await t.test('a set of 63 ranges has 63 cells', () => visit(page, { status: 'status-ocn', ports: 'ports-ocn' }, async ({ page }) => {
		await page.locator('.mape-ports li').nth(62).waitFor();
		assert.equal(await page.locator('.mape-ports li').count(), 63);
		assert.equal((await factsOf(page))['Port allocation'], 'Each device and port to a fixed range');
	}));

	await t.test('ten devices are said to be those that use most', () => {
		const host = i => ({ address: `192.168.1.${20 + i}`, name: null, tcp: 20 - i, udp: 0, icmp: 0 });

		return visit(page, { ports: () => ({ ...fixture('ports'), hosts: Array.from({ length: 10 }, (none, i) => host(i)) }) }, async ({ page }) => {
			await shows(page, 'Only the 10 devices that use most ports are listed.');
		});
	});

	for (const theme of [ 'material', 'openwrt', 'openwrt-2020' ])
		await t.test(`no bullets beside cells and findings in theme ${theme}`, { skip: !luci && 'how it looks needs LuCI\'s themes' }, () => visit(page, { theme }, async ({ page }) => {
			await runDoctor(page);
			const items = page.locator('.mape-ports > li, .mape-doctor > li');
			assert.ok(await items.count() > 15);
			assert.deepEqual(await items.evaluateAll(all => [ ...new Set(all.map(item => getComputedStyle(item).listStyleType)) ]), [ 'none' ]);
		}));

	await t.test('an address of one\'s own needs no suggestions', () => {
		const [ ifc ] = fixture('status').interfaces;
		const status = changedStatus({ psid: null, sharing_ratio: 1, bmr: { ...ifc.bmr, psid_len: 0, psid_offset: 0 }, ports: { ...ifc.ports, total: 65536 } });
		const ports = { ...fixture('ports'), total: 65536, ranges: [ { first: 0, last: 65535, tcp: 60, udp: 40, icmp: 0, reserved: [], forwarded: [] } ] };

		return visit(page, { status, ports: () => ports }, async ({ page }) => {
			await shows(page, 'every port can be forwarded');
			assert.equal(await page.locator('.mape-ports li').count(), 1);
		});
	});

	await t.test('what failed and is tried again is said before the details', () => {
		const registration = { server: 'v6plus', address: '2001:db8:7:100::feed', result: 'refused', detail: 'NG, HTTP status 200', ago: 4, next_in: 60 };

		return visit(page, { status: changedStatus({ registration, asked: { failure: 'prov.example answers with HTTP status 500', next_in: 600 } }) }, async ({ page }) => {
			await shows(page, 'failed · v6plus · NG, HTTP status 200 · next attempt in');
			await shows(page, 'no usable answer · prov.example answers with HTTP status 500 · next attempt in');
		});
	});

	await t.test('DS-Lite has no ports, and is not asked for any', () => visit(page, { status: 'status-ds-lite' }, async ({ page, bus }) => {
		await shows(page, 'IPv4 works.');
		const facts = await factsOf(page);
		assert.equal(facts['Provider'], 'transix · DS-Lite');
		assert.equal(facts['AFTR'], '2404:8e00::feed:100 · gw.transix.jp');
		assert.equal(facts['Connection type'], 'DS-Lite');
		assert.equal(facts['Line known from'], 'the list of known providers');
		assert.match(facts['Assigned ports'], /cannot be forwarded/);
		/* 192.0.0.2 is in every such router; it is nothing to give to others. */
		assert.match(facts['IPv4 address'], /of the provider/);
		assert.equal(facts['IPv4 address of the tunnel'], '192.0.0.2');
		assert.equal(facts['PSID'], undefined);
		assert.ok(!await page.locator('.mape-bars').isVisible());
		assert.equal(bus.calls.filter(call => call.name == 'ports').length, 0);
	}));

	await t.test('a fixed address that the line told: all ports, and whose it is', () => visit(page, {
		status: 'status-ipip', ports: () => ({ ...fixture('ports'), ipv4_address: '203.0.113.7', total: 65536, ranges: [ { first: 0, last: 65535, tcp: 0, udp: 0, icmp: 0, reserved: [], forwarded: [] } ], hosts: [] })
	}, async ({ page }) => {
		await shows(page, 'IPv4 works.');
		await shows(page, 'every port can be forwarded');
		const facts = await factsOf(page);
		assert.equal(facts['Provider'], 'Example Net · IPIP (fixed IPv4 address)');
		assert.equal(facts['IPv4 address'], '203.0.113.7');
		assert.equal(facts['Line known from'], 'the line itself (HB46PP)');
		assert.equal(facts['Remote end of the tunnel'], '2001:db8:ffff::feed');
		assert.equal(facts['Address shared by'], undefined);
	}));

	await t.test('a rule that the line brought is nobody\'s by hand', () => visit(page, { status: changedStatus({ provider: null, provider_name: null, proto: 'map', type: 'lw4o6' }) }, async ({ page }) => {
		await shows(page, 'IPv4 works.');
		const facts = await factsOf(page);
		assert.equal(facts['Provider'], 'Rule told by the line (DHCPv6) · lw4o6');
		assert.equal(facts['Connection type'], 'lw4o6');
	}));

	await t.test('no interface: how to begin', () => visit(page, { status: 'status-empty' }, async ({ page }) => {
		await shows(page, 'There is no interface of this kind yet.');
		assert.match(await page.getByRole('link', { name: 'Go to Interfaces' }).getAttribute('href'), /admin\/network\/network$/);
	}));

	await t.test('the doctor: what is wrong comes first, what is well is folded', () => visit(page, {
		doctor: doctorWith('uplink_up', 'edge_hash', 'no_prefix', 'peer_silent')
	}, async ({ page }) => {
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await shows(page, 'Problems found: 1');
		assert.deepEqual(await page.locator('.mape-doctor > li').evaluateAll(items => items.map(item => item.dataset.check)), [ 'prefix', 'edge', 'br_reply', 'uplink' ]);
		assert.match(await page.locator('[data-check=prefix]').textContent(), /Problem.*IPv6 prefix.*wan6 has no IPv6 prefix.*What to do: Let wan6 request/);
		assert.match(await page.locator('[data-check=edge] a').getAttribute('href'), /package-manager\?query=kmod-nft-netdev$/);
		assert.ok(!await page.locator('[data-check=uplink]').isVisible());
		await page.getByText('Checks without a finding: 2').click();
		assert.ok(await page.locator('[data-check=uplink]').isVisible());
		assert.doesNotMatch(await page.locator('[data-check=uplink]').textContent(), /What to do/);
	}));

	for (const software of [ 'admin/system/package-manager', 'admin/system/opkg', null ]) {
		await t.test(`a package can be installed by what is there: ${software}`, () => visit(page, { software, doctor: doctorWith('packages_missing', 'stock_package') }, async ({ page }) => {
			await page.getByRole('button', { name: 'Run diagnosis' }).click();
			await shows(page, 'Install kmod-nft-nat, then restart the interface.');
			const links = await page.locator('.mape-remedy a').evaluateAll(all => all.map(link => link.getAttribute('href').replace(/^.*luci\//, '')));
			assert.deepEqual(links, software ? [ `${software}?query=kmod-nft-nat`, software ] : []);
		}));
	}

	await t.test('a warning is no clean bill of health', () => visit(page, { doctor: () => ({ interface: 'wanmap', ok: true, checks: [ ...doctorWith('uplink_up', 'forward_outside')().checks ] }) }, async ({ page }) => {
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await shows(page, 'points that need attention: 1');
	}));

	await t.test('a remedy restarts the interface that it is about', () => visit(page, { doctor: doctorWith('uplink_down', 'device_down') }, async ({ page, bus }) => {
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await page.locator('[data-check=tunnel]').getByRole('button', { name: 'Restart wanmap' }).click();
		await page.locator('[data-check=uplink]').getByRole('button', { name: 'Restart wan6' }).click();
		await page.waitForFunction(() => !document.querySelector('[data-check] button[disabled]'));
		assert.deepEqual(bus.calls.filter(call => call.object == 'network.interface' && call.name != 'dump').map(call => [ call.name, call.args.interface ]),
			[ [ 'down', 'wanmap' ], [ 'up', 'wanmap' ], [ 'down', 'wan6' ], [ 'up', 'wan6' ] ]);
	}));

	await t.test('with scripts minified by LuCI\'s jsmin', { skip: !minifier() && 'LUCI_SRC is not set, or there is no C compiler' }, () =>
		visit(page, { minify: minifier(), lang: 'ja' }, async ({ page }) => {
			await shows(page, 'IPv4 で接続しています。');
			await page.getByRole('button', { name: '診断を実行' }).click();
			await page.locator('.mape-doctor li').first().waitFor({ state: 'attached' });
			await page.getByRole('button', { name: /を開放$/ }).first().click();
			await shows(page, 'ポート開放（転送）');
		}));

	await t.test('by keyboard: everything that acts can be reached, and acts', () => visit(page, {}, async ({ page, bus }) => {
		await page.getByRole('button', { name: 'Run diagnosis' }).waitFor();
		const reached = new Set();

		for (let i = 0; i < 60; i++) {
			await page.keyboard.press('Tab');
			reached.add(await page.evaluate(() => (document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()));
		}

		for (const wanted of [ 'Run diagnosis', 'Restart wanmap', 'Settings', 'Technical details', 'All ranges as text' ])
			assert.ok(reached.has(wanted), wanted);
		assert.equal([ ...reached ].filter(text => text.startsWith('Forward port')).length, 3);
		assert.equal([ ...reached ].filter(text => text.startsWith('Ports ')).length, 15);

		await page.getByText('Technical details').focus();
		await page.keyboard.press('Enter');
		assert.ok(await page.getByText('2404:9200:225:100::64').isVisible());
		await page.getByRole('button', { name: 'Run diagnosis' }).focus();
		await page.keyboard.press('Enter');
		await page.locator('.mape-doctor li').first().waitFor({ state: 'attached' });
		assert.equal(bus.calls.filter(call => call.name == 'doctor').length, 1);
	}));

	await t.test('a user who may only read sees all and changes nothing', () => visit(page, { readonly: true }, async ({ page }) => {
		await shows(page, 'IPv4 works.');
		await page.getByRole('button', { name: /Forward port/ }).nth(2).waitFor();
		for (const button of await page.getByRole('button', { name: /Forward port|Restart/ }).all())
			assert.ok(await button.isDisabled());
		await runDoctor(page);
	}));

	for (const [ name, scenario ] of [
		[ 'up', {} ], [ 'exhausted', { status: 'status-exhausted', ports: 'ports-exhausted' } ], [ 'error', { status: 'status-error', doctor: 'doctor-fail' } ],
		[ 'DS-Lite', { status: 'status-ds-lite' } ], [ 'silent doctor', { broken: [ 'doctor', 'ports' ] } ],
		[ 'pending', { status: 'status-pending' } ], [ 'no interface', { status: 'status-empty' } ], [ 'no service', { absent: true } ]
	]) {
		for (const dark of luci ? [ false, true ] : [ false ]) {
			await t.test(`accessible ${dark ? 'in the dark' : 'in the light'}: ${name}`, () => visit(page, { ...scenario, dark }, async ({ page }) => {
				await page.locator('.mape h2').waitFor();
				await page.waitForTimeout(1500);
				if ([ 'up', 'silent doctor' ].includes(name))
					await runDoctor(page);
				for (const summary of await page.locator('.mape summary:visible').all())
					await summary.click();
				assert.deepEqual(await violations(page), []);
				assert.deepEqual(await page.locator('.mape-facts dd, .mape-range, .mape-legend span, .mape-axis span, .mape-scale span, .mape-sentence, .mape-reason, .mape-doctor div, .mape-badge, .mape ol li, .mape-note')
					.evaluateAll(contrastBelow, 4.5), []);
			}));
		}
	}

	for (const width of [ 360, 390, 640, 1100 ]) {
		await t.test(`at ${width} px nothing is cut off or scrolls sideways`, () => visit(page, { width, status: 'status-ocn', ports: 'ports-ocn' }, async ({ page }) => {
			await page.locator('.mape-ports li').first().waitFor();
			await runDoctor(page);
			for (const summary of await page.locator('.mape summary:visible').all())
				await summary.click();
			assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= width);
			assert.deepEqual(await page.locator('.mape-range, .mape-facts dd, .mape-doctor div').evaluateAll(nodes =>
				nodes.filter(node => node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0).map(node => node.textContent)), []);
		}));
	}

	await t.test('on a phone a device is one line, and a prefix is not torn apart', { skip: !luci && 'how it looks needs LuCI\'s themes' }, () => visit(page, { width: 390 }, async ({ page }) => {
		await page.locator('.mape-devices .tr').nth(1).waitFor();
		const heights = await page.locator('.mape-devices .tr:not(.table-titles)').evaluateAll(rows => rows.map(row => row.getBoundingClientRect().height));
		assert.ok(heights.length >= 5 && heights.every(height => height < 40), String(heights));
		await page.getByText('Technical details').click();
		const lines = await page.locator('.mape-facts dd', { hasText: '/56' }).first().evaluate(node => {
			const range = document.createRange();
			const text = node.firstChild;
			range.setStart(text, text.data.indexOf('/56'));
			range.setEnd(text, text.data.indexOf('/56') + 3);
			return range.getClientRects().length;
		});
		assert.equal(lines, 1);
	}));
});

test(`overview box, on ${runtime}`, async t => {
	const row = page => page.locator('tr', { hasText: 'wanmap' }).first();

	await t.test('address, use and state', () => visit(overview, {}, async ({ page }) => {
		await row(page).waitFor();
		assert.match(await row(page).textContent(), /wanmap\s*Connected\s*106\.72\.0\.1\s*67 of 237 ports in use/);
		assert.equal(await row(page).getByRole('progressbar').getAttribute('aria-valuenow'), '67');
	}));

	await t.test('DS-Lite: no address of its own, no bar', () => visit(overview, { status: 'status-ds-lite' }, async ({ page }) => {
		await row(page).waitFor();
		assert.match(await row(page).textContent(), /wanmap\s*Connected\s*shared/);
		assert.equal(await row(page).getByRole('progressbar').count(), 0);
	}));

	await t.test('ports used up are no blue bar', () => visit(overview, { status: 'status-exhausted' }, async ({ page }) => {
		await row(page).waitFor();
		assert.match(await row(page).textContent(), /Ports full.*nearly all ports are in use/);
		assert.equal(await row(page).locator('.mape-bar-row').getAttribute('data-level'), 'danger');
	}));

	await t.test('ports that cannot be counted are not called none', () => visit(overview, { status: changedStatus({ ports: { ...fixture('status').interfaces[0].ports, used: null, used_max: null } }) }, async ({ page }) => {
		await row(page).waitFor();
		assert.match(await row(page).textContent(), /IPv4 works/);
		assert.equal(await page.getByText('0 of').count(), 0);
	}));

	await t.test('an error in words, whose colour can be seen', () => visit(overview, { status: 'status-error' }, async ({ page }) => {
		await shows(page, 'No IPv4: The IPv6 prefix belongs to no known provider.');
		/* The overview draws its boxes anew again and again: a node that was found may be gone. */
		await page.waitForFunction(() => [ ...document.querySelectorAll('.mape-badge') ].some(node => getComputedStyle(node).backgroundColor == 'rgb(179, 38, 30)'));
		assert.deepEqual(await page.locator('.mape-badge').evaluateAll(contrastBelow, 4.5), []);
	}));

	for (const [ why, scenario ] of [ [ 'no interface', { status: 'status-empty' } ], [ 'no service', { absent: true } ], [ 'no right', { without: [ 'luci-proto-mape' ] } ] ]) {
		await t.test(`nothing with ${why}`, () => visit(overview, scenario, async ({ page, bus }) => {
			if (luci)
				await page.locator('h3', { hasText: 'Memory' }).waitFor();
			await bus.asked('mape', 'status');
			await page.waitForLoadState('networkidle');
			assert.equal(await page.getByText('wanmap').count(), 0);
			assert.equal(await page.locator('.cbi-title:visible', { hasText: 'IPv4 over IPv6' }).count(), 0);
		}));
	}
});
