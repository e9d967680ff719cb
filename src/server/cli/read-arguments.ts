import { parseArgs } from 'node:util'
import { readData, type DataArguments } from './read-data.ts'
import { UsageError } from './usage-error.ts'

/** What `rowcast serve` was told. */
export interface ServeArguments {
  readonly command: 'serve'
  readonly schema: string
  readonly data: DataArguments
  readonly port: number
  readonly host: string
  readonly auth: {
    readonly secret?: string | undefined
    readonly jwksUrl?: string | undefined
    readonly audience?: string | undefined
    readonly issuer?: string | undefined
    readonly requireExp: boolean
  }
  /** The file of the rules. */
  readonly permissions: string | undefined
  readonly cors: readonly string[]
  /** Whether a database is made when it is first used. */
  readonly create: boolean
  /** Whether patterns of the schema are taken that can't be matched in linear time. */
  readonly nativePatterns: boolean
}

const SERVE = {
  schema: { type: 'string' },
  data: { type: 'string' },
  log: { type: 'string' },
  s3: { type: 'string' },
  's3-endpoint': { type: 'string' },
  's3-region': { type: 'string' },
  shards: { type: 'string' },
  'commit-every': { type: 'string' },
  advertise: { type: 'string' },
  relaxed: { type: 'boolean' },
  'nats-ca': { type: 'string' },
  'nats-cert': { type: 'string' },
  'nats-key': { type: 'string' },
  port: { type: 'string' },
  host: { type: 'string' },
  'auth-secret': { type: 'string' },
  'auth-jwks': { type: 'string' },
  'auth-audience': { type: 'string' },
  'auth-issuer': { type: 'string' },
  'auth-no-exp': { type: 'boolean' },
  permissions: { type: 'string' },
  cors: { type: 'string', multiple: true },
  create: { type: 'boolean' },
  'native-patterns': { type: 'boolean' },
} as const
const OPTIONS = { ...SERVE, help: { type: 'boolean', short: 'h' }, version: { type: 'boolean' } } as const

/** Reads a command line. Throws UsageError, which says what to type instead. */
export function readArguments(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): ServeArguments | { readonly command: 'help' } | { readonly command: 'version' } {
  const { values, positionals } = parse(args)
  if (values.help) return { command: 'help' }
  if (values.version) return { command: 'version' }
  const [command, ...more] = positionals
  if (command === undefined) throw new UsageError("no command was given: 'rowcast serve --schema … --data …'")
  if (command !== 'serve') throw new UsageError(`there is no command '${command}': 'rowcast serve' is one`)
  if (more.length > 0) throw new UsageError(`'${more[0]}' is not expected: options begin with --`)
  const { schema, host = '127.0.0.1', cors = [] } = values
  if (!schema) throw new UsageError('--schema is missing: give the file of the schema, --schema schema.json')
  const data = readData(values, environment)
  const secret = values['auth-secret'] ?? environment['ROWCAST_AUTH_SECRET']
  const jwksUrl = values['auth-jwks']
  if (values['auth-secret'] === '' || (secret !== undefined && secret !== '' && Buffer.byteLength(secret) < 32))
    throw new UsageError('--auth-secret is too short: give 32 random bytes at least')
  if (secret && jwksUrl !== undefined) throw new UsageError('--auth-secret and --auth-jwks exclude each other')
  if (jwksUrl !== undefined && !/^https?:\/\/./.test(jwksUrl))
    throw new UsageError(`--auth-jwks '${jwksUrl}' is no URL: give the https: address of the key set`)
  const [audience, issuer] = [values['auth-audience'], values['auth-issuer']]
  const requireExp = values['auth-no-exp'] !== true
  if (!secret && jwksUrl === undefined && ((audience ?? issuer) !== undefined || !requireExp))
    throw new UsageError('--auth-audience, --auth-issuer and --auth-no-exp need --auth-secret or --auth-jwks')
  for (const origin of cors)
    if (origin !== '*' && !(URL.canParse(origin) && new URL(origin).origin === origin))
      throw new UsageError(`--cors '${origin}' is no origin: scheme, host and port alone, https://example.com`)
  return {
    command,
    schema,
    data,
    port: readPort(values.port),
    host,
    auth: { secret: secret || undefined, jwksUrl, audience, issuer, requireExp },
    permissions: values.permissions,
    cors,
    create: values.create ?? false,
    nativePatterns: values['native-patterns'] ?? false,
  }
}

function parse(
  args: readonly string[],
): ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>> {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true })
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('. ')[0]! : String(error)
    throw new UsageError(
      `${reason}; known are ${Object.keys(OPTIONS)
        .map((name) => `--${name}`)
        .join(' ')}`,
    )
  }
}

function readPort(text: string | undefined): number {
  if (text === undefined) return 8787
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  throw new UsageError(`--port '${text}' is no port: give a number from 0 to 65535`)
}
