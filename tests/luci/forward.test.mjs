// SPDX-License-Identifier: Apache-2.0
// Port forwards: the dialog, the table, and LuCI's own page. Needs LUCI_SRC.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { useBrowser, visit } from './browser.mjs';
import { fixture, luci } from './paths.mjs';
import { router, section } from './router.mjs';

const page = 'admin/status/mape';
const field = option => `[id="widget.cbid.json.forward.${option}"]`;
const firewall = bus => bus.deltas.filter(delta => delta[1] == 'firewall').map(([ method, , , ...rest ]) => [ method, ...rest ]);
const closed = page => page.waitForFunction(() => !document.body.classList.contains('modal-overlay-active'));
const open = (page, i = 0) => page.getByRole('button', { name: /Forward port/ }).nth(i).click();
const save = page => page.locator('#modal_overlay .cbi-button-save').click();
const row = (page, text) => page.locator('.mape-openings .tr', { hasText: text }).first();

const ssh = section('redirect', 'ssh', { name: 'ssh', src: 'wan', proto: [ 'tcp' ], src_dport: '4128', dest: 'lan', dest_ip: '192.168.1.10', dest_port: '22', target: 'DNAT' });
const web = section('redirect', 'web', { name: 'web', src: 'wan', proto: 'tcp udp', src_dport: '443', dest: 'lan', dest_ip: '192.168.1.10', target: 'DNAT' });
const vpn = section('rule', 'vpn', { name: 'vpn', src: 'wan', proto: [ 'udp' ], dest_port: '8230', target: 'ACCEPT', family: 'ipv4' });
const renew = section('rule', 'renew', { name: 'Allow-DHCP-Renew', src: 'wan', proto: 'udp', dest_port: '68', target: 'ACCEPT', family: 'ipv4' });

useBrowser();

test('port forwards, on LuCI', { skip: !luci && 'LUCI_SRC is not set: LuCI\'s own pages are needed' }, async t => {
	await t.test('a free port goes to the device that uses most, unless another is chosen', () => visit(page, router({}), async ({ page, bus }) => {
		const port = (await page.getByRole('button', { name: /Forward port/ }).first().getAttribute('aria-label')).match(/\d+/)[0];
		await open(page);
		assert.equal(await page.locator(field('port')).inputValue(), port);
		assert.match(await page.locator('[data-name="device"] .cbi-dropdown').innerText(), /192\.168\.1\.20/);

		await page.locator('[data-name="device"] .cbi-dropdown').click();
		await page.locator('[data-name="device"] ul.dropdown li', { hasText: 'game-console' }).click();
		await save(page);
		await closed(page);
		assert.deepEqual(firewall(bus).map(([ , type, values ]) => values ? { type, ...values } : type), [ {
			type: 'redirect', name: 'game', src: 'wan', proto: [ 'tcp', 'udp' ], src_dport: port,
			dest: 'lan', dest_ip: '192.168.1.23', dest_port: port, target: 'DNAT'
		} ]);
	}));

	await t.test('a port is opened for a VPN on the router itself', () => visit(page, router({}), async ({ page, bus }) => {
		await open(page, 1);
		await page.locator(field('port')).fill('8230');
		await save(page);
		await closed(page);
		assert.deepEqual(firewall(bus).map(([ , type, values ]) => ({ type, ...values })), [ {
			type: 'rule', name: 'vpn', src: 'wan', proto: [ 'udp' ], family: 'ipv4', dest_port: '8230', target: 'ACCEPT'
		} ]);
	}));

	for (const [ port, text ] of [ [ '443', 'nearest one is 4128' ], [ '4128', 'forwarded already' ], [ '4130', 'is reserved' ], [ '4142-4145', 'not in the port set' ] ]) {
		await t.test(`port ${port} is refused, and said to be`, () => visit(page, router({ reserve: [ '4130' ] }, { ...ssh }), async ({ page, bus }) => {
			await open(page, 2);
			await page.locator(field('port')).fill(port);
			await page.locator(field('port')).blur();
			assert.ok((await page.locator(field('port')).getAttribute('data-tooltip')).includes(text));
			await save(page);
			await page.locator('#modal_overlay .alert-message', { hasText: 'Not saved' }).waitFor();
			assert.deepEqual(firewall(bus), []);
		}));
	}

	await t.test('by keyboard alone: opened, filled in, refused, saved, closed', () => visit(page, router({}), async ({ page, bus }) => {
		await page.getByRole('button', { name: /Forward port/ }).first().focus();
		await page.keyboard.press('Enter');
		await page.locator('#modal_overlay input').first().waitFor();
		await page.waitForFunction(() => document.activeElement.closest('#modal_overlay'));

		const reach = async wanted => {
			for (let i = 0; i < 30; i++) {
				if (await page.evaluate(selector => document.activeElement.matches(selector), wanted))
					return;

				await page.keyboard.press('Tab');
			}

			assert.fail(`${wanted} is not reached`);
		};

		await reach('[id="widget.cbid.json.forward.port"]');
		await page.keyboard.press('Control+A');
		await page.keyboard.type('443');
		await reach('.cbi-button-save');
		await page.keyboard.press('Enter');
		await page.locator('#modal_overlay .alert-message', { hasText: 'Not saved' }).waitFor();
		assert.deepEqual(firewall(bus), []);

		await page.locator('[id="widget.cbid.json.forward.port"]').focus();
		await page.keyboard.press('Control+A');
		await page.keyboard.type('8230');
		await reach('.cbi-button-save');
		await page.keyboard.press('Enter');
		await closed(page);
		assert.equal(firewall(bus).length, 1);

		await page.getByRole('button', { name: /Forward port/ }).first().focus();
		await page.keyboard.press('Enter');
		await page.locator('#modal_overlay input').first().waitFor();
		await page.keyboard.press('Escape');
		await closed(page);
	}));

	await t.test('an empty field is said, not swallowed', () => visit(page, router({}), async ({ page, bus }) => {
		await open(page);
		await page.locator(field('name')).fill('');
		await page.locator('#modal_overlay .cbi-button-apply').click();
		await page.locator('#modal_overlay .alert-message', { hasText: 'Not saved' }).waitFor();
		assert.deepEqual(firewall(bus), []);
	}));

	await t.test('a router that refuses is quoted, and nothing is sent again behind it', () => visit(page, { ...router({}), refusesUci: true, allowed: /Uncaught|Error/ }, async ({ page, bus }) => {
		await open(page);
		await save(page);
		await page.locator('#modal_overlay .alert-message', { hasText: 'The router has refused the change' }).waitFor();
		bus.scenario.refusesUci = false;
		await save(page);
		await closed(page);
		assert.equal(firewall(bus).length, 1);
	}));

	await t.test('what is staged counts: the same port is not offered twice, nor the same name', () => visit(page, router({}), async ({ page, bus }) => {
		const first = await page.getByRole('button', { name: /Forward port/ }).first().getAttribute('aria-label');
		await open(page);
		await save(page);
		await closed(page);
		await row(page, 'not applied yet').waitFor();
		await page.waitForFunction(label => ![ ...document.querySelectorAll('[aria-label]') ].some(node => node.getAttribute('aria-label') == label), first);

		await open(page);
		assert.equal(await page.locator(field('name')).inputValue(), 'game-2');
		await page.locator(field('port')).fill(first.match(/\d+/)[0]);
		await page.locator(field('port')).blur();
		assert.match(await page.locator(field('port')).getAttribute('data-tooltip'), /not applied yet/);
		assert.equal(firewall(bus).length, 1);
	}));

	await t.test('the table: forwards, opened and reserved ports, UPnP, and what never arrives', () => visit(page, {
		...router({ reserve: [ '4130', '8224-8225' ] }, { ...ssh, ...web, ...vpn, ...renew }),
		upnp: [ { num: '1', proto: 'UDP', extport: 12321, intaddr: '192.168.1.23', intport: 3074, descr: 'console' }, { num: '2', proto: 'TCP', extport: 6881, intaddr: '192.168.1.20', intport: 6881, descr: 'torrent' } ]
	}, async ({ page }) => {
		await row(page, 'torrent').waitFor();
		const rows = await page.locator('.mape-openings .tr').allInnerTexts();
		const find = text => rows.find(one => one.includes(text)) ?? '';

		assert.match(find('ssh'), /4128\s*TCP\s*192\.168\.1\.10:22\s*ssh\s*Port forward\s*active/);
		assert.match(find('web'), /443\s*TCP \+ UDP\s*192\.168\.1\.10:443\s*web\s*Port forward\s*not in the port set/);
		assert.match(find('vpn'), /8230\s*UDP\s*this router\s*vpn\s*Opened on this router\s*active/);
		assert.match(find('8224-8225'), /Reserved port/);
		assert.match(find('12321'), /12321\s*UDP\s*192\.168\.1\.23:3074\s*console\s*UPnP\s*active/);
		assert.match(find('torrent'), /not in the port set/);
		assert.equal(find('DHCP'), '');
	}));

	await t.test('a forward is edited in place', () => visit(page, router({}, { ...ssh }), async ({ page, bus }) => {
		await page.getByRole('button', { name: 'Edit port 4128 (ssh)' }).click();
		assert.equal(await page.locator(field('dest_port')).inputValue(), '22');
		await page.locator(field('port')).fill('4131');
		await save(page);
		await closed(page);
		assert.deepEqual(bus.uci.firewall.ssh.src_dport, '4131');
		assert.equal(Object.values(bus.uci.firewall).filter(one => one['.type'] == 'redirect').length, 1);
	}));

	await t.test('a forward and a reservation are deleted', () => visit(page, router({ reserve: [ '4130', '8224' ] }, { ...ssh }), async ({ page, bus }) => {
		await page.getByRole('button', { name: 'Delete port 4128 (ssh)' }).click();
		await row(page, 'removed when applied').waitFor();
		assert.equal(bus.uci.firewall.ssh, undefined);

		await page.getByRole('button', { name: 'Delete port 4130' }).click();
		await page.waitForFunction(() => !document.querySelector('[aria-label^="Delete port 4130"]'));
		assert.deepEqual(bus.uci.network.wanmap.reserve, [ '8224' ]);
	}));

	await t.test('who may only read sees the table', () => visit(page, { ...router({}, { ...ssh }), readonly: true }, async ({ page }) => {
		await row(page, 'ssh').waitFor();
		assert.ok(await page.getByRole('button', { name: 'Delete port 4128 (ssh)' }).isDisabled());
	}));

	await t.test('LuCI\'s own page of port forwards offers ports of the set', () => visit('admin/network/firewall/forwards', router({}, { ...ssh }), async ({ page }) => {
		await page.locator('.cbi-button-edit').first().click();
		const option = page.locator('[data-name="src_dport"]');
		await option.waitFor();
		const text = await option.textContent();
		assert.match(text, /From the Internet only these ports reach this router over “wanmap”: 4128-4143, 8224-8239/);
		assert.equal(text.match(/free on “wanmap”/g).length, 5);
	}));

	await t.test('and is left alone if there is nothing to offer', () => visit('admin/network/firewall/forwards', { ...router({}, { ...ssh }), absent: true }, async ({ page }) => {
		await page.locator('.cbi-button-edit').first().click();
		await page.locator('[data-name="src_dport"]').waitFor();
		assert.equal(await page.getByText('From the Internet only').count(), 0);
	}));

	await t.test('a hostile name of an interface stays text there', () => {
		const evil = '<img src=x onerror=alert(1)>';
		const status = () => ({ interfaces: [ { ...fixture('status').interfaces[0], interface: evil } ] });

		return visit('admin/network/firewall/forwards', { ...router({}, { ...ssh }), status, ports: () => ({ ...fixture('ports'), interface: evil }) }, async ({ page }) => {
			await page.locator('.cbi-button-edit').first().click();
			await page.getByText(evil).first().waitFor({ state: 'attached' });
			assert.equal(await page.locator('img[src=x]').count(), 0);
		});
	});
});
