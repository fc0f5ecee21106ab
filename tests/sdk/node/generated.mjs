// What the generated Node SDKs have in common: clients, and answers turned back into the wire's names.
import { require } from '../server.mjs';

const { $OpenApiUtil } = require('@alicloud/openapi-core');

export const config = (server, key) => new $OpenApiUtil.Config({ ...key, endpoint: server.address, protocol: 'HTTP', regionId: 'ap-southeast-1' });

export const answer = async (pending) => (await pending).body.toMap();

const lowered = (parameters) => Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name[0].toLowerCase() + name.slice(1), value]));

// The calls of flow.mjs by a directory client and its package.
export const directory = (client, sdk) => ({
  send: (parameters) =>
    answer(client.sendVerificationCodeForBindSecureMobilePhone(new sdk.SendVerificationCodeForBindSecureMobilePhoneRequest(lowered(parameters)))),
  bind: (parameters) => answer(client.bindSecureMobilePhone(new sdk.BindSecureMobilePhoneRequest(lowered(parameters)))),
  account: (parameters) => answer(client.getAccount(new sdk.GetAccountRequest(lowered(parameters)))),
});
