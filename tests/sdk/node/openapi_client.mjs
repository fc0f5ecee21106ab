// @alicloud/openapi-client: the generic call of the generated SDKs, signed V3 and (signatureAlgorithm 'v2') V1, with the
// parameters in the query and in a form body, which it sends chunked; in both versions.
import { bindAPhone, refusal, theLogTells } from '../flow.mjs';
import { ADMIN, MEMBER, require, withServer } from '../server.mjs';

const { default: Client, Config, OpenApiRequest, Params } = require('@alicloud/openapi-client');
const { RuntimeOptions } = require('@alicloud/tea-util');

await withServer(async (server) => {
  const client = (signatureAlgorithm, key = ADMIN) =>
    new Client(new Config({ ...key, endpoint: server.address, protocol: 'HTTP', regionId: 'ap-southeast-1', signatureAlgorithm }));
  const caller = (sdk, version, place) => (action) => async (parameters) => {
    const shape = { action, version, protocol: 'HTTP', pathname: '/', method: 'POST', authType: 'AK', style: 'RPC', reqBodyType: 'formData', bodyType: 'json' };
    const { body } = await sdk.callApi(new Params(shape), new OpenApiRequest({ [place]: parameters }), new RuntimeOptions({}));
    return body;
  };

  for (const version of ['2022-04-19', '2020-03-31']) {
    for (const signatureAlgorithm of ['ACS3-HMAC-SHA256', 'v2']) {
      for (const place of ['query', 'body']) {
        await server.reset();
        const sdk = client(signatureAlgorithm);
        const call = caller(sdk, version, place);
        const requestIds = await bindAPhone(
          server,
          { send: call('SendVerificationCodeForBindSecureMobilePhone'), bind: call('BindSecureMobilePhone'), account: call('GetAccount') },
          version,
        );
        const filter = { 'LookupAttribute.1.Key': 'EventName', 'LookupAttribute.1.Value': 'BindSecureMobilePhone' };
        theLogTells((await caller(sdk, '2020-07-06', place)('LookupEvents')(filter)).Events, requestIds);
        console.log(`@alicloud/openapi-client binds a phone with ${signatureAlgorithm}, parameters in the ${place}, in ${version}`);
      }
    }
  }

  const wrongSecret = caller(client('ACS3-HMAC-SHA256', { ...ADMIN, accessKeySecret: 'wrong' }), '2022-04-19', 'query');
  await refusal('SignatureDoesNotMatch', 'Specified signature does not match our calculation. server StringToSign is [ACS3-HMAC-SHA256', () =>
    wrongSecret('GetAccount')({ AccountId: MEMBER }),
  );
});
