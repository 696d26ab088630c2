// SPDX-License-Identifier: Apache-2.0
// Whatever the program says is wrong, the page says in the user's language: the
// sentences in mape/reasons.js are held against those in the program's sources.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load, newRecord } from './load.mjs';
import { root } from './paths.mjs';

const english = load('mape.reasons');
const japanese = load('mape.reasons', { ...newRecord(), lang: 'ja' });
const quote = load('mape.quote', { ...newRecord(), lang: 'ja' });

const japanesePattern = /[\u3040-\u30ff\u4e00-\u9fff]/;
const saidPattern = /said!\(\s*"(\w+)",\s*"((?:[^"\\]|\\[\s\S])*)"/g;
const namePattern = /\{(\w+)\}/g;

/* A string of Rust. */
const spoken = literal => literal.replace(/\\\n\s*/g, '').replaceAll('\\"', '"');

/* Every reason of the program, as [file, code, English sentence]. */
const said = readdirSync(join(root, 'src'), { recursive: true }).filter(name => name.endsWith('.rs') && !name.endsWith('tests.rs')).flatMap(name => {
	const source = readFileSync(join(root, 'src', name), 'utf8').split('#[cfg(test)]\nmod tests')[0].replace(/^\s*\/\/.*$/gm, '');

	return [ ...source.matchAll(saidPattern) ].map(([ , code, literal ]) => [ name, code, spoken(literal) ]);
});

const namesOf = text => [ ...text.matchAll(namePattern) ].map(match => match[1]).sort();

test('each code of the program has a sentence with its arguments, and there is no other', () => {
	assert.ok(said.length > 200, String(said.length));
	for (const [ name, code, sentence ] of said) {
		assert.ok(Object.hasOwn(english.sentences, code), `${name}: ${code}`);
		assert.deepEqual(namesOf(english.sentences[code]), namesOf(sentence), code);
	}
	assert.deepEqual(Object.keys(english.sentences).filter(code => !said.some(([ , known ]) => known == code)), []);
});

test('a code says one thing', () => {
	const sentences = new Map(said.map(([ , code, sentence ]) => [ code, sentence ]));

	assert.deepEqual(said.filter(([ , code, sentence ]) => sentences.get(code) != sentence), []);
});

test('each sentence is translated, with the same arguments', () => {
	for (const [ code, sentence ] of Object.entries(japanese.sentences)) {
		assert.deepEqual(namesOf(sentence), namesOf(english.sentences[code]), code);
		/* What consists of arguments has nothing to translate. */
		if (/[a-z]{3}/.test(english.sentences[code].replace(namePattern, '').replace('nft', '').replace('uclient-fetch', '')))
			assert.match(sentence, japanesePattern, code);
	}
});

test('every advice of the table of providers is translated', () => {
	const advices = readFileSync(join(root, 'files/usr/share/mape/providers.json'), 'utf8').match(/(?<="advice": )".*"/g).map(JSON.parse);

	assert.ok(advices.length > 5);
	for (const reason of advices)
		assert.match(japanese.say({ code: 'provider_not_map', args: { subject: 'x', name: 'y', reason } }), /（|、|。|してください|です/, reason);
});

test('reasons are said with what they name, and what they are nested in', () => {
	const number = { code: 'config_number', args: { option: 'ealen', value: '49', min: '0', max: '48' } };

	assert.equal(english.say(number), 'EA-bits length 49: must be a number from 0 to 48');
	assert.match(japanese.say(number), /^EA ?ビット長（49）は 0～48 の数値にしてください$/);
	assert.equal(english.say({ code: 'spec_missing', args: { option: 'constructor' } }), 'constructor is missing');

	const nested = { code: 'not_told', args: { reason: { code: 'http_connect', args: { server: 'prod.example', reason: { code: 'connection_refused', args: {} } } } } };
	assert.equal(english.say(nested), 'the line does not say how it carries IPv4: cannot connect to prod.example: connection refused');
	assert.equal(japanese.say(nested), '回線から IPv4 の方式を得られません：prod.example に接続できません：接続が拒否されました');

	const several = [ 'map_e', 'dslite' ].map(name => ({ code: 'about', args: { name, reason: { code: 'offer_unsupported', args: {} } } }));
	assert.equal(english.say({ code: 'unusable_none_fits', args: { reason: several } }),
		'nothing that the server offers can be used: map_e: not supported here; dslite: not supported here');
});

test('words of others are shown as they are in English only', () => {
	const foreign = { code: 'answer_json', args: { reason: 'expected value at line 1 column 1' } };

	assert.equal(english.say(foreign), 'the answer is not valid JSON: expected value at line 1 column 1');
	assert.equal(japanese.say(foreign), '応答が正しい JSON ではありません：…');
});

test('without a code that is known the sentence is left, or what it names', () => {
	const page = load('mape.quote');

	for (const reason of [ null, undefined, 'text', 5, {}, [], { code: 'constructor' }, { code: '__proto__', args: {} }, { code: 'of_the_future', args: { option: 'ealen' } } ]) {
		assert.equal(page.of(reason, 'ealen 49: of the future'), 'ealen 49: of the future', JSON.stringify(reason));
		assert.match(quote.of(reason, 'ealen 49: of the future'), /^EA ?ビット長$/);
	}
	assert.equal(page.of('as an argument of a finding'), 'as an argument of a finding');
	assert.equal(quote.of(null, null), '');
});

test('hostile arguments do no harm', () => {
	let deep = 'end';
	for (let depth = 0; depth < 5000; depth++)
		deep = { code: 'about', args: { name: 'x', reason: deep } };
	assert.ok(english.say(deep).length < 200);
	for (const args of [ null, 'text', [], { option: {}, value: [ null ], min: { code: 5 }, max: true }, { option: '{value}', value: '$&', min: '', max: '<b>' } ])
		assert.equal(typeof english.say({ code: 'config_number', args }), 'string');
	assert.equal(english.say({ code: 'config_number', args: { option: '{value}', value: '$&', min: '1', max: '2' } }), '{value} $&: must be a number from 1 to 2');
});
