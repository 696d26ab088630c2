// SPDX-License-Identifier: Apache-2.0
'use strict';
'require baseclass';
'require rpc';

const callStatus = rpc.declare({ object: 'mape', method: 'status', reject: true });
const callPorts = rpc.declare({ object: 'mape', method: 'ports', params: [ 'interface' ], reject: true });
const callCalc = rpc.declare({ object: 'mape', method: 'calc', params: [ 'prefix', 'provider' ], reject: true });
const callDoctor = rpc.declare({ object: 'mape', method: 'doctor', params: [ 'interface' ], reject: true });

/* JSON-RPC error -32002 or ubus code 6 */
const deniedPattern = /-32002|code 6\b/;

/* JSON-RPC error -32000, ubus code 3 (no such method) or 4 (no such object) */
const absentPattern = /-32000|code [34]\b/;

/* An answer is an object; one that is just { error } tells why there is none. */
function answer(reply) {
	if (!L.isObject(reply) || reply.error != null)
		throw new Error(reply?.error ?? String(reply));

	return reply;
}

return baseclass.extend({
	/* Why a call failed: 'denied', 'absent' or 'failed'. */
	failure(error) {
		const text = String(error?.message ?? error);

		if (deniedPattern.test(text))
			return 'denied';

		return absentPattern.test(text) ? 'absent' : 'failed';
	},

	interfaces() {
		return callStatus().then(reply => L.toArray(answer(reply).interfaces));
	},

	ports(name) {
		return callPorts(name).then(answer);
	},

	doctor(name) {
		return callDoctor(name).then(answer);
	},

	/* The mapping of a line, or { error } where none can be computed. */
	calc(prefix, provider) {
		return callCalc(prefix, provider).then(reply => L.isObject(reply) ? reply : { error: '' });
	}
});
