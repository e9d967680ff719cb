import { expect, onTestFinished, test } from 'vitest'
import { Bucket } from '../../support/s3-seat.ts'
import { S3Server } from '../../support/s3-server/index.ts'
import { place } from './placement-seat.ts'

test('who is sent by a server that knows better is taken at once, though the one that gave the shard up still answers', async () => {
  const server = await S3Server.open({ buckets: [Bucket] })
  onTestFinished(() => server.close())
  const [leaving, next] = ['http://a', 'http://b'].map((url) => place(server, url, () => true))
  expect(await leaving!.placement.elsewhere('plan')).toBeUndefined()
  expect(await next!.placement.elsewhere('plan')).toMatchObject({ url: 'http://a' })
  await leaving!.placement.leave()
  expect(await next!.placement.elsewhere('plan', { isSent: true })).toBeUndefined()
  expect(next!.shard.isOwner).toBe(true)
})
