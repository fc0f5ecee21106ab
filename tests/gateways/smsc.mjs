// A carrier's SMSC of npm's `smpp`, an SMPP 3.4 that is neither ours nor Kannel's. What it does with a message follows from the last four digits of the
// number, as smsc.hpp lists them. `smsc.mjs USER PASSWORD`: lines of JSON on standard output, the port, then each bind and each message; it
// ends when standard input does, and so with the process that started it.
import {createRequire} from 'node:module';

const smpp = createRequire(`${process.env.OPENRD_SMPP}/`)('smpp');
const [user, password] = process.argv.slice(2);
const refusals = {'0001': smpp.ESME_RTHROTTLED, '0002': smpp.ESME_RINVDSTADR, '0006': smpp.ESME_RSYSERR};
const receipts = {'0003': ['UNDELIV', smpp.MESSAGE_STATE.UNDELIVERABLE], '0007': ['EXPIRED', smpp.MESSAGE_STATE.EXPIRED], '0009': ['REJECTD', smpp.MESSAGE_STATE.REJECTED]};
const submitted = new Map();
let lastId = 0;

const say = what => process.stdout.write(`${JSON.stringify(what)}\n`);

function deliverReceipt(session, message, id, [name, state]) {
  const delivered = name === 'DELIVRD';
  session.deliver_sm({
    source_addr_ton: 1, source_addr_npi: 1, source_addr: message.destination_addr, destination_addr: message.source_addr, esm_class: smpp.ESM_CLASS.MC_DELIVERY_RECEIPT,
    short_message: `id:${id} sub:001 dlvrd:${delivered ? '001' : '000'} submit date:2611241200 done date:2611241200 stat:${name} err:${delivered ? '000' : '011'} text:`,
    receipted_message_id: id, message_state: state,
  });
}

function submit(session, pdu) {
  const to = pdu.destination_addr, kind = to.slice(-4), again = submitted.has(to);
  submitted.set(to, true);
  say({to, from: pdu.source_addr, text: pdu.short_message.message, coding: pdu.data_coding, expires: pdu.validity_period, at: Date.now()});
  if (kind === '0005') return;
  if (kind === '0008' && !again) {
    session.destroy();
    return;
  }
  if (kind in refusals) {
    session.send(pdu.response({command_status: refusals[kind]}));
    return;
  }
  const id = (++lastId).toString(16).toUpperCase().padStart(8, '0');
  session.send(pdu.response({message_id: id}));
  if (kind !== '0004' && pdu.registered_delivery & 3) deliverReceipt(session, pdu, id, receipts[kind] ?? ['DELIVRD', smpp.MESSAGE_STATE.DELIVERED]);
}

const server = smpp.createServer(session => {
  session.on('error', () => session.destroy());
  session.on('bind_transceiver', pdu => {
    const known = pdu.system_id === user && pdu.password === password;
    session.send(pdu.response(known ? {system_id: 'SIM'} : {command_status: smpp.ESME_RBINDFAIL}));
    if (!known) {
      session.close();
      return;
    }
    session.on('submit_sm', message => submit(session, message));
    say({bound: true});
  });
  session.on('enquire_link', pdu => session.send(pdu.response()));
  session.on('unbind', pdu => {
    session.send(pdu.response());
    session.close();
  });
});
server.listen(0, '127.0.0.1', () => say({port: server.address().port}));
process.stdin.on('end', () => process.exit()).resume();
