// The store beside those that could be picked instead, each on the same work, in turns within one run.
//   npm run bench -- stores
//   node scripts/run.mjs node bench/stores.ts [--rounds 5] [--only rowcast,mobx] [--works slider,query] [--large] [--write]
//     [--profile folder]                        (after `npm run build`: it measures the package as built)
// With `--write` the tables go into docs/benchmarks.md. With `--large` what takes long is measured too: live queries over
// and the heap of 100,000 rows, the reactive loop over 64 MB, growth to 1,000,000 rows. Growth is a table of its own, of
// rowcast alone: `--works growth`. With `--profile` a CPU profile of each process is put into a folder. The peers are installed with the first run, in bench/peers.
// Exit code 1 where someone failed, or came to another state than the others.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { contenderOf } from './stores/contenders/contender-of.ts'
import { growthWorks } from './stores/growth.ts'
import { works } from './stores/works/index.ts'
import type { Sizes } from './stores/work.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string' },
    works: { type: 'string' },
    large: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})
const [role, contender, name, sizes] = positionals
if (role === 'measure') {
  const work = [...works, ...growthWorks].find((one) => one.name === name)!
  const outcome = await work.run(await contenderOf(contender!), JSON.parse(sizes!) as Sizes)
  // Some keep the process alive with timers and channels of theirs.
  process.send!(outcome, () => process.exit())
} else {
  const { compare } = await import('./stores/compare.ts')
  const well = await compare({
    ...values,
    rounds: Number(values.rounds),
    only: values.only?.split(','),
    works: values.works?.split(','),
  })
  if (!well) process.exitCode = 1
}
