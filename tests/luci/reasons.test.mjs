// SPDX-License-Identifier: Apache-2.0
// Whatever the program says is wrong, a page in another language says too: the
// list of sentences in mape/reasons.js is held against the program's sources.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load, newRecord } from './load.mjs';
import { root } from './paths.mjs';

const quote = load('mape.quote', { ...newRecord(), lang: 'ja' });
const japanesePattern = /[\u3040-\u30ff\u4e00-\u9fff]/;
const englishPattern = /\b[a-z'’]{2,} [a-z'’]{2,} [a-z'’]{2,}\b/;

/* Errors that never reach a page: of commands, of the bus, of files that a package brings, of the doctor, whose findings have codes. */
const elsewhere = [
	'cli/', 'doctor/', 'ubus/', 'map/s46/', 'map/flow/', 'provider/load.rs', 'provider/problem.rs', 'netifd/dump.rs', 'handler/record.rs'
];

const errorPattern = /#\[error\(\s*"((?:[^"\\]|\\[\s\S])*)"/g;
const textPattern = /"((?:[^"\\]|\\[\s\S])*)"/;
const problemPattern = /Problem::(?:fatal|passing)\(/g;

/* A string of Rust as it is said, with something in the place of what it names. */
function spoken(literal) {
	return literal.replace(/\\\n\s*/g, '').replaceAll('\\"', '"').replaceAll('{{', '(').replaceAll('}}', ')')
		/* Two have a part that is put together. */
		.replace('{} to no known', '{} belongs to no known').replace('IPv4{}', 'IPv4 on this line')
		.replace(/\{(?:error|reason|why|kind|what|advice|0|)\}$/, 'there is no IPv6 prefix yet')
		.replace(/\{(?:error|kind|reason)\}/, 'multicast').replace(/\{[^}]*\}/g, '64');
}

function sources() {
	return readdirSync(join(root, 'src'), { recursive: true }).filter(name => name.endsWith('.rs') && !name.endsWith('tests.rs'))
		.filter(name => !elsewhere.some(part => name.startsWith(part)))
		.map(name => [ name, readFileSync(join(root, 'src', name), 'utf8').split('#[cfg(test)]')[0] ]);
}

/* What is between the parenthesis before TEXT and the one that closes it. */
function argumentsOf(text) {
	let open = 1;

	return text.slice(0, [ ...text ].findIndex(char => (open += (char == '(') - (char == ')')) == 0));
}

/* A sentence of its own: more than what it passes on. */
const hasWords = literal => /[a-z]{2,} [a-z]{2,}|[a-z]{4,}/.test(literal.replace(/\{[^}]*\}/g, ''));

test('every error has a sentence in the list', () => {
	const errors = sources().flatMap(([ name, text ]) => [ ...text.matchAll(errorPattern) ].map(match => [ name, match[1] ]));

	assert.ok(errors.length > 120, errors.length);
	const untold = errors.filter(([ , literal ]) => hasWords(literal))
		.map(([ name, literal ]) => [ name, spoken(literal) ])
		.filter(([ , said ]) => !japanesePattern.test(quote.of(said)));
	assert.deepEqual(untold, []);
});

test('every problem of the handler has a sentence in the list', () => {
	const problems = sources().filter(([ name ]) => name.startsWith('handler/')).flatMap(([ name, text ]) => [ ...text.matchAll(problemPattern) ].map(match =>
		[ name, textPattern.exec(argumentsOf(text.slice(match.index + match[0].length)))?.[1] ])).filter(([ , literal ]) => literal && hasWords(literal));

	assert.ok(problems.length >= 20, problems.length);
	const untold = problems.map(([ name, literal ]) => [ name, spoken(literal) ]).filter(([ , said ]) => !japanesePattern.test(quote.of(said)));
	assert.deepEqual(untold, []);
});

test('every advice of the table of providers has a sentence in the list', () => {
	const advices = readFileSync(join(root, 'files/usr/share/mape/providers.json'), 'utf8').match(/(?<="advice": )".*"/g).map(JSON.parse);

	assert.ok(advices.length > 5);
	assert.deepEqual(advices.filter(advice => !japanesePattern.test(quote.of(advice))), []);
});

test('what a sentence names stays, options as the form calls them', () => {
	for (const [ said, told ] of [
		[ 'ealen 49: must be a number from 0 to 48', 'EA ビット長（49）は 0～48 の数値にしてください' ],
		[ 'wan6 is up but has no IPv6 prefix yet', 'wan6 は接続していますが、IPv6 プレフィックスがまだ届いていません' ],
		[ 'gw.transix.jp: there is no such name', 'gw.transix.jp という名前はありません' ],
		[ 'peeraddr ::1: a loopback address cannot be used', null ],
		[ 'the line does not say how it carries IPv4: no DNS server of the uplink answers when asked for 4over6.info',
			'回線から IPv4 の方式を得られません：上位回線の DNS サーバーはどれも 4over6.info の問い合わせに応答しません' ],
		[ 'the answer is not valid JSON: expected value at line 1 column 1', '応答が正しい JSON ではありません：…' ]
	]) {
		const found = quote.of(said);

		if (told)
			assert.equal(found, told);
		assert.match(found, japanesePattern);
		assert.doesNotMatch(found, englishPattern);
	}
});

test('what nobody knows is no sentence, however long and whatever it looks like', () => {
	for (const text of [ '', 'a: b: c: d: e: f: g: h', '{name}: {reason}', 'constructor', `${'x: '.repeat(5000)}y`, '(((((((', `${'must be '.repeat(60000)}` ])
		assert.doesNotMatch(quote.of(text), englishPattern);
});
