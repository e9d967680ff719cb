import { RowcastError } from '../../errors/index.ts'
import type { S3Options } from '../bucket/index.ts'
import { parseNatsUrl, type NatsCredentials, type NatsOptions } from '../nats/index.ts'
import type { JetStreamStorageOptions, S3StorageOptions } from '../storage-options.ts'
import { UsageError } from './usage-error.ts'

/** Where the databases lie: a directory, a bucket that keeps all, or servers of NATS and a bucket. */
export type DataArguments = {
  /** For messages, without credentials. */
  readonly shown: string
  readonly options:
    | { readonly directory: string; readonly snapshots?: S3Options }
    | { readonly log: S3StorageOptions | JetStreamStorageOptions }
}

type Values = Readonly<Partial<Record<TextOption, string> & { readonly relaxed: boolean }>>
type TextOption = 'data' | 'log' | 's3' | 's3-endpoint' | 's3-region' | (typeof SHARED)[number] | (typeof NATS)[number]

/** Options that need a log that is shared, and those that need one on NATS. */
const SHARED = ['shards', 'commit-every', 'advertise'] as const
const NATS = ['nats-ca', 'nats-cert', 'nats-key'] as const

/** Reads where the databases lie. Throws UsageError, which says what to type instead. */
export function readData(values: Values, environment: NodeJS.ProcessEnv): DataArguments {
  const { data, log, s3, relaxed } = values
  const [endpoint, region] = [values['s3-endpoint'], values['s3-region']]
  if (data === undefined && log === undefined)
    throw new UsageError(
      '--data is missing: give the directory of the databases, --data ./data, or a bucket, --log s3://bucket/prefix',
    )
  if (data !== undefined && log !== undefined)
    throw new UsageError('--data and --log exclude each other: with --log nothing lies on this machine')
  if (data === '') throw new UsageError('--data is empty: give the directory of the databases, --data ./data')
  if (endpoint !== undefined && !/^https?:\/\/./.test(endpoint))
    throw new UsageError(`--s3-endpoint '${endpoint}' is no URL: give https://…`)
  const isNats = log !== undefined && /^(nats|tls):\/\//.test(log)
  if (log === undefined && SHARED.some((option) => values[option] !== undefined))
    throw new UsageError('--shards, --commit-every and --advertise need --log')
  if (!isNats && (relaxed === true || NATS.some((option) => values[option] !== undefined)))
    throw new UsageError('--relaxed, --nats-ca, --nats-cert and --nats-key need --log nats://…')
  if (log === undefined && s3 === undefined && (endpoint ?? region) !== undefined)
    throw new UsageError('--s3-endpoint and --s3-region need --log or --s3')
  if (data !== undefined)
    return {
      shown: data,
      options: { directory: data, ...(s3 !== undefined && { snapshots: { url: s3, endpoint, region } }) },
    }
  const shared = readShared(values)
  if (isNats) {
    if (s3 === undefined)
      throw new UsageError(
        '--s3 is missing: with --log nats://… all but the newest lies in a bucket, --s3 s3://bucket/prefix',
      )
    const nats = readNats(log, values, environment)
    return { shown: shownNats(log), options: { log: { ...shared, nats, s3: { url: s3, endpoint, region }, relaxed } } }
  }
  if (s3 !== undefined)
    throw new UsageError('--s3 is for --data and --log nats://…: snapshots lie in the bucket of the log')
  return { shown: log!, options: { log: { ...shared, url: log!, endpoint, region } } }
}

function readShared({
  shards,
  'commit-every': commitEvery,
  advertise,
}: Values): Pick<S3StorageOptions, 'shards' | 'commitEveryMs' | 'advertise'> {
  if (advertise !== undefined && !/^https?:\/\/./.test(advertise))
    throw new UsageError(`--advertise '${advertise}' is no URL: give the address by which others reach this server`)
  return {
    ...(shards !== undefined && { shards: readNumber('--shards', shards) }),
    ...(commitEvery !== undefined && { commitEveryMs: readNumber('--commit-every', commitEvery) }),
    advertise,
  }
}

function shownNats(url: string): string {
  try {
    return parseNatsUrl(url).shown
  } catch (error) {
    if (error instanceof RowcastError) throw new UsageError(error.message)
    throw error
  }
}

function readNats(url: string, values: Values, environment: NodeJS.ProcessEnv): NatsOptions {
  const [caFile, certFile, keyFile] = NATS.map((option) => values[option])
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new UsageError('--nats-cert and --nats-key belong together: give both')
  const tls = {
    ...(caFile !== undefined && { caFile }),
    ...(certFile !== undefined && { certFile }),
    ...(keyFile !== undefined && { keyFile }),
  }
  return { url, credentials: readCredentials(environment), ...(Object.keys(tls).length > 0 && { tls }) }
}

/** Those of the environment, if there are any. */
function readCredentials({
  NATS_USER: user,
  NATS_PASSWORD: password,
  NATS_TOKEN: token,
}: NodeJS.ProcessEnv): NatsCredentials | undefined {
  if (token) return { token }
  if (!user) return undefined
  if (password === undefined) throw new UsageError('NATS_PASSWORD is missing in the environment, where NATS_USER is')
  return { user, password }
}

function readNumber(option: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new UsageError(`${option} '${text}' is no number: give digits`)
}
