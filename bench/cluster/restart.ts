import { whole, type Figure } from './report.ts'
import { Scene } from './scene.ts'

/** Names of databases that are made at once. */
const AT_ONCE = 50
/** So many databases are enough for each shard to have one. */
const ASKED = 100

/** All servers are killed, and started again. */
export function restart(databases: number): Promise<readonly Figure[]> {
  return Scene.with(3, { delayMs: 0 }, async ({ cluster }) => {
    const path = (n: number): string => `/v1/databases/d${n}`
    for (let from = 0; from < databases; from += AT_ONCE)
      await Promise.all(
        Array.from({ length: Math.min(AT_ONCE, databases - from) }, (_, n) =>
          expectOk(`${cluster.urls[n % 3]}${path(from + n)}`, { method: 'PUT' }),
        ),
      )
    await Promise.all(cluster.nodes.map((node) => node.end('SIGKILL')))
    const from = performance.now()
    await Promise.all([...cluster.nodes].map((node) => cluster.restart(node)))
    const listening = performance.now() - from
    await Promise.all(
      Array.from({ length: Math.min(ASKED, databases) }, async (_, n) => {
        const change = { table: 'item', key: 'a', op: 'put', after: { id: 'a' } }
        const body = JSON.stringify({ id: `first-${n}`, changes: [change] })
        await expectOk(`${cluster.urls[n % 3]}${path(n)}/transactions`, { method: 'POST', body })
      }),
    )
    const ready = performance.now() - from
    const seconds = (ms: number): string => (ms / 1000).toFixed(1)
    return [
      { title: `${whole(databases)} databases known: all servers listen, s`, values: [seconds(listening)] },
      {
        title: `transactions acknowledged in ${ASKED} of them, in all shards, s`,
        values: [seconds(ready)],
        // With fewer it says nothing.
        ...(databases >= 10_000 && { target: { text: '< 30', isMet: ready < 30_000 } }),
      },
    ]
  })
}

/** Nobody may have it yet, or another server just now (421): it is asked again. */
async function expectOk(url: string, init: RequestInit): Promise<void> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(url, init)
    const text = await answer.text()
    if (answer.ok) return
    if ((answer.status < 500 && answer.status !== 421) || attempt === 100)
      throw new Error(`${url} answered ${answer.status}: ${text}`)
  }
}
