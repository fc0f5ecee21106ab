// @alicloud/pop-core: V1, by GET with everything in the query and by POST with everything in the form, in both versions.
import { bindAPhone, refusal, theLogTells } from '../flow.mjs';
import { ADMIN, MEMBER, require, withServer } from '../server.mjs';

const { RPCClient } = require('@alicloud/pop-core');

await withServer(async (server) => {
  const client = (apiVersion, key = ADMIN) => new RPCClient({ ...key, endpoint: server.url, apiVersion });

  for (const version of ['2022-04-19', '2020-03-31']) {
    for (const method of ['GET', 'POST']) {
      await server.reset();
      const rpc = client(version);
      const call = (action) => (parameters) => rpc.request(action, parameters, { method });
      const requestIds = await bindAPhone(
        server,
        { send: call('SendVerificationCodeForBindSecureMobilePhone'), bind: call('BindSecureMobilePhone'), account: call('GetAccount') },
        version,
      );
      const filter = [{ Key: 'EventName', Value: 'BindSecureMobilePhone' }];
      theLogTells((await client('2020-07-06').request('LookupEvents', { LookupAttribute: filter }, { method })).Events, requestIds);
      console.log(`@alicloud/pop-core binds a phone by ${method} in ${version}`);
    }
  }

  const wrongSecret = client('2022-04-19', { ...ADMIN, accessKeySecret: 'wrong' });
  await refusal('SignatureDoesNotMatch', 'Specified signature is not matched with our calculation. server string to sign is:POST&%2F&', () =>
    wrongSecret.request('GetAccount', { AccountId: MEMBER }, { method: 'POST' }),
  );
});
