// SPDX-License-Identifier: Apache-2.0
// A browser with one page per test; every error the page reports fails the test.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { after, before } from 'node:test';
import { Bus } from './bus.mjs';
import { luci, root } from './paths.mjs';
import { serve } from './server.mjs';

const { chromium } = createRequire(join(root, '.tools/luci/package.json'))('playwright-core');

let browser;

export function useBrowser() {
	before(async () => {
		browser = await chromium.launch({
			executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
			args: [ '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage' ]
		});
	});
	after(() => browser?.close());
}

/*
 * Opens PATH with SCENARIO on the bus, calls TEST with { page, bus }, then
 * asserts that the page reported no error but those ALLOWED.
 */
export async function visit(path, scenario, test) {
	const { lang, dark, readonly, minify, theme, software, width = 1100, height = 900, scale = 1, allowed } = scenario;
	const bus = new Bus(scenario);
	const server = await serve(bus, { lang, dark, readonly, minify, theme, software });
	const context = await browser.newContext({ viewport: { width, height }, deviceScaleFactor: scale, colorScheme: dark ? 'dark' : 'light' });
	const page = await context.newPage();
	page.setDefaultTimeout(15000);
	const errors = [];

	page.on('console', message => message.type() == 'error' && errors.push(`${message.text()} ${message.location().url}`));
	page.on('pageerror', error => errors.push(String(error)));

	try {
		await page.goto(server.url(path));
		await test({ page, bus, server });
		assert.deepEqual(errors.filter(text => !allowed?.test(text)), []);
	}
	finally {
		await context.close();
		server.close();
	}
}

export const runtime = luci ? 'LuCI' : 'the contract stub';
