// @alicloud/resourcemanager20200331: the generated SDK, V3, 2020-03-31.
import { bindAPhone } from '../flow.mjs';
import { ADMIN, require, withServer } from '../server.mjs';
import { config, directory } from './generated.mjs';

const sdk = require('@alicloud/resourcemanager20200331');

await withServer(async (server) => {
  await bindAPhone(server, directory(new sdk.default(config(server, ADMIN)), sdk), '2020-03-31');
  console.log('@alicloud/resourcemanager20200331 binds a phone');
});
