// What every directory SDK must be able to do, said once. The scripts in node/ hand in the SDK's own calls.
// (flow.py says the same in Python.)
import assert from 'node:assert/strict';
import { ACCOUNT, ADMIN, MASKED_PHONE, MEMBER, PHONE, wrong } from './server.mjs';

const REQUEST_ID = /^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/;

// The RequestId of the refusal that this call must meet. SDK errors carry the code, and the answer as `data`.
export async function refusal(code, message, call) {
  let answer;
  try {
    answer = await call();
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.equal(error.code, code, error);
    assert.ok(error.message.includes(message), error);
    assert.match(error.data.RequestId, REQUEST_ID);
    return error.data.RequestId;
  }
  assert.fail(`${code} expected, got ${JSON.stringify(answer)}`);
}

// Send, a wrong code, the right code, and what GetAccount says before and after. `directory` has send({AccountId,
// SecureMobilePhone}), bind({..., VerificationCode}) and account({AccountId}), which resolve to the answer as the wire names it.
// Resolves to the RequestIds of the three Binds, newest first.
export async function bindAPhone(server, directory, version) {
  const target = { AccountId: MEMBER, SecureMobilePhone: PHONE };
  const before = (await directory.account({ AccountId: MEMBER })).Account;
  assert.deepEqual([before.AccountId, before.DisplayName, before.Type], [MEMBER, 'team-blue', 'ResourceAccount']);
  if (version !== '2020-03-31') assert.equal(before.HasSecureMobilePhone, false);

  const sent = await directory.send(target);
  assert.match(sent.RequestId, REQUEST_ID);
  assert.match(sent.ExpirationDate, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  const minutesLeft = (Date.parse(sent.ExpirationDate) - Date.now()) / 60_000;
  assert.ok(minutesLeft > 8 && minutesLeft <= 10, sent.ExpirationDate);

  const code = await server.codeSentTo(MEMBER);
  const refused = await refusal('Invalid.VerificationCode', 'The verification code is invalid.', () => directory.bind({ ...target, VerificationCode: wrong(code) }));
  const bound = await directory.bind({ ...target, VerificationCode: code });
  assert.deepEqual(Object.keys(bound), ['RequestId']);
  assert.match(bound.RequestId, REQUEST_ID);
  const again = await refusal('AccountSecureMobileAlreadyExists', 'The secure mobile number of the member already exists.', () =>
    directory.bind({ ...target, VerificationCode: code }),
  );

  const after = (await directory.account({ AccountId: MEMBER })).Account;
  assert.equal(after.AccountId, MEMBER);
  if (version === '2020-03-31') assert.equal(after.SecureMobilePhone, undefined); // whose GetAccount knows no phone
  else assert.deepEqual([after.HasSecureMobilePhone, after.SecureMobilePhone], [true, MASKED_PHONE]);
  assert.equal(new Set([refused, bound.RequestId, again]).size, 3);
  return [again, bound.RequestId, refused];
}

// The events of the three Binds, newest first, as LookupEvents answers them.
export function theLogTells(events, requestIds, { userName = 'admin', accessKeyId = ADMIN.accessKeyId, type = 'ram-user' } = {}) {
  assert.deepEqual(events.map((event) => event.requestId), requestIds);
  assert.deepEqual(events.map((event) => event.errorCode ?? ''), ['AccountSecureMobileAlreadyExists', '', 'Invalid.VerificationCode']);
  for (const event of events) {
    const who = event.userIdentity;
    assert.deepEqual([who.type, who.accountId, who.userName, who.accessKeyId], [type, ACCOUNT, userName, accessKeyId]);
    assert.deepEqual([event.eventName, event.eventRW, event.eventType, event.sourceIpAddress], ['BindSecureMobilePhone', 'Write', 'ApiCall', '127.0.0.1']);
    assert.ok(event.userAgent);
    assert.equal(event.requestParameters.AccountId, MEMBER);
  }
  const text = JSON.stringify(events);
  assert.ok(!text.includes(PHONE) && !text.includes(PHONE.split('-')[1]), text);
}
