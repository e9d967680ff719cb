// The operations of js-framework-benchmark's keyed table in Chromium: on plain React state, rowcast, zustand and MobX.
//   npm run bench -- react-table
//   node scripts/run.mjs node bench/react-table.ts [--rounds 5] [--apps plain,rowcast] [--operations select,swap]
//     [--profile] [--dist folder]         (after `npm run build`: it measures the package as built)
// With `--profile` it prints the functions that take most time, operation by operation. The peers are installed with the
// first run, in bench/peers. Exit code 1 where the apps do not end with the same document.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { compare } from './react-table/compare.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    apps: { type: 'string' },
    operations: { type: 'string' },
    profile: { type: 'boolean', default: false },
    dist: { type: 'string' },
  },
})
const well = await compare({
  rounds: Number(values.rounds),
  apps: values.apps?.split(','),
  operations: values.operations?.split(','),
  profile: values.profile,
  dist: values.dist,
})
if (!well) process.exitCode = 1
