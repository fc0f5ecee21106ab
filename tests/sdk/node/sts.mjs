// @alicloud/sts20150401: who am I, a role, and a session of it that binds a phone.
import assert from 'node:assert/strict';
import { bindAPhone, refusal } from '../flow.mjs';
import { ACCOUNT, ADMIN, require, withServer } from '../server.mjs';
import { answer, config, directory } from './generated.mjs';

const sts = require('@alicloud/sts20150401');
const resourcemanager = require('@alicloud/resourcemanager20200331');

await withServer(async (server) => {
  const client = new sts.default(config(server, ADMIN));
  const me = await answer(client.getCallerIdentity());
  assert.deepEqual([me.AccountId, me.IdentityType, me.Arn], [ACCOUNT, 'RAMUser', `acs:ram::${ACCOUNT}:user/admin`]);
  assert.match(me.UserId, /^[0-9]{18}$/);
  assert.equal(me.PrincipalId, me.UserId);

  const roleArn = `acs:ram::${ACCOUNT}:role/operator`;
  const role = await answer(client.assumeRole(new sts.AssumeRoleRequest({ roleArn, roleSessionName: 'deploy', durationSeconds: 900 })));
  assert.equal(role.AssumedRoleUser.Arn, `${roleArn}/deploy`);
  const { AccessKeyId: accessKeyId, AccessKeySecret: accessKeySecret, SecurityToken: securityToken, Expiration } = role.Credentials;
  assert.match(accessKeyId, /^STS\./);
  assert.match(Expiration, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  const minutesLeft = (Date.parse(Expiration) - Date.now()) / 60_000;
  assert.ok(minutesLeft > 13 && minutesLeft <= 15, Expiration);
  server.secrets.add(accessKeySecret).add(securityToken);

  const session = { accessKeyId, accessKeySecret, securityToken };
  const who = await answer(new sts.default(config(server, session)).getCallerIdentity());
  assert.deepEqual([who.IdentityType, who.Arn], ['AssumedRoleUser', `acs:ram::${ACCOUNT}:assumed-role/operator/deploy`]);
  assert.equal(who.PrincipalId, `${who.RoleId}:deploy`);
  assert.equal(who.PrincipalId, role.AssumedRoleUser.AssumedRoleId);

  await bindAPhone(server, directory(new resourcemanager.default(config(server, session)), resourcemanager), '2020-03-31');

  // A token belongs to its key, and a role that nobody made cannot be assumed.
  const borrowed = new resourcemanager.default(config(server, { ...ADMIN, accessKeyId, securityToken }));
  await refusal('SignatureDoesNotMatch', 'Specified signature does not match our calculation.', () => directory(borrowed, resourcemanager).account({ AccountId: '1000000000000002' }));
  await refusal('EntityNotExist.Role', '', () => client.assumeRole(new sts.AssumeRoleRequest({ roleArn: `acs:ram::${ACCOUNT}:role/nobody`, roleSessionName: 'deploy' })));
  console.log('@alicloud/sts20150401 takes on a role whose session binds a phone');
});
