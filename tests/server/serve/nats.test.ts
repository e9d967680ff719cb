import { expect, onTestFinished, test } from 'vitest'
import { NatsCluster } from '../../support/nats-cluster.ts'
import { start } from './cluster-support.ts'
import { notes, transact } from './serve-process.ts'

test('one server of NATS with a user has the log where that is said to be enough; what it refuses is said without the password', async () => {
  const nats = await NatsCluster.start({ user: { name: 'writer', password: 'opensesame' } })
  onTestFinished(() => nats.close())
  const { host } = nats.servers[0]!
  const one = (credentials: string): ReturnType<typeof start> =>
    start(1, { nats: { url: `nats://${credentials}@${host}` }, options: ['--relaxed'] })
  const refusal = await one('writer:not-opensesame').catch(String)
  expect(refusal).toContain(`nats://${host}`)
  expect(refusal).toContain('Authorization Violation')
  expect(refusal).not.toContain('opensesame')
  const cluster = await one('writer:opensesame')
  expect((await transact(cluster.urls[0]!, 'first')).status).toBe(200)
  await cluster.nodes[0]!.end('SIGKILL')
  const again = await cluster.restart(cluster.nodes[0]!)
  expect(await notes(again.url)).toEqual(['first'])
  expect(again.problems).not.toContain('opensesame')
}, 60_000)
