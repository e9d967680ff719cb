import { expect, test } from 'vitest'
import { Bucket, refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

test('a wrong secret is 403 SignatureDoesNotMatch', async () => {
  s3.client = s3.connect({ credentials: { ...s3.server.credentials, secretAccessKey: 'wrong' } })
  expect(await refusal(s3.put('a', 'one'))).toBe('403 SignatureDoesNotMatch')
  expect(await refusal(s3.list())).toBe('403 SignatureDoesNotMatch')
})

test('another access key is 403 InvalidAccessKeyId', async () => {
  s3.client = s3.connect({ credentials: { ...s3.server.credentials, accessKeyId: 'other' } })
  expect(await refusal(s3.get('a'))).toBe('403 InvalidAccessKeyId')
})

test('a request without a signature is 403 AccessDenied', async () => {
  const answer = await fetch(`${s3.server.url}/${Bucket}/a`)
  expect(answer.status).toBe(403)
  expect(await answer.text()).toContain('<Code>AccessDenied</Code>')
})

test('an address that is not percent-encoded UTF-8 is 400 InvalidURI', async () => {
  for (const address of [`/%zz/a`, `/${Bucket}/%E0%A4%A`, `/${Bucket}/%`]) {
    const answer = await fetch(`${s3.server.url}${address}`)
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('<Code>InvalidURI</Code>')
  }
})

test('a request that was changed on its way is 403', async () => {
  s3.client.middlewareStack.add(
    (next) => (args) => {
      ;(args.request as { path: string }).path = `/${Bucket}/other`
      return next(args)
    },
    { step: 'deserialize', priority: 'low' },
  )
  expect(await refusal(s3.put('a', 'one'))).toBe('403 SignatureDoesNotMatch')
})

test('a clock an hour off is 403 RequestTimeTooSkewed, and right again once the client took over the time', async () => {
  s3.server = await s3.open({ now: () => Date.now() + 3_600_000 })
  s3.client = s3.connect()
  expect(await refusal(s3.put('a', 'one'))).toBe('403 RequestTimeTooSkewed')
  await s3.put('a', 'one')
})

test('a body that is not the one that was signed is 400', async () => {
  s3.client.middlewareStack.add(
    (next) => (args) => {
      const request = args.request as { body: unknown }
      request.body = 'two'
      return next(args)
    },
    { step: 'deserialize', priority: 'low' },
  )
  expect(await refusal(s3.put('a', 'one'))).toBe('400 XAmzContentSHA256Mismatch')
})
