// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.reasons as reasons';
'require uci';

const wordPattern = /[^\s,;()"'“”]+/g;
const endPattern = /[.:?]+$/;

/* Addresses and prefixes, paths, and names with a dot or with digits in them, such as gw.transix.jp and kmod-nat46. */
const namePattern = /^(?:[\da-f]*:[\da-f:.]*(?:\/\d+)?|\d+\.\d+\.\d+\.\d+(?:\/\d+)?|\/[\w.\/-]+|[\w-]+(?:\.[\w-]+)+|kmod-[\w-]+)$/i;

function isInterface(word) {
	return uci.get('network', word, 'proto') != null;
}

/* What TEXT names, in its order: options as the form calls them, interfaces, addresses, hosts, files, packages. */
function namesIn(text) {
	const words = (text.match(wordPattern) ?? []).map(word => word.replace(endPattern, match => match == '::' ? match : ''));
	const names = words.map(word => Object.hasOwn(reasons.options, word) ? reasons.options[word]
		: (namePattern.test(word) || isInterface(word)) ? word : null).filter(name => name);

	return [ ...new Set(names) ].join(', ');
}

return baseclass.extend({
	namesIn,

	/*
	 * REASON for people, as docs/bus.md has it, with TEXT, the same as the
	 * program says it. Without a code that is known, such as one of another
	 * version, English pages show TEXT and others what it names.
	 */
	of(reason, text) {
		const sentence = String(text ?? (L.isObject(reason) ? '' : reason) ?? '');

		return reasons.say(reason) ?? (reasons.isEnglish() ? sentence : namesIn(sentence));
	}
});
