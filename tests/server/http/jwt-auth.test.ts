import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT, type CryptoKey } from 'jose'
import { describe, expect, onTestFinished, test } from 'vitest'
import { jwtAuth } from 'rowcast/server'
import { startServer } from './support.ts'

const secret = 'a secret of thirty-two bytes or more'
const bytes = new TextEncoder().encode(secret)

function sign(
  key: CryptoKey | Uint8Array,
  alg: string,
  claims: Record<string, unknown>,
  expires = '1h',
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg, kid: 'k' }).setExpirationTime(expires).sign(key)
}

describe('jwtAuth', () => {
  test('makes of the claims a user, whose id is sub whatever else is claimed', async () => {
    const authenticate = jwtAuth({ secret })
    const token = await sign(bytes, 'HS256', { sub: 'ann', id: 'root', name: 'Ann', team: 'red' })
    expect(await authenticate({ token })).toMatchObject({ id: 'ann', name: 'Ann', team: 'red' })
    expect(await authenticate({ token: undefined })).toBeUndefined()
  })

  test('takes public keys, in PEM and of a key set', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] })
    const server = createServer((_request, response) =>
      response.setHeader('content-type', 'application/json').end(keys),
    )
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const jwksUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
    const pem = await exportSPKI(publicKey)
    const token = await sign(privateKey, 'ES256', { sub: 'ann' })
    for (const authenticate of [jwtAuth({ publicKey: pem }), jwtAuth({ jwksUrl })]) {
      expect(await authenticate({ token })).toMatchObject({ id: 'ann' })
      // The classic: the public key, which everyone has, as the secret.
      await expect(
        authenticate({ token: await sign(new TextEncoder().encode(pem), 'HS256', { sub: 'ann' }) }),
      ).rejects.toThrow()
    }
  })

  test.each([
    ['unsigned', async () => new UnsecuredJWT({ sub: 'ann' }).setExpirationTime('1h').encode()],
    ['too old', () => sign(bytes, 'HS256', { sub: 'ann' }, '-1h')],
    ['for someone else', () => sign(bytes, 'HS256', { sub: 'ann', aud: 'other', iss: 'me' })],
    ['by someone else', () => sign(bytes, 'HS256', { sub: 'ann', aud: 'us', iss: 'other' })],
    ['without sub', () => sign(bytes, 'HS256', { aud: 'us', iss: 'me' })],
  ])('refuses a token that is %s', async (_what, make) => {
    const authenticate = jwtAuth({ secret, audience: 'us', issuer: 'me' })
    await expect(authenticate({ token: await make() })).rejects.toThrow()
  })

  test('refuses a token that never ends, unless it may', async () => {
    const token = await new SignJWT({ sub: 'ann' }).setProtectedHeader({ alg: 'HS256' }).sign(bytes)
    await expect(jwtAuth({ secret })({ token })).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(await jwtAuth({ secret, requireExp: false })({ token })).toMatchObject({ id: 'ann' })
  })

  test('says that it can not judge while the key set does not come, and judges once it does', async () => {
    const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true })
    const keys = JSON.stringify({ keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256' }] })
    const answers = [
      [503, 'later'],
      [200, 'no JSON'],
      [200, '{}'],
      [200, keys],
    ] as const
    let at = 0
    const provider = createServer((_request, response) => {
      const [status, body] = answers[at]!
      response.writeHead(status, { 'content-type': 'application/json' }).end(body)
    })
    await new Promise<void>((resolve) => provider.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void provider.close())
    const jwksUrl = `http://127.0.0.1:${(provider.address() as AddressInfo).port}/`
    const { ask } = startServer({ authenticate: jwtAuth({ jwksUrl }), authorize: () => true, onError: () => undefined })
    const good = { authorization: `Bearer ${await sign(privateKey, 'ES256', { sub: 'ann' })}` }
    const bad = { authorization: `Bearer ${await sign(privateKey, 'ES256', { sub: 'ann' }, '-1h')}` }
    for (; at < 3; at++) expect((await ask('GET /v1/databases', undefined, good)).status).toBe(503)
    expect((await ask('GET /v1/databases', undefined, good)).status).toBe(200)
    expect((await ask('GET /v1/databases', undefined, bad)).status).toBe(401)
  })

  test.each([{}, { secret: 'short' }, { secret, publicKey: 'x' }, { publicKey: 'x' }, { jwksUrl: 'x' }])(
    'refuses the options %j',
    (options) => {
      expect(() => jwtAuth(options)).toThrow(expect.objectContaining({ code: 'options' }) as Error)
    },
  )
})
