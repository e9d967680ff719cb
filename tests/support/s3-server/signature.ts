import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import { S3Error, decodeUri } from './s3-error.ts'
import { header, type S3Request } from './s3-request.ts'

/** How far a client's clock may be off, in milliseconds: S3's own limit. */
const SKEW_MS = 15 * 60 * 1000

export interface S3Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

const authorizationForm =
  /^AWS4-HMAC-SHA256 Credential=(?<accessKeyId>[^/]+)\/(?<scope>(?<day>\d{8})\/(?<region>[^/]+)\/s3\/aws4_request), ?SignedHeaders=(?<names>[^,]+), ?Signature=(?<signature>[\da-f]{64})$/

/**
 * Checks who sent a request, that it came unchanged, and that it is not older or newer than a quarter of an hour
 * (Signature Version 4 in the Authorization header).
 * @throws S3Error AccessDenied, InvalidAccessKeyId, InvalidRequest, RequestTimeTooSkewed, SignatureDoesNotMatch or
 *   XAmzContentSHA256Mismatch.
 */
export function verifySignature(request: S3Request, credentials: S3Credentials, nowMs: number): void {
  const parts = authorizationForm.exec(header(request, 'authorization') ?? '')?.groups
  if (parts === undefined) throw new S3Error('AccessDenied', 'The request carries no Signature Version 4.')
  const { accessKeyId, scope = '', day = '', region = '', names = '', signature = '' } = parts
  if (accessKeyId !== credentials.accessKeyId)
    throw new S3Error('InvalidAccessKeyId', `There is no access key ${accessKeyId}.`)
  const date = header(request, 'x-amz-date') ?? ''
  if (!(Math.abs(readDate(date) - nowMs) <= SKEW_MS))
    throw new S3Error('RequestTimeTooSkewed', `The request says ${date}, here it is ${new Date(nowMs).toISOString()}.`)
  const payload = header(request, 'x-amz-content-sha256')
  if (payload === undefined)
    throw new S3Error('InvalidRequest', 'The header x-amz-content-sha256 is missing, which the signature rests on.')
  const key = ['s3', 'aws4_request'].reduce(
    hmac,
    hmac(hmac(Buffer.from(`AWS4${credentials.secretAccessKey}`), day), region),
  )
  const canonical = canonicalRequest(request, names.split(';'), payload)
  const expected = hmac(key, ['AWS4-HMAC-SHA256', date, scope, sha256(canonical)].join('\n'))
  if (!date.startsWith(day) || !timingSafeEqual(expected, Buffer.from(signature, 'hex')))
    throw new S3Error('SignatureDoesNotMatch', 'The signature is not what the secret gives. Check the secret.')
  if (/^[\da-f]{64}$/.test(payload) && payload !== sha256(request.body))
    throw new S3Error('XAmzContentSHA256Mismatch', 'The body is not the one that was signed.')
}

function canonicalRequest(request: S3Request, names: readonly string[], payload: string): string {
  const [path = '', search = ''] = request.target.split('?')
  const query = search
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair.split('=')
      return { name: recode(name), value: recode(value) }
    })
    .toSorted((a, b) => compare(a.name, b.name) || compare(a.value, b.value))
    .map(({ name, value }) => `${name}=${value}`)
  const headers = names.map((name) => `${name}:${(header(request, name) ?? '').trim().replace(/\s+/g, ' ')}\n`)
  const uri = path.split('/').map(recode).join('/')
  return [request.method, uri, query.join('&'), headers.join(''), names.join(';'), payload].join('\n')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

/** Whatever a client left unescaped, the canonical form escapes all but RFC 3986's unreserved characters. */
function recode(text: string): string {
  return encodeURIComponent(decodeUri(text)).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** In milliseconds; `NaN` where it is none. */
function readDate(text: string): number {
  return Date.parse(text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest()
}
