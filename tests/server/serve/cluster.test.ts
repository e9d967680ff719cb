import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { sseTransport, webSocketTransport } from 'rowcast/transport'
import { describe, expect, test } from 'vitest'
import { connect, expectKept, open, sort, start } from './cluster-support.ts'
import { a, folder, transact } from './serve-process.ts'

describe('several servers of one bucket', { timeout: 120_000 }, () => {
  test('whoever comes to one of them has the database, wherever it is looked after', async () => {
    const cluster = await start(3)
    const { nodes } = cluster
    const clients = await Promise.all(nodes.map(connect))
    await sort(cluster)
    for (const [n, client] of clients.entries()) client.put(`from-${n}`)
    for (const [own, client] of clients.entries())
      for (const n of nodes.keys()) if (n !== own) await client.told(`from-${n}`)
    for (const [n, { url }] of nodes.entries()) expect((await transact(url, `call-${n}`)).status).toBe(200)
    const known = [...nodes.keys()].map((n) => `call-${n}`)
    for (const client of clients) for (const id of known) await client.told(id)
    await expectKept(nodes, known)
    const files = await Promise.all(nodes.map(async ({ url }) => (await fetch(`${url}${a}/export`)).arrayBuffer()))
    for (const file of files) expect(Buffer.from(file).subarray(0, 15).toString()).toBe('SQLite format 3')
  })

  test.each([
    ['a WebSocket', webSocketTransport],
    ['server-sent events', sseTransport],
  ] as const)('long messages are passed on both ways over %s', async (_what, transport) => {
    const cluster = await start(2)
    expect((await transact(cluster.urls[0]!, 'first')).status).toBe(200)
    const { owner, others } = await sort(cluster)
    const [here, there] = await Promise.all([open([owner]), open(others, transport)])
    const ids = Array.from({ length: 5_000 }, (_, n) => `${'long-'.repeat(20)}${n}`)
    there.table('note').insert(ids.map((id) => ({ id })))
    await expect.poll(() => here.table('note').count(), { timeout: 20_000 }).toBe(ids.length + 1)
    const late = await open(others, transport)
    await expect.poll(() => late.table('note').count(), { timeout: 20_000 }).toBe(ids.length + 1)
    here.table('note').insert({ id: 'last' })
    for (const store of [there, late]) await expect.poll(() => store.table('note').get('last')).toBeDefined()
  })

  test('a fork goes to the server that is to look after it, whoever is asked', async () => {
    const cluster = await start(3)
    const { nodes } = cluster
    for (const id of ['one', 'two']) expect((await transact(nodes[0]!.url, id)).status).toBe(200)
    const names = Array.from({ length: 12 }, (_, n) => `fork-${n}`)
    const answers = await Promise.all(
      names.map(async (name, n) => {
        const body = JSON.stringify({ name, at: 2 })
        const answer = await fetch(`${nodes[n % 3]!.url}${a}/fork`, { method: 'POST', body })
        return { status: answer.status, body: (await answer.json()) as unknown }
      }),
    )
    for (const [n, answer] of answers.entries())
      expect(answer).toEqual({
        status: 201,
        body: { name: names[n], sequence: 1, from: { database: 'a', sequence: 2 } },
      })
    const path = join(await folder(), 'fork.db')
    for (const name of names) {
      const file = await fetch(`${nodes[1]!.url}/v1/databases/${name}/export`)
      await writeFile(path, Buffer.from(await file.arrayBuffer()))
      const database = new DatabaseSync(path)
      expect(database.prepare('select id from note').all()).toEqual([{ id: 'one' }])
      database.close()
    }
    const again = await fetch(`${nodes[2]!.url}${a}/fork`, { method: 'POST', body: JSON.stringify({ name: names[0] }) })
    expect(again.status).toBe(409)
    const forged = { 'rowcast-sent-by': `${Buffer.from('{"made":{}}').toString('base64url')}.x` }
    const owner = await cluster.ownerOf('forged')
    expect(owner).toBeDefined()
    for (const node of nodes) {
      const made = await fetch(`${node.url}/v1/databases/forged`, { method: 'PUT', headers: forged, body: 'x' })
      expect(made.status).toBe(node === owner ? 403 : 421)
    }
    const { databases } = (await (await fetch(`${nodes[0]!.url}/v1/databases`)).json()) as { databases: object[] }
    expect(databases).not.toContainEqual({ name: 'forged' })
  })
})
