// Editing together, beside Yjs with Hocuspocus and TinyBase's WebSocket synchroniser in the same run.
//   npm run bench -- sync
//   node scripts/run.mjs node bench/sync.ts [--rounds 3] [--only rowcast] [--parts ten,thousand] [--profile folder]
// With `--profile` CPU profiles of servers and clients are put into a folder.
// Servers and clients are processes of their own, on loopback. The peers are installed with the first run, in bench/peers.
import process from 'node:process'
import { parseArgs } from 'node:util'
import { contenderOf } from './sync/contender.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string' },
    parts: { type: 'string' },
    profile: { type: 'string' },
  },
})
const [role, name, port, ...parts] = positionals
if (role === 'server') await (await import('./sync/server-process.ts')).serve(name!)
else if (role === 'clients') {
  const { measure } = await import('./sync/measure.ts')
  const figures = await measure(await contenderOf(name!), Number(port), parts)
  process.send!({ figures }, () => process.exit())
} else {
  const { compare } = await import('./sync/compare.ts')
  await compare({ ...values, rounds: Number(values.rounds) })
}
