// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require mape.quote as quote';
'require rpc';

const callStatus = rpc.declare({ object: 'mape', method: 'status' });
const callPorts = rpc.declare({ object: 'mape', method: 'ports', params: [ 'interface' ] });
const callHistory = rpc.declare({ object: 'mape', method: 'history', params: [ 'interface' ] });
const callCalc = rpc.declare({ object: 'mape', method: 'calc', params: [ 'prefix', 'provider', 'rule', 'legacy' ] });
const callDoctor = rpc.declare({ object: 'mape', method: 'doctor', params: [ 'interface' ] });
const callDown = rpc.declare({ object: 'network.interface', method: 'down', params: [ 'interface' ] });
const callUp = rpc.declare({ object: 'network.interface', method: 'up', params: [ 'interface' ] });

/* What LuCI makes of an error: its number is in the message only. */
const codePattern = /(?:error|code) (-?\d+)/;

/* Codes of ubus (positive) and of uhttpd's JSON-RPC (negative). */
const kinds = {
	2: 'invalid', 3: 'absent', 4: 'absent', 6: 'denied', 7: 'timeout',
	'-32602': 'invalid', '-32000': 'absent', '-32002': 'denied'
};

const historyInterval = 60000;
const histories = {};

function failure(kind, message) {
	return Object.assign(new Error(message), { kind });
}

/* What ERROR, of LuCI or the number that ubus gives, says in the user's language. */
function reasonOf(error) {
	const text = String(error?.message ?? error).split('\n')[0];
	const code = (typeof error == 'number') ? error : codePattern.exec(text)?.[1];

	/* The codes of JSON-RPC are uhttpd's; LuCI has words for those of ubus. */
	return (code > 0) ? '%s (%d)'.format(rpc.getStatusText(+code), code)
		: (code == -32002) ? '%s (%d)'.format(rpc.getStatusText(6), code)
		: (code < 0) ? _('Error %d').format(code) : quote.of(null, text);
}

/* Rejects with an error that has KIND: 'absent', 'denied', 'invalid', 'timeout', 'refused' or 'failed'. */
function call(fn, ...args) {
	return fn(...args).catch(error => {
		const code = codePattern.exec(String(error?.message ?? error))?.[1];

		throw failure(kinds[code] ?? 'failed', reasonOf(error));
	}).then(reply => {
		/* A call that failed resolves to its code. */
		if (typeof reply == 'number' && reply != 0)
			throw failure(kinds[reply] ?? 'failed', reasonOf(reply));

		return reply;
	});
}

/* An answer is an object; one that has an error says why there is none. */
function answer(reply) {
	if (!L.isObject(reply) || Array.isArray(reply))
		throw failure('failed', _('The answer cannot be read.'));

	if (reply.error != null)
		throw failure('refused', quote.of(reply.reason, reply.error));

	return reply;
}

return baseclass.extend({
	reasonOf,

	/* Why a call failed: the kind that this module gave its error, null of another error. */
	failure(error) {
		return error?.kind ?? null;
	},

	interfaces() {
		return call(callStatus).then(reply => L.toArray(answer(reply).interfaces).filter(ifc => L.isObject(ifc)));
	},

	ports(name) {
		return call(callPorts, name).then(answer);
	},

	/*
	 * The samples that the router keeps, with AT, the browser's time of the
	 * answer; null if it keeps none. The router takes one a minute, so it is
	 * not asked more often.
	 */
	history(name) {
		const now = Date.now();

		if (!(now - histories[name]?.asked < historyInterval))
			histories[name] = {
				asked: now,
				reply: call(callHistory, name).then(reply => ({ ...answer(reply), at: Date.now() })).catch(() => null)
			};

		return histories[name].reply;
	},

	doctor(name) {
		return call(callDoctor, name).then(answer);
	},

	/* The mapping of a line, or { error } if none can be computed. */
	calc({ prefix, provider, rule, legacy }) {
		return call(callCalc, prefix, provider, rule, legacy).then(reply => L.isObject(reply) ? reply : { error: '' });
	},

	/* As ifup does it. */
	restart(name) {
		return call(callDown, name).then(() => call(callUp, name));
	}
});
