// A sandbox of its own for a test: started and stopped the way a user would. With OPENRD_TEST_ENGINE=postgres it is on a PostgreSQL of its own.
// (server.py says the same in Python.)
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const ACCOUNT = '1000000000000001'; // the seed's management account
export const MEMBER = '1000000000000002'; // its member "team-blue", without a phone
export const PHONE = '65-81234567';
export const MASKED_PHONE = '65-8123****';
export const ADMIN = { accessKeyId: 'LTAIsandboxAdmin001', accessKeySecret: 'sandbox-admin-secret' };

// The packages that tests/sdk/run installed.
export const require = createRequire(path.join(process.env.OPENRD_SDK_NODE, 'package.json'));

const root = fileURLToPath(new URL('../..', import.meta.url));
const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

// A PostgreSQL of the test's own, which lives until stop(): made by the module that makes them for Python.
async function startPostgres() {
  const program = spawn('python3', ['-B', path.join(root, 'tests/support/postgres.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(program, 'exit');
  const [line] = await once(createInterface(program.stdout), 'line');
  if (!line.startsWith('postgresql://')) {
    console.log(line);
    process.exit((await ended)[0] || 1); // 77: the test is skipped
  }
  return { url: line, stop: () => (program.stdin.end(), ended) };
}

class Server {
  secrets = new Set([PHONE, PHONE.split('-')[1], ADMIN.accessKeySecret]); // what must not be in the log

  async start(folder, settings, postgres) {
    this.folder = folder;
    const ready = path.join(folder, 'ready');
    if (postgres) this.secrets.add(new URL(postgres.url).password);
    const data = postgres ? ['--database', postgres.url, '--data', path.join(folder, 'data')] : ['--memory'];
    this.process = spawn(
      process.env.OPENRD_BIN || path.join(root, 'build/dev/openrd'),
      ['serve', '--sandbox', ...data, '--listen', '127.0.0.1:0', '--ready-file', ready, ...settings],
      { cwd: folder, stdio: ['ignore', 'ignore', openSync(path.join(folder, 'log'), 'w')] },
    );
    this.ended = once(this.process, 'exit');
    for (let n = 0; n < 6000 && !existsSync(ready); ++n) {
      assert.equal(this.process.exitCode, null, `the server ended before it was ready:\n${this.log()}`);
      await pause(10);
    }
    this.address = readFileSync(ready, 'utf8').trim(); // 127.0.0.1:port
    this.url = `http://${this.address}`;
  }

  log() {
    return readFileSync(path.join(this.folder, 'log'), 'utf8');
  }

  async stop() {
    this.process.kill('SIGTERM');
    const deadline = setTimeout(() => this.process.kill('SIGKILL'), 30_000);
    const [status, signal] = await this.ended;
    clearTimeout(deadline);
    return status ?? signal;
  }

  async control(method, command) {
    const answer = await fetch(`${this.url}/_openrd/${command}`, { method });
    const text = await answer.text();
    assert.ok(answer.ok, `${command}: ${answer.status} ${text}`);
    return text && JSON.parse(text);
  }

  // Back to the seed.
  async reset() {
    await this.control('POST', 'reset');
  }

  // The newest code that the inbox has for this account; waits for it.
  async codeSentTo(account, phone = PHONE) {
    const { messages } = await this.control('GET', `inbox?account=${account}&wait=5s`);
    assert.ok(messages.length > 0, `no message for ${account} within 5 s`);
    const [message] = messages;
    assert.deepEqual([message.to, message.account_id, message.purpose, message.channel], [phone, account, 'bind', 'inbox']);
    assert.match(message.code, /^[0-9]{6}$/);
    assert.ok(message.text.includes(message.code));
    this.secrets.add(message.code);
    return message.code;
  }
}

// withServer(async (server) => {...}, '--limits', 'documented')
export async function withServer(use, ...settings) {
  const postgres = process.env.OPENRD_TEST_ENGINE === 'postgres' && (await startPostgres());
  const server = new Server();
  const folder = mkdtempSync(path.join(tmpdir(), 'openrd-sdk-'));
  try {
    try {
      await server.start(folder, settings, postgres);
      await use(server);
    } catch (error) {
      await server.stop();
      console.error(`--- the server's log\n${server.log().slice(-8000)}---`);
      throw error;
    }
    const status = await server.stop();
    const log = server.log();
    assert.equal(status, 0, `the server ended with ${status}:\n${log.slice(-8000)}`);
    for (const secret of server.secrets) assert.doesNotMatch(log, new RegExp(`(?<![0-9A-Za-z-])${escaped(secret)}(?![0-9A-Za-z-])`), `${secret} is in the log`);
  } finally {
    if (postgres) await postgres.stop();
    rmSync(folder, { recursive: true });
  }
}

// Another code of six digits.
export const wrong = (code) => code.slice(0, -1) + ((Number(code.at(-1)) + 1) % 10);
