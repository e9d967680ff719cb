import { once } from 'node:events'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { schema } from '../http/support.ts'
import { RawClient } from './raw-client.ts'
import { a, folder, notes, run, serve, transact } from './serve-process.ts'

describe('rowcast serve', () => {
  test('loses nothing that was acknowledged when it is killed, and a client goes on from where it was', async () => {
    const cwd = await folder()
    const first = await serve(cwd)
    expect((await fetch(`${first.url}${a}`, { method: 'PUT' })).status).toBe(201)
    const acknowledged: string[] = []
    const client = new RawClient(`${first.url}${a}/sync`)
    await client.opened
    const rows = await client.hello('a')
    const write = async (): Promise<void> => {
      for (let n = 0; ; n++) {
        const response = await transact(first.url, `n${n}`)
        if (response.status !== 200) throw new Error(`answered with ${response.status}`)
        acknowledged.push(`n${n}`)
        if (n === 50) first.child.kill('SIGKILL')
      }
    }
    await expect(write()).rejects.toThrow('fetch failed')
    await client.closed
    const second = await serve(cwd)
    const kept = await notes(second.url)
    expect(acknowledged.length).toBeGreaterThan(50)
    expect(kept.slice(0, acknowledged.length)).toEqual(acknowledged)
    const again = new RawClient(`${second.url}${a}/sync`)
    await again.opened
    expect(await again.helloAgain('a', rows['position'])).toMatchObject({ reset: false })
    await again.told('n50')
    second.child.kill('SIGTERM')
    expect(await once(second.child, 'exit')).toEqual([0, null])
  })

  test.each(['SIGTERM', 'SIGINT'] as const)('ends gracefully at %s, and keeps a snapshot', async (signal) => {
    const cwd = await folder()
    const { child, url } = await serve(cwd)
    await fetch(`${url}${a}`, { method: 'PUT' })
    expect((await transact(url, 'n')).status).toBe(200)
    const client = new RawClient(`${url}${a}/sync`)
    await client.opened
    await client.hello('a')
    const stream = await fetch(`${url}${a}/events`)
    child.kill(signal)
    expect((await client.closed).code).toBe(1001)
    await stream.body?.cancel()
    expect(await once(child, 'exit')).toEqual([0, null])
    expect((await stat(join(cwd, 'data/a/snapshots/2.json'))).isFile()).toBe(true)
    expect((await stat(join(cwd, 'data/.secret'))).mode & 0o777).toBe(0o600)
  })

  test('takes a schema that a module exports, and tokens', async () => {
    const cwd = await folder()
    await writeFile(join(cwd, 'schema.mjs'), `export const schema = ${JSON.stringify(schema.definition)}`)
    const { url } = await serve(
      cwd,
      '--schema',
      'schema.mjs',
      '--auth-secret',
      'x'.repeat(32),
      '--cors',
      'https://app.test',
    )
    expect((await fetch(`${url}/v1/databases`)).status).toBe(401)
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
  })

  test('takes rules of who may do what', async () => {
    const cwd = await folder()
    const table = Object.keys(schema.definition.tables)[0]!
    await writeFile(join(cwd, 'rules.json'), JSON.stringify({ [table]: { canView: true } }))
    const { url } = await serve(cwd, '--permissions', 'rules.json')
    // Databases as a whole are for administrators, once there are rules.
    expect((await fetch(`${url}${a}`, { method: 'PUT' })).status).toBe(403)
    const wrong = await run(cwd, ['serve', '--schema', 'schema.json', '--data', 'd', '--permissions', 'none.json'])
    expect([wrong.code, wrong.err]).toEqual([
      2,
      expect.stringMatching(/--permissions none\.json: there is no such file/),
    ])
  })

  test.each([
    ['on loopback', [], /^No authentication: Every program on this machine may do everything.*\n$/],
    [
      'on any address',
      ['--host', '0.0.0.0'],
      /^No authentication: Everyone who reaches 0\.0\.0\.0 may do everything.*\n$/,
    ],
    ['with tokens', ['--auth-secret', 'x'.repeat(32), '--auth-no-exp'], /^$/],
  ])('says in one line what it is open to, %s', async (_where, more, expected) => {
    const { child, problem } = await serve(await folder(), ...more)
    child.kill('SIGTERM')
    await once(child, 'close')
    expect(problem()).toMatch(expected)
  })

  test('says that a port is taken', async () => {
    const cwd = await folder()
    const { url } = await serve(cwd)
    const { code, err } = await run(cwd, [
      'serve',
      '--schema',
      'schema.json',
      '--data',
      'other',
      '--port',
      new URL(url).port,
    ])
    expect([code, err]).toEqual([2, expect.stringMatching(/is taken: give another port/)])
  })

  test.each([
    [[], /no command/],
    [['server'], /no command 'server'/],
    [['serve', '--data', 'd'], /--schema is missing/],
    [['serve', '--schema', 'schema.json'], /--data is missing/],
    [['serve', '--schema', 'schema.json', '--data', 'd', '--log', 's3://bucket'], /exclude each other/],
    [['serve', '--schema', 'schema.json', '--log', 'bucket'], /is no bucket: give s3:/],
    [['serve', '--schema', 'schema.json', '--log', 's3://bucket', '--s3', 's3://bucket'], /--s3 is for --data/],
    [['serve', '--schema', 'schema.json', '--log', 'nats://a,b,c'], /--s3 is missing/],
    [['serve', '--schema', 'schema.json', '--log', 'nats://a,b,', '--s3', 's3://bucket'], /server 3 of it is no host/],
    [['serve', '--schema', 'schema.json', '--log', 'nats://a', '--s3', 'x'], /is no bucket: give s3:/],
    [['serve', '--schema', 'schema.json', '--log', 's3://bucket', '--relaxed'], /--relaxed.* need --log nats/],
    [['serve', '--schema', 'schema.json', '--data', 'd', '--nats-ca', 'ca.pem'], /--nats-ca.* need --log nats/],
    [
      ['serve', '--schema', 'schema.json', '--log', 'nats://a,b,c', '--s3', 's3://bucket', '--nats-cert', 'c.pem'],
      /--nats-cert and --nats-key belong together/,
    ],
    [['serve', '--schema', 'schema.json', '--log', 's3://bucket', '--shards', '0'], /0 shards can't be had/],
    [['serve', '--schema', 'schema.json', '--log', 's3://bucket', '--shards', 'x'], /'x' is no number/],
    [['serve', '--schema', 'schema.json', '--log', 's3://bucket', '--s3-endpoint', 'x'], /is no URL/],
    [['serve', '--schema', 'schema.json', '--data', 'd', '--shards', '2'], /need --log/],
    [['serve', '--schema', 'none.json', '--data', 'd'], /none\.json: there is no such file/],
    [['serve', '--schema', 'broken.json', '--data', 'd'], /broken\.json is not JSON/],
    [['serve', '--schema', 'wrong.json', '--data', 'd'], /wrong\.json: .*version/],
    [['serve', '--schema', 'schema.txt', '--data', 'd'], /give a \.json file/],
    [['serve', '--schema', 'empty.mjs', '--data', 'd'], /exports no schema/],
    [['serve', '--schema', 'throws.mjs', '--data', 'd'], /can't be run: no/],
    [['serve', '--schema', 'schema.json', '--data', 'schema.json'], /data directory schema\.json can't be used/],
    [['serve', '--schema', 'schema.json', '--data', 'd', '--prot', '1'], /'--prot'.*known are/],
    [['serve', '--schema', 'schema.json', '--data', 'd', '--auth-no-exp'], /need --auth-secret/],
    [['serve', '--schema', 'schema.json', '--data', 'd', '--port', '99999'], /is no port/],
    [['serve', '--schema', 'schema.json', '--data', 'd', '--auth-secret', 'short'], /too short/],
    [['serve', '--schema', 'schema.json', '--data', 'd', '--cors', 'app.test/x'], /is no origin/],
  ])('with %j says what is wrong', async (args, expected) => {
    const cwd = await folder()
    await writeFile(join(cwd, 'broken.json'), '{')
    await writeFile(join(cwd, 'wrong.json'), '{"tables":{}}')
    await writeFile(join(cwd, 'empty.mjs'), 'export const other = 1')
    await writeFile(join(cwd, 'throws.mjs'), "throw new Error('no')")
    const { code, err } = await run(cwd, args)
    expect(err).toMatch(expected)
    expect(err).not.toContain('    at ')
    expect(code).toBe(2)
  })

  test('helps, and tells its version', async () => {
    const cwd = await folder()
    expect(await run(cwd, ['--help'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('rowcast serve') as string,
    })
    expect(await run(cwd, ['--version'])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
    })
  })
})
