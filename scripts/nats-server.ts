import { findExecutable } from './executable.ts'

/** Debian's is not on the PATH of everybody. */
const usual = ['/usr/sbin/nats-server', '/usr/bin/nats-server']

/** The path of a NATS server on this machine, or `undefined`. `NATS_SERVER_PATH` wins, and throws where it names none. */
export function findNatsServer(): string | undefined {
  return findExecutable('NATS_SERVER_PATH', usual, ['nats-server'])
}
