// What is large over slow links, beside what its bytes need: the longest it may take is 1.5 times that, also when cut twice.
//   node scripts/run.mjs node bench/slow-link.ts [--faster 1] [--only down,up,missed,copy] [--kinds webSocketTransport,sseTransport] [--seed 1]
// By itself, and not with the others: at the real rates it takes some minutes. `--faster 10` makes the links ten times as fast.
import { parseArgs } from 'node:util'
import { cases, measure, type Case, type Circumstances, type Measured } from './slow-link/measure.ts'
import { printTable } from './support/statistics.ts'

const { values } = parseArgs({
  options: {
    faster: { type: 'string', default: '1' },
    only: { type: 'string' },
    kinds: { type: 'string', default: 'webSocketTransport,sseTransport' },
    cuts: { type: 'string', default: '0,2' },
    seed: { type: 'string', default: '1' },
  },
})
const wanted = cases.filter(({ name }) => values.only?.split(',').includes(name) ?? true)
console.log(`Node ${process.version}; links ${values.faster} times as fast as said; ROWCAST_SEED=${values.seed}`)
const running: Promise<Measured>[] = []
// Those of one transport at once: each has a server and a link of its own, and waits for that most of the time.
for (const kind of values.kinds.split(','))
  for (const one of wanted)
    for (const cuts of values.cuts.split(',').map(Number))
      for (const delayMs of cuts === 0 ? [0] : [0, 500])
        running.push(run(one, { kind, cuts, delayMs, faster: Number(values.faster), seed: Number(values.seed) }))

async function run(one: Case, circumstances: Circumstances): Promise<Measured> {
  const measured = await measure(one, circumstances)
  console.error(`${measured.name} ${measured.link}: ${(measured.tookMs / 1000).toFixed(1)} s`)
  return measured
}

const results = await Promise.all(running)
printTable(
  ['case', 'link', 'needs s', 'took s', 'times', 'bytes, times', 'connections'],
  results.map(({ name, link, neededMs, tookMs, content, passed, connections }) => [
    name,
    link,
    (neededMs / 1000).toFixed(1),
    (tookMs / 1000).toFixed(1),
    (tookMs / neededMs).toFixed(2),
    (passed / content).toFixed(3),
    String(connections),
  ]),
)
process.exit()
