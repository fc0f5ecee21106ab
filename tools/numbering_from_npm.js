#!/usr/bin/env node
// Makes src/phone/numbering.json, the table of mobile numbers, from the metadata of the npm package libphonenumber-js.
//
//   cd "$(mktemp -d)" && npm install libphonenumber-js@1.13.16 && npm view libphonenumber-js time      (the release's date)
//   node tools/numbering_from_npm.js <that folder>/node_modules/libphonenumber-js 2026-11-10 > src/phone/numbering.json
//
// The output depends on nothing but the package and the date: the same release gives the same bytes.
//
// What the table holds, for each calling code: `mobile`, the patterns of the mobile numbers of its regions, each to be matched in
// full against the national part, without a trunk prefix; `lengths`, how many digits those have; `other`, the patterns of every
// other kind of number (they tell a range that is not known from one that is known to be something else). Left out: formats,
// national prefixes, and the codes that belong to no country (src/phone/numbering.cpp refuses those itself).
//
// Traps of the metadata:
// - a region's numbers stand at index 11 of its array, by kind: 0 fixed line, 1 mobile; a kind is [pattern, lengths];
// - an empty mobile pattern means "the same as fixed line": there (North America) nobody can tell the two apart;
// - a region without a mobile entry has no mobile numbers that anybody knows of: nothing of it is taken.
'use strict';
const path = require('path');

const [folder, released] = process.argv.slice(2);
if (!folder || !/^\d{4}-\d{2}-\d{2}$/.test(released || '')) {
  console.error('usage: numbering_from_npm.js <folder of libphonenumber-js> <date of the release, yyyy-mm-dd>');
  process.exit(2);
}
const metadata = require(path.resolve(folder, 'metadata.max.json'));
const { name, version } = require(path.resolve(folder, 'package.json'));
if (metadata.version !== 4) {
  console.error(`the metadata are of version ${metadata.version}; this script knows version 4`);
  process.exit(1);
}

const kind_mobile = 1;
const mobile = new Map();
const lengths = new Map();
const other = new Map();
for (const [region, facts] of Object.entries(metadata.countries).sort(([a], [b]) => (a < b ? -1 : 1))) {
  const [code, kinds] = [facts[0], facts[11] || []];
  const pattern_of = (kind) => kinds[kind] && (kinds[kind][0] || kinds[0][0]);
  const pattern = pattern_of(kind_mobile);
  for (const map of [mobile, lengths, other]) if (!map.has(code)) map.set(code, new Set());
  if (!pattern) console.error(`${region} (+${code}) has no mobile numbers`);
  else mobile.get(code).add(pattern);
  if (pattern) for (const length of kinds[kind_mobile][1] || facts[3]) lengths.get(code).add(length);
  for (let kind = 0; kind < kinds.length; ++kind) if (kind !== kind_mobile && pattern_of(kind)) other.get(code).add(pattern_of(kind));
}
// Where nobody can tell fixed line from mobile, both have one pattern.
for (const [code, patterns] of other) for (const pattern of mobile.get(code)) patterns.delete(pattern);

// One calling code a line, so that a new release shows in a diff what it changes.
const by_code = (map, list = (set) => [...set]) => [...map].sort(([a], [b]) => a - b).map(([code, set]) => `  ${JSON.stringify(code)}: ${JSON.stringify(list(set))}`).join(',\n');
process.stdout.write(
  `{"source": ${JSON.stringify(name)}, "version": ${JSON.stringify(version)}, "released": ${JSON.stringify(released)}, "mobile": {\n${by_code(mobile)}\n},\n` +
    `"lengths": {\n${by_code(lengths, (set) => [...set].sort((a, b) => a - b))}\n},\n"other": {\n${by_code(other)}\n}}\n`);
