// SPDX-License-Identifier: Apache-2.0
// On the Japanese pages no English sentence is left, whatever the bus answers.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runtime, useBrowser, visit } from './browser.mjs';
import { formFields, load, newRecord } from './load.mjs';
import { changedStatus, overview, page, texts } from './look.mjs';
import { fixture, luci, root } from './paths.mjs';
import { router } from './router.mjs';

useBrowser();

/* Three words of the English language in a row are a sentence; names of devices and products are shorter. */
const sentencePattern = /\b[A-Za-z][a-z'’]+[,:]?(?: [a-z'’]+[,:]?){2,}/g;
/* A command to type is what it is in any language. */
const english = text => [ ...new Set(text.replace(/「mape [^」]*」/g, '').match(sentencePattern) ?? []) ];

const everyStatus = readdirSync(join(root, 'tests/data/bus')).filter(name => name.startsWith('status')).map(name => name.slice(0, -5));

/* Reasons as the handler gives them to netifd: the class, the sentence, the same for programs, and what is said of it in Japanese. */
const reasons = [
	[ 'MAPE_NO_UPLINK_PREFIX', 'wan6 is up but has no IPv6 prefix yet', { code: 'uplink_no_prefix', args: { uplink: 'wan6' } },
		'wan6 は接続していますが、IPv6 プレフィックスがまだ届いていません' ],
	[ 'MAPE_NO_UPLINK_PREFIX', 'tunlink wan7: there is no such interface; netifd has lan, wan6', { code: 'uplink_not_found', args: { uplink: 'wan7', others: 'lan, wan6' } },
		'上位回線 wan7 というインターフェースはありません（あるのは lan, wan6）' ],
	[ 'MAPE_UNKNOWN_PROVIDER', 'the line has not said yet how it carries IPv4', { code: 'not_told_yet', args: {} }, '回線から IPv4 の方式がまだ知らされていません' ],
	[ 'MAPE_INVALID_CONFIG', 'ealen 49: must be a number from 0 to 48', { code: 'config_number', args: { option: 'ealen', value: '49', min: '0', max: '48' } },
		'EA ビット長（49）は 0～48 の数値にしてください' ],
	[ 'MAPE_INVALID_CONFIG', 'ipaddr is missing: the fixed IPv4 address or block', { code: 'option_missing', args: { option: 'ipaddr', reason: { code: 'needs_fixed', args: {} } } },
		'IPv4 アドレスがありません（固定 IPv4 アドレスまたはブロック）' ],
	[ 'MAPE_NAT_FAILED', 'the kernel does not take rules: no such file or directory; is kmod-nft-core installed?', { code: 'kernel_refuses', args: { reason: { code: 'no_such_file', args: {} } } },
		'カーネルがルールを受け付けません（ファイルがありません）。kmod-nft-core が入っているか確認してください' ],
	[ 'UNSUPPORTED_TYPE', 'map-t needs the package kmod-nat46, which is not installed', { code: 'nat46_missing', args: {} }, 'MAP-T に必要なパッケージ kmod-nat46 がありません' ],
	/* An older program gives the sentence alone; what it names is shown. */
	[ 'MAPE_NAME_NOT_RESOLVED', 'gw.transix.jp: there is no such name', null, 'gw.transix.jp' ],
	/* So it is with what a newer program says. */
	[ 'MAPE_OF_THE_FUTURE', 'something that nobody has thought of yet about kmod-future', { code: 'of_the_future', args: { package: 'kmod-future' } }, 'kmod-future' ]
];

async function unfold(page) {
	for (const summary of await page.locator('.mape summary:visible').all())
		await summary.click();
}

test(`in Japanese, on ${runtime}`, async t => {
	await t.test('the pattern finds sentences and no names', () => {
		assert.deepEqual(english('原因：no interface that is up has IPv6'), [ 'no interface that is up has' ]);
		assert.deepEqual(english('接続済み v6プラス · MAP-E draft-03 Game console：via fe80::1 dev eth1'), []);
	});

	for (const status of everyStatus) {
		await t.test(`no English: ${status}`, () => visit(page, {
			lang: 'ja', status, ports: (status == 'status-ocn') ? 'ports-ocn' : 'ports', doctor: status.endsWith('error') ? 'doctor-fail' : 'doctor'
		}, async ({ page, bus }) => {
			await page.locator('.mape .cbi-section').first().waitFor();
			await page.locator('.mape-head .cbi-button-action').first().click({ timeout: 3000 }).catch(() => null);
			if (bus.calls.some(call => call.name == 'doctor'))
				await page.locator('.mape-doctor li').first().waitFor({ state: 'attached' });
			for (const cell of await page.locator('.mape-ports button:visible').all().then(all => all.slice(0, 1)))
				await cell.click();
			await unfold(page);
			assert.deepEqual(english(await page.locator('#view').innerText()), []);
		}));
		await t.test(`no English on the overview: ${status}`, () => visit(overview, { lang: 'ja', status }, async ({ page, bus }) => {
			await bus.asked('mape', 'status');
			if (status != 'status-empty')
				await page.locator('#mape-overview .tr').nth(1).waitFor();
			const boxes = page.locator('#mape-overview');
			for (const text of await boxes.allInnerTexts())
				assert.deepEqual(english(text), []);
		}));
	}

	await t.test('no English whatever the doctor finds', () => visit(page, {
		lang: 'ja', doctor: () => ({ interface: 'wanmap', ok: false, checks: fixture('findings') })
	}, async ({ page }) => {
		await page.locator('.mape-head .cbi-button-action').click();
		await page.locator('.mape-doctor li').first().waitFor({ state: 'attached' });
		await unfold(page);
		assert.deepEqual(english(await page.locator('.mape').innerText()), []);
		/* All of them are there, in Japanese. */
		assert.equal(await page.locator('.mape-doctor > li').count(), fixture('findings').length);
		assert.deepEqual((await texts(page, '.mape-doctor > li > div')).filter(text => !/[\u3040-\u30ff\u4e00-\u9fff]|^[\w:.\/ ()-]+$/.test(text)), []);
	}));

	await t.test('of a reason what it names is left, beside the words of its code', async () => {
		const quote = load('mape.quote', { ...newRecord(), lang: 'ja' });

		for (const [ , detail, reason ] of reasons)
			assert.deepEqual([ ...english(quote.of(reason, detail)), ...english(quote.of(null, detail)) ], []);
		assert.equal(quote.of(null, 'constructor toString __proto__'), '');
	});

	for (const [ code, detail, reason, left ] of reasons) {
		await t.test(`no English: ${code}, ${detail.slice(0, 24)}`, () => visit(page, {
			lang: 'ja', ...router({}), status: changedStatus({ state: 'error', error: { code, detail, reason } }),
			doctor: () => ({ interface: 'wanmap', ok: false, checks: [ { ...fixture('findings').find(check => check.code == 'setup_failed'), args: { error: code, detail: reason ?? detail }, seen: detail } ] })
		}, async ({ page }) => {
			await page.locator('.mape-doctor li').first().waitFor();
			assert.deepEqual(english(await page.locator('.mape').innerText()), []);
			/* The stub has no configuration, so it knows no interface. LuCI's catalogues of a release have spaces or not. */
			if (luci && left)
				assert.equal((await page.locator('.mape-reason').innerText()).replaceAll(' ', ''), left.replaceAll(' ', ''));
		}));
	}

	for (const [ what, scenario ] of [
		[ 'a doctor that refuses', { doctor: () => ({ error: 'there is no interface of that name' }) } ],
		[ 'a doctor that is not there', { broken: [ 'doctor' ] } ],
		[ 'ports that are refused', { ports: () => ({ error: 'there is no interface of that name' }) } ],
		[ 'a status that is refused', { status: () => ({ error: 'the argument is of the wrong type' }) } ],
		[ 'a restart that is refused', { refusesRestart: true } ],
		[ 'no service', { absent: true } ],
		[ 'no right', { without: [ 'luci-proto-mape' ] } ]
	]) {
		await t.test(`no English: ${what}`, () => visit(page, { lang: 'ja', ...scenario }, async ({ page, bus }) => {
			await bus.asked('mape', 'status').catch(() => null);
			await page.locator('.mape h2').waitFor();
			if (scenario.doctor || scenario.broken || scenario.refusesRestart) {
				await page.locator(scenario.refusesRestart ? '.mape-head .cbi-button-reload' : '.mape-head .cbi-button-action').click();
				await page.getByText(scenario.refusesRestart ? '再起動できませんでした' : '診断に失敗しました').first().waitFor();
			}
			assert.deepEqual(english(await page.locator(luci ? '#maincontent' : 'body').innerText()), []);
		}));
	}

	await t.test('no English in the form, whatever the line gets', { skip: !luci && 'LUCI_SRC is not set: forms need LuCI' }, async t => {
		const rule = { provider: 'none', maptype: 'map-e', peeraddr: '2404:9200:225:100::64', ipaddr: '106.72.0.0', ip4prefixlen: '15', ip6prefix: '240b:10::', ip6prefixlen: '31', ealen: '25' };

		for (const wanmap of [ {}, { provider: 'ocn' }, rule, { maptype: 'ds-lite' }, { maptype: 'ipip' } ]) {
			for (const calc of [ 'calc', 'calc-error' ]) {
				await t.test(`${JSON.stringify(wanmap).slice(0, 40)} ${calc}`, () => visit('admin/network/network', { lang: 'ja', height: 1400, ...router(wanmap), calc }, async ({ page }) => {
					await page.locator('[data-sid="wanmap"] .cbi-button-edit').click();
					await page.locator('.mape-preview strong').waitFor();
					assert.deepEqual(english(await page.locator('.mape-preview').innerText()), []);
					/* LuCI's own fields beside them are LuCI's to translate. */
					for (const { option } of formFields().fields)
						for (const text of await page.locator(`#modal_overlay .cbi-value[data-name="${option}"]:visible`).allInnerTexts())
							assert.deepEqual(english(text), [], text);
				}));
			}
		}
	});
});
