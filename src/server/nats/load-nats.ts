import type * as JetStream from '@nats-io/jetstream'
import type * as Transport from '@nats-io/transport-node'
import { RowcastError } from '../../errors/index.ts'

export interface Nats {
  readonly jetstream: typeof JetStream
  readonly transport: typeof Transport
}

/** Loads NATS's client. Throws RowcastError (`options`) where it is not installed. */
export async function loadNats(): Promise<Nats> {
  try {
    const [jetstream, transport] = await Promise.all([import('@nats-io/jetstream'), import('@nats-io/transport-node')])
    return { jetstream, transport }
  } catch (cause) {
    const packages = '@nats-io/jetstream @nats-io/transport-node'
    throw new RowcastError('options', `NATS needs the packages of its client: install them (npm install ${packages})`, {
      cause,
    })
  }
}
