// SPDX-License-Identifier: Apache-2.0
// Answers that are late, refused, of the wrong shape, or meant to do harm.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runtime, useBrowser, visit } from './browser.mjs';
import { fixture } from './paths.mjs';
import { changedStatus, overview, page, runDoctor, shows } from './look.mjs';

useBrowser();

const ports = changes => ({ ...fixture('status').interfaces[0].ports, ...changes });

test(`answers that are not as they should be, on ${runtime}`, async t => {
	await t.test('no service: what to install; it appears when it is there', () => visit(page, { absent: true }, async ({ page, bus }) => {
		await shows(page, 'Install the package mape');
		bus.scenario.absent = false;
		await shows(page, 'IPv4 works.');
		assert.equal(await page.getByText('Install the package mape').count(), 0);
	}));

	await t.test('no right: whom to ask', () => visit(page, { without: [ 'luci-proto-mape' ] }, async ({ page }) => {
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

	await t.test('ports that nobody may count: the line is up, and its ports are shown', () => {
		const uncounted = { ...fixture('ports'), hosts: [], ranges: fixture('ports').ranges.map(range => ({ ...range, tcp: null, udp: null, icmp: null })) };

		return visit(page, { status: changedStatus({ ports: ports({ used: null, used_max: null }) }), ports: () => uncounted }, async ({ page }) => {
			await shows(page, 'IPv4 works.');
			await shows(page, 'How many ports are in use cannot be seen.');
			assert.equal(await page.locator('.mape-ports li').count(), 15);
			assert.equal(await page.getByText('does not answer').count(), 0);
		});
	});

	for (const [ name, reply ] of [ [ 'refused', null ], [ 'an error', { error: 'no such interface' } ] ]) {
		await t.test(`ports ${name}: said, and nothing else is lost`, () => visit(page, reply ? { ports: () => reply } : { broken: [ 'ports' ] }, async ({ page }) => {
			await shows(page, 'The ports are not known at the moment.');
			await shows(page, 'IPv4 works.');
			assert.ok(await page.locator('.mape-bars').isVisible());
			assert.ok(await page.locator('.mape-history').isVisible());
		}));
	}

	for (const [ name, value ] of [ [ 'an empty object', {} ], [ 'text', 'many' ], [ 'a list', [] ] ]) {
		await t.test(`ports of the status are ${name}`, () => visit(page, { status: changedStatus({ ports: value }) }, async ({ page }) => {
			await shows(page, 'IPv4 works.');
			assert.equal(await page.getByText('does not answer').count(), 0);
		}));
	}

	await t.test('an error of the page is no silence of the service, and reaches the console', () => visit(page, {
		status: () => ({ interfaces: [ { ...fixture('status').interfaces[0], interface: 'broken' }, fixture('status').interfaces[0] ] }),
		ports: ({ interface: name }) => (name == 'broken') ? { ranges: [ { first: 1, last: 2, forwarded: [ null ] } ], hosts: [] } : fixture('ports'),
		allowed: /TypeError/
	}, async ({ page }) => {
		await shows(page, 'This page has an error of its own');
		/* The other interface is shown all the same. */
		await page.locator('[data-interface=wanmap] .mape-ports li').nth(14).waitFor();
		assert.equal(await page.getByText('does not answer').count(), 0);
	}));

	for (const [ name, doctor, text ] of [
		[ 'says that there is no such interface', () => ({ error: 'no such interface' }), 'no such interface' ],
		[ 'has nothing to say', () => ({}), 'returned no results' ],
		[ 'sends a list', () => [], 'cannot be read' ],
		[ 'sends checks of no shape', () => ({ checks: [ null, 7, { id: 'new', verdict: 'new', seen: 'something', remedy: null } ] }), 'No problem found' ]
	]) {
		await t.test(`a doctor that ${name}`, () => visit(page, { doctor }, async ({ page }) => {
			await page.getByRole('button', { name: 'Run diagnosis' }).click();
			await shows(page, text);
			assert.equal(await page.getByText('by itself').count(), 0);
			assert.equal(await page.getByText('does not answer').count(), 0);
		}));
	}

	await t.test('a doctor that does not answer: what was there is not called broken', () => visit(page, { broken: [ 'doctor' ] }, async ({ page }) => {
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await shows(page, 'There was no answer in time; try again.');
		await shows(page, 'IPv4 works.');
	}));

	await t.test('a slow doctor shows that it works, and is not asked twice', () => visit(page, { late: { doctor: 1500 } }, async ({ page, bus }) => {
		await page.getByRole('button', { name: 'Run diagnosis' }).click();
		await shows(page, 'The connection is being checked');
		await page.locator('.mape-doctor li').first().waitFor({ state: 'attached' });
		assert.equal(bus.calls.filter(call => call.name == 'doctor').length, 1);
	}));

	await t.test('a slow bus is never asked again before it has answered', () => visit(page, { late: { status: 2500 } }, async ({ page, bus }) => {
		await shows(page, 'IPv4 works.');
		await page.waitForTimeout(4000);
		assert.ok(bus.calls.filter(call => call.name == 'status').length <= 4);
	}));

	await t.test('a restart that is refused is said', () => visit(page, { refusesRestart: true }, async ({ page }) => {
		await page.getByRole('button', { name: 'Restart wanmap' }).click();
		await shows(page, 'Unspecified error (9)');
	}));

	await t.test('what others call themselves stays text', () => {
		const evil = '<img src=x onerror=alert(1)>';
		const set = fixture('ports');
		set.hosts[0].name = evil;
		set.ranges[0].forwarded[0].name = set.ranges[0].forwarded[0].to = '"><script>alert(1)</script>';
		const doctor = fixture('doctor');
		Object.assign(doctor.checks[0], { id: evil, verdict: 'fail', seen: evil, remedy: evil, code: evil });
		Object.assign(doctor.checks[1], { verdict: 'fail', code: 'uplink_down', args: { uplink: evil }, remedy_code: 'install', remedy_args: { packages: [ evil ] } });
		const status = changedStatus({ interface: evil, provider: evil, provider_name: evil, error: { code: evil, detail: evil }, uplink: evil, dialect: evil, type: evil, br: evil });

		return visit(page, { ports: () => set, doctor: () => doctor, status, upnp: [ { extport: 4129, intaddr: evil, intport: 1, proto: evil, descr: evil } ] }, async ({ page }) => {
			await runDoctor(page);
			await page.locator('.mape-ports button').first().click();
			for (const summary of await page.locator('.mape summary:visible').all())
				await summary.click();
			await page.waitForTimeout(1500);
			assert.equal(await page.locator('#view img, .mape script').count(), 0);
			assert.ok(await page.getByText(evil).count() > 5);
		});
	});

	await t.test('so does it in the overview', () => {
		const evil = '<img src=x onerror=alert(1)>';

		return visit(overview, { status: changedStatus({ interface: evil, ipv4_address: evil }) }, async ({ page }) => {
			await shows(page, evil);
			assert.equal(await page.locator('img[src=x]').count(), 0);
		});
	});

	await t.test('1008 ranges and 500 devices', () => {
		const set = {
			...fixture('ports'),
			ranges: Array.from({ length: 1008 }, (_, i) => ({ first: 1024 + 64 * i, last: 1027 + 64 * i, tcp: i % 4, udp: 1, icmp: 0, reserved: [], forwarded: [] })),
			hosts: Array.from({ length: 500 }, (_, i) => ({ address: `10.0.${i >> 8}.${i & 255}`, name: null, tcp: 500 - i, udp: 0, icmp: 0 }))
		};

		return visit(page, { ports: () => set }, async ({ page }) => {
			await page.locator('.mape-ports li').nth(251).waitFor();
			assert.equal(await page.locator('.mape-ports li').count(), 252);
			await shows(page, 'Only the 10 devices that use most ports are listed.');
		});
	});
});
