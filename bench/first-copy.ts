// The first copy of a large database in a page: as rows over WebSocket, and as the `.db` that the server exports.
//   npm run bench -- first-copy [--rows 400000] [--rounds 1] [--profile] [--only copy]
import { parseArgs } from 'node:util'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: 'string', default: '400000' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string' },
    profile: { type: 'boolean', default: false },
    dist: { type: 'string' },
  },
})
if (positionals[0] === 'server') await (await import('./first-copy/server-process.ts')).serve(Number(values.rows))
else {
  const { compare } = await import('./first-copy/compare.ts')
  await compare({ ...values, rows: Number(values.rows), rounds: Number(values.rounds) })
}
