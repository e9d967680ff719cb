import { beforeEach, expect, test } from 'vitest'
import { refusal, prepareS3 } from '../../../support/s3-seat.ts'

const s3 = prepareS3()

beforeEach(() => s3.put('a', '0123456789'))

test.each([
  ['bytes=2-4', '234', 'bytes 2-4/10'],
  ['bytes=7-', '789', 'bytes 7-9/10'],
  ['bytes=-3', '789', 'bytes 7-9/10'],
  ['bytes=-30', '0123456789', 'bytes 0-9/10'],
  ['bytes=8-99', '89', 'bytes 8-9/10'],
])('%s is 206 with %s', async (Range, text, contentRange) => {
  const { Body, $metadata, ContentRange } = await s3.get('a', { Range })
  expect(await Body?.transformToString()).toBe(text)
  expect($metadata.httpStatusCode).toBe(206)
  expect(ContentRange).toBe(contentRange)
})

test.each(['bytes=10-', 'bytes=10-12', 'bytes=-0'])('%s of ten bytes is 416', async (Range) => {
  expect(await refusal(s3.get('a', { Range }))).toBe('416 InvalidRange')
})

test.each(['bytes=4-2', 'bytes=1-2,4-5', 'lines=1-2', 'bytes=-'])('%s is answered by all of it', async (Range) => {
  const { Body, $metadata } = await s3.get('a', { Range })
  expect(await Body?.transformToString()).toBe('0123456789')
  expect($metadata.httpStatusCode).toBe(200)
})
