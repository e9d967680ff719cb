import { setTimeout as delay } from 'node:timers/promises'
import { RowcastError } from '../../errors/index.ts'
import { jwtAuth } from '../http/index.ts'
import { serve } from '../serve.ts'
import type { Permissions } from '../access.ts'
import { describeReport } from '../describe-report.ts'
import { loadFile } from './load-file.ts'
import { loadSchema } from './load-schema.ts'
import type { ServeArguments } from './read-arguments.ts'
import { UsageError } from './usage-error.ts'

/** So long it may take to end, with a bucket that says nothing for one: what was acknowledged is in the log anyway. */
const GRACE_MS = 10_000

/** Runs the server until it is told to end (SIGINT, SIGTERM), then ends the process. Throws UsageError. */
export async function runServe(args: ServeArguments): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
  })
  const schema = await loadSchema(args.schema)
  const { secret, jwksUrl } = args.auth
  const hasAuth = secret !== undefined || jwksUrl !== undefined
  const origins = args.cors.includes('*') ? ('*' as const) : args.cors
  const serving = serve({
    schema,
    ...args.data.options,
    port: args.port,
    host: args.host,
    ...(args.permissions !== undefined && {
      // Whatever it is: what is no set of rules is refused, not taken for none.
      permissions: ((await loadFile('--permissions', args.permissions, 'permissions')) ?? false) as Permissions,
    }),
    ...(args.nativePatterns && { patterns: 'native' as const }),
    ...(hasAuth && { authenticate: jwtAuth(args.auth) }),
    ...(origins.length > 0 && { cors: { origins } }),
    create: args.create,
    onError: (error) => process.stderr.write(`${describeReport(error)}\n`),
  }).catch((error: unknown) => {
    if (error instanceof RowcastError) throw new UsageError(error.message)
    throw error
  })
  const server = await Promise.race([serving, ended])
  if (!server) process.exit(0)
  process.stdout.write(`rowcast serves ${args.data.shown} at ${server.url}\n`)
  if (!hasAuth) process.stderr.write(`${describeOpenness(args)}\n`)
  await ended
  const isClosed = await Promise.race([server.close().then(() => true), delay(GRACE_MS, false)])
  if (!isClosed) process.stderr.write('Ended with what was not acknowledged yet: nobody knows of it.\n')
  // Everything is where it is kept; what still runs are timers for streams that nobody reads any more.
  process.exit(isClosed ? 0 : 1)
}

/** What a server without tokens is open to. On loopback that is every program of the machine, and of all its users. */
function describeOpenness({ host, permissions }: ServeArguments): string {
  const who = isLoopback(host) ? 'Every program on this machine' : `Everyone who reaches ${host}`
  const what = permissions === undefined ? 'everything with every database' : 'what the rules allow to anyone'
  return `No authentication: ${who} may do ${what}. See --auth-secret and --auth-jwks.`
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.')
}
