import { expect, test } from 'vitest'
import { NatsConnection, parseNatsUrl } from '../../../src/server/nats/index.ts'

test('an address names servers, credentials and what streams begin with', () => {
  expect(parseNatsUrl('nats://a,b:4333,[::1]:1')).toEqual({
    servers: ['a:4222', 'b:4333', '[::1]:1'],
    isEncrypted: false,
    credentials: undefined,
    prefix: 'rowcast',
    shown: 'nats://a:4222,b:4333,[::1]:1/rowcast',
  })
  expect(parseNatsUrl('tls://me:s%40%2C%2F@a,b/mine')).toEqual({
    servers: ['a:4222', 'b:4222'],
    isEncrypted: true,
    credentials: { user: 'me', password: 's@,/' },
    prefix: 'mine',
    shown: 'tls://a:4222,b:4222/mine',
  })
  expect(parseNatsUrl('nats://t0ken@a').credentials).toEqual({ token: 't0ken' })
  expect(parseNatsUrl('nats://me:s@a,nats://me:s@b').credentials).toEqual({ user: 'me', password: 's' })
})

test('what shows an address shows no credentials', () => {
  expect(new NatsConnection({ url: 'nats://me:hunter2@a,b' }).address).toBe('nats://a:4222,b:4222/rowcast')
})

test.for([
  'http://me:hunter2@a',
  'nats://',
  'nats://me:hunter2',
  'nats://me:hunter2@',
  'nats://me:hunter2@a:0',
  'nats://me:hunter2@a:99999',
  'nats://me:hun/ter2@a',
  'nats://me:hun,ter2@a',
  'nats://me:123,ter2@a',
  'nats://me:hunter2@a,tls://me:hunter2@b',
  'nats://me:hun%ter2@a',
  'nats://me:hun:ter2@a',
  'nats://:hunter2@a',
  'nats://me:hunter2@a,you:ter2@b',
  'nats://me:hunter2@a/b/c',
  'nats://me:hunter2@a/b.c',
])('%s is refused, and nothing of it is told', (url) => {
  const refused = (() => {
    try {
      parseNatsUrl(url)
    } catch (error) {
      return error as Error
    }
    return undefined
  })()
  expect(refused).toMatchObject({ code: 'options' })
  expect(`${refused!.message}${String(refused!.cause)}${refused!.stack!.split('\n')[0]}`).not.toMatch(/hun|ter2/)
})
